//! One user's view, with a network in between that delivers late, in pages and again.

use i9chat_sdk::{
    Update,
    chats::{Answer, Read, View, What},
};
use i9chat_spec::{Chat, ChatId, Entry, Event, EventFrame, Membership, Message, PageLimit};

use crate::world::{Deed, VIEWER, World, cursor, limits, user};

/// What happens next, on the server or between it and the view.
#[derive(Debug, Clone)]
pub enum Step {
    Deed(Deed),
    /// So many events arrive.
    Deliver(usize),
    /// The view asks for what it needs next.
    Ask,
    /// The server makes the answer to one of the questions.
    Serve(usize),
    /// One of the answers arrives.
    Answer(usize),
    /// One of the answers is lost.
    Fail(usize),
    /// So many events come again, as after a break, and then all that followed.
    Repeat(usize),
    /// Too much was missed; `forgotten` when the server does not know any more since when.
    Limited {
        forgotten: bool,
    },
    /// The log is another one.
    Reset,
    /// The next event has data that this version cannot read.
    Newer,
    Open(usize),
    Close(usize),
    LoadOlder(usize),
}

#[derive(Clone)]
struct Question {
    read: Read,
    answer: Option<Answer>,
}

pub struct Reader {
    pub world: World,
    pub view: View,
    questions: Vec<Question>,
    /// How many events have arrived.
    heard: usize,
    /// The list of what changed cannot be told for places before.
    known_from: u64,
}

impl Reader {
    pub fn new() -> Self {
        let page = PageLimit::try_from(2).expect("a limit");
        let view = View::new(user(VIEWER).user_id, limits(), page);
        Self { world: World::new(), view, questions: Vec::new(), heard: 0, known_from: 0 }
    }

    pub fn step(&mut self, step: Step) {
        match step {
            Step::Deed(deed) => self.world.act(deed),
            Step::Deliver(count) => self.deliver(count),
            Step::Ask => self.ask(),
            Step::Serve(index) => self.serve(index),
            Step::Answer(index) => self.answer(index),
            Step::Fail(index) => {
                if let Some(question) = self.take(index) {
                    self.view.failed(question.read.key);
                }
            }
            Step::Repeat(count) => {
                let from = self.heard.saturating_sub(count);
                (from..self.heard).for_each(|told| self.hear(self.world.frame(told)));
            }
            Step::Limited { forgotten } => {
                self.heard = self.world.told.len();
                if forgotten {
                    self.known_from = self.world.head;
                }
                self.world.head += 1;
                self.view.apply(&Update::Limited { cursor: cursor(self.world.head) });
            }
            Step::Reset => {
                self.heard = self.world.told.len();
                self.view.apply(&Update::Reset { cursor: cursor(self.world.head) });
            }
            Step::Newer => self.hear_a_newer_event(),
            Step::Open(chat) => self.with_chat(chat, View::open),
            Step::Close(chat) => self.with_chat(chat, View::close),
            Step::LoadOlder(chat) => self.with_chat(chat, View::load_older),
        }
    }

    /// Everything arrives, without a step of the server in between, and then the view is compared with the server.
    pub fn is_what_a_fresh_read_would_show(&self) {
        let mut settled = Self {
            world: World { chats: Vec::new(), told: Vec::new(), ..World::new() },
            view: self.view.clone(),
            questions: self.questions.clone(),
            heard: self.heard,
            known_from: self.known_from,
        };
        for told in self.heard..self.world.told.len() {
            settled.hear(self.world.frame(told));
        }
        loop {
            while let Some(read) = settled.view.next_read() {
                settled.questions.push(Question { read, answer: None });
            }
            if settled.questions.is_empty() {
                break;
            }
            let Question { read, answer } = settled.questions.remove(0);
            let answer = answer.unwrap_or_else(|| self.answer_to(&read.what));
            settled.view.answered(read.key, answer);
        }
        self.compare(&settled.view);
    }

    fn compare(&self, view: &View) {
        assert!(view.is_ready(), "all was answered");
        let held: Vec<&Chat> = view.list().map(|state| state.chat()).collect();
        let fresh: Vec<Chat> = self.world.list().into_iter().map(|(_, chat)| chat).collect();
        assert_eq!(held, fresh.iter().collect::<Vec<_>>(), "the list");
        assert_eq!(view.profile().map(|profile| profile.bio.as_str().to_owned()), Some(self.world.bio.clone()));
        for state in view.list() {
            assert!(!state.is_stale(), "nothing is left to be read");
            let room = self.world.room(state.chat().chat_id).expect("it exists");
            // Who is out hears of no reaction any more (REA-6), though a read shows them (REA-5).
            let is_in = state.chat().membership == Membership::Member;
            let shown = |entry: &Entry| if is_in { entry.clone() } else { without_reactions(entry) };
            let entries: Vec<Entry> = state.entries().map(shown).collect();
            let all: Vec<Entry> = room.entries().iter().map(shown).collect();
            assert_eq!(entries, all[all.len() - entries.len()..], "the entries");
            if state.is_loaded() {
                assert_eq!(state.has_older(), entries.len() < all.len(), "whether there are older ones");
                assert!(!entries.is_empty() || all.is_empty(), "the newest are loaded");
            }
            let expected = room.receipts().filter(|_| {
                let is_group = state.chat().group.is_some();
                is_group && room.is_small() && state.is_loaded()
            });
            let held = state.receipts().map(|list| list.into_iter().cloned().collect::<Vec<_>>());
            assert_eq!(held, expected, "the receipts");
        }
    }

    fn with_chat(&mut self, chat: usize, act: impl FnOnce(&mut View, ChatId)) {
        let seen: Vec<ChatId> = self.world.list().into_iter().map(|(_, chat)| chat.chat_id).collect();
        if !seen.is_empty() {
            act(&mut self.view, seen[chat % seen.len()]);
        }
    }

    fn hear(&mut self, frame: EventFrame) {
        self.view.apply(&Update::Event(Box::new(frame)));
    }

    pub fn deliver(&mut self, count: usize) {
        for _ in 0..count.min(self.world.told.len() - self.heard) {
            self.hear(self.world.frame(self.heard));
            self.heard += 1;
        }
    }

    fn hear_a_newer_event(&mut self) {
        if self.heard == self.world.told.len() {
            return;
        }
        let frame = self.world.frame(self.heard);
        self.heard += 1;
        let data = serde_json::to_value(&frame).expect("encodes")["data"].take();
        let event = Event::Unknown { name: frame.event.name().to_owned(), data };
        self.hear(EventFrame { event, ..frame });
    }

    pub fn ask(&mut self) {
        if let Some(read) = self.view.next_read() {
            self.questions.push(Question { read, answer: None });
        }
    }

    pub fn serve(&mut self, index: usize) {
        if !self.questions.is_empty() {
            let index = index % self.questions.len();
            let answer = self.answer_to(&self.questions[index].read.what);
            self.questions[index].answer.get_or_insert(answer);
        }
    }

    pub fn answer(&mut self, index: usize) {
        self.serve(index);
        if let Some(Question { read, answer: Some(answer) }) = self.take(index) {
            self.view.answered(read.key, answer);
        }
    }

    fn answer_to(&self, what: &What) -> Answer {
        self.world.answer(what, self.known_from)
    }

    fn take(&mut self, index: usize) -> Option<Question> {
        (!self.questions.is_empty()).then(|| self.questions.remove(index % self.questions.len()))
    }
}

fn without_reactions(entry: &Entry) -> Entry {
    match entry {
        Entry::Message(message) => {
            Entry::Message(Message { reactions: Vec::new(), own_reaction: None, ..message.clone() })
        }
        other => other.clone(),
    }
}
