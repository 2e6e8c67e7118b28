//! The frames, each as one message.

use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::document::{CorrelationId, Message, NamedExample};
use crate::{
    Action, ClientFrame, Cursor, ErrorCode, ErrorFrame, EventFrame, Example, FrameId, Heartbeat, Hello, ReplyFrame,
    ServerFrame,
    documents::{problems, prose::Prose, schemas::Schemas},
    event::{Address, EventData},
    frame::event_schema,
};

/// The frame with which a client asks for an action. (WSK-4)
pub(super) fn action<A: Action>(schemas: &mut Schemas) -> Message {
    let prose = Prose::of(A::DOCS);
    let payload = json!({
        "type": "object",
        "properties": {
            "id": described(&schemas.request::<FrameId>(), "The client's own id for the frame; the answer has the same."),
            "action": { "const": A::NAME },
            "data": schemas.request::<A::Data>(),
        },
        "required": ["id", "action", "data"],
    });
    let frame = ClientFrame { id: FrameId::example(), action: A::NAME.to_owned(), data: A::Data::example() };
    Message {
        correlation_id: Some(frame_id()),
        ..message(A::NAME, &prose.summary, payload, vec![example(A::NAME, &prose.summary, json!(frame))])
    }
}

/// The frame that answers an action that succeeded. (WSK-4)
pub(super) fn reply<A: Action>(schemas: &mut Schemas) -> Message {
    let name = format!("{}_reply", A::NAME);
    let summary = format!("The answer to `{}` when it succeeded. (WSK-4)", A::NAME);
    let payload = json!({
        "type": "object",
        "properties": {
            "type": { "const": "reply" },
            "id": described(&schemas.answer::<FrameId>(), "The id of the client's frame."),
            "data": schemas.answer::<A::Reply>(),
        },
        "required": ["type", "id", "data"],
    });
    let frame = ServerFrame::Reply(ReplyFrame { id: FrameId::example(), data: json!(A::Reply::example()) });
    Message {
        correlation_id: Some(frame_id()),
        ..message(&name, &summary, payload, vec![example(&name, &summary, json!(frame))])
    }
}

/// The frame that answers what was refused with one of those codes. (WSK-4, ERR-1)
pub(super) fn error(name: &str, summary: &str, codes: &[ErrorCode], schemas: &mut Schemas) -> Message {
    let payload = json!({
        "type": "object",
        "properties": {
            "type": { "const": "error" },
            "id": described(&schemas.answer::<FrameId>(), "The id of the client's frame."),
            "error": problems::schema(codes, schemas),
        },
        "required": ["type", "id", "error"],
    });
    let examples = codes.iter().map(|code| {
        let frame = ErrorFrame { id: Some(FrameId::example()), error: problems::example(*code) };
        example(code.as_str(), code.description(), json!(ServerFrame::Error(frame)))
    });
    Message { correlation_id: Some(frame_id()), ..message(name, summary, payload, examples.collect()) }
}

/// The frame of one kind of event. (LOG-3)
pub(super) fn event<E: EventData>(schemas: &mut Schemas) -> Message {
    let payload = schemas.answer_with(|generator| typed("event", event_schema::<E>(generator)));
    let frame = EventFrame {
        cursor: (E::ADDRESS != Address::Live).then(Cursor::example),
        chat_id: (E::ADDRESS == Address::Chat).then(Example::example),
        event: E::example().into(),
    };
    message(E::NAME, E::SUMMARY, payload, vec![example(E::NAME, E::SUMMARY, json!(ServerFrame::Event(frame)))])
}

/// The first frame of a connection. (WSK-3)
pub(super) fn hello(schemas: &mut Schemas) -> Message {
    let summary = "The first frame of a connection, and the answer to a resume. (WSK-3, RSM-2)";
    let payload = schemas.answer_with(|generator| typed("hello", Hello::json_schema(generator)));
    message("hello", summary, payload, vec![example("hello", summary, json!(ServerFrame::Hello(Hello::example())))])
}

/// The frame of a connection on which nothing happens. (WSK-8)
pub(super) fn heartbeat(schemas: &mut Schemas) -> Message {
    let summary = "Nothing happened for `heartbeat_ms`; the cursor is safe to resume from. (WSK-8, RSM-11)";
    let payload = schemas.answer_with(|generator| typed("heartbeat", Heartbeat::json_schema(generator)));
    let frame = ServerFrame::Heartbeat(Heartbeat::example());
    message("heartbeat", summary, payload, vec![example("heartbeat", summary, json!(frame))])
}

/// The schema of a frame, with the `type` that tells it apart.
fn typed(name: &str, mut schema: Schema) -> Schema {
    let properties = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
    properties["type"] = json!({ "const": name });
    let required = schema.ensure_object().entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.insert(0, json!("type"));
    }
    schema
}

fn described(schema: &Value, description: &str) -> Value {
    json!({ "allOf": [schema], "description": description })
}

fn frame_id() -> CorrelationId {
    CorrelationId {
        location: "$message.payload#/id",
        description: "An answer has the `id` of the frame that it answers.",
    }
}

fn message(name: &str, summary: &str, payload: Value, examples: Vec<NamedExample>) -> Message {
    Message {
        name: name.to_owned(),
        title: name.to_owned(),
        summary: summary.to_owned(),
        correlation_id: None,
        payload,
        examples,
    }
}

fn example(name: &str, summary: &str, payload: Value) -> NamedExample {
    NamedExample { name: name.to_owned(), summary: summary.to_owned(), payload }
}
