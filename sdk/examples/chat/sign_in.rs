//! Signing up and in, and staying signed in.

use anyhow::Context;
use i9chat_sdk::{Client, Credentials, Error, FileStore, SessionStore, Signup, spec::ErrorCode};

use crate::{input::Input, options::Options};

/// By the stored session if there is one; else by signing up or in.
pub async fn connect(options: &Options, input: &mut Input) -> anyhow::Result<Client> {
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

async fn show_state(client: Client) {
    let mut state = client.state();
    loop {
        println!("* {}", *state.borrow_and_update());
        if state.changed().await.is_err() {
            return;
        }
    }
}
