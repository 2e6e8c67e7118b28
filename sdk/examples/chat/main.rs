//! A small terminal chat between two people, or in a group. Against a server of your own, the first chat takes a minute:
//!
//! ```text
//! cargo run --release                                     # the server; it prints the codes that it would mail
//! cargo run -p i9chat-sdk --example chat -- --as alice --with bob
//! cargo run -p i9chat-sdk --example chat -- --as bob --with alice
//! ```
//!
//! The first time it signs you up: it asks for a mail address, the code (in the server's terminal) and a password. The session is
//! kept in `alice.session`, and the next start needs nothing. Type a line to send it; `/quit` or the end of the input ends the
//! chat when all is acknowledged. `--help` lists the options, `/help` what else can be done: groups, pictures, replies, reactions.

mod commands;
mod input;
mod options;
mod outbox;
mod room;
mod screen;
mod sign_in;

use anyhow::bail;
use i9chat_sdk::{Client, spec::api::users::OwnProfile};

use commands::Command;
use input::Input;
use options::{HELP, options};
use outbox::Outbox;
use room::{Room, enter};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Some(options) = options(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(());
    };
    let mut input = Input::start();
    let client = sign_in::connect(&options, &mut input).await?;
    let me = client.me().await?;
    let Some(room) = enter(&client, &me, &options.place, &mut input).await? else { return Ok(()) };
    converse(&client, &me, room, &mut input).await?;
    client.close().await;
    Ok(())
}

/// Sends what is typed and shows what comes, until the input ends and all is acknowledged.
async fn converse(client: &Client, me: &OwnProfile, mut room: Room, input: &mut Input) -> anyhow::Result<()> {
    let mut updates = client.updates();
    let (outbox, mut sent) = Outbox::start(client.clone());
    room.greet().await?;
    loop {
        tokio::select! {
            line = input.lines.recv() => {
                let command = line.map_or(Ok(Command::Quit), |line| line.parse());
                match command {
                    Ok(Command::Quit) => break,
                    Ok(command) => match commands::perform(client, me, &mut room, &outbox, command).await {
                        Ok(None) => {}
                        Ok(Some(next)) => {
                            room = next;
                            room.greet().await?;
                        }
                        Err(error) => println!("* {error}"),
                    },
                    Err(what) => println!("* {what}"),
                }
            }
            Some(acknowledged) = sent.recv() => room.sent(&acknowledged),
            update = updates.next() => match update {
                None => bail!("the connection has ended: {}", *client.state().borrow()),
                Some(update) => room.hears(&update).await?,
            },
        }
    }
    outbox.finish().await
}
