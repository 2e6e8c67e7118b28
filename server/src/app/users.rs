//! Users. (section 6 of `docs/protocol.md`)

use i9chat_spec::{
    api::users::{GetMe, GetUser, GetUserRefusal, OwnProfile, UserProfile},
    error::NoRefusal,
};

use super::{Answer, App, Call, Failure, Handle, accounts::broken};

impl Handle<GetMe> for App {
    async fn handle(&self, call: Call<GetMe>) -> Result<Answer<OwnProfile>, Failure<NoRefusal>> {
        let profile = self.accounts.store.own_profile(call.caller.user.user_id).await?;
        profile.map(Answer::from).ok_or_else(|| broken("a user with a session is not there"))
    }
}

impl Handle<GetUser> for App {
    async fn handle(&self, call: Call<GetUser>) -> Result<Answer<UserProfile>, Failure<GetUserRefusal>> {
        let profile = self.accounts.store.profile(&call.path.username).await?;
        profile.map(Answer::from).ok_or(Failure::Refused(GetUserRefusal::UserNotFound))
    }
}
