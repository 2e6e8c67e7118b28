//! Which refresh token is good. (SES-5 to SES-7)
//!
//! A session counts its pairs of tokens: the first is generation 1, each refresh makes the next. Only the secrets of
//! the newest pair and of the one before are known to the store, as hashes; that an older token is genuine, its own
//! seal proves.

use super::hashes::SecretHash;

/// The refresh tokens of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshState {
    /// The newest pair's place in the row of pairs, from 1.
    pub generation: u32,
    /// The newest refresh token.
    pub newest: SecretHash,
    /// The one before; there is none in the first generation.
    pub before: Option<SecretHash>,
    /// Whether a token of the newest pair was used.
    pub newest_used: bool,
}

/// A refresh token whose seal proves that this server made it for the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken {
    /// Its pair's place in the row.
    pub generation: u32,
    /// Its secret.
    pub hash: SecretHash,
}

/// What a presented refresh token gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// The next generation is made.
    Advance {
        /// The place of the pair to make.
        generation: u32,
    },
    /// The newest pair is answered again: the answer that held it may have been lost. (SES-6)
    Repeat,
    /// Somebody has an old token: the session ends. (SES-7)
    EndSession,
    /// Not a token of this session as it is stored.
    Refuse,
}

/// Decides what a presented token gets.
pub fn decide(state: &RefreshState, presented: &PresentedToken) -> Refresh {
    match state.generation.checked_sub(presented.generation) {
        Some(0) if presented.hash == state.newest => match state.generation.checked_add(1) {
            Some(generation) => Refresh::Advance { generation },
            None => Refresh::Refuse,
        },
        Some(1) if state.before == Some(presented.hash) => {
            if state.newest_used {
                Refresh::EndSession
            } else {
                Refresh::Repeat
            }
        }
        // The secret does not fit its generation, or the store was restored from before this token was made.
        Some(0 | 1) | None => Refresh::Refuse,
        Some(_) => Refresh::EndSession,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u32) -> SecretHash {
        SecretHash([u8::try_from(n).unwrap(); 32])
    }

    fn token(generation: u32) -> PresentedToken {
        PresentedToken { generation, hash: hash(generation) }
    }

    fn at_generation(generation: u32) -> RefreshState {
        let before = (generation > 1).then(|| hash(generation - 1));
        RefreshState { generation, newest: hash(generation), before, newest_used: false }
    }

    #[test]
    fn the_newest_token_makes_the_next_pair_used_or_not() {
        for newest_used in [false, true] {
            let state = RefreshState { newest_used, ..at_generation(3) };
            assert_eq!(decide(&state, &token(3)), Refresh::Advance { generation: 4 });
        }
    }

    #[test]
    fn a_lost_answer_is_harmless_until_the_newest_pair_is_used() {
        let mut state = at_generation(2);
        assert_eq!(decide(&state, &token(1)), Refresh::Repeat);
        assert_eq!(decide(&state, &token(1)), Refresh::Repeat, "the second answer may be lost too");
        state.newest_used = true;
        assert_eq!(decide(&state, &token(1)), Refresh::EndSession);
    }

    #[test]
    fn a_token_older_than_the_one_before_ends_the_session_even_when_the_newest_pair_is_unused() {
        assert_eq!(decide(&at_generation(3), &token(1)), Refresh::EndSession);
    }

    #[test]
    fn a_secret_that_does_not_fit_its_generation_is_refused_and_ends_nothing() {
        let state = at_generation(3);
        for generation in [2, 3] {
            let foreign = PresentedToken { generation, hash: hash(9) };
            assert_eq!(decide(&state, &foreign), Refresh::Refuse);
        }
    }

    #[test]
    fn a_token_from_before_a_restored_backup_is_refused_and_ends_nothing() {
        assert_eq!(decide(&at_generation(3), &token(4)), Refresh::Refuse);
    }

    #[test]
    fn the_first_generation_has_none_before_it() {
        assert_eq!(decide(&at_generation(1), &token(0)), Refresh::Refuse);
    }
}
