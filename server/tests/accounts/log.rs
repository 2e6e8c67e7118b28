//! What reaches the log.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use i9chat_server::mail::{AddressedLetter, MailError, MailQueue, Mailer};
use i9chat_spec::api::sessions::SessionRef;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::world::{PASSWORD, World, other_than};

/// Everything that any test of this program logs, however unimportant.
#[derive(Clone)]
struct Captured(Arc<Mutex<Vec<u8>>>);

static CAPTURED: OnceLock<Captured> = OnceLock::new();

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Captures the log of the whole program, from the first call on.
pub fn capture() {
    CAPTURED.get_or_init(|| {
        let captured = Captured(Arc::default());
        let writer = captured.clone();
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
        captured
    });
}

/// Refuses each mail and says so.
struct RefusingMailer(mpsc::Sender<()>);

#[async_trait::async_trait]
impl Mailer for RefusingMailer {
    async fn send(&self, _: &AddressedLetter) -> Result<(), MailError> {
        self.0.send(()).await.unwrap();
        Err(MailError::Never { reason: "code 550".to_owned() })
    }
}

#[tokio::test]
async fn no_secret_reaches_the_log_whatever_happens() {
    let world = World::new().await;
    let email = "very.private@example.com";
    let issued = world.asks_to_sign_up(email).await;
    let code = world.mailed_code(email).await;
    assert!(world.verifies(&issued.ticket, &other_than(&code)).await.is_err());
    let ticket = world.verifies(&issued.ticket, &code).await.unwrap();
    let alice = crate::world::member(world.completes(&ticket, "alice").await.unwrap());
    assert!(world.tries_to_sign_in(email, "wrong password", 1).await.is_err());
    let (_, cookie) = world.signs_in_by_cookie(email).await;
    world.uses_cookie(&cookie).await.unwrap();
    let next = world.refreshes(&alice.tokens.refresh_token).await.unwrap();
    world.uses(&next).await.unwrap();
    assert!(world.refreshes(&alice.tokens.refresh_token).await.is_err(), "an old one ends the session, and is logged");
    assert!(world.ends(&alice.identity(), SessionRef::Current).await.is_err());

    let (refused, mut refusals) = mpsc::channel(10);
    let accounts = &world.app.accounts;
    let queue = MailQueue {
        store: Arc::clone(accounts.mails()),
        mailer: Arc::new(RefusingMailer(refused)),
        secrets: Arc::clone(accounts.secrets()),
        clock: Arc::clone(&world.app.clock),
        ticket_ttl_s: 900,
        mail_waits: Arc::clone(accounts.mail_waits()),
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(queue.run(stop.clone()));
    refusals.recv().await.unwrap();
    stop.cancel();
    running.await.unwrap();

    let text = String::from_utf8(CAPTURED.get().unwrap().0.lock().unwrap().clone()).unwrap();
    for event in ["an old refresh token was used", "a mail is given up"] {
        assert!(text.contains(event), "{event} was to be logged:\n{text}");
    }
    let secrets = [
        email,
        "very.private",
        PASSWORD,
        "wrong password",
        issued.ticket.as_str(),
        ticket.as_str(),
        code.as_str(),
        alice.tokens.token.as_str(),
        alice.tokens.refresh_token.as_str(),
        next.refresh_token.as_str(),
        &cookie,
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
}
