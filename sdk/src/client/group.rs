//! Groups: what a chat of many has beyond a chat.

mod create;
mod update;

use i9chat_spec::{
    ChatId, ErrorCode, MediaId, Nothing, Username,
    api::{
        chats::{ChatSnapshot, OneChat},
        groups::{
            AddMembers, GetGroup, Group, JoinGroup, LeaveGroup, ListMembers, MakeAdmin, MemberPage, MembersAdded,
            MembersToAdd, NamesQuery, OneMember, RemoveAdmin, RemoveMember,
        },
    },
};

pub use self::{
    create::{CreateGroup, CreatedGroup},
    update::UpdateGroup,
};
use super::{ChatHandle, Pages};
use crate::{Error, Http};

/// One group, by its id; the user need not be a member. Cheap to clone.
///
/// Its messages, receipts and history are those of its [`chat`](Self::chat).
///
/// ```no_run
/// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
/// let hikers = client.create_group("Hikers").members(["bob"]).await?.group;
/// hikers.add(["carol", "dave"]).await?;
/// hikers.make_admin("bob").await?;
/// hikers.rename("Hikers of Tirana").await?;
/// hikers.chat().send("Welcome!").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct GroupHandle {
    chat: ChatHandle,
}

impl GroupHandle {
    pub(super) fn new(chat: ChatHandle) -> Self {
        Self { chat }
    }

    /// Names the group, as a chat.
    pub const fn id(&self) -> ChatId {
        self.chat.id()
    }

    /// The group as a chat: sending, history, receipts.
    pub const fn chat(&self) -> &ChatHandle {
        &self.chat
    }

    /// What the group is, with its counts and the user's role; anybody may ask. Refused with `group_not_found`. (GRP-7)
    ///
    /// ```no_run
    /// # async fn run(group: i9chat_sdk::GroupHandle) -> Result<(), i9chat_sdk::Error> {
    /// let info = group.info().await?;
    /// println!("{}: {} members, {} here", info.name, info.members_count, info.online_members_count);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn info(&self) -> Result<Group, Error> {
        self.http().call::<GetGroup>(&self.path(), &Nothing {}, &Nothing {}).await
    }

    /// Joins the group, and answers its chat. (GRP-10)
    ///
    /// Refused with `already_member`, `removed_from_group`, `group_closed` and `group_full`.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client, invitation: &str) -> Result<(), i9chat_sdk::Error> {
    /// let group = client.group(invitation.parse()?); // anybody may join who knows the id
    /// println!("{}: {} members", group.info().await?.name, group.info().await?.members_count);
    /// group.join().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn join(&self) -> Result<ChatSnapshot, Error> {
        match self.http().call_until::<JoinGroup>(&self.path(), ErrorCode::AlreadyMember).await? {
            Some(joined) => Ok(joined),
            None => self.chat.read().await,
        }
    }

    /// Leaves the group; who leaves comes back only by joining. (GRP-11)
    ///
    /// Refused with `not_member`.
    pub async fn leave(&self) -> Result<(), Error> {
        self.http().call_until::<LeaveGroup>(&self.path(), ErrorCode::NotMember).await.map(|_| ())
    }

    /// Adds up to 100 users, each with a result of its own; admins may. (GRP-4, GRP-12)
    ///
    /// It is tried once: when the answer was lost, a call by hand shows `already_member` for those who are in.
    ///
    /// ```no_run
    /// # async fn run(group: i9chat_sdk::GroupHandle) -> Result<(), i9chat_sdk::Error> {
    /// for result in group.add(["bob", "carol"]).await?.results {
    ///     match result.code.as_deref() {
    ///         None => println!("{} is in", result.username),
    ///         Some(code) => println!("{}: {code}", result.username), // such as left_group
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add(&self, usernames: impl IntoIterator<Item: AsRef<str>>) -> Result<MembersAdded, Error> {
        let body = MembersToAdd { usernames: names(usernames)?.try_into()? };
        self.http().call::<AddMembers>(&self.path(), &Nothing {}, &body).await
    }

    /// Removes a member, who can only be added again; admins may. (GRP-13)
    ///
    /// Refused with `use_leave` for oneself, and with `target_not_member`.
    pub async fn remove(&self, username: &str) -> Result<(), Error> {
        self.http().call_until::<RemoveMember>(&self.member(username)?, ErrorCode::TargetNotMember).await.map(|_| ())
    }

    /// Makes a member an admin; admins may. (GRP-14)
    ///
    /// Refused with `target_not_member` and `already_admin`.
    pub async fn make_admin(&self, username: &str) -> Result<(), Error> {
        self.http().call_until::<MakeAdmin>(&self.member(username)?, ErrorCode::AlreadyAdmin).await.map(|_| ())
    }

    /// Makes an admin a member again; admins may, for themselves too. (GRP-15)
    ///
    /// Refused with `last_admin`, `target_not_member` and `target_not_admin`.
    pub async fn remove_admin(&self, username: &str) -> Result<(), Error> {
        self.http().call_until::<RemoveAdmin>(&self.member(username)?, ErrorCode::TargetNotAdmin).await.map(|_| ())
    }

    /// Changes several things at once; admins may. (GRP-8)
    ///
    /// ```no_run
    /// # async fn run(group: i9chat_sdk::GroupHandle) -> Result<(), i9chat_sdk::Error> {
    /// let group = group.update().name("Climbers").description("Every Sunday").no_picture().await?;
    /// println!("{} members of {}", group.members_count, group.name);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateGroup {
        UpdateGroup::new(self.clone())
    }

    /// Gives the group another name, of 1 to 100 characters. (GRP-2, GRP-8)
    pub async fn rename(&self, name: &str) -> Result<Group, Error> {
        self.update().name(name).await
    }

    /// Gives the group another description, of up to 500 characters. (GRP-2, GRP-8)
    pub async fn describe(&self, description: &str) -> Result<Group, Error> {
        self.update().description(description).await
    }

    /// Gives the group another picture: a finished upload for `group_picture`. (GRP-2, GRP-8)
    pub async fn set_picture(&self, picture: MediaId) -> Result<Group, Error> {
        self.update().picture(picture).await
    }

    /// The members by name, each with role and presence, page by page; for members. (GRP-9)
    ///
    /// ```no_run
    /// # async fn run(group: i9chat_sdk::GroupHandle) -> Result<(), i9chat_sdk::Error> {
    /// let mut members = group.members().items();
    /// while let Some(member) = members.next().await {
    ///     let member = member?;
    ///     println!("{} {:?} {:?}", member.user.username, member.role, member.presence);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn members(&self) -> Pages<MemberPage> {
        let (http, path) = (self.http().clone(), self.path());
        Pages::new(NamesQuery::default(), move |query| {
            let (http, path) = (http.clone(), path.clone());
            async move {
                let page = http.call::<ListMembers>(&path, &query, &Nothing {}).await?;
                let next = page.next.clone().map(|after| NamesQuery { after: Some(after), ..query });
                Ok((page, next))
            }
        })
    }

    fn http(&self) -> &Http {
        self.chat.http()
    }

    fn path(&self) -> OneChat {
        OneChat { chat_id: self.id() }
    }

    fn member(&self, username: &str) -> Result<OneMember, Error> {
        Ok(OneMember { chat_id: self.id(), username: username.parse()? })
    }
}

fn names(usernames: impl IntoIterator<Item: AsRef<str>>) -> Result<Vec<Username>, Error> {
    usernames.into_iter().map(|name| Ok(name.as_ref().parse()?)).collect()
}
