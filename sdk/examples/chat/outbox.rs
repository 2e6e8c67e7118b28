//! What is on its way out: one after the other, so that all keeps its order, whatever happens.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use i9chat_sdk::{
    ChatHandle, Client,
    content::IntoContent,
    spec::{
        ClientId, MessageId, NewContent,
        api::messages::{MessageSent, NewMessage},
    },
    uploads::{Source, Upload},
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Something to send to a chat.
pub struct Outgoing {
    pub chat: ChatHandle,
    pub what: What,
    pub reply_to: Option<MessageId>,
}

pub enum What {
    Text(String),
    Picture { path: PathBuf, caption: Option<String> },
}

pub struct Outbox {
    outgoing: mpsc::Sender<Outgoing>,
    sending: JoinHandle<()>,
}

impl Outbox {
    /// The acknowledgements come by the channel, until it is full of what nobody reads.
    pub fn start(client: Client) -> (Self, mpsc::Receiver<MessageSent>) {
        let (outgoing, mut to_send) = mpsc::channel::<Outgoing>(256);
        let (acknowledged, sent) = mpsc::channel(256);
        let sending = tokio::spawn(async move {
            while let Some(next) = to_send.recv().await {
                let words = next.what.words();
                match send(&client, next).await {
                    Ok(sent) => {
                        println!("  ✓ {} {words}", sent.seq);
                        // At the end of the program nobody shows receipts any more.
                        drop(acknowledged.try_send(sent));
                    }
                    Err(error) => println!("  ✗ {words} ({error:#})"),
                }
            }
        });
        (Self { outgoing, sending }, sent)
    }

    pub async fn put(&self, outgoing: Outgoing) -> anyhow::Result<()> {
        self.outgoing.send(outgoing).await.context("sending has ended")
    }

    /// Waits until all is acknowledged or refused.
    pub async fn finish(self) -> anyhow::Result<()> {
        drop(self.outgoing);
        self.sending.await.context("sending")
    }
}

impl What {
    fn words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Picture { path, .. } => format!("[{}]", path.display()),
        }
    }
}

async fn send(client: &Client, outgoing: Outgoing) -> anyhow::Result<MessageSent> {
    let content = match outgoing.what {
        What::Text(text) => text.into_content()?,
        What::Picture { path, caption } => upload(client, &path, caption.as_deref()).await?,
    };
    let client_id = ClientId::from_uuid(uuid::Uuid::new_v4());
    let message = NewMessage { client_id, content, reply_to: outgoing.reply_to };
    Ok(outgoing.chat.send_message(message).await?)
}

/// Uploads a picture, which survives breaks, and says what the message is then.
async fn upload(client: &Client, path: &Path, caption: Option<&str>) -> anyhow::Result<NewContent> {
    let picture = Upload::image(Source::file(path), picture_type(path)?)?;
    let picture = client.upload(picture).await?.image();
    Ok(match caption {
        Some(caption) => picture.caption(caption).into_content()?,
        None => picture.into_content()?,
    })
}

/// The type of a picture by the end of its name.
pub fn picture_type(path: &Path) -> anyhow::Result<&'static str> {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    Ok(match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        _ => bail!("{} is no PNG, JPEG, WebP or AVIF by its name", path.display()),
    })
}
