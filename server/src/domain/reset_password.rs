use i9chat_spec::{UserId, error::NoRefusal};

use super::{ChangeBody, Command, Decision, Effect, Stamp, State, Wanted, accounts::hashes::PasswordHash};

/// Sets a new password, and ends every session of the user. (ACC-17) The ticket that it takes was used up before.
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// Whose.
    pub user_id: UserId,
    /// The new password.
    pub password: PasswordHash,
}

impl Command for ResetPassword {
    type Answer = ();
    type Refusal = NoRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.sessions_of.insert(self.user_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, NoRefusal> {
        let sessions = state.sessions_of.get(&self.user_id).into_iter().flatten();
        let ended = sessions.map(|session_id| ChangeBody::SessionEnded {
            user_id: self.user_id,
            session_id: *session_id,
            at: stamp.at,
        });
        let set = Effect::PasswordSet { user_id: self.user_id, hash: self.password.clone() };
        Ok(Decision { answer: (), changes: ended.collect(), effects: vec![set] })
    }
}

#[cfg(test)]
mod tests;
