//! Making accounts, and finding them. (ACC-7 to ACC-10)

use i9chat_server::{
    domain::accounts::hashes::PasswordHash,
    store::accounts::{AccountMade, NewAccount},
};
use i9chat_spec::{Login, Username};

use super::{
    case::cases,
    shelf::{Shelf, account, at},
};

cases![
    an_account_is_made_whole_or_not_at_all,
    an_account_is_found_by_either_login_in_any_case_and_shown_as_it_was_chosen,
    of_many_who_want_a_name_at_once_one_gets_it,
    of_many_who_want_an_account_for_an_address_at_once_one_gets_it,
    a_password_hash_is_renewed_only_while_it_is_the_one_that_was_seen,
    users_are_found_by_name_in_the_order_in_which_they_were_asked_for,
];

fn login(text: &str) -> Login {
    text.parse().unwrap()
}

async fn an_account_is_made_whole_or_not_at_all(shelf: &Shelf) {
    let store = &shelf.store;
    shelf.user("alice").await;
    let taken = NewAccount { email: "bob@example.com".parse().unwrap(), ..account("ALICE") };
    let known = NewAccount { email: "ALICE@example.com".parse().unwrap(), ..account("carol") };
    let both = account("Alice");
    let sessions = [&taken, &known, &both].map(|account| account.session.session_id);
    assert_eq!(store.make_account(taken).await.unwrap(), AccountMade::UsernameTaken);
    assert_eq!(store.make_account(known).await.unwrap(), AccountMade::AddressTaken);
    assert_eq!(store.make_account(both).await.unwrap(), AccountMade::UsernameTaken, "the name comes first");
    assert!(store.profile(&"carol".parse().unwrap()).await.unwrap().is_none());
    assert_eq!(store.account_address(&"bob@example.com".parse().unwrap()).await.unwrap(), None);
    for session_id in sessions {
        assert!(store.session(session_id).await.unwrap().is_none());
    }
}

async fn an_account_is_found_by_either_login_in_any_case_and_shown_as_it_was_chosen(shelf: &Shelf) {
    let store = &shelf.store;
    let made = NewAccount { email: "Alice@Example.com".parse().unwrap(), ..account("Alice") };
    store.make_account(made.clone()).await.unwrap();
    for text in ["alice", "ALICE", "alice@example.com", "ALICE@EXAMPLE.COM"] {
        let found = store.account(&login(text)).await.unwrap().unwrap();
        assert_eq!((found.user, found.password), (made.user.clone(), made.password.clone()), "{text}");
    }
    for text in ["alic", "alice@example", "' OR 1=1 --", "alice'}) DETACH DELETE u //"] {
        assert!(store.account(&login(text)).await.unwrap().is_none(), "{text}");
    }
    let address = store.account_address(&"aLICE@example.COM".parse().unwrap()).await.unwrap();
    assert_eq!(address, Some("Alice@Example.com".parse().unwrap()), "as it was chosen");
    assert_eq!(store.account_address(&"alice@example.org".parse().unwrap()).await.unwrap(), None);
    let own = store.own_profile(made.user.user_id).await.unwrap().unwrap();
    assert_eq!((own.email.as_str(), own.bio.as_str(), own.created_at), ("Alice@Example.com", "Hello", at(0)));
    assert_eq!((own.picture_id, own.location), (None, None));
    let shown = store.profile(&"aLiCe".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((shown.user.user_id, shown.user.username.as_str()), (made.user.user_id, "Alice"));
}

async fn of_many_who_want_a_name_at_once_one_gets_it(shelf: &Shelf) {
    let mut made = Vec::new();
    for round in 0..5 {
        let name = if round % 2 == 0 { "alice" } else { "ALICE" };
        for (number, store) in [&shelf.store, &shelf.other].into_iter().enumerate() {
            let email = format!("user{round}-{number}@example.com").parse().unwrap();
            made.push(store.make_account(NewAccount { email, ..account(name) }));
        }
    }
    let made = futures_util::future::join_all(made).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made == AccountMade::Made).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|made| **made == AccountMade::UsernameTaken).count(), 9, "{made:?}");
}

async fn of_many_who_want_an_account_for_an_address_at_once_one_gets_it(shelf: &Shelf) {
    let names = ["one", "two", "three", "four", "five", "six"].map(|name| format!("user-{name}"));
    let made = names.iter().enumerate().map(|(number, name)| {
        let store = if number % 2 == 0 { &shelf.store } else { &shelf.other };
        store.make_account(NewAccount { email: "alice@example.com".parse().unwrap(), ..account(name) })
    });
    let made = futures_util::future::join_all(made).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made == AccountMade::Made).count(), 1, "{made:?}");
    assert_eq!(made.iter().filter(|made| **made == AccountMade::AddressTaken).count(), 5, "{made:?}");
}

async fn a_password_hash_is_renewed_only_while_it_is_the_one_that_was_seen(shelf: &Shelf) {
    let user_id = shelf.user("alice").await.user_id;
    let [old, new, late] = ["phc", "new", "late"].map(|text| PasswordHash(text.to_owned()));
    shelf.store.renew_password_hash(user_id, old.clone(), new.clone()).await.unwrap();
    shelf.store.renew_password_hash(user_id, old, late).await.unwrap();
    assert_eq!(shelf.store.account(&login("alice")).await.unwrap().unwrap().password, new);
}

async fn users_are_found_by_name_in_the_order_in_which_they_were_asked_for(shelf: &Shelf) {
    let [alice, bob] = shelf.users(["Alice", "bob"]).await;
    let asked = ["BOB", "nobody", "alice", "bob"].map(|name| name.parse::<Username>().unwrap());
    let found = shelf.store.users_by_name(asked.to_vec()).await.unwrap();
    assert_eq!(found, [Some(bob.clone()), None, Some(alice), Some(bob)]);
    assert_eq!(shelf.store.users_by_name(Vec::new()).await.unwrap(), []);
}
