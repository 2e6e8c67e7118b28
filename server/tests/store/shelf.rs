//! A store that a case tries, and what a case does on it.

use std::{any::Any, pin::Pin, sync::Arc};

use i9chat_server::{
    bus::Committed,
    domain::{
        Change, ChangeBody, Command, Effect, Place, Position, Stamp, State, Wanted,
        accounts::{
            hashes::{PasswordHash, SecretHash},
            refresh::RefreshState,
        },
    },
    ids::{Ids, SystemIds},
    store::{
        Decided, LogStore, StoreError,
        accounts::{AccountMade, AccountStore, NewAccount, NewSession, SessionProof},
        media::MediaRecords,
        presence::LastSeen,
    },
};
use i9chat_spec::{Refusal, SessionId, Timestamp, User, UserId};
use parking_lot::Mutex;
use uuid::Uuid;

/// Everything that both stores are.
pub trait Store: LogStore + AccountStore + MediaRecords + LastSeen {}

impl<T: LogStore + AccountStore + MediaRecords + LastSeen> Store for T {}

/// Opens what there is as a node does that starts.
pub type OpenAgain = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Store>>>>>;

/// An empty store.
pub struct Shelf {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The same one, as another node of a cluster has it; where there is only one node, that one.
    pub other: Arc<dyn Store>,
    /// What was committed, as its committer was told.
    told: Mutex<Vec<Committed>>,
    opened_again: OpenAgain,
    _kept: Box<dyn Any>,
}

/// The passwords of all users.
pub const PASSWORD: &str = "phc";

/// A moment.
pub fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

pub fn uuid() -> Uuid {
    SystemIds.uuid(at(0))
}

pub fn hash(number: u8) -> SecretHash {
    SecretHash([number; 32])
}

/// A session with tokens, opened at a second.
pub fn session(second: u64) -> NewSession {
    let tokens = RefreshState { generation: 1, newest: hash(1), before: None, newest_used: true };
    NewSession {
        session_id: SessionId::from_uuid(uuid()),
        created_at: at(second),
        client: Some("test".to_owned()),
        proof: SessionProof::Tokens(tokens),
    }
}

/// An account of that name, with an address of the same name.
pub fn account(name: &str) -> NewAccount {
    NewAccount {
        email: format!("{name}@example.com").parse().unwrap(),
        user: User { user_id: UserId::from_uuid(uuid()), username: name.parse().unwrap() },
        bio: "Hello".parse().unwrap(),
        password: PasswordHash(PASSWORD.to_owned()),
        session: session(0),
    }
}

impl Shelf {
    /// A store, with what must live as long as it.
    pub fn new(store: Arc<dyn Store>, other: Arc<dyn Store>, opened_again: OpenAgain, kept: impl Any) -> Self {
        Self { store, other, told: Mutex::default(), opened_again, _kept: Box::new(kept) }
    }

    /// The store as a node finds it that starts now. Nobody else uses it any more.
    pub async fn opened_again(&self) -> Arc<dyn Store> {
        (self.opened_again)().await
    }

    /// Makes the account of a user.
    pub async fn user(&self, name: &str) -> User {
        self.user_with_session(name).await.0
    }

    /// The same, with its first session.
    pub async fn user_with_session(&self, name: &str) -> (User, SessionId) {
        let account = account(name);
        let made = (account.user.clone(), account.session.session_id);
        assert_eq!(self.store.make_account(account).await.unwrap(), AccountMade::Made);
        made
    }

    /// Makes several users.
    pub async fn users<const N: usize>(&self, names: [&str; N]) -> [User; N] {
        let mut users = Vec::new();
        for name in names {
            users.push(self.user(name).await);
        }
        users.try_into().unwrap()
    }

    /// Does what the committer does with a command that is alone.
    pub async fn commit<C: Command + Sync>(&self, command: C) -> C::Answer {
        let Ok(answer) = self.try_to(&self.store, command).await else { panic!("the command is refused") };
        answer
    }

    /// The same, on one of the nodes, and with a refusal.
    pub async fn try_to<C: Command + Sync>(&self, store: &Arc<dyn Store>, command: C) -> Result<C::Answer, C::Refusal> {
        let mut wanted = Wanted::default();
        command.wants(&mut wanted);
        let outcome = Arc::new(Mutex::new(None));
        let told = Arc::clone(&outcome);
        let decide = Box::new(move |state: &mut State, head: Place| {
            let stamp = Stamp { at: at(0), ids: &SystemIds };
            match command.decide(state, &stamp) {
                Ok(decision) => {
                    *told.lock() = Some(Ok(decision.answer));
                    append(state, head, decision.changes, decision.effects)
                }
                Err(refusal) => {
                    *told.lock() = Some(Err(refusal));
                    Ok(Decided::default())
                }
            }
        });
        let changes = store.transact(wanted, at(0), decide).await.unwrap();
        self.told.lock().extend(changes.into_iter().map(Committed::from));
        outcome.lock().take().unwrap()
    }

    /// Does several commands in one transaction, each after the other. None may be refused.
    pub async fn commit_all<C: Command + Sync>(&self, commands: Vec<C>) {
        let mut wanted = Wanted::default();
        for command in &commands {
            command.wants(&mut wanted);
        }
        let decide = Box::new(move |state: &mut State, head: Place| {
            let stamp = Stamp { at: at(0), ids: &SystemIds };
            let mut all = Decided::default();
            for command in commands {
                let refused = |refusal: C::Refusal| StoreError::Corrupt(refusal.code().to_string());
                let decision = command.decide(state, &stamp).map_err(refused)?;
                let last = all.changes.last().map_or(head, |change: &Change| change.record.place);
                all.changes.extend(append(state, last, decision.changes, Vec::new())?.changes);
                all.effects.extend(decision.effects);
            }
            Ok(all)
        });
        let changes = self.store.transact(wanted, at(0), decide).await.unwrap();
        self.told.lock().extend(changes.into_iter().map(Committed::from));
    }

    /// Looks at the state as a decision gets it.
    pub async fn look<T: Send + 'static>(
        &self,
        now: Timestamp,
        wanted: Wanted,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> T {
        let seen = Arc::new(Mutex::new(None));
        let told = Arc::clone(&seen);
        let decide = Box::new(move |state: &mut State, _: Place| {
            *told.lock() = Some(look(state));
            Ok(Decided::default())
        });
        self.store.transact(wanted, now, decide).await.unwrap();
        seen.lock().take().unwrap()
    }

    /// Everything that was committed, in log order.
    pub fn told(&self) -> Vec<Committed> {
        let mut told = self.told.lock().clone();
        told.sort_by_key(|committed| committed.record.place.position);
        told
    }

    /// Where the log ends.
    pub async fn head(&self) -> Place {
        self.store.head().await.unwrap().place
    }
}

/// Puts changes after the head, and into the state.
pub fn append(
    state: &mut State,
    head: Place,
    bodies: Vec<ChangeBody>,
    effects: Vec<Effect>,
) -> Result<Decided, StoreError> {
    let positions = (head.position.0 + 1..).map(Position);
    let changes = bodies.into_iter().zip(positions).map(|(body, position)| {
        state.apply(&body);
        body.at(position, &SystemIds).map_err(|error| StoreError::Corrupt(error.to_string()))
    });
    Ok(Decided { changes: changes.collect::<Result<_, _>>()?, effects })
}

/// The code of a refusal.
pub fn code<T, R: Refusal + Copy>(outcome: &Result<T, R>) -> String {
    match outcome {
        Ok(_) => "done".to_owned(),
        Err(refusal) => refusal.code().to_string(),
    }
}
