//! What is done with the frames, from the server's side.

use super::{
    CHANNEL,
    document::{Direction, Message, Operation, Reference, Reply},
    messages,
};
use crate::{
    Action, ErrorCode,
    action::{ActionVisitor, visit_actions},
    documents::{ordered::Ordered, prose::Prose, schemas::Schemas},
    event::{EventData, EventVisitor, visit_events},
};

/// Every message and every operation, in the order in which a reader meets them.
pub(super) fn collect(schemas: &mut Schemas) -> (Ordered<Message>, Ordered<Operation>) {
    let mut frames = Frames { schemas, messages: Ordered::default(), operations: Ordered::default() };
    let hello = messages::hello(frames.schemas);
    frames.sends(hello);
    visit_actions(&mut frames);
    let unknown_action = messages::error(
        "unknown_action",
        "The answer to an action that the server does not have. (WSK-5)",
        &[ErrorCode::UnknownAction],
        frames.schemas,
    );
    frames.sends(unknown_action);
    visit_events(&mut frames);
    let heartbeat = messages::heartbeat(frames.schemas);
    frames.sends(heartbeat);
    (frames.messages, frames.operations)
}

struct Frames<'a> {
    schemas: &'a mut Schemas,
    messages: Ordered<Message>,
    operations: Ordered<Operation>,
}

impl Frames<'_> {
    /// A frame that the server sends by itself, with the operation of the same name.
    fn sends(&mut self, message: Message) {
        let operation = Operation {
            action: Direction::Send,
            channel: channel(),
            title: message.title.clone(),
            summary: message.summary.clone(),
            description: String::new(),
            messages: vec![in_channel(&message.name)],
            reply: None,
            error_codes: Vec::new(),
        };
        self.operations.insert(message.name.clone(), operation);
        self.messages.insert(message.name.clone(), message);
    }
}

impl ActionVisitor for Frames<'_> {
    fn visit<A: Action>(&mut self) {
        let prose = Prose::of(A::DOCS);
        let codes = A::error_codes();
        let request = messages::action::<A>(self.schemas);
        let reply = messages::reply::<A>(self.schemas);
        let error = messages::error(
            &format!("{}_error", A::NAME),
            &format!("The answer to `{}` when it was refused. (WSK-4)", A::NAME),
            &codes,
            self.schemas,
        );
        let operation = Operation {
            action: Direction::Receive,
            channel: channel(),
            title: A::NAME.to_owned(),
            summary: prose.summary,
            description: prose.description,
            messages: vec![in_channel(&request.name)],
            reply: Some(Reply { channel: channel(), messages: vec![in_channel(&reply.name), in_channel(&error.name)] }),
            error_codes: codes.iter().map(|code| code.as_str()).collect(),
        };
        self.operations.insert(A::NAME, operation);
        for message in [request, reply, error] {
            self.messages.insert(message.name.clone(), message);
        }
    }
}

impl EventVisitor for Frames<'_> {
    fn visit<E: EventData>(&mut self) {
        let message = messages::event::<E>(self.schemas);
        self.sends(message);
    }
}

fn channel() -> Reference {
    Reference::to(&["channels", CHANNEL])
}

fn in_channel(message: &str) -> Reference {
    Reference::to(&["channels", CHANNEL, "messages", message])
}
