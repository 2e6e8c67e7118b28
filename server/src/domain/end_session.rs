use i9chat_spec::{SessionId, UserId, api::sessions::EndSessionRefusal};

use super::{ChangeBody, Command, Decision, Stamp, State, Wanted};

/// Ends a session of a user. (SES-10)
#[derive(Debug, Clone, Copy)]
pub struct EndSession {
    /// Whose.
    pub user_id: UserId,
    /// Which.
    pub session_id: SessionId,
}

impl Command for EndSession {
    type Answer = ();
    type Refusal = EndSessionRefusal;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.sessions.insert(self.session_id);
    }

    fn decide(&self, state: &State, stamp: &Stamp<'_>) -> Result<Decision<()>, EndSessionRefusal> {
        let session = state.sessions.get(&self.session_id).filter(|session| session.user_id == self.user_id);
        session.ok_or(EndSessionRefusal::SessionNotFound)?;
        let ended = ChangeBody::SessionEnded { user_id: self.user_id, session_id: self.session_id, at: stamp.at };
        Ok(Decision::new((), vec![ended]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::Scene;

    #[test]
    fn a_session_ends_once_and_by_its_owner_alone() {
        let mut scene = Scene::new();
        let [alice, bob] = scene.users();
        let session_id = scene.session_of(&alice);
        let by_bob = EndSession { user_id: bob.user_id, session_id };
        let by_alice = EndSession { user_id: alice.user_id, session_id };
        assert_eq!(scene.decide(&by_bob), Err(EndSessionRefusal::SessionNotFound));
        assert_eq!(scene.decide(&by_alice), Ok(()));
        assert_eq!(scene.heard_by(&alice), ["session_ended"]);
        assert_eq!(scene.decide(&by_alice), Err(EndSessionRefusal::SessionNotFound));
    }
}
