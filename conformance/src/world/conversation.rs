//! What users do with chats and messages, as the cases tell it.

use i9chat_spec::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::user::{User, patiently};
use crate::{
    client::{Answer, Request, Socket},
    expect::{check, list_at, text_at},
    journal::shown,
    verdict::{InSetup, Stop, Verdict},
};

/// How many messages a writer of many has unacknowledged.
const AT_ONCE: usize = 50;

/// A message that may be sent: its text, and the id that makes a retry harmless. (MSG-6)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The id.
    pub client_id: String,
    /// The text.
    pub text: String,
}

impl Draft {
    /// A message with an id that no message had before.
    pub fn new(text: impl Into<String>) -> Self {
        Self { client_id: Uuid::new_v4().to_string(), text: text.into() }
    }

    /// The same id with another text.
    #[must_use]
    pub fn with_text(&self, text: impl Into<String>) -> Self {
        Self { client_id: self.client_id.clone(), text: text.into() }
    }

    /// The body that sends it. (MSG-1)
    pub fn body(&self) -> Value {
        json!({ "client_id": self.client_id, "content": self.content() })
    }

    /// What it says. (MSG-3)
    pub fn content(&self) -> Value {
        json!({ "kind": "text", "text": self.text })
    }

    /// The frame that sends it to a chat; its client id is the frame's id too. (MSG-1)
    pub fn frame(&self, chat_id: &str) -> Value {
        self.frame_with_id(&self.client_id, chat_id)
    }

    /// The frame that sends it to a chat, with another id.
    pub fn frame_with_id(&self, id: &str, chat_id: &str) -> Value {
        let data = json!({ "chat_id": chat_id, "client_id": self.client_id, "content": self.content() });
        json!({ "id": id, "action": "send_message", "data": data })
    }
}

/// The path of a chat's messages.
pub fn messages_of(chat_id: &str) -> String {
    format!("/v1/chats/{chat_id}/messages")
}

impl User {
    /// Opens the direct chat with another user, and answers its id. Inconclusive when that does not work.
    pub async fn opens_direct_chat_with(&self, other: &Self) -> Verdict<String> {
        let opened = self.puts_direct(&other.username).await.in_setup("opening a chat")?;
        let opened = opened.succeeded(200).in_setup("opening a chat")?;
        text_at(&opened, "chat.chat_id").in_setup("opening a chat")
    }

    /// Asks for the direct chat with a user of that name. (CHT-1)
    pub async fn puts_direct(&self, username: &str) -> Verdict<Answer> {
        patiently(self.put(format!("/v1/direct/{username}"))).await
    }

    /// The request that sends a message to a chat.
    pub fn sending(&self, chat_id: &str, draft: &Draft) -> Request {
        self.post(messages_of(chat_id), &draft.body())
    }

    /// Sends a message to a chat, and answers the acknowledgement. (MSG-1)
    pub async fn sends(&self, chat_id: &str, draft: &Draft) -> Verdict<Value> {
        patiently(self.sending(chat_id, draft)).await?.succeeded(201)
    }

    /// Sends new messages of these texts, one after the other. Inconclusive when that does not work.
    pub async fn says<T: AsRef<str>>(&self, chat_id: &str, texts: impl IntoIterator<Item = T>) -> Verdict<Vec<Value>> {
        let mut acknowledged = Vec::new();
        for text in texts {
            acknowledged.push(self.sends(chat_id, &Draft::new(text.as_ref())).await.in_setup("sending a message")?);
        }
        Ok(acknowledged)
    }

    /// Reads something that must be there.
    pub async fn reads(&self, path: impl Into<String>) -> Verdict<Value> {
        patiently(self.get(path)).await?.succeeded(200)
    }

    /// Reads a list to its end, page by page; answers the pages. `parameter` is the one that takes `next`. (CNV-11)
    pub async fn reads_pages(&self, path: &str, parameter: &str) -> Verdict<Vec<Value>> {
        let mut pages = Vec::new();
        let mut page = self.reads(path).await?;
        // More pages than this are no list that a case made.
        while pages.len() < 2000 {
            let next = match &page["next"] {
                Value::String(next) => next.clone(),
                Value::Number(next) => next.to_string(),
                _ => {
                    pages.push(page);
                    return Ok(pages);
                }
            };
            pages.push(page);
            let mark = if path.contains('?') { '&' } else { '?' };
            page = self.reads(format!("{path}{mark}{parameter}={next}")).await?;
        }
        Err(Stop::failed("a list that ends", format!("{} pages, and more", pages.len())))
    }

    /// The whole history of a chat, oldest first. (MSG-10)
    pub async fn history(&self, chat_id: &str) -> Verdict<Vec<Value>> {
        let path = format!("/v1/chats/{chat_id}/entries");
        let mut items = items_of(&self.reads_pages(&path, "before").await?)?;
        items.reverse();
        Ok(items)
    }

    /// One of the user's chats. (CHT-6)
    pub async fn chat(&self, chat_id: &str) -> Verdict<Value> {
        Ok(self.reads(format!("/v1/chats/{chat_id}")).await?["chat"].take())
    }

    /// The place where the log ends now. (RSM-9)
    pub async fn present_cursor(&self) -> Verdict<String> {
        text_at(&self.reads("/v1/events").await?, "cursor")
    }

    /// Writes so many messages to a chat over a connection of its own, as quickly as the server's limits let it.
    /// Inconclusive when that does not work.
    pub async fn writes_many(&self, chat_id: &str, count: usize) -> Verdict {
        let mut socket = self.connects().await?;
        let mut waiting: Vec<Draft> = (1..=count).map(|number| Draft::new(format!("number {number}"))).collect();
        waiting.reverse();
        while !waiting.is_empty() {
            let now = waiting.split_off(waiting.len().saturating_sub(AT_ONCE));
            for draft in now.iter().rev() {
                socket.sends(&draft.frame(chat_id)).await?;
            }
            let mut pause = None;
            for answer in answers(&mut socket, now.len()).await.in_setup("writing many messages")? {
                if answer["error"]["code"] == ErrorCode::RateLimited.as_str() {
                    pause = pause.max(answer["error"]["retry_after_ms"].as_u64());
                    waiting.extend(now.iter().find(|draft| answer["id"] == draft.client_id.as_str()).cloned());
                } else {
                    check(answer["type"] == "reply", || ("a reply", shown(&answer)))
                        .in_setup("writing many messages")?;
                }
            }
            if let Some(pause) = pause {
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
        }
        Ok(())
    }
}

/// The items of all pages, in order. (CNV-11)
pub fn items_of(pages: &[Value]) -> Verdict<Vec<Value>> {
    let mut items = Vec::new();
    for page in pages {
        items.extend_from_slice(list_at(page, "items")?);
    }
    Ok(items)
}

/// Reads so many answers from a socket, to whatever they are.
pub async fn answers(socket: &mut Socket, count: usize) -> Verdict<Vec<Value>> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let wanted = format!("{count} answers ({} came)", found.len());
        found.push(socket.until(&wanted, |frame| matches!(frame["type"].as_str(), Some("reply" | "error"))).await?);
    }
    Ok(found)
}

/// The messages of events, in order; other events are left out. (LOG-6)
pub fn messages_in(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["event"] == "message_created").map(|event| &event["data"]["message"]).collect()
}

/// The `seq` of entries or acknowledgements, in order. (MSG-4)
pub fn seqs<'v>(entries: impl IntoIterator<Item = &'v Value>) -> Vec<u64> {
    entries.into_iter().map(|entry| entry["seq"].as_u64().unwrap_or_default()).collect()
}

/// The texts of entries, in order. (MSG-3)
pub fn texts<'v>(entries: impl IntoIterator<Item = &'v Value>) -> Vec<&'v str> {
    entries.into_iter().map(|entry| entry["content"]["text"].as_str().unwrap_or_default()).collect()
}
