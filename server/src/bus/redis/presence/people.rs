use std::{
    collections::{HashMap, hash_map::Entry},
    iter, mem,
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
    /// With how many connections Redis knows that they are here. When it may or may not know, this is not set.
    registered: Option<u32>,
    /// They are among the unsettled.
    is_unsettled: bool,
    waiting: Vec<Waiting>,
}

/// Is told how many connections the user has on other nodes.
type Waiting = oneshot::Sender<u32>;

/// A connection that has opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// How many the user has on this node, this one included.
    pub(super) here: u32,
    /// How many they have on other nodes, as soon as this one is registered.
    pub(super) elsewhere: Option<oneshot::Receiver<u32>>,
}

/// What is to be registered.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    /// Who is here, with how many connections.
    pub(super) came: Vec<(UserId, u32)>,
    pub(super) went: Vec<(UserId, Timestamp)>,
    /// Who waits for it: for each who came, then for each who went.
    waiting: Vec<Vec<Waiting>>,
}

impl Unsettled {
    pub(super) fn is_empty(&self) -> bool {
        self.came.is_empty() && self.went.is_empty()
    }
}

impl People {
    /// A connection has opened.
    pub(super) fn connect(&mut self, user_id: UserId, now: Timestamp) -> Opened {
        if self.is_closed {
            return Opened { here: 1, elsewhere: None };
        }
        let person = self.users.entry(user_id).or_insert(Person {
            connections: 0,
            since: now,
            registered: None,
            is_unsettled: false,
            waiting: Vec::new(),
        });
        person.connections += 1;
        if person.connections == 1 {
            person.since = now;
        }
        let (waiting, elsewhere) = oneshot::channel();
        person.waiting.push(waiting);
        let here = person.connections;
        self.unsettle(user_id);
        Opened { here, elsewhere: Some(elsewhere) }
    }

    /// A connection has closed; answers what ends when that is registered, if anybody could notice.
    pub(super) fn disconnect(&mut self, user_id: UserId, now: Timestamp) -> Option<oneshot::Receiver<u32>> {
        if self.is_closed {
            return None;
        }
        let person = self.users.get_mut(&user_id).filter(|person| person.connections > 0)?;
        person.connections -= 1;
        let gone = (person.connections == 0).then(|| {
            person.since = now;
            let (waiting, settled) = oneshot::channel();
            person.waiting.push(waiting);
            settled
        });
        self.unsettle(user_id);
        gone
    }

    fn unsettle(&mut self, user_id: UserId) {
        if let Some(person) = self.users.get_mut(&user_id)
            && !mem::replace(&mut person.is_unsettled, true)
        {
            self.unsettled.push(user_id);
        }
    }

    /// What is to be registered now, for so many users at most. Until it [is](Self::settled), nobody counts as registered.
    pub(super) fn take(&mut self, at_most: usize) -> Unsettled {
        let (mut taken, mut waiting_for_went) = (Unsettled::default(), Vec::new());
        let rest = self.unsettled.split_off(at_most.min(self.unsettled.len()));
        for user_id in mem::replace(&mut self.unsettled, rest) {
            let Some(person) = self.users.get_mut(&user_id) else { continue };
            person.is_unsettled = false;
            if person.connections == 0 {
                taken.went.push((user_id, person.since));
                waiting_for_went.push(mem::take(&mut person.waiting));
            } else if person.registered != Some(person.connections) || !person.waiting.is_empty() {
                taken.came.push((user_id, person.connections));
                taken.waiting.push(mem::take(&mut person.waiting));
            } else {
                // As many came as went meanwhile.
                continue;
            }
            person.registered = None;
        }
        taken.waiting.append(&mut waiting_for_went);
        taken
    }

    /// What was taken is registered. Those who came have so many connections on other nodes.
    pub(super) fn settled(&mut self, taken: Unsettled, elsewhere: &[u32]) {
        for (user_id, connections) in taken.came {
            if let Some(person) = self.users.get_mut(&user_id) {
                person.registered = Some(connections);
            }
        }
        for (user_id, _) in taken.went {
            if let Entry::Occupied(entry) = self.users.entry(user_id)
                && entry.get().connections == 0
            {
                entry.remove();
            }
        }
        for (waiting, elsewhere) in taken.waiting.into_iter().zip(elsewhere.iter().copied().chain(iter::repeat(0))) {
            tell(waiting, elsewhere);
        }
    }

    /// What was taken may be registered or not: it is done again.
    pub(super) fn put_back(&mut self, taken: Unsettled) {
        let users =
            taken.came.iter().map(|(user_id, _)| *user_id).chain(taken.went.iter().map(|(user_id, _)| *user_id));
        for (user_id, waiting) in users.zip(taken.waiting) {
            if let Some(person) = self.users.get_mut(&user_id) {
                person.waiting.extend(waiting);
            }
            self.unsettle(user_id);
        }
    }

    /// Nothing is registered any more: everything is done again.
    pub(super) fn forget_registration(&mut self) {
        for person in self.users.values_mut() {
            person.registered = None;
            person.is_unsettled = true;
        }
        self.unsettled = self.users.keys().copied().collect();
    }

    /// Nobody waits any longer: what is not registered will be later.
    pub(super) fn let_go(&mut self) {
        for user_id in &self.unsettled {
            if let Some(person) = self.users.get_mut(user_id) {
                tell(mem::take(&mut person.waiting), 0);
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

fn tell(waiting: Vec<Waiting>, elsewhere: u32) {
    for waiting in waiting {
        // Whoever waited may be gone.
        waiting.send(elsewhere).unwrap_or_default();
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

    /// What whoever waits was told, if they were told anything.
    fn told(waiting: Option<oneshot::Receiver<u32>>) -> Option<u32> {
        waiting.and_then(|mut waiting| waiting.try_recv().ok())
    }

    #[test]
    fn the_first_connection_is_registered_and_the_last_one_taken_out() {
        let mut people = People::default();
        let first = people.connect(user(1), at(0));
        assert_eq!(first.here, 1);
        let taken = people.take(10);
        assert_eq!(taken.came, [(user(1), 1)]);
        people.settled(taken, &[0]);
        assert_eq!(told(first.elsewhere), Some(0));
        let last = people.disconnect(user(1), at(3));
        let taken = people.take(10);
        assert_eq!(taken.went, [(user(1), at(3))]);
        people.settled(taken, &[]);
        assert!(told(last).is_some());
        assert!(people.users.is_empty());
    }

    #[test]
    fn each_connection_is_registered_and_told_how_many_are_elsewhere() {
        let mut people = People::default();
        let [first, second] = [(); 2].map(|()| people.connect(user(1), at(0)));
        let other = people.connect(user(2), at(0));
        assert_eq!([first.here, second.here, other.here], [1, 2, 1]);
        let taken = people.take(10);
        assert_eq!(taken.came, [(user(1), 2), (user(2), 1)]);
        let late = people.connect(user(1), at(1));
        people.settled(taken, &[7, 4]);
        assert_eq!([first, second, other].map(|opened| told(opened.elsewhere)), [Some(7), Some(7), Some(4)]);
        assert_eq!(late.here, 3);
        assert_eq!(told(late.elsewhere), None, "it came later: what was told is not about it");
        assert!(people.disconnect(user(1), at(2)).is_none(), "nobody waits for what nobody notices");
        assert_eq!(people.take(10).came, [(user(1), 2)], "but it is registered");
    }

    #[test]
    fn as_many_that_close_as_open_need_no_registration() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let taken = people.take(10);
        people.settled(taken, &[0]);
        let opened = people.connect(user(1), at(1));
        assert!(people.disconnect(user(1), at(1)).is_none());
        let taken = people.take(10);
        assert_eq!(taken.came, [(user(1), 1)], "one waits to hear how many are elsewhere");
        people.settled(taken, &[3]);
        assert_eq!(told(opened.elsewhere), Some(3));
        people.unsettle(user(1));
        assert!(people.take(10).is_empty());
    }

    #[test]
    fn whoever_comes_while_their_going_is_registered_is_registered_again() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let taken = people.take(10);
        people.settled(taken, &[0]);
        drop(people.disconnect(user(1), at(1)));
        let going = people.take(10);
        let again = people.connect(user(1), at(2));
        people.settled(going, &[]);
        let coming = people.take(10);
        assert_eq!(coming.came, [(user(1), 1)]);
        people.settled(coming, &[0]);
        assert_eq!(told(again.elsewhere), Some(0));
    }

    #[test]
    fn whoever_goes_while_their_coming_is_registered_is_taken_out() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let coming = people.take(10);
        let going = people.disconnect(user(1), at(1));
        people.settled(coming, &[0]);
        let taken = people.take(10);
        assert_eq!(taken.went, [(user(1), at(1))]);
        people.settled(taken, &[]);
        assert!(told(going).is_some());
    }

    #[test]
    fn what_may_not_be_registered_is_done_again() {
        let mut people = People::default();
        let waiting = people.connect(user(1), at(0));
        let taken = people.take(10);
        people.put_back(taken);
        people.let_go();
        assert_eq!(told(waiting.elsewhere), Some(0), "nobody waits for a Redis that is away");
        let taken = people.take(10);
        assert_eq!(taken.came, [(user(1), 1)]);
        people.settled(taken, &[0]);
        people.forget_registration();
        assert_eq!(people.take(10).came, [(user(1), 1)]);
    }

    #[test]
    fn a_user_who_went_and_came_again_before_anybody_noticed_never_went() {
        let mut people = People::default();
        drop(people.connect(user(1), at(0)));
        let taken = people.take(10);
        people.settled(taken, &[0]);
        let went = people.disconnect(user(1), at(1));
        let came = people.connect(user(1), at(1));
        let taken = people.take(10);
        assert_eq!(taken.came, [(user(1), 1)]);
        assert!(taken.went.is_empty());
        people.settled(taken, &[0]);
        assert!(told(went).is_some() && told(came.elsewhere).is_some());
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
        assert!(people.connect(user(3), at(6)).elsewhere.is_none());
    }
}
