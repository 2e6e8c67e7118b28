//! How far the members of a group are, kept from the list of them and the events that follow.

use std::collections::HashMap;

use i9chat_spec::{
    Activity, ActivityKind, MessageStatus, PageLimit, Seq, User, UserId, Username, Watermark,
    api::{
        groups::NamesQuery,
        receipts::{ChatReceipt, ChatReceiptPage},
    },
};

/// The watermarks of a group's members. (RCP-9)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemberReceipts {
    members: HashMap<UserId, ChatReceipt>,
    /// Up to here the list shows who came and went.
    since: Watermark,
    task: Option<Task>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Task {
    after: Option<Username>,
}

impl MemberReceipts {
    /// Nothing is known; the list is to be read. `since` is the last entry that has come, or the one that let the viewer in.
    pub(super) fn new(since: Watermark) -> Self {
        Self { members: HashMap::new(), since, task: Some(Task { after: None }) }
    }

    pub(super) fn wanted(&self, limit: PageLimit) -> Option<NamesQuery> {
        self.task.as_ref().map(|task| NamesQuery { after: task.after.clone(), limit: Some(limit) })
    }

    /// A page that [`wanted`](Self::wanted) asked for. Events that came since it was asked for are to be applied after it.
    pub(super) fn insert(&mut self, page: ChatReceiptPage) {
        for receipt in page.items {
            self.members.insert(receipt.user.user_id, receipt);
        }
        self.task = page.next.map(|after| Task { after: Some(after) });
    }

    /// All of them, by name without regard to case; `None` until the list was read.
    pub(super) fn list(&self) -> Option<Vec<&ChatReceipt>> {
        if self.task.is_some() {
            return None;
        }
        let mut list: Vec<_> = self.members.values().collect();
        list.sort_by_cached_key(|receipt| receipt.user.username.as_str().to_ascii_lowercase());
        Some(list)
    }

    /// A member's watermarks, which never go back. Somebody who is no member has none.
    pub(super) fn moved(&mut self, user: UserId, delivered: Watermark, read: Watermark) {
        if let Some(receipt) = self.members.get_mut(&user) {
            receipt.delivered = receipt.delivered.max(delivered);
            receipt.read = receipt.read.max(read);
        }
    }

    /// Who comes starts at the entry that lets them in (RCP-6), who goes is counted no more (RCP-7).
    pub(super) fn apply(&mut self, activity: &Activity) {
        if Watermark::from(activity.seq) <= self.since {
            return;
        }
        match activity.kind {
            ActivityKind::MemberJoined => self.came(&activity.actor, activity.seq),
            ActivityKind::MembersAdded => activity.targets.iter().for_each(|user| self.came(user, activity.seq)),
            ActivityKind::GroupCreated => {
                self.came(&activity.actor, activity.seq);
                activity.targets.iter().for_each(|user| self.came(user, activity.seq));
            }
            ActivityKind::MemberLeft => drop(self.members.remove(&activity.actor.user_id)),
            ActivityKind::MemberRemoved => {
                for user in &activity.targets {
                    self.members.remove(&user.user_id);
                }
            }
            _ => {}
        }
    }

    /// How far a message has come (RCP-7): a member who came after it has watermarks beyond it from the start.
    pub(super) fn status(&self, sender: UserId, seq: Seq) -> Option<MessageStatus> {
        let others = self.list()?.into_iter().filter(|receipt| receipt.user.user_id != sender);
        let (delivered, read) = others.fold((true, true), |(delivered, read), receipt| {
            (delivered && receipt.delivered >= seq.into(), read && receipt.read >= seq.into())
        });
        Some(status(delivered, read))
    }

    fn came(&mut self, user: &User, seq: Seq) {
        let receipt = ChatReceipt { user: user.clone(), delivered: seq.into(), read: seq.into() };
        let known = self.members.entry(user.user_id).or_insert(receipt);
        known.delivered = known.delivered.max(seq.into());
        known.read = known.read.max(seq.into());
    }
}

pub(super) const fn status(delivered: bool, read: bool) -> MessageStatus {
    match (read, delivered) {
        (true, _) => MessageStatus::Read,
        (false, true) => MessageStatus::Delivered,
        (false, false) => MessageStatus::Sent,
    }
}
