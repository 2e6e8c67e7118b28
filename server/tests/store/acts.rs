//! What users do, in the words of a story.

use i9chat_server::domain::{
    ChangeReaction, MarkReceipts, OpenDirect, SendMessage,
    groups::{AddMembers, ChangeAdmin, CreateGroup, JoinGroup, LeaveGroup, Named, RemoveMember, UpdateGroup},
};
use i9chat_spec::{
    ChatId, ClientId, Limits, MessageId, MessageText, NewContent, Role, User, Watermark,
    api::{
        groups::{FirstMembers, GroupChanges, NewGroup},
        messages::MessageSent,
        receipts::Mark,
    },
};

use super::shelf::{Shelf, uuid};

pub fn client_id() -> ClientId {
    ClientId::from_uuid(uuid())
}

pub fn text(text: &str) -> NewContent {
    NewContent::Text { text: text.parse::<MessageText>().unwrap() }
}

pub fn named(user: &User) -> Named {
    Named { username: user.username.clone(), user: Some(user.clone()) }
}

/// What is sent into a chat.
pub fn sending(sender: &User, chat_id: ChatId, content: NewContent) -> SendMessage {
    SendMessage { sender: sender.clone(), chat_id, client_id: client_id(), content, reply_to: None }
}

impl Shelf {
    /// Opens the direct chat of two users for one of them.
    pub async fn open(&self, opener: &User, partner: &User) -> ChatId {
        self.commit(OpenDirect { opener: opener.clone(), partner: partner.clone() }).await
    }

    pub async fn send(&self, sender: &User, chat_id: ChatId, words: &str) -> MessageSent {
        self.commit(sending(sender, chat_id, text(words))).await
    }

    /// A group of that name, with those members besides the one who makes it.
    pub async fn group(&self, creator: &User, name: &str, members: &[&User]) -> ChatId {
        let names: Vec<_> = members.iter().map(|user| user.username.clone()).collect();
        let asked = NewGroup {
            client_id: client_id(),
            name: name.parse().unwrap(),
            description: None,
            picture_id: None,
            members: (!names.is_empty()).then(|| FirstMembers::try_from(names).unwrap()),
        };
        let members = members.iter().copied().map(named).collect();
        self.commit(CreateGroup { creator: creator.clone(), asked, members, max_members: 5000 }).await.chat_id
    }

    pub async fn add(&self, actor: &User, chat_id: ChatId, target: &User) {
        let added = AddMembers { actor: actor.clone(), chat_id, names: vec![named(target)], max_members: 5000 };
        assert!(self.commit(added).await.results[0].added);
    }

    pub async fn join(&self, user: &User, chat_id: ChatId) {
        self.commit(JoinGroup { user: user.clone(), chat_id, max_members: 5000 }).await;
    }

    pub async fn leave(&self, user: &User, chat_id: ChatId) {
        self.commit(LeaveGroup { user: user.clone(), chat_id }).await;
    }

    pub async fn remove(&self, actor: &User, chat_id: ChatId, target: &User) {
        self.commit(RemoveMember { actor: actor.clone(), chat_id, target: named(target) }).await;
    }

    pub async fn make_admin(&self, actor: &User, chat_id: ChatId, target: &User) {
        self.commit(ChangeAdmin { actor: actor.clone(), chat_id, target: named(target), role: Role::Admin }).await;
    }

    pub async fn update(&self, actor: &User, chat_id: ChatId, asked: GroupChanges) {
        self.commit(UpdateGroup { actor: actor.clone(), chat_id, asked }).await;
    }

    /// Marks how far a user has got and read a chat.
    pub async fn mark(&self, user: &User, chat_id: ChatId, delivered: Option<u64>, read: Option<u64>) {
        let mark = |seq: Option<u64>| seq.map(|seq| Watermark::try_from(seq).unwrap());
        let marks = vec![Mark { chat_id, delivered: mark(delivered), read: mark(read) }];
        let limits = Limits::default();
        let (fanout_members, max_unread_count) = (limits.receipt_fanout_members, limits.max_unread_count);
        self.commit(MarkReceipts { user: user.clone(), marks, fanout_members, max_unread_count }).await;
    }

    pub async fn read(&self, user: &User, chat_id: ChatId, read: u64) {
        self.mark(user, chat_id, None, Some(read)).await;
    }

    /// Sets or takes away a reaction.
    pub async fn react(&self, user: &User, chat_id: ChatId, message_id: MessageId, emoji: Option<&str>) {
        let emoji = emoji.map(|emoji| emoji.parse().unwrap());
        self.commit(ChangeReaction { user: user.clone(), chat_id, message_id, emoji, max_different: 20 }).await;
    }
}
