//! One chat as a view holds it, and what each event of it does.

mod events;

use i9chat_spec::{
    Chat, ChatKind, Entry, Limits, Membership, Message, MessageStatus, PageLimit, Seq, Timestamp, UserId, Watermark,
    api::{
        groups::NamesQuery,
        messages::{EntriesQuery, EntryPage},
        receipts::{ChatReceipt, ChatReceiptPage},
    },
};

pub(super) use self::events::{Effect, moves_to_front};
use super::{
    receipts::{MemberReceipts, status},
    window::Window,
};

/// A chat of the list, and what is loaded of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatState {
    chat: Chat,
    viewer: UserId,
    is_stale: bool,
    window: Option<Window>,
    receipts: Option<MemberReceipts>,
    /// The server does not tell receipts here.
    no_receipts: bool,
    /// Grows whenever what was asked of the window or the receipts before is of no use any more.
    epoch: u64,
}

impl ChatState {
    pub(super) const fn new(chat: Chat, viewer: UserId) -> Self {
        Self { chat, viewer, is_stale: false, window: None, receipts: None, no_receipts: false, epoch: 0 }
    }

    /// The chat as the list shows it: with its partner or group, the last entry, watermarks and the number of unread messages. (CHT-3)
    pub const fn chat(&self) -> &Chat {
        &self.chat
    }

    /// What the chat is called: the group's name, or the other user's.
    pub fn title(&self) -> &str {
        match (&self.chat.group, &self.chat.partner) {
            (Some(group), _) => group.name.as_str(),
            (None, Some(partner)) => partner.user.username.as_str(),
            (None, None) => "",
        }
    }

    /// Whether events were missed, so that it may have changed: it is being read anew. (RSM-5)
    pub const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// The entries that are loaded, the oldest first: without holes, up to the newest. None unless the chat is
    /// [open](super::Chats::open).
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.window.iter().flat_map(|window| window.entries().map(|entry| &**entry))
    }

    /// Whether the chat is open and its newest entries are loaded.
    pub fn is_loaded(&self) -> bool {
        self.window.as_ref().is_some_and(Window::is_settled)
    }

    /// Whether there are entries before those that are loaded.
    pub fn has_older(&self) -> bool {
        self.window.as_ref().is_some_and(|window| !window.at_start())
    }

    /// How far a message has come, as far as it can be told here: in direct chats, and in open groups that are small enough for
    /// receipts (RCP-11). `None` elsewhere: ask the server ([`ListMessageReceipts`](i9chat_spec::api::receipts::ListMessageReceipts)). (RCP-7)
    pub fn status(&self, message: &Message) -> Option<MessageStatus> {
        if let Some(partner) = &self.chat.partner {
            // How far the other of the two is with it.
            let other = if message.sender.user_id == self.viewer {
                (partner.delivered, partner.read)
            } else {
                (self.chat.delivered, self.chat.read)
            };
            return Some(status(other.0 >= message.seq.into(), other.1 >= message.seq.into()));
        }
        self.receipts.as_ref()?.status(message.sender.user_id, message.seq)
    }

    /// How far every member of an open group is, by name; `None` where that is not known. (RCP-9)
    pub fn receipts(&self) -> Option<Vec<&ChatReceipt>> {
        self.receipts.as_ref()?.list()
    }

    /// Whether the chat has a newer entry there, or was added anew.
    pub(super) fn is_older_than(&self, chat: &Chat) -> bool {
        (newest_stretch(chat), last_seq(chat)) > (newest_stretch(&self.chat), self.last_seq())
    }

    fn last_seq(&self) -> Watermark {
        last_seq(&self.chat)
    }

    pub(super) const fn set_stale(&mut self, stale: bool) {
        self.is_stale = stale;
    }

    /// The chat as it was read just now. What is loaded of it is read again too when it may be stale.
    pub(super) fn replace(&mut self, chat: Chat, limits: &Limits) {
        if newest_stretch(&chat) != newest_stretch(&self.chat) {
            self.begin_anew();
        }
        self.chat = chat;
        if std::mem::take(&mut self.is_stale) {
            self.epoch += 1;
            if let Some(window) = &mut self.window {
                window.want_all_again();
            }
            self.receipts = None;
        }
        self.follow_receipts(limits);
    }

    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) const fn is_open(&self) -> bool {
        self.window.is_some()
    }

    pub(super) fn wanted_entries(&self, limit: PageLimit) -> Option<EntriesQuery> {
        self.window.as_ref()?.wanted(limit)
    }

    pub(super) fn wanted_receipts(&self, limit: PageLimit) -> Option<NamesQuery> {
        self.receipts.as_ref()?.wanted(limit)
    }

    pub(super) fn insert_entries(&mut self, page: EntryPage) {
        if let Some(window) = &mut self.window {
            window.insert(page);
        }
    }

    pub(super) fn insert_receipts(&mut self, page: ChatReceiptPage) {
        if let Some(receipts) = &mut self.receipts {
            receipts.insert(page);
        }
    }

    pub(super) fn refuse_entries(&mut self) {
        if let Some(window) = &mut self.window {
            window.refused();
        }
    }

    pub(super) fn refuse_receipts(&mut self) {
        self.receipts = None;
        self.no_receipts = true;
    }

    pub(super) fn want_older(&mut self) {
        if let Some(window) = &mut self.window {
            window.want_older();
        }
    }

    /// Opens the chat: its newest entries are to be read, and the receipts of a small group.
    pub(super) fn open(&mut self, limits: &Limits) {
        if self.window.is_none() {
            self.window = Some(Window::new());
        }
        self.follow_receipts(limits);
    }

    pub(super) fn close(&mut self) {
        self.epoch += 1;
        self.window = None;
        self.receipts = None;
        self.no_receipts = false;
    }

    fn begin_anew(&mut self) {
        self.epoch += 1;
        if self.window.is_some() {
            self.window = Some(Window::new());
        }
        self.receipts = None;
        self.no_receipts = false;
    }

    /// Receipts of a group are known while it is open, small, and the viewer in it. (RCP-11)
    fn follow_receipts(&mut self, limits: &Limits) {
        let small = self.chat.group.as_ref().is_some_and(|group| group.members_count <= limits.receipt_fanout_members);
        let follow = self.window.is_some()
            && small
            && !self.no_receipts
            && self.chat.kind == ChatKind::Group
            && self.chat.membership == Membership::Member;
        match (follow, &self.receipts) {
            (true, None) => {
                let let_in = newest_stretch(&self.chat).map_or(Watermark::ZERO, Watermark::from);
                self.receipts = Some(MemberReceipts::new(self.last_seq().max(let_in)));
            }
            (false, Some(_)) => {
                self.epoch += 1;
                self.receipts = None;
            }
            _ => {}
        }
    }
}

/// When a chat had its last entry, or was opened.
pub(super) fn active_at(chat: &Chat) -> Timestamp {
    match &chat.last_entry {
        Some(Entry::Message(message)) => message.created_at,
        Some(Entry::Activity(activity)) => activity.created_at,
        Some(Entry::Unknown(_)) | None => chat.opened_at,
    }
}

fn newest_stretch(chat: &Chat) -> Option<Seq> {
    chat.visible.last().map(|stretch| stretch.from)
}

/// The `seq` of the last entry, 0 when there is none.
fn last_seq(chat: &Chat) -> Watermark {
    chat.last_entry.as_ref().and_then(Entry::seq).map_or(Watermark::ZERO, Watermark::from)
}
