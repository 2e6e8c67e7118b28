//! Groups, who is in them, and who hears what is not durable. (GRP-7, GRP-9)

use i9chat_server::{
    domain::groups::CreateGroup,
    store::{AudienceRead, MemberRead, Names, Seen},
};
use i9chat_spec::{ChatId, Role, User, UserId, api::groups::NewGroup};

use super::{
    acts::client_id,
    case::cases,
    shelf::{Shelf, at, uuid},
};

cases![
    a_group_is_seen_by_anybody_and_its_role_by_its_members,
    members_are_listed_by_name_page_after_page,
    those_who_are_in_a_chat_hear_each_other,
    a_group_is_created_once_however_often_it_is_asked_for,
    a_group_that_many_join_at_once_counts_them_all,
];

/// All of a list, or a page of it.
pub fn names(after: Option<&str>, limit: usize) -> Names {
    Names { after: after.map(|name| name.parse().unwrap()), limit }
}

fn sorted(mut users: Vec<UserId>) -> Vec<UserId> {
    users.sort_unstable();
    users
}

fn ids(users: &[&User]) -> Vec<UserId> {
    sorted(users.iter().map(|user| user.user_id).collect())
}

impl Shelf {
    async fn members(&self, user: &User, chat_id: ChatId, page: Names) -> Vec<MemberRead> {
        match self.other.members(user.user_id, chat_id, page).await.unwrap() {
            Seen::Found(members) => members,
            seen => panic!("{} finds {seen:?}", user.username),
        }
    }

    async fn audience(&self, user: &User, chat_id: ChatId) -> AudienceRead {
        self.other.audience(user.user_id, chat_id).await.unwrap()
    }
}

async fn a_group_is_seen_by_anybody_and_its_role_by_its_members(shelf: &Shelf) {
    let [alice, bob, carol] = shelf.users(["alice", "bob", "carol"]).await;
    let group_id = shelf.group(&alice, "Friends", &[&bob]).await;
    let seen = async |user: &User| shelf.other.group(user.user_id, group_id).await.unwrap().unwrap();
    for (user, role) in [(&alice, Some(Role::Admin)), (&bob, Some(Role::Member)), (&carol, None)] {
        let (group, members) = seen(user).await;
        assert_eq!((group.chat_id, group.name.as_str(), group.description.as_str()), (group_id, "Friends", ""));
        assert_eq!((group.picture_id, group.created_at, group.members_count), (None, at(0), 2));
        assert_eq!((group.online_members_count, group.role), (0, role));
        assert_eq!(sorted(members), ids(&[&alice, &bob]));
    }
    shelf.make_admin(&alice, group_id, &bob).await;
    assert_eq!(seen(&bob).await.0.role, Some(Role::Admin));
    shelf.leave(&bob, group_id).await;
    let (group, members) = seen(&bob).await;
    assert_eq!((group.members_count, group.role, members), (1, None, ids(&[&alice])));
    let direct = shelf.open(&alice, &bob).await;
    for chat_id in [direct, ChatId::from_uuid(uuid())] {
        assert!(shelf.store.group(alice.user_id, chat_id).await.unwrap().is_none());
    }
}

async fn members_are_listed_by_name_page_after_page(shelf: &Shelf) {
    let [mallory, alice, bob, carol] = shelf.users(["mallory", "alice", "Bob", "CAROL"]).await;
    let [stranger, gone] = shelf.users(["stranger", "gone"]).await;
    let group = shelf.group(&mallory, "Friends", &[&carol, &bob, &alice, &gone]).await;
    shelf.leave(&gone, group).await;
    let all = shelf.members(&bob, group, names(None, 10)).await;
    assert_eq!(all.iter().map(|member| &member.user).collect::<Vec<_>>(), [&alice, &bob, &carol, &mallory]);
    assert_eq!(
        all.iter().map(|member| member.role).collect::<Vec<_>>(),
        [Role::Member, Role::Member, Role::Member, Role::Admin]
    );
    assert!(all.iter().all(|member| member.joined_at == at(0)));
    let page = shelf.members(&bob, group, names(Some("BOB"), 1)).await;
    assert_eq!(page.iter().map(|member| &member.user).collect::<Vec<_>>(), [&carol]);
    let page = shelf.members(&bob, group, names(Some("bo0"), 2)).await;
    assert_eq!(page.iter().map(|member| &member.user).collect::<Vec<_>>(), [&bob, &carol]);
    assert!(shelf.members(&bob, group, names(Some("mallory"), 10)).await.is_empty());
    for user in [&stranger, &gone] {
        let seen = shelf.store.members(user.user_id, group, names(None, 10)).await.unwrap();
        assert!(matches!(seen, Seen::NotMember), "{}", user.username);
    }
    let direct = shelf.open(&alice, &bob).await;
    for chat_id in [direct, ChatId::from_uuid(uuid())] {
        let seen = shelf.store.members(alice.user_id, chat_id, names(None, 10)).await.unwrap();
        assert!(matches!(seen, Seen::NoChat));
    }
}

async fn those_who_are_in_a_chat_hear_each_other(shelf: &Shelf) {
    let [alice, bob, carol, dave] = shelf.users(["alice", "bob", "carol", "dave"]).await;
    let heard = async |user: &User, chat_id| match shelf.audience(user, chat_id).await {
        AudienceRead::Members(members) => Some(sorted(members.to_vec())),
        AudienceRead::NoChat | AudienceRead::NotMember => None,
    };
    let group = shelf.group(&alice, "Friends", &[&bob, &carol]).await;
    shelf.leave(&carol, group).await;
    assert_eq!(heard(&bob, group).await, Some(ids(&[&alice, &bob])));
    for user in [&carol, &dave] {
        assert!(matches!(shelf.audience(user, group).await, AudienceRead::NotMember), "{}", user.username);
    }
    let direct = shelf.open(&alice, &bob).await;
    assert_eq!(heard(&alice, direct).await, Some(ids(&[&alice])), "the other does not have it as yet");
    assert!(matches!(shelf.audience(&bob, direct).await, AudienceRead::NoChat));
    shelf.send(&alice, direct, "Hello").await;
    assert_eq!(heard(&bob, direct).await, Some(ids(&[&alice, &bob])));
    for chat_id in [direct, ChatId::from_uuid(uuid())] {
        assert!(matches!(shelf.audience(&carol, chat_id).await, AudienceRead::NoChat));
    }
}

async fn a_group_is_created_once_however_often_it_is_asked_for(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let asked = NewGroup {
        client_id: client_id(),
        name: "Friends".parse().unwrap(),
        description: Some("All of us".parse().unwrap()),
        picture_id: None,
        members: None,
    };
    let create = || CreateGroup { creator: alice.clone(), asked: asked.clone(), members: Vec::new(), max_members: 9 };
    let first = shelf.try_to(&shelf.store, create()).await.unwrap();
    let again = shelf.try_to(&shelf.other, create()).await.unwrap();
    assert_eq!(first, again);
    let (group, members) = shelf.store.group(alice.user_id, first.chat_id).await.unwrap().unwrap();
    assert_eq!((group.description.as_str(), members), ("All of us", vec![alice.user_id]));
    assert_eq!(shelf.head().await.position.0, 2, "the first entry, and that it was added");
}

async fn a_group_that_many_join_at_once_counts_them_all(shelf: &Shelf) {
    let alice = shelf.user("alice").await;
    let group = shelf.group(&alice, "Friends", &[]).await;
    let users = shelf.users(["user0", "user1", "user2", "user3", "user4", "user5"]).await;
    let joined = users.iter().enumerate().map(|(number, user)| {
        let store = if number % 2 == 0 { &shelf.store } else { &shelf.other };
        let join = i9chat_server::domain::groups::JoinGroup { user: user.clone(), chat_id: group, max_members: 5 };
        shelf.try_to(store, join)
    });
    let joined = futures_util::future::join_all(joined).await;
    assert_eq!(joined.iter().filter(|joined| joined.is_ok()).count(), 4, "no more than there is room for");
    let (seen, members) = shelf.store.group(alice.user_id, group).await.unwrap().unwrap();
    assert_eq!((seen.members_count, members.len()), (5, 5));
    for (user, joined) in users.iter().zip(&joined) {
        assert_eq!(members.contains(&user.user_id), joined.is_ok());
    }
}
