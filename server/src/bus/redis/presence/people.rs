use std::{
    collections::{HashMap, hash_map::Entry},
    mem,
};

use i9chat_spec::{Timestamp, UserId};
use tokio::sync::oneshot;

/// The users of this node, and what of them is not registered yet.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Those with a connection, and those who went while Redis may think that they are here.
    users: HashMap<UserId, Person>,
    /// Whose registration may differ from what is true, in the order in which that came to be.
    unsettled: Vec<UserId>,
    /// Nobody comes or goes any more.
    is_closed: bool,
}

#[derive(Debug)]
struct Person {
    connections: u32,
    /// When the last connection closed, or the first one opened.
    since: Timestamp,
    /// Redis knows that they are here. When it may or may not know, this is not set.
    is_registered: bool,
    /// They are among the unsettled.
    is_unsettled: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// What is to be registered.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    pub(super) came: Vec<UserId>,
    pub(super) went: Vec<(UserId, Timestamp)>,
}

impl Unsettled {
    pub(super) fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }
}

impl People {
    /// A connection has opened; answers what ends when that is registered, if it is not already.
    pub(super) fn connect(&mut self, user_id: UserId, now: Timestamp) -> Option<oneshot::Receiver<()>> {
        if self.is_closed {
            return None;
        }
        let person = self.users.entry(user_id).or_insert(Person {
            connections: 0,
            since: now,
            is_registered: false,
            is_unsettled: false,
            waiting: Vec::new(),
        });
        person.connections += 1;
        if person.connections == 1 {
            person.since = now;
        }
        if person.is_registered {
            return None;
        }
        Some(self.wait_for(user_id))
    }

    /// A connection has closed; answers what ends when that is registered, if it has to be.
    pub(super) fn disconnect(&mut self, user_id: UserId, now: Timestamp) -> Option<oneshot::Receiver<()>> {
        if self.is_closed {
            return None;
        }
        let person = self.users.get_mut(&user_id).filter(|person| person.connections > 0)?;
        person.connections -= 1;
        if person.connections > 0 {
            return None;
        }
        person.since = now;
        Some(self.wait_for(user_id))
    }

    fn wait_for(&mut self, user_id: UserId) -> oneshot::Receiver<()> {
        let (done, settled) = oneshot::channel();
        if let Some(person) = self.users.get_mut(&user_id) {
            person.waiting.push(done);
            if !mem::replace(&mut person.is_unsettled, true) {
                self.unsettled.push(user_id);
            }
        }
        settled
    }

    /// What is to be registered now, for so many users at most. Until it [is](Self::settled), nobody counts as registered.
    pub(super) fn take(&mut self, at_most: usize) -> Unsettled {
        let mut taken = Unsettled::default();
        let rest = self.unsettled.split_off(at_most.min(self.unsettled.len()));
        for user_id in mem::replace(&mut self.unsettled, rest) {
            let Some(person) = self.users.get_mut(&user_id) else { continue };
            person.is_unsettled = false;
            if person.connections == 0 {
                person.is_registered = false;
                taken.went.push((user_id, person.since));
            } else if person.is_registered {
                // They went and came again meanwhile.
                person.settle();
            } else {
                taken.came.push(user_id);
            }
        }
        taken
    }

    /// What was taken is registered.
    pub(super) fn settled(&mut self, taken: Unsettled) {
        for user_id in taken.came {
            if let Some(person) = self.users.get_mut(&user_id) {
                person.is_registered = true;
                if person.connections > 0 {
                    person.settle();
                }
            }
        }
        for (user_id, _) in taken.went {
            if let Entry::Occupied(mut entry) = self.users.entry(user_id)
                && entry.get().connections == 0
            {
                entry.get_mut().settle();
                entry.remove();
            }
        }
    }

    /// What was taken may be registered or not: it is done again.
    pub(super) fn put_back(&mut self, taken: Unsettled) {
        for user_id in taken.came.into_iter().chain(taken.went.into_iter().map(|(user_id, _)| user_id)) {
            if let Some(person) = self.users.get_mut(&user_id)
                && !mem::replace(&mut person.is_unsettled, true)
            {
                self.unsettled.push(user_id);
            }
        }
    }

    /// Nothing is registered any more: everything is done again.
    pub(super) fn forget_registration(&mut self) {
        for person in self.users.values_mut() {
            person.is_registered = false;
            person.is_unsettled = true;
        }
        self.unsettled = self.users.keys().copied().collect();
    }

    /// Nobody waits any longer: what is not registered will be later.
    pub(super) fn let_go(&mut self) {
        for user_id in &self.unsettled {
            if let Some(person) = self.users.get_mut(user_id) {
                person.settle();
            }
        }
    }

    /// Nobody comes or goes any more. Answers whose going is not registered, and when they went: those with a connection go now.
    pub(super) fn close(&mut self, now: Timestamp) -> Vec<(UserId, Timestamp)> {
        self.is_closed = true;
        self.unsettled.clear();
        let went =
            |(user_id, person): (UserId, Person)| (user_id, if person.connections > 0 { now } else { person.since });
        self.users.drain().map(went).collect()
    }
}

impl Person {
    fn settle(&mut self) {
        for waiting in self.waiting.drain(..) {
            // Whoever waited may be gone.
            waiting.send(()).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_millis(1_795_380_000_000).plus_seconds(second)
    }

    fn user(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    fn is_settled(waiting: Option<oneshot::Receiver<()>>) -> bool {
        waiting.is_none_or(|mut waiting| waiting.try_recv().is_ok())
    }

    #[test]
    fn the_first_connection_is_registered_and_the_last_one_taken_out() {
        let mut people = People::default();
        let first = people.connect(user(1), at(0));
        let taken = people.take(10);
        assert_eq!(taken.came, [user(1)]);
        people.settled(taken);
        assert!(is_settled(first));
        assert!(people.connect(user(1), at(1)).is_none(), "there already");
        assert!(people.disconnect(user(1), at(2)).is_none(), "one is open");
        let last = people.disconnect(user(1), at(3));
        let taken = people.take(10);
        assert_eq!(taken.went, [(user(1), at(3))]);
        people.settled(taken);
        assert!(is_settled(last));
        assert!(people.users.is_empty());
    }

    #[test]
    fn whoever_comes_while_their_going_is_registered_is_registered_again() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let taken = people.take(10);
        people.settled(taken);
        drop(people.disconnect(user(1), at(1)));
        let going = people.take(10);
        let again = people.connect(user(1), at(2));
        people.settled(going);
        assert!(again.is_some());
        let coming = people.take(10);
        assert_eq!(coming.came, [user(1)]);
        people.settled(coming);
        assert!(is_settled(again));
    }

    #[test]
    fn whoever_goes_while_their_coming_is_registered_is_taken_out() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let coming = people.take(10);
        let going = people.disconnect(user(1), at(1));
        people.settled(coming);
        let taken = people.take(10);
        assert_eq!(taken.went, [(user(1), at(1))]);
        people.settled(taken);
        assert!(is_settled(going));
    }

    #[test]
    fn what_may_not_be_registered_is_done_again() {
        let mut people = People::default();
        let waiting = people.connect(user(1), at(0));
        let taken = people.take(10);
        people.put_back(taken);
        people.let_go();
        assert!(is_settled(waiting), "nobody waits for a Redis that is away");
        let taken = people.take(10);
        assert_eq!(taken.came, [user(1)]);
        people.settled(taken);
        people.forget_registration();
        assert_eq!(people.take(10).came, [user(1)]);
    }

    #[test]
    fn a_user_who_went_and_came_again_before_anybody_noticed_did_neither() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let taken = people.take(10);
        people.settled(taken);
        let went = people.disconnect(user(1), at(1));
        let came = people.connect(user(1), at(1));
        assert!(people.take(10).is_empty());
        assert!(is_settled(went) && is_settled(came));
    }

    #[test]
    fn at_the_end_everybody_goes() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        drop(people.connect(user(2), at(0)));
        drop(people.disconnect(user(2), at(3)));
        let mut went = people.close(at(5));
        went.sort_unstable();
        assert_eq!(went, [(user(1), at(5)), (user(2), at(3))]);
        assert!(people.connect(user(3), at(6)).is_none());
    }
}
