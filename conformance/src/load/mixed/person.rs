//! One of the people: does things, one after the other, and reads what comes.

use std::{collections::HashMap, pin::pin, rc::Rc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use i9chat_spec::{
    Action, ChatId, ClientFrame, ClientId, Cursor, Endpoint, Event, EventFrame, Format, FrameId, List, MessageId,
    NewContent, Nothing, PageLimit, Seq, ServerFrame, Username,
    action::{
        MarkReceipts, PresenceNames, PresenceSubscription, RemoveReaction, SendMessage, SendMessageData, SetReaction,
        SetReactionData, SetTyping, SubscribePresence, TypingIn, UnsubscribePresence,
    },
    api::{
        chats::{ChatsQuery, ListChats, OneChat},
        groups::{ListMembers, NamesQuery},
        messages::{EntriesQuery, ListEntries, OneMessage},
        receipts::{ListChatReceipts, Mark as ReadMark, Marks},
    },
};
use rand::{
    SeedableRng,
    rngs::SmallRng,
    seq::{IndexedRandom, IteratorRandom},
};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{ByChat, Room, Shared, script::Act};
use crate::load::{
    LoadError,
    accounts::User,
    pace::Pace,
    socket::{self, Buffers, Socket},
    wire::Mark,
};

/// Few enough that no message gets too many different ones.
const EMOJIS: [&str; 6] = ["👍", "❤️", "😂", "🎉", "👨‍👩‍👧‍👦", "🇦🇱"];
/// How many people somebody watches.
const WATCHED: usize = 5;

/// What waits for its answer.
#[derive(Debug)]
struct Waiting {
    since: Duration,
    /// Where a message was sent to, if one was.
    sent_to: Option<ChatId>,
}

pub(super) struct Person {
    index: usize,
    user: User,
    rooms: Vec<Room>,
    socket: Socket,
    pace: Pace,
    chance: SmallRng,
    frames: u64,
    waiting: HashMap<FrameId, Waiting>,
    /// The latest message of each chat.
    latest: ByChat<(Seq, MessageId)>,
    /// Where they are in the log.
    cursor: Option<Cursor>,
    watched: Option<PresenceNames>,
    /// Everything is answered first, so that no answer is missed.
    wants_a_break: bool,
    shared: Rc<Shared>,
}

impl Person {
    pub(super) fn new(index: usize, user: User, rooms: Vec<Room>, socket: Socket, shared: Rc<Shared>) -> Self {
        Self {
            index,
            user,
            rooms,
            socket,
            pace: Pace::new(Some(shared.rate), index, shared.names.len()),
            // The same person does the same things in every run.
            chance: SmallRng::seed_from_u64(index as u64),
            frames: 0,
            waiting: HashMap::new(),
            latest: ByChat::new(),
            cursor: None,
            watched: None,
            wants_a_break: false,
            shared,
        }
    }

    pub(super) async fn run(mut self) -> Result<(), LoadError> {
        let shared = Rc::clone(&self.shared);
        let mut over = pin!(shared.over.cancelled());
        let mut settled = pin!(shared.settled.cancelled());
        let mut timer = pin!(sleep_until(shared.start));
        let mut active = true;
        loop {
            if self.wants_a_break && self.waiting.is_empty() {
                self.come_back().await?;
            }
            while active
                && !self.wants_a_break
                && let Some(due) = self.pace.take_due(shared.start.elapsed())
                && due < shared.duration
            {
                let act = Act::any(&mut self.chance);
                self.act(act).await?;
            }
            self.socket.flush().await?;
            let wake = self.pace.next_due().filter(|_| active && !self.wants_a_break).map(|due| shared.start + due);
            if let Some(wake) = wake {
                timer.as_mut().reset(wake);
            }
            tokio::select! {
                biased;
                received = self.socket.next() => {
                    if let Some(text) = socket::text_of(received)? {
                        self.take(text.as_bytes())?;
                    }
                }
                () = &mut timer, if wake.is_some() => {}
                () = &mut over, if active => active = false,
                () = &mut settled => break,
            }
        }
        // The server should see an orderly end; that it does is not part of the measurement.
        drop(timeout(Duration::from_secs(1), self.socket.close(None)).await);
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Result<(), LoadError> {
        let what = act.name();
        match act {
            Act::SendToOne | Act::SendToGroup => {
                let of_kind = self.rooms.iter().filter(|room| room.is_group == (act == Act::SendToGroup));
                let Some(chat_id) = of_kind.map(|room| room.chat_id).choose(&mut self.chance) else { return Ok(()) };
                self.send(what, chat_id).await
            }
            Act::MarkRead => {
                let Some((chat_id, (seq, _))) = self.any_latest() else { return Ok(()) };
                let mark = ReadMark { chat_id, delivered: None, read: Some(seq.into()) };
                self.ask::<MarkReceipts>(what, Marks { marks: one(mark)? }, None).await
            }
            Act::React => {
                let Some((chat_id, (_, message_id))) = self.any_latest() else { return Ok(()) };
                let emoji = EMOJIS.choose(&mut self.chance).copied().unwrap_or("👍");
                let emoji = emoji.parse().map_err(|error| LoadError::Unexpected(format!("{emoji}: {error}")))?;
                self.ask::<SetReaction>(what, SetReactionData { chat_id, message_id, emoji }, None).await
            }
            Act::TakeReactionBack => {
                let Some((chat_id, (_, message_id))) = self.any_latest() else { return Ok(()) };
                self.ask::<RemoveReaction>(what, OneMessage { chat_id, message_id }, None).await
            }
            Act::Type => {
                let Some(chat_id) = self.any_room(|_| true) else { return Ok(()) };
                self.ask::<SetTyping>(what, TypingIn { chat_id }, None).await
            }
            Act::WatchPresence => self.watch(what).await,
            Act::ReadHistory => {
                let Some(chat_id) = self.any_room(|_| true) else { return Ok(()) };
                self.read::<ListEntries>(what, OneChat { chat_id }, EntriesQuery::default());
                Ok(())
            }
            Act::ReadChats => {
                let limit = Some(PageLimit::default());
                self.read::<ListChats>(what, Nothing {}, ChatsQuery { limit, ..ChatsQuery::default() });
                Ok(())
            }
            Act::ReadMembers => {
                let Some(chat_id) = self.any_room(|room| room.is_group) else { return Ok(()) };
                self.read::<ListMembers>(what, OneChat { chat_id }, NamesQuery::default());
                Ok(())
            }
            Act::ReadReceipts => {
                let Some(chat_id) = self.any_room(|_| true) else { return Ok(()) };
                self.read::<ListChatReceipts>(what, OneChat { chat_id }, NamesQuery::default());
                Ok(())
            }
            Act::ComeBack => {
                self.shared.ledger.borrow_mut().ask(what);
                self.wants_a_break = true;
                Ok(())
            }
        }
    }

    fn any_room(&mut self, is_meant: fn(&Room) -> bool) -> Option<ChatId> {
        self.rooms.iter().filter(|room| is_meant(room)).map(|room| room.chat_id).choose(&mut self.chance)
    }

    fn any_latest(&mut self) -> Option<(ChatId, (Seq, MessageId))> {
        let chat_id = self.any_room(|_| true)?;
        self.latest.get(&chat_id).map(|latest| (chat_id, *latest))
    }

    async fn send(&mut self, what: &'static str, chat_id: ChatId) -> Result<(), LoadError> {
        let now = self.shared.start.elapsed();
        let number = self.shared.ledger.borrow_mut().send(self.index, now);
        // People are counted in u32 by the command line.
        let sender = u32::try_from(self.index).unwrap_or(u32::MAX);
        let text = Mark { run: self.shared.run, sender, number }.text();
        let text = text.parse().map_err(|error| LoadError::Unexpected(format!("{text}: {error}")))?;
        let client_id = ClientId::from_uuid(uuid::Uuid::new_v4());
        let data = SendMessageData { chat_id, client_id, content: NewContent::Text { text }, reply_to: None };
        self.ask::<SendMessage>(what, data, Some(chat_id)).await
    }

    /// Watches a few people, or no longer those who were watched.
    async fn watch(&mut self, what: &'static str) -> Result<(), LoadError> {
        if let Some(usernames) = self.watched.take() {
            return self.ask::<UnsubscribePresence>(what, PresenceSubscription { usernames }, None).await;
        }
        let names: Vec<Username> = self.shared.names.iter().cloned().sample(&mut self.chance, WATCHED);
        let usernames =
            PresenceNames::try_from(names).map_err(|error| LoadError::Unexpected(format!("names: {error}")))?;
        self.watched = Some(usernames.clone());
        self.ask::<SubscribePresence>(what, PresenceSubscription { usernames }, None).await
    }

    async fn ask<A: Action>(
        &mut self,
        what: &'static str,
        data: A::Data,
        sent_to: Option<ChatId>,
    ) -> Result<(), LoadError> {
        self.frames += 1;
        let number = self.frames.to_string();
        let id: FrameId = number.parse().map_err(|error| LoadError::Unexpected(format!("{number}: {error}")))?;
        let frame = ClientFrame { id: id.clone(), action: A::NAME.to_owned(), data };
        let text = serde_json::to_string(&frame).map_err(|error| LoadError::Unexpected(error.to_string()))?;
        self.shared.ledger.borrow_mut().ask(what);
        self.waiting.insert(id, Waiting { since: self.shared.start.elapsed(), sent_to });
        self.socket.feed(Message::text(text)).await?;
        Ok(())
    }

    /// Asks over HTTP, while the connection goes on.
    fn read<E: Endpoint<Body = Nothing>>(&self, what: &'static str, path: E::Path, query: E::Query) {
        self.shared.ledger.borrow_mut().ask(what);
        let (shared, token) = (Rc::clone(&self.shared), self.user.token.clone());
        tokio::task::spawn_local(async move {
            let answer = shared.api.timed::<E>(Some(&token), &path, &query, &Nothing {}).await;
            let mut ledger = shared.ledger.borrow_mut();
            match answer {
                Ok((_, took)) => ledger.read(what, took),
                Err(error) => ledger.trouble(error.to_string()),
            }
            ledger.answered();
        });
    }

    /// Goes, and comes back to where they were.
    async fn come_back(&mut self) -> Result<(), LoadError> {
        drop(timeout(Duration::from_secs(1), self.socket.close(None)).await);
        let cursor = self.cursor.as_ref().map(Cursor::as_str);
        let target = self.shared.api.target();
        let start = Instant::now();
        let (socket, resume) = socket::open(target, &self.user.token, cursor, Buffers::Busy, self.index).await?;
        let mut ledger = self.shared.ledger.borrow_mut();
        ledger.read(Act::ComeBack.name(), start.elapsed());
        ledger.answered();
        if cursor.is_some() && resume != "resumed" {
            ledger.trouble(format!("a cursor was answered with {resume}"));
        }
        self.socket = socket;
        self.watched = None;
        self.wants_a_break = false;
        Ok(())
    }

    /// Takes a frame, which is read whole: it must be one of the protocol.
    fn take(&mut self, frame: &[u8]) -> Result<(), LoadError> {
        let frame: ServerFrame = Format::Json
            .decode(frame)
            .map_err(|error| LoadError::Unexpected(format!("a frame came that is not in the protocol: {error}")))?;
        let shared = Rc::clone(&self.shared);
        let now = shared.start.elapsed();
        let mut ledger = shared.ledger.borrow_mut();
        match frame {
            ServerFrame::Reply(reply) => match self.waiting.remove(&reply.id) {
                Some(waiting) => {
                    ledger.answered();
                    let seq = reply.data.get("seq").and_then(serde_json::Value::as_u64);
                    if let (Some(chat_id), Some(seq)) = (waiting.sent_to, seq) {
                        ledger.acknowledge(chat_id, seq, now.saturating_sub(waiting.since));
                    }
                    let results = reply.data.get("results").and_then(serde_json::Value::as_array);
                    for code in results.into_iter().flatten().filter_map(|result| result.get("code")?.as_str()) {
                        ledger.trouble(format!("a mark was refused: {code}"));
                    }
                }
                None => ledger.trouble("an answer to nothing".to_owned()),
            },
            ServerFrame::Error(error) => {
                if error.id.and_then(|id| self.waiting.remove(&id)).is_some() {
                    ledger.answered();
                }
                ledger.trouble(format!("refused: {}", error.error.code));
            }
            ServerFrame::Event(EventFrame { cursor, event, .. }) => {
                self.cursor = cursor.or(self.cursor.take());
                match event {
                    Event::MessageCreated(created) => {
                        let message = created.message;
                        let mark = message.content.text().and_then(Mark::read).filter(|mark| mark.run == shared.run);
                        ledger.deliver(self.index, message.chat_id, message.seq.get(), mark, now);
                        self.latest.insert(message.chat_id, (message.seq, message.message_id));
                    }
                    Event::GroupActivity(happened) => {
                        let activity = happened.activity;
                        ledger.deliver(self.index, activity.chat_id, activity.seq.get(), None, now);
                    }
                    _ => {}
                }
            }
            ServerFrame::Heartbeat(heartbeat) => self.cursor = Some(heartbeat.cursor),
            ServerFrame::Hello(_) => return Err(LoadError::Unexpected("a second hello came".to_owned())),
            ServerFrame::Unknown(_) => {}
        }
        Ok(())
    }
}

fn one<T, const MAX: usize>(item: T) -> Result<List<T, 1, MAX>, LoadError> {
    vec![item].try_into().map_err(|error| LoadError::Unexpected(format!("a list of one: {error}")))
}
