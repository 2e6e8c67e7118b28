//! What people do, and how often.

use rand::{Rng, RngExt};

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Act {
    SendToOne,
    SendToGroup,
    MarkRead,
    React,
    TakeReactionBack,
    Type,
    WatchPresence,
    ReadHistory,
    ReadChats,
    ReadMembers,
    ReadReceipts,
    ComeBack,
}

/// How often in a thousand.
const SCRIPT: [(Act, u32); 12] = [
    (Act::SendToOne, 250),
    (Act::SendToGroup, 120),
    (Act::MarkRead, 220),
    (Act::React, 80),
    (Act::TakeReactionBack, 20),
    (Act::Type, 80),
    (Act::WatchPresence, 25),
    (Act::ReadHistory, 100),
    (Act::ReadChats, 60),
    (Act::ReadMembers, 20),
    (Act::ReadReceipts, 20),
    (Act::ComeBack, 5),
];

impl Act {
    /// The name under which it is counted.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SendToOne => "send to one",
            Self::SendToGroup => "send to a group",
            Self::MarkRead => "mark as read",
            Self::React => "react",
            Self::TakeReactionBack => "take a reaction back",
            Self::Type => "say that one is typing",
            Self::WatchPresence => "watch presence",
            Self::ReadHistory => "read history",
            Self::ReadChats => "read the list of chats",
            Self::ReadMembers => "read members",
            Self::ReadReceipts => "read receipts",
            Self::ComeBack => "come back after a break",
        }
    }

    /// One of them, as often as the script says.
    pub(super) fn any(chance: &mut impl Rng) -> Self {
        let mut at = chance.random_range(0..SCRIPT.iter().map(|(_, share)| share).sum());
        for (act, share) in SCRIPT {
            if at < share {
                return act;
            }
            at -= share;
        }
        Self::SendToOne
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    #[test]
    fn everything_is_done_about_as_often_as_the_script_says() {
        assert_eq!(SCRIPT.iter().map(|(_, share)| share).sum::<u32>(), 1000);
        let mut chance = SmallRng::seed_from_u64(7);
        let mut counts: BTreeMap<Act, u32> = BTreeMap::new();
        for _ in 0..100_000 {
            *counts.entry(Act::any(&mut chance)).or_default() += 1;
        }
        for (act, share) in SCRIPT {
            let expected = share * 100;
            assert!(counts[&act].abs_diff(expected) < expected / 5, "{}: {}", act.name(), counts[&act]);
        }
    }
}
