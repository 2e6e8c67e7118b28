//! What travels between an i9chat client and an i9chat server: types, endpoints, actions, events, codes and limits.
//!
//! The crate does no I/O and has no runtime. `docs/protocol.md` gives the meaning of what stands here; the ids in
//! parentheses, such as (MSG-7), name its sentences. `docs/openapi.json` and `docs/asyncapi.json` are generated from
//! these types, and the server's router, the SDK's calls and the suite's ledger walk the same lists:
//! [`for_each_endpoint!`], [`for_each_action!`] and the variants of [`Event`].
//!
//! Values are parsed, not validated: a [`Username`] is a name of the right form, or it does not exist.
//!
//! ```
//! use i9chat_spec::Username;
//!
//! assert!("alice".parse::<Username>().is_ok());
//! assert!("-alice".parse::<Username>().is_err());
//! ```

pub mod action;
pub mod api;
pub mod close;
pub mod codec;
pub mod documents;
pub mod emoji;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod list;
pub mod location;
pub mod model;
pub mod number;
pub mod patch;
pub mod profile;
pub mod text;
pub mod time;

pub use action::Action;
pub use close::{CloseCode, CloseReason, Reconnect};
pub use codec::{DecodeError, Format};
pub use emoji::Emoji;
pub use endpoint::{Access, Anyone, Endpoint, Example, Method, Nothing, SignedIn};
pub use error::{ErrorCode, FieldCode, FieldError, Problem, Refusal};
pub use event::Event;
pub use frame::{ClientFrame, ErrorFrame, EventFrame, Heartbeat, Hello, ReplyFrame, Resume, ServerFrame};
pub use ids::{ChatId, ClientId, ConnectionId, MediaId, MessageId, SessionId, UserId};
pub use limits::{ConnectionLimits, Lifetimes, Limits};
pub use list::List;
pub use location::{Latitude, Location, Longitude, Near};
pub use model::{
    Activity, ActivityKind, Attachment, Chat, ChatKind, Content, ContentKind, Entry, GroupSummary, MediaKind,
    MediaPart, MediaPurpose, MediaRule, Membership, Message, MessageStatus, NewContent, NewVisual, NewVisuals,
    PartInfo, Partner, PresenceState, PreviewInfo, Quote, ReactionCount, ReadState, Role, Snippet, Stretch, User,
    UserPresence, Visual,
};
pub use number::{DurationMs, NearbyLimit, PageLimit, Pixels, RadiusM, Seq, Watermark};
pub use patch::Patch;
pub use profile::Profile;
pub use text::{
    Bio, Caption, Code, ContentType, Cursor, EmailAddress, Epoch, FileName, FrameId, GroupDescription, GroupName,
    Login, MediaTitle, MessageText, Password, RefreshToken, RequestId, Ticket, Token, Username,
};
pub use time::Timestamp;

/// The version of the protocol that this crate describes, as it stands in `hello` and in the capabilities. (WSK-3, CAP-1)
pub const PROTOCOL_VERSION: u32 = 1;
