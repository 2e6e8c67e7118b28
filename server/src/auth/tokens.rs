//! The tokens that name a session. (CAL-2, SES-4)

use std::fmt;

use i9chat_spec::{SessionId, Timestamp, Token, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto::aws_lc};
use serde::{Deserialize, Serialize};

use super::keys::ServerKey;

/// Who made the token and who takes it: the server itself, both times.
const ISSUER: &str = "i9chat";

/// Makes and checks tokens.
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

/// What a token says, once its signature was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenClaims {
    /// The user.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// The place of its pair in the session's row of pairs; see [`crate::domain::accounts::refresh`].
    pub generation: u32,
}

/// What a text that came as a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenCheck {
    /// A token of this server, in its time.
    Valid(TokenClaims),
    /// A token of this server that ran out. (CAL-3)
    Expired,
    /// Anything else. (CAL-2)
    Invalid,
}

/// The claims as they stand in the token. (RFC 7519)
#[derive(Serialize, Deserialize)]
struct WireClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    #[serde(rename = "gen")]
    generation: u32,
    iat: i64,
    exp: i64,
}

/// A token could not be made: the signing itself failed.
#[derive(Debug, thiserror::Error)]
#[error("a token cannot be signed")]
pub struct SigningFailed;

impl Tokens {
    /// Tokens signed with a key derived from the server's.
    pub fn new(key: &ServerKey) -> Self {
        if aws_lc::DEFAULT_PROVIDER.install_default().is_err() {
            tracing::trace!("another server in this process has installed the provider for tokens");
        }
        let secret = key.derive("token");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.algorithms = vec![Algorithm::HS256];
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.leeway = 0;
        // The time is handed in: `check` compares it.
        validation.validate_exp = false;
        Self { signing: EncodingKey::from_secret(&secret), checking: DecodingKey::from_secret(&secret), validation }
    }

    /// A token that is good for so many seconds, and when it runs out: in whole seconds, rounded up, as JWTs count.
    pub fn issue(&self, claims: TokenClaims, now: Timestamp, ttl_s: u64) -> Result<(Token, Timestamp), SigningFailed> {
        let expires_at = next_second(now.plus_seconds(ttl_s));
        let claims = WireClaims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            sub: claims.user_id,
            sid: claims.session_id,
            generation: claims.generation,
            iat: now.as_millis() / 1000,
            exp: expires_at.as_millis() / 1000,
        };
        let token =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(|_| SigningFailed)?;
        Ok((token.parse().map_err(|_| SigningFailed)?, expires_at))
    }

    /// What the text is. Only a token with a good signature is ever called expired.
    pub fn check(&self, text: &str, now: Timestamp) -> TokenCheck {
        match jsonwebtoken::decode::<WireClaims>(text, &self.checking, &self.validation) {
            Err(_) => TokenCheck::Invalid,
            Ok(token) if now.as_millis() / 1000 >= token.claims.exp => TokenCheck::Expired,
            Ok(token) => TokenCheck::Valid(TokenClaims {
                user_id: token.claims.sub,
                session_id: token.claims.sid,
                generation: token.claims.generation,
            }),
        }
    }
}

fn next_second(at: Timestamp) -> Timestamp {
    Timestamp::from_millis((at.as_millis() + 999) / 1000 * 1000)
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use i9chat_spec::Example;
    use serde_json::json;

    use super::*;
    use crate::ids::SystemIds;

    const NOW: Timestamp = Timestamp::from_millis(1_795_380_253_123);

    fn claims() -> TokenClaims {
        TokenClaims { user_id: UserId::example(), session_id: SessionId::example(), generation: 7 }
    }

    fn tokens() -> Tokens {
        Tokens::new(&ServerKey::generate(&SystemIds))
    }

    /// A token of any header and claims, signed with the right key all the same.
    fn forged(tokens: &Tokens, header: &serde_json::Value, claims: &serde_json::Value) -> String {
        let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &tokens.signing, Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    }

    fn good_claims() -> serde_json::Value {
        json!({"iss": ISSUER, "aud": ISSUER, "sub": UserId::example(), "sid": SessionId::example(), "gen": 7,
               "iat": 1_795_380_253, "exp": 1_795_383_854})
    }

    #[test]
    fn a_token_is_good_until_the_moment_that_was_told() {
        let tokens = tokens();
        let (token, expires_at) = tokens.issue(claims(), NOW, 3600).unwrap();
        assert!(expires_at >= NOW.plus_seconds(3600) && expires_at < NOW.plus_seconds(3601));
        let just_before = Timestamp::from_millis(expires_at.as_millis() - 1);
        assert_eq!(tokens.check(token.as_str(), just_before), TokenCheck::Valid(claims()));
        assert_eq!(tokens.check(token.as_str(), expires_at), TokenCheck::Expired);
    }

    #[test]
    fn a_token_of_another_server_is_invalid_even_when_it_ran_out() {
        let (token, _) = tokens().issue(claims(), NOW, 3600).unwrap();
        assert_eq!(tokens().check(token.as_str(), NOW), TokenCheck::Invalid);
        assert_eq!(tokens().check(token.as_str(), NOW.plus_seconds(7200)), TokenCheck::Invalid);
    }

    #[test]
    fn a_token_with_any_character_changed_is_invalid() {
        let tokens = tokens();
        let (token, _) = tokens.issue(claims(), NOW, 3600).unwrap();
        for index in 0..token.as_str().len() {
            let mut altered = token.as_str().as_bytes().to_vec();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(tokens.check(&altered, NOW), TokenCheck::Invalid, "character {index}");
        }
    }

    #[test]
    fn only_the_servers_own_algorithm_is_taken() {
        let tokens = tokens();
        let check = |header| tokens.check(&forged(&tokens, &header, &good_claims()), NOW);
        assert_eq!(check(json!({"alg": "HS256", "typ": "JWT"})), TokenCheck::Valid(claims()));
        for algorithm in ["none", "None", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""] {
            assert_eq!(check(json!({"alg": algorithm})), TokenCheck::Invalid, "{algorithm}");
        }
        let none = format!("{}.{}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), "e30");
        assert_eq!(tokens.check(&none, NOW), TokenCheck::Invalid);
    }

    #[test]
    fn a_token_for_another_purpose_or_with_a_claim_missing_is_invalid() {
        let tokens = tokens();
        let header = json!({"alg": "HS256"});
        for (claim, value) in
            [("iss", json!("other")), ("aud", json!("other")), ("sub", json!("bob")), ("gen", json!(-1))]
        {
            let mut altered = good_claims();
            altered[claim] = value;
            assert_eq!(tokens.check(&forged(&tokens, &header, &altered), NOW), TokenCheck::Invalid, "{claim}");
        }
        for claim in ["iss", "aud", "sub", "sid", "gen", "exp"] {
            let mut altered = good_claims();
            altered.as_object_mut().unwrap().remove(claim);
            assert_eq!(tokens.check(&forged(&tokens, &header, &altered), NOW), TokenCheck::Invalid, "{claim}");
        }
    }

    #[test]
    fn rubbish_is_invalid() {
        for text in ["", ".", "..", "a.b.c", "eyJhbGciOiJIUzI1NiJ9", "\u{1F600}.\u{1F600}.\u{1F600}"] {
            assert_eq!(tokens().check(text, NOW), TokenCheck::Invalid, "{text}");
        }
    }
}
