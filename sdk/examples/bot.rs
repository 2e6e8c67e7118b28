//! A bot that answers: whoever writes to it, or names it in a group, gets a reply, exactly once.
//!
//! ```text
//! cargo run -p i9chat-sdk --example bot -- http://127.0.0.1:8080 helper "its password"
//! ```
//!
//! It may be stopped and started at any time. Where it stands in the log is kept in `helper.cursor`, its session in `helper.session`:
//! the next run goes on after the last message that was answered. A crash between an answer and the note of it does no harm, for the
//! answer's `client_id` is made from the id of the message: sent again, it is the same answer, which is stored once.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use i9chat_sdk::{
    Client, Credentials, Error, FileStore, SessionStore, Update,
    content::IntoContent,
    spec::{Chat, ChatKind, ClientId, Cursor, Entry, Membership, Message, api::messages::NewMessage},
};
use uuid::Uuid;

/// Names the answers of this bot: a random UUID, made once for it.
const ANSWERS: Uuid = Uuid::from_u128(0x6f6b_9c1e_8f0d_4c58_a7be_3d2f_51c0_9e77);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, name, password] = arguments.as_slice() else {
        bail!("usage: bot SERVER NAME PASSWORD");
    };
    let place = Place { path: PathBuf::from(format!("{name}.cursor")) };
    let client = connect(server, name, password, place.load()?).await?;
    let bot = Bot { client, name: name.clone(), place };
    tokio::select! {
        done = bot.run() => done,
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

/// By the stored session if there is one, and from where the last run stopped.
async fn connect(server: &str, name: &str, password: &str, cursor: Option<Cursor>) -> anyhow::Result<Client> {
    let store = FileStore::new(format!("{name}.session"));
    let by_password = || Credentials::password(name, password).kept_in(store.clone());
    let credentials = if store.load()?.is_some() { Credentials::from_store(store.clone()) } else { by_password() };
    match connect_by(server, credentials, cursor.clone()).await {
        Err(error) if error.is_session_over() => Ok(connect_by(server, by_password(), cursor).await?),
        connected => Ok(connected?),
    }
}

async fn connect_by(server: &str, credentials: Credentials, cursor: Option<Cursor>) -> Result<Client, Error> {
    let builder = Client::builder(server, credentials).timeout(Duration::from_mins(5));
    match cursor {
        Some(cursor) => builder.resume_from(cursor).connect().await,
        None => builder.connect().await,
    }
}

struct Bot {
    client: Client,
    name: String,
    place: Place,
}

impl Bot {
    async fn run(self) -> anyhow::Result<()> {
        println!("{} is here", self.name);
        if self.place.load()?.is_none() {
            // The first run: what was written before it is answered too.
            self.catch_up().await?;
        }
        let mut updates = self.client.updates();
        while let Some(update) = updates.next().await {
            if update.needs_reread() {
                self.catch_up().await?;
            }
            if let Some(message) = update.message() {
                self.answer(message).await?;
            }
            self.note(&update)?;
        }
        bail!("the connection has ended: {}", *self.client.state().borrow())
    }

    /// Answers what was written in chats of two and not read by this bot, where events do not tell.
    async fn catch_up(&self) -> anyhow::Result<()> {
        let mut chats = self.client.chats().items();
        while let Some(chat) = chats.next().await {
            let chat = chat?;
            if chat.unread_count > 0 && chat.membership == Membership::Member {
                self.catch_up_in(&chat).await?;
            }
        }
        Ok(())
    }

    async fn catch_up_in(&self, chat: &Chat) -> anyhow::Result<()> {
        let mut missed = self.client.chat(chat.chat_id).entries_after(chat.read).items();
        while let Some(entry) = missed.next().await {
            if let Entry::Message(message) = entry? {
                self.answer(&message).await?;
            }
        }
        Ok(())
    }

    /// Answers a message, and marks it as read once the answer is stored.
    async fn answer(&self, message: &Message) -> anyhow::Result<()> {
        let is_own = message.sender.username.as_str().eq_ignore_ascii_case(&self.name);
        if is_own {
            return Ok(());
        }
        let chat = self.client.chat(message.chat_id);
        let text = message.content.text().unwrap_or_default();
        if self.is_meant(message, text).await? {
            let answer = NewMessage {
                client_id: ClientId::from_uuid(Uuid::new_v5(&ANSWERS, message.message_id.as_uuid().as_bytes())),
                content: answer_to(text).into_content()?,
                reply_to: Some(message.message_id),
            };
            match chat.send_message(answer).await {
                Ok(sent) => println!("answered {} with {}", message.message_id, sent.message_id),
                // As when it was removed from the group meanwhile: there is nobody to answer any more.
                Err(Error::Refused(problem)) => println!("not answered: {}", problem.detail),
                Err(error) => return Err(error.into()),
            }
        }
        match chat.mark_read(message.seq).await {
            Ok(_) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// In a chat of two every message is meant, in a group one that names the bot.
    async fn is_meant(&self, message: &Message, text: &str) -> anyhow::Result<bool> {
        let called = format!("@{}", self.name).to_lowercase();
        if text.to_lowercase().contains(&called) {
            return Ok(true);
        }
        match self.client.chat(message.chat_id).read().await {
            Ok(snapshot) => Ok(snapshot.chat.kind == ChatKind::Direct),
            Err(Error::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// All up to this update is answered.
    fn note(&self, update: &Update) -> anyhow::Result<()> {
        update.cursor().map_or(Ok(()), |cursor| self.place.save(cursor))
    }
}

/// What the bot has to say.
fn answer_to(text: &str) -> String {
    match text.trim() {
        "" => "I can only read texts.".to_owned(),
        "/ping" => "pong".to_owned(),
        text => format!("You wrote {} characters.", text.chars().count()),
    }
}

/// How far the bot has come in the log, kept between runs.
struct Place {
    path: PathBuf,
}

impl Place {
    fn load(&self) -> anyhow::Result<Option<Cursor>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(Some(text.trim().parse().map_err(Error::from)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| self.path.display().to_string()),
        }
    }

    /// Whole or not at all; a note that a crash of the machine undoes leads to answers that are repeated, and stored once.
    fn save(&self, cursor: &Cursor) -> anyhow::Result<()> {
        let fresh = Path::with_extension(&self.path, "cursor-new");
        std::fs::write(&fresh, cursor.as_str())?;
        std::fs::rename(&fresh, &self.path)?;
        Ok(())
    }
}
