//! The examples, run as programs: what is typed goes in by a pipe, what they print is read.
//!
//! `cargo test` builds the examples before it runs this.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use i9chat_spec::{
    Activity, ActivityKind, ChatId, ErrorCode, Example, Message, Seq,
    event::{GroupActivity, ReactionChanged, ReceiptsUpdated, Typing},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    soon,
    stub::{Fault, Order, PASSWORD, Stub, World, alice, bob, problem},
};

const PATIENCE: Duration = Duration::from_mins(1);

/// A program that runs.
struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    printed: String,
    /// How far of what was printed was looked at.
    looked: usize,
}

fn path(example: &str) -> PathBuf {
    // …/target/debug/deps/examples-0123 → …/target/debug/examples/chat
    let test = std::env::current_exe().expect("this program");
    let folder = test.ancestors().nth(2).expect("the build folder");
    let path = folder.join("examples").join(example).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not built: run `cargo test -p i9chat-sdk`", path.display());
    path
}

impl Program {
    fn start(example: &str, folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(path(example))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let input = child.stdin.take();
        let output = child.stdout.take().expect("an output");
        Self { child, input, output, printed: String::new(), looked: 0 }
    }

    async fn types(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input.write_all(format!("{line}\n").as_bytes()).await.expect("it reads");
    }

    /// Reads on until that is printed, after what was looked for before.
    async fn prints(&mut self, wanted: &str) {
        let reading = async {
            loop {
                if let Some(at) = self.printed[self.looked..].find(wanted) {
                    self.looked += at + wanted.len();
                    return true;
                }
                let mut bytes = [0; 4096];
                match self.output.read(&mut bytes).await.expect("an output") {
                    0 => return false,
                    count => self.printed.push_str(std::str::from_utf8(&bytes[..count]).expect("whole characters")),
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, reading).await;
        assert!(matches!(found, Ok(true)), "{wanted:?} is not in what is printed:\n{}", self.printed);
    }

    /// Ends the input, and waits for the program to end well.
    async fn ends(mut self) -> String {
        drop(self.input.take());
        let ending = async {
            let mut rest = Vec::new();
            self.output.read_to_end(&mut rest).await.expect("an output");
            (String::from_utf8(rest).expect("text"), self.child.wait().await.expect("it ends"))
        };
        let (rest, status) = tokio::time::timeout(PATIENCE, ending).await.expect("it ends");
        assert!(status.success(), "{status}: {}{rest}", self.printed);
        self.printed + &rest
    }
}

fn texts(stub: &Stub) -> Vec<String> {
    let text = |message: &Message| message.content.text().expect("text").to_owned();
    stub.look(|world| world.messages().map(text).collect())
}

#[tokio::test]
async fn send_prints_the_acknowledgement() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [stub.url.as_str(), "alice", PASSWORD, "bob", "Hello, Bob!"];
    let printed = Program::start("send", folder.path(), &arguments).ends().await;
    assert!(printed.starts_with("stored as number 1 of chat "), "{printed}");
    assert_eq!(texts(&stub), ["Hello, Bob!"]);
    assert!(stub.look(|world| world.session_over), "it leaves no session behind");
}

#[tokio::test]
async fn chat_signs_up_chats_and_comes_back_with_the_stored_session() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--server", stub.url.as_str(), "--as", "alice", "--with", "bob"];

    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("E-mail").await;
    chat.types("alice@example.com").await;
    chat.prints("Code").await;
    chat.types("000000").await;
    chat.prints("The code is wrong").await;
    chat.types("274615").await;
    chat.prints("password").await;
    chat.types(PASSWORD).await;
    chat.prints("You chat with bob").await;
    chat.types("Hello, Bob!").await;
    chat.prints("✓ 1 Hello, Bob!").await;
    stub.peer_sends(1);
    chat.prints("bob: Hello, Bob!").await;
    stub.order(Order::Cut);
    chat.prints("* disconnected").await;
    chat.prints("* connected").await;
    // The input ends while the last lines are still on their way.
    stub.change(|world| world.cuts_before_answer = 1);
    chat.types("one more").await;
    chat.types("and another").await;
    let printed = chat.ends().await;
    assert!(printed.contains("✓ 3 one more") && printed.contains("✓ 4 and another"), "{printed}");
    assert!(!printed.contains(PASSWORD));

    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("and another").await;
    chat.types("/quit").await;
    chat.ends().await;
    assert_eq!((stub.count("POST /v1/signup"), stub.count("POST /v1/sessions")), (1, 0));
    assert_eq!(texts(&stub).len(), 4);
}

#[tokio::test]
async fn chat_shows_receipts_typing_reactions_and_replies() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--server", stub.url.as_str(), "--as", "alice", "--with", "bob", "--password", PASSWORD];
    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("You chat with bob").await;
    chat.types("Hello, Bob!").await;
    chat.prints("✓ 1 Hello, Bob!").await;
    let far = |delivered: u64, read: u64| ReceiptsUpdated {
        user: bob(),
        delivered: delivered.try_into().expect("a watermark"),
        read: read.try_into().expect("a watermark"),
    };
    stub.change(|world| world.log.push(far(1, 0).into()));
    chat.prints("✓✓ 1 delivered").await;
    stub.change(|world| world.log.push(far(1, 1).into()));
    chat.prints("✓✓ 1 read").await;

    stub.change(|world| {
        world.live.push(Typing { chat_id: ChatId::example(), user: bob(), expires_in_ms: 6000 }.into());
    });
    chat.prints("* bob is typing").await;
    stub.peer_sends(1);
    chat.prints("2 bob: Hello, Bob!").await;
    soon(stub.until(|world| world.read.get() == 2)).await;
    let changed = ReactionChanged { user: bob(), seq: Seq::FIRST, ..ReactionChanged::example() };
    let emoji = changed.emoji.clone().expect("an emoji");
    stub.change(|world| world.log.push(changed.into()));
    chat.prints(&format!("* bob {emoji} to 1")).await;

    chat.types("/reply 2 yes").await;
    chat.prints("✓ 3 yes").await;
    chat.types("/reply 9 yes").await;
    chat.prints("* message 9 was not shown").await;
    chat.types("/react 2 👍").await;
    chat.types("/typing").await;
    soon(stub.until(|world| world.actions.iter().any(|(action, _)| action == "set_typing"))).await;
    let reactions = format!("PUT /v1/chats/{}/messages/", ChatId::example());
    assert!(stub.look(|world| world.calls.iter().any(|call| call.starts_with(&reactions))));
    assert!(stub.look(|world| world.messages().any(|message| message.reply_to.is_some())));
    chat.ends().await;
}

#[tokio::test]
async fn chat_makes_groups_and_shows_what_happens_to_them() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--server", stub.url.as_str(), "--as", "alice", "--with", "bob", "--password", PASSWORD];
    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("You chat with bob").await;
    chat.types("/add carol").await;
    chat.prints("* this is no group").await;
    chat.types("/create Hikers, bob carol").await;
    chat.prints("* carol was not added: left_group").await;
    chat.prints(&format!("* You chat in the group Hikers. Others join it with: --group {}", ChatId::example())).await;
    stub.change(|world| {
        let (kind, actor, targets) = (ActivityKind::MembersAdded, bob(), vec![alice()]);
        let activity = Activity { seq: Seq::FIRST, kind, actor, targets, ..Activity::example() };
        world.log.push(GroupActivity { activity }.into());
    });
    chat.prints("* bob added you").await;
    chat.types("/who").await;
    chat.prints("carol Admin").await;
    chat.types("/remove bob").await;
    chat.types("/no-such").await;
    chat.prints("* /no-such is no command").await;
    assert_eq!(stub.count(&format!("DELETE /v1/groups/{}/members/bob", ChatId::example())), 1);
    chat.types("/picture notes.txt").await;
    chat.prints("✗ [notes.txt] (notes.txt is no PNG, JPEG, WebP or AVIF by its name)").await;
    chat.ends().await;
}

#[tokio::test]
async fn the_bot_answers_each_message_once_across_runs_and_cuts() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [stub.url.as_str(), "alice", PASSWORD];
    let answers =
        |world: &World| world.messages().filter(|message| message.sender.username == alice().username).count();

    // What was written before the first run is answered too.
    stub.peer_sends(2);
    let bot = Program::start("bot", folder.path(), &arguments);
    soon(stub.until(|world| answers(world) == 2)).await;
    stub.order(Order::Cut);
    stub.peer_sends(2);
    soon(stub.until(|world| answers(world) == 4)).await;
    // Killed in the middle, perhaps before it could note where it stood.
    drop(bot);
    soon(stub.until(|world| world.lines == 0)).await;
    stub.peer_sends(1);

    stub.change(|world| world.cuts_before_answer = 1);
    let mut bot = Program::start("bot", folder.path(), &arguments);
    bot.prints("alice is here").await;
    soon(stub.until(|world| answers(world) == 5 && world.read.get() >= 9)).await;
    let replied: BTreeSet<_> = stub.look(|world| {
        world.messages().filter_map(|message| message.reply_to.as_ref().map(|quote| quote.message_id)).collect()
    });
    assert_eq!(replied.len(), 5, "each message has its own answer");
    assert_eq!(stub.count("POST /v1/sessions"), 1, "the session is kept");
}

#[tokio::test]
async fn chat_waits_for_a_partner_who_is_still_signing_up() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    stub.fail_next("PUT /v1/direct/bob", [Fault::Problem(problem(ErrorCode::UserNotFound))]);
    let arguments = ["--server", stub.url.as_str(), "--as", "alice", "--with", "bob", "--password", PASSWORD];
    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("bob has no account yet").await;
    chat.prints("You chat with bob").await;
    chat.types("/quit").await;
    chat.ends().await;
}

#[tokio::test]
async fn chat_signs_in_again_when_the_stored_session_is_over() {
    let stub = Stub::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = ["--server", stub.url.as_str(), "--as", "alice", "--with", "bob", "--password", PASSWORD];
    Program::start("chat", folder.path(), &arguments).ends().await;
    stub.change(|world| world.session_over = true);
    let mut chat = Program::start("chat", folder.path(), &arguments);
    chat.prints("is over").await;
    soon(stub.until(|world| world.calls.iter().filter(|call| *call == "POST /v1/sessions").count() == 2)).await;
}
