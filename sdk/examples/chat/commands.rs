//! What can be done besides writing.

use std::{path::PathBuf, str::FromStr};

use anyhow::{Context, bail};
use i9chat_sdk::{
    Client, GroupHandle, Presence,
    spec::{Seq, api::users::OwnProfile},
    uploads::{Source, Upload},
};

use crate::{
    outbox::{Outbox, Outgoing, What, picture_type},
    room::{Room, join},
    screen::plain,
};

const HELP: &str = "\
  TEXT                         sends it; //TEXT sends it with one slash
  /reply NUMBER TEXT           replies to a message
  /react NUMBER EMOJI          reacts to it; without EMOJI takes the reaction back
  /picture FILE [CAPTION]      sends a picture
  /avatar SMALL MEDIUM LARGE   three sizes of a picture of you, for your profile
  /typing                      tells the others that you are typing (a terminal hands over whole lines only)
  /who                         who is here
  /with NAME                   goes to the chat with somebody
  /group ID                    goes to a group, and joins it if need be
  /create NAME [, NAMES]       makes a group with those users, and goes there
  /add NAMES · /remove NAME    adds and removes members of the group
  /admin NAME                  makes a member an admin
  /rename NAME · /leave        renames the group, leaves it
  /quit                        ends when all is acknowledged";

pub enum Command {
    Nothing,
    Help,
    Quit,
    Text(String),
    Reply(Seq, String),
    React(Seq, Option<String>),
    Picture(PathBuf, Option<String>),
    Avatar([PathBuf; 3]),
    Typing,
    Who,
    With(String),
    Group(String),
    Create(String, Vec<String>),
    Add(Vec<String>),
    Remove(String),
    Admin(String),
    Rename(String),
    Leave,
}

impl FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let Some(line) = line.strip_prefix('/') else {
            return Ok(if line.is_empty() { Self::Nothing } else { Self::Text(line.to_owned()) });
        };
        if line.starts_with('/') {
            return Ok(Self::Text(line.to_owned()));
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let needed = |what: &str| match rest {
            "" => Err(format!("/{name} needs {what}; /help tells more")),
            rest => Ok(rest.to_owned()),
        };
        let number = |text: &str| text.parse().ok().and_then(|number: u64| Seq::try_from(number).ok());
        let numbered = || {
            let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let number = number(first).ok_or_else(|| format!("/{name} needs the number of a message"))?;
            Ok::<_, String>((number, rest.trim().to_owned()))
        };
        let names = |text: &str| -> Vec<String> {
            text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        Ok(match name {
            "help" => Self::Help,
            "quit" => Self::Quit,
            "reply" => numbered().map(|(number, text)| Self::Reply(number, text))?,
            "react" => {
                numbered().map(|(number, emoji)| Self::React(number, Some(emoji).filter(|emoji| !emoji.is_empty())))?
            }
            "picture" => {
                let rest = needed("a file")?;
                let (path, caption) = rest.split_once(' ').unwrap_or((&rest, ""));
                Self::Picture(path.into(), Some(caption.trim().to_owned()).filter(|caption| !caption.is_empty()))
            }
            "avatar" => {
                let paths: Vec<PathBuf> = rest.split_whitespace().map(PathBuf::from).collect();
                Self::Avatar(paths.try_into().map_err(|_| "/avatar needs three files: small, medium, large")?)
            }
            "typing" => Self::Typing,
            "who" => Self::Who,
            "with" => Self::With(needed("a name")?),
            "group" => Self::Group(needed("the id of a group")?),
            "create" => {
                let rest = needed("a name")?;
                let (title, members) = rest.split_once(',').unwrap_or((&rest, ""));
                Self::Create(title.trim().to_owned(), names(members))
            }
            "add" => Self::Add(names(&needed("names")?)),
            "remove" => Self::Remove(needed("a name")?),
            "admin" => Self::Admin(needed("a name")?),
            "rename" => Self::Rename(needed("a name")?),
            "leave" => Self::Leave,
            _ => return Err(format!("/{name} is no command; /help lists them")),
        })
    }
}

/// Does what was asked; answers where to go, if elsewhere.
pub async fn perform(
    client: &Client,
    me: &OwnProfile,
    room: &mut Room,
    outbox: &Outbox,
    command: Command,
) -> anyhow::Result<Option<Room>> {
    let chat = &room.chat;
    let message = |number| room.message(number).with_context(|| format!("message {number} was not shown"));
    let send = |what, reply_to| outbox.put(Outgoing { chat: chat.clone(), what, reply_to });
    match command {
        Command::Nothing | Command::Quit => {}
        Command::Help => println!("{HELP}"),
        Command::Text(text) => send(What::Text(text), None).await?,
        Command::Reply(number, text) => send(What::Text(text), Some(message(number)?)).await?,
        Command::Picture(path, caption) => send(What::Picture { path, caption }, None).await?,
        Command::React(number, Some(emoji)) => drop(chat.react(message(number)?, &emoji).await?),
        Command::React(number, None) => drop(chat.unreact(message(number)?).await?),
        Command::Avatar(paths) => {
            let picture_type = picture_type(&paths[0])?;
            let [small, medium, large] = paths.map(Source::file);
            let picture = client.upload(Upload::profile_picture(small, medium, large, picture_type)?).await?;
            client.update_me().picture(picture.media_id()).await?;
            println!("* That is you now.");
        }
        Command::Typing => chat.typing(),
        Command::Who => who(client, room).await?,
        Command::With(name) => return Ok(Some(Room::direct(me, &name, client.direct(&name).await?))),
        Command::Group(id) => return Ok(Some(join(client, me, &id).await?)),
        Command::Create(name, members) => {
            let created = client.create_group(&name).members(members).await?;
            tell(created.results.iter().filter_map(|result| Some((&result.username, result.code.as_ref()?))));
            return Ok(Some(Room::group(me, &name, created.group)));
        }
        Command::Add(names) => {
            let added = group(room)?.add(names).await?;
            tell(added.results.iter().filter_map(|result| Some((&result.username, result.code.as_ref()?))));
        }
        Command::Remove(name) => group(room)?.remove(&name).await?,
        Command::Admin(name) => group(room)?.make_admin(&name).await?,
        Command::Rename(name) => drop(group(room)?.rename(&name).await?),
        Command::Leave => group(room)?.leave().await?,
    }
    Ok(None)
}

fn group(room: &Room) -> anyhow::Result<&GroupHandle> {
    match &room.group {
        Some(group) => Ok(group),
        None => bail!("this is no group"),
    }
}

/// Names that were not added, and why.
fn tell<'a>(refused: impl Iterator<Item = (impl std::fmt::Display, &'a String)>) {
    refused.for_each(|(name, code)| println!("* {name} was not added: {code}"));
}

/// The members of a group, or the partner, with their presence.
async fn who(client: &Client, room: &Room) -> anyhow::Result<()> {
    if let Some(group) = &room.group {
        let info = group.info().await?;
        println!(
            "* {}: {} members, {} of them here",
            plain(info.name.as_str()),
            info.members_count,
            info.online_members_count
        );
        let mut members = group.members().items();
        while let Some(member) = members.next().await {
            let member = member?;
            println!("*   {} {:?} {:?}", member.user.username, member.role, member.presence);
        }
        return Ok(());
    }
    let Some(partner) = room.chat.read().await?.chat.partner else { return Ok(()) };
    let mut presence = client.presence(partner.user.username.as_str())?;
    match presence.changed().await {
        Some(Presence::Known(known)) if presence.current().is_online() => println!("* {} is here", known.user.username),
        Some(Presence::Known(known)) => match known.last_seen {
            Some(last_seen) => println!("* {} was last here at {last_seen}", known.user.username),
            None => println!("* {} was never here", known.user.username),
        },
        _ => println!("* Nothing is known of {} now", partner.user.username),
    }
    Ok(())
}
