use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_380_000_000).plus_seconds(seconds)
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

fn open(folder: &TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("presence.db"), 1).unwrap()
}

async fn with_users(folder: &TempDir) -> SqliteStore {
    let store = open(folder);
    store
        .write(|connection| {
            for number in 1..=3_u128 {
                connection.execute(
                    "INSERT INTO users (user_id, username, username_key, email, email_key, password_hash, bio, created_at)
                     VALUES (?1, ?2, ?2, ?2, ?2, '', '', 0)",
                    (user(number).as_uuid().as_bytes(), format!("user{number}")),
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    store
}

fn note(number: u128, is_here: bool, second: u64) -> PresenceNote {
    PresenceNote { user_id: user(number), is_here, at: at(second) }
}

#[tokio::test]
async fn after_a_crash_those_who_were_there_were_last_seen_at_the_last_renewal() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_users(&folder).await;
    store.begin(at(0)).await.unwrap();
    store.note(vec![note(1, true, 5), note(2, true, 5)]).await.unwrap();
    store.renew(at(10)).await.unwrap();
    store.note(vec![note(2, false, 12), note(3, true, 15)]).await.unwrap();
    drop(store);

    let store = open(&folder);
    store.begin(at(1000)).await.unwrap();
    let users = vec![user(1), user(2), user(3), user(9)];
    let expected = vec![Some(at(10)), Some(at(12)), Some(at(15)), None];
    assert_eq!(
        store.last_seen(users.clone()).await.unwrap(),
        expected,
        "a renewal before somebody came says nothing of them"
    );
    store.begin(at(2000)).await.unwrap();
    assert_eq!(store.last_seen(users).await.unwrap(), expected, "nobody was there between two starts");
}
