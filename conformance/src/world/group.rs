//! What users do with groups, as the cases tell it. (GRP-1 to GRP-22)

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    World,
    user::{User, patiently},
};
use crate::{
    client::Request,
    expect::text_at,
    verdict::{InSetup, Verdict},
};

/// A group that may be created: the id that makes a retry harmless, and what the group is to be. (GRP-1)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDraft {
    /// The id.
    pub client_id: String,
    /// The name.
    pub name: String,
    /// The names of the first members.
    pub members: Vec<String>,
}

impl GroupDraft {
    /// A group with an id that no group had before, and without further members.
    pub fn new(name: impl Into<String>) -> Self {
        Self { client_id: Uuid::new_v4().to_string(), name: name.into(), members: Vec::new() }
    }

    /// The same with these first members.
    #[must_use]
    pub fn with<'u>(self, members: impl IntoIterator<Item = &'u User>) -> Self {
        self.naming(members.into_iter().map(|member| member.username.clone()))
    }

    /// The same with first members of these names.
    #[must_use]
    pub fn naming(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { members: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// The body that creates it.
    pub fn body(&self) -> Value {
        json!({ "client_id": self.client_id, "name": self.name, "members": self.members })
    }
}

/// The path of a group, with what follows it.
pub fn group_path(chat_id: &str, rest: &str) -> String {
    format!("/v1/groups/{chat_id}{rest}")
}

impl User {
    /// The request that creates a group.
    pub fn creating(&self, draft: &GroupDraft) -> Request {
        self.post("/v1/groups", &draft.body())
    }

    /// Creates a group, and answers the acknowledgement. (GRP-1)
    pub async fn creates(&self, draft: &GroupDraft) -> Verdict<Value> {
        patiently(self.creating(draft)).await?.succeeded(201)
    }

    /// Creates a group with these members, and answers its id. Inconclusive when that does not work.
    pub async fn founds<'u>(&self, name: &str, members: impl IntoIterator<Item = &'u User>) -> Verdict<String> {
        let created = self.creates(&GroupDraft::new(name).with(members)).await.in_setup("creating a group")?;
        text_at(&created, "chat_id").in_setup("creating a group")
    }

    /// The request that makes the caller a member. (GRP-10)
    pub fn joining(&self, chat_id: &str) -> Request {
        self.request("POST", group_path(chat_id, "/join"))
    }

    /// The request that ends the caller's membership. (GRP-11)
    pub fn leaving(&self, chat_id: &str) -> Request {
        self.request("POST", group_path(chat_id, "/leave"))
    }

    /// The request that adds users of these names. (GRP-12)
    pub fn adding<S: serde::Serialize>(&self, chat_id: &str, names: &[S]) -> Request {
        self.post(group_path(chat_id, "/members"), &json!({ "usernames": names }))
    }

    /// The request that removes a member. (GRP-13)
    pub fn removing(&self, chat_id: &str, name: &str) -> Request {
        self.delete(group_path(chat_id, &format!("/members/{name}")))
    }

    /// The request that makes a member an admin. (GRP-14)
    pub fn promoting(&self, chat_id: &str, name: &str) -> Request {
        self.put(group_path(chat_id, &format!("/admins/{name}")))
    }

    /// The request that makes an admin a member. (GRP-15)
    pub fn demoting(&self, chat_id: &str, name: &str) -> Request {
        self.delete(group_path(chat_id, &format!("/admins/{name}")))
    }

    /// The request that changes what a group is. (GRP-8)
    pub fn changing(&self, chat_id: &str, changes: &Value) -> Request {
        self.request("PATCH", group_path(chat_id, "")).json(changes)
    }

    /// Joins a group, and answers the chat. Inconclusive when that does not work.
    pub async fn joins(&self, chat_id: &str) -> Verdict<Value> {
        patiently(self.joining(chat_id)).await.and_then(|answer| answer.succeeded(200)).in_setup("joining a group")
    }

    /// Leaves a group. Inconclusive when that does not work.
    pub async fn leaves(&self, chat_id: &str) -> Verdict {
        done(self.leaving(chat_id), "leaving a group").await
    }

    /// Adds users to a group. Inconclusive when not all of them become members by it.
    pub async fn adds<'u>(&self, chat_id: &str, others: impl IntoIterator<Item = &'u User>) -> Verdict {
        let names: Vec<_> = others.into_iter().map(|other| &other.username).collect();
        let answer = patiently(self.adding(chat_id, &names)).await.and_then(|answer| answer.succeeded(200));
        let answer = answer.in_setup("adding members")?;
        let results = answer["results"].as_array().map(Vec::as_slice).unwrap_or_default();
        let added = results.iter().filter(|result| result["added"] == true).count();
        crate::expect::expect(added).to_equal(names.len()).in_setup("adding members")
    }

    /// Removes a member. Inconclusive when that does not work.
    pub async fn removes(&self, chat_id: &str, other: &Self) -> Verdict {
        done(self.removing(chat_id, &other.username), "removing a member").await
    }

    /// Makes a member an admin. Inconclusive when that does not work.
    pub async fn promotes(&self, chat_id: &str, other: &Self) -> Verdict {
        done(self.promoting(chat_id, &other.username), "making an admin").await
    }

    /// Makes an admin a member. Inconclusive when that does not work.
    pub async fn demotes(&self, chat_id: &str, other: &Self) -> Verdict {
        done(self.demoting(chat_id, &other.username), "removing an admin").await
    }

    /// Changes what a group is, and answers it. Inconclusive when that does not work.
    pub async fn changes(&self, chat_id: &str, changes: &Value) -> Verdict<Value> {
        let answer = patiently(self.changing(chat_id, changes)).await.and_then(|answer| answer.succeeded(200));
        answer.in_setup("changing a group")
    }

    /// A group, as anybody may see it. (GRP-7)
    pub async fn group(&self, chat_id: &str) -> Verdict<Value> {
        self.reads(group_path(chat_id, "")).await
    }

    /// The names of a group's members with their roles, in the order of the list. (GRP-9)
    pub async fn members(&self, chat_id: &str) -> Verdict<Vec<(String, String)>> {
        let pages = self.reads_pages(&group_path(chat_id, "/members"), "after").await?;
        let mut members = Vec::new();
        for item in super::conversation::items_of(&pages)? {
            members.push((text_at(&item, "user.username")?, text_at(&item, "role")?));
        }
        Ok(members)
    }
}

async fn done(request: Request, step: &str) -> Verdict {
    patiently(request).await.and_then(|answer| answer.succeeded_without_body()).in_setup(step)
}

/// A group, and one user in each state that a user can be in. Everybody who was ever in it has seen the message. (GRP-5)
#[derive(Debug)]
pub struct Club {
    /// The group.
    pub chat_id: String,
    /// Created it.
    pub admin: User,
    /// A second admin.
    pub other_admin: User,
    /// A member.
    pub member: User,
    /// Was a member, and left.
    pub left: User,
    /// Was a member, and was removed.
    pub removed: User,
    /// Was never in it.
    pub stranger: User,
    /// A message of the admin, sent while everybody but the stranger was a member.
    pub message_id: String,
}

impl Club {
    /// The last entry that `left` may see: the one of their leaving.
    pub const SEQ_OF_LEAVING: u64 = 4;
    /// The last entry that `removed` may see: the one of their removal, which is the last one of the club.
    pub const SEQ_OF_REMOVAL: u64 = 5;
}

impl World {
    /// A group and its people: created (1), the second admin made (2), a message (3), one left (4), one removed (5).
    /// Inconclusive when that does not work.
    pub async fn club(&self) -> Verdict<Club> {
        let [admin, other_admin, member, left, removed, stranger] = self.users().await?;
        let chat_id = admin.founds("the club", [&other_admin, &member, &left, &removed]).await?;
        admin.promotes(&chat_id, &other_admin).await?;
        let sent = admin.says(&chat_id, ["welcome"]).await?;
        let message_id = text_at(sent.first().unwrap_or(&Value::Null), "message_id").in_setup("sending a message")?;
        left.leaves(&chat_id).await?;
        admin.removes(&chat_id, &removed).await?;
        Ok(Club { chat_id, admin, other_admin, member, left, removed, stranger, message_id })
    }
}
