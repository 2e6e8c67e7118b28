//! The same for the actions that name a chat: they are refused as their endpoints are. (MSG-1, RCP-2, REA-1, REA-3, PRS-10)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

use i9chat_spec::{ErrorCode, Profile};
use serde_json::{Value, json};

use super::Outcome::{self, Code, Good, Mark};
use crate::{
    case::Case,
    cases::chats::missing_id,
    client::socket::{error_code, reply_data},
    expect::{check, expect},
    verdict::Verdict,
    world::{User, World, conversation::Draft},
};

/// What a caller is answered: a stranger to a group, one who left it, one who was removed, a member, an admin;
/// then a stranger to a direct chat, one of the two; then anybody where there is no such chat.
struct Rule {
    group: [Outcome; 5],
    direct: [Outcome; 2],
    missing: Outcome,
}

const NOT_MEMBER: Outcome = Code(ErrorCode::NotMember);
const NOT_FOUND: Outcome = Code(ErrorCode::ChatNotFound);
const MEMBERS: Rule =
    Rule { group: [NOT_MEMBER, NOT_MEMBER, NOT_MEMBER, Good, Good], direct: [NOT_FOUND, Good], missing: NOT_FOUND };
const MARKERS: Rule = Rule {
    group: [Mark(ErrorCode::NotMember), Good, Good, Good, Good],
    direct: [Mark(ErrorCode::ChatNotFound), Good],
    missing: Mark(ErrorCode::ChatNotFound),
};

macro_rules! matrix {
    ($($profile:ident $name:literal [$($requirement:literal),+] $rule:expr;)+) => {
        /// A case for each action that names a chat.
        pub const CASES: &[Case] = &[$(
            Case {
                name: concat!("who_may_ask_for_", $name),
                profile: Profile::$profile,
                requirements: &["CHT-6", "WSK-4", $($requirement),+],
                story: |world| Box::pin(holds(world, $name, $rule)),
            },
        )+];

        /// The actions that have a case.
        #[cfg(test)]
        const NAMES: &[&str] = &[$($name),+];
    };
}

matrix! {
    Messages "send_message" ["MSG-9"] MEMBERS;
    Receipts "mark_receipts" ["RCP-5"] MARKERS;
    Reactions "set_reaction" ["REA-7"] MEMBERS;
    Reactions "remove_reaction" ["REA-7"] MEMBERS;
    Presence "set_typing" ["PRS-10"] MEMBERS;
}

fn data(action: &str, chat_id: &str, message_id: &str) -> Value {
    match action {
        "send_message" => {
            let draft = Draft::new("may I?");
            json!({ "chat_id": chat_id, "client_id": draft.client_id, "content": draft.content() })
        }
        "mark_receipts" => json!({ "marks": [{ "chat_id": chat_id, "read": 1 }] }),
        "set_reaction" => json!({ "chat_id": chat_id, "message_id": message_id, "emoji": "👍" }),
        "remove_reaction" => json!({ "chat_id": chat_id, "message_id": message_id }),
        _ => json!({ "chat_id": chat_id }),
    }
}

async fn asks(user: &User, action: &str, data: &Value, outcome: Outcome, who: &str) -> Verdict {
    let mut socket = user.connects().await?;
    let answer = socket.asks("1", action, data).await?;
    let judged = match outcome {
        Code(code) => error_code(&answer, code),
        Good if action == "mark_receipts" => reply_data(&answer).and_then(|reply| {
            check(reply["results"][0]["state"].is_object(), || ("a mark that is made", reply.to_string()))
        }),
        Good => reply_data(&answer).map(drop),
        Mark(code) => {
            reply_data(&answer).and_then(|reply| expect(&reply["results"][0]["code"]).to_equal(code.as_str()))
        }
    };
    judged.map_err(|stop| stop.told_of(who))
}

async fn holds(world: &World, action: &'static str, rule: Rule) -> Verdict {
    let [alice, bob, carol] = world.users().await?;
    let nowhere = data(action, &missing_id(), &missing_id());
    asks(&alice, action, &nowhere, rule.missing, "anybody where there is no such chat").await?;
    if world.claims(Profile::Messages) {
        let chat_id = alice.opens_direct_chat_with(&bob).await?;
        let message_id = alice.writes(&chat_id, "between us").await?;
        for (who, user, outcome) in [("a stranger", &carol, rule.direct[0]), ("one of the two", &bob, rule.direct[1])] {
            asks(user, action, &data(action, &chat_id, &message_id), outcome, who).await?;
        }
    }
    if !world.claims(Profile::Groups) {
        return Ok(());
    }
    let club = world.club().await?;
    let callers = [
        ("who was never in the group", &club.stranger),
        ("who left the group", &club.left),
        ("who was removed from the group", &club.removed),
        ("a member of the group", &club.member),
        ("an admin of the group", &club.admin),
    ];
    for ((who, user), outcome) in callers.into_iter().zip(rule.group) {
        asks(user, action, &data(action, &club.chat_id, &club.message_id), outcome, who).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use i9chat_spec::{
        Action,
        action::{ActionVisitor, visit_actions},
    };

    use super::*;

    /// Actions that name users, and are for every signed-in one.
    const OF_NO_CHAT: &[&str] = &["subscribe_presence", "unsubscribe_presence"];

    #[test]
    fn every_action_is_in_the_matrix_or_names_no_chat() {
        struct Names(BTreeSet<&'static str>);
        impl ActionVisitor for Names {
            fn visit<A: Action>(&mut self) {
                self.0.insert(A::NAME);
            }
        }
        let mut names = Names(BTreeSet::new());
        visit_actions(&mut names);
        assert_eq!(names.0, NAMES.iter().chain(OF_NO_CHAT).copied().collect());
    }
}
