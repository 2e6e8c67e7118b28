//! What the stub answers about groups and single messages: the examples of the specification, and the rules that matter to a client.

use axum::response::Response;
use i9chat_spec::{
    ChatId, Emoji, Entry, ErrorCode, Example, MessageStatus, Nothing, ReactionCount,
    api::{
        chats::ChatSnapshot,
        groups::{
            AddMembers, AddedMember, CreateGroup, GetGroup, Group, GroupChanges, GroupCreated, JoinGroup, LeaveGroup,
            ListMembers, MakeAdmin, Member, MemberPage, MembersAdded, MembersToAdd, NewGroup, RemoveAdmin,
            RemoveMember, UpdateGroup,
        },
        messages::GetMessage,
        reactions::{ListReactions, NewReaction, ReactionPage, ReactionsOf, RemoveReaction, SetReaction},
        receipts::{ListMessageReceipts, MessageReceiptPage},
    },
};

use super::{World, endpoints::Call, problem};

/// One message, and what hangs on it.
pub(super) fn message(world: &World, call: &Call, method: &str, message: &str, rest: &[&str]) -> Response {
    let Some(found) = world.messages().find(|stored| stored.message_id.to_string() == message) else {
        return call.wrong(&problem(ErrorCode::MessageNotFound));
    };
    match (method, rest) {
        ("GET", []) => call.right::<GetMessage>(Ok(Entry::Message(found.clone()))),
        ("GET", ["receipts"]) => call.right::<ListMessageReceipts>(Ok(MessageReceiptPage {
            status: if found.seq.get() <= world.read.get() { MessageStatus::Read } else { MessageStatus::Sent },
            ..MessageReceiptPage::example()
        })),
        ("PUT", ["reaction"]) => {
            call.right::<SetReaction>(call.body::<NewReaction>().map(|new| reactions(Some(new.emoji))))
        }
        ("DELETE", ["reaction"]) => call.right::<RemoveReaction>(Ok(reactions(None))),
        ("GET", ["reactions"]) => call.right::<ListReactions>(Ok(ReactionPage::example())),
        _ => call.wrong(&problem(ErrorCode::NoSuchEndpoint)),
    }
}

fn reactions(own: Option<Emoji>) -> ReactionsOf {
    ReactionsOf { reactions: own.into_iter().map(|emoji| ReactionCount { emoji, count: 1 }).collect() }
}

/// The one group, of which `carol` has left; it has two pages of members.
pub(super) fn group(call: &Call, method: &str, path: &[&str]) -> Response {
    let result = |name: i9chat_spec::Username| match name.as_str() {
        "carol" => AddedMember::refused(name, ErrorCode::LeftGroup),
        _ => AddedMember::added(name),
    };
    let id = ChatId::example().to_string();
    match (method, path) {
        ("POST", []) => call.right::<CreateGroup>(call.body::<NewGroup>().map(|new| GroupCreated {
            results: new.members.map(|names| names.into_vec().into_iter().map(result).collect()).unwrap_or_default(),
            ..GroupCreated::example()
        })),
        (_, [other, ..]) if *other != id => call.wrong(&problem(ErrorCode::GroupNotFound)),
        ("GET", [_]) => call.right::<GetGroup>(Ok(Group::example())),
        ("PATCH", [_]) => call.right::<UpdateGroup>(call.body::<GroupChanges>().map(|changes| {
            let group = Group::example();
            Group {
                name: changes.name.unwrap_or(group.name),
                description: changes.description.apply(Some(group.description)).expect("a description"),
                picture_id: changes.picture_id.apply(group.picture_id),
                ..Group::example()
            }
        })),
        ("POST", [_, "join"]) => call.right::<JoinGroup>(Ok(ChatSnapshot::example())),
        ("POST", [_, "leave"]) => call.right::<LeaveGroup>(Ok(Nothing {})),
        ("GET", [_, "members"]) => call.right::<ListMembers>(Ok(members(call))),
        ("POST", [_, "members"]) => call.right::<AddMembers>(call.body::<MembersToAdd>().map(|names| MembersAdded {
            results: names.usernames.into_vec().into_iter().map(result).collect(),
            members_count: 2,
        })),
        ("DELETE", [_, "members", "alice"]) => call.right::<RemoveMember>(Err(ErrorCode::UseLeave)),
        ("DELETE", [_, "members", _]) => call.right::<RemoveMember>(Ok(Nothing {})),
        ("PUT", [_, "admins", _]) => call.right::<MakeAdmin>(Ok(Nothing {})),
        ("DELETE", [_, "admins", _]) => call.right::<RemoveAdmin>(Err(ErrorCode::LastAdmin)),
        _ => call.wrong(&problem(ErrorCode::NoSuchEndpoint)),
    }
}

fn members(call: &Call) -> MemberPage {
    let member = |name: &str| {
        let mut member = Member::example();
        member.user.username = name.parse().expect("a name");
        member
    };
    match call.after() {
        None => MemberPage { items: vec![member("alice"), member("bob")], next: Some("bob".parse().expect("a name")) },
        Some("bob") => MemberPage { items: vec![member("carol")], next: None },
        Some(other) => panic!("there is no page after {other}"),
    }
}
