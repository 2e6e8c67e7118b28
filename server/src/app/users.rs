//! Users: oneself, others by name, others around a place. (section 6 of `docs/protocol.md`)

use std::time::Duration;

use i9chat_spec::{
    api::users::{
        FindNearby, GetMe, GetUser, GetUserRefusal, NearbyUsers, OwnProfile, UpdateMe, UpdateMeRefusal, UserProfile,
    },
    error::NoRefusal,
    event::ProfileChanged,
};

use super::{Answer, App, Call, Failure, Handle, accounts::broken};
use crate::{
    bus::{PresenceOf, Quota, RateKey},
    domain::ChangeProfile,
    store::accounts::NearbySearch,
};

impl Handle<GetMe> for App {
    async fn handle(&self, call: Call<GetMe>) -> Result<Answer<OwnProfile>, Failure<NoRefusal>> {
        let profile = self.accounts.store.own_profile(call.caller.user.user_id).await?;
        profile.map(Answer::from).ok_or_else(|| broken("a user with a session is not there"))
    }
}

impl Handle<UpdateMe> for App {
    async fn handle(&self, call: Call<UpdateMe>) -> Result<Answer<OwnProfile>, Failure<UpdateMeRefusal>> {
        let user_id = call.caller.user.user_id;
        // As the command left it: a read right after may already show what another request made of it.
        let no_bio = "".parse().map_err(|_| broken("an empty bio has no form").widen())?;
        let changed = self.committer.commit(ChangeProfile { user_id, patch: call.body, no_bio }).await?;
        let profile = self.accounts.store.own_profile(user_id).await?;
        let (Some(profile), Some(changed)) = (profile, changed) else {
            return Err(broken("a user with a session is not there").widen());
        };
        let ProfileChanged { bio, picture_id, location } = changed;
        Ok(OwnProfile { bio, picture_id, location, ..profile }.into())
    }
}

impl Handle<GetUser> for App {
    async fn handle(&self, call: Call<GetUser>) -> Result<Answer<UserProfile>, Failure<GetUserRefusal>> {
        let profile = self.accounts.store.profile(&call.path.username).await?;
        let profile = profile.ok_or(Failure::Refused(GetUserRefusal::UserNotFound))?;
        let states = self.presence.states(&[profile.user.user_id]).await?;
        let PresenceOf { presence, last_seen } =
            states.first().copied().ok_or_else(|| broken("a presence is not there").widen())?;
        let user = profile.user;
        Ok(UserProfile {
            user_id: user.user_id,
            username: user.username,
            bio: profile.bio,
            picture_id: profile.picture_id,
            presence,
            last_seen,
        }
        .into())
    }
}

impl Handle<FindNearby> for App {
    async fn handle(&self, call: Call<FindNearby>) -> Result<Answer<NearbyUsers>, Failure<NoRefusal>> {
        let caller = call.caller.user.user_id;
        let per_minute = self.limits.nearby_per_minute;
        let quota = Quota::new(per_minute, Duration::from_mins(1), per_minute);
        self.rates.take(RateKey::Nearby(caller), quota).await.map_err(Failure::RateLimited)?;
        let search = NearbySearch {
            near: call.query.near.0,
            radius_m: call.query.radius_m.unwrap_or_default().get(),
            limit: usize::try_from(call.query.limit.unwrap_or_default().get()).unwrap_or(usize::MAX),
            except: caller,
        };
        Ok(NearbyUsers { items: self.accounts.store.nearby(search).await? }.into())
    }
}
