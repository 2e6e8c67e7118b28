//! What somebody hears from the beginning to the end.

use std::collections::HashMap;

use i9chat_sdk::{
    Client, Update,
    spec::{ChatId, MessageId, ReactionCount, Seq, UserId, Watermark},
};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use tokio_util::task::AbortOnDropHandle;

use crate::histories::Line;

/// Follows the events of a client.
pub struct Listener {
    latest: watch::Receiver<Latest>,
    until: watch::Sender<Until>,
    task: AbortOnDropHandle<Heard>,
}

/// The last message of each chat.
pub type Latest = HashMap<ChatId, (MessageId, Seq)>;

/// The place in each chat up to which is listened; nowhere as long as there is no end.
type Until = Option<HashMap<ChatId, u64>>;

/// Everything that was heard.
#[derive(Debug, Default)]
pub struct Heard {
    /// The entries, as they came.
    pub entries: Vec<(ChatId, Line)>,
    /// The reactions of each message, as they were told last.
    pub reactions: HashMap<MessageId, Vec<ReactionCount>>,
    /// How far each member is, as it was told last.
    pub receipts: HashMap<(ChatId, UserId), (Watermark, Watermark)>,
}

impl Listener {
    pub fn start(client: &Client) -> Self {
        let (until, untils) = watch::channel(None);
        let (shown, latest) = watch::channel(Latest::new());
        let task = AbortOnDropHandle::new(tokio::spawn(listen(client.clone(), shown, untils)));
        Self { latest, until, task }
    }

    /// The last message of each chat, as it comes.
    pub fn latest(&self) -> watch::Receiver<Latest> {
        self.latest.clone()
    }

    /// Everything up to these places, which have to be reached in time.
    pub async fn heard(self, until: HashMap<ChatId, u64>, in_time: Instant) -> Option<Heard> {
        self.until.send_replace(Some(until));
        timeout_at(in_time, self.task).await.ok().map(Result::unwrap)
    }
}

async fn listen(client: Client, latest: watch::Sender<Latest>, mut untils: watch::Receiver<Until>) -> Heard {
    let mut updates = client.updates();
    let mut heard = Heard::default();
    loop {
        if untils.borrow_and_update().as_ref().is_some_and(|until| heard.reaches(until)) {
            return heard;
        }
        tokio::select! {
            update = updates.next() => {
                let update = update.expect("the client goes on");
                assert!(!matches!(update, Update::Limited { .. } | Update::Reset { .. }), "{update:?}");
                if let Some(message) = update.message() {
                    let place = (message.message_id, message.seq);
                    latest.send_modify(|latest| {
                        latest.insert(message.chat_id, place);
                    });
                }
                heard.take(&update);
            }
            // The other end is there as long as anybody wants to know.
            Ok(()) = untils.changed() => {}
        }
    }
}

impl Heard {
    fn take(&mut self, update: &Update) {
        self.entries.extend(Line::heard(update));
        if let Some(changed) = update.reaction() {
            self.reactions.insert(changed.message_id, changed.reactions.clone());
        }
        if let (Some(updated), Some(chat_id)) = (update.receipts(), update.chat_id()) {
            let now = (updated.delivered, updated.read);
            let before = self.receipts.insert((chat_id, updated.user.user_id), now).unwrap_or_default();
            assert!(before.0 <= now.0 && before.1 <= now.1, "watermarks go back from {before:?} to {now:?}");
        }
    }

    fn reaches(&self, until: &HashMap<ChatId, u64>) -> bool {
        until
            .iter()
            .all(|(chat_id, seq)| self.entries.iter().rev().any(|(chat, line)| chat == chat_id && line.seq >= *seq))
    }

    /// The entries of one chat.
    pub fn of(&self, chat_id: ChatId) -> Vec<Line> {
        self.entries.iter().filter(|(chat, _)| *chat == chat_id).map(|(_, line)| line.clone()).collect()
    }
}
