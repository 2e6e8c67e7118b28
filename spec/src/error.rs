//! What goes wrong, as it is told to the caller. (ERR-1 to ERR-9)

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Example, text::RequestId};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident $text:literal $status:literal $retryable:literal $title:literal;)*) => {
        /// The closed list of error codes. (ERR-2)
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ErrorCode {
            /// Every code, in the order of the table in `docs/protocol.md`.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it travels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The HTTP status that goes with the code.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// Whether the same request may succeed later.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),* }
            }

            /// A few words, the same for every problem of this code.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// One sentence on when it is answered.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii()),* }
            }

            /// The code of that text, if it is one of this list.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    /// The body is not JSON (or MessagePack), or is empty where one is needed.
    MalformedBody "malformed_body" 400 false "The body cannot be read";
    /// A field, parameter or frame does not have the form that the documents give.
    InvalidRequest "invalid_request" 400 false "The request does not have the right form";
    /// No token and no cookie was given.
    Unauthenticated "unauthenticated" 401 false "Sign in first";
    /// The token or cookie was not made by this server, or was altered.
    TokenInvalid "token_invalid" 401 false "The token is not valid";
    /// The token ran out: refresh, then repeat.
    TokenExpired "token_expired" 401 false "The token has expired";
    /// The session that the token names has ended: sign in again.
    SessionEnded "session_ended" 401 false "The session has ended";
    /// No such user, or not the password.
    WrongCredentials "wrong_credentials" 401 false "Wrong login or password";
    /// Not a refresh token of this server, or of a session that has ended.
    RefreshTokenInvalid "refresh_token_invalid" 401 false "The refresh token is not valid";
    /// An unsafe request from a web page of an origin that is not allowed.
    ForeignOrigin "foreign_origin" 403 false "The origin is not allowed";
    /// Not the code that was mailed.
    WrongCode "wrong_code" 403 false "The code is wrong";
    /// The caller is not a member of the group, or never was in that chat.
    NotMember "not_member" 403 false "Members only";
    /// Only admins of the group may.
    AdminRequired "admin_required" 403 false "Admins only";
    /// The caller was removed from the group: only an admin can bring them back.
    RemovedFromGroup "removed_from_group" 403 false "Removed from the group";
    /// The path is not part of the protocol.
    NoSuchEndpoint "no_such_endpoint" 404 false "There is no such endpoint";
    /// No user has that name.
    UserNotFound "user_not_found" 404 false "There is no such user";
    /// The caller has no open session of that id.
    SessionNotFound "session_not_found" 404 false "There is no such session";
    /// No such chat, or not the caller's.
    ChatNotFound "chat_not_found" 404 false "There is no such chat";
    /// No such group.
    GroupNotFound "group_not_found" 404 false "There is no such group";
    /// No such message in that chat, or not visible to the caller.
    MessageNotFound "message_not_found" 404 false "There is no such message";
    /// No such media or part of it, or not visible to the caller.
    MediaNotFound "media_not_found" 404 false "There is no such media";
    /// The message to reply to is not in that chat, or not visible to the caller.
    ReplyNotFound "reply_not_found" 404 false "There is no such message to reply to";
    /// The user is not a member of the group.
    TargetNotMember "target_not_member" 404 false "The user is not a member";
    /// The path has no such method.
    MethodNotAllowed "method_not_allowed" 405 false "The method is not allowed here";
    /// `Accept` allows neither JSON nor MessagePack.
    NotAcceptable "not_acceptable" 406 false "No acceptable encoding";
    /// The request did not arrive in time.
    RequestTimeout "request_timeout" 408 true "The request took too long to arrive";
    /// Another user has that name, in some case.
    UsernameTaken "username_taken" 409 false "The username is taken";
    /// The `client_id` was used for another command.
    IdempotencyConflict "idempotency_conflict" 409 false "The client_id was used for something else";
    /// A direct chat needs another user.
    DirectWithSelf "direct_with_self" 409 false "A direct chat needs another user";
    /// The media is not complete, not the caller's, or of another purpose or kind; or it expired.
    MediaNotUsable "media_not_usable" 409 false "The media cannot be used for this";
    /// Not every byte that was stated has arrived.
    UploadIncomplete "upload_incomplete" 409 false "The upload is not complete";
    /// The caller has too many uploads that nothing uses yet.
    TooManyUploads "too_many_uploads" 409 false "Too many uploads are unused";
    /// The connection would have more subscriptions than it may.
    TooManySubscriptions "too_many_subscriptions" 409 false "Too many subscriptions";
    /// The user is a member of the group already.
    AlreadyMember "already_member" 409 false "Already a member";
    /// The user is an admin of the group already.
    AlreadyAdmin "already_admin" 409 false "Already an admin";
    /// The member is not an admin.
    TargetNotAdmin "target_not_admin" 409 false "The member is not an admin";
    /// The group needs an admin, and this is the last one.
    LastAdmin "last_admin" 409 false "The last admin stays one";
    /// The user has left the group: only they themselves can come back, by joining.
    LeftGroup "left_group" 409 false "The user has left the group";
    /// Nobody removes themselves: leave instead.
    UseLeave "use_leave" 409 false "Leave instead";
    /// The group has as many members as one may have.
    GroupFull "group_full" 409 false "The group is full";
    /// The message has as many different emojis as one may have.
    TooManyReactions "too_many_reactions" 409 false "Too many different reactions";
    /// The watermark is beyond the last entry that the caller may see.
    BeyondLastEntry "beyond_last_entry" 409 false "Beyond the last entry";
    /// The last member has left: nothing can be changed any more.
    GroupClosed "group_closed" 410 false "The group is closed";
    /// The cursor names no place in this log that is still known: read everything anew.
    CursorReset "cursor_reset" 410 false "The cursor is not of this log";
    /// No such ticket, or used, voided, expired, or for another step.
    TicketInvalid "ticket_invalid" 410 false "The ticket is not valid";
    /// The body is larger than the limit.
    PayloadTooLarge "payload_too_large" 413 false "The body is too large";
    /// The body is neither JSON nor MessagePack by its `Content-Type`.
    UnsupportedMediaType "unsupported_media_type" 415 false "The body is of an unsupported type";
    /// What arrived is not of the type that was stated: start again.
    MediaRejected "media_rejected" 422 false "The upload is not what was stated";
    /// The WebSocket frame names an action that the server does not have.
    UnknownAction "unknown_action" 400 false "There is no such action";
    /// Too many requests; wait `retry_after_ms`.
    RateLimited "rate_limited" 429 true "Too many requests";
    /// A fault of the server; the outcome is unknown.
    Internal "internal" 500 true "The server failed";
    /// The store cannot be written or read now; nothing is acknowledged.
    Unavailable "unavailable" 503 true "The store is not available";
    /// A queue is full; nothing was done.
    Overloaded "overloaded" 503 true "The server is overloaded";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is wrong with a field. (ERR-4)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// The field must be there.
    Missing,
    /// A value of another type is needed.
    WrongType,
    /// The text has too few characters.
    TooShort,
    /// The text has too many characters.
    TooLong,
    /// The text does not have the right form.
    BadFormat,
    /// The number is outside its bounds.
    OutOfRange,
    /// Not one of the values that there are.
    UnknownValue,
    /// Two fields exclude each other, or one is given twice.
    Conflicting,
    /// Something that this version does not know; the message says more. (CNV-14)
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

impl FieldCode {
    /// Every field code.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::WrongType,
        Self::TooShort,
        Self::TooLong,
        Self::BadFormat,
        Self::OutOfRange,
        Self::UnknownValue,
        Self::Conflicting,
    ];

    /// The code as it travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongType => "wrong_type",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::BadFormat => "bad_format",
            Self::OutOfRange => "out_of_range",
            Self::UnknownValue => "unknown_value",
            Self::Conflicting => "conflicting",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for FieldCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a request. (ERR-4)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The path of the field from the body, query or path parameters, such as `content.text`; empty for the value as a whole.
    pub field: String,
    /// What is wrong.
    pub code: FieldCode,
    /// What would be right, for a developer.
    pub message: String,
}

/// An error answer: RFC 9457 problem details with what a client acts on. (ERR-1)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The code, of the closed list; [`Problem::known`] gives it as an enum.
    #[schemars(with = "ErrorCode")]
    pub code: String,
    /// The HTTP status of the code.
    pub status: u16,
    /// A few words, the same for every problem of this code.
    pub title: String,
    /// What happened, for a developer.
    pub detail: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before the next try, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Names the request in the server's logs. (CNV-13)
    pub request_id: RequestId,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<FieldError>>,
}

impl Problem {
    /// A problem of that code, with the code's own status, title and retryability.
    pub fn new(code: ErrorCode, detail: impl Into<String>, request_id: RequestId) -> Self {
        Self {
            code: code.as_str().to_owned(),
            status: code.status(),
            title: code.title().to_owned(),
            detail: detail.into(),
            retryable: code.retryable(),
            retry_after_ms: None,
            request_id,
            fields: None,
        }
    }

    /// The code, if this version of the protocol knows it. (CNV-14)
    pub fn known(&self) -> Option<ErrorCode> {
        ErrorCode::from_text(&self.code)
    }
}

impl Example for Problem {
    fn example() -> Self {
        Self {
            fields: Some(vec![FieldError {
                field: "content.text".to_owned(),
                code: FieldCode::TooLong,
                message: "MessageText has at most 4096 characters".to_owned(),
            }]),
            ..Self::new(
                ErrorCode::InvalidRequest,
                "content.text: MessageText has at most 4096 characters",
                RequestId::example(),
            )
        }
    }
}

/// The closed set of codes that one endpoint or action refuses with, beyond those that every one has.
pub trait Refusal: Copy + fmt::Debug + Send + Sync + 'static {
    /// Every code of the set.
    const ALL: &'static [ErrorCode];

    /// The code of this refusal.
    fn code(self) -> ErrorCode;

    /// The refusal with that code, if the set has it.
    fn of(code: ErrorCode) -> Option<Self>;
}

/// Declares the [`Refusal`] of an endpoint: `refusals! { /// Why not. SendRefusal { ChatNotFound, IdempotencyConflict } }`.
#[macro_export]
macro_rules! refusals {
    ($(#[$meta:meta])* $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("Answered with [`ErrorCode::", stringify!($variant), "`]($crate::ErrorCode::", stringify!($variant), ").")] $variant,)*
        }

        impl $crate::Refusal for $name {
            const ALL: &'static [$crate::ErrorCode] = &[$($crate::ErrorCode::$variant),*];

            fn code(self) -> $crate::ErrorCode {
                match self { $(Self::$variant => $crate::ErrorCode::$variant),* }
            }

            fn of(code: $crate::ErrorCode) -> Option<Self> {
                match code { $($crate::ErrorCode::$variant => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

/// The refusal of what refuses nothing of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRefusal {}

impl Refusal for NoRefusal {
    const ALL: &'static [ErrorCode] = &[];

    fn code(self) -> ErrorCode {
        match self {}
    }

    fn of(_: ErrorCode) -> Option<Self> {
        None
    }
}
