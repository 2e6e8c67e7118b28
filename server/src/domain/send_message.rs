use i9chat_spec::{
    ChatId, ClientId, Content, Message, NewContent, Seq, User,
    api::messages::{MessageSent, SendMessageRefusal},
};

use super::{ChangeBody, ChatState, Command, Decision, Stamp, State, Wanted, open_direct::chat_added, state::sent};

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
}

impl Command for SendMessage {
    type Answer = MessageSent;
    type Refusal = SendMessageRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
        wanted.sent.insert((self.sender.user_id, self.client_id));
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<MessageSent>, SendMessageRefusal> {
        let content = Content::from(self.content.clone());
        // Before anything else, so that a retry has its first answer whatever happened since. (MSG-7)
        if let Some(before) = state.sent.get(&(self.sender.user_id, self.client_id)) {
            let same = before.sent.chat_id == self.chat_id && before.content == content;
            return if same {
                Ok(Decision { answer: before.sent.clone(), changes: Vec::new() })
            } else {
                Err(SendMessageRefusal::IdempotencyConflict)
            };
        }
        let chat = state.chats.get(&self.chat_id).ok_or(SendMessageRefusal::ChatNotFound)?;
        let (_, partner) = chat.seen_by(self.sender.user_id).ok_or(SendMessageRefusal::ChatNotFound)?;

        let mut changes = Vec::with_capacity(2);
        let mut audience = chat.audience.clone();
        if partner.added_at.is_none() {
            // The first message shows its chat to the partner. (LOG-7)
            changes.push(chat_added(chat.chat_id, &partner.user, &self.sender, stamp));
            audience = chat.audience.iter().copied().chain([partner.user.user_id]).collect();
        }
        let message = self.message(chat, content, stamp);
        let answer = sent(&message);
        changes.push(ChangeBody::MessageCreated { audience, message: Box::new(message) });
        Ok(Decision { answer, changes })
    }
}

impl SendMessage {
    fn message(&self, chat: &ChatState, content: Content, stamp: &Stamp<'_>) -> Message {
        let seq = Seq::try_from(chat.last_seq + 1).unwrap_or(Seq::MAX);
        Message {
            seq,
            message_id: stamp.message_id(seq),
            chat_id: chat.chat_id,
            sender: self.sender.clone(),
            client_id: self.client_id,
            created_at: stamp.at,
            content,
        }
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;
    use crate::domain::{OpenDirect, testing::Scene};

    fn text(chat_id: ChatId, sender: &User, client_id: ClientId, text: &str) -> SendMessage {
        let content = NewContent::Text { text: text.parse().unwrap() };
        SendMessage { sender: sender.clone(), chat_id, client_id, content }
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
