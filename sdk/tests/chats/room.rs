//! A chat of the model, and how the viewer sees it.

use std::collections::BTreeMap;

use i9chat_spec::{
    Chat, ChatId, ChatKind, Emoji, Entry, GroupSummary, Membership, Message, Partner, ReactionCount, Role, Seq,
    Stretch, api::receipts::ChatReceipt,
};

use crate::world::{self, VIEWER, limits, mark, time};

#[derive(Debug)]
pub struct Room {
    pub chat_id: ChatId,
    pub kind: ChatKind,
    pub entries: Vec<(u64, Entry)>,
    pub members: BTreeMap<usize, Member>,
    pub reactions: BTreeMap<Seq, BTreeMap<usize, Emoji>>,
    pub group: GroupSummary,
}

#[derive(Debug, Clone)]
pub struct Member {
    /// A direct chat that the user has not seen yet is none of theirs. (CHT-2)
    pub shown: bool,
    pub membership: Membership,
    pub role: Role,
    pub visible: Vec<Stretch>,
    pub delivered: u64,
    pub read: u64,
    pub opened: u64,
    /// The group as it was when they went. (GRP-19)
    pub then: Option<GroupSummary>,
}

impl Room {
    pub fn current(&self) -> impl Iterator<Item = (usize, &Member)> {
        let members = self.members.iter().filter(|(_, member)| member.membership == Membership::Member);
        members.map(|(user, member)| (*user, member))
    }

    pub fn next_seq(&self) -> Seq {
        Seq::try_from(self.entries.len() as u64 + 1).expect("a seq")
    }

    pub fn admit(&mut self, user: usize, seq: Seq, role: Role, at: u64) {
        let visible = self.members.get(&user).map_or_else(Vec::new, |member| member.visible.clone());
        let (delivered, read) = (seq.get(), seq.get());
        let mut member = Member { visible, delivered, read, role, opened: at, ..Member::direct() };
        member.shown = true;
        member.visible.push(Stretch { from: seq, to: None });
        self.members.insert(user, member);
        self.group.members_count += 1;
    }

    /// REA-4
    pub fn counted(&self, seq: Seq) -> Vec<ReactionCount> {
        let mut counts = BTreeMap::<&str, u64>::new();
        for emoji in self.reactions.get(&seq).into_iter().flat_map(BTreeMap::values) {
            *counts.entry(emoji.as_str()).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.into_iter().map(|(emoji, count)| ReactionCount { emoji: emoji.parse().expect("one"), count }).collect()
    }

    pub fn last(&self, member: &Member) -> Option<u64> {
        self.entries.iter().filter_map(|(_, entry)| entry.seq()).filter(|seq| member.sees(*seq)).map(Seq::get).max()
    }

    pub fn viewer(&self) -> Option<&Member> {
        self.members.get(&VIEWER).filter(|viewer| viewer.shown)
    }

    pub fn unread(&self) -> u64 {
        let Some(viewer) = self.viewer() else { return 0 };
        let unread = self.entries.iter().filter_map(|(_, entry)| entry.as_message()).filter(|message| {
            message.sender != world::user(VIEWER) && message.seq.get() > viewer.read && viewer.sees(message.seq)
        });
        (unread.count() as u64).min(limits().max_unread_count)
    }

    pub fn activity(&self) -> Option<u64> {
        let viewer = self.viewer()?;
        let seen = self.entries.iter().filter(|(_, entry)| entry.seq().is_some_and(|seq| viewer.sees(seq)));
        seen.map(|(position, _)| *position).max().max(Some(viewer.opened))
    }

    /// The entries that the viewer may see, as HTTP shows them, the oldest first. (MSG-13, REA-4)
    pub fn entries(&self) -> Vec<Entry> {
        let Some(viewer) = self.viewer() else { return Vec::new() };
        let seen = self.entries.iter().filter(|(_, entry)| entry.seq().is_some_and(|seq| viewer.sees(seq)));
        seen.map(|(_, entry)| match entry {
            Entry::Message(message) => Entry::Message(Message {
                reactions: self.counted(message.seq),
                own_reaction: self.reactions.get(&message.seq).and_then(|given| given.get(&VIEWER)).cloned(),
                ..message.clone()
            }),
            other => other.clone(),
        })
        .collect()
    }

    /// CHT-3
    pub fn seen_by_viewer(&self) -> Option<Chat> {
        let viewer = self.viewer()?;
        let partner = self.members.iter().find(|(user, _)| **user != VIEWER).map(|(user, member)| Partner {
            user: world::user(*user),
            delivered: mark(member.delivered),
            read: mark(member.read),
        });
        let role = (viewer.membership == Membership::Member).then_some(viewer.role);
        let group = GroupSummary { role, ..viewer.then.clone().unwrap_or_else(|| self.group.clone()) };
        let is_direct = self.kind == ChatKind::Direct;
        Some(Chat {
            chat_id: self.chat_id,
            kind: self.kind,
            partner: partner.filter(|_| is_direct),
            group: Some(group).filter(|_| !is_direct),
            membership: viewer.membership,
            opened_at: time(viewer.opened),
            visible: viewer.visible.clone(),
            last_entry: self.entries().pop(),
            unread_count: self.unread(),
            delivered: mark(viewer.delivered),
            read: mark(viewer.read),
        })
    }

    /// RCP-9; `None` for whoever is no member now.
    pub fn receipts(&self) -> Option<Vec<ChatReceipt>> {
        self.viewer().filter(|viewer| viewer.membership == Membership::Member)?;
        let receipt = |(user, member): (usize, &Member)| ChatReceipt {
            user: world::user(user),
            delivered: mark(member.delivered),
            read: mark(member.read),
        };
        Some(self.current().map(receipt).collect())
    }

    pub fn is_small(&self) -> bool {
        self.group.members_count <= limits().receipt_fanout_members
    }
}

impl Member {
    pub fn direct() -> Self {
        Self {
            shown: false,
            membership: Membership::Member,
            role: Role::Member,
            visible: vec![Stretch { from: Seq::FIRST, to: None }],
            delivered: 0,
            read: 0,
            opened: 0,
            then: None,
        }
    }

    pub fn sees(&self, seq: Seq) -> bool {
        self.visible.iter().any(|stretch| stretch.contains(seq))
    }
}
