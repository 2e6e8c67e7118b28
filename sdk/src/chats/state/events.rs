//! What each event of a chat does to it.

use std::cmp::Ordering;

use i9chat_spec::{
    Activity, ActivityKind, Chat, Entry, Event, Limits, Message, Role, Seq, Watermark,
    event::{
        ChatAdded, EventData, GroupActivity, MembershipEnded, MessageCreated, ReactionChanged, ReadStateChanged,
        ReceiptsUpdated,
    },
};

use super::{super::window::react, ChatState, newest_stretch};

/// What an event means for the view besides what the chat has taken from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::chats) struct Effect {
    /// The chat goes to the front of the list. (CHT-5)
    pub(in crate::chats) to_front: bool,
    /// It cannot be told from the event what is now: the chat is to be read.
    pub(in crate::chats) needs_read: bool,
}

/// Whether an event of that name brings a chat to the front of the list: an entry, or an opening. (CHT-5)
pub(in crate::chats) fn moves_to_front(name: &str) -> bool {
    [MessageCreated::NAME, GroupActivity::NAME, ChatAdded::NAME].contains(&name)
}

impl ChatState {
    /// Whether an entry comes after all that are known, in the stretch that goes on.
    fn is_next(&self, seq: Seq) -> bool {
        Watermark::from(seq) > self.last_seq() && newest_stretch(&self.chat).is_none_or(|from| seq >= from)
    }

    /// Takes an event of this chat. One that is older than what was read does no harm. (LOG-9)
    pub(in crate::chats) fn apply(&mut self, event: &Event, limits: &Limits) -> Effect {
        let mut effect = Effect::default();
        match event {
            Event::MessageCreated(created) => {
                self.message(&created.message, limits);
                effect.to_front = true;
            }
            Event::GroupActivity(happened) => {
                effect.needs_read = !self.activity(&happened.activity, limits);
                effect.to_front = true;
            }
            Event::ChatAdded(added) => {
                effect.to_front = true;
                self.added(&added.chat, limits);
            }
            Event::MembershipEnded(ended) => self.membership_ended(ended),
            Event::ReadStateChanged(changed) => self.read_state(changed),
            Event::ReceiptsUpdated(updated) => self.receipts_updated(updated),
            Event::ReactionChanged(changed) => self.reaction(changed),
            Event::Unknown { name, .. } => {
                effect.needs_read = true;
                effect.to_front = moves_to_front(name);
            }
            Event::SessionEnded(_) | Event::ProfileChanged(_) | Event::PresenceChanged(_) | Event::Typing(_) => {}
        }
        effect
    }

    /// GRP-17. One of the stretch that is held, or of one before, says nothing new of the chat itself.
    fn added(&mut self, chat: &Chat, limits: &Limits) {
        match newest_stretch(chat).cmp(&newest_stretch(&self.chat)) {
            Ordering::Greater => {
                self.chat = chat.clone();
                self.is_stale = false;
                self.begin_anew();
                self.follow_receipts(limits);
            }
            // Reactions that were told before, and are told again now, may have changed while the user was out.
            Ordering::Equal if chat.visible.len() > 1 => {
                self.epoch += 1;
                if let Some(window) = &mut self.window {
                    window.want_all_again();
                }
            }
            Ordering::Equal | Ordering::Less => {}
        }
    }

    fn message(&mut self, message: &Message, limits: &Limits) {
        let entry = Entry::Message(message.clone());
        // Up to the last entry everything is counted already. (CHT-4)
        if self.is_next(message.seq) {
            if message.sender.user_id != self.viewer {
                self.chat.unread_count = (self.chat.unread_count + 1).min(limits.max_unread_count);
            }
            self.chat.last_entry = Some(entry.clone());
        }
        self.append(&entry);
    }

    /// Whether all of it was understood.
    fn activity(&mut self, activity: &Activity, limits: &Limits) -> bool {
        let entry = Entry::Activity(activity.clone());
        let mut understood = true;
        if self.is_next(activity.seq) {
            understood = self.change_group(activity);
            self.chat.last_entry = Some(entry.clone());
        }
        self.append(&entry);
        if let Some(receipts) = &mut self.receipts {
            receipts.apply(activity);
        }
        self.follow_receipts(limits);
        understood
    }

    /// GRP-21
    fn change_group(&mut self, activity: &Activity) -> bool {
        let viewer = self.viewer;
        let Some(group) = &mut self.chat.group else { return false };
        if let Some(count) = activity.members_count {
            group.members_count = count;
        }
        let to = activity.to.as_deref();
        let meant = activity.targets.iter().any(|user| user.user_id == viewer);
        let acted = activity.actor.user_id == viewer;
        match activity.kind {
            ActivityKind::GroupCreated | ActivityKind::NameChanged => match to.map(str::parse) {
                Some(Ok(name)) => group.name = name,
                _ => return false,
            },
            ActivityKind::DescriptionChanged => match to.unwrap_or_default().parse() {
                Ok(description) => group.description = description,
                Err(_) => return false,
            },
            ActivityKind::PictureChanged => match to.map(str::parse).transpose() {
                Ok(picture) => group.picture_id = picture,
                Err(_) => return false,
            },
            ActivityKind::MemberLeft if acted => group.role = None,
            ActivityKind::MemberRemoved if meant => group.role = None,
            ActivityKind::MemberJoined if acted => group.role = Some(Role::Member),
            ActivityKind::MembersAdded | ActivityKind::AdminRemoved if meant => group.role = Some(Role::Member),
            ActivityKind::AdminAdded | ActivityKind::AdminSucceeded if meant => group.role = Some(Role::Admin),
            ActivityKind::Unknown => return false,
            _ => {}
        }
        true
    }

    /// GRP-18. It is an older one when a later stretch is held, or when the end of this one is.
    fn membership_ended(&mut self, ended: &MembershipEnded) {
        if let Some(stretch) = self.chat.visible.last_mut()
            && stretch.to.is_none()
            && stretch.from <= ended.last_seq
        {
            stretch.to = Some(ended.last_seq);
            self.chat.membership = ended.membership;
            self.epoch += 1;
            self.receipts = None;
            if let Some(group) = &mut self.chat.group {
                group.role = None;
            }
        }
    }

    /// Watermarks never go back within a stretch (RCP-4), so one that is ahead says that the event is newer than what is held, and
    /// then its count is; one that is not says nothing, as later messages may be counted here. (RCP-10)
    fn read_state(&mut self, changed: &ReadStateChanged) {
        if changed.read > self.chat.read || changed.delivered > self.chat.delivered {
            self.chat.read = changed.read;
            self.chat.delivered = changed.delivered;
            self.chat.unread_count = changed.unread_count;
        }
    }

    fn receipts_updated(&mut self, updated: &ReceiptsUpdated) {
        let user = updated.user.user_id;
        if let Some(partner) = self.chat.partner.as_mut().filter(|partner| partner.user.user_id == user) {
            partner.delivered = partner.delivered.max(updated.delivered);
            partner.read = partner.read.max(updated.read);
        }
        if let Some(receipts) = &mut self.receipts {
            receipts.moved(user, updated.delivered, updated.read);
        }
    }

    fn reaction(&mut self, changed: &ReactionChanged) {
        if let Some(Entry::Message(last)) = &mut self.chat.last_entry {
            react(last, changed, self.viewer);
        }
        if let Some(window) = &mut self.window {
            window.react(changed, self.viewer);
        }
    }

    fn append(&mut self, entry: &Entry) {
        if let Some(window) = &mut self.window {
            window.append(entry);
        }
    }
}
