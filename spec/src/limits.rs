//! Every bound that a client may run into, in one place. (CAP-1, CAP-2)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Emoji, Example, NewVisuals,
    action::PresenceNames,
    api::groups::FirstMembers,
    number::{NearbyLimit, PageLimit, RadiusM},
    text::{Bio, Caption, FileName, GroupDescription, GroupName, MediaTitle, MessageText, Password, Username},
};

/// The limits of a server, as its capabilities publish them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The largest request head, in bytes.
    pub max_head_bytes: u64,
    /// The largest request body, in bytes.
    pub max_body_bytes: u64,
    /// The largest WebSocket frame from a client, in bytes.
    pub max_frame_bytes: u64,
    /// The most characters of a text message.
    pub max_text_chars: u64,
    /// The most characters of a bio.
    pub max_bio_chars: u64,
    /// The fewest characters of a username.
    pub min_username_chars: u64,
    /// The most characters of a username.
    pub max_username_chars: u64,
    /// The fewest characters of a password.
    pub min_password_chars: u64,
    /// The most characters of a password.
    pub max_password_chars: u64,
    /// The largest `limit` of a list.
    pub max_page_items: u64,
    /// Unread messages are counted up to this. (CHT-4)
    pub max_unread_count: u64,
    /// More missed events than this are answered with `limited`. (RSM-5)
    pub max_resume_events: u64,
    /// The most images or videos of one message. (MSG-14)
    pub max_message_items: u64,
    /// The most characters of a caption. (MSG-14)
    pub max_caption_chars: u64,
    /// The most characters of the title of a piece of audio. (MSG-14)
    pub max_media_title_chars: u64,
    /// The most characters of the name of a file. (MSG-14)
    pub max_file_name_chars: u64,
    /// Different emojis of one message. (REA-7)
    pub max_different_reactions: u64,
    /// The most characters (Unicode scalar values) of one emoji. (REA-2)
    pub max_emoji_chars: u64,
    /// The largest group in which every member hears of receipts and typing. (RCP-11, PRS-11)
    pub receipt_fanout_members: u64,
    /// Marks of one call. (RCP-2)
    pub max_marks_per_call: u64,
    /// The most characters of the name of a group. (GRP-2)
    pub max_group_name_chars: u64,
    /// The most characters of the description of a group. (GRP-2)
    pub max_group_description_chars: u64,
    /// Members of one group. (GRP-4)
    pub max_group_members: u64,
    /// Names that are added to a group in one call. (GRP-4)
    pub max_members_per_call: u64,
    /// Actions a second on one connection, sustained. (WSK-11)
    pub frames_per_second: u64,
    /// Actions at once on one connection.
    pub frames_burst: u64,
    /// Requests a second of one user over HTTP, sustained.
    pub requests_per_second: u64,
    /// Requests at once of one user over HTTP.
    pub requests_burst: u64,
    /// Open connections of one user. (WSK-14)
    pub max_connections_per_user: u64,
    /// Open sessions of one user. (SES-13)
    pub max_sessions_per_user: u64,
    /// Failed sign-ins an hour for one account. (SES-3)
    pub sign_in_failures_per_account: u64,
    /// Failed sign-ins an hour from one client address. (SES-3)
    pub sign_in_failures_per_address: u64,
    /// Tickets an hour that are good for one mail address. (ACC-7)
    pub tickets_per_hour: u64,
    /// Wrong codes for one ticket. (ACC-5)
    pub max_wrong_codes: u64,
    /// Wrong codes a day for one mail address. (ACC-7)
    pub wrong_codes_per_day: u64,
    /// The smallest radius of a search around a place, in metres. (USR-10)
    pub nearby_min_radius_m: u64,
    /// The largest radius of a search around a place, in metres. (USR-10)
    pub nearby_max_radius_m: u64,
    /// The most users that a search around a place answers. (USR-8)
    pub nearby_max_items: u64,
    /// Searches around a place a minute for one user. (USR-13)
    pub nearby_per_minute: u64,
    /// Users whose presence one connection is subscribed to. (PRS-4)
    pub max_presence_subscriptions: u64,
    /// Names a second that one connection may ask the presence of, sustained. (PRS-9)
    pub presence_names_per_second: u64,
    /// Names at once that one connection may ask the presence of. (PRS-9)
    pub presence_names_burst: u64,
    /// How often a second one connection may say that its user is typing, sustained. (PRS-12)
    pub typing_per_second: u64,
    /// How often at once one connection may say that its user is typing. (PRS-12)
    pub typing_burst: u64,
    /// Uploads of one user that are not complete, or not used yet. (MED-6)
    pub max_unused_uploads: u64,
}

/// The limits that concern a connection, as `hello` repeats them. (WSK-3)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionLimits {
    /// The largest WebSocket frame from a client, in bytes.
    pub max_frame_bytes: u64,
    /// Actions a second on one connection, sustained. (WSK-11)
    pub frames_per_second: u64,
    /// Actions at once on one connection.
    pub frames_burst: u64,
    /// More missed events than this are answered with `limited`. (RSM-5)
    pub max_resume_events: u64,
    /// Users whose presence one connection is subscribed to. (PRS-4)
    pub max_presence_subscriptions: u64,
}

impl Limits {
    /// Those that concern a connection.
    pub const fn of_connection(&self) -> ConnectionLimits {
        ConnectionLimits {
            max_frame_bytes: self.max_frame_bytes,
            frames_per_second: self.frames_per_second,
            frames_burst: self.frames_burst,
            max_resume_events: self.max_resume_events,
            max_presence_subscriptions: self.max_presence_subscriptions,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_head_bytes: 16 * 1024,
            max_body_bytes: 64 * 1024,
            max_frame_bytes: 64 * 1024,
            max_text_chars: MessageText::MAX as u64,
            max_bio_chars: Bio::MAX as u64,
            min_username_chars: Username::MIN as u64,
            max_username_chars: Username::MAX as u64,
            min_password_chars: Password::MIN as u64,
            max_password_chars: Password::MAX as u64,
            max_page_items: PageLimit::MAX.into(),
            max_unread_count: 1000,
            max_resume_events: 1000,
            max_message_items: NewVisuals::MAX as u64,
            max_caption_chars: Caption::MAX as u64,
            max_media_title_chars: MediaTitle::MAX as u64,
            max_file_name_chars: FileName::MAX as u64,
            max_different_reactions: 50,
            max_emoji_chars: Emoji::MAX as u64,
            receipt_fanout_members: 100,
            max_marks_per_call: 100,
            max_group_name_chars: GroupName::MAX as u64,
            max_group_description_chars: GroupDescription::MAX as u64,
            max_group_members: 5000,
            max_members_per_call: FirstMembers::MAX as u64,
            frames_per_second: 200,
            frames_burst: 1000,
            requests_per_second: 100,
            requests_burst: 500,
            max_connections_per_user: 50,
            max_sessions_per_user: 50,
            sign_in_failures_per_account: 10,
            sign_in_failures_per_address: 100,
            tickets_per_hour: 5,
            max_wrong_codes: 5,
            wrong_codes_per_day: 20,
            nearby_min_radius_m: RadiusM::MIN.into(),
            nearby_max_radius_m: RadiusM::MAX.into(),
            nearby_max_items: NearbyLimit::MAX.into(),
            nearby_per_minute: 60,
            max_presence_subscriptions: PresenceNames::MAX as u64,
            presence_names_per_second: 50,
            presence_names_burst: 1000,
            typing_per_second: 2,
            typing_burst: 20,
            max_unused_uploads: 100,
        }
    }
}

/// How long things live and how often things happen. (CAP-1)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lifetimes {
    /// A token, in seconds. (SES-4)
    pub token_ttl_s: u64,
    /// A session that nobody uses, in seconds. (SES-11)
    pub session_idle_ttl_s: u64,
    /// A ticket, in seconds. (ACC-4)
    pub ticket_ttl_s: u64,
    /// How long events other than entries are kept for a resume, in seconds. (RSM-12)
    pub event_retention_s: u64,
    /// The longest silence of a connection, in milliseconds. (WSK-8)
    pub heartbeat_ms: u64,
    /// How long a user may still count as online after their server crashed, in seconds. (PRS-3)
    pub presence_lease_s: u64,
    /// How long somebody is to be shown as typing, in milliseconds. (PRS-11)
    pub typing_expires_ms: u64,
    /// An upload URL, in seconds. (MED-7)
    pub upload_url_ttl_s: u64,
    /// An upload that is not complete, and media that nothing uses, in seconds. (MED-16, MED-17)
    pub unused_upload_ttl_s: u64,
    /// A download URL, in seconds. (MED-23)
    pub download_url_ttl_s: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            token_ttl_s: 3600,
            session_idle_ttl_s: 30 * 24 * 3600,
            ticket_ttl_s: 15 * 60,
            event_retention_s: 30 * 24 * 3600,
            heartbeat_ms: 30_000,
            presence_lease_s: 30,
            typing_expires_ms: 6000,
            upload_url_ttl_s: 900,
            unused_upload_ttl_s: 24 * 3600,
            download_url_ttl_s: 3600,
        }
    }
}

impl Example for Limits {
    fn example() -> Self {
        Self::default()
    }
}

impl Example for ConnectionLimits {
    fn example() -> Self {
        Limits::default().of_connection()
    }
}

impl Example for Lifetimes {
    fn example() -> Self {
        Self::default()
    }
}
