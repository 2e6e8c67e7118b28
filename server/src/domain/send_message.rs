use i9chat_spec::{
    ChatId, ClientId, Content, MediaId, MediaKind, MediaPurpose, Message, MessageId, NewContent, NewVisual, Quote,
    User, Visual,
    api::messages::{MessageSent, SendMessageRefusal},
};

use super::{
    Belonging, ChangeBody, ChatState, Command, Decision, DoneBefore, MediaState, Stamp, State, Wanted,
    open_direct::chat_added, state::sent,
};

/// Sends a message to a chat. (MSG-1)
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Who sends.
    pub sender: User,
    /// Where to.
    pub chat_id: ChatId,
    /// Makes a retry harmless.
    pub client_id: ClientId,
    /// What it says.
    pub content: NewContent,
    /// What it replies to.
    pub reply_to: Option<MessageId>,
}

impl Command for SendMessage {
    type Answer = MessageSent;
    type Refusal = SendMessageRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
        wanted.done.insert((self.sender.user_id, self.client_id));
        wanted.messages.extend(self.reply_to.map(|message_id| (self.chat_id, message_id)));
        wanted.media.extend(self.content.media_ids());
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<MessageSent>, SendMessageRefusal> {
        // Before anything else, so that a retry has its first answer whatever happened since. (MSG-7)
        if let Some(before) = state.done.get(&(self.sender.user_id, self.client_id)) {
            return self.done_before(before).map(Decision::nothing).ok_or(SendMessageRefusal::IdempotencyConflict);
        }
        let chat = state.chats.get(&self.chat_id).ok_or(SendMessageRefusal::ChatNotFound)?;
        self.may_write(chat)?;
        let reply_to = self.reply_to.map(|message_id| self.quote(chat, state, message_id)).transpose()?;
        let content = self.content(state)?;

        let mut changes = Vec::with_capacity(2);
        let mut audience = chat.audience.clone();
        if let Some((_, partner)) = chat.seen_by(self.sender.user_id)
            && partner.added_at.is_none()
        {
            // The first message shows its chat to the partner. (LOG-7)
            changes.push(chat_added(chat.chat_id, &partner.user, &self.sender, stamp));
            audience = chat.audience.iter().copied().chain([partner.user.user_id]).collect();
        }
        let seq = chat.next_seq();
        let message = Message {
            seq,
            message_id: stamp.message_id(seq),
            chat_id: chat.chat_id,
            sender: self.sender.clone(),
            client_id: self.client_id,
            created_at: stamp.at,
            content,
            reply_to,
            reactions: Vec::new(),
            own_reaction: None,
        };
        let answer = sent(&message);
        changes.push(ChangeBody::MessageCreated { audience, message: Box::new(message) });
        Ok(Decision::new(answer, changes))
    }
}

impl SendMessage {
    fn done_before(&self, before: &DoneBefore) -> Option<MessageSent> {
        let DoneBefore::Message(before) = before else { return None };
        let same =
            before.sent.chat_id == self.chat_id && before.content == self.content && before.reply_to == self.reply_to;
        same.then(|| before.sent.clone())
    }

    /// Who is in the chat now may write to it. (MSG-9)
    fn may_write(&self, chat: &ChatState) -> Result<(), SendMessageRefusal> {
        match chat.belonging(self.sender.user_id) {
            Some(Belonging::Now) => Ok(()),
            None if chat.as_group().is_none() => Err(SendMessageRefusal::ChatNotFound),
            Some(Belonging::Until(_)) | None => Err(SendMessageRefusal::NotMember),
        }
    }

    /// What the reply shows of the message that it replies to. (MSG-15, MSG-16)
    fn quote(&self, chat: &ChatState, state: &State, message_id: MessageId) -> Result<Quote, SendMessageRefusal> {
        let quoted = state.messages.get(&(self.chat_id, message_id));
        let quoted = quoted.filter(|quoted| chat.sees(self.sender.user_id, quoted.seq));
        let quoted = quoted.ok_or(SendMessageRefusal::ReplyNotFound)?;
        Ok(Quote {
            message_id,
            seq: quoted.seq,
            sender: quoted.sender.clone(),
            kind: quoted.kind,
            snippet: quoted.snippet.clone(),
        })
    }

    /// The content with what its media is. (MSG-14)
    fn content(&self, state: &State) -> Result<Content, SendMessageRefusal> {
        let media = |media_id: MediaId, kind: MediaKind| {
            let media = state.media.get(&media_id);
            let usable = media.filter(|media| media.is_usable(self.sender.user_id, MediaPurpose::Message, kind));
            usable.map(|media: &MediaState| media.attachment.clone()).ok_or(SendMessageRefusal::MediaNotUsable)
        };
        let visuals = |items: &[NewVisual], kind: MediaKind| {
            items
                .iter()
                .map(|NewVisual { media_id, width, height }| {
                    Ok(Visual { media: media(*media_id, kind)?, width: *width, height: *height })
                })
                .collect::<Result<Vec<_>, SendMessageRefusal>>()
        };
        Ok(match self.content.clone() {
            NewContent::Text { text } => Content::Text { text },
            NewContent::Voice { media_id, duration_ms } => {
                Content::Voice { media: media(media_id, MediaKind::Voice)?, duration_ms }
            }
            NewContent::Image { items, caption } => {
                Content::Image { items: visuals(&items, MediaKind::Image)?, caption }
            }
            NewContent::Video { items, caption } => {
                Content::Video { items: visuals(&items, MediaKind::Video)?, caption }
            }
            NewContent::Audio { media_id, title } => {
                Content::Audio { media: media(media_id, MediaKind::Audio)?, title }
            }
            NewContent::File { media_id, name } => Content::File { media: media(media_id, MediaKind::File)?, name },
        })
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;
    use crate::domain::{OpenDirect, testing::Scene};

    fn text(chat_id: ChatId, sender: &User, client_id: ClientId, text: &str) -> SendMessage {
        let content = NewContent::Text { text: text.parse().unwrap() };
        SendMessage { sender: sender.clone(), chat_id, client_id, content, reply_to: None }
    }

    #[test]
    fn entries_are_numbered_without_holes() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let chat = scene.decide(&OpenDirect { opener: alice.clone(), partner: bob.clone() }).unwrap();
        for expected in 1..=3 {
            let sent = scene.decide(&text(chat, &alice, scene.client_id(), "hello")).unwrap();
            assert_eq!(sent.seq.get(), expected);
        }
        assert_eq!(scene.decide(&text(chat, &bob, scene.client_id(), "hi")).unwrap().seq.get(), 4);
    }

    #[test]
    fn the_first_message_shows_the_chat_to_the_partner_and_the_second_does_not_again() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let chat = scene.decide(&OpenDirect { opener: alice.clone(), partner: bob.clone() }).unwrap();
        scene.decide(&text(chat, &alice, scene.client_id(), "hello")).unwrap();
        scene.decide(&text(chat, &alice, scene.client_id(), "again")).unwrap();
        assert_eq!(
            scene.heard_by(&bob),
            ["chat_added", "message_created", "message_created"],
            "the partner hears of the chat once, before its first message"
        );
        assert_eq!(scene.heard_by(&alice), ["chat_added", "message_created", "message_created"]);
    }

    #[test]
    fn a_retry_has_the_first_answer_and_makes_nothing() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let chat = scene.decide(&OpenDirect { opener: alice.clone(), partner: bob }).unwrap();
        let send = text(chat, &alice, ClientId::example(), "hello");
        let first = scene.decide(&send).unwrap();
        let heard = scene.heard_by(&alice).len();
        assert_eq!(scene.decide(&send).unwrap(), first);
        assert_eq!(scene.heard_by(&alice).len(), heard);
    }

    #[test]
    fn the_same_client_id_for_something_else_is_a_conflict() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let chat = scene.decide(&OpenDirect { opener: alice.clone(), partner: bob.clone() }).unwrap();
        scene.decide(&text(chat, &alice, ClientId::example(), "hello")).unwrap();
        let other = text(chat, &alice, ClientId::example(), "goodbye");
        assert_eq!(scene.decide(&other), Err(SendMessageRefusal::IdempotencyConflict));
        assert!(scene.decide(&text(chat, &bob, ClientId::example(), "mine")).is_ok(), "ids are unique per user only");
    }

    #[test]
    fn strangers_and_a_partner_who_was_not_added_find_no_chat() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let [mallory, _] = scene.users();
        let chat = scene.decide(&OpenDirect { opener: alice, partner: bob.clone() }).unwrap();
        for stranger in [bob, mallory] {
            let refused = scene.decide(&text(chat, &stranger, scene.client_id(), "hello"));
            assert_eq!(refused, Err(SendMessageRefusal::ChatNotFound));
        }
    }
}
