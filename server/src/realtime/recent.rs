use std::{collections::VecDeque, num::NonZeroUsize, sync::Arc};

use i9chat_spec::{ChatId, UserId};
use lru::LruCache;
use parking_lot::RwLock;

use super::EncodedEvent;
use crate::domain::{Audience, Place, Position};

/// How many changes are kept: those of a short break of many connections.
const KEPT: usize = 8192;
/// Of how many chats it is remembered who heard of their last change.
const AUDIENCES: NonZeroUsize = NonZeroUsize::new(1024).expect("not zero");

/// The newest changes, so that short breaks do not touch the store: whoever comes back gets the events that others got,
/// encoded once for all.
#[derive(Debug)]
pub(super) struct Recent {
    kept: RwLock<Kept>,
}

#[derive(Debug)]
struct Kept {
    /// Everything after this position is here.
    after: Position,
    changes: VecDeque<(Audience, Arc<EncodedEvent>)>,
    /// Those who heard of the last change of a chat. Changes that come from other nodes each bring a list of their own, and in a large
    /// group that is nearly always the same one: it is kept once.
    audiences: LruCache<ChatId, Arc<[UserId]>>,
}

/// What a user missed, as far as it is kept.
#[derive(Debug)]
pub(super) enum Missed {
    /// Some of it is not kept any more.
    Older,
    /// More than is asked for.
    TooMuch,
    /// All of it, in log order.
    Events(Vec<Arc<EncodedEvent>>),
}

impl Recent {
    /// Keeps what comes after a position.
    pub(super) fn after(position: Position) -> Self {
        Self {
            kept: RwLock::new(Kept { after: position, changes: VecDeque::new(), audiences: LruCache::new(AUDIENCES) }),
        }
    }

    /// Keeps changes that follow on those before.
    pub(super) fn keep(&self, changes: impl IntoIterator<Item = (Audience, Arc<EncodedEvent>)>) {
        let mut kept = self.kept.write();
        for (audience, event) in changes {
            let audience = kept.same(audience, &event);
            kept.changes.push_back((audience, event));
        }
        let too_many = kept.changes.len().saturating_sub(KEPT);
        let last = kept.changes.drain(..too_many).next_back();
        if let Some((_, last)) = last {
            kept.after = last.place().position;
        }
    }

    /// What a user missed after a position and up to a place, when it is not more than so much.
    pub(super) fn missed(&self, user_id: UserId, after: Position, up_to: Place, most: usize) -> Missed {
        let kept = self.kept.read();
        if after < kept.after {
            return Missed::Older;
        }
        let position = |entry: &(Audience, Arc<EncodedEvent>)| entry.1.place().position;
        let first = kept.changes.partition_point(|entry| position(entry) <= after);
        let events: Vec<_> = kept
            .changes
            .range(first..)
            .take_while(|entry| position(entry) <= up_to.position)
            .filter(|(audience, _)| audience.contains(user_id))
            .map(|(_, event)| Arc::clone(event))
            .take(most.saturating_add(1))
            .collect();
        if events.len() > most { Missed::TooMuch } else { Missed::Events(events) }
    }
}

impl Kept {
    /// The same audience, from the same place in memory as that of the change before in its chat, if it was the same.
    fn same(&mut self, audience: Audience, event: &EncodedEvent) -> Audience {
        let (Audience::Many(users), Some(chat_id)) = (&audience, event.chat_id()) else { return audience };
        let known = self.audiences.get_or_insert_mut(chat_id, || Arc::clone(users));
        if !Arc::ptr_eq(known, users) {
            if known == users {
                return Audience::Many(Arc::clone(known));
            }
            *known = Arc::clone(users);
        }
        audience
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{LogEpoch, Record};

    fn user(number: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(number))
    }

    fn change(position: u64, audience: Audience) -> (Audience, Arc<EncodedEvent>) {
        change_in(None, position, audience)
    }

    fn change_in(chat_id: Option<ChatId>, position: u64, audience: Audience) -> (Audience, Arc<EncodedEvent>) {
        let place = Place { position: Position(position), tag: position };
        let record = Record { place, event: "message_created", chat_id, data: "{}".into() };
        (audience, Arc::new(EncodedEvent::new(record, LogEpoch([1; 8]))))
    }

    fn positions(missed: Missed) -> Vec<u64> {
        let Missed::Events(events) = missed else { panic!("{missed:?}") };
        events.iter().map(|event| event.place().position.0).collect()
    }

    fn up_to(position: u64) -> Place {
        Place { position: Position(position), tag: position }
    }

    #[test]
    fn one_gets_what_one_may_see_after_where_one_was_and_up_to_where_one_goes_live() {
        let recent = Recent::after(Position(10));
        let both: Arc<[UserId]> = [user(1), user(2)].into();
        recent.keep([
            change(11, Audience::One(user(1))),
            change(12, Audience::Many(Arc::clone(&both))),
            change(13, Audience::One(user(2))),
        ]);
        recent.keep([change(14, Audience::Many(both)), change(15, Audience::One(user(1)))]);
        let missed = |user_id, after, to| recent.missed(user_id, Position(after), up_to(to), 10);
        assert_eq!(positions(missed(user(1), 10, 15)), [11, 12, 14, 15]);
        assert_eq!(positions(missed(user(1), 12, 14)), [14]);
        assert_eq!(positions(missed(user(2), 10, 15)), [12, 13, 14]);
        assert_eq!(positions(missed(UserId::example(), 10, 15)), [0_u64; 0]);
        assert!(matches!(missed(user(1), 9, 15), Missed::Older));
        assert!(matches!(recent.missed(user(1), Position(10), up_to(15), 3), Missed::TooMuch));
        assert_eq!(positions(recent.missed(user(1), Position(10), up_to(15), 4)).len(), 4);
    }

    #[test]
    fn a_group_that_stays_the_same_is_kept_once() {
        let recent = Recent::after(Position(0));
        let heard_by =
            |position, users: &[UserId]| change_in(Some(ChatId::example()), position, Audience::Many(users.into()));
        let (few, many) = ([user(1)], [user(1), user(2)]);
        recent.keep([heard_by(1, &many), heard_by(2, &many)]);
        recent.keep([heard_by(3, &many), heard_by(4, &few), heard_by(5, &few), heard_by(6, &many)]);
        let kept = recent.kept.read();
        let places: Vec<_> = kept.changes.iter().map(|(audience, _)| audience.as_slice().as_ptr()).collect();
        assert!(places[0] == places[1] && places[1] == places[2] && places[3] == places[4]);
        let audiences: Vec<_> = kept.changes.iter().map(|(audience, _)| audience.as_slice()).collect();
        assert_eq!(audiences, [&many[..], &many, &many, &few, &few, &many]);
    }

    #[test]
    fn what_is_old_is_given_up_and_said_to_be() {
        let recent = Recent::after(Position(0));
        let many = KEPT as u64 + 5;
        recent.keep((1..=many).map(|position| change(position, Audience::One(user(1)))));
        let missed = |after| recent.missed(user(1), Position(after), up_to(many), usize::MAX);
        assert!(matches!(missed(4), Missed::Older));
        assert_eq!(positions(missed(5)).len(), KEPT);
    }
}
