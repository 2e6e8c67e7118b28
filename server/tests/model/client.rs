//! A user's client: reads everything once, in pages at different moments, and from then on only listens.

use std::{cmp::Ordering, collections::VecDeque};

use i9chat_spec::{
    Chat, ChatId, Cursor, Entry, ErrorCode, EventFrame, PageLimit, Resume, Seq, Watermark,
    api::{
        chats::{ChatsQuery, GetChat, ListChats, OneChat},
        messages::{EntriesQuery, ListEntries},
        receipts::Mark,
    },
};
use serde_json::{Value, json};

use crate::{
    act::Act,
    caller::{Caller, Line},
    difference::assert_same,
    fold::{Fold, Need},
    model::no_chat,
    names::Names,
    views::Views,
};

/// How many chats and entries a page has.
const CHATS: u64 = 2;
const ENTRIES: u64 = 3;

pub struct Client {
    pub caller: Caller,
    fold: Fold,
    /// Where in the log it is.
    cursor: Cursor,
    /// Which position of the model that is.
    position: u64,
    phase: Phase,
}

enum Phase {
    Reading(Reading),
    Offline,
    Online { line: Box<Line>, lags: bool },
}

/// What is still to be read.
#[derive(Debug, Default)]
struct Reading {
    list: List,
    chats: VecDeque<ChatId>,
    before: Option<Seq>,
}

/// How much of the list of chats was read.
#[derive(Debug, Default)]
enum List {
    Nothing,
    /// Up to the page that goes on here.
    Before(Cursor),
    #[default]
    All,
}

/// The world as a client meets it: the model, and what the server calls things.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub views: Views<'a>,
    pub names: &'a Names,
    pub max_resume_events: usize,
    /// Events up to this position may be gone.
    pub kept_from: u64,
}

impl Scene<'_> {
    /// What a resume from a position is answered with. From the last position that may be gone both are right.
    pub fn resume(self, missed: usize, position: u64) -> &'static [Resume] {
        match position.cmp(&self.kept_from) {
            Ordering::Less => &[Resume::Limited],
            _ if missed > self.max_resume_events => &[Resume::Limited],
            // Nothing can have come after the end of the log.
            Ordering::Equal if 0 < position && position < self.views.head() => &[Resume::Limited, Resume::Resumed],
            _ => &[Resume::Resumed],
        }
    }
}

fn limit(number: u64) -> PageLimit {
    PageLimit::try_from(number).unwrap()
}

impl Client {
    /// A client that has read nothing.
    pub fn new(caller: Caller, cursor: Cursor) -> Self {
        let phase = Phase::Reading(Reading { list: List::Nothing, ..Reading::default() });
        Self { caller, fold: Fold::default(), cursor, position: 0, phase }
    }

    /// The line that actions can go over.
    pub fn line(&mut self) -> Option<&mut Line> {
        match &mut self.phase {
            Phase::Online { line, lags: false } => Some(line),
            _ => None,
        }
    }

    pub fn lag(&mut self) {
        if let Phase::Online { lags, .. } = &mut self.phase {
            *lags = true;
        }
    }

    pub fn start_over(&mut self) {
        *self = Self::new(self.caller.clone(), self.cursor.clone());
    }

    /// Breaks the connection after some of the events that wait in it.
    pub async fn cut(&mut self, scene: Scene<'_>, read: usize) {
        if let Phase::Online { .. } = self.phase {
            self.hear(scene, read).await;
            self.phase = Phase::Offline;
        }
    }

    /// Comes back, if it is away.
    pub async fn connect(&mut self, scene: Scene<'_>) {
        if !matches!(self.phase, Phase::Offline) {
            return;
        }
        let (line, hello) = self.caller.connect(&self.cursor).await;
        let missed = scene.views.events(self.caller.user.user_id, self.position).len();
        let answer: Resume = serde_json::from_value(hello["resume"].clone()).unwrap();
        let expected = scene.resume(missed, self.position);
        assert!(expected.contains(&answer), "{missed} events were missed, and the answer was {answer:?}");
        self.phase = Phase::Online { line: Box::new(line), lags: false };
        if answer == Resume::Limited {
            let (was, since) = (
                self.position,
                std::mem::replace(&mut self.cursor, hello["cursor"].as_str().unwrap().parse().unwrap()),
            );
            self.position = scene.views.head();
            self.read_what_changed(scene, since, was).await;
        } else {
            assert_eq!(hello["cursor"], json!(self.cursor));
        }
    }

    /// Reads what is still to be read, one request at a time, and listens to what is to be heard.
    pub async fn go_on(&mut self, scene: Scene<'_>) {
        if let Phase::Reading(reading) = &mut self.phase {
            let mut reading = std::mem::take(reading);
            if self.read_on(scene, &mut reading).await {
                self.phase = Phase::Reading(reading);
                return;
            }
            self.phase = Phase::Offline;
            self.connect(scene).await;
        }
        if let Phase::Online { lags: false, .. } = self.phase {
            self.hear(scene, usize::MAX).await;
        }
    }

    /// Does everything that is to be done, whatever state the client is in.
    pub async fn catch_up(&mut self, scene: Scene<'_>) {
        while !matches!(self.phase, Phase::Online { .. }) {
            self.go_on(scene).await;
            self.connect(scene).await;
        }
        if let Phase::Online { lags, .. } = &mut self.phase {
            *lags = false;
        }
        self.hear(scene, usize::MAX).await;
    }

    /// Whether it shows what a client reading now would read, if it knows everything that there is to know.
    pub fn check(&self, scene: Scene<'_>) {
        let Phase::Online { lags: false, .. } = self.phase else { return };
        let user_id = self.caller.user.user_id;
        let shown = |chat: &Chat, entries: Vec<Entry>| {
            let (mut chat, mut entries) = (chat.clone(), entries);
            if !scene.views.is_in(user_id, chat.chat_id) {
                // Who is out hears no more of reactions (GRP-18), and sees the present ones only when they read again.
                entries.iter_mut().chain(&mut chat.last_entry).for_each(forget_reactions);
            }
            json!({ "chat": chat, "entries": entries })
        };
        let held = self.fold.shown().into_iter();
        let held: Value = held.map(|(chat, entries)| shown(chat, entries.into_iter().cloned().collect())).collect();
        let fresh = scene.views.list(user_id).into_iter();
        let fresh: Value = fresh.map(|chat| shown(&chat, scene.views.entries(user_id, chat.chat_id))).collect();
        assert_same(&held, &fresh, || format!("what {} holds is not what is there", self.caller.user.username));
    }

    /// What comes next on its line is an answer and no event, when it has heard all that is due.
    pub async fn hears_nothing_more(&mut self, scene: Scene<'_>) {
        self.hear(scene, usize::MAX).await;
        let name = self.caller.user.username.clone();
        let line = self.line().expect("it has caught up");
        let mark = Mark { chat_id: no_chat(), delivered: None, read: Some(Watermark::ZERO) };
        let id = line.send(Act::Mark { marks: vec![mark] }).await;
        line.answer(id).await.unwrap();
        assert!(line.heard.is_empty(), "{} hears what is not theirs: {:?}", name, line.heard);
    }

    /// One request; whether more is to be read after it.
    async fn read_on(&mut self, scene: Scene<'_>, reading: &mut Reading) -> bool {
        let list = std::mem::take(&mut reading.list);
        if !matches!(list, List::All) {
            let is_first = matches!(list, List::Nothing);
            let after = if let List::Before(next) = list { Some(next) } else { None };
            let query = ChatsQuery { after, changed_since: None, limit: Some(limit(CHATS)) };
            let page = self.caller.get::<ListChats>(i9chat_spec::Nothing {}, query).await.unwrap();
            if is_first {
                self.cursor = page["cursor"].as_str().unwrap().parse().unwrap();
                self.position = scene.views.head();
            }
            for chat in chats_of(scene, &page) {
                reading.chats.push_back(chat.chat_id);
                self.fold.listed(chat);
            }
            let next = page.get("next").map(|next| next.as_str().unwrap().parse().unwrap());
            reading.list = next.map_or(List::All, List::Before);
        } else if let Some(chat_id) = reading.chats.front().copied() {
            reading.before = self.read_entries(scene, chat_id, reading.before).await;
            if reading.before.is_none() {
                reading.chats.pop_front();
            }
        }
        !matches!(reading.list, List::All) || !reading.chats.is_empty()
    }

    /// A page of entries; where the next one begins.
    async fn read_entries(&mut self, scene: Scene<'_>, chat_id: ChatId, before: Option<Seq>) -> Option<Seq> {
        let path = OneChat { chat_id: scene.names.chat(chat_id) };
        let query = EntriesQuery { before, after: None, limit: Some(limit(ENTRIES)) };
        let page = scene.names.translate(self.caller.get::<ListEntries>(path, query).await.unwrap());
        let entries: Vec<Entry> = serde_json::from_value(page["items"].clone()).unwrap();
        self.fold.read_entries(chat_id, entries);
        page.get("next").map(|next| next.as_u64().unwrap().try_into().unwrap())
    }

    async fn read_all_entries(&mut self, scene: Scene<'_>, chat_id: ChatId) {
        let mut before = self.read_entries(scene, chat_id, None).await;
        while before.is_some() {
            before = self.read_entries(scene, chat_id, before).await;
        }
    }

    /// After a break that was too long: the list anew, and the entries of what has changed since. (RSM-5)
    async fn read_what_changed(&mut self, scene: Scene<'_>, since: Cursor, was: u64) {
        let mut changed = Vec::new();
        let mut query = ChatsQuery { after: None, changed_since: Some(since), limit: Some(limit(CHATS)) };
        loop {
            let page = match self.caller.get::<ListChats>(i9chat_spec::Nothing {}, query.clone()).await {
                Ok(page) => page,
                Err(code) => {
                    assert_eq!(code, ErrorCode::CursorReset);
                    assert!(was <= scene.kept_from, "what changed since {was} is known");
                    self.start_over();
                    return;
                }
            };
            changed.extend(chats_of(scene, &page));
            let Some(next) = page.get("next") else { break };
            query.after = Some(next.as_str().unwrap().parse().unwrap());
        }
        let order = scene.views.list(self.caller.user.user_id);
        self.fold.start_over(|chat_id| changed.iter().any(|chat| chat.chat_id == chat_id));
        for Chat { chat_id, .. } in order {
            if let Some(chat) = changed.iter().find(|chat| chat.chat_id == chat_id) {
                self.fold.listed(chat.clone());
                self.read_all_entries(scene, chat_id).await;
            } else {
                assert!(self.fold.holds(chat_id), "a chat that is new has changed");
                self.fold.goes_last(chat_id);
            }
        }
    }

    /// Hears at most so many of the events that are due, each as the model has it.
    async fn hear(&mut self, scene: Scene<'_>, most: usize) {
        let user = self.caller.user.clone();
        for (position, expected) in scene.views.events(user.user_id, self.position).into_iter().take(most) {
            let Phase::Online { line, .. } = &mut self.phase else { return };
            let mut event = scene.names.translate(line.event().await);
            let fields = event.as_object_mut().unwrap();
            fields.remove("type");
            let cursor = fields.remove("cursor").expect("what is durable has a place");
            assert_same(&event, &expected, || format!("what {} hears", user.username));
            (self.cursor, self.position) = (cursor.as_str().unwrap().parse().unwrap(), position);
            let frame: EventFrame = serde_json::from_value(event).unwrap();
            match self.fold.apply(user.user_id, frame) {
                Need::Nothing => {}
                Need::Chat(chat_id) => {
                    let path = OneChat { chat_id: scene.names.chat(chat_id) };
                    let read = self.caller.get::<GetChat>(path, i9chat_spec::Nothing {}).await.unwrap();
                    self.fold.read(serde_json::from_value(scene.names.translate(read["chat"].clone())).unwrap());
                    self.read_all_entries(scene, chat_id).await;
                }
                Need::Entries(chat_id) => self.read_all_entries(scene, chat_id).await,
            }
        }
    }
}

fn forget_reactions(entry: &mut Entry) {
    if let Entry::Message(message) = entry {
        message.reactions.clear();
        message.own_reaction = None;
    }
}

fn chats_of(scene: Scene<'_>, page: &Value) -> Vec<Chat> {
    serde_json::from_value(scene.names.translate(page["items"].clone())).unwrap()
}
