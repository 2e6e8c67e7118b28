use std::collections::HashMap;

use i9chat_spec::{ChatId, MessageId};
use serde_json::Value;

use crate::{
    act::Act,
    model::{no_chat, no_message},
};

/// Which id of the server is which of the model.
#[derive(Debug, Default)]
pub struct Names {
    to_model: HashMap<String, String>,
    to_server: HashMap<String, String>,
}

impl Names {
    /// Notes that two ids name the same; each always names the same one.
    pub fn learn(&mut self, server: &Value, model: &Value) {
        let (server, model) = (server.as_str().unwrap().to_owned(), model.as_str().unwrap().to_owned());
        let known = self.to_model.insert(server.clone(), model.clone());
        assert!(known.is_none_or(|known| known == model), "the server has used the id {server} for two things");
        let known = self.to_server.insert(model, server.clone());
        assert!(known.is_none_or(|known| known == server), "the server has given {server} a second id");
    }

    /// What the server said, with the ids of the model.
    pub fn translate(&self, said: Value) -> Value {
        match said {
            Value::String(text) => Value::String(self.to_model.get(&text).cloned().unwrap_or(text)),
            Value::Array(items) => items.into_iter().map(|item| self.translate(item)).collect(),
            Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, self.translate(value))).collect(),
            other => other,
        }
    }

    /// A chat as the server calls it. One that nobody has keeps its name.
    pub fn chat(&self, chat_id: ChatId) -> ChatId {
        self.to_server.get(&chat_id.to_string()).map_or(chat_id, |id| id.parse().unwrap())
    }

    /// A message as the server calls it.
    pub fn message(&self, message_id: MessageId) -> MessageId {
        self.to_server.get(&message_id.to_string()).map_or(message_id, |id| id.parse().unwrap())
    }

    /// Whether the server knows what an act names, or nobody does.
    pub fn know(&self, act: &Act) -> bool {
        let message = match act {
            Act::Send { reply_to, .. } => *reply_to,
            Act::React { message_id, .. } => Some(*message_id),
            _ => None,
        };
        let chats = act.chats().into_iter().filter(|chat_id| *chat_id != no_chat()).map(|chat_id| chat_id.to_string());
        let message = message.filter(|id| *id != no_message()).map(|message_id| message_id.to_string());
        chats.chain(message).all(|id| self.to_server.contains_key(&id))
    }

    /// What the server is asked for, in its words.
    pub fn act(&self, act: &Act) -> Act {
        let mut act = act.clone();
        match &mut act {
            Act::OpenDirect { .. } | Act::CreateGroup { .. } => {}
            Act::Mark { marks } => marks.iter_mut().for_each(|mark| mark.chat_id = self.chat(mark.chat_id)),
            Act::Send { chat_id, reply_to, .. } => {
                *chat_id = self.chat(*chat_id);
                *reply_to = reply_to.map(|message_id| self.message(message_id));
            }
            Act::React { chat_id, message_id, .. } => {
                *chat_id = self.chat(*chat_id);
                *message_id = self.message(*message_id);
            }
            Act::Join { chat_id }
            | Act::Leave { chat_id }
            | Act::Add { chat_id, .. }
            | Act::Remove { chat_id, .. }
            | Act::ChangeAdmin { chat_id, .. }
            | Act::Update { chat_id, .. } => *chat_id = self.chat(*chat_id),
        }
        act
    }
}
