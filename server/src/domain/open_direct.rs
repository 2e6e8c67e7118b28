use i9chat_spec::{Chat, ChatId, ChatKind, Membership, Partner, User, Watermark, api::chats::OpenDirectRefusal};

use super::{ChangeBody, Command, Decision, Pair, Stamp, State, Wanted, state::whole};

/// Opens the direct chat of two users, or finds it. (CHT-1)
#[derive(Debug, Clone)]
pub struct OpenDirect {
    /// Who opens.
    pub opener: User,
    /// The other one.
    pub partner: User,
}

impl OpenDirect {
    fn pair(&self) -> Pair {
        Pair::of(self.opener.user_id, self.partner.user_id)
    }
}

impl Command for OpenDirect {
    type Answer = ChatId;
    type Refusal = OpenDirectRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.directs.insert(self.pair());
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<ChatId>, OpenDirectRefusal> {
        if self.opener.user_id == self.partner.user_id {
            return Err(OpenDirectRefusal::DirectWithSelf);
        }
        let found = state.directs.get(&self.pair()).and_then(|chat_id| state.chats.get(chat_id));
        if let Some(chat) = found.filter(|chat| chat.seen_by(self.opener.user_id).is_some()) {
            return Ok(Decision::nothing(chat.chat_id));
        }
        let chat_id = found.map_or_else(|| ChatId::from_uuid(stamp.ids.uuid(stamp.at)), |chat| chat.chat_id);
        let added = chat_added(chat_id, &self.opener, &self.partner, stamp);
        Ok(Decision::new(chat_id, vec![added]))
    }
}

/// Adds a chat for one of its users. It is empty: with the first entry both have it.
pub(super) fn chat_added(chat_id: ChatId, user: &User, partner: &User, stamp: &Stamp<'_>) -> ChangeBody {
    let chat = Chat {
        chat_id,
        kind: ChatKind::Direct,
        partner: Some(Partner { user: partner.clone(), delivered: Watermark::ZERO, read: Watermark::ZERO }),
        group: None,
        membership: Membership::Member,
        opened_at: stamp.at,
        visible: vec![whole()],
        last_entry: None,
        unread_count: 0,
        delivered: Watermark::ZERO,
        read: Watermark::ZERO,
    };
    ChangeBody::ChatAdded { user: user.clone(), order: 0, chat: Box::new(chat) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::Scene;

    #[test]
    fn both_get_the_same_chat_whoever_opens_it_and_however_often() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let by_alice = OpenDirect { opener: alice.clone(), partner: bob.clone() };
        let by_bob = OpenDirect { opener: bob.clone(), partner: alice.clone() };
        let chat = scene.decide(&by_alice).unwrap();
        assert!(scene.heard_by(&bob).is_empty(), "the partner does not see an empty chat");
        for command in [&by_alice, &by_bob, &by_bob, &by_alice] {
            assert_eq!(scene.decide(command), Ok(chat));
        }
        assert_eq!(scene.heard_by(&alice), ["chat_added"]);
        assert_eq!(scene.heard_by(&bob), ["chat_added"], "who opens it too has it");
    }

    #[test]
    fn nobody_chats_with_themselves() {
        let mut scene = Scene::new();
        let [alice, _] = scene.users();
        let command = OpenDirect { opener: alice.clone(), partner: alice };
        assert_eq!(scene.decide(&command), Err(OpenDirectRefusal::DirectWithSelf));
    }
}
