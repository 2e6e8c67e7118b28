//! Who may do what: a case for each endpoint of the protocol, with everybody that a caller can be. (CAL-1 to CAL-3, CHT-6, GRP-5, GRP-6)

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

mod actions;

use i9chat_spec::{
    Endpoint, ErrorCode, Profile,
    api::{EndpointVisitor, visit_endpoints},
    endpoint::Access,
};
use serde_json::{Value, json};

use self::Outcome::{Code, Good, Mark};
use crate::{
    case::Case,
    cases::chats::missing_id,
    client::{Answer, Client, Request},
    expect::{check, expect},
    verdict::{InSetup, Stop, Verdict},
    world::{
        User, World,
        conversation::Draft,
        group::{Club, GroupDraft},
    },
};

/// The cases of the matrix.
pub fn all() -> Vec<Case> {
    [CASES, actions::CASES].concat()
}

/// What a caller is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The status of success that the endpoint declares.
    Good,
    /// A refusal.
    Code(ErrorCode),
    /// Success, with that code as the result of the only mark. (RCP-5)
    Mark(ErrorCode),
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Anyone, with the same answer.
    Anyone(Outcome),
    /// Every signed-in user, whatever they are to any chat.
    SignedIn(Outcome),
    /// It depends on what they are to the chat.
    InChat {
        /// A stranger, one who left, one who was removed, a member, an admin.
        group: [Outcome; 5],
        /// A stranger, one of the two.
        direct: [Outcome; 2],
    },
}

const NOT_MEMBER: Outcome = Code(ErrorCode::NotMember);
const NO_GROUP: [Outcome; 2] = [Code(ErrorCode::GroupNotFound); 2];
/// What whoever was ever in the chat may do.
const READERS: Rule =
    Rule::InChat { group: [NOT_MEMBER, Good, Good, Good, Good], direct: [Code(ErrorCode::ChatNotFound), Good] };
/// What members may do in any chat.
const MEMBERS: Rule = Rule::InChat {
    group: [NOT_MEMBER, NOT_MEMBER, NOT_MEMBER, Good, Good],
    direct: [Code(ErrorCode::ChatNotFound), Good],
};
/// What members of a group may do.
const GROUP_MEMBERS: Rule = Rule::InChat { group: [NOT_MEMBER, NOT_MEMBER, NOT_MEMBER, Good, Good], direct: NO_GROUP };
/// What admins of a group may do.
const ADMINS: Rule = Rule::InChat {
    group: [NOT_MEMBER, NOT_MEMBER, NOT_MEMBER, Code(ErrorCode::AdminRequired), Good],
    direct: NO_GROUP,
};

macro_rules! matrix {
    ($($profile:ident $name:literal [$($requirement:literal),+] $rule:expr;)+) => {
        /// A case for each endpoint.
        pub const CASES: &[Case] = &[$(
            Case {
                name: concat!("who_may_", $name),
                profile: Profile::$profile,
                requirements: &["CAL-1", "CAL-2", "CAL-3", "SES-10", $($requirement),+],
                story: |world| Box::pin(holds(world, $name, $rule)),
            },
        )+];

        /// The endpoints that have a case, with their rules.
        #[cfg(test)]
        const RULES: &[(&str, Rule)] = &[$(($name, $rule)),+];
    };
}

matrix! {
    Core "get_capabilities" ["CAP-1"] Rule::Anyone(Good);
    Core "request_signup" ["ACC-1"] Rule::Anyone(Good);
    Core "verify_signup" ["ACC-4"] Rule::Anyone(Code(ErrorCode::TicketInvalid));
    Core "complete_signup" ["ACC-4"] Rule::Anyone(Code(ErrorCode::TicketInvalid));
    Core "request_password_reset" ["ACC-13"] Rule::Anyone(Good);
    Core "verify_password_reset" ["ACC-15"] Rule::Anyone(Code(ErrorCode::TicketInvalid));
    Core "complete_password_reset" ["ACC-15"] Rule::Anyone(Code(ErrorCode::TicketInvalid));
    Core "sign_in" ["SES-2"] Rule::Anyone(Code(ErrorCode::WrongCredentials));
    Core "refresh_session" ["SES-5"] Rule::Anyone(Code(ErrorCode::RefreshTokenInvalid));
    Core "list_sessions" ["SES-8"] Rule::SignedIn(Good);
    Core "end_session" ["SES-9"] Rule::SignedIn(Code(ErrorCode::SessionNotFound));
    Core "get_me" ["USR-1"] Rule::SignedIn(Good);
    Users "update_me" ["USR-4"] Rule::SignedIn(Good);
    Core "get_user" ["USR-2"] Rule::SignedIn(Good);
    Users "find_nearby" ["USR-7"] Rule::SignedIn(Good);
    Messages "open_direct" ["CHT-1"] Rule::SignedIn(Code(ErrorCode::DirectWithSelf));
    Messages "list_chats" ["CHT-5"] Rule::SignedIn(Good);
    Messages "get_chat" ["CHT-6", "ERR-6"] READERS;
    Messages "list_entries" ["CHT-6", "MSG-10"] READERS;
    Messages "send_message" ["CHT-6", "MSG-9"] MEMBERS;
    Messages "get_message" ["CHT-6", "MSG-11"] READERS;
    Reactions "set_reaction" ["CHT-6", "REA-7"] MEMBERS;
    Reactions "remove_reaction" ["CHT-6", "REA-7"] MEMBERS;
    Reactions "list_reactions" ["CHT-6", "REA-5"] READERS;
    Receipts "mark_receipts" ["RCP-5"] Rule::InChat {
        group: [Mark(ErrorCode::NotMember), Good, Good, Good, Good],
        direct: [Mark(ErrorCode::ChatNotFound), Good],
    };
    Receipts "list_message_receipts" ["CHT-6", "RCP-8"] MEMBERS;
    Receipts "list_chat_receipts" ["CHT-6", "RCP-9"] MEMBERS;
    Groups "create_group" ["GRP-1"] Rule::SignedIn(Good);
    Groups "get_group" ["GRP-7"] Rule::InChat { group: [Good; 5], direct: NO_GROUP };
    Groups "update_group" ["GRP-6", "GRP-8"] ADMINS;
    Groups "join_group" ["GRP-5", "GRP-10"] Rule::InChat {
        group: [
            Good,
            Good,
            Code(ErrorCode::RemovedFromGroup),
            Code(ErrorCode::AlreadyMember),
            Code(ErrorCode::AlreadyMember),
        ],
        direct: NO_GROUP,
    };
    Groups "leave_group" ["GRP-5", "GRP-11"] GROUP_MEMBERS;
    Groups "list_members" ["GRP-9"] GROUP_MEMBERS;
    Groups "add_members" ["GRP-6", "GRP-12"] ADMINS;
    Groups "remove_member" ["GRP-6", "GRP-13"] ADMINS;
    Groups "make_admin" ["GRP-6", "GRP-14"] ADMINS;
    Groups "remove_admin" ["GRP-6", "GRP-15"] ADMINS;
    Resume "list_events" ["RSM-9"] Rule::SignedIn(Good);
    Media "start_upload" ["MED-4"] Rule::SignedIn(Good);
    Media "complete_upload" ["MED-13"] Rule::SignedIn(Code(ErrorCode::MediaNotFound));
    Media "get_media" ["MED-21"] Rule::SignedIn(Code(ErrorCode::MediaNotFound));
}

/// An endpoint, as the specification lists it.
#[derive(Debug, Clone, Copy)]
struct Listed {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    status: u16,
    signed_in: bool,
}

fn listed() -> Vec<Listed> {
    struct Names(Vec<Listed>);
    impl EndpointVisitor for Names {
        fn visit<E: Endpoint>(&mut self) {
            self.0.push(Listed {
                name: E::NAME,
                method: E::METHOD.as_str(),
                path: E::PATH,
                status: E::STATUS,
                signed_in: E::Caller::SIGNED_IN,
            });
        }
    }
    let mut names = Names(Vec::new());
    visit_endpoints(&mut names);
    names.0
}

/// What a request is about.
struct Place<'w> {
    world: &'w World,
    chat_id: String,
    message_id: String,
    /// Whom the path names.
    username: String,
    email: String,
}

impl Listed {
    /// A request to the endpoint that is good in every other way.
    fn request(&self, client: &Client, place: &Place<'_>) -> Request {
        let path = self
            .path
            .replace("{chat_id}", &place.chat_id)
            .replace("{message_id}", &place.message_id)
            .replace("{username}", &place.username)
            .replace("{session_id}", &place.message_id)
            .replace("{media_id}", &place.message_id)
            .replace("{part}", "original");
        let path = if self.name == "find_nearby" { format!("{path}?near=0,0") } else { path };
        let request = client.request(self.method, path);
        match self.body(place) {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    fn body(&self, place: &Place<'_>) -> Option<Value> {
        // A ticket, code and password of the right form, which open nothing.
        let ticket = "no-ticket-of-this-server-0123456789";
        let newcomer = place.world.newcomer();
        Some(match self.name {
            "request_signup" | "request_password_reset" => json!({ "email": place.email }),
            "verify_signup" | "verify_password_reset" => json!({ "ticket": ticket, "code": "123456" }),
            "complete_signup" => newcomer.account(ticket),
            "complete_password_reset" => json!({ "ticket": ticket, "password": newcomer.password }),
            "sign_in" => json!({ "login": newcomer.username, "password": newcomer.password }),
            "refresh_session" => json!({ "refresh_token": ticket }),
            "update_me" => json!({}),
            "send_message" => Draft::new("may I?").body(),
            "set_reaction" => json!({ "emoji": "👍" }),
            "mark_receipts" => json!({ "marks": [{ "chat_id": place.chat_id, "read": 1 }] }),
            "create_group" => GroupDraft::new("may I?").body(),
            "update_group" => json!({ "name": "may I?" }),
            "add_members" => json!({ "usernames": [place.username] }),
            "start_upload" => json!({
                "purpose": "message", "kind": "file",
                "parts": [{ "part": "original", "content_type": "application/octet-stream", "size": 10 }],
            }),
            _ => return None,
        })
    }

    fn answers(&self, answer: &Answer, outcome: Outcome, who: &str) -> Verdict {
        let judged = match outcome {
            Code(code) => answer.refused_with(code).map(drop),
            Good | Mark(_) if self.status == 204 => answer.succeeded_without_body(),
            Good if self.name == "mark_receipts" => answer.succeeded(self.status).and_then(|value| {
                check(value["results"][0]["state"].is_object(), || ("a mark that is made", value.to_string()))
            }),
            Good => answer.succeeded(self.status).map(drop),
            Mark(code) => answer
                .succeeded(self.status)
                .and_then(|value| expect(&value["results"][0]["code"]).to_equal(code.as_str())),
        };
        judged.map_err(|stop| stop.told_of(who))
    }
}

async fn holds(world: &World, name: &'static str, rule: Rule) -> Verdict {
    let endpoint = listed().into_iter().find(|endpoint| endpoint.name == name);
    let endpoint = endpoint.ok_or_else(|| Stop::Inconclusive(format!("the specification has no endpoint {name}")))?;
    let alice = world.user().await?;
    let nowhere = Place {
        world,
        chat_id: missing_id(),
        message_id: missing_id(),
        username: alice.username.clone(),
        email: world.newcomer().email,
    };
    let ended = alice.signs_in_again().await?;
    ended.signs_out().await?;
    let no_callers = [
        ("nobody", alice.anonymous(), ErrorCode::Unauthenticated),
        ("somebody with a token of nobody", alice.with_token("not.a.token"), ErrorCode::TokenInvalid),
        ("somebody whose session has ended", alice.with_token(&ended.token), ErrorCode::SessionEnded),
    ];
    if endpoint.signed_in {
        for (who, client, code) in &no_callers {
            let answer = endpoint.request(client, &nowhere).send().await?;
            endpoint.answers(&answer, Code(*code), who)?;
        }
    }
    match rule {
        Rule::Anyone(outcome) => {
            for client in [&alice.anonymous(), &*alice] {
                let answer = endpoint.request(client, &nowhere).send().await?;
                endpoint.answers(&answer, outcome, "anyone")?;
            }
            Ok(())
        }
        Rule::SignedIn(outcome) => {
            let answer = endpoint.request(&alice, &nowhere).send().await?;
            endpoint.answers(&answer, outcome, "a signed-in user")
        }
        Rule::InChat { group, direct } => {
            in_a_direct_chat(world, endpoint, &alice, direct).await?;
            if world.claims(Profile::Groups) { in_a_group(world, endpoint, group).await } else { Ok(()) }
        }
    }
}

async fn in_a_direct_chat(world: &World, endpoint: Listed, alice: &User, outcomes: [Outcome; 2]) -> Verdict {
    let [bob, carol] = world.users().await?;
    if !world.claims(Profile::Messages) {
        return Ok(());
    }
    let chat_id = alice.opens_direct_chat_with(&bob).await?;
    let message_id = alice.writes(&chat_id, "between us").await?;
    let (username, email) = (alice.username.clone(), world.newcomer().email);
    let place = Place { world, chat_id, message_id, username, email };
    for (who, user, outcome) in [("a stranger", &carol, outcomes[0]), ("one of the two", &bob, outcomes[1])] {
        endpoint.answers(&endpoint.request(user, &place).send().await?, outcome, who)?;
    }
    Ok(())
}

async fn in_a_group(world: &World, endpoint: Listed, outcomes: [Outcome; 5]) -> Verdict {
    let club = world.club().await?;
    let before = club.other_admin.history(&club.chat_id).await.in_setup("reading history")?;
    let target = match endpoint.name {
        "add_members" => &club.stranger,
        "remove_admin" => &club.other_admin,
        _ => &club.member,
    };
    let Club { chat_id, message_id, .. } = &club;
    let place = Place {
        world,
        chat_id: chat_id.clone(),
        message_id: message_id.clone(),
        username: target.username.clone(),
        email: world.newcomer().email,
    };
    let callers = [
        ("who was never in the group", &club.stranger),
        ("who left the group", &club.left),
        ("who was removed from the group", &club.removed),
        ("a member of the group", &club.member),
        ("an admin of the group", &club.admin),
    ];
    let mut refused_so_far = true;
    for ((who, user), outcome) in callers.into_iter().zip(outcomes) {
        endpoint.answers(&endpoint.request(user, &place).send().await?, outcome, who)?;
        refused_so_far &= matches!(outcome, Code(_) | Mark(_));
        if refused_so_far {
            // A refused request changes nothing. (ERR-5)
            expect(club.other_admin.history(chat_id).await?).to_equal(&before)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_endpoint_is_in_the_matrix() {
        let listed: BTreeSet<_> = listed().iter().map(|endpoint| endpoint.name).collect();
        let named: BTreeSet<_> = RULES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, named);
        assert_eq!(RULES.len(), named.len(), "an endpoint stands twice");
    }

    #[test]
    fn an_outcome_is_one_that_the_endpoint_declares() {
        struct Declared(Vec<(&'static str, Vec<ErrorCode>)>);
        impl EndpointVisitor for Declared {
            fn visit<E: Endpoint>(&mut self) {
                self.0.push((E::NAME, E::error_codes()));
            }
        }
        let mut declared = Declared(Vec::new());
        visit_endpoints(&mut declared);
        for (name, rule) in RULES {
            let outcomes = match rule {
                Rule::Anyone(outcome) | Rule::SignedIn(outcome) => vec![*outcome],
                Rule::InChat { group, direct } => group.iter().chain(direct).copied().collect(),
            };
            let codes = &declared.0.iter().find(|(declared, _)| declared == name).unwrap().1;
            for outcome in outcomes {
                if let Code(code) = outcome {
                    assert!(codes.contains(&code), "{name} does not declare {code}");
                }
            }
        }
    }
}
