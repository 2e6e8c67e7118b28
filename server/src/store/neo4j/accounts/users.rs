use std::collections::HashMap;

use i9chat_spec::{EmailAddress, Login, User, UserId, Username};
use serde::{Deserialize, de::IgnoredAny};

use super::sessions;
use crate::{
    domain::accounts::hashes::PasswordHash,
    store::{
        StoreError,
        accounts::{Account, AccountMade, NewAccount},
        neo4j::driver::{Driver, Failure, Statement, text, texts},
    },
};

pub(super) const ADDRESS: &str = "MATCH (u:User {email_key: $email_key}) RETURN u.email AS email";

/// Makes a user with their first session, unless the name or the address is taken; answers by whom. Two nodes that make the same at
/// once are told apart by the constraints.
pub(super) const MAKE: &str = "
    OPTIONAL MATCH (named:User {username_key: $username_key})
    OPTIONAL MATCH (addressed:User {email_key: $email_key})
    CALL (named, addressed) {
        WITH named, addressed WHERE named IS NULL AND addressed IS NULL
        CREATE (u:User {user_id: $user_id, username: $username, username_key: $username_key, email: $email,
                        email_key: $email_key, password_hash: $password_hash, password_version: 0, bio: $bio,
                        created_at: $created_at})
        CREATE (s:Session)-[:OF]->(u) SET s = $session
        RETURN count(u) AS made
    }
    RETURN named.user_id AS named, addressed.user_id AS addressed, made";

pub(super) const BY_USERNAME: &str = "
    MATCH (u:User {username_key: $login})
    RETURN u.user_id AS user_id, u.username AS username, u.password_hash AS password_hash,
           u.password_version AS password_version";

pub(super) const BY_EMAIL: &str = "
    MATCH (u:User {email_key: $login})
    RETURN u.user_id AS user_id, u.username AS username, u.password_hash AS password_hash,
           u.password_version AS password_version";

pub(super) const BY_NAMES: &str = "
    UNWIND $username_keys AS username_key
    MATCH (u:User {username_key: username_key})
    RETURN u.user_id AS user_id, u.username AS username";

/// The comparison comes after the lock: what was seen may be replaced at the same time.
pub(super) const RENEW_PASSWORD_HASH: &str = "
    MATCH (locked:User {user_id: $user_id}) SET locked.turn = 0
    WITH locked
    MATCH (u:User {user_id: $user_id}) WHERE u.password_hash = $seen
    SET u.password_hash = $renewed";

/// The address with that key, as its account has it.
pub(super) async fn address(driver: &Driver, email: &EmailAddress) -> Result<Option<EmailAddress>, StoreError> {
    #[derive(Deserialize)]
    struct Found {
        email: EmailAddress,
    }

    let found: Option<Found> = driver.read_one(&Statement::new(ADDRESS).with("email_key", email.key())).await?;
    Ok(found.map(|found| found.email))
}

pub(super) async fn make(driver: &Driver, account: &NewAccount) -> Result<AccountMade, StoreError> {
    #[derive(Deserialize)]
    struct Outcome {
        named: Option<UserId>,
        addressed: Option<UserId>,
        made: u64,
    }

    let user_id = account.user.user_id;
    let statement = Statement::new(MAKE)
        .with("user_id", text(user_id))
        .with("username", account.user.username.as_str())
        .with("username_key", account.user.username.key())
        .with("email", account.email.as_str())
        .with("email_key", account.email.key())
        .with("password_hash", account.password.0.as_str())
        .with("bio", account.bio.as_str())
        .with("created_at", account.session.created_at.as_millis())
        .with("session", sessions::properties(user_id, &account.session));
    let made = match driver.write::<Outcome>(&statement).await {
        // Somebody else was faster by less than it takes to look: now it can be seen who.
        Err(Failure::Taken(_)) => driver.write(&statement).await?,
        outcome => outcome?,
    };
    match made.first() {
        Some(Outcome { made: 1.., .. }) => Ok(AccountMade::Made),
        Some(Outcome { named: Some(named), .. }) if *named != user_id => Ok(AccountMade::UsernameTaken),
        Some(Outcome { addressed: Some(addressed), .. }) if *addressed != user_id => Ok(AccountMade::AddressTaken),
        // It was made by a try whose answer was lost.
        Some(Outcome { named: Some(_), addressed: Some(_), .. }) => Ok(AccountMade::Made),
        _ => Err(StoreError::Corrupt("an account was neither made nor found".to_owned())),
    }
}

pub(super) async fn by_login(driver: &Driver, login: &Login) -> Result<Option<Account>, StoreError> {
    #[derive(Deserialize)]
    struct Found {
        #[serde(flatten)]
        user: User,
        password_hash: String,
        password_version: i64,
    }

    // No username holds an `@`, and every mail address does.
    let statement = if login.as_str().contains('@') { BY_EMAIL } else { BY_USERNAME };
    let statement = Statement::new(statement).with("login", login.as_str().to_ascii_lowercase());
    let found: Option<Found> = driver.read_one(&statement).await?;
    Ok(found.map(|found| Account {
        user: found.user,
        password: PasswordHash(found.password_hash),
        password_version: found.password_version,
    }))
}

pub(super) async fn renew_password_hash(
    driver: &Driver,
    user_id: UserId,
    seen: &PasswordHash,
    renewed: &PasswordHash,
) -> Result<(), StoreError> {
    let statement = Statement::new(RENEW_PASSWORD_HASH)
        .with("user_id", text(user_id))
        .with("seen", seen.0.as_str())
        .with("renewed", renewed.0.as_str());
    driver.write::<IgnoredAny>(&statement).await?;
    Ok(())
}

/// The users of those names, in their order.
pub(super) async fn by_names(driver: &Driver, names: &[Username]) -> Result<Vec<Option<User>>, StoreError> {
    let statement = Statement::new(BY_NAMES).with("username_keys", texts(names.iter().map(Username::key)));
    let found: Vec<User> = driver.read(&statement).await?;
    let found: HashMap<_, _> = found.into_iter().map(|user| (user.username.key(), user)).collect();
    Ok(names.iter().map(|name| found.get(&name.key()).cloned()).collect())
}
