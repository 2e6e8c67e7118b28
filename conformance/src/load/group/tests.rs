//! The count must be right when the server is wrong: a stand-in server that drops, doubles and swaps.

use std::net::Ipv4Addr;

use futures_util::{SinkExt, StreamExt};
use i9chat_spec::{
    ClientFrame, Content, ErrorCode, ErrorFrame, Event, EventFrame, Example, Format, Hello, NewContent, ReplyFrame,
    Seq, ServerFrame, Token, action::SendMessageData, event::MessageCreated,
};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::LocalSet,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::*;
use crate::load::target::Target;

const MEMBERS: usize = 5;
/// More than can be under way to one member.
const QUEUE: usize = 4096;

/// What the stand-in does wrong, to every tenth message and the last member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Drops,
    Doubles,
    /// Delivers a message after the one that follows it.
    Swaps,
    Refuses,
    /// Delivers the text of another message.
    Mistakes,
}

struct StandIn {
    fault: Fault,
    lines: Vec<mpsc::Sender<String>>,
    seq: u64,
    held_back: Option<String>,
    said_before: Option<String>,
}

fn text(frame: &ServerFrame) -> String {
    String::from_utf8(Format::Json.encode(frame).unwrap()).unwrap()
}

fn event(seq: u64, said: &str) -> String {
    let mut created = MessageCreated::example();
    created.message.seq = Seq::try_from(seq).unwrap();
    created.message.content = Content::Text { text: said.parse().unwrap() };
    text(&ServerFrame::Event(EventFrame { event: Event::MessageCreated(created), ..EventFrame::example() }))
}

impl StandIn {
    fn tell(&self, member: usize, text: String) {
        // A member that is gone already gets nothing more.
        if let Err(mpsc::error::TrySendError::Full(_)) = self.lines[member].try_send(text) {
            panic!("more is under way than the window allows");
        }
    }

    fn take(&mut self, from: usize, frame: ClientFrame<SendMessageData>) {
        let marred = (self.seq + 1).is_multiple_of(10);
        if marred && self.fault == Fault::Refuses {
            // The place is the next one's.
            self.fault = Fault::None;
            let mut error = ErrorFrame { id: Some(frame.id), ..ErrorFrame::example() };
            ErrorCode::RateLimited.as_str().clone_into(&mut error.error.code);
            return self.tell(from, text(&ServerFrame::Error(error)));
        }
        self.seq += 1;
        let NewContent::Text { text: said } = frame.data.content else { panic!("the load is of text") };
        let right = event(self.seq, said.as_str());
        self.tell(from, text(&ServerFrame::Reply(ReplyFrame { id: frame.id, data: json!({ "seq": self.seq }) })));
        for member in 0..MEMBERS - 1 {
            self.tell(member, right.clone());
        }
        let last = MEMBERS - 1;
        match self.fault {
            Fault::Drops if marred => {}
            Fault::Doubles if marred => {
                self.tell(last, right.clone());
                self.tell(last, right);
            }
            Fault::Swaps if marred => self.held_back = Some(right),
            Fault::Mistakes if marred => self.tell(last, event(self.seq, self.said_before.as_ref().unwrap())),
            _ => {
                self.tell(last, right);
                if let Some(held_back) = self.held_back.take() {
                    self.tell(last, held_back);
                }
            }
        }
        self.said_before = Some(said.as_str().to_owned());
    }
}

async fn serve(stream: TcpStream, number: usize, mut out: mpsc::Receiver<String>, stand_in: Rc<RefCell<StandIn>>) {
    let socket = Box::pin(accept_async(stream)).await.unwrap();
    let (mut sink, mut source) = socket.split();
    sink.send(Message::text(text(&ServerFrame::Hello(Hello::example())))).await.unwrap();
    loop {
        tokio::select! {
            told = out.recv() => {
                if sink.send(Message::text(told.unwrap())).await.is_err() {
                    return;
                }
            }
            came = source.next() => match came {
                Some(Ok(Message::Text(came))) => {
                    stand_in.borrow_mut().take(number, Format::Json.decode(came.as_bytes()).unwrap());
                }
                _ => return,
            },
        }
    }
}

/// A run of one sender and so many messages under way, against a stand-in with that fault.
async fn measured(fault: Fault, window: u32) -> Report {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let stand_in = StandIn { fault, lines: Vec::new(), seq: 0, held_back: None, said_before: None };
    let stand_in = Rc::new(RefCell::new(stand_in));
    tokio::task::spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let (line, out) = mpsc::channel(QUEUE);
            stand_in.borrow_mut().lines.push(line);
            tokio::task::spawn_local(serve(stream, number, out, Rc::clone(&stand_in)));
        }
    });
    let target = Target::new(&[url.parse().unwrap()], false).await.unwrap();
    let mut lines = Vec::new();
    for number in 0..MEMBERS {
        lines.push(Line::open(&target, &Token::example(), number).await.unwrap());
    }
    let plan = Plan {
        chat_id: ChatId::example(),
        first: 1,
        senders: 2,
        window,
        duration: Duration::from_millis(200),
        // Where something never comes the whole time passes; where all does, it is only a bound.
        drain: match fault {
            Fault::None | Fault::Doubles | Fault::Refuses => Duration::from_secs(30),
            Fault::Drops | Fault::Swaps | Fault::Mistakes => Duration::from_millis(500),
        },
    };
    measure(lines, plan, None).await.0
}

async fn report(fault: Fault) -> Report {
    // More than one under way, so that a fault does not stop all.
    LocalSet::new().run_until(measured(fault, 64)).await
}

#[tokio::test]
async fn a_right_server_gives_a_clean_report() {
    let report = report(Fault::None).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.sent > 20 && report.per_second > 0.0, "{report}");
    assert_eq!((report.acknowledged, report.delivered), (report.sent, report.sent * MEMBERS as u64));
    assert!(report.delivery_ms.p50.unwrap() <= report.delivery_ms.max.unwrap());
}

#[tokio::test]
async fn a_copy_that_does_not_come_is_lost() {
    let report = report(Fault::Drops).await;
    assert!(report.lost > 0 && report.lost == report.sent / 10, "{report}");
    assert_eq!(report.delivered, report.sent * MEMBERS as u64 - report.lost);
    assert_eq!((report.duplicated, report.out_of_order), (0, 0));
    assert!(report.troubles.contains_key("unsettled in the end"), "{report}");
}

#[tokio::test]
async fn a_copy_that_comes_twice_is_counted() {
    let report = report(Fault::Doubles).await;
    assert_eq!((report.duplicated, report.lost), (report.sent / 10, 0), "{report}");
    assert!(report.duplicated > 0);
}

#[tokio::test]
async fn copies_that_come_in_another_order_are_counted() {
    let report = report(Fault::Swaps).await;
    // The last one may be held back for ever.
    assert_eq!(report.out_of_order + report.lost, report.sent / 10, "{report}");
    assert!(report.out_of_order > 0 && report.lost <= 1 && report.duplicated == 0, "{report}");
}

#[tokio::test]
async fn a_refusal_is_told_and_not_lost() {
    let report = report(Fault::Refuses).await;
    assert_eq!((report.troubles["refused: rate_limited"], report.lost), (1, 0), "{report}");
    assert_eq!(report.acknowledged + 1, report.sent);
}

#[tokio::test]
async fn another_message_at_the_same_place_is_seen() {
    let report = report(Fault::Mistakes).await;
    assert!(report.troubles["unexpected"] > 0, "{report}");
}
