//! Tickets, codes, refresh tokens and cookie secrets: opaque texts of which only hashes are stored.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use i9chat_spec::{Code, RefreshToken, SessionId, Ticket};
use uuid::Uuid;

use super::keys::ServerKey;
use crate::{
    domain::accounts::{hashes::SecretHash, refresh::PresentedToken},
    ids::Ids,
};

const SECRET_BYTES: usize = 32;
/// Session id, generation, secret.
const BODY_BYTES: usize = 16 + 4 + SECRET_BYTES;
const SEAL_BYTES: usize = 32;

/// Makes and checks secrets, with keys derived from the server's.
pub struct Secrets {
    refresh: hmac::Key,
    chain: hmac::Key,
    cookie: hmac::Key,
    code: hmac::Key,
}

/// A secret of a session that this server made: its seal says so.
///
/// Whether the session still takes it, the stored hashes say. A stranger who knows the id of a session cannot make
/// one, and so cannot end the session by pretending to use an old one. (SES-7)
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret {
    /// The session.
    pub session_id: SessionId,
    /// The place of the pair in the session's row of pairs; 0 for a cookie.
    pub generation: u32,
    secret: [u8; SECRET_BYTES],
}

impl SessionSecret {
    /// A new one.
    pub fn generate(ids: &dyn Ids, session_id: SessionId, generation: u32) -> Self {
        let mut secret = [0; SECRET_BYTES];
        ids.fill(&mut secret);
        Self { session_id, generation, secret }
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.secret)
    }

    /// What the rules of refreshing look at.
    pub fn presented(&self) -> PresentedToken {
        PresentedToken { generation: self.generation, hash: self.hash() }
    }

    fn body(&self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        let generation = self.generation.to_be_bytes();
        let parts = self.session_id.as_uuid().as_bytes().iter().chain(&generation).chain(&self.secret);
        body.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        body
    }
}

impl Secrets {
    /// Secrets that hold with this server's key.
    pub fn new(key: &ServerKey) -> Self {
        let derive = |purpose| hmac::Key::new(hmac::HMAC_SHA256, &key.derive(purpose));
        Self {
            refresh: derive("refresh"),
            chain: derive("refresh chain"),
            cookie: derive("cookie"),
            code: derive("code"),
        }
    }

    /// A new ticket. (ACC-4)
    pub fn ticket(ids: &dyn Ids) -> Option<Ticket> {
        let mut secret = [0; SECRET_BYTES];
        ids.fill(&mut secret);
        BASE64_URL_SAFE_NO_PAD.encode(secret).parse().ok()
    }

    /// What is stored of a ticket.
    pub fn hash_of_ticket(ticket: &Ticket) -> SecretHash {
        hash(ticket.as_str().as_bytes())
    }

    /// The code that is mailed for a ticket. It follows from the ticket and the server's key, so that it is stored nowhere. (ACC-2)
    pub fn code(&self, ticket: &SecretHash) -> Option<Code> {
        let tag = hmac::sign(&self.code, &ticket.0);
        let number = tag.as_ref().first_chunk().map(|bytes| u64::from_be_bytes(*bytes))?;
        format!("{:06}", number % 1_000_000).parse().ok()
    }

    /// Whether the code is the one for the ticket, in the same time for every code.
    pub fn is_code(&self, ticket: &SecretHash, code: &Code) -> bool {
        self.code(ticket).is_some_and(|right| {
            constant_time::verify_slices_are_equal(right.as_str().as_bytes(), code.as_str().as_bytes()).is_ok()
        })
    }

    /// The text of a refresh token. (SES-5)
    pub fn refresh_token(&self, secret: &SessionSecret) -> Option<RefreshToken> {
        seal(&self.refresh, secret).parse().ok()
    }

    /// The secret in a refresh token; `None` when this server did not make it.
    pub fn open_refresh_token(&self, token: &RefreshToken) -> Option<SessionSecret> {
        unseal(&self.refresh, token.as_str())
    }

    /// The refresh secret after this one. It follows from it and the server's key: a token that is spent twice because
    /// the answer was lost gets the same successor twice, and whichever copy arrives is the newest. (SES-6)
    pub fn successor(&self, secret: &SessionSecret) -> Option<SessionSecret> {
        let tag = hmac::sign(&self.chain, &secret.body());
        Some(SessionSecret {
            session_id: secret.session_id,
            generation: secret.generation.checked_add(1)?,
            secret: *tag.as_ref().first_chunk()?,
        })
    }

    /// The text of a cookie. (CAL-5)
    pub fn cookie(&self, secret: &SessionSecret) -> String {
        seal(&self.cookie, secret)
    }

    /// The secret in a cookie; `None` when this server did not make it.
    pub fn open_cookie(&self, text: &str) -> Option<SessionSecret> {
        unseal(&self.cookie, text)
    }
}

fn hash(bytes: &[u8]) -> SecretHash {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
    SecretHash(hash)
}

fn seal(key: &hmac::Key, secret: &SessionSecret) -> String {
    let mut bytes = secret.body().to_vec();
    let tag = hmac::sign(key, &bytes);
    bytes.extend_from_slice(tag.as_ref());
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn unseal(key: &hmac::Key, text: &str) -> Option<SessionSecret> {
    let bytes: [u8; BODY_BYTES + SEAL_BYTES] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (body, seal) = bytes.split_at(BODY_BYTES);
    hmac::verify(key, body, seal).ok()?;
    let (session_id, rest) = body.split_first_chunk::<16>()?;
    let (generation, secret) = rest.split_first_chunk::<4>()?;
    Some(SessionSecret {
        session_id: SessionId::from_uuid(Uuid::from_bytes(*session_id)),
        generation: u32::from_be_bytes(*generation),
        secret: secret.try_into().ok()?,
    })
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret(…)")
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;
    use crate::ids::SystemIds;

    fn secrets() -> Secrets {
        Secrets::new(&ServerKey::generate(&SystemIds))
    }

    fn of_session() -> SessionSecret {
        SessionSecret::generate(&SystemIds, SessionId::example(), 3)
    }

    #[test]
    fn a_secret_comes_back_from_its_token_and_its_cookie() {
        let (secrets, secret) = (secrets(), of_session());
        assert!(secrets.open_refresh_token(&secrets.refresh_token(&secret).unwrap()) == Some(secret.clone()));
        assert!(secrets.open_cookie(&secrets.cookie(&secret)) == Some(secret));
    }

    #[test]
    fn a_cookie_is_no_refresh_token_and_a_token_of_another_server_is_none_here() {
        let (secrets, secret) = (secrets(), of_session());
        assert!(secrets.open_cookie(secrets.refresh_token(&secret).unwrap().as_str()).is_none());
        assert!(secrets.open_refresh_token(&secrets.cookie(&secret).parse().unwrap()).is_none());
        assert!(self::secrets().open_cookie(&secrets.cookie(&secret)).is_none());
    }

    #[test]
    fn a_token_with_any_character_changed_is_none() {
        let secrets = secrets();
        let token = secrets.refresh_token(&of_session()).unwrap();
        for index in 0..token.as_str().len() {
            let mut altered = token.as_str().as_bytes().to_vec();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered: RefreshToken = std::str::from_utf8(&altered).unwrap().parse().unwrap();
            assert!(secrets.open_refresh_token(&altered).is_none(), "character {index}");
        }
        for rubbish in ["A", "AAAA", &"A".repeat(112), &"A".repeat(256)] {
            assert!(secrets.open_refresh_token(&rubbish.parse().unwrap()).is_none(), "{rubbish}");
        }
    }

    #[test]
    fn a_token_that_is_spent_twice_has_the_same_successor() {
        let (secrets, secret) = (secrets(), of_session());
        let next = secrets.successor(&secret).unwrap();
        assert!(secrets.successor(&secret) == Some(next.clone()));
        assert_eq!(next.generation, 4);
        assert_ne!(next.hash(), secret.hash());
        assert!(self::secrets().successor(&secret).unwrap().hash() != next.hash(), "only this server can tell");
    }

    #[test]
    fn a_code_fits_its_ticket_alone() {
        let secrets = secrets();
        let tickets: Vec<_> = (0..50).map(|_| Secrets::hash_of_ticket(&Secrets::ticket(&SystemIds).unwrap())).collect();
        let right = tickets.iter().filter(|ticket| secrets.is_code(ticket, &secrets.code(&tickets[0]).unwrap()));
        assert!(right.clone().any(|ticket| ticket == &tickets[0]));
        assert!(right.count() < 5, "one in a million fits by chance");
    }

    #[test]
    fn no_secret_is_shown_by_debug() {
        let (secrets, secret) = (secrets(), of_session());
        assert_eq!(format!("{secrets:?} {secret:?} {:?}", secret.hash()), "Secrets(…) SessionSecret(…) SecretHash(…)");
    }
}
