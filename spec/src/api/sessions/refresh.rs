use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TokenPair;
use crate::{Anyone, Example, RefreshToken, endpoint, refusals};

endpoint! {
    /// Gives a new pair of tokens for a refresh token.
    ///
    /// The refresh token before the current one stays good until a token of the newest pair is first used, so that a lost answer is
    /// harmless. An older one ends the session. (SES-5 to SES-7)
    RefreshSession("refresh_session"): POST "/v1/sessions/refresh" => 200 {
        caller: Anyone,
        body: SpentToken,
        response: SessionRefreshed,
        refusal: RefreshSessionRefusal,
    }
}

refusals! {
    /// Why no new pair is given.
    RefreshSessionRefusal { RefreshTokenInvalid }
}

/// The refresh token to spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpentToken {
    /// From signing in, or from the last refresh.
    pub refresh_token: RefreshToken,
}

/// The new pair.
pub type SessionRefreshed = TokenPair;

impl Example for SpentToken {
    fn example() -> Self {
        Self { refresh_token: RefreshToken::example() }
    }
}
