use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use i9chat_spec::{Lifetimes, Limits};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::{
    auth::keys::ServerKey,
    domain::accounts::{
        claim::{self, ClaimRules, Purpose},
        hashes::SecretHash,
    },
    ids::SystemIds,
    store::{
        claims::{ClaimStore, SaveClaim},
        sqlite::SqliteStore,
    },
};

const TICKET: SecretHash = SecretHash([7; 32]);

/// A clock that stands still until it is set.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Answers each mail as it was told to, and takes the rest.
struct Postman {
    answers: Mutex<VecDeque<MailError>>,
    sent: mpsc::Sender<AddressedLetter>,
}

#[async_trait]
impl Mailer for Postman {
    async fn send(&self, letter: &AddressedLetter) -> Result<(), MailError> {
        if let Some(error) = self.answers.lock().unwrap().pop_front() {
            return Err(error);
        }
        self.sent.send(letter.clone()).await.unwrap();
        Ok(())
    }
}

struct PostOffice {
    folder: TempDir,
    clock: Arc<HandClock>,
    store: Arc<SqliteStore>,
    queue: MailQueue,
    sent: mpsc::Receiver<AddressedLetter>,
}

impl PostOffice {
    fn open(answers: impl IntoIterator<Item = MailError>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HandClock(Mutex::new(Timestamp::from_millis(1_795_380_000_000))));
        let (sent, inbox) = mpsc::channel(100);
        let store = Arc::new(SqliteStore::open(&folder.path().join("mail.db"), 1).unwrap());
        let queue = MailQueue {
            store: Arc::clone(&store) as _,
            mailer: Arc::new(Postman { answers: Mutex::new(answers.into_iter().collect()), sent }),
            secrets: Arc::new(Secrets::new(&ServerKey::generate(&SystemIds))),
            clock: Arc::clone(&clock) as _,
            ticket_ttl_s: 900,
            mail_waits: Arc::new(Notify::new()),
        };
        Self { folder, clock, store, queue, sent: inbox }
    }

    /// Somebody signs up: the mail with the code waits, and is of use for so long.
    async fn signs_up(&self, email: &str, useful_s: u64) {
        let now = self.clock.now();
        let rules = ClaimRules::new(&Limits::default(), &Lifetimes::default());
        let (claim, _) =
            claim::request(None, Purpose::Signup, email.parse().unwrap(), false, ticket_of(email), now, &rules);
        let mail = NewMail {
            to: email.parse().unwrap(),
            matter: MailMatter::SignupCode { ticket: claim.ticket },
            due_at: now,
            give_up_at: now.plus_seconds(useful_s),
        };
        let save = SaveClaim { forget_at: claim.expires_at, claim, seen: None, mail: Some(mail) };
        assert!(self.store.save_claim(save).await.unwrap());
    }

    async fn send_due(&self) -> Result<Duration, StoreError> {
        self.queue.send_due(&CancellationToken::new()).await
    }

    fn wait(&self, seconds: u64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus_seconds(seconds);
    }

    async fn waiting(&self) -> usize {
        let end = self.clock.now().plus_seconds(1_000_000);
        self.queue.store.due_mails(end, 1000).await.unwrap().mails.len()
    }
}

fn ticket_of(email: &str) -> SecretHash {
    if email == "alice@example.com" { TICKET } else { SecretHash([u8::try_from(email.len()).unwrap(); 32]) }
}

fn later() -> MailError {
    MailError::Later { reason: "code 451".to_owned() }
}

#[tokio::test]
async fn a_mail_is_sent_once_with_the_code_of_its_ticket() {
    let mut office = PostOffice::open([]);
    office.signs_up("alice@example.com", 900).await;
    office.send_due().await.unwrap();
    office.send_due().await.unwrap();
    let letter = office.sent.try_recv().unwrap();
    assert_eq!(letter.to.as_str(), "alice@example.com");
    let Letter::SignupCode { code, minutes } = letter.letter else { panic!("{letter:?}") };
    assert!(office.queue.secrets.is_code(&TICKET, &code));
    assert_eq!(minutes, 15);
    assert!(office.sent.try_recv().is_err());
    assert_eq!(office.waiting().await, 0);
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_tried_ever_more_seldom() {
    let mut office = PostOffice::open([later(), later(), later()]);
    office.signs_up("alice@example.com", 900).await;
    for wait in [1, 2, 4] {
        assert_eq!(office.send_due().await.unwrap(), Duration::from_secs(wait));
        office.wait(wait - 1);
        office.send_due().await.unwrap();
        assert!(office.sent.try_recv().is_err(), "it was not due yet");
        office.wait(1);
    }
    office.send_due().await.unwrap();
    assert!(office.sent.try_recv().is_ok());
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up_and_keeps_no_other_waiting() {
    let mut office = PostOffice::open([MailError::Never { reason: "code 550".to_owned() }]);
    office.signs_up("nobody@example.com", 900).await;
    office.signs_up("alice@example.com", 900).await;
    office.send_due().await.unwrap();
    assert_eq!(office.sent.try_recv().unwrap().to.as_str(), "alice@example.com");
    assert_eq!(office.waiting().await, 0);
}

#[tokio::test]
async fn a_mail_is_given_up_when_it_is_of_no_use_any_more() {
    let mut office = PostOffice::open([later()]);
    office.signs_up("alice@example.com", 900).await;
    office.send_due().await.unwrap();
    office.wait(900);
    office.send_due().await.unwrap();
    assert!(office.sent.try_recv().is_err());
    assert_eq!(office.waiting().await, 0);
}

#[tokio::test]
async fn a_mail_that_waits_outlives_a_restart() {
    let mut office = PostOffice::open([later()]);
    office.signs_up("alice@example.com", 900).await;
    office.send_due().await.unwrap();
    office.queue.store = Arc::new(SqliteStore::open(&office.folder.path().join("mail.db"), 1).unwrap());
    office.wait(1);
    office.send_due().await.unwrap();
    assert!(office.sent.try_recv().is_ok());
}

#[tokio::test]
async fn a_mail_that_is_queued_while_the_queue_runs_is_sent_at_once_and_the_queue_stops_when_told() {
    let PostOffice { queue, clock, mut sent, folder, store } = PostOffice::open([]);
    let (mail_waits, stop) = (Arc::clone(&queue.mail_waits), CancellationToken::new());
    let secrets = Arc::clone(&queue.secrets);
    let running = tokio::spawn(queue.run(stop.clone()));
    let (_, letters) = mpsc::channel(1);
    let mailer = Arc::new(Postman { answers: Mutex::default(), sent: mpsc::channel(1).0 });
    let writer = PostOffice {
        folder,
        clock: Arc::clone(&clock),
        store: Arc::clone(&store),
        queue: MailQueue { store, mailer, secrets, clock, ticket_ttl_s: 900, mail_waits: Arc::clone(&mail_waits) },
        sent: letters,
    };
    for email in ["alice@example.com", "bob@example.com"] {
        writer.signs_up(email, 900).await;
        mail_waits.notify_one();
        assert_eq!(sent.recv().await.unwrap().to.as_str(), email);
    }
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_queue_that_was_told_to_stop_begins_with_no_further_mail_and_leaves_it_for_the_next_start() {
    let mut office = PostOffice::open([]);
    office.signs_up("alice@example.com", 900).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    office.queue.send_due(&stopped).await.unwrap();
    assert!(office.sent.try_recv().is_err());
    assert_eq!(office.waiting().await, 1);
}

#[test]
fn no_wait_is_longer_than_a_minute() {
    assert_eq!((1..=8).map(wait_after).collect::<Vec<_>>(), [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(wait_after(u32::MAX), 60);
}
