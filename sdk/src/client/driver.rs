use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use i9chat_spec::{Cursor, Event, ServerFrame, Token, action::SendMessageData, api::messages::MessageSent};
use serde_json::Value;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::{
    line::{Heard, Line},
    marks::Deliveries,
    presence::Watchlist,
};
use crate::{
    ConnectionState, Http, Update,
    connection::{AskError, AskKey, Connection, Lost, Output, SendError, SendKey, Settings},
};

/// How long the goodbye may take.
const CLOSING: Duration = Duration::from_secs(2);
/// Longer than any wake-up of the connection; woken early, it sleeps again.
const LONGEST_SLEEP: Duration = Duration::from_hours(1);

/// Told the answer of an ask by the task itself, before anything that the line brings later.
pub(super) type Answered = Box<dyn FnOnce(Result<Value, AskError>) + Send>;

/// What the handles ask of the task.
pub(super) enum Command {
    /// Send a message, and say what became of it.
    Send { message: SendMessageData, outcome: oneshot::Sender<Result<MessageSent, SendError>> },
    /// Try an action once, and say what became of it.
    Ask { action: &'static str, data: Value, answered: Answered },
    /// Close and end.
    Stop,
}

/// The task that owns the socket: it carries between [`Connection`], which decides, and the world.
pub(super) struct Driver {
    connection: Connection,
    world: World,
    commands: mpsc::Receiver<Command>,
}

/// All but the decisions.
struct World {
    http: Http,
    started: Instant,
    line: LineState,
    /// The token of the present or last line, to know what to renew.
    token: Option<Token>,
    updates: mpsc::Sender<Update>,
    waiting: HashMap<SendKey, oneshot::Sender<Result<MessageSent, SendError>>>,
    asked: HashMap<AskKey, Answered>,
    observers: Observers,
    closing: Option<JoinHandle<()>>,
}

/// Who else hears of what comes.
pub(super) struct Observers {
    pub(super) watchlist: Arc<Watchlist>,
    pub(super) deliveries: Deliveries,
}

enum LineState {
    None,
    Opening(BoxFuture<'static, Opened>),
    Open(Box<Line>),
}

/// What became of an attempt, and the token that it was made with.
struct Opened {
    token: Option<Token>,
    line: Result<Box<Line>, Lost>,
}

/// What comes from the line, open or on its way.
enum FromLine {
    Opened(Opened),
    Heard(Heard),
}

impl LineState {
    async fn next(&mut self) -> FromLine {
        match self {
            Self::None => std::future::pending().await,
            Self::Opening(opening) => FromLine::Opened(opening.await),
            Self::Open(line) => FromLine::Heard(line.heard().await),
        }
    }
}

impl Driver {
    pub(super) fn new(
        http: Http,
        settings: Settings,
        cursor: Option<Cursor>,
        commands: mpsc::Receiver<Command>,
        updates: mpsc::Sender<Update>,
        observers: Observers,
    ) -> Self {
        let connection =
            Connection::new(settings, cursor, updates.max_capacity(), Box::new(rand::random), Duration::ZERO);
        let world = World {
            http,
            started: Instant::now(),
            line: LineState::None,
            token: None,
            updates,
            waiting: HashMap::new(),
            asked: HashMap::new(),
            observers,
            closing: None,
        };
        Self { connection, world, commands }
    }

    pub(super) fn state(&self) -> ConnectionState {
        self.connection.state()
    }

    pub(super) async fn run(self, state: watch::Sender<ConnectionState>) {
        let Self { mut connection, mut world, mut commands } = self;
        loop {
            while let Some(output) = connection.next_output() {
                world.perform(output);
            }
            let now_in = connection.state();
            state.send_if_modified(|shown| std::mem::replace(shown, now_in) != now_in);
            if matches!(now_in, ConnectionState::Stopped(_)) {
                break;
            }
            let wake = connection.wake_at().map_or(LONGEST_SLEEP, |at| at.min(world.now() + LONGEST_SLEEP));
            let wake = world.started + wake;
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Send { message, outcome }) => world.take(&mut connection, message, outcome),
                    Some(Command::Ask { action, data, answered }) => {
                        world.ask(&mut connection, action, data, answered);
                    }
                    // No handle is left, so nobody waits for anything.
                    Some(Command::Stop) | None => connection.stop(),
                },
                from_line = world.line.next() => world.report(&mut connection, from_line),
                () = fair_room(&world.updates), if connection.is_behind() => {
                    connection.has_room(world.now(), world.updates.capacity());
                }
                () = sleep_until(wake) => connection.woke(world.now()),
            }
        }
        // Sends that came too late are answered by their channel being gone.
        drop(commands);
        drop(world.updates);
        if let Some(closing) = world.closing
            && let Err(error) = closing.await
        {
            tracing::debug!(%error, "closing was cut short");
        }
    }
}

impl World {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn take(
        &mut self,
        connection: &mut Connection,
        message: SendMessageData,
        outcome: oneshot::Sender<Result<MessageSent, SendError>>,
    ) {
        match connection.send(self.now(), message) {
            Ok(key) => {
                self.waiting.insert(key, outcome);
            }
            Err(error) => settle(outcome, Err(error)),
        }
    }

    fn ask(&mut self, connection: &mut Connection, action: &'static str, data: Value, answered: Answered) {
        match connection.ask(self.now(), action, data) {
            Ok(key) => {
                self.asked.insert(key, answered);
            }
            Err(error) => answered(Err(error)),
        }
    }

    fn report(&mut self, connection: &mut Connection, from_line: FromLine) {
        let now = self.now();
        match from_line {
            FromLine::Opened(Opened { token, line }) => {
                self.token = token;
                match line {
                    Ok(line) => self.line = LineState::Open(line),
                    Err(lost) => {
                        self.line = LineState::None;
                        connection.lost(now, lost);
                    }
                }
            }
            FromLine::Heard(Heard::Frame(frame)) => {
                if !connection.is_behind() {
                    connection.has_room(now, self.updates.capacity());
                }
                // Presence is shown even while there is no room for updates.
                if let ServerFrame::Event(event) = &*frame
                    && let Event::PresenceChanged(changed) = &event.event
                {
                    self.observers.watchlist.changed(changed);
                }
                connection.received(now, *frame);
            }
            FromLine::Heard(Heard::Life) => connection.heard(now),
            FromLine::Heard(Heard::Unreadable) => {
                tracing::warn!("the server sent a frame that cannot be read");
                connection.unreadable(now);
            }
            FromLine::Heard(Heard::Lost(lost)) => {
                self.line = LineState::None;
                connection.lost(now, lost);
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Open { cursor, renew } => {
                let spent = self.token.clone().filter(|_| renew);
                self.line = LineState::Opening(Box::pin(open(self.http.clone(), spent, cursor)));
            }
            Output::Close => {
                if let LineState::Open(line) = std::mem::replace(&mut self.line, LineState::None) {
                    let closing = async move {
                        if timeout(CLOSING, line.close()).await.is_err() {
                            tracing::debug!("the server did not answer the goodbye");
                        }
                    };
                    self.closing = Some(tokio::spawn(closing));
                }
            }
            Output::Transmit(frame) => {
                if let LineState::Open(line) = &mut self.line {
                    line.transmit(&frame);
                }
            }
            Output::Ask(frame) => {
                if let LineState::Open(line) = &mut self.line {
                    line.transmit(&frame);
                }
            }
            Output::Answer { ask, outcome } => {
                if let Some(answered) = self.asked.remove(&ask) {
                    answered(outcome);
                }
            }
            Output::Deliver(update) => {
                if let Some(message) = update.message() {
                    self.observers.deliveries.message(message);
                }
                // The connection hands out no more than it was told that there is room for.
                if let Err(error) = self.updates.try_send(update) {
                    tracing::error!(%error, "an update was handed out without room for it");
                }
            }
            Output::Complete { send, outcome } => {
                if let Some(waiting) = self.waiting.remove(&send) {
                    settle(waiting, outcome);
                }
            }
        }
    }
}

/// Waits for half the queue to be free, so that the server replays a stretch at a time, and not one event.
async fn fair_room(updates: &mpsc::Sender<Update>) {
    // The queue lives as long as the handles, whose end is heard of by the commands.
    drop(updates.reserve_many(updates.max_capacity().div_ceil(2)).await);
}

/// Tells a send what became of it, unless nobody waits for it any more.
fn settle(waiting: oneshot::Sender<Result<MessageSent, SendError>>, outcome: Result<MessageSent, SendError>) {
    if waiting.send(outcome).is_err() {
        tracing::trace!("nobody waits for the outcome of a send");
    }
}

/// Gets a token, a new one in place of `spent`, and opens a line with it.
async fn open(http: Http, spent: Option<Token>, cursor: Option<Cursor>) -> Opened {
    let Some(tokens) = http.tokens() else { return Opened { token: spent, line: Err(Lost::SessionOver) } };
    let token = match &spent {
        Some(spent) => tokens.renew(http.transport(), spent).await,
        None => tokens.current(http.transport()).await,
    };
    match token {
        Ok(token) => {
            let line = Line::open(http.transport(), &token, cursor).await;
            Opened { token: Some(token), line: line.map(Box::new) }
        }
        Err(error) => {
            tracing::debug!(%error, "no token to connect with");
            let lost = if error.is_session_over() { Lost::SessionOver } else { Lost::Broken };
            Opened { token: spent, line: Err(lost) }
        }
    }
}
