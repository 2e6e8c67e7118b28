//! Frames, read and written with as little work as can be: the generator shares the machine with what it measures.

use std::{borrow::Cow, fmt::Write as _};

use i9chat_spec::ChatId;
use serde::Deserialize;
use uuid::Uuid;

/// How long the text of a message is, in bytes.
const TEXT_BYTES: usize = 100;

/// What starts the text of every message of the generator.
pub(super) const MARK: &str = "i9load";

/// What of a frame from the server the load looks at. Everything else is skipped, not kept.
#[derive(Debug, Deserialize)]
pub(super) struct Incoming<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow, default)]
    id: Option<&'a str>,
    #[serde(default)]
    resume: Option<&'a str>,
    #[serde(borrow, default)]
    data: Option<Data<'a>>,
    #[serde(borrow, default)]
    error: Option<Refused<'a>>,
}

#[derive(Debug, Deserialize)]
struct Data<'a> {
    #[serde(borrow, default)]
    message: Option<Message<'a>>,
    #[serde(default)]
    seq: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    seq: u64,
    #[serde(borrow)]
    content: Content<'a>,
}

#[derive(Debug, Deserialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct Refused<'a> {
    code: &'a str,
    #[serde(default)]
    retry_after_ms: Option<u64>,
}

/// A frame from the server, as the load sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// The first one.
    Hello { resume: &'a str },
    /// A message was acknowledged, as the entry of that `seq`.
    Acknowledged { number: u64, seq: Option<u64> },
    /// A message was refused.
    Refused { number: Option<u64>, code: &'a str, retry_after_ms: Option<u64> },
    /// A message of this run, or of somebody else.
    Message { seq: u64, mark: Option<Mark> },
    /// Anything else that the protocol has.
    Other,
}

/// Who sent a message, and which of theirs it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which run.
    pub(super) run: u32,
    /// Which sender of the run.
    pub(super) sender: u32,
    /// Which message of the sender, from 0.
    pub(super) number: u64,
}

impl Mark {
    /// Reads the mark of a text, if it has one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(MARK)?.split('-').skip(1);
        Some(Self {
            run: u32::from_str_radix(parts.next()?, 16).ok()?,
            sender: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
        })
    }

    /// Unique per message, as `client_id` has to be. (MSG-6)
    fn client_id(self) -> Uuid {
        Uuid::from_u64_pair(u64::from(self.run) << 32 | u64::from(self.sender), self.number)
    }

    /// The frame that sends the message.
    pub(super) fn frame(self, chat_id: ChatId) -> String {
        let number = self.number;
        let client_id = self.client_id();
        let mut frame = String::with_capacity(256 + TEXT_BYTES);
        let written = write!(
            frame,
            r#"{{"id":"{number}","action":"send_message","data":{{"chat_id":"{chat_id}","client_id":"{client_id}","content":{{"kind":"text","text":""#
        );
        let text_from = frame.len();
        frame.push_str(&self.text());
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        frame.extend(std::iter::repeat_n('x', (text_from + TEXT_BYTES).saturating_sub(frame.len())));
        frame.push_str("\"}}}");
        frame
    }

    /// What the text of every message of a run starts with.
    pub(super) fn start(run: u32) -> String {
        format!("{MARK}-{run:08x}-")
    }

    /// The text of a message with this mark, as short as can be.
    pub(super) fn text(self) -> String {
        let Self { run, sender, number } = self;
        format!("{MARK}-{run:08x}-{sender}-{number}-")
    }
}

/// Reads a frame; none where it is no frame of the protocol.
pub(super) fn read(text: &str) -> Option<Frame<'_>> {
    let incoming: Incoming<'_> = serde_json::from_str(text).ok()?;
    let number = incoming.id.and_then(|id| id.parse().ok());
    Some(match incoming.kind {
        "hello" => Frame::Hello { resume: incoming.resume? },
        "reply" => Frame::Acknowledged { number: number?, seq: incoming.data.and_then(|data| data.seq) },
        "error" => {
            let Refused { code, retry_after_ms } = incoming.error?;
            Frame::Refused { number, code, retry_after_ms }
        }
        "event" => match incoming.data.and_then(|data| data.message) {
            Some(message) => Frame::Message { seq: message.seq, mark: Mark::read(&message.content.text) },
            None => Frame::Other,
        },
        _ => Frame::Other,
    })
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{
        ClientFrame, Content, Event, EventFrame, Example, Format, Hello, NewContent, ServerFrame,
        action::SendMessageData,
        event::{ChatAdded, MessageCreated},
    };

    use super::*;

    const MARK_7: Mark = Mark { run: 0xabc, sender: 12, number: 7 };

    fn json(frame: &ServerFrame) -> String {
        String::from_utf8(Format::Json.encode(frame).unwrap()).unwrap()
    }

    fn sent(mark: Mark) -> ClientFrame<SendMessageData> {
        Format::Json.decode(mark.frame(ChatId::example()).as_bytes()).unwrap()
    }

    #[test]
    fn what_is_sent_is_a_send_of_a_hundred_bytes_that_carries_its_mark() {
        let frame = sent(MARK_7);
        assert_eq!((frame.id.as_str(), frame.action.as_str()), ("7", "send_message"));
        let NewContent::Text { text } = frame.data.content else { panic!("the load is of text") };
        assert_eq!(text.as_str().len(), TEXT_BYTES);
        assert_eq!(Mark::read(text.as_str()), Some(MARK_7));
        assert_ne!(sent(Mark { number: 8, ..MARK_7 }).data.client_id, frame.data.client_id);
        assert_ne!(sent(Mark { sender: 13, ..MARK_7 }).data.client_id, frame.data.client_id);
    }

    #[test]
    fn an_event_gives_the_mark_of_its_message_back() {
        let mut created = MessageCreated::example();
        let NewContent::Text { text } = sent(MARK_7).data.content else { panic!("the load is of text") };
        created.message.content = Content::Text { text };
        let event = EventFrame { event: Event::MessageCreated(created), ..EventFrame::example() };
        let text = json(&ServerFrame::Event(event));
        assert_eq!(read(&text), Some(Frame::Message { seq: 42, mark: Some(MARK_7) }));
    }

    #[test]
    fn frames_of_others_are_told_apart() {
        let strange = json(&ServerFrame::Event(EventFrame::example()));
        assert!(matches!(read(&strange), Some(Frame::Message { mark: None, .. })));
        let added = EventFrame { event: Event::ChatAdded(ChatAdded::example()), ..EventFrame::example() };
        assert_eq!(read(&json(&ServerFrame::Event(added))), Some(Frame::Other));
        let hello = json(&ServerFrame::Hello(Hello::example()));
        assert_eq!(read(&hello), Some(Frame::Hello { resume: "resumed" }));
        assert_eq!(read(r#"{"type":"later","x":1}"#), Some(Frame::Other));
        assert_eq!(read("{}"), None);
    }

    #[test]
    fn answers_name_the_message_that_they_are_for() {
        assert_eq!(
            read(r#"{"type": "reply", "data": {"seq": 3}, "id": "9"}"#),
            Some(Frame::Acknowledged { number: 9, seq: Some(3) })
        );
        let refused = r#"{"type":"error","id":"9","error":{"code":"rate_limited","retry_after_ms":20,"status":429}}"#;
        let expected = Frame::Refused { number: Some(9), code: "rate_limited", retry_after_ms: Some(20) };
        assert_eq!(read(refused), Some(expected));
    }
}
