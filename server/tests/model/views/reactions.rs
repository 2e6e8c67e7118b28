//! Who reacted to a message, and how.

use std::collections::BTreeMap;

use i9chat_server::domain::ChangeBody;
use i9chat_spec::{Emoji, MessageId, ReactionCount, UserId, api::reactions::Reaction};

use super::Views;

impl Views<'_> {
    /// The emoji of each user who has one on a message.
    fn emojis(self, message_id: MessageId) -> BTreeMap<UserId, Emoji> {
        let mut emojis = BTreeMap::new();
        for (_, body) in self.changes() {
            let ChangeBody::ReactionChanged { changed, .. } = body else { continue };
            if changed.message_id == message_id {
                match &changed.emoji {
                    Some(emoji) => emojis.insert(changed.user.user_id, emoji.clone()),
                    None => emojis.remove(&changed.user.user_id),
                };
            }
        }
        emojis
    }

    /// A user's emoji on a message.
    pub fn own_reaction(self, user_id: UserId, message_id: MessageId) -> Option<Emoji> {
        self.emojis(message_id).remove(&user_id)
    }

    /// The reactions to a message. (REA-4)
    pub fn counts(self, message_id: MessageId) -> Vec<ReactionCount> {
        let mut counts: Vec<ReactionCount> = Vec::new();
        for emoji in self.emojis(message_id).into_values() {
            match counts.iter_mut().find(|counted| counted.emoji == emoji) {
                Some(counted) => counted.count += 1,
                None => counts.push(ReactionCount { emoji, count: 1 }),
            }
        }
        counts.sort_by(|one, other| {
            let code_points = |counted: &ReactionCount| counted.emoji.as_str().chars().collect::<Vec<_>>();
            other.count.cmp(&one.count).then_with(|| code_points(one).cmp(&code_points(other)))
        });
        counts
    }

    /// Who reacted to a message, by name. (REA-5)
    pub fn reactions(self, message_id: MessageId) -> Vec<Reaction> {
        let emojis = self.emojis(message_id);
        let by_name = self.by_name().into_iter();
        by_name
            .filter_map(|user| Some(Reaction { emoji: emojis.get(&user.user_id)?.clone(), user: user.clone() }))
            .collect()
    }
}
