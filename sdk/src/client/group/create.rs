use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use i9chat_spec::{
    ClientId, GroupDescription, MediaId, Nothing, Seq, Timestamp,
    api::groups::{self, AddedMember, FirstMembers, GroupCreated, NewGroup},
};

use super::{GroupHandle, names};
use crate::{Client, Error};

/// A group to create; awaited, it is created. Made by [`Client::create_group`].
#[derive(Debug, Clone)]
#[must_use = "the group is created when this is awaited"]
pub struct CreateGroup {
    client: Client,
    client_id: ClientId,
    name: String,
    description: Option<String>,
    picture: Option<MediaId>,
    members: Vec<String>,
}

/// A group that was created, and what became of its first members.
#[derive(Debug, Clone)]
pub struct CreatedGroup {
    /// The group.
    pub group: GroupHandle,
    /// The place of its first entry: 1.
    pub seq: Seq,
    /// When it was created.
    pub created_at: Timestamp,
    /// What became of each name, in the order given. (GRP-4)
    pub results: Vec<AddedMember>,
}

impl CreateGroup {
    pub(in crate::client) fn new(client: Client, name: String) -> Self {
        let client_id = ClientId::from_uuid(uuid::Uuid::new_v4());
        Self { client, client_id, name, description: None, picture: None, members: Vec::new() }
    }

    /// What the group says about itself, in up to 500 characters. (GRP-2)
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// The picture: a finished upload for `group_picture`. (GRP-2)
    pub fn picture(self, picture: MediaId) -> Self {
        Self { picture: Some(picture), ..self }
    }

    /// Whom to add at once, up to 100 users in all. (GRP-4)
    pub fn members(mut self, usernames: impl IntoIterator<Item: Into<String>>) -> Self {
        self.members.extend(usernames.into_iter().map(Into::into));
        self
    }

    /// An id that the program made and kept: awaited again by a later run, whatever became of the first, the group is created once. (GRP-3)
    pub fn client_id(self, client_id: ClientId) -> Self {
        Self { client_id, ..self }
    }

    async fn create(self) -> Result<CreatedGroup, Error> {
        let members = if self.members.is_empty() { None } else { Some(FirstMembers::try_from(names(&self.members)?)?) };
        let body = NewGroup {
            client_id: self.client_id,
            name: self.name.parse()?,
            description: self.description.as_deref().map(str::parse::<GroupDescription>).transpose()?,
            picture_id: self.picture,
            members,
        };
        let created = self.client.http().call::<groups::CreateGroup>(&Nothing {}, &Nothing {}, &body).await?;
        let GroupCreated { chat_id, seq, created_at, results } = created;
        Ok(CreatedGroup { group: self.client.group(chat_id), seq, created_at, results })
    }
}

impl IntoFuture for CreateGroup {
    type Output = Result<CreatedGroup, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.create())
    }
}
