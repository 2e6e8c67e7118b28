//! What a client holds, and keeps up to date by the events that it gets. (LOG-9, GRP-17 to GRP-21)

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{User, World, conversation::items_of};
use crate::{
    expect::{expect, text_at},
    verdict::Verdict,
};

/// A client's view of its chats: read once, then kept up to date by events alone.
#[derive(Debug)]
pub struct Held<'u> {
    user: &'u User,
    most_unread: u64,
    chats: BTreeMap<String, HeldChat>,
    profile: Value,
    cursor: String,
}

/// A chat as it is held: as a list shows it, and its entries.
#[derive(Debug, Clone, PartialEq)]
struct HeldChat {
    chat: Value,
    entries: BTreeMap<u64, Value>,
}

impl<'u> Held<'u> {
    /// Reads everything, chats in pages of that size; what others do meanwhile comes by events.
    pub async fn read(world: &World, user: &'u User, limit: u64) -> Verdict<Self> {
        let pages = user.reads_pages(&format!("/v1/chats?limit={limit}"), "after").await?;
        let mut held = Self {
            user,
            most_unread: world.limits().max_unread_count,
            chats: BTreeMap::new(),
            profile: user.reads("/v1/me").await?,
            // Later pages are newer: events that are older than they are do no harm.
            cursor: text_at(pages.first().unwrap_or(&Value::Null), "cursor")?,
        };
        for chat in items_of(&pages)? {
            held.takes(chat).await?;
        }
        Ok(held)
    }

    /// Holds one chat alone, as it was read with its cursor. (CHT-6, CHT-7)
    pub async fn of_chat(world: &World, user: &'u User, mut snapshot: Value) -> Verdict<Self> {
        let mut held = Self {
            user,
            most_unread: world.limits().max_unread_count,
            chats: BTreeMap::new(),
            profile: user.reads("/v1/me").await?,
            cursor: text_at(&snapshot, "cursor")?,
        };
        held.takes(snapshot["chat"].take()).await?;
        Ok(held)
    }

    /// Takes a chat as it was read, and reads its entries. Of two pages that show a chat the later one counts.
    async fn takes(&mut self, chat: Value) -> Verdict {
        let chat_id = text_at(&chat, "chat_id")?;
        let entries = self.user.history(&chat_id).await?;
        let entries = entries.into_iter().map(|entry| (seq(&entry), entry)).collect();
        self.chats.insert(chat_id, HeldChat { chat, entries });
        Ok(())
    }

    /// Where the events begin that this has not yet seen.
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    /// Reads the events that this has not yet seen, and applies them. (RSM-9)
    pub async fn catches_up(&mut self) -> Verdict {
        let events = self.user.events_after(&self.cursor).await?;
        self.applies(&events).await
    }

    /// Applies events, in order.
    pub async fn applies(&mut self, events: &[Value]) -> Verdict {
        for event in events {
            self.apply(event).await?;
            if let Some(cursor) = event["cursor"].as_str() {
                cursor.clone_into(&mut self.cursor);
            }
        }
        Ok(())
    }

    async fn apply(&mut self, event: &Value) -> Verdict {
        let data = &event["data"];
        match event["event"].as_str().unwrap_or_default() {
            "chat_added" => return self.takes(data["chat"].clone()).await,
            "profile_changed" => {
                for field in ["bio", "picture_id", "location"] {
                    put(&mut self.profile, field, data.get(field));
                }
                return Ok(());
            }
            _ => {}
        }
        // What is addressed to a user names its chat within.
        let Some(chat_id) = event["chat_id"].as_str().or(data["chat_id"].as_str()) else { return Ok(()) };
        if !self.chats.contains_key(chat_id) {
            let chat = self.user.chat(chat_id).await?;
            self.takes(chat).await?;
        }
        let (most_unread, me) = (self.most_unread, self.user.user_id.as_str());
        let Some(held) = self.chats.get_mut(chat_id) else { return Ok(()) };
        match event["event"].as_str().unwrap_or_default() {
            "message_created" => held.message(&data["message"], me, most_unread),
            "group_activity" => held.activity(&data["activity"], me),
            "reaction_changed" => held.reaction(data, me),
            "receipts_updated" => held.receipts(data),
            "read_state_changed" => held.read_state(data),
            "membership_ended" => held.ended(data),
            _ => {}
        }
        Ok(())
    }

    /// Reads everything anew: it must be what is held.
    pub async fn equals_a_fresh_read(&self, world: &World) -> Verdict {
        let fresh = Self::read(world, self.user, world.limits().max_page_items).await?;
        for (chat_id, fresh) in &fresh.chats {
            let held = self.chats.get(chat_id);
            expect(held.map(|held| &held.chat)).to_equal(&fresh.chat)?;
            expect(held.map(|held| &held.entries)).to_equal(&fresh.entries)?;
        }
        expect(self.chats.keys().collect::<Vec<_>>()).to_equal(fresh.chats.keys().collect::<Vec<_>>())?;
        expect(&self.profile).to_equal(&fresh.profile)
    }
}

impl HeldChat {
    fn last_seq(&self) -> u64 {
        seq(&self.chat["last_entry"])
    }

    /// An entry that may have been read already, with what became of it since.
    fn entry(&mut self, entry: &Value) -> bool {
        self.entries.entry(seq(entry)).or_insert_with(|| entry.clone());
        let is_new = seq(entry) > self.last_seq();
        if is_new {
            self.chat["last_entry"] = entry.clone();
        }
        is_new
    }

    fn message(&mut self, message: &Value, me: &str, most_unread: u64) {
        if self.entry(message) && message["sender"]["user_id"] != me {
            let unread = self.chat["unread_count"].as_u64().unwrap_or(0) + 1;
            self.chat["unread_count"] = json!(unread.min(most_unread));
        }
    }

    /// Applied although it may be older than what was read: whatever is newer than it follows. (GRP-21)
    fn activity(&mut self, activity: &Value, me: &str) {
        self.entry(activity);
        let group = &mut self.chat["group"];
        let to = activity.get("to");
        match activity["kind"].as_str().unwrap_or_default() {
            "name_changed" => put(group, "name", to),
            "description_changed" => put(group, "description", to),
            "picture_changed" => put(group, "picture_id", to),
            kind @ ("admin_added" | "admin_removed" | "admin_succeeded") => {
                let mut targets = activity["targets"].as_array().into_iter().flatten();
                if targets.any(|target| target["user_id"] == me) {
                    group["role"] = json!(if kind == "admin_removed" { "member" } else { "admin" });
                }
            }
            _ => {}
        }
        if let Some(count) = activity.get("members_count") {
            group["members_count"] = count.clone();
        }
    }

    fn reaction(&mut self, data: &Value, me: &str) {
        let is_mine = data["user"]["user_id"] == me;
        let reactions = data.get("reactions").filter(|reactions| **reactions != json!([]));
        let change = |message: &mut Value| {
            if message["message_id"] == data["message_id"] {
                put(message, "reactions", reactions);
                if is_mine {
                    put(message, "own_reaction", data.get("emoji"));
                }
            }
        };
        if let Some(last_entry) = self.chat.get_mut("last_entry") {
            change(last_entry);
        }
        if let Some(entry) = self.entries.get_mut(&seq(data)) {
            change(entry);
        }
    }

    fn receipts(&mut self, data: &Value) {
        let Some(partner) = self.chat.get_mut("partner") else { return };
        if partner["user"]["user_id"] == data["user"]["user_id"] {
            for name in ["delivered", "read"] {
                let most = partner[name].as_u64().max(data[name].as_u64());
                partner[name] = json!(most);
            }
        }
    }

    /// A watermark never goes back, so what is not ahead is older than what was read. (RCP-4)
    fn read_state(&mut self, data: &Value) {
        let is_ahead = ["delivered", "read"].iter().any(|name| data[*name].as_u64() > self.chat[*name].as_u64());
        if is_ahead {
            for name in ["delivered", "read", "unread_count"] {
                self.chat[name] = data[name].clone();
            }
        }
    }

    fn ended(&mut self, data: &Value) {
        self.chat["membership"] = data["membership"].clone();
        put(&mut self.chat["group"], "role", None);
        if let Some(stretch) = self.chat["visible"].as_array_mut().and_then(|visible| visible.last_mut()) {
            stretch["to"] = data["last_seq"].clone();
        }
    }
}

fn seq(entry: &Value) -> u64 {
    entry["seq"].as_u64().unwrap_or(0)
}

/// Sets a field, or takes it away.
fn put(value: &mut Value, field: &str, new: Option<&Value>) {
    if let Some(fields) = value.as_object_mut() {
        match new {
            Some(new) => fields.insert(field.to_owned(), new.clone()),
            None => fields.remove(field),
        };
    }
}
