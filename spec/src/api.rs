//! The endpoints, one to a file, and the list of them all.

pub mod capabilities;
pub mod chats;
pub mod events;
pub mod groups;
pub mod media;
pub mod messages;
pub mod password_reset;
pub mod reactions;
pub mod receipts;
pub mod sessions;
pub mod signup;
pub mod users;

use crate::Endpoint;

/// Calls a macro with the list of all endpoints: `for_each_endpoint!(mount)` expands to `mount! { path::To::Endpoint, … }`.
/// An endpoint that is not in this list does not exist.
#[macro_export]
macro_rules! for_each_endpoint {
    ($callback:ident) => {
        $callback! {
            $crate::api::capabilities::GetCapabilities,
            $crate::api::signup::RequestSignup,
            $crate::api::signup::VerifySignup,
            $crate::api::signup::CompleteSignup,
            $crate::api::password_reset::RequestPasswordReset,
            $crate::api::password_reset::VerifyPasswordReset,
            $crate::api::password_reset::CompletePasswordReset,
            $crate::api::sessions::SignIn,
            $crate::api::sessions::ListSessions,
            $crate::api::sessions::RefreshSession,
            $crate::api::sessions::EndSession,
            $crate::api::users::GetMe,
            $crate::api::users::UpdateMe,
            $crate::api::users::GetUser,
            $crate::api::users::FindNearby,
            $crate::api::chats::OpenDirect,
            $crate::api::chats::ListChats,
            $crate::api::chats::GetChat,
            $crate::api::messages::ListEntries,
            $crate::api::messages::SendMessage,
            $crate::api::messages::GetMessage,
            $crate::api::reactions::SetReaction,
            $crate::api::reactions::RemoveReaction,
            $crate::api::reactions::ListReactions,
            $crate::api::receipts::MarkReceipts,
            $crate::api::receipts::ListMessageReceipts,
            $crate::api::receipts::ListChatReceipts,
            $crate::api::groups::CreateGroup,
            $crate::api::groups::GetGroup,
            $crate::api::groups::UpdateGroup,
            $crate::api::groups::JoinGroup,
            $crate::api::groups::LeaveGroup,
            $crate::api::groups::ListMembers,
            $crate::api::groups::AddMembers,
            $crate::api::groups::RemoveMember,
            $crate::api::groups::MakeAdmin,
            $crate::api::groups::RemoveAdmin,
            $crate::api::events::ListEvents,
            $crate::api::media::StartUpload,
            $crate::api::media::CompleteUpload,
            $crate::api::media::GetMedia,
        }
    };
}

/// Sees every endpoint as a type.
pub trait EndpointVisitor {
    /// Called once for each endpoint, in the order of the list.
    fn visit<E: Endpoint>(&mut self);
}

/// Shows a visitor every endpoint.
pub fn visit_endpoints(visitor: &mut impl EndpointVisitor) {
    macro_rules! visit {
        ($($endpoint:path),* $(,)?) => { $(visitor.visit::<$endpoint>();)* };
    }
    crate::for_each_endpoint!(visit);
}
