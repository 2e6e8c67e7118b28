//! What a view makes of updates, and of the events that came while an answer was under way.

use std::sync::Arc;

use i9chat_spec::{
    ChatId, Cursor, Event, EventFrame,
    event::{EventData, ProfileChanged},
};

use super::{
    super::{
        pass::Pass,
        state::{Effect, moves_to_front},
    },
    Changed, MAX_RECENT, View,
};
use crate::Update;

impl View {
    /// Something happened. Updates are applied in the order in which they come, each once.
    pub fn apply(&mut self, update: &Update) {
        match update {
            Update::Event(frame) => self.apply_event(frame),
            Update::Limited { cursor } => self.limited(cursor.clone()),
            Update::Reset { cursor } => self.reset(cursor.clone()),
        }
    }

    pub(super) fn apply_event(&mut self, frame: &EventFrame) {
        if !self.flights.is_empty() {
            if self.recent.len() == MAX_RECENT {
                self.flights.clear();
                self.forget_recent();
            } else {
                self.recent.push_back(Arc::new(frame.clone()));
            }
        }
        if frame.cursor.is_some() {
            self.cursor.clone_from(&frame.cursor);
        }
        self.heard_until = match &frame.event {
            Event::MessageCreated(created) => Some(created.message.created_at),
            Event::GroupActivity(happened) => Some(happened.activity.created_at),
            Event::ChatAdded(added) => Some(added.chat.opened_at),
            _ => self.heard_until,
        };
        self.profile_event(&frame.event);
        if let Some(effect) = self.chat_event(frame)
            && effect.to_front
        {
            self.move_to_front(frame);
        }
    }

    pub(super) fn profile_event(&mut self, event: &Event) {
        match event {
            Event::ProfileChanged(changed) => {
                if let Some(profile) = &mut self.profile {
                    let profile = Arc::make_mut(profile);
                    profile.bio = changed.bio.clone();
                    profile.picture_id = changed.picture_id;
                    profile.location = changed.location;
                    self.changed.profile = true;
                }
            }
            Event::Unknown { name, .. } if name == ProfileChanged::NAME => self.wants_profile = true,
            _ => {}
        }
    }

    /// The front is the chat's when an event comes, not when it is applied again.
    pub(super) fn move_to_front(&mut self, frame: &EventFrame) {
        if let Some(chat_id) = chat_of(frame)
            && let Some(held) = self.chats.get_mut(&chat_id)
        {
            self.order.remove(&held.rank);
            held.rank = self.ranks.front();
            self.order.insert(held.rank, chat_id);
        }
    }

    pub(super) fn chat_event(&mut self, frame: &EventFrame) -> Option<Effect> {
        let chat_id = chat_of(frame)?;
        let Some(held) = self.chats.get_mut(&chat_id) else {
            self.event_of_unknown(chat_id, frame);
            return None;
        };
        let effect = Arc::make_mut(&mut held.state).apply(&frame.event, &self.limits);
        self.changed.chats.insert(chat_id);
        if effect.needs_read {
            self.want_again(chat_id);
        }
        Some(effect)
    }

    pub(super) fn event_of_unknown(&mut self, chat_id: ChatId, frame: &EventFrame) {
        if let Event::ChatAdded(added) = &frame.event {
            self.wanted.remove(&chat_id);
            let rank = self.ranks.front();
            let since = self.now();
            return self.hold(added.chat.clone(), rank, since);
        }
        let wanted = self.wanted.entry(chat_id).or_default();
        if moves_to_front(frame.event.name()) {
            *wanted = Some(self.ranks.front());
        }
    }

    /// Events were missed: what is held may be stale, and what was asked for too. (RSM-5)
    pub(super) fn limited(&mut self, cursor: Cursor) {
        for held in self.chats.values_mut() {
            Arc::make_mut(&mut held.state).set_stale(true);
        }
        let since = self.cursor.replace(cursor);
        let pass = match &self.pass {
            Some(pass) => pass.again(&mut self.ranks),
            None => Pass::changed(since, self.heard_until, &mut self.ranks),
        };
        self.begin_pass(pass);
        self.wants_profile = true;
        self.changed.list = true;
    }

    /// The log is another one: nothing that is held counts. (RSM-6)
    pub(super) fn reset(&mut self, cursor: Cursor) {
        self.chats.clear();
        self.order.clear();
        self.wanted.clear();
        self.profile = None;
        self.wants_profile = true;
        self.is_ready = false;
        self.cursor = Some(cursor);
        let pass = Pass::all(&mut self.ranks);
        self.begin_pass(pass);
        self.changed = Changed { profile: true, list: true, ..Changed::default() };
    }

    /// The number of the next event.
    pub(super) fn now(&self) -> u64 {
        self.recent_from + self.recent.len() as u64
    }

    /// Events that no answer under way is older than are not needed any more.
    pub(super) fn forget_recent(&mut self) {
        let needed_from = self.flights.values().map(|flight| flight.since).min().unwrap_or_else(|| self.now());
        while self.recent_from < needed_from {
            self.recent.pop_front();
            self.recent_from += 1;
        }
    }

    /// Applies the events that came since a read was asked for on top of its answer.
    pub(super) fn chat_events_again(&mut self, chat_id: ChatId, since: u64) {
        for frame in self.recent_of(since, |frame| chat_of(frame) == Some(chat_id)) {
            self.chat_event(&frame);
        }
    }

    pub(super) fn recent_of(&self, since: u64, of: impl Fn(&EventFrame) -> bool) -> Vec<Arc<EventFrame>> {
        let skipped = usize::try_from(since.saturating_sub(self.recent_from)).unwrap_or(usize::MAX);
        self.recent.iter().skip(skipped).filter(|frame| of(frame)).cloned().collect()
    }
}

/// The chat that an event is of: the one that it is addressed to, or that it names.
fn chat_of(frame: &EventFrame) -> Option<ChatId> {
    match &frame.event {
        Event::ChatAdded(added) => Some(added.chat.chat_id),
        Event::MembershipEnded(ended) => Some(ended.chat_id),
        Event::ReadStateChanged(changed) => Some(changed.chat_id),
        Event::SessionEnded(_) | Event::ProfileChanged(_) | Event::PresenceChanged(_) | Event::Typing(_) => None,
        Event::Unknown { data, .. } => frame.chat_id.or_else(|| {
            let chat_id = data.get("chat_id").or_else(|| data.get("chat")?.get("chat_id"))?;
            chat_id.as_str()?.parse().ok()
        }),
        Event::MessageCreated(_) | Event::GroupActivity(_) | Event::ReactionChanged(_) | Event::ReceiptsUpdated(_) => {
            frame.chat_id
        }
    }
}
