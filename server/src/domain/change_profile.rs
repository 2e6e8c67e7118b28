use i9chat_spec::{
    Bio, MediaKind, MediaPurpose, Patch, UserId,
    api::users::{ProfilePatch, UpdateMeRefusal},
    event::ProfileChanged,
};

use super::{ChangeBody, Command, Decision, Stamp, State, Wanted};

/// Changes a user's own profile. (USR-4)
#[derive(Debug, Clone)]
pub struct ChangeProfile {
    /// Whose.
    pub user_id: UserId,
    /// What changes.
    pub patch: ProfilePatch,
    /// What a bio is that was taken away.
    pub no_bio: Bio,
}

impl Command for ChangeProfile {
    /// The profile as it is then; `None` when there is no such user.
    type Answer = Option<ProfileChanged>;
    type Refusal = UpdateMeRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.profiles.insert(self.user_id);
        if let Patch::Set(picture_id) = self.patch.picture_id {
            wanted.media.insert(picture_id);
        }
    }

    fn decide(&self, state: &State, _: &Stamp<'_>) -> Result<Decision<Self::Answer>, UpdateMeRefusal> {
        let Some(present) = state.profiles.get(&self.user_id) else { return Ok(Decision::nothing(None)) };
        let patch = self.patch.clone();
        let profile = ProfileChanged {
            bio: match patch.bio {
                Patch::Keep => present.bio.clone(),
                Patch::Clear => self.no_bio.clone(),
                Patch::Set(bio) => bio,
            },
            picture_id: patch.picture_id.apply(present.picture_id),
            location: patch.location.apply(present.location),
        };
        if profile == *present {
            return Ok(Decision::nothing(Some(profile)));
        }
        // The picture that is there was usable when it was set. (USR-5)
        if let Some(picture_id) = profile.picture_id.filter(|picture| Some(*picture) != present.picture_id) {
            let media = state.media.get(&picture_id).ok_or(UpdateMeRefusal::MediaNotUsable)?;
            if !media.is_usable(self.user_id, MediaPurpose::ProfilePicture, MediaKind::Picture) {
                return Err(UpdateMeRefusal::MediaNotUsable);
            }
        }
        let changed = ChangeBody::ProfileChanged { user_id: self.user_id, profile: Box::new(profile.clone()) };
        Ok(Decision::new(Some(profile), vec![changed]))
    }
}

#[cfg(test)]
mod tests;
