use std::future::IntoFuture;

use futures_util::future::BoxFuture;
use i9chat_spec::{
    GroupDescription, GroupName, MediaId, Nothing, Patch,
    api::groups::{self, Group, GroupChanges},
};

use super::GroupHandle;
use crate::Error;

/// Changes of a group; awaited, they are made, all or none. Made by [`GroupHandle::update`]. (GRP-8)
#[derive(Debug, Clone)]
#[must_use = "the group is changed when this is awaited"]
pub struct UpdateGroup {
    group: GroupHandle,
    name: Option<String>,
    description: Patch<String>,
    picture: Patch<MediaId>,
}

impl UpdateGroup {
    pub(super) fn new(group: GroupHandle) -> Self {
        Self { group, name: None, description: Patch::Keep, picture: Patch::Keep }
    }

    /// Another name, of 1 to 100 characters. (GRP-2)
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Another description, of up to 500 characters. (GRP-2)
    pub fn description(self, description: impl Into<String>) -> Self {
        Self { description: Patch::Set(description.into()), ..self }
    }

    /// Another picture: a finished upload for `group_picture`. (GRP-2)
    pub fn picture(self, picture: MediaId) -> Self {
        Self { picture: Patch::Set(picture), ..self }
    }

    /// No picture any more. (CNV-5)
    pub fn no_picture(self) -> Self {
        Self { picture: Patch::Clear, ..self }
    }

    async fn update(self) -> Result<Group, Error> {
        let description = match self.description {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => Patch::Set(text.parse::<GroupDescription>()?),
        };
        let name = self.name.as_deref().map(str::parse::<GroupName>).transpose()?;
        let body = GroupChanges { name, description, picture_id: self.picture };
        self.group.http().call::<groups::UpdateGroup>(&self.group.path(), &Nothing {}, &body).await
    }
}

impl IntoFuture for UpdateGroup {
    type Output = Result<Group, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.update())
    }
}
