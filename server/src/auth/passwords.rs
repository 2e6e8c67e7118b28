//! Argon2id, on a bounded pool: each hash takes memory and a core, so only so many run at once. (ACC-9)

use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error, PasswordHasher, PasswordVerifier, phc},
};
use i9chat_spec::Password;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{domain::accounts::hashes::PasswordHash, ids::Ids};

const SALT_BYTES: usize = 16;

/// Makes and checks password hashes.
pub struct Passwords {
    argon2: Argon2<'static>,
    /// What the password for an unknown login is checked against, so that it takes as long as for a known one. (SES-2)
    nobody: PasswordHash,
    ids: Arc<dyn Ids>,
    running: Arc<Semaphore>,
    /// Those that run and those that wait.
    admitted: Arc<Semaphore>,
}

/// How much a hash costs, and how many are made at once.
#[derive(Debug, Clone)]
pub struct PasswordCost {
    /// Memory, passes and lanes of Argon2id.
    pub params: Params,
    /// How many run at once.
    pub at_once: usize,
    /// How many may wait. Beyond that sign-ins are refused as `overloaded`.
    pub waiting: usize,
}

impl PasswordCost {
    /// The parameters that OWASP recommends, as many at once as there are cores.
    pub fn for_this_machine() -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { params: Params::DEFAULT, at_once, waiting: 256 }
    }
}

/// Why a password was neither taken nor refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// The stored hash cannot be read, or the machine cannot make one.
    #[error("a password cannot be hashed")]
    Failed,
}

/// What a password is for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is the right one.
    Right {
        /// A hash to store instead, when the stored one was made with other parameters.
        renewed: Option<PasswordHash>,
    },
    /// It is not, or there is no such account.
    Wrong,
}

impl Passwords {
    /// A pool of that cost. Makes one hash, so it blocks; call it before serving.
    pub fn new(cost: PasswordCost, ids: Arc<dyn Ids>) -> Result<Self, PasswordError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params);
        let mut password = [0; 32];
        ids.fill(&mut password);
        let nobody = hash(&argon2, &password, salt(&*ids))?;
        Ok(Self {
            argon2,
            nobody,
            ids,
            running: Arc::new(Semaphore::new(cost.at_once.max(1))),
            admitted: Arc::new(Semaphore::new(cost.at_once.max(1) + cost.waiting)),
        })
    }

    /// Waits for one's turn.
    pub async fn turn(&self) -> Result<Turn<'_>, PasswordError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| PasswordError::Overloaded)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PasswordError::Overloaded)?;
        Ok(Turn { passwords: self, permits: Arc::new((running, admitted)) })
    }
}

/// One's turn on the pool.
pub struct Turn<'p> {
    passwords: &'p Passwords,
    permits: Arc<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Turn<'_> {
    /// The hash of a new password.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        let (password, salt) = (password.clone(), salt(&*self.passwords.ids));
        self.run(move |argon2| hash(argon2, password.as_str().as_bytes(), salt)).await
    }

    /// Checks a password against the hash of an account; without one it takes as long, and is wrong. (SES-2)
    pub async fn check(
        &self,
        password: &Password,
        stored: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, PasswordError> {
        let (password, salt) = (password.clone(), salt(&*self.passwords.ids));
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.passwords.nobody).clone();
        self.run(move |argon2| {
            let password = password.as_str().as_bytes();
            let stored = phc::PasswordHash::new(&stored.0).map_err(|_| PasswordError::Failed)?;
            match argon2.verify_password(password, &stored) {
                Ok(()) if known => {
                    let renewed = if costs(Params::try_from(&stored).ok().as_ref()) == costs(Some(argon2.params())) {
                        None
                    } else {
                        Some(hash(argon2, password, salt)?)
                    };
                    Ok(PasswordCheck::Right { renewed })
                }
                Ok(()) | Err(Error::PasswordInvalid) => Ok(PasswordCheck::Wrong),
                Err(_) => Err(PasswordError::Failed),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Argon2<'static>) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (argon2, permits) = (self.passwords.argon2.clone(), Arc::clone(&self.permits));
        // The job keeps the permits: a caller that goes away does not make room for another while its job still runs.
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = job(&argon2);
            drop(permits);
            outcome
        });
        outcome.await.unwrap_or(Err(PasswordError::Failed))
    }
}

/// Memory, passes and lanes: what a hash tells of how it was made, and what may change.
fn costs(params: Option<&Params>) -> Option<[u32; 3]> {
    params.map(|params| [params.m_cost(), params.t_cost(), params.p_cost()])
}

fn salt(ids: &dyn Ids) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    ids.fill(&mut salt);
    salt
}

fn hash(argon2: &Argon2<'_>, password: &[u8], salt: [u8; SALT_BYTES]) -> Result<PasswordHash, PasswordError> {
    let hash: phc::PasswordHash = argon2.hash_password_with_salt(password, &salt).map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash(hash.to_string()))
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords(…)")
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SystemIds;

    fn pool(passes: u32, waiting: usize) -> Passwords {
        let params = Params::new(Params::MIN_M_COST, passes, 1, None).unwrap();
        Passwords::new(PasswordCost { params, at_once: 1, waiting }, Arc::new(SystemIds)).unwrap()
    }

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_right_password_is_right_and_any_other_is_wrong() {
        let pool = pool(1, 1);
        let turn = pool.turn().await.unwrap();
        let stored = turn.hash(&password("correct horse")).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$"), "{}", stored.0);
        let right = turn.check(&password("correct horse"), Some(&stored)).await;
        assert_eq!(right, Ok(PasswordCheck::Right { renewed: None }));
        for wrong in ["correct Horse", "correct horse ", "staple battery"] {
            assert_eq!(turn.check(&password(wrong), Some(&stored)).await, Ok(PasswordCheck::Wrong));
        }
        assert_ne!(turn.hash(&password("correct horse")).await.unwrap(), stored, "each hash has a salt of its own");
    }

    #[tokio::test]
    async fn no_password_is_right_for_nobody() {
        let pool = pool(1, 1);
        let turn = pool.turn().await.unwrap();
        assert_eq!(turn.check(&password("correct horse"), None).await, Ok(PasswordCheck::Wrong));
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_still_taken_and_renewed() {
        let (old, new) = (pool(1, 1), pool(2, 1));
        let stored = old.turn().await.unwrap().hash(&password("correct horse")).await.unwrap();
        let turn = new.turn().await.unwrap();
        let Ok(PasswordCheck::Right { renewed: Some(renewed) }) =
            turn.check(&password("correct horse"), Some(&stored)).await
        else {
            panic!("the hash was to be renewed")
        };
        let again = turn.check(&password("correct horse"), Some(&renewed)).await;
        assert_eq!(again, Ok(PasswordCheck::Right { renewed: None }));
    }

    #[tokio::test]
    async fn a_stored_hash_that_cannot_be_read_is_a_fault_and_no_wrong_password() {
        let pool = pool(1, 1);
        let turn = pool.turn().await.unwrap();
        let rubbish = PasswordHash("rubbish".to_owned());
        assert_eq!(turn.check(&password("correct horse"), Some(&rubbish)).await, Err(PasswordError::Failed));
    }

    #[tokio::test]
    async fn beyond_those_that_may_wait_the_pool_refuses_and_serves_again_when_there_is_room() {
        let pool = pool(1, 1);
        let first = pool.turn().await.unwrap();
        let mut second = Box::pin(pool.turn());
        assert!(futures_util::poll!(&mut second).is_pending());
        assert_eq!(pool.turn().await.err(), Some(PasswordError::Overloaded));
        drop(first);
        drop(second.await.unwrap());
        assert!(pool.turn().await.is_ok());
    }
}
