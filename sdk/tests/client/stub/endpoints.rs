//! The endpoints of the stub.

use std::collections::{HashMap, VecDeque};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use i9chat_spec::{
    ChatId, CloseCode, Endpoint, Entry, ErrorCode, Example, Format, Message, Nothing, Problem, User, Username,
    Watermark,
    api::{
        capabilities::{Capabilities, GetCapabilities},
        chats::{ChatPage, ChatSnapshot, GetChat, ListChats, OpenDirect},
        messages::{EntryPage, ListEntries},
        password_reset::{
            CompletePasswordReset, NewPassword, NewPasswordReset, PasswordResetCode, RequestPasswordReset,
            VerifyPasswordReset,
        },
        receipts::{ChatReceipt, ChatReceiptPage, ListChatReceipts, MarkReceipts},
        sessions::{EndSession, ListSessions, RefreshSession, SessionInfo, SessionList, SignIn, SpentToken},
        signup::{CompleteSignup, NewAccount, NewSignup, RequestSignup, SignupCode, TicketIssued, VerifySignup},
        users::{FindNearby, GetMe, GetUser, NearbyUsers, OwnProfile, ProfilePatch, UpdateMe, UserProfile},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Fault, Order, PASSWORD, Stub, World, alice, bob, problem};

/// One call.
pub(super) struct Call {
    /// Method and path.
    what: String,
    query: HashMap<String, String>,
    token: Option<String>,
    format: Format,
    body: Vec<u8>,
}

impl Call {
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, ErrorCode> {
        self.format.decode(&self.body).map_err(|_| ErrorCode::InvalidRequest)
    }

    pub(super) fn after(&self) -> Option<&str> {
        self.query.get("after").map(String::as_str)
    }

    pub(super) fn right<E: Endpoint>(&self, answer: Result<E::Response, ErrorCode>) -> Response {
        let answer = match answer {
            Ok(answer) if E::STATUS == 204 => return drop_body(&answer),
            Ok(answer) => self.format.encode(&answer).expect("encodes"),
            Err(code) => return self.wrong(&problem(code)),
        };
        let status = StatusCode::from_u16(E::STATUS).expect("a status");
        (status, [(header::CONTENT_TYPE, self.format.media_type())], answer).into_response()
    }

    pub(super) fn wrong(&self, problem: &Problem) -> Response {
        self.coded(problem.status, problem)
    }

    fn coded(&self, status: u16, problem: &impl Serialize) -> Response {
        let status = StatusCode::from_u16(status).expect("a status");
        let body = self.format.encode(problem).expect("encodes");
        (status, [(header::CONTENT_TYPE, self.format.problem_type())], body).into_response()
    }
}

fn drop_body<T>(_: &T) -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn read(request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let accept = text(header::ACCEPT).expect("the client says what it takes");
    assert!(text(header::HeaderName::from_static("x-request-id")).is_some(), "the client names its requests");
    let query = parts.uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    Call {
        what: format!("{} {}", parts.method, parts.uri.path()),
        query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        token: text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
        format: Format::ALL.iter().copied().find(|format| accept == format.media_type()).expect("an encoding"),
        body: to_bytes(Body::new(body), 1 << 20).await.expect("a body").to_vec(),
    }
}

pub(super) async fn answer(State(stub): State<Stub>, request: Request) -> Response {
    let call = read(request).await;
    let fault = stub.change(|world| {
        world.calls.push(call.what.clone());
        world.queries.push(call.query.clone());
        if let Ok(body) = call.body() {
            world.bodies.push((call.what.clone(), body));
        }
        world.answers.get_mut(call.what.as_str()).and_then(VecDeque::pop_front)
    });
    match fault {
        Some(Fault::Problem(problem)) => call.wrong(&problem),
        Some(Fault::Newer(problem, fields)) => {
            let mut newer = serde_json::to_value(&problem).expect("a problem");
            newer["fields"] = fields;
            call.coded(problem.status, &newer)
        }
        Some(Fault::Html(status)) => {
            (StatusCode::from_u16(status).expect("a status"), [(header::CONTENT_TYPE, "text/html")], "<h1>no</h1>")
                .into_response()
        }
        None => stub.change(|world| dispatch(world, &call)),
    }
}

fn dispatch(world: &mut World, call: &Call) -> Response {
    let (method, path) = call.what.split_once(' ').expect("method and path");
    let path: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    let chat = ChatId::example().to_string();
    match (method, path.as_slice()) {
        ("GET", ["capabilities"]) => call.right::<GetCapabilities>(Ok(Capabilities::example())),
        ("POST", ["signup"]) => call.right::<RequestSignup>(call.body::<NewSignup>().map(|_| ticket("verify"))),
        ("POST", ["signup", "verify"]) => call.right::<VerifySignup>(call.body::<SignupCode>().and_then(|body| {
            if body.code.as_str() == "274615" { Ok(ticket("complete")) } else { Err(ErrorCode::WrongCode) }
        })),
        ("POST", ["signup", "complete"]) => call.right::<CompleteSignup>(call.body::<NewAccount>().and_then(|body| {
            let taken = world.taken_names.contains(&body.username.as_str());
            let user = User { username: body.username, ..User::example() };
            if taken { Err(ErrorCode::UsernameTaken) } else { Ok(world.opened(user)) }
        })),
        ("POST", ["password-reset"]) => {
            call.right::<RequestPasswordReset>(call.body::<NewPasswordReset>().map(|_| ticket("reset")))
        }
        ("POST", ["password-reset", "verify"]) => {
            call.right::<VerifyPasswordReset>(call.body::<PasswordResetCode>().and_then(|body| {
                if body.code.as_str() == "274615" { Ok(ticket("new-password")) } else { Err(ErrorCode::WrongCode) }
            }))
        }
        ("POST", ["password-reset", "complete"]) => {
            call.right::<CompletePasswordReset>(call.body::<NewPassword>().and_then(|body| {
                if body.ticket.as_str() == "new-password" { Ok(Nothing {}) } else { Err(ErrorCode::TicketInvalid) }
            }))
        }
        ("POST", ["sessions"]) => {
            let body = call.body::<i9chat_spec::api::sessions::Credentials>();
            call.right::<SignIn>(body.and_then(|body| {
                let right = body.password.as_str() == PASSWORD;
                if right { Ok(world.opened(alice())) } else { Err(ErrorCode::WrongCredentials) }
            }))
        }
        ("POST", ["sessions", "refresh"]) => {
            let body = call.body::<SpentToken>();
            call.right::<RefreshSession>(body.and_then(|body| world.refresh(body.refresh_token.as_str())))
        }
        (method, path) => match world.admit(call.token.as_deref()) {
            Err(code) => call.wrong(&problem(code)),
            Ok(()) => match (method, path) {
                ("GET", ["me"]) => call.right::<GetMe>(Ok(OwnProfile::example())),
                ("GET", ["users", name]) => call.right::<GetUser>(user(name).map(|user| UserProfile {
                    user_id: user.user_id,
                    username: user.username,
                    ..UserProfile::example()
                })),
                ("GET", ["sessions"]) => call.right::<ListSessions>(Ok(SessionList {
                    items: vec![SessionInfo { client: None, ..SessionList::example().items.remove(0) }],
                })),
                ("DELETE", ["sessions", "current"]) => {
                    world.session_over = true;
                    world.order = (world.order.0 + 1, Order::Close(CloseCode::SessionEnded));
                    call.right::<EndSession>(Ok(i9chat_spec::Nothing {}))
                }
                ("PUT", ["direct", name]) => call.right::<OpenDirect>(
                    user(name).map(|partner| ChatSnapshot { chat: world.chat(partner), cursor: world.head() }),
                ),
                ("GET", ["chats"]) => call.right::<ListChats>(Ok(chats(world, call))),
                ("GET", ["chats", id]) if *id == chat => {
                    call.right::<GetChat>(Ok(ChatSnapshot { chat: world.chat(bob()), cursor: world.head() }))
                }
                ("GET", ["chats", id, "entries"]) if *id == chat => call.right::<ListEntries>(Ok(entries(world, call))),
                (method, ["chats", id, "messages", message, rest @ ..]) if *id == chat => {
                    super::groups::message(world, call, method, message, rest)
                }
                ("GET", ["chats", id, "receipts"]) if *id == chat => {
                    call.right::<ListChatReceipts>(Ok(receipts(world)))
                }
                ("POST", ["receipts"]) => call.right::<MarkReceipts>(call.body().map(|marks| world.mark(&marks))),
                ("PATCH", ["me"]) => call.right::<UpdateMe>(call.body().map(changed)),
                ("GET", ["users"]) => call.right::<FindNearby>(Ok(NearbyUsers::example())),
                (method, ["groups", path @ ..]) => super::groups::group(call, method, path),
                ("GET" | "POST", ["chats", ..]) => call.wrong(&problem(ErrorCode::ChatNotFound)),
                _ => call.wrong(&problem(ErrorCode::NoSuchEndpoint)),
            },
        },
    }
}

/// How far the two users of the chat are. (RCP-9)
fn receipts(world: &World) -> ChatReceiptPage {
    let of = |user, delivered, read| ChatReceipt { user, delivered, read };
    let items = vec![of(alice(), world.delivered, world.read), of(bob(), Watermark::ZERO, Watermark::ZERO)];
    ChatReceiptPage { items, next: None }
}

/// The profile of the example, changed. (USR-4)
fn changed(patch: ProfilePatch) -> OwnProfile {
    let me = OwnProfile::example();
    OwnProfile {
        bio: patch.bio.apply(Some(me.bio)).unwrap_or_else(|| "".parse().expect("no bio")),
        picture_id: patch.picture_id.apply(me.picture_id),
        location: patch.location.apply(me.location),
        ..me
    }
}

fn ticket(step: &str) -> TicketIssued {
    TicketIssued { ticket: step.parse().expect("a ticket"), ..TicketIssued::example() }
}

fn user(name: &str) -> Result<User, ErrorCode> {
    if name.eq_ignore_ascii_case("bob") { Ok(bob()) } else { Err(ErrorCode::UserNotFound) }
}

/// Three chats, one to a page.
fn chats(world: &World, call: &Call) -> ChatPage {
    let page = call.query.get("after").map_or(0, |after| after.trim_start_matches('c').parse().expect("a place"));
    let partner = User { username: format!("friend-{page}").parse::<Username>().expect("a name"), ..bob() };
    let next = (page < 2).then(|| World::cursor(page + 1));
    ChatPage { items: vec![world.chat(partner)], next, cursor: world.head() }
}

/// MSG-10, with two entries to a page.
fn entries(world: &World, call: &Call) -> EntryPage {
    let number = |name: &str| call.query.get(name).map(|value| value.parse::<u64>().expect("a seq"));
    let entry = |message: &Message| Entry::Message(message.clone());
    let mut items: Vec<Entry> = match (number("after"), number("before")) {
        (Some(after), None) => world.messages().filter(|message| message.seq.get() > after).map(entry).collect(),
        (None, before) => {
            let before = before.unwrap_or(u64::MAX);
            world.messages().rev().filter(|message| message.seq.get() < before).map(entry).collect()
        }
        (Some(_), Some(_)) => panic!("both at once"),
    };
    let more = items.len() > 2;
    items.truncate(2);
    let next = items.last().and_then(Entry::seq).filter(|_| more);
    EntryPage { items, next }
}
