//! The count must be right when the server is wrong: a stand-in server that drops, doubles and swaps.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use i9chat_spec::{
    ClientFrame, Content, ErrorCode, ErrorFrame, Event, EventFrame, Example, Format, FrameId, Hello, NewContent,
    ReplyFrame, Seq, ServerFrame, Token, action::SendMessageData, event::MessageCreated,
};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::LocalSet,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::handshake::server::{ErrorResponse, Request, Response},
};

use super::*;
use crate::load::target::Target;

/// What the stand-in does wrong, to every tenth message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    DropsForPartner,
    DropsForSender,
    Doubles,
    /// Delivers a message to the partner after the one that follows it.
    Swaps,
    Refuses,
    AnswersTwice,
}

type Line = mpsc::Sender<String>;

struct StandIn {
    fault: Fault,
    lines: HashMap<usize, Line>,
    seq: u64,
    held_back: Option<(usize, String)>,
}

impl StandIn {
    /// What goes to whom when a frame has come from a connection.
    fn take(&mut self, from: usize, frame: ClientFrame<SendMessageData>) -> Vec<(usize, String)> {
        let partner = from ^ 1;
        self.seq += 1;
        let marred = self.seq.is_multiple_of(10);
        if marred && self.fault == Fault::Refuses {
            return vec![(from, refusal(frame.id))];
        }
        let reply = text(&ServerFrame::Reply(ReplyFrame { id: frame.id, data: json!({ "seq": self.seq }) }));
        let event = event(self.seq, frame.data);
        let mut out = vec![(from, reply.clone()), (from, event.clone()), (partner, event.clone())];
        match self.fault {
            Fault::DropsForPartner if marred => drop(out.pop()),
            Fault::DropsForSender if marred => drop(out.remove(1)),
            Fault::Doubles if marred => out.push((partner, event)),
            Fault::AnswersTwice if marred => out.push((from, reply)),
            Fault::Swaps if marred => {
                out.pop();
                self.held_back = Some((partner, event));
            }
            _ => out.extend(self.held_back.take()),
        }
        out
    }
}

fn text(frame: &ServerFrame) -> String {
    String::from_utf8(Format::Json.encode(frame).unwrap()).unwrap()
}

fn event(seq: u64, data: SendMessageData) -> String {
    let mut created = MessageCreated::example();
    created.message.seq = Seq::try_from(seq).unwrap();
    let NewContent::Text { text: said } = data.content else { panic!("the load is of text") };
    created.message.content = Content::Text { text: said };
    text(&ServerFrame::Event(EventFrame { event: Event::MessageCreated(created), ..EventFrame::example() }))
}

fn refusal(id: FrameId) -> String {
    let mut frame = ErrorFrame { id: Some(id), ..ErrorFrame::example() };
    ErrorCode::RateLimited.as_str().clone_into(&mut frame.error.code);
    frame.error.retry_after_ms = Some(1);
    text(&ServerFrame::Error(frame))
}

#[expect(clippy::unnecessary_wraps, clippy::result_large_err, reason = "the type of the library's callback")]
fn select(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("sec-websocket-protocol", Format::Json.subprotocol().parse().unwrap());
    Ok(response)
}

async fn serve(stream: TcpStream, number: usize, stand_in: Arc<Mutex<StandIn>>) {
    let mut socket = Box::pin(accept_hdr_async(stream, select)).await.unwrap();
    socket.send(Message::text(text(&ServerFrame::Hello(Hello::example())))).await.unwrap();
    let (line, mut outgoing) = mpsc::channel(10_000);
    stand_in.lock().unwrap().lines.insert(number, line);
    let mut batch = Vec::new();
    loop {
        // Reads first and writes in large batches, so that a client finds much at once.
        tokio::select! {
            biased;
            received = socket.next() => {
                let Some(Ok(Message::Text(received))) = received else { return };
                let frame = Format::Json.decode(received.as_bytes()).unwrap();
                let mut stand_in = stand_in.lock().unwrap();
                for (to, frame) in stand_in.take(number, frame) {
                    stand_in.lines[&to].try_send(frame).unwrap();
                }
            }
            1.. = outgoing.recv_many(&mut batch, 10_000) => {
                for frame in batch.drain(..) {
                    socket.feed(Message::text(frame)).await.unwrap();
                }
                socket.flush().await.unwrap();
            }
        }
    }
}

async fn measured(fault: Fault, window: u32, rate: Option<u32>) -> Report {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let stand_in = StandIn { fault, lines: HashMap::new(), seq: 0, held_back: None };
    let stand_in = Arc::new(Mutex::new(stand_in));
    tokio::task::spawn_local(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::task::spawn_local(serve(stream, number, Arc::clone(&stand_in)));
        }
    });
    let target = Target::new(&[url.parse().unwrap()], false).await.unwrap();
    let mut seats = Vec::new();
    for number in 0..2 {
        let (socket, _) = socket::open(&target, &Token::example(), None, Buffers::Busy, number).await.unwrap();
        seats.push(Seat { socket, chat_id: ChatId::example() });
    }
    // Where something is lost the whole time passes; where nothing is, it is only a bound.
    let drain = if fault == Fault::None { Duration::from_secs(30) } else { Duration::from_millis(200) };
    measure(seats, Plan { duration: Duration::from_millis(200), window, rate, drain }).await
}

async fn report(fault: Fault) -> Report {
    LocalSet::new().run_until(measured(fault, 4, None)).await
}

#[tokio::test]
async fn a_right_server_gives_a_clean_report() {
    let report = report(Fault::None).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.sent > 0 && report.per_second > 0.0, "{report}");
    assert_eq!((report.acknowledged, report.delivered), (report.sent, report.sent));
    assert!(report.latency_ms.p50.unwrap() <= report.latency_ms.max.unwrap());
}

#[tokio::test]
async fn nothing_is_left_out_when_more_waits_than_is_read_at_once() {
    let window = u32::try_from(READ_AT_ONCE).unwrap() * 4;
    let report = LocalSet::new().run_until(measured(Fault::None, window, None)).await;
    assert!(report.sent > u64::from(window), "{report:?}");
    assert_eq!((report.acknowledged, report.lost), (report.sent, 0), "{report:?}");
    assert!(report.troubles.is_empty(), "{report:?}");
}

#[tokio::test]
async fn a_message_that_does_not_reach_the_partner_is_lost() {
    let report = report(Fault::DropsForPartner).await;
    assert_eq!((report.acknowledged, report.lost), (report.sent, report.sent / 10), "{report}");
    assert_eq!(report.delivered, report.sent - report.lost);
    assert_eq!((report.duplicated, report.out_of_order), (0, 0));
}

#[tokio::test]
async fn a_message_that_does_not_come_back_to_its_sender_is_lost() {
    let report = report(Fault::DropsForSender).await;
    assert_eq!((report.delivered, report.lost), (report.sent, report.sent / 10), "{report}");
}

#[tokio::test]
async fn a_message_that_comes_twice_is_counted() {
    let report = report(Fault::Doubles).await;
    assert_eq!((report.duplicated, report.lost, report.delivered), (report.sent / 10, 0, report.sent), "{report}");
}

#[tokio::test]
async fn messages_that_come_in_another_order_are_counted() {
    let report = report(Fault::Swaps).await;
    // The last one may be held back for ever.
    assert_eq!(report.out_of_order + report.lost, report.sent / 10, "{report}");
    assert!(report.out_of_order > 0 && report.lost <= 1 && report.duplicated == 0, "{report}");
}

#[tokio::test]
async fn refusals_are_told_and_not_lost() {
    let report = report(Fault::Refuses).await;
    assert_eq!(report.acknowledged + report.troubles["refused: rate_limited"], report.sent, "{report}");
    assert_eq!(report.lost, 0);
}

#[tokio::test]
async fn a_second_answer_is_told() {
    let report = report(Fault::AnswersTwice).await;
    assert_eq!(report.troubles["unexpected"], report.sent / 10, "{report}");
}

#[tokio::test]
async fn a_rate_is_kept_however_quick_the_server_is() {
    let report = LocalSet::new().run_until(measured(Fault::None, 1000, Some(500))).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.sent, 100);
}
