//! The users of a run: made by the real way of signing up, or taken from the file of an earlier run.

use std::{io::Write as _, path::Path, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use i9chat_spec::{
    ChatId, Code, EmailAddress, Login, Nothing, Password, Token, Username,
    api::{
        chats::OpenDirect,
        sessions::{Credentials, SessionOpened, SignIn},
        signup::{CompleteSignup, NewAccount, NewSignup, RequestSignup, SignupCode, VerifySignup},
        users::{GetMe, OneUser},
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CommonArgs, LoadError, api::Api, target::Target};
use crate::mail::{MailCommand, MailSource, Mailbox, Seen, codes_in};

/// How many users sign up or in at a time. Each costs the server a password hash.
const AT_ONCE: usize = 16;
/// How long a code may take to come.
const MAIL_DEADLINE: Duration = Duration::from_mins(1);

/// What one signs in with; what the file of users holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Account {
    login: Login,
    password: Password,
    /// Of the last run, for as long as it is good: signing in costs the server a password hash, and the memory for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<Token>,
}

/// A user of the run.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) username: Username,
    pub(super) token: Token,
}

/// The way to the server.
pub(super) async fn api(common: &CommonArgs) -> Result<Api, LoadError> {
    Api::new(Target::new(&common.urls, common.allow_remote).await?)
}

/// So many users, signed in.
pub(super) async fn prepare(common: &CommonArgs, count: usize) -> Result<(Api, Vec<User>), LoadError> {
    let api = api(common).await?;
    let mut accounts = match &common.users {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    let known = accounts.len().min(count);
    let mut users: Vec<User> = stream::iter(accounts.iter().take(known))
        .map(|account| sign_in(&api, account))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for (account, user) in accounts.iter_mut().zip(&users) {
        account.token = Some(user.token.clone());
    }
    if known < count {
        let mail = mail(common).await?;
        let run = Uuid::new_v4().simple().to_string();
        let made: Vec<(Account, User)> = stream::iter(known..count)
            .map(|number| sign_up(&api, &mail, &run, number))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let (new_accounts, new_users): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        accounts.extend(new_accounts);
        users.extend(new_users);
    }
    if let Some(path) = &common.users {
        write(path, &accounts)?;
    }
    Ok((api, users))
}

/// The direct chat of every user with their partner: the first with the second, the third with the fourth, and so on.
/// Both open it, since one that only the partner has opened is not there yet. (CHT-2)
pub(super) async fn open_chats(api: &Api, users: &[User]) -> Result<Vec<ChatId>, LoadError> {
    let pairs = users.chunks_exact(2).filter_map(|pair| Some((pair.first()?, pair.last()?)));
    let opened: Vec<ChatId> = stream::iter(pairs)
        .map(async |(one, other)| {
            open_chat(api, one, other).await?;
            open_chat(api, other, one).await
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(opened.into_iter().flat_map(|chat_id| [chat_id, chat_id]).collect())
}

async fn open_chat(api: &Api, user: &User, partner: &User) -> Result<ChatId, LoadError> {
    let path = OneUser { username: partner.username.clone() };
    let opened = api.call::<OpenDirect>(Some(&user.token), &path, &Nothing {}, &Nothing {}).await?;
    Ok(opened.chat.chat_id)
}

async fn mail(common: &CommonArgs) -> Result<MailSource, LoadError> {
    match (&common.mail_command, common.smtp_listen) {
        (Some(line), _) => MailCommand::parse(line)
            .map(MailSource::Command)
            .ok_or_else(|| LoadError::Mail(format!("`{line}` is no command"))),
        (None, Some(address)) => Mailbox::listen(address)
            .await
            .map(MailSource::Receiver)
            .map_err(|error| LoadError::Mail(format!("cannot receive mail at {address}: {error}"))),
        (None, None) => Err(LoadError::Mail(
            "the codes come by mail: say --smtp-listen ADDRESS, where the server sends its mail, or --mail-command COMMAND"
                .to_owned(),
        )),
    }
}

async fn sign_in(api: &Api, account: &Account) -> Result<User, LoadError> {
    if let Some(token) = &account.token {
        match api.call::<GetMe>(Some(token), &Nothing {}, &Nothing {}, &Nothing {}).await {
            Ok(me) => return Ok(User { username: me.username, token: token.clone() }),
            // Run out, or of a server that was set up anew since.
            Err(LoadError::Refused { problem, .. }) if problem.status == 401 => {}
            Err(error) => return Err(error),
        }
    }
    let credentials = Credentials { login: account.login.clone(), password: account.password.clone(), cookie: None };
    user(api.call::<SignIn>(None, &Nothing {}, &Nothing {}, &credentials).await?)
}

fn user(opened: SessionOpened) -> Result<User, LoadError> {
    let tokens =
        opened.tokens.ok_or_else(|| LoadError::Unexpected("signing in was answered without a token".to_owned()))?;
    Ok(User { username: opened.user.username, token: tokens.token })
}

async fn sign_up(api: &Api, mail: &MailSource, run: &str, number: usize) -> Result<(Account, User), LoadError> {
    let name = format!("load-{}-{number}", run.get(..8).unwrap_or(run));
    let address = format!("{name}@load.example");
    let email: EmailAddress = made(&address)?;
    let asked = api.call::<RequestSignup>(None, &Nothing {}, &Nothing {}, &NewSignup { email }).await?;
    let text = mail.next(&address, &Seen::default(), MAIL_DEADLINE).await;
    let codes = codes_in(&text.ok_or_else(|| {
        LoadError::Mail(format!(
            "no mail to {address} came within {} s: does the server send it here?",
            MAIL_DEADLINE.as_secs()
        ))
    })?);
    let [code] = codes.as_slice() else {
        return Err(LoadError::Mail(format!("the mail to {address} holds {} codes", codes.len())));
    };
    let code: Code = made(code)?;
    let code = SignupCode { ticket: asked.ticket, code };
    let verified = api.call::<VerifySignup>(None, &Nothing {}, &Nothing {}, &code).await?;
    let username: Username = made(&name)?;
    let password: Password = made(&Uuid::new_v4().simple().to_string())?;
    let mut account = Account { login: made(&name)?, password: password.clone(), token: None };
    let new = NewAccount { ticket: verified.ticket, username, password, bio: None, cookie: None };
    let opened = api.call::<CompleteSignup>(None, &Nothing {}, &Nothing {}, &new).await?;
    let user = user(opened)?;
    account.token = Some(user.token.clone());
    Ok((account, user))
}

fn made<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, LoadError> {
    text.parse().map_err(|error| LoadError::Unexpected(format!("{text}: {error}")))
}

fn read(path: &Path) -> Result<Vec<Account>, LoadError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| LoadError::Users { path: path.to_owned(), reason: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(LoadError::File { path: path.to_owned(), source }),
    }
}

/// Writes the file anew, whole or not at all, for its owner alone: it holds passwords and tokens.
fn write(path: &Path, accounts: &[Account]) -> Result<(), LoadError> {
    let failed = |source| LoadError::File { path: path.to_owned(), source };
    let bytes = serde_json::to_vec_pretty(accounts).map_err(|error| failed(error.into()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is made with owner-only rights.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_kept_from_run_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        assert_eq!(read(&path).unwrap(), []);
        let accounts =
            [Account { login: "load-1".parse().unwrap(), password: "12345678".parse().unwrap(), token: None }];
        write(&path, &accounts).unwrap();
        assert_eq!(read(&path).unwrap(), accounts);
        let text = std::fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, serde_json::json!([{ "login": "load-1", "password": "12345678" }]));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_file_of_accounts() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        write(&path, &[]).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
    }

    #[test]
    fn a_file_that_holds_something_else_is_not_overwritten_but_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.json");
        std::fs::write(&path, "{}").unwrap();
        assert!(matches!(read(&path), Err(LoadError::Users { .. })));
    }
}
