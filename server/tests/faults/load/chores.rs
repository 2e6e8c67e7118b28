//! What people do all the time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use i9chat_sdk::{
    ChatHandle, Client, GroupHandle,
    content::IntoContent,
    spec::{
        ChatId, ClientId, Emoji, ErrorCode, MessageId, Nothing, Seq,
        api::{
            chats::OneChat,
            messages::{NewMessage, SendMessage},
        },
    },
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use uuid::Uuid;

use super::{
    Done, Person,
    listener::Latest,
    pulse::{Beat, Pulse},
    until_done,
};

/// How often somebody sends into a chat, at most.
const SENDS: Duration = Duration::from_millis(25);
/// How often somebody reacts, and marks what they have read.
const REACTS: Duration = Duration::from_millis(100);
/// How often the guest comes or goes.
const HOSTS: Duration = Duration::from_millis(200);
const EMOJIS: [&str; 3] = ["👍", "🎉", "🚀"];

/// What one person does.
pub struct Chores {
    name: String,
    door: usize,
    client: Client,
    group: ChatHandle,
    direct: ChatHandle,
    latest: watch::Receiver<Latest>,
    pulse: Arc<Pulse>,
    stop: watch::Receiver<bool>,
}

impl Chores {
    pub fn of(person: &Person, pulse: &Arc<Pulse>, stop: &watch::Receiver<bool>) -> Self {
        Self {
            name: person.name.clone(),
            door: person.door,
            client: person.client.clone(),
            group: person.group.clone(),
            direct: person.direct.clone().expect("one of a pair"),
            latest: person.listener.latest(),
            pulse: Arc::clone(pulse),
            stop: stop.clone(),
        }
    }

    /// Works until it is told to stop, and ends what is begun.
    pub async fn work(self) -> Done {
        let (socket, http, reactions, read) =
            tokio::join!(self.send_by_socket(), self.send_by_http(), self.react(), self.mark_read());
        let user = self.client.session().await.map(|session| session.user.user_id);
        Done { sent: socket.into_iter().chain(http).collect(), reactions, read, user }
    }

    fn beat(&self, what: &str) -> Beat<'_> {
        self.pulse.beat(format!("{} {what}", self.name), self.door)
    }

    /// Sends to the partner: the SDK sees to it that the message is stored once, over the breaks of the connection.
    async fn send_by_socket(&self) -> Vec<(ChatId, MessageId, Seq)> {
        let beat = self.beat("sends to one");
        let mut pace = Pace::of(SENDS, &self.stop);
        let mut sent = Vec::new();
        while pace.next().await {
            let text = format!("direct {} of {}", sent.len(), self.name);
            let ack = beat.once(self.direct.send(text)).await.unwrap();
            sent.push((ack.chat_id, ack.message_id, ack.seq));
        }
        sent
    }

    /// Sends to the group as a program does that knows HTTP alone: again with the same id, until it is acknowledged.
    async fn send_by_http(&self) -> Vec<(ChatId, MessageId, Seq)> {
        let beat = self.beat("sends to all");
        let path = OneChat { chat_id: self.group.id() };
        let mut pace = Pace::of(SENDS, &self.stop);
        let mut sent = Vec::new();
        while pace.next().await {
            let content = format!("group {} of {}", sent.len(), self.name).into_content().unwrap();
            let body = NewMessage { client_id: ClientId::from_uuid(Uuid::new_v4()), content, reply_to: None };
            let attempt = || self.client.http().call::<SendMessage>(&path, &Nothing {}, &body);
            let ack = beat.once(until_done("sending to the group", attempt)).await;
            sent.push((ack.chat_id, ack.message_id, ack.seq));
        }
        sent
    }

    /// Reacts on what comes into the group.
    async fn react(&self) -> HashMap<MessageId, Emoji> {
        let beat = self.beat("reacts");
        let mut news = News::of(self, self.group.id());
        let mut pace = Pace::of(REACTS, &self.stop);
        let mut reactions = HashMap::new();
        while pace.next().await {
            let Some((message_id, seq)) = news.next().await else { break };
            let emoji = EMOJIS[usize::try_from(seq.get()).unwrap() % EMOJIS.len()];
            let react = || self.group.react(message_id, emoji);
            beat.once(until_done("reacting", react)).await;
            reactions.insert(message_id, emoji.parse().unwrap());
        }
        reactions
    }

    /// Marks as read what comes from the partner and into the group.
    async fn mark_read(&self) -> HashMap<ChatId, Seq> {
        let beat = self.beat("reads");
        let mut pace = Pace::of(REACTS, &self.stop);
        let mut read = HashMap::new();
        while pace.next().await {
            for chat in [&self.direct, &self.group] {
                let mut news = News::of(self, chat.id());
                let Some((_, seq)) = news.next().await else { break };
                let mark = || chat.mark_read(seq);
                beat.once(until_done("marking as read", mark)).await;
                read.insert(chat.id(), seq);
            }
        }
        read
    }
}

/// Takes the guest in and out, and leaves them in.
pub async fn host(group: GroupHandle, door: usize, guest: String, pulse: Arc<Pulse>, stop: watch::Receiver<bool>) {
    let beat = pulse.beat("the guest comes and goes".to_owned(), door);
    let mut pace = Pace::of(HOSTS, &stop);
    let mut is_in = false;
    while pace.next().await || !is_in {
        let turn = async {
            if is_in {
                let remove = || async {
                    match group.remove(&guest).await {
                        // Done by a try of which nobody heard.
                        Err(error) if error.code() == Some(ErrorCode::TargetNotMember) => Ok(()),
                        outcome => outcome,
                    }
                };
                until_done("removing the guest", remove).await;
            } else {
                // The answer says for each name whether they were added or were there already.
                until_done("adding the guest", || group.add([&guest])).await;
            }
        };
        beat.once(turn).await;
        is_in = !is_in;
    }
}

/// A steady load: not faster than so, and not at all any more once it is told to stop.
struct Pace {
    tick: tokio::time::Interval,
    stop: watch::Receiver<bool>,
}

impl Pace {
    fn of(period: Duration, stop: &watch::Receiver<bool>) -> Self {
        let mut tick = interval(period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { tick, stop: stop.clone() }
    }

    /// Waits for the next turn; `false` when there is none.
    async fn next(&mut self) -> bool {
        self.tick.tick().await;
        !*self.stop.borrow()
    }
}

/// What comes into one chat.
struct News {
    latest: watch::Receiver<Latest>,
    stop: watch::Receiver<bool>,
    chat_id: ChatId,
    before: Option<MessageId>,
}

impl News {
    fn of(chores: &Chores, chat_id: ChatId) -> Self {
        Self { latest: chores.latest.clone(), stop: chores.stop.clone(), chat_id, before: None }
    }

    /// The newest message, once it is another than before; `None` when it is time to stop.
    async fn next(&mut self) -> Option<(MessageId, Seq)> {
        let (chat_id, before) = (self.chat_id, self.before);
        let is_new = |latest: &Latest| latest.get(&chat_id).is_some_and(|(id, _)| Some(*id) != before);
        tokio::select! {
            latest = self.latest.wait_for(is_new) => {
                let newest = latest.ok()?.get(&chat_id).copied();
                self.before = newest.map(|(id, _)| id);
                newest
            }
            _ = self.stop.wait_for(|stop| *stop) => None,
        }
    }
}
