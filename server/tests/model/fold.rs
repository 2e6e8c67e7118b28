//! What a client makes of what it read and of the events after it. (LOG-9)

use std::collections::{BTreeMap, HashMap};

use i9chat_spec::{
    Activity, ActivityKind, Chat, ChatId, Entry, Event, EventFrame, Membership, Message, Role, UserId,
    event::{ReactionChanged, ReadStateChanged, ReceiptsUpdated},
};

/// The chats of a user.
#[derive(Debug, Default)]
pub struct Fold {
    held: HashMap<ChatId, Held>,
    /// The one with the latest entry first.
    order: Vec<ChatId>,
}

#[derive(Debug)]
struct Held {
    chat: Chat,
    entries: BTreeMap<u64, Entry>,
}

/// What the client has to read before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Nothing,
    /// The chat, and its entries.
    Chat(ChatId),
    /// The entries of a chat that was added.
    Entries(ChatId),
}

impl Fold {
    /// What the client would show.
    pub fn shown(&self) -> Vec<(&Chat, Vec<&Entry>)> {
        let held = self.order.iter().map(|chat_id| &self.held[chat_id]);
        held.map(|held| (&held.chat, held.entries.values().collect())).collect()
    }

    /// Takes a chat out of a page of the list; it comes after those before it.
    pub fn listed(&mut self, chat: Chat) {
        if !self.order.contains(&chat.chat_id) {
            self.order.push(chat.chat_id);
        }
        self.read(chat);
    }

    /// Takes a chat that was read.
    pub fn read(&mut self, chat: Chat) {
        match self.held.get_mut(&chat.chat_id) {
            Some(held) => held.chat = chat,
            None => {
                self.held.insert(chat.chat_id, Held { chat, entries: BTreeMap::new() });
            }
        }
    }

    /// Takes entries of a chat that were read.
    pub fn read_entries(&mut self, chat_id: ChatId, entries: Vec<Entry>) {
        let held = self.held.get_mut(&chat_id).unwrap();
        held.entries.extend(entries.into_iter().map(|entry| (entry.seq().unwrap().get(), entry)));
    }

    /// Forgets the order, and the entries of the chats that have changed.
    pub fn start_over(&mut self, changed: impl Fn(ChatId) -> bool) {
        self.order.clear();
        for (_, held) in self.held.iter_mut().filter(|(chat_id, _)| changed(**chat_id)) {
            held.entries.clear();
        }
    }

    /// A chat that has not changed comes after those before it.
    pub fn goes_last(&mut self, chat_id: ChatId) {
        self.order.push(chat_id);
    }

    pub fn holds(&self, chat_id: ChatId) -> bool {
        self.held.contains_key(&chat_id)
    }

    fn put_first(&mut self, chat_id: ChatId) {
        self.order.retain(|id| *id != chat_id);
        self.order.insert(0, chat_id);
    }

    /// Applies an event, however old, on top of what was read.
    pub fn apply(&mut self, viewer: UserId, frame: EventFrame) -> Need {
        match frame.event {
            Event::ChatAdded(added) => {
                let chat_id = added.chat.chat_id;
                self.put_first(chat_id);
                self.held.insert(chat_id, Held { chat: added.chat, entries: BTreeMap::new() });
                return Need::Entries(chat_id);
            }
            Event::ReadStateChanged(state) => match self.held.get_mut(&state.chat_id) {
                Some(held) => held.read_state_changed(&state),
                None => return self.unknown(state.chat_id),
            },
            Event::MembershipEnded(ended) => match self.held.get_mut(&ended.chat_id) {
                Some(held) => held.membership_ended(ended.membership, ended.last_seq),
                None => return self.unknown(ended.chat_id),
            },
            Event::MessageCreated(created) => {
                let chat_id = created.message.chat_id;
                assert_eq!(frame.chat_id, Some(chat_id));
                self.put_first(chat_id);
                match self.held.get_mut(&chat_id) {
                    Some(held) => held.message_created(viewer, created.message),
                    None => return Need::Chat(chat_id),
                }
            }
            Event::GroupActivity(happened) => {
                let chat_id = happened.activity.chat_id;
                assert_eq!(frame.chat_id, Some(chat_id));
                self.put_first(chat_id);
                match self.held.get_mut(&chat_id) {
                    Some(held) => held.group_activity(viewer, happened.activity),
                    None => return Need::Chat(chat_id),
                }
            }
            Event::ReactionChanged(changed) => match self.held.get_mut(&frame.chat_id.unwrap()) {
                Some(held) => held.reaction_changed(viewer, &changed),
                None => return self.unknown(frame.chat_id.unwrap()),
            },
            Event::ReceiptsUpdated(updated) => match self.held.get_mut(&frame.chat_id.unwrap()) {
                Some(held) => held.receipts_updated(&updated),
                None => return self.unknown(frame.chat_id.unwrap()),
            },
            other => panic!("nobody does what leads to {other:?}"),
        }
        Need::Nothing
    }

    /// A chat that is not held has moved to the front since the first page was read, so an entry is to come.
    fn unknown(&mut self, chat_id: ChatId) -> Need {
        if !self.order.contains(&chat_id) {
            self.order.push(chat_id);
        }
        Need::Chat(chat_id)
    }
}

impl Held {
    /// Whether an entry is newer than the chat as it was read.
    fn is_new(&self, seq: u64) -> bool {
        let last = self.chat.last_entry.as_ref().and_then(Entry::seq);
        let before = self.chat.visible.last().map_or(0, |stretch| stretch.from.get() - 1);
        seq > last.map_or(0, i9chat_spec::Seq::get).max(before)
    }

    fn message_created(&mut self, viewer: UserId, message: Message) {
        if self.is_new(message.seq.get()) {
            self.chat.unread_count += u64::from(message.sender.user_id != viewer);
            self.chat.last_entry = Some(Entry::Message(message.clone()));
        }
        // What was read shows what became of it since.
        self.entries.entry(message.seq.get()).or_insert(Entry::Message(message));
    }

    fn group_activity(&mut self, viewer: UserId, activity: Activity) {
        let entry = Entry::Activity(activity.clone());
        self.entries.entry(activity.seq.get()).or_insert_with(|| entry.clone());
        if !self.is_new(activity.seq.get()) {
            return;
        }
        self.chat.last_entry = Some(entry);
        let group = self.chat.group.as_mut().unwrap();
        if let Some(count) = activity.members_count {
            group.members_count = count;
        }
        let is_meant = activity.targets.iter().any(|target| target.user_id == viewer);
        let to = activity.to.unwrap_or_default();
        match activity.kind {
            ActivityKind::NameChanged => group.name = to.parse().unwrap(),
            ActivityKind::DescriptionChanged => group.description = to.parse().unwrap(),
            ActivityKind::AdminAdded | ActivityKind::AdminSucceeded if is_meant => group.role = Some(Role::Admin),
            ActivityKind::AdminRemoved if is_meant => group.role = Some(Role::Member),
            _ => {}
        }
    }

    fn membership_ended(&mut self, membership: Membership, last: i9chat_spec::Seq) {
        let stretch = self.chat.visible.last_mut().unwrap();
        if stretch.from <= last && stretch.to.is_none() {
            stretch.to = Some(last);
            self.chat.membership = membership;
            self.chat.group.as_mut().unwrap().role = None;
        }
    }

    fn read_state_changed(&mut self, state: &ReadStateChanged) {
        let is_further = state.delivered > self.chat.delivered || state.read > self.chat.read;
        if is_further && state.read >= self.chat.read {
            self.chat.delivered = state.delivered;
            self.chat.read = state.read;
            self.chat.unread_count = state.unread_count;
        }
    }

    fn receipts_updated(&mut self, updated: &ReceiptsUpdated) {
        if let Some(partner) = &mut self.chat.partner
            && partner.user == updated.user
        {
            partner.delivered = partner.delivered.max(updated.delivered);
            partner.read = partner.read.max(updated.read);
        }
    }

    fn reaction_changed(&mut self, viewer: UserId, changed: &ReactionChanged) {
        let in_list = self.chat.last_entry.iter_mut();
        for entry in self.entries.get_mut(&changed.seq.get()).into_iter().chain(in_list) {
            if let Entry::Message(message) = entry
                && message.message_id == changed.message_id
            {
                message.reactions.clone_from(&changed.reactions);
                if changed.user.user_id == viewer {
                    message.own_reaction.clone_from(&changed.emoji);
                }
            }
        }
    }
}
