use i9chat_spec::{ActivityKind, ChatId, GroupDescription, GroupName, MediaId, Patch, User, api::groups::GroupChanges};

use super::{
    GroupRefusal,
    checks::{found_by_admin, usable_picture},
    entries::{Entries, Said},
};
use crate::domain::{Command, Decision, Stamp, State, Wanted};

/// Changes the name, description or picture of a group. (GRP-8)
#[derive(Debug, Clone)]
pub struct UpdateGroup {
    /// Who changes it.
    pub actor: User,
    /// Which group.
    pub chat_id: ChatId,
    /// What to change.
    pub asked: GroupChanges,
}

impl Command for UpdateGroup {
    type Answer = ();
    type Refusal = GroupRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.chats.insert(self.chat_id);
        if let Patch::Set(picture_id) = &self.asked.picture_id {
            wanted.media.insert(*picture_id);
        }
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, GroupRefusal> {
        let found = found_by_admin(state, self.chat_id, self.actor.user_id)?;
        let picture_id = match self.asked.picture_id {
            Patch::Keep => found.group.picture_id,
            Patch::Clear => None,
            Patch::Set(picture_id) => {
                // The one that is there already may be named again, by whoever uploaded it.
                if found.group.picture_id != Some(picture_id) {
                    usable_picture(state, self.actor.user_id, picture_id)?;
                }
                Some(picture_id)
            }
        };
        let mut entries = Entries::of(found, &self.actor, stamp);
        let mut say = |kind, from: Option<String>, to: Option<String>| {
            if from != to {
                entries.say(kind, Said { from, to, ..Said::default() });
            }
        };
        let group = found.group;
        if let Some(name) = &self.asked.name {
            let text = |name: &GroupName| Some(name.as_str().to_owned());
            say(ActivityKind::NameChanged, text(&group.name), text(name));
        }
        let description = match &self.asked.description {
            Patch::Keep => &group.description,
            Patch::Clear => &GroupDescription::default(),
            Patch::Set(description) => description,
        };
        let text = |description: &GroupDescription| Some(description.as_str().to_owned());
        say(ActivityKind::DescriptionChanged, text(&group.description), text(description));
        let text = |picture: Option<MediaId>| picture.map(|picture_id| picture_id.to_string());
        say(ActivityKind::PictureChanged, text(group.picture_id), text(picture_id));
        Ok(Decision::new((), entries.changes))
    }
}
