use i9chat_spec::{UserId, api::password_reset::CompletePasswordResetRefusal};

use super::{
    ChangeBody, Command, Decision, Effect, Stamp, State, Wanted,
    accounts::{
        claim,
        hashes::{PasswordHash, SecretHash},
    },
};

/// Sets a new password with a ticket, and ends every session of the user. (ACC-17)
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// Whose address the ticket proves.
    pub user_id: UserId,
    /// The ticket.
    pub ticket: SecretHash,
    /// The new password.
    pub password: PasswordHash,
}

impl Command for ResetPassword {
    type Answer = ();
    type Refusal = CompletePasswordResetRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.resets.insert(self.ticket);
        wanted.sessions_of.insert(self.user_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, CompletePasswordResetRefusal> {
        let claim = state.resets.get(&self.ticket).cloned();
        let proven = claim.and_then(|claim| claim::complete(claim, stamp.at));
        proven.ok_or(CompletePasswordResetRefusal::TicketInvalid)?;
        let sessions = state.sessions_of.get(&self.user_id).into_iter().flatten();
        let ended = sessions.map(|session_id| ChangeBody::SessionEnded {
            user_id: self.user_id,
            session_id: *session_id,
            at: stamp.at,
        });
        let set = Effect::PasswordSet { user_id: self.user_id, hash: self.password.clone(), ticket: self.ticket };
        Ok(Decision { answer: (), changes: ended.collect(), effects: vec![set] })
    }
}

#[cfg(test)]
mod tests;
