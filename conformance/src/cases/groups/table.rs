//! Every cell of the table of GRP-5: what a user is to a group, and what moves it.

use i9chat_spec::{ErrorCode, Profile};
use serde_json::{Value, json};

use self::Outcome::{Becomes, NotAdded, Refused};
use crate::{
    case::Case,
    cases::chats::names,
    client::{Answer, Request},
    expect::expect,
    verdict::Verdict,
    world::{User, World},
};

/// What a user is to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Never,
    Member,
    Admin,
    /// The group has no other admin.
    LastAdmin,
    Left,
    Removed,
}

/// What moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Join,
    Leave,
    Added,
    Removed,
    Promoted,
    Demoted,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The user is that afterwards, and an activity of that kind says so.
    Becomes(State, &'static str),
    Refused(ErrorCode),
    /// Adding answers for each name by itself. (GRP-4)
    NotAdded(ErrorCode),
}

macro_rules! table {
    ($($told:literal $state:ident { $($what:literal $action:ident => $outcome:expr;)+ })+) => {
        /// A case for each cell.
        pub const CASES: &[Case] = &[$($(
            Case {
                name: concat!($told, "_", $what),
                profile: Profile::Groups,
                requirements: &["GRP-5", "GRP-6", "ERR-5"],
                story: |world| Box::pin(Cell { from: State::$state, action: Action::$action, outcome: $outcome }.holds(world)),
            },
        )+)+];
    };
}

table! {
    "somebody_who_was_never_in_a_group" Never {
        "joins_it" Join => Becomes(State::Member, "member_joined");
        "cannot_leave_it" Leave => Refused(ErrorCode::NotMember);
        "is_added_by_an_admin" Added => Becomes(State::Member, "members_added");
        "cannot_be_removed" Removed => Refused(ErrorCode::TargetNotMember);
        "cannot_be_made_an_admin" Promoted => Refused(ErrorCode::TargetNotMember);
        "cannot_be_removed_from_the_admins" Demoted => Refused(ErrorCode::TargetNotMember);
    }
    "a_member_of_a_group" Member {
        "cannot_join_it" Join => Refused(ErrorCode::AlreadyMember);
        "leaves_it" Leave => Becomes(State::Left, "member_left");
        "cannot_be_added" Added => NotAdded(ErrorCode::AlreadyMember);
        "is_removed_by_an_admin" Removed => Becomes(State::Removed, "member_removed");
        "is_made_an_admin" Promoted => Becomes(State::Admin, "admin_added");
        "cannot_be_removed_from_the_admins" Demoted => Refused(ErrorCode::TargetNotAdmin);
    }
    "an_admin_of_a_group" Admin {
        "cannot_join_it" Join => Refused(ErrorCode::AlreadyMember);
        "leaves_it" Leave => Becomes(State::Left, "member_left");
        "cannot_be_added" Added => NotAdded(ErrorCode::AlreadyMember);
        "is_removed_by_another_admin" Removed => Becomes(State::Removed, "member_removed");
        "cannot_be_made_an_admin" Promoted => Refused(ErrorCode::AlreadyAdmin);
        "is_removed_from_the_admins" Demoted => Becomes(State::Member, "admin_removed");
    }
    "the_last_admin_of_a_group" LastAdmin {
        "cannot_join_it" Join => Refused(ErrorCode::AlreadyMember);
        "leaves_it_to_a_successor" Leave => Becomes(State::Left, "member_left");
        "cannot_be_added" Added => NotAdded(ErrorCode::AlreadyMember);
        "cannot_remove_themselves" Removed => Refused(ErrorCode::UseLeave);
        "cannot_be_made_an_admin" Promoted => Refused(ErrorCode::AlreadyAdmin);
        "cannot_be_removed_from_the_admins" Demoted => Refused(ErrorCode::LastAdmin);
    }
    "somebody_who_left_a_group" Left {
        "joins_it_again" Join => Becomes(State::Member, "member_joined");
        "cannot_leave_it_again" Leave => Refused(ErrorCode::NotMember);
        "cannot_be_added_by_an_admin" Added => NotAdded(ErrorCode::LeftGroup);
        "cannot_be_removed" Removed => Refused(ErrorCode::TargetNotMember);
        "cannot_be_made_an_admin" Promoted => Refused(ErrorCode::TargetNotMember);
        "cannot_be_removed_from_the_admins" Demoted => Refused(ErrorCode::TargetNotMember);
    }
    "somebody_who_was_removed_from_a_group" Removed {
        "cannot_join_it" Join => Refused(ErrorCode::RemovedFromGroup);
        "cannot_leave_it" Leave => Refused(ErrorCode::NotMember);
        "is_added_again_by_an_admin" Added => Becomes(State::Member, "members_added");
        "cannot_be_removed_again" Removed => Refused(ErrorCode::TargetNotMember);
        "cannot_be_made_an_admin" Promoted => Refused(ErrorCode::TargetNotMember);
        "cannot_be_removed_from_the_admins" Demoted => Refused(ErrorCode::TargetNotMember);
    }
}

/// One cell.
struct Cell {
    from: State,
    action: Action,
    outcome: Outcome,
}

impl Cell {
    async fn holds(self, world: &World) -> Verdict {
        let [alice, bob, carol] = world.users().await?;
        let chat_id = alice.founds("the table", [&carol]).await?;
        let target = if self.from == State::LastAdmin { &alice } else { &bob };
        match self.from {
            State::Never | State::LastAdmin => {}
            State::Member => alice.adds(&chat_id, [&bob]).await?,
            State::Admin => {
                alice.adds(&chat_id, [&bob]).await?;
                alice.promotes(&chat_id, &bob).await?;
            }
            State::Left => {
                alice.adds(&chat_id, [&bob]).await?;
                bob.leaves(&chat_id).await?;
            }
            State::Removed => {
                alice.adds(&chat_id, [&bob]).await?;
                alice.removes(&chat_id, &bob).await?;
            }
        }
        is_to_the_group(target, &chat_id, self.from).await?;
        let before = carol.history(&chat_id).await?;
        let mut targets = target.listens().await?;
        let mut carols = carol.listens().await?;

        let answer = self.request(&alice, target, &chat_id).send().await?;
        match self.outcome {
            Becomes(state, kind) => {
                self.succeeded(&answer, target, &chat_id)?;
                is_to_the_group(target, &chat_id, state).await?;
                let history = carol.history(&chat_id).await?;
                let news = history.get(before.len()..).unwrap_or_default();
                let activity = news.first().unwrap_or(&Value::Null);
                expect(&activity["kind"]).to_equal(kind)?;
                // Who did it, and to whom.
                let is_own = matches!(self.action, Action::Join | Action::Leave);
                let actor = if is_own { target } else { &alice };
                expect(&activity["actor"]).to_equal(actor.as_value())?;
                expect(activity.get("targets")).to_equal((!is_own).then(|| [target.as_value()]))?;
                let hands_over = self.from == State::LastAdmin;
                expect(news.len()).to_equal(if hands_over { 2 } else { 1 })?;
                let heard = carols.hears().await?;
                let activities: Vec<_> = heard.iter().map(|event| &event["data"]["activity"]).collect();
                expect(activities).to_equal(news)
            }
            Refused(code) => {
                answer.refused_with(code)?;
                self.nothing_changed(target, &carol, &chat_id, &before).await?;
                expect(names(&targets.hears().await?)).to_equal(json!([]))?;
                expect(names(&carols.hears().await?)).to_equal(json!([]))
            }
            NotAdded(code) => {
                let result = json!({ "username": target.username, "added": false, "code": code.as_str() });
                let count = carol.group(&chat_id).await?["members_count"].take();
                expect(answer.succeeded(200)?).to_equal(json!({ "results": [result], "members_count": count }))?;
                self.nothing_changed(target, &carol, &chat_id, &before).await?;
                expect(names(&targets.hears().await?)).to_equal(json!([]))?;
                expect(names(&carols.hears().await?)).to_equal(json!([]))
            }
        }
    }

    /// What is done: by the user themselves, or by an admin.
    fn request(&self, admin: &User, target: &User, chat_id: &str) -> Request {
        match self.action {
            Action::Join => target.joining(chat_id),
            Action::Leave => target.leaving(chat_id),
            Action::Added => admin.adding(chat_id, &[&target.username]),
            Action::Removed => admin.removing(chat_id, &target.username),
            Action::Promoted => admin.promoting(chat_id, &target.username),
            Action::Demoted => admin.demoting(chat_id, &target.username),
        }
    }

    fn succeeded(&self, answer: &Answer, target: &User, chat_id: &str) -> Verdict {
        match self.action {
            Action::Join => expect(&answer.succeeded(200)?["chat"]["chat_id"]).to_equal(chat_id),
            Action::Added => {
                let answer = answer.succeeded(200)?;
                expect(&answer["results"]).to_equal(json!([{ "username": target.username, "added": true }]))
            }
            _ => answer.succeeded_without_body(),
        }
    }

    async fn nothing_changed(&self, target: &User, witness: &User, chat_id: &str, before: &[Value]) -> Verdict {
        is_to_the_group(target, chat_id, self.from).await?;
        expect(witness.history(chat_id).await?).to_equal(before)
    }
}

/// What a user is to a group, by everything that says so. (CHT-3, CHT-6, GRP-7)
async fn is_to_the_group(user: &User, chat_id: &str, state: State) -> Verdict {
    let role = user.group(chat_id).await?.get("role").cloned();
    let chat = user.get(format!("/v1/chats/{chat_id}")).send().await?;
    let (membership, wanted_role) = match state {
        State::Never => {
            chat.refused_with(ErrorCode::NotMember)?;
            return expect(role).to_equal(None::<&str>);
        }
        State::Member => ("member", Some("member")),
        State::Admin | State::LastAdmin => ("member", Some("admin")),
        State::Left => ("left", None),
        State::Removed => ("removed", None),
    };
    let chat = chat.succeeded(200)?["chat"].take();
    expect(&chat["membership"]).to_equal(membership)?;
    expect(&role).to_equal(wanted_role)?;
    expect(chat["group"].get("role")).to_equal(role)
}
