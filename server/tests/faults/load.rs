//! People who use all of it at once, for as long as a test breaks things, and what has to be true of them at the end.

mod chores;
mod listener;
mod pulse;
mod truth;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use i9chat_sdk::{
    ChatHandle, Client, ConnectionState, Credentials, Error,
    spec::{ChatId, ConnectionId, Emoji, MessageId, Seq, UserId},
};
use tokio::{sync::watch, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use self::{
    chores::Chores,
    listener::{Heard, Listener},
    pulse::Pulse,
};
use crate::{
    cluster::{Cluster, NODES},
    presence::{Watch, is_here},
    sessions::end_on_both_nodes,
};

/// Two pairs, each of one user at either door.
const PAIRS: usize = 2;
/// One in front of each node.
const DOORS: [usize; NODES] = [0, 1];
/// How long somebody who was told to try later waits before they do.
const AGAIN: Duration = Duration::from_millis(100);

/// People at work.
pub struct Load {
    pub people: Vec<Person>,
    /// Is taken into the group and out of it again and again.
    pub guest: Person,
    pulse: Arc<Pulse>,
    stop: watch::Sender<bool>,
    chores: Vec<AbortOnDropHandle<Done>>,
    hosting: AbortOnDropHandle<()>,
}

/// Somebody, and what they use.
pub struct Person {
    pub name: String,
    pub door: usize,
    pub client: Client,
    pub group: ChatHandle,
    /// With the other of the pair; the guest has none.
    direct: Option<ChatHandle>,
    credentials: Credentials,
    listener: Listener,
}

/// What somebody was told is done, which has to be true for ever.
#[derive(Debug, Default)]
struct Done {
    sent: Vec<(ChatId, MessageId, Seq)>,
    /// The last reaction on each message.
    reactions: HashMap<MessageId, Emoji>,
    /// How far they have read.
    read: HashMap<ChatId, Seq>,
    user: Option<UserId>,
}

impl Load {
    /// Signs everybody up, and sets them to work.
    pub async fn start(cluster: &Cluster) -> Self {
        let stems = (0..PAIRS).flat_map(|pair| [(format!("alice{pair}"), 0), (format!("bob{pair}"), 1)]);
        let comers = stems.chain([("guest".to_owned(), 1)]).map(async |(stem, door)| {
            let (name, credentials) = cluster.sign_up(&stem).await;
            let client = cluster.connect(door, credentials.clone()).await;
            (name, door, credentials, client)
        });
        let comers = join_all(comers).await;
        let names: Vec<_> = comers.iter().map(|(name, ..)| name.clone()).collect();
        let listeners: Vec<_> = comers.iter().map(|(.., client)| Listener::start(client)).collect();
        let (members, guest) = names.split_at(PAIRS * 2);
        let made = comers[0].3.create_group("everybody").members(&members[1..]).await.unwrap();
        let group = made.group.id();
        let mut people = Vec::new();
        for (number, ((name, door, credentials, client), listener)) in comers.into_iter().zip(listeners).enumerate() {
            let direct = match members.get(number ^ 1) {
                Some(partner) if number < members.len() => Some(client.direct(partner).await.unwrap()),
                _ => None,
            };
            let group = client.chat(group);
            people.push(Person { name, door, client, group, direct, credentials, listener });
        }
        let guest_name = guest[0].clone();
        let guest = people.pop().unwrap();
        let (stop, stopped) = watch::channel(false);
        let pulse = Arc::new(Pulse::default());
        let chores = people.iter().map(|person| {
            let chores = Chores::of(person, &pulse, &stopped);
            AbortOnDropHandle::new(tokio::spawn(chores.work()))
        });
        let chores = chores.collect();
        let (host, door) = (people[0].client.group(group), people[0].door);
        let hosting = chores::host(host, door, guest_name, Arc::clone(&pulse), stopped);
        let hosting = AbortOnDropHandle::new(tokio::spawn(hosting));
        Self { people, guest, pulse, stop, chores, hosting }
    }

    /// Waits until everybody has got something done of everything that they do, by way of whichever node.
    pub async fn goes_on(&self) {
        self.pulse.goes_on(&DOORS).await;
    }

    /// The same of those at one door.
    pub async fn goes_on_at(&self, door: usize) {
        self.pulse.goes_on(&[door]).await;
    }

    /// Waits until somebody waits for an answer, by way of whichever node.
    pub async fn is_busy(&self) {
        self.pulse.is_busy(&DOORS).await;
    }

    /// The same of those at one door.
    pub async fn is_busy_at(&self, door: usize) {
        self.pulse.is_busy(&[door]).await;
    }

    /// The connections of those who belong to a door.
    pub fn connections_at(&self, door: usize) -> Vec<ConnectionId> {
        self.people
            .iter()
            .filter(|person| person.door == door)
            .filter_map(|person| connection(&person.client))
            .collect()
    }

    /// Waits until everybody sees everybody, as it has to be in time. (PRS-3)
    pub async fn all_are_here(&self) {
        for watcher in &self.people {
            for person in self.people.iter().chain([&self.guest]) {
                Watch::of(&watcher.client, &person.name).until(is_here).await;
            }
        }
    }

    /// Lets everybody end what they are at, and compares what each was told, has heard and can read now, by any node. A session that is
    /// ended by one node is dead by the other, then as ever.
    pub async fn finish(self, cluster: &Cluster) {
        self.stop.send_replace(true);
        let mut done = Vec::new();
        for chores in self.chores {
            done.push(chores.await.unwrap());
        }
        self.hosting.await.unwrap();
        truth::check(cluster, self.people, self.guest, done).await;
        end_on_both_nodes(cluster).await;
    }
}

fn connection(client: &Client) -> Option<ConnectionId> {
    match *client.state().borrow() {
        ConnectionState::Connected { connection_id } => Some(connection_id),
        _ => None,
    }
}

/// Tries until it is done, as a careful program does.
async fn until_done<T, F>(what: &str, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, Error>>,
{
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) if error.is_retryable() => sleep(AGAIN).await,
            Err(error) => panic!("{what}: {error:?}"),
        }
    }
}
