use i9chat_spec::{
    ChatId, ClientId, ErrorCode, Membership, NewContent, Patch, Refusal, Role, Stretch, User, Watermark,
    api::groups::{GroupChanges, NewGroup},
    api::messages::SendMessageRefusal,
    api::receipts::Mark,
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    AddMembers, ChangeAdmin, CreateGroup, GroupRefusal, JoinGroup, LeaveGroup, Named, RemoveMember, UpdateGroup,
};
use crate::domain::{MarkReceipts, SendMessage, testing::Scene};

const MAX_MEMBERS: u64 = 5;

fn named(user: &User) -> Named {
    Named { username: user.username.clone(), user: Some(user.clone()) }
}

/// A group and its creator, who is its admin.
struct Group {
    scene: Scene,
    chat_id: ChatId,
    admin: User,
}

impl Group {
    fn of(members: &[&User], scene: Scene) -> Self {
        let [admin, _] = scene.users();
        let mut group = Self { scene, chat_id: example(), admin };
        group.chat_id = group.create(members).unwrap();
        group
    }

    fn create(&mut self, members: &[&User]) -> Result<ChatId, GroupRefusal> {
        let asked = NewGroup {
            client_id: self.scene.client_id(),
            name: "Mountain club".parse().unwrap(),
            description: None,
            picture_id: None,
            members: Some(members.iter().map(|user| user.username.clone()).collect::<Vec<_>>().try_into().unwrap()),
        };
        let members = members.iter().map(|user| named(user)).collect();
        let command = CreateGroup { creator: self.admin.clone(), asked, members, max_members: MAX_MEMBERS };
        self.scene.decide(&command).map(|created| created.chat_id)
    }

    fn act(&mut self, action: Action, target: &User) -> Result<(), ErrorCode> {
        let (chat_id, actor) = (self.chat_id, self.admin.clone());
        let done = match action {
            Action::Join => self.scene.decide(&JoinGroup { user: target.clone(), chat_id, max_members: MAX_MEMBERS }),
            Action::Leave => self.scene.decide(&LeaveGroup { user: target.clone(), chat_id }),
            Action::Added => return self.add(target),
            Action::Removed => self.scene.decide(&RemoveMember { actor, chat_id, target: named(target) }),
            Action::MadeAdmin => {
                self.scene.decide(&ChangeAdmin { actor, chat_id, target: named(target), role: Role::Admin })
            }
            Action::RemovedFromAdmins => {
                self.scene.decide(&ChangeAdmin { actor, chat_id, target: named(target), role: Role::Member })
            }
        };
        done.map_err(Refusal::code)
    }

    fn add(&mut self, target: &User) -> Result<(), ErrorCode> {
        let command = AddMembers {
            actor: self.admin.clone(),
            chat_id: self.chat_id,
            names: vec![named(target)],
            max_members: MAX_MEMBERS,
        };
        let added = self.scene.decide(&command).map_err(Refusal::code)?;
        match added.results[0].code.as_deref() {
            None => Ok(()),
            Some(code) => Err(ErrorCode::from_text(code).unwrap()),
        }
    }

    /// What a user is to the group now.
    fn state(&self, user: &User) -> From {
        match self.scene.chat(self.chat_id).as_group().unwrap().standing(user.user_id) {
            None => From::None,
            Some(standing) => match (standing.membership, standing.role) {
                (Membership::Member, Role::Admin) => From::Admin,
                (Membership::Member, _) => From::Member,
                (Membership::Left, _) => From::Left,
                (_, _) => From::Removed,
            },
        }
    }

    /// Brings a user into a state.
    fn bring(&mut self, user: &User, state: From) {
        let steps: &[Action] = match state {
            From::None => &[],
            From::Member => &[Action::Added],
            From::Admin => &[Action::Added, Action::MadeAdmin],
            From::Left => &[Action::Join, Action::Leave],
            From::Removed => &[Action::Join, Action::Removed],
        };
        for step in steps {
            self.act(*step, user).unwrap();
        }
    }

    fn send(&mut self, sender: &User) -> Result<u64, SendMessageRefusal> {
        let command = SendMessage {
            sender: sender.clone(),
            chat_id: self.chat_id,
            client_id: self.scene.client_id(),
            content: NewContent::Text { text: "hello".parse().unwrap() },
            reply_to: None,
        };
        self.scene.decide(&command).map(|sent| sent.seq.get())
    }

    fn mark(&mut self, user: &User, read: u64) -> Result<u64, String> {
        let mark = Mark { chat_id: self.chat_id, delivered: None, read: Some(Watermark::try_from(read).unwrap()) };
        let command = MarkReceipts { user: user.clone(), marks: vec![mark], fanout_members: 3, max_unread_count: 1000 };
        let made = self.scene.decide(&command).unwrap();
        match &made.results[0].state {
            Some(state) => Ok(state.unread_count),
            None => Err(made.results[0].code.clone().unwrap()),
        }
    }
}

fn example() -> ChatId {
    i9chat_spec::Example::example()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    None,
    Member,
    Admin,
    Left,
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Join,
    Leave,
    Added,
    Removed,
    MadeAdmin,
    RemovedFromAdmins,
}

const ACTIONS: [Action; 6] =
    [Action::Join, Action::Leave, Action::Added, Action::Removed, Action::MadeAdmin, Action::RemovedFromAdmins];

/// The table of GRP-5, as the specification has it.
fn table(from: From) -> [Result<From, ErrorCode>; 6] {
    use ErrorCode as Code;
    let target = Err(Code::TargetNotMember);
    match from {
        From::None => [Ok(From::Member), Err(Code::NotMember), Ok(From::Member), target, target, target],
        From::Member => [
            Err(Code::AlreadyMember),
            Ok(From::Left),
            Err(Code::AlreadyMember),
            Ok(From::Removed),
            Ok(From::Admin),
            Err(Code::TargetNotAdmin),
        ],
        From::Admin => [
            Err(Code::AlreadyMember),
            Ok(From::Left),
            Err(Code::AlreadyMember),
            Ok(From::Removed),
            Err(Code::AlreadyAdmin),
            Ok(From::Member),
        ],
        From::Left => [Ok(From::Member), Err(Code::NotMember), Err(Code::LeftGroup), target, target, target],
        From::Removed => [Err(Code::RemovedFromGroup), Err(Code::NotMember), Ok(From::Member), target, target, target],
    }
}

#[test]
fn every_cell_of_the_table_is_kept() {
    for from in [From::None, From::Member, From::Admin, From::Left, From::Removed] {
        for (action, expected) in ACTIONS.into_iter().zip(table(from)) {
            let mut group = Group::of(&[], Scene::new());
            let [user, _] = group.scene.users();
            group.bring(&user, from);
            assert_eq!(group.state(&user), from);
            let done = group.act(action, &user);
            assert_eq!(done.map(|()| group.state(&user)), expected, "{from:?} {action:?}");
        }
    }
}

#[test]
fn the_last_admin_stays_one_and_hands_over_by_leaving() {
    let scene = Scene::new();
    let [bob, carol] = scene.users();
    let mut group = Group::of(&[&bob, &carol], scene);
    let alice = group.admin.clone();
    assert_eq!(group.act(Action::RemovedFromAdmins, &alice), Err(ErrorCode::LastAdmin));
    assert_eq!(group.act(Action::Removed, &alice), Err(ErrorCode::UseLeave));
    group.act(Action::Leave, &alice).unwrap();
    assert_eq!(group.state(&bob), From::Admin, "of those who came together, the one named first");
    let heard = group.scene.events_of(&carol);
    let kinds: Vec<_> = heard.iter().filter_map(|(_, data)| data["activity"]["kind"].as_str()).collect();
    assert_eq!(kinds, ["group_created", "member_left", "admin_succeeded"]);
    assert_eq!(group.scene.heard_by(&alice).last(), Some(&"membership_ended"), "nothing comes after it");
}

#[test]
fn a_group_without_members_is_closed_for_ever() {
    let mut group = Group::of(&[], Scene::new());
    let alice = group.admin.clone();
    let [bob, _] = group.scene.users();
    group.act(Action::Leave, &alice).unwrap();
    assert_eq!(group.act(Action::Join, &bob), Err(ErrorCode::GroupClosed));
    assert_eq!(group.act(Action::Join, &alice), Err(ErrorCode::GroupClosed));
    assert_eq!(group.act(Action::Added, &bob), Err(ErrorCode::NotMember));
}

#[test]
fn only_admins_act_on_others_and_strangers_are_told_that_they_are_no_members() {
    let scene = Scene::new();
    let [bob, carol] = scene.users();
    let mut group = Group::of(&[&bob, &carol], scene);
    let [mallory, _] = group.scene.users();
    for (actor, refusal) in [(bob, ErrorCode::AdminRequired), (mallory, ErrorCode::NotMember)] {
        group.admin = actor;
        for action in [Action::Added, Action::Removed, Action::MadeAdmin, Action::RemovedFromAdmins] {
            assert_eq!(group.act(action, &carol), Err(refusal), "{action:?}");
        }
    }
}

#[test]
fn a_full_group_takes_nobody() {
    let mut group = Group::of(&[], Scene::new());
    for _ in 1..MAX_MEMBERS {
        let [user, _] = group.scene.users();
        group.act(Action::Join, &user).unwrap();
    }
    let [late, _] = group.scene.users();
    assert_eq!(group.act(Action::Join, &late), Err(ErrorCode::GroupFull));
    assert_eq!(group.act(Action::Added, &late), Err(ErrorCode::GroupFull));
}

#[test]
fn somebody_who_returns_sees_what_they_saw_and_what_comes() {
    let scene = Scene::new();
    let [bob, _] = scene.users();
    let mut group = Group::of(&[&bob], scene);
    let alice = group.admin.clone();
    group.send(&alice).unwrap();
    group.act(Action::Leave, &bob).unwrap();
    let unseen = group.send(&alice).unwrap();
    assert_eq!(group.send(&bob), Err(SendMessageRefusal::NotMember));
    group.act(Action::Join, &bob).unwrap();
    let standing = group.scene.chat(group.chat_id).as_group().unwrap().standing(bob.user_id).unwrap();
    let stretch = |from: u64, to: Option<u64>| Stretch {
        from: from.try_into().unwrap(),
        to: to.map(|to| to.try_into().unwrap()),
    };
    assert_eq!(standing.stretches, [stretch(1, Some(3)), stretch(5, None)]);
    let heard = group.scene.events_of(&bob);
    assert!(heard.iter().all(|(_, data)| data["message"]["seq"] != unseen), "what was written meanwhile stays hidden");
    let added = heard.iter().rev().find(|(event, _)| *event == "chat_added").unwrap();
    assert_eq!(added.1["chat"]["visible"], serde_json::json!([{ "from": 1, "to": 3 }, { "from": 5 }]));
    assert_eq!(added.1["chat"]["read"], 5, "one starts again at the entry that let one in");
}

#[test]
fn changes_that_change_nothing_make_no_entry() {
    let mut group = Group::of(&[], Scene::new());
    let change = |group: &mut Group, asked: GroupChanges| {
        let before = group.scene.heard_by(&group.admin).len();
        let command = UpdateGroup { actor: group.admin.clone(), chat_id: group.chat_id, asked };
        group.scene.decide(&command).unwrap();
        group.scene.heard_by(&group.admin).len() - before
    };
    let name = |name: &str| Some(name.parse().unwrap());
    assert_eq!(change(&mut group, GroupChanges::default()), 0);
    assert_eq!(change(&mut group, GroupChanges { name: name("Mountain club"), ..GroupChanges::default() }), 0);
    let both = GroupChanges {
        name: name("Sea club"),
        description: Patch::Set("Every Sunday.".parse().unwrap()),
        picture_id: Patch::Clear,
    };
    assert_eq!(change(&mut group, both.clone()), 2, "the picture was not there");
    assert_eq!(change(&mut group, both), 0);
}

#[test]
fn a_retried_creation_has_the_first_answer_and_makes_nothing() {
    let mut group = Group::of(&[], Scene::new());
    let asked = NewGroup {
        client_id: ClientId::from_uuid(*group.scene.client_id().as_uuid()),
        name: "Sea club".parse().unwrap(),
        description: None,
        picture_id: None,
        members: None,
    };
    let command = |asked: &NewGroup| CreateGroup {
        creator: group.admin.clone(),
        asked: asked.clone(),
        members: Vec::new(),
        max_members: MAX_MEMBERS,
    };
    let (first, other) = (command(&asked), command(&NewGroup { name: "Hill club".parse().unwrap(), ..asked.clone() }));
    let created = group.scene.decide(&first).unwrap();
    let heard = group.scene.heard_by(&group.admin).len();
    assert_eq!(group.scene.decide(&first), Ok(created));
    assert_eq!(group.scene.decide(&other), Err(GroupRefusal::IdempotencyConflict));
    assert_eq!(group.scene.heard_by(&group.admin).len(), heard);
}

#[test]
fn watermarks_rise_within_what_one_may_see_and_receipts_stop_in_large_groups() {
    let scene = Scene::new();
    let [bob, carol] = scene.users();
    let mut group = Group::of(&[&bob, &carol], scene);
    let alice = group.admin.clone();
    let last = (0..3).map(|_| group.send(&alice).unwrap()).last().unwrap();
    assert_eq!(group.mark(&bob, last + 1), Err("beyond_last_entry".to_owned()));
    assert_eq!(group.mark(&bob, 2), Ok(2));
    assert_eq!(group.mark(&bob, 1), Ok(2), "it never goes back");
    assert_eq!(group.scene.heard_by(&carol).iter().filter(|event| **event == "receipts_updated").count(), 1);
    let [dave, _] = group.scene.users();
    group.act(Action::Join, &dave).unwrap();
    group.mark(&bob, last).unwrap();
    assert_eq!(group.scene.heard_by(&carol).iter().filter(|event| **event == "receipts_updated").count(), 1);
    group.act(Action::Leave, &bob).unwrap();
    let exit = group.scene.chat(group.chat_id).last_seq;
    group.send(&alice).unwrap();
    assert_eq!(group.mark(&bob, exit), Ok(0), "who left may still read what they saw");
    assert_eq!(group.mark(&bob, exit + 1), Err("beyond_last_entry".to_owned()));
    let [mallory, _] = group.scene.users();
    assert_eq!(group.mark(&mallory, 1), Err("not_member".to_owned()));
}

proptest! {
    /// Whatever happens: an open group has an admin, entries are numbered without holes, everybody hears exactly what lies
    /// inside their stretches, and the count that activities carry is that of the members.
    #[test]
    fn a_group_stays_whole(steps in vec((0..4_usize, 0..5_usize, select(&ACTIONS[..])), 1..60)) {
        let scene = Scene::new();
        let [one, two] = scene.users();
        let [three, four] = scene.users();
        let mut group = Group::of(&[&one], scene);
        let users = [group.admin.clone(), one, two, three, four];
        for (actor, target, action) in steps {
            group.admin = users[actor].clone();
            group.act(action, &users[target]).ok();
            let sent = group.send(&users[actor]);
            let chat = group.scene.chat(group.chat_id);
            let state = chat.as_group().unwrap();
            prop_assert_eq!(sent.is_ok(), state.member(users[actor].user_id).is_some());
            prop_assert!(state.members_count() == 0 || state.admins_count() > 0);
            prop_assert_eq!(chat.audience.len() as u64, state.members_count());
        }
        for user in &users {
            let heard: Vec<u64> = group.scene.events_of(user).iter().filter_map(|(_, data)| {
                data["message"]["seq"].as_u64().or_else(|| data["activity"]["seq"].as_u64())
            }).collect();
            let chat = group.scene.chat(group.chat_id);
            let stretches = chat.as_group().unwrap().standing(user.user_id).map(|standing| standing.stretches.clone());
            let visible: Vec<u64> = (1..=chat.last_seq).filter(|seq| {
                stretches.iter().flatten().any(|stretch| stretch.contains((*seq).try_into().unwrap()))
            }).collect();
            prop_assert_eq!(heard, visible);
        }
    }
}
