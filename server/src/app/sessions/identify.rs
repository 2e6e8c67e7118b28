use std::fmt;

use i9chat_spec::{SessionId, error::NoRefusal};

use crate::{
    app::{App, Failure, Identity},
    auth::tokens::TokenCheck,
    domain::accounts::session,
    store::accounts::{SessionProof, SessionRecord},
};

/// What a caller gives to show who they are. (CAL-1)
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A token, from `Authorization: Bearer` or a subprotocol.
    Bearer(String),
    /// The secret in the cookie `i9chat_session`.
    Cookie(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer(…)",
            Self::Cookie(_) => "Cookie(…)",
        })
    }
}

/// Why a credential identifies nobody.
#[derive(Debug)]
pub enum Unidentified {
    /// This server did not make it, or it was altered. (CAL-2)
    TokenInvalid,
    /// The token ran out. (CAL-3)
    TokenExpired,
    /// Its session has ended, or was unused for too long. (CAL-3, SES-11)
    SessionEnded,
    /// That could not be found out.
    Failed(Failure<NoRefusal>),
}

impl App {
    /// Who the caller is. Costs one read of the store; the first use of a new pair of tokens, and one use every few minutes,
    /// also cost a write.
    pub async fn identify(&self, credential: &Credential) -> Result<Identity, Unidentified> {
        let now = self.clock.now();
        match credential {
            Credential::Bearer(token) => match self.accounts.tokens.check(token, now) {
                TokenCheck::Invalid => Err(Unidentified::TokenInvalid),
                TokenCheck::Expired => Err(Unidentified::TokenExpired),
                TokenCheck::Valid(claims) => {
                    let record = self.open_record(claims.session_id).await?;
                    let SessionProof::Tokens(tokens) = record.proof else { return Err(Unidentified::TokenInvalid) };
                    if record.user.user_id != claims.user_id {
                        return Err(Unidentified::TokenInvalid);
                    }
                    let newest =
                        (!tokens.newest_used && tokens.generation == claims.generation).then_some(claims.generation);
                    self.used(claims.session_id, &record, newest).await?;
                    Ok(Identity { user: record.user, session_id: claims.session_id })
                }
            },
            Credential::Cookie(text) => {
                let secret = self.accounts.secrets.open_cookie(text).ok_or(Unidentified::TokenInvalid)?;
                let record = self.open_record(secret.session_id).await?;
                if record.proof != SessionProof::Cookie(secret.hash()) {
                    return Err(Unidentified::TokenInvalid);
                }
                self.used(secret.session_id, &record, None).await?;
                Ok(Identity { user: record.user, session_id: secret.session_id })
            }
        }
    }

    /// Notes that a session is in use by an open connection. (SES-11)
    pub async fn session_used(&self, session_id: SessionId) -> Result<(), Failure<NoRefusal>> {
        Ok(self.accounts.store.note_use(session_id, self.clock.now(), None).await?)
    }

    /// A session that a genuine credential names. When it is not there, it ended so long ago that it was forgotten.
    async fn open_record(&self, session_id: SessionId) -> Result<SessionRecord, Unidentified> {
        let record = self.accounts.store.session(session_id).await;
        let record = record.map_err(|error| Unidentified::Failed(error.into()))?;
        let (now, idle_ttl_s) = (self.clock.now(), self.lifetimes.session_idle_ttl_s);
        record.filter(|record| session::is_open(record.times, now, idle_ttl_s)).ok_or(Unidentified::SessionEnded)
    }

    async fn used(
        &self,
        session_id: SessionId,
        record: &SessionRecord,
        newest_used: Option<u32>,
    ) -> Result<(), Unidentified> {
        let now = self.clock.now();
        if newest_used.is_none() && !session::use_is_worth_writing(record.times, now, self.lifetimes.session_idle_ttl_s)
        {
            return Ok(());
        }
        match self.accounts.store.note_use(session_id, now, newest_used).await {
            Ok(()) => Ok(()),
            // Unless this is noted, an older refresh token would stay good. (SES-6)
            Err(error) if newest_used.is_some() => Err(Unidentified::Failed(error.into())),
            // Reading goes on while the disk is full; the use is noted when there is room again.
            Err(error) => {
                tracing::warn!(%error, "the use of a session is not noted");
                Ok(())
            }
        }
    }
}
