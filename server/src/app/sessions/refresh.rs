use i9chat_spec::api::sessions::{RefreshSession, RefreshSessionRefusal, SessionRefreshed};

use crate::{
    app::{Answer, App, Call, Failure, Handle, accounts::broken},
    domain::accounts::{
        refresh::{self, Refresh},
        session,
    },
    store::accounts::SessionProof,
};

/// How often a decision is made anew because another refresh of the session got through meanwhile. After one, this
/// token is the one before or older, and nothing is left to race for.
const TRIES: usize = 8;

impl Handle<RefreshSession> for App {
    async fn handle(
        &self,
        call: Call<RefreshSession>,
    ) -> Result<Answer<SessionRefreshed>, Failure<RefreshSessionRefusal>> {
        let invalid = || Failure::Refused(RefreshSessionRefusal::RefreshTokenInvalid);
        let secret = self.accounts.secrets.open_refresh_token(&call.body.refresh_token).ok_or_else(invalid)?;
        let successor = self.accounts.secrets.successor(&secret).ok_or_else(invalid)?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let record = self.accounts.store.session(secret.session_id).await?.ok_or_else(invalid)?;
            let SessionProof::Tokens(state) = record.proof else { return Err(invalid()) };
            if !session::is_open(record.times, now, self.lifetimes.session_idle_ttl_s) {
                return Err(invalid());
            }
            match refresh::decide(&state, &secret.presented()) {
                Refresh::Advance { generation } => {
                    let newest = successor.hash();
                    if !self.accounts.store.advance_tokens(secret.session_id, generation, newest, now).await? {
                        continue;
                    }
                }
                Refresh::Repeat if successor.hash() == state.newest => {}
                Refresh::Repeat => return Err(broken("a refresh token does not lead to the newest one").widen()),
                Refresh::EndSession => {
                    self.end_if_open(record.user.user_id, secret.session_id).await.map_err(Failure::widen)?;
                    tracing::warn!(session_id = %secret.session_id, "an old refresh token was used: the session is ended");
                    return Err(invalid());
                }
                Refresh::Refuse => return Err(invalid()),
            }
            let pair = self.tokens_for(record.user.user_id, &successor, now).map_err(Failure::widen)?;
            return Ok(pair.into());
        }
        Err(Failure::Overloaded)
    }
}
