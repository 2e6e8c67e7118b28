//! What a user reads from the server, against what they ought to read.

use i9chat_spec::{
    ChatId, Cursor, Entry, ErrorCode, Message, PageLimit, Resume, Seq, Username, Watermark,
    api::{
        chats::{ChatsQuery, GetChat, ListChats, OneChat},
        events::{EventsQuery, ListEvents},
        groups::{GetGroup, ListMembers, NamesQuery},
        messages::{EntriesQuery, GetMessage, ListEntries, OneMessage},
        reactions::ListReactions,
        receipts::{ListChatReceipts, ListMessageReceipts},
    },
};
use serde_json::{Value, json};

use crate::{caller::Caller, client::Scene, difference::assert_same};

/// A cursor that the server gave, and which position of the model it is.
#[derive(Debug, Clone)]
pub struct Place {
    pub cursor: Cursor,
    pub position: u64,
}

/// What is compared after a step.
pub struct Compare<'a> {
    pub scene: Scene<'a>,
    pub places: &'a [Place],
    /// The chats that are looked at closely.
    pub chats: &'a [ChatId],
    /// Which of several is looked at this time.
    pub turn: usize,
}

type Outcome = Result<Value, ErrorCode>;

/// Fails when two outcomes differ.
pub fn same(found: Outcome, expected: Outcome, what: impl FnOnce() -> String) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_same(&found, &expected, what),
        (found, expected) => assert_eq!(found, expected, "{}", what()),
    }
}

fn limit(number: usize) -> PageLimit {
    PageLimit::try_from(number as u64).unwrap()
}

impl Compare<'_> {
    pub async fn reads(&self, caller: &Caller) {
        self.list(caller).await;
        for chat_id in self.chats {
            self.chat(caller, *chat_id).await;
            self.entries(caller, *chat_id).await;
            self.people(caller, *chat_id).await;
        }
        for message in self.some_messages() {
            self.message(caller, message).await;
        }
        // One of any age, and one of the first.
        let place = |turn: usize| &self.places[turn % self.places.len()];
        self.changed_since(caller, place(self.turn * 7)).await;
        self.events(caller, place(self.turn * 7)).await;
        if let Some(place) = self.at_the_limit(caller) {
            self.events(caller, place).await;
        }
        self.changed_since(caller, place(self.turn % 8)).await;
    }

    /// All of the newest messages of the chats, or of any chat, now these and now those.
    fn some_messages(&self) -> Vec<&Message> {
        let views = self.scene.views;
        let all: Vec<_> = views.messages().filter(|message| self.chats.contains(&message.chat_id)).collect();
        let newest = all.iter().rev().take(1);
        let others = all.iter().skip(self.turn % 5).step_by(5);
        newest.chain(others).copied().collect()
    }

    /// Reads all pages of a list, asking for the next one with the name of the parameter that the answer gave.
    async fn pages<F, Fut>(&self, most: usize, read: F) -> Outcome
    where
        F: Fn(Option<Value>) -> Fut,
        Fut: Future<Output = Outcome>,
    {
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let mut page = read(next).await?;
            let found = page["items"].as_array_mut().map(std::mem::take).unwrap();
            assert!(found.len() <= most, "a page of at most {most}: {found:?}");
            items.extend(found);
            match page.get("next") {
                Some(more) => {
                    assert_eq!(items.len() % most, 0, "only the last page is shorter");
                    next = Some(more.clone());
                }
                None => return Ok(self.scene.names.translate(Value::Array(items))),
            }
        }
    }

    async fn list(&self, caller: &Caller) {
        let most = 1 + self.turn % 4;
        let read = |after: Option<Value>| {
            let after = after.map(|next| next.as_str().unwrap().parse().unwrap());
            let query = ChatsQuery { after, changed_since: None, limit: Some(limit(most)) };
            caller.get::<ListChats>(i9chat_spec::Nothing {}, query)
        };
        let expected = json!(self.scene.views.list(caller.user.user_id));
        same(self.pages(most, read).await, Ok(expected), || format!("the chats of {}", caller.user.username));
    }

    async fn changed_since(&self, caller: &Caller, place: &Place) {
        let most = 1 + self.turn % 3;
        let read = |after: Option<Value>| {
            let after = after.map(|next| next.as_str().unwrap().parse().unwrap());
            let query = ChatsQuery { after, changed_since: Some(place.cursor.clone()), limit: Some(limit(most)) };
            caller.get::<ListChats>(i9chat_spec::Nothing {}, query)
        };
        let views = self.scene.views;
        let changed = views.changed_since(caller.user.user_id, place.position);
        let mut expected = views.list(caller.user.user_id);
        expected.retain(|chat| changed.contains(&chat.chat_id));
        let who = &caller.user.username;
        let expected = match self.scene.resume(0, place.position) {
            [Resume::Resumed] => Ok(json!(expected)),
            [Resume::Limited] => Err(ErrorCode::CursorReset),
            _ => return,
        };
        same(self.pages(most, read).await, expected, || format!("what changed for {who} since {}", place.position));
    }

    async fn chat(&self, caller: &Caller, chat_id: ChatId) {
        let read = caller.get::<GetChat>(self.one(chat_id), i9chat_spec::Nothing {}).await;
        let read = read.map(|answer| self.scene.names.translate(answer["chat"].clone()));
        let expected =
            self.visible(caller, chat_id).map(|()| json!(self.scene.views.chat(caller.user.user_id, chat_id)));
        same(read, expected, || format!("a chat as {} sees it", caller.user.username));
    }

    fn one(&self, chat_id: ChatId) -> OneChat {
        OneChat { chat_id: self.scene.names.chat(chat_id) }
    }

    /// What a user finds who looks for a chat. (CHT-6)
    fn visible(&self, caller: &Caller, chat_id: ChatId) -> Result<(), ErrorCode> {
        let views = self.scene.views;
        if !views.seen(caller.user.user_id, chat_id).is_empty() {
            return Ok(());
        }
        Err(if views.is_group(chat_id) == Some(true) { ErrorCode::NotMember } else { ErrorCode::ChatNotFound })
    }

    /// What a user finds who asks for what members alone may know.
    fn for_members(&self, caller: &Caller, chat_id: ChatId) -> Result<(), ErrorCode> {
        self.visible(caller, chat_id)?;
        self.scene.views.is_in(caller.user.user_id, chat_id).then_some(()).ok_or(ErrorCode::NotMember)
    }

    async fn entries(&self, caller: &Caller, chat_id: ChatId) {
        let views = self.scene.views;
        let most = 1 + self.turn % 5;
        let seq = |next: Value| next.as_u64().unwrap();
        let down = |next: Option<Value>| {
            let before = next.map(|next| Seq::try_from(seq(next)).unwrap());
            caller.get::<ListEntries>(self.one(chat_id), EntriesQuery { before, after: None, limit: Some(limit(most)) })
        };
        let up = |next: Option<Value>| {
            let after = Some(next.map_or(Watermark::ZERO, |next| Watermark::try_from(seq(next)).unwrap()));
            caller.get::<ListEntries>(self.one(chat_id), EntriesQuery { before: None, after, limit: Some(limit(most)) })
        };
        let mut expected = views.entries(caller.user.user_id, chat_id);
        let may = self.visible(caller, chat_id);
        let who = &caller.user.username;
        same(self.pages(most, up).await, may.map(|()| json!(expected)), || format!("history upwards, of {who}"));
        expected.reverse();
        same(self.pages(most, down).await, may.map(|()| json!(expected)), || format!("history downwards, of {who}"));
    }

    /// Who is in a chat, and how far.
    async fn people(&self, caller: &Caller, chat_id: ChatId) {
        let (views, user_id, who) = (self.scene.views, caller.user.user_id, &caller.user.username);
        let is_group = views.is_group(chat_id) == Some(true);
        let most = 1 + self.turn % 3;
        let after = |next: Option<Value>| next.map(|next| next.as_str().unwrap().parse::<Username>().unwrap());

        let group = caller.get::<GetGroup>(self.one(chat_id), i9chat_spec::Nothing {}).await.map(|mut group| {
            group["online_members_count"] = json!(0);
            self.scene.names.translate(group)
        });
        let expected = is_group.then(|| json!(views.group(user_id, chat_id))).ok_or(ErrorCode::GroupNotFound);
        same(group, expected, || format!("a group as {who} sees it"));

        let members = self
            .pages(most, |next| {
                caller
                    .get::<ListMembers>(self.one(chat_id), NamesQuery { after: after(next), limit: Some(limit(most)) })
            })
            .await
            .map(|members| {
                // Without presence, which is not the log's.
                let of = |member: &Value| json!([member["user"], member["role"], member["joined_at"]]);
                members.as_array().unwrap().iter().map(of).collect::<Value>()
            });
        let may = if is_group { self.for_members(caller, chat_id) } else { Err(ErrorCode::GroupNotFound) };
        same(members, may.map(|()| json!(views.member_list(chat_id))), || format!("members for {who}"));

        let receipts = self.pages(most, |next| {
            caller
                .get::<ListChatReceipts>(self.one(chat_id), NamesQuery { after: after(next), limit: Some(limit(most)) })
        });
        let may = self.for_members(caller, chat_id);
        same(receipts.await, may.map(|()| json!(views.chat_receipts(chat_id))), || {
            format!("receipts of a chat for {who}")
        });
    }

    async fn message(&self, caller: &Caller, message: &Message) {
        let (views, who) = (self.scene.views, &caller.user.username);
        let Message { chat_id, message_id, .. } = *message;
        let path =
            OneMessage { chat_id: self.scene.names.chat(chat_id), message_id: self.scene.names.message(message_id) };
        let is_seen = views.sees(caller.user.user_id, chat_id, message.seq);
        let sees = || is_seen.then_some(()).ok_or(ErrorCode::MessageNotFound);
        let may = self.visible(caller, chat_id).and_then(|()| sees());
        let most = 1 + self.turn % 3;
        let names = |next: Option<Value>| NamesQuery {
            after: next.map(|next| next.as_str().unwrap().parse().unwrap()),
            limit: Some(limit(most)),
        };

        let read = caller.get::<GetMessage>(path.clone(), i9chat_spec::Nothing {}).await;
        let shown = || {
            let entries = views.entries(caller.user.user_id, chat_id);
            let mut shown = entries.into_iter().filter(|entry| entry.seq() == Some(message.seq));
            json!(shown.find(|entry| matches!(entry, Entry::Message(_))))
        };
        same(read.map(|entry| self.scene.names.translate(entry)), may.map(|()| shown()), || {
            format!("a message for {who}")
        });

        let reactions = self.pages(most, |next| caller.get::<ListReactions>(path.clone(), names(next)));
        same(reactions.await, may.map(|()| json!(views.reactions(message_id))), || format!("reactions for {who}"));

        let (status, receipts) = views.message_receipts(message);
        let may = self.for_members(caller, chat_id).and_then(|()| sees());
        let items = self.pages(most, |next| caller.get::<ListMessageReceipts>(path.clone(), names(next)));
        same(items.await, may.map(|()| json!(receipts)), || format!("receipts of a message for {who}"));
        let first = caller.get::<ListMessageReceipts>(path, names(None)).await;
        let told = first.map(|page| page["status"].clone());
        same(told, may.map(|()| json!(status)), || format!("the status of a message for {who}"));
    }

    /// A place since which a user missed as many events as are told, or one more.
    fn at_the_limit(&self, caller: &Caller) -> Option<&Place> {
        let events = self.scene.views.events(caller.user.user_id, 0);
        let first = events.len().checked_sub(self.scene.max_resume_events + self.turn % 2)?;
        let before = first.checked_sub(1).map_or(0, |before| events[before].0);
        let at = events.get(first)?.0;
        self.places.iter().find(|place| (before..at).contains(&place.position))
    }

    /// What was missed since a place, without a socket. (RSM-9)
    async fn events(&self, caller: &Caller, place: &Place) {
        let views = self.scene.views;
        let expected = views.events(caller.user.user_id, place.position);
        let most = 1 + self.turn % 6;
        let query = |cursor: &Cursor| EventsQuery { cursor: Some(cursor.clone()), limit: Some(limit(most)) };
        let (mut cursor, mut position) = (place.cursor.clone(), place.position);
        let mut found = Vec::new();
        loop {
            let mut page = caller.get::<ListEvents>(i9chat_spec::Nothing {}, query(&cursor)).await.unwrap();
            let answer = serde_json::from_value(page["resume"].clone()).unwrap();
            let right = self.scene.resume(expected.len() - found.len(), position);
            assert!(right.contains(&answer), "{answer:?} for {} since {position}", caller.user.username);
            // Of a page after the first, less was missed.
            if page["resume"] == "limited" {
                assert_eq!(page["events"], json!([]));
                return;
            }
            let events = page["events"].as_array_mut().map(std::mem::take).unwrap();
            assert!(events.len() <= most);
            for mut event in events {
                event.as_object_mut().unwrap().remove("cursor").expect("what is durable has a place");
                found.push(self.scene.names.translate(event));
            }
            position = if page["more"] == true { expected[found.len() - 1].0 } else { views.head() };
            cursor = page["cursor"].as_str().unwrap().parse().unwrap();
            assert_eq!(page["more"], json!(found.len() < expected.len()), "whether more follow");
            if page["more"] == false {
                break;
            }
        }
        let expected: Vec<_> = expected.into_iter().map(|(_, event)| event).collect();
        assert_same(&found, &expected, || format!("what {} missed since {}", caller.user.username, place.position));
    }
}
