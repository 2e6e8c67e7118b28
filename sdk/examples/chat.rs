//! A small terminal chat between two people. Against a server of your own, the first chat takes a minute:
//!
//! ```text
//! cargo run --release                                     # the server; it prints the codes that it would mail
//! cargo run -p i9chat-sdk --example chat -- --as alice --with bob
//! cargo run -p i9chat-sdk --example chat -- --as bob --with alice
//! ```
//!
//! The first time it signs you up: it asks for a mail address, the code (in the server's terminal) and a password. The session is
//! kept in `alice.session`, and the next start needs nothing. Type a line to send it; `/quit` or the end of the input ends the
//! chat when all is acknowledged. `--help` lists the options.

use std::{
    io::{BufRead, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use i9chat_sdk::{
    ChatHandle, Client, Credentials, Error, FileStore, SessionStore, Signup, Update,
    spec::{Entry, ErrorCode, Message, Watermark},
};
use tokio::sync::mpsc;

const HELP: &str = "\
A small terminal chat between two people.

  --as NAME         who you are
  --with NAME       whom you chat with
  --server URL      the server (http://127.0.0.1:8080)
  --session FILE    where the session is kept (NAME.session)
  --email ADDRESS   sign up with this address, if there is no session yet
  --password TEXT   the password; without --email: sign in with it, if there is no session yet

Whatever is missing is asked for.";

/// Messages of the past that are shown at the start.
const SHOWN_AT_START: usize = 20;

struct Options {
    server: String,
    me: String,
    partner: String,
    session: PathBuf,
    email: Option<String>,
    password: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some(options) = options(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    let mut input = Input::start();
    let client = connect(&options, &mut input).await?;
    let Some(chat) = open(&client, &options.partner, &mut input).await? else { return Ok(()) };
    println!("* You chat with {}. Type a line to send it, /quit to leave.", options.partner);
    converse(&client, &chat, &mut input).await?;
    client.close().await;
    Ok(())
}

/// Sends what is typed and shows what comes, until the input ends and all is acknowledged.
async fn converse(client: &Client, chat: &ChatHandle, input: &mut Input) -> anyhow::Result<()> {
    let me = client.me().await?.username;
    let mut shown = show_history(chat, Watermark::ZERO).await?;
    let mut updates = client.updates();

    // One message after the other: who waits for each acknowledgement keeps the order, whatever happens.
    let (typed, mut to_send) = mpsc::channel::<String>(256);
    let sender = chat.clone();
    let sending = tokio::spawn(async move {
        while let Some(text) = to_send.recv().await {
            match sender.send(&text).await {
                Ok(sent) => println!("  ✓ {} {text}", sent.seq),
                Err(error) => println!("  ✗ {text} ({error})"),
            }
        }
    });

    loop {
        tokio::select! {
            line = input.lines.recv() => match line.as_deref() {
                None | Some("/quit") => break,
                Some("") => {}
                Some(text) => typed.send(text.to_owned()).await?,
            },
            update = updates.next() => match update {
                None => bail!("the connection has ended: {}", *client.state().borrow()),
                Some(update) if update.needs_reread() => {
                    let from = if matches!(update, Update::Reset { .. }) { Watermark::ZERO } else { shown };
                    println!("* some messages were missed; reading again");
                    shown = show_history(chat, from).await?;
                }
                Some(update) => {
                    // History and updates overlap: what was shown is not shown again.
                    if let Some(message) = update.message()
                        && message.chat_id == chat.id()
                        && Watermark::from(message.seq) > shown
                    {
                        shown = message.seq.into();
                        if message.sender.username != me {
                            show(message);
                        }
                    }
                }
            },
        }
    }
    drop(typed);
    sending.await.context("sending")
}

/// Shows the newest messages after a place, oldest first, and says how far they reach.
async fn show_history(chat: &ChatHandle, after: Watermark) -> Result<Watermark, Error> {
    let Some(page) = chat.history().next().await else { return Ok(after) };
    let newer = |entry: &&Entry| entry.seq().is_some_and(|seq| Watermark::from(seq) > after);
    let newest: Vec<Entry> = page?.items.iter().take(SHOWN_AT_START).filter(newer).cloned().collect();
    newest.iter().rev().filter_map(Entry::as_message).for_each(show);
    Ok(newest.first().and_then(Entry::seq).map_or(after, Watermark::from))
}

fn show(message: &Message) {
    let text = message.content.text().unwrap_or("(something newer than this program)");
    // What somebody else wrote must not steer this terminal.
    let text: String = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    println!("{}: {text}", message.sender.username);
}

async fn show_state(client: Client) {
    let mut state = client.state();
    loop {
        println!("* {}", *state.borrow_and_update());
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// The chat with the partner, who may still be signing up; `None` when the input ends before that.
async fn open(client: &Client, partner: &str, input: &mut Input) -> anyhow::Result<Option<ChatHandle>> {
    let mut told = false;
    loop {
        match client.direct(partner).await {
            Err(error) if error.code() == Some(ErrorCode::UserNotFound) => {
                if !std::mem::replace(&mut told, true) {
                    println!("* {partner} has no account yet; waiting");
                }
            }
            opened => return Ok(Some(opened?)),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            line = input.lines.recv() => match line.as_deref() {
                None | Some("/quit") => return Ok(None),
                Some(_) => println!("* not sent: {partner} has no account yet"),
            },
        }
    }
}

/// By the stored session if there is one; else by signing up or in.
async fn connect(options: &Options, input: &mut Input) -> anyhow::Result<Client> {
    let store = FileStore::new(&options.session);
    if store.load().with_context(|| options.session.display().to_string())?.is_some() {
        match connect_by(options, Credentials::from_store(store.clone())).await {
            Err(error) if error.is_session_over() => {
                println!("* The session in {} is over.", options.session.display());
            }
            connected => return Ok(connected?),
        }
    }
    let email = match (&options.email, &options.password) {
        (Some(email), _) => email.clone(),
        (None, Some(_)) => String::new(),
        (None, None) => input.ask("E-mail, to sign up (or nothing, to sign in)").await?,
    };
    let credentials = if email.is_empty() {
        let password = input.ask_unless(options.password.as_ref(), "Password").await?;
        Credentials::password(&options.me, password)
    } else {
        sign_up(options, &email, input).await?
    };
    Ok(connect_by(options, credentials.kept_in(store)).await?)
}

/// Shows the state from the first attempt on, and waits for as long as it takes.
async fn connect_by(options: &Options, credentials: Credentials) -> Result<Client, Error> {
    let client = Client::builder(&options.server, credentials).start().await?;
    tokio::spawn(show_state(client.clone()));
    client.connected().await.map(|()| client)
}

async fn sign_up(options: &Options, email: &str, input: &mut Input) -> anyhow::Result<Credentials> {
    let signup = Signup::start(&options.server, email).await?;
    let verified = loop {
        let code = input.ask("Code from the mail (a server on trial prints it)").await?;
        match signup.verify(&code).await {
            Err(error) if matches!(error, Error::Invalid(_)) || error.code() == Some(ErrorCode::WrongCode) => {
                println!("* {error}");
            }
            verified => break verified?,
        }
    };
    let mut name = options.me.clone();
    let mut password = input.ask_unless(options.password.as_ref(), "A new password, of 8 characters or more").await?;
    loop {
        match verified.complete(&name, &password).await {
            Err(error) if error.code() == Some(ErrorCode::UsernameTaken) => {
                println!("* {name}: {error}");
                name = input.ask("Another name").await?;
            }
            Err(error @ Error::Invalid(_)) => {
                println!("* {error}");
                name = input.ask("Name").await?;
                password = input.ask("A new password").await?;
            }
            completed => return Ok(completed?),
        }
    }
}

/// The lines of the standard input.
struct Input {
    lines: mpsc::Receiver<String>,
}

impl Input {
    fn start() -> Self {
        let (read, lines) = mpsc::channel(16);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if read.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    async fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        print!("{question}: ");
        std::io::stdout().flush()?;
        let answer = self.lines.recv().await.context("the input has ended")?;
        Ok(answer.trim().to_owned())
    }

    async fn ask_unless(&mut self, given: Option<&String>, question: &str) -> anyhow::Result<String> {
        match given {
            Some(given) => Ok(given.clone()),
            None => self.ask(question).await,
        }
    }
}

/// The options of the command line; `None` when help is asked for.
fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let (mut server, mut me, mut partner, mut session) = (None, None, None, None);
    let (mut email, mut password) = (None, None);
    while let Some(name) = arguments.next() {
        let option = match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--server" => &mut server,
            "--as" => &mut me,
            "--with" => &mut partner,
            "--session" => &mut session,
            "--email" => &mut email,
            "--password" => &mut password,
            _ => bail!("{name} is not an option; --help lists them"),
        };
        *option = Some(arguments.next().with_context(|| format!("{name} needs a value"))?);
    }
    let me = me.context("--as NAME is needed: who are you?")?;
    Ok(Some(Options {
        server: server.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned()),
        partner: partner.context("--with NAME is needed: whom do you chat with?")?,
        session: session.map_or_else(|| PathBuf::from(format!("{me}.session")), PathBuf::from),
        me,
        email,
        password,
    }))
}
