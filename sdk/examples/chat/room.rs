//! The chat that is open: what was shown of it, and how far the others are.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use i9chat_sdk::{
    ChatHandle, Client, Error, GroupHandle, Update,
    spec::{
        ActivityKind, ChatKind, Entry, ErrorCode, MessageId, Seq, UserId, Watermark,
        api::{messages::MessageSent, users::OwnProfile},
    },
};

use crate::{
    input::Input,
    options::Place,
    screen::{line, plain},
};

/// Entries of the past that are shown at the start.
const SHOWN_AT_START: usize = 20;

pub struct Room {
    me: UserId,
    title: String,
    pub chat: ChatHandle,
    /// There when it is a group.
    pub group: Option<GroupHandle>,
    shown: Watermark,
    /// Which message stands at a number.
    messages: BTreeMap<Seq, MessageId>,
    /// One's own messages, whose receipts are shown.
    own: Vec<Seq>,
    /// How far each of the others is.
    others: HashMap<UserId, (Watermark, Watermark)>,
    told: (Option<Seq>, Option<Seq>),
    typing: HashMap<UserId, Instant>,
}

/// Goes to a chat; `None` when the input ends before there is one.
pub async fn enter(client: &Client, me: &OwnProfile, place: &Place, input: &mut Input) -> anyhow::Result<Option<Room>> {
    match place {
        Place::With(partner) => Ok(open(client, partner, input).await?.map(|chat| Room::direct(me, partner, chat))),
        Place::Group(id) => Ok(Some(join(client, me, id).await?)),
        Place::NewGroup(name) => {
            let created = client.create_group(name).await?;
            Ok(Some(Room::group(me, name, created.group)))
        }
    }
}

/// A group by its id, joined if need be.
pub async fn join(client: &Client, me: &OwnProfile, id: &str) -> anyhow::Result<Room> {
    let group = client.group(id.parse().map_err(Error::from)?);
    let info = group.info().await?;
    if info.role.is_none() {
        group.join().await?;
    }
    Ok(Room::group(me, &plain(info.name.as_str()), group))
}

/// The chat with the partner, who may still be signing up.
async fn open(client: &Client, partner: &str, input: &mut Input) -> anyhow::Result<Option<ChatHandle>> {
    let mut told = false;
    loop {
        match client.direct(partner).await {
            Err(error) if error.code() == Some(ErrorCode::UserNotFound) => {
                if !std::mem::replace(&mut told, true) {
                    println!("* {partner} has no account yet; waiting");
                }
            }
            opened => return Ok(Some(opened?)),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            line = input.lines.recv() => match line.as_deref() {
                None | Some("/quit") => return Ok(None),
                Some(_) => println!("* not sent: {partner} has no account yet"),
            },
        }
    }
}

impl Room {
    pub fn direct(me: &OwnProfile, partner: &str, chat: ChatHandle) -> Self {
        Self {
            me: me.user_id,
            title: partner.to_owned(),
            chat,
            group: None,
            shown: Watermark::ZERO,
            messages: BTreeMap::new(),
            own: Vec::new(),
            others: HashMap::new(),
            told: (None, None),
            typing: HashMap::new(),
        }
    }

    pub fn group(me: &OwnProfile, name: &str, group: GroupHandle) -> Self {
        let chat = group.chat().clone();
        Self { title: format!("the group {name}"), group: Some(group), ..Self::direct(me, name, chat) }
    }

    /// Says where one is, and shows the latest of it.
    pub async fn greet(&mut self) -> Result<(), Error> {
        match &self.group {
            None => println!("* You chat with {}. Type a line to send it, /quit to leave, /help for more.", self.title),
            Some(group) => println!("* You chat in {}. Others join it with: --group {}", self.title, group.id()),
        }
        self.read_receipts().await?;
        self.show_history().await
    }

    /// The message at a number.
    pub fn message(&self, number: Seq) -> Option<MessageId> {
        self.messages.get(&number).copied()
    }

    /// A message of one's own is acknowledged.
    pub fn sent(&mut self, sent: &MessageSent) {
        if sent.chat_id == self.chat.id() {
            self.messages.insert(sent.seq, sent.message_id);
            self.own.push(sent.seq);
            self.show_receipts();
        }
    }

    /// Shows what an update means here.
    pub async fn hears(&mut self, update: &Update) -> Result<(), Error> {
        if update.needs_reread() {
            println!("* some of it was missed; reading again");
            if matches!(update, Update::Reset { .. }) {
                self.shown = Watermark::ZERO;
            }
            self.read_receipts().await?;
            return self.show_history().await;
        }
        if let Some(chat) =
            update.chat_added().filter(|chat| chat.kind == ChatKind::Group && chat.chat_id != self.chat.id())
        {
            let name = chat.group.as_ref().map_or("", |group| group.name.as_str());
            println!("* You are in the group {} now; /group {} goes there.", plain(name), chat.chat_id);
        }
        if update.chat_id() != Some(self.chat.id()) {
            return Ok(());
        }
        if let Some(message) = update.message() {
            self.typing.remove(&message.sender.user_id);
            self.show(&Entry::Message(message.clone()));
        } else if let Some(activity) = update.activity() {
            self.show(&Entry::Activity(activity.clone()));
            // With the members changes whose receipts count.
            if !matches!(activity.kind, ActivityKind::NameChanged | ActivityKind::DescriptionChanged) {
                self.read_receipts().await?;
            }
        } else if let Some(receipts) = update.receipts().filter(|receipts| receipts.user.user_id != self.me) {
            self.others.insert(receipts.user.user_id, (receipts.delivered, receipts.read));
            self.show_receipts();
        } else if let Some(reaction) = update.reaction().filter(|reaction| reaction.user.user_id != self.me) {
            match &reaction.emoji {
                Some(emoji) => println!("* {} {emoji} to {}", reaction.user.username, reaction.seq),
                None => println!("* {} took the reaction to {} back", reaction.user.username, reaction.seq),
            }
        } else if let Some(typing) = update.typing() {
            let until = Instant::now() + Duration::from_millis(typing.expires_in_ms);
            // It is said again while it goes on, and printed once.
            if self.typing.insert(typing.user.user_id, until).is_none_or(|before| before < Instant::now()) {
                println!("* {} is typing …", typing.user.username);
            }
        }
        Ok(())
    }

    /// Shows the newest entries that were not shown, oldest first.
    async fn show_history(&mut self) -> Result<(), Error> {
        let Some(page) = self.chat.history().next().await else { return Ok(()) };
        let newest: Vec<Entry> = page?.items.into_iter().take(SHOWN_AT_START).collect();
        for entry in newest.iter().rev() {
            if let Some(message) = entry.as_message().filter(|message| message.sender.user_id == self.me)
                && Watermark::from(message.seq) > self.shown
            {
                println!("{}", line(entry, self.me));
            }
            self.show(entry);
        }
        self.show_receipts();
        Ok(())
    }

    /// History and updates overlap: what was shown is not shown again. One's own messages are shown by their acknowledgement.
    fn show(&mut self, entry: &Entry) {
        let Some(seq) = entry.seq().filter(|seq| Watermark::from(*seq) > self.shown) else { return };
        self.shown = seq.into();
        if let Some(message) = entry.as_message() {
            self.messages.insert(seq, message.message_id);
            if message.sender.user_id == self.me {
                self.own.push(seq);
                return;
            }
        }
        println!("{}", line(entry, self.me));
        let chat = self.chat.clone();
        tokio::spawn(async move {
            if let Err(error) = chat.mark_read(seq).await {
                tracing::debug!(%error, "not marked as read");
            }
        });
    }

    async fn read_receipts(&mut self) -> Result<(), Error> {
        self.others.clear();
        let mut receipts = self.chat.receipts().items();
        while let Some(receipt) = receipts.next().await {
            match receipt {
                Ok(receipt) if receipt.user.user_id == self.me => {}
                Ok(receipt) => drop(self.others.insert(receipt.user.user_id, (receipt.delivered, receipt.read))),
                // Whoever is no member any more sees no receipts.
                Err(error) if error.code() == Some(ErrorCode::NotMember) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Says of the latest message of one's own that everybody has got, or has read, that it is so: once.
    fn show_receipts(&mut self) {
        let latest = |up_to: Option<Watermark>| {
            let up_to = up_to?;
            self.own.iter().copied().filter(|seq| Watermark::from(*seq) <= up_to).max()
        };
        let delivered = latest(self.others.values().map(|(delivered, _)| *delivered).min());
        let read = latest(self.others.values().map(|(_, read)| *read).min());
        if let Some(seq) = read.filter(|_| read > self.told.1) {
            println!("  ✓✓ {seq} read");
        } else if let Some(seq) = delivered.filter(|_| delivered > self.told.0) {
            println!("  ✓✓ {seq} delivered");
        }
        self.told = (delivered.max(self.told.0), read.max(self.told.1));
    }
}
