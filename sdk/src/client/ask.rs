use i9chat_spec::Action;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::driver::Command;
use crate::{StopReason, connection::AskError};

/// Asks the task of the connection for actions. It does not keep the connection open.
#[derive(Clone)]
pub(super) struct Asker {
    commands: mpsc::WeakSender<Command>,
}

impl Asker {
    pub(super) fn new(commands: &mpsc::Sender<Command>) -> Self {
        Self { commands: commands.downgrade() }
    }

    /// Tries an action once.
    pub(super) async fn ask<A: Action>(&self, data: &A::Data) -> Result<A::Reply, AskError> {
        self.ask_and::<A, _>(data, |reply| reply).await
    }

    /// The same. `show` is called by the task of the connection, before anything that the line brings later.
    pub(super) async fn ask_and<A: Action, T: Send + 'static>(
        &self,
        data: &A::Data,
        show: impl FnOnce(A::Reply) -> T + Send + 'static,
    ) -> Result<T, AskError> {
        let (answered, answer) = oneshot::channel();
        let told = move |reply: Result<A::Reply, AskError>| {
            if answered.send(reply.map(show)).is_err() {
                tracing::trace!(action = A::NAME, "nobody waits for the answer");
            }
        };
        let command = command::<A>(data, told)?;
        let commands = self.commands.upgrade().ok_or(STOPPED)?;
        commands.send(command).await.map_err(|_| STOPPED)?;
        drop(commands);
        answer.await.map_err(|_| STOPPED)?
    }
}

/// The handles are gone, or the task is.
const STOPPED: AskError = AskError::Stopped(StopReason::ByApplication);

/// The command for an action. `told` is called by the task of the connection, before anything that the line brings later.
pub(super) fn command<A: Action>(
    data: &A::Data,
    told: impl FnOnce(Result<A::Reply, AskError>) + Send + 'static,
) -> Result<Command, AskError> {
    let data = serde_json::to_value(data).map_err(|_| AskError::Unreadable)?;
    let answered = Box::new(move |outcome: Result<Value, AskError>| {
        told(outcome.and_then(|reply| A::Reply::deserialize(reply).map_err(|_| AskError::Unreadable)));
    });
    Ok(Command::Ask { action: A::NAME, data, answered })
}
