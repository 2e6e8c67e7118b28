//! The model and the real server, side by side.

use std::collections::HashMap;

use futures_util::future::join_all;
use i9chat_server::domain::{
    ChangeReaction, Command, OpenDirect,
    groups::{AddMembers, ChangeAdmin, CreateGroup, JoinGroup, LeaveGroup, RemoveMember, UpdateGroup},
};
use i9chat_spec::{
    ChatId, Cursor, ErrorCode, Format, Limits, MessageId, MessageStatus, Refusal, Timestamp, User, UserId,
    api::events::{EventsQuery, ListEvents},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    act::{Act, Deed},
    caller::Caller,
    client::{Client, Scene},
    compare::{Compare, Place, same},
    model::{Model, mark_receipts, send},
    names::Names,
    server::{RETENTION_S, Server},
    step::{Step, Wish},
};

/// The users: their order is another with regard to case than without.
const USERS: [&str; 6] = ["anna", "Bert", "carl", "Dora", "emil", "Fay"];
/// When a case begins.
const BEGIN: Timestamp = Timestamp::from_millis(1_795_380_000_000);
/// How often everything is looked at, and not only what the last steps were about.
const LOOK_AROUND: usize = 12;

/// Small enough to be reached.
fn limits() -> Limits {
    Limits {
        max_resume_events: 12,
        max_different_reactions: 2,
        max_group_members: 5,
        receipt_fanout_members: 3,
        requests_per_second: 1_000_000,
        requests_burst: 1_000_000,
        frames_per_second: 1_000_000,
        frames_burst: 1_000_000,
        ..Limits::default()
    }
}

pub struct World {
    model: Model,
    server: Server,
    names: Names,
    clients: Vec<Client>,
    now: Timestamp,
    steps: usize,
    /// Cursors that the server gave, and which positions of the model they are.
    places: Vec<Place>,
    /// When old events were removed, and how far the log had come then.
    sweeps: Vec<(Timestamp, u64)>,
    /// How far each message had come: that never goes back. (RCP-7)
    statuses: HashMap<MessageId, MessageStatus>,
}

impl World {
    pub async fn new() -> Self {
        let server = Server::start(limits(), BEGIN).await;
        let users: Vec<_> = (1..).zip(USERS).map(|(number, name)| user(number, name)).collect();
        let mut callers = Vec::new();
        for (number, user) in users.iter().enumerate() {
            let format = if number % 2 == 0 { Format::Json } else { Format::MessagePack };
            callers.push(Caller::new(user.clone(), format, server.make_account(user).await, server.address));
        }
        let start = head(&callers[0]).await;
        let clients = callers.into_iter().map(|caller| Client::new(caller, start.clone())).collect();
        Self {
            model: Model::new(users, limits()),
            server,
            names: Names::default(),
            clients,
            now: BEGIN,
            steps: 0,
            places: vec![Place { cursor: start, position: 0 }],
            sweeps: Vec::new(),
            statuses: HashMap::new(),
        }
    }

    pub async fn perform(&mut self, step: &Step) {
        self.steps += 1;
        self.now = self.now.plus_seconds(1);
        self.server.set_time(self.now);
        let concerned = match step {
            Step::Ask { wish, by_socket } => self.ask(wish, *by_socket).await,
            Step::Together(wishes) => self.together(wishes).await,
            Step::Burst { first, others } => self.burst(first, others).await,
            Step::Lag { client } => {
                self.client(*client).0.lag();
                Vec::new()
            }
            Step::Cut { client, read } => {
                let (client, scene) = self.client(*client);
                client.cut(scene, usize::from(*read)).await;
                Vec::new()
            }
            Step::Connect { client } => {
                let (client, scene) = self.client(*client);
                client.connect(scene).await;
                Vec::new()
            }
            Step::StartOver { client } => {
                self.client(*client).0.start_over();
                Vec::new()
            }
            Step::Sweep { times } => {
                for _ in 0..*times {
                    self.now = self.now.plus_seconds(RETENTION_S / 2 + 10);
                    self.server.set_time(self.now);
                    self.server.app.forget_old_events().await.unwrap();
                    self.sweeps.push((self.now, self.model.views().head()));
                }
                Vec::new()
            }
            Step::Forget => {
                self.server.forget().await;
                Vec::new()
            }
        };
        let scene = scene(&self.model, &self.names, &self.sweeps);
        join_all(self.clients.iter_mut().map(|client| client.go_on(scene))).await;
        let everything = self.steps.is_multiple_of(LOOK_AROUND);
        let chats = if everything { scene.views.chats() } else { concerned };
        self.compare(&chats).await;
    }

    /// Ends the case: everybody catches up, everything is looked at, and nothing more comes.
    pub async fn end(mut self) {
        let scene = scene(&self.model, &self.names, &self.sweeps);
        join_all(self.clients.iter_mut().map(|client| client.catch_up(scene))).await;
        let chats = self.model.views().chats();
        self.compare(&chats).await;
        let scene = self::scene(&self.model, &self.names, &self.sweeps);
        join_all(self.clients.iter_mut().map(|client| client.hears_nothing_more(scene))).await;
        drop(self.clients);
        self.server.stop().await;
    }

    fn client(&mut self, number: u8) -> (&mut Client, Scene<'_>) {
        let number = usize::from(number) % self.clients.len();
        (&mut self.clients[number], scene(&self.model, &self.names, &self.sweeps))
    }

    /// Does one thing on both sides; gives the chats that it was about.
    async fn ask(&mut self, wish: &Wish, by_socket: bool) -> Vec<ChatId> {
        let Some(deed) = self.model.resolve(wish) else { return Vec::new() };
        let expected = self.model.perform(&deed, self.now);
        let act = self.names.act(&deed.act);
        let client = &mut self.clients[deed.by];
        let outcome = match client.line() {
            Some(line) if by_socket && act.is_action() => {
                let id = line.send(act).await;
                line.answer(id).await
            }
            _ => client.caller.act(act).await,
        };
        self.same(&deed, expected, outcome)
    }

    /// Several actions on one connection take effect in the order sent. (MSG-12)
    async fn burst(&mut self, first: &Wish, others: &[Wish]) -> Vec<ChatId> {
        let Some(first) = self.model.resolve(first) else { return Vec::new() };
        let by = first.by;
        let mut deeds = vec![first];
        deeds.extend(others.iter().filter_map(|wish| self.model.resolve(wish)).map(|deed| Deed { by, ..deed }));
        let expected: Vec<_> = deeds.iter().map(|deed| self.model.perform(deed, self.now)).collect();
        let acts: Vec<_> = deeds.iter().map(|deed| self.names.act(&deed.act)).collect();
        let client = &mut self.clients[by];
        let mut outcomes = Vec::new();
        if let Some(line) = client.line() {
            let mut ids = Vec::new();
            for act in acts {
                ids.push(line.send(act).await);
            }
            for id in ids {
                outcomes.push(line.answer(id).await);
            }
        } else {
            for act in acts {
                outcomes.push(client.caller.act(act).await);
            }
        }
        let pairs = deeds.iter().zip(expected.into_iter().zip(outcomes));
        pairs.flat_map(|(deed, (expected, outcome))| self.same(deed, expected, outcome)).collect()
    }

    /// Several commands in one batch, by whomever.
    async fn together(&mut self, wishes: &[Wish]) -> Vec<ChatId> {
        let mut done = Vec::new();
        for wish in wishes {
            // What the batch itself makes cannot be named in it: nobody knows yet what the server calls it.
            let Some(deed) = self.model.resolve(wish).filter(|deed| self.names.know(&deed.act)) else { continue };
            let expected = self.model.perform(&deed, self.now);
            done.push((deed, expected));
        }
        let waiting: Vec<_> = done
            .iter()
            .map(|(deed, _)| submit(&self.server, self.model.users[deed.by].clone(), self.names.act(&deed.act)))
            .collect();
        let outcomes = join_all(waiting).await.into_iter().map(Result::unwrap);
        let mut chats = Vec::new();
        for ((deed, expected), outcome) in done.iter().zip(outcomes) {
            let expected = expected.clone().map(|answer| match &deed.act {
                // Answered by reading, which is not done here.
                Act::OpenDirect { .. } => answer["chat"]["chat_id"].clone(),
                Act::Join { .. } | Act::Update { .. } => Value::Null,
                _ => answer,
            });
            chats.extend(self.same(deed, expected, outcome));
        }
        chats
    }

    /// Compares two outcomes, and learns what the server calls what came about.
    fn same(
        &mut self,
        deed: &Deed,
        expected: Result<Value, ErrorCode>,
        outcome: Result<Value, ErrorCode>,
    ) -> Vec<ChatId> {
        let mut concerned = deed.act.chats();
        let outcome = outcome.map(|mut answer| {
            if let Ok(expected) = &expected {
                self.learn(&answer, expected);
                concerned.extend(chat_in(expected));
            }
            if let Some(fields) = answer.as_object_mut() {
                fields.remove("cursor");
                fields.entry("online_members_count").and_modify(|count| *count = json!(0));
            }
            self.names.translate(answer)
        });
        same(outcome, expected, || format!("{deed:?}"));
        concerned
    }

    fn learn(&mut self, answer: &Value, expected: &Value) {
        let places = ["/chat_id", "/message_id", "/chat/chat_id", ""];
        for place in places {
            if let (Some(server @ Value::String(_)), Some(model @ Value::String(_))) =
                (answer.pointer(place), expected.pointer(place))
            {
                self.names.learn(server, model);
            }
        }
    }

    /// Compares what everybody reads now with what they ought to read.
    async fn compare(&mut self, chats: &[ChatId]) {
        let scene = scene(&self.model, &self.names, &self.sweeps);
        let cursor = head(&self.clients[0].caller).await;
        self.places.push(Place { cursor, position: scene.views.head() });
        let compare = Compare { scene, places: &self.places, chats, turn: self.steps };
        join_all(self.clients.iter().map(|client| compare.reads(&client.caller))).await;
        for client in &self.clients {
            client.check(scene);
        }
        for message in scene.views.messages() {
            let (status, _) = scene.views.message_receipts(message);
            let before = self.statuses.insert(message.message_id, status);
            assert!(before.is_none_or(|before| before <= status), "the status of {message:?} went back");
        }
    }
}

/// Up to where events were old when they were removed for the last time. (RSM-12)
fn kept_from(sweeps: &[(Timestamp, u64)]) -> u64 {
    let Some((last, _)) = sweeps.last() else { return 0 };
    let old = sweeps.iter().filter(|(at, _)| at.plus_seconds(RETENTION_S) <= *last);
    old.map(|(_, head)| *head).max().unwrap_or(0)
}

fn scene<'a>(model: &'a Model, names: &'a Names, sweeps: &[(Timestamp, u64)]) -> Scene<'a> {
    let max_resume_events = usize::try_from(limits().max_resume_events).unwrap();
    Scene { views: model.views(), names, max_resume_events, kept_from: kept_from(sweeps) }
}

fn user(number: u128, name: &str) -> User {
    let user_id = UserId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_1000 + number));
    User { user_id, username: name.parse().unwrap() }
}

/// The end of the log, as any caller is told it.
async fn head(caller: &Caller) -> Cursor {
    let answer = caller.get::<ListEvents>(i9chat_spec::Nothing {}, EventsQuery::default()).await.unwrap();
    assert_eq!(answer["resume"], "fresh");
    answer["cursor"].as_str().unwrap().parse().unwrap()
}

fn chat_in(answer: &Value) -> Option<ChatId> {
    let found = answer.pointer("/chat/chat_id").or_else(|| answer.pointer("/chat_id")).or(Some(answer))?;
    found.as_str()?.parse().ok()
}

/// Hands a command to the committer at once, and waits for its outcome later: those that wait together are one batch.
fn submit(server: &Server, user: User, act: Act) -> tokio::sync::oneshot::Receiver<Result<Value, ErrorCode>> {
    let limits = limits();
    let max_members = limits.max_group_members;
    match act {
        Act::OpenDirect { with } => commit(server, OpenDirect { opener: user, partner: with }),
        Act::Send { chat_id, client_id, text, reply_to } => {
            commit(server, send(user, chat_id, client_id, &text, reply_to))
        }
        Act::React { chat_id, message_id, emoji } => {
            let max_different = limits.max_different_reactions;
            commit(server, ChangeReaction { user, chat_id, message_id, emoji, max_different })
        }
        Act::Mark { marks } => commit(server, mark_receipts(user, marks, &limits)),
        Act::CreateGroup { asked, members } => {
            commit(server, CreateGroup { creator: user, asked, members, max_members })
        }
        Act::Join { chat_id } => commit(server, JoinGroup { user, chat_id, max_members }),
        Act::Leave { chat_id } => commit(server, LeaveGroup { user, chat_id }),
        Act::Add { chat_id, names } => commit(server, AddMembers { actor: user, chat_id, names, max_members }),
        Act::Remove { chat_id, target } => commit(server, RemoveMember { actor: user, chat_id, target }),
        Act::ChangeAdmin { chat_id, target, role } => {
            commit(server, ChangeAdmin { actor: user, chat_id, target, role })
        }
        Act::Update { chat_id, asked } => commit(server, UpdateGroup { actor: user, chat_id, asked }),
    }
}

fn commit<C: Command<Answer: serde::Serialize>>(
    server: &Server,
    command: C,
) -> tokio::sync::oneshot::Receiver<Result<Value, ErrorCode>> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    server.app.committer.submit(command, move |result| {
        let outcome = result.map(|answer| json!(answer)).map_err(|failure| match failure {
            i9chat_server::app::Failure::Refused(refusal) => refusal.code(),
            other => panic!("{other:?}"),
        });
        done.send(outcome).expect("the test waits for it");
    });
    outcome
}
