//! What users do with messages: receipts, reactions and replies, as the cases tell it. (sections 10 and 11)

use serde_json::{Value, json};

use super::{
    conversation::{Draft, items_of, messages_of},
    user::{User, patiently},
};
use crate::{
    client::{Answer, Request},
    expect::{expect, list_at, text_at},
    verdict::{InSetup, Stop, Verdict},
};

impl User {
    /// The request that moves watermarks. (RCP-2)
    pub fn marking(&self, marks: &Value) -> Request {
        self.post("/v1/receipts", &json!({ "marks": marks }))
    }

    /// Moves watermarks in one chat, and answers the state that results. (RCP-5)
    pub async fn marks(&self, chat_id: &str, mark: Value) -> Verdict<Value> {
        let mut mark = mark;
        mark["chat_id"] = json!(chat_id);
        let answer = patiently(self.marking(&json!([mark]))).await?.succeeded(200)?;
        let results = list_at(&answer, "results")?;
        match results.as_slice() {
            [result] if result["chat_id"] == chat_id && result["state"].is_object() => Ok(result["state"].clone()),
            _ => Err(Stop::failed(format!("one state of the chat {chat_id}"), answer.to_string())),
        }
    }

    /// Has read a chat up to there. Inconclusive when that does not work.
    pub async fn has_read(&self, chat_id: &str, seq: u64) -> Verdict<Value> {
        self.marks(chat_id, json!({ "read": seq })).await.in_setup("marking as read")
    }

    /// Has got a chat up to there. Inconclusive when that does not work.
    pub async fn has_got(&self, chat_id: &str, seq: u64) -> Verdict<Value> {
        self.marks(chat_id, json!({ "delivered": seq })).await.in_setup("marking as delivered")
    }

    /// How far a message has come: the status as a whole, and each member's name and status. (RCP-8)
    pub async fn receipts_of(&self, chat_id: &str, message_id: &str) -> Verdict<(String, Vec<(String, String)>)> {
        let path = format!("{}/{message_id}/receipts", messages_of(chat_id));
        let pages = self.reads_pages(&path, "after").await?;
        let status = text_at(pages.first().unwrap_or(&Value::Null), "status")?;
        let mut members = Vec::new();
        for item in items_of(&pages)? {
            members.push((text_at(&item, "user.username")?, text_at(&item, "status")?));
        }
        Ok((status, members))
    }

    /// How far a message has come. (RCP-7)
    pub async fn status_of(&self, chat_id: &str, message_id: &str) -> Verdict<String> {
        Ok(self.receipts_of(chat_id, message_id).await?.0)
    }

    /// The request that sets a reaction. (REA-1)
    pub fn reacting(&self, chat_id: &str, message_id: &str, emoji: &str) -> Request {
        self.put(reaction_to(chat_id, message_id)).json(&json!({ "emoji": emoji }))
    }

    /// The request that removes a reaction. (REA-3)
    pub fn unreacting(&self, chat_id: &str, message_id: &str) -> Request {
        self.delete(reaction_to(chat_id, message_id))
    }

    /// Sets a reaction, and answers the reactions of the message. (REA-1)
    pub async fn reacts(&self, chat_id: &str, message_id: &str, emoji: &str) -> Verdict<Value> {
        Ok(patiently(self.reacting(chat_id, message_id, emoji)).await?.succeeded(200)?["reactions"].take())
    }

    /// Removes the reaction, and answers the reactions of the message. (REA-3)
    pub async fn unreacts(&self, chat_id: &str, message_id: &str) -> Verdict<Value> {
        Ok(patiently(self.unreacting(chat_id, message_id)).await?.succeeded(200)?["reactions"].take())
    }

    /// Who reacted to a message with what, in the order of the list. (REA-5)
    pub async fn reactions_of(&self, chat_id: &str, message_id: &str) -> Verdict<Vec<(String, String)>> {
        let path = format!("{}/{message_id}/reactions", messages_of(chat_id));
        let mut found = Vec::new();
        for item in items_of(&self.reads_pages(&path, "after").await?)? {
            found.push((text_at(&item, "user.username")?, text_at(&item, "emoji")?));
        }
        Ok(found)
    }

    /// One message, as it is read. (MSG-11)
    pub async fn message(&self, chat_id: &str, message_id: &str) -> Verdict<Value> {
        self.reads(format!("{}/{message_id}", messages_of(chat_id))).await
    }

    /// Sends a message, and answers its id. Inconclusive when that does not work.
    pub async fn writes(&self, chat_id: &str, text: &str) -> Verdict<String> {
        let sent = self.says(chat_id, [text]).await?;
        text_at(sent.first().unwrap_or(&Value::Null), "message_id").in_setup("sending a message")
    }

    /// Replies to a message; the answer is for the case to judge. (MSG-15)
    pub async fn replies(&self, chat_id: &str, draft: &Draft, reply_to: &str) -> Verdict<Answer> {
        let mut body = draft.body();
        body["reply_to"] = json!(reply_to);
        patiently(self.post(messages_of(chat_id), &body)).await
    }

    /// The chat's last entry is at that place, so that a case may count from there.
    pub async fn is_at(&self, chat_id: &str, seq: u64) -> Verdict {
        expect(&self.chat(chat_id).await?["last_entry"]["seq"]).to_equal(seq)
    }
}

/// The path of one's reaction to a message.
pub fn reaction_to(chat_id: &str, message_id: &str) -> String {
    format!("{}/{message_id}/reaction", messages_of(chat_id))
}
