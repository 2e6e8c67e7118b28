use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Anyone, Example, Login, Password, RefreshToken, SessionId, Timestamp, Token, User, endpoint, refusals};

endpoint! {
    /// Signs in by username or mail address.
    ///
    /// Answers tokens, or sets the cookie `i9chat_session` when asked for it. An unknown login and a wrong password have the same answer.
    /// (SES-1 to SES-4, SES-13)
    SignIn("sign_in"): POST "/v1/sessions" => 201 {
        caller: Anyone,
        body: Credentials,
        response: SessionOpened,
        refusal: SignInRefusal,
    }
}

refusals! {
    /// Why a session is not opened.
    SignInRefusal { WrongCredentials }
}

/// What one signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credentials {
    /// The username or mail address, in any case.
    pub login: Login,
    /// The password.
    pub password: Password,
    /// Whether to answer with a cookie instead of tokens. (SES-1)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<bool>,
}

/// A session that was opened. The tokens are left out when the cookie was asked for. (SES-1)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("dependentRequired" = {
    "token": ["expires_at", "refresh_token"],
    "expires_at": ["token", "refresh_token"],
    "refresh_token": ["token", "expires_at"],
}))]
pub struct SessionOpened {
    /// Names the session.
    pub session_id: SessionId,
    /// Who signed in.
    pub user: User,
    /// The tokens, unless the cookie was asked for.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenPair>,
}

/// A token and the refresh token for the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenPair {
    /// For `Authorization: Bearer`. (CAL-1)
    pub token: Token,
    /// When the token runs out. (SES-4)
    pub expires_at: Timestamp,
    /// Good for one new pair. (SES-5)
    pub refresh_token: RefreshToken,
}

impl Example for Credentials {
    fn example() -> Self {
        Self { login: Login::example(), password: Password::example(), cookie: None }
    }
}

impl Example for TokenPair {
    fn example() -> Self {
        Self { token: Token::example(), expires_at: Timestamp::example(), refresh_token: RefreshToken::example() }
    }
}

impl Example for SessionOpened {
    fn example() -> Self {
        Self { session_id: SessionId::example(), user: User::example(), tokens: Some(TokenPair::example()) }
    }
}
