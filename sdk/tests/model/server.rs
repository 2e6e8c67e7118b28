//! A server as the specification has it, in memory: a log, acknowledgements, deduplication, the answers to a resume.

use std::collections::{HashMap, VecDeque};

use i9chat_sdk::connection::SendFrame;
use i9chat_spec::{
    ChatId, ClientId, ConnectionId, Content, Cursor, Epoch, ErrorCode, ErrorFrame, Event, EventFrame, Example, Hello,
    Message, MessageId, Problem, ReplyFrame, RequestId, Resume, Seq, ServerFrame, Timestamp,
    api::messages::MessageSent, event::MessageCreated,
};
use serde_json::json;
use uuid::Uuid;

/// More missed events than this are answered with `limited`, unless the case wants to see no gap.
pub const HEARTBEAT_MS: u64 = 5_000;

/// What goes wrong with the next answer to a send.
#[derive(Debug, Clone, Copy)]
pub enum AnswerFault {
    /// The message is stored, the answer never comes.
    Lost,
    /// The answer comes twice.
    Twice,
    /// The message is stored, the answer cannot be understood.
    Garbled,
    /// An error that is worth a retry, before or after the message was stored.
    Error { code: ErrorCode, stored: bool, retry_after_ms: Option<u64> },
}

#[derive(Default)]
pub struct Server {
    /// The cursor of the change at index `i` is `i + 1`.
    pub log: Vec<Event>,
    stored: HashMap<ClientId, MessageSent>,
    last_seq: HashMap<ChatId, u64>,
    epoch: u32,
    /// Changes before this one are not kept.
    kept_from: usize,
    pub faults: VecDeque<AnswerFault>,
    /// How many times a resume was answered with `limited` or `reset`.
    pub gaps: usize,
}

/// An id of version 7 made of a number.
pub fn id(number: u64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(number, &[7; 10]).into_uuid()
}

pub fn chat(number: u8) -> ChatId {
    ChatId::from_uuid(id(number.into()))
}

impl Server {
    pub fn cursor(&self, position: usize) -> Cursor {
        format!("e{}-{position}", self.epoch).parse().expect("a cursor")
    }

    /// The position of a cursor, of whatever epoch.
    pub fn position(cursor: &Cursor) -> usize {
        cursor.as_str().split_once('-').expect("a cursor of this server").1.parse().expect("a position")
    }

    pub fn store(&mut self, chat_id: ChatId, client_id: ClientId) -> MessageSent {
        if let Some(sent) = self.stored.get(&client_id) {
            return sent.clone();
        }
        let seq = self.last_seq.entry(chat_id).or_default();
        *seq += 1;
        let number = self.log.len() as u64 + 1;
        let sent = MessageSent {
            message_id: MessageId::from_uuid(id(number)),
            chat_id,
            seq: Seq::try_from(*seq).expect("a seq"),
            created_at: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).expect("small")),
        };
        self.stored.insert(client_id, sent.clone());
        let message = Message {
            seq: sent.seq,
            message_id: sent.message_id,
            chat_id,
            client_id,
            created_at: sent.created_at,
            content: Content::example(),
            ..Message::example()
        };
        self.log.push(Event::MessageCreated(MessageCreated { message }));
        sent
    }

    pub fn stored(&self, client_id: ClientId) -> Option<&MessageSent> {
        self.stored.get(&client_id)
    }

    /// The messages of the log with that client id.
    pub fn copies(&self, client_id: ClientId) -> Vec<&Message> {
        let messages = self.log.iter().filter_map(|event| match event {
            Event::MessageCreated(created) => Some(&created.message),
            _ => None,
        });
        messages.filter(|message| message.client_id == client_id).collect()
    }

    pub fn forget(&mut self) {
        self.kept_from = self.log.len();
    }

    pub fn begin_epoch(&mut self) {
        self.epoch += 1;
    }

    /// The hello for a cursor, and the position from which the connection goes on.
    pub fn greet(&mut self, cursor: Option<&Cursor>) -> (Hello, usize) {
        let head = self.log.len();
        let (resume, from) = match cursor {
            None => (Resume::Fresh, head),
            Some(cursor) => {
                let position = Self::position(cursor);
                if self.cursor(position) != *cursor || position > head {
                    (Resume::Reset, head)
                } else if position < self.kept_from {
                    (Resume::Limited, head)
                } else {
                    (Resume::Resumed, position)
                }
            }
        };
        self.gaps += usize::from(matches!(resume, Resume::Limited | Resume::Reset));
        let hello = Hello {
            connection_id: ConnectionId::example(),
            epoch: Epoch::example(),
            cursor: self.cursor(from),
            resume,
            heartbeat_ms: HEARTBEAT_MS,
            ..Hello::example()
        };
        (hello, from)
    }

    pub fn event(&self, index: usize) -> ServerFrame {
        let event = self.log[index].clone();
        ServerFrame::Event(EventFrame { cursor: Some(self.cursor(index + 1)), chat_id: None, event })
    }

    /// The answers to a send: none, one or, against the rules, two.
    pub fn answer(&mut self, frame: SendFrame) -> Vec<ServerFrame> {
        let fault = self.faults.pop_front();
        if let Some(AnswerFault::Error { code, stored, retry_after_ms }) = fault {
            if stored {
                self.store(frame.data.chat_id, frame.data.client_id);
            }
            let problem = Problem { retry_after_ms, ..Problem::new(code, "for the test", RequestId::example()) };
            return vec![ServerFrame::Error(ErrorFrame { id: Some(frame.id), error: problem })];
        }
        let sent = self.store(frame.data.chat_id, frame.data.client_id);
        let reply = |data| ServerFrame::Reply(ReplyFrame { id: frame.id.clone(), data });
        let right = reply(serde_json::to_value(sent).expect("a reply"));
        match fault {
            Some(AnswerFault::Lost) => vec![],
            Some(AnswerFault::Twice) => vec![right.clone(), right],
            Some(AnswerFault::Garbled) => vec![reply(json!({ "message_id": 7 }))],
            _ => vec![right],
        }
    }
}
