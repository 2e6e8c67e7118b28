//! The command line.

use std::path::PathBuf;

use anyhow::{Context, bail};

pub const HELP: &str = "\
A small terminal chat between two people, or in a group.

  --as NAME         who you are
  --with NAME       whom you chat with
  --group ID        or: the group that you chat in; you join it if need be
  --create NAME     or: the name of a new group
  --server URL      the server (http://127.0.0.1:8080)
  --session FILE    where the session is kept (NAME.session)
  --email ADDRESS   sign up with this address, if there is no session yet
  --password TEXT   the password; without --email: sign in with it, if there is no session yet

Whatever is missing is asked for. In the chat, /help lists what can be done besides writing.";

pub struct Options {
    pub server: String,
    pub me: String,
    pub place: Place,
    pub session: PathBuf,
    pub email: Option<String>,
    pub password: Option<String>,
}

/// Where one chats.
pub enum Place {
    With(String),
    Group(String),
    NewGroup(String),
}

/// The options of the command line; `None` when help is asked for.
pub fn options(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Option<Options>> {
    let (mut server, mut me, mut session) = (None, None, None);
    let (mut with, mut group, mut create) = (None, None, None);
    let (mut email, mut password) = (None, None);
    while let Some(name) = arguments.next() {
        let option = match name.as_str() {
            "--help" | "-h" => return Ok(None),
            "--server" => &mut server,
            "--as" => &mut me,
            "--with" => &mut with,
            "--group" => &mut group,
            "--create" => &mut create,
            "--session" => &mut session,
            "--email" => &mut email,
            "--password" => &mut password,
            _ => bail!("{name} is not an option; --help lists them"),
        };
        *option = Some(arguments.next().with_context(|| format!("{name} needs a value"))?);
    }
    let me = me.context("--as NAME is needed: who are you?")?;
    let place = match (with, group, create) {
        (Some(partner), None, None) => Place::With(partner),
        (None, Some(id), None) => Place::Group(id),
        (None, None, Some(name)) => Place::NewGroup(name),
        _ => bail!("one of --with NAME, --group ID and --create NAME is needed: where do you chat?"),
    };
    Ok(Some(Options {
        server: server.unwrap_or_else(|| "http://127.0.0.1:8080".to_owned()),
        place,
        session: session.map_or_else(|| PathBuf::from(format!("{me}.session")), PathBuf::from),
        me,
        email,
        password,
    }))
}
