//! The options as they are given, before anything is decided about them.

use std::{convert::Infallible, ops::RangeInclusive, path::PathBuf, str::FromStr};

use serde::Deserialize;

use super::ConfigError;

/// A whole number.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Count(pub u64);

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| "write a whole number that is not negative, such as 100".to_owned())
    }
}

/// Several values: separated by commas on the command line and in the environment, a list in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct List(pub Vec<String>);

impl FromStr for List {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()))
    }
}

/// A text that must not be shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden(pub String);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// Each option once: its help, its name, its type, its variable in the environment, what its value is called, and the range of
/// one that is counted.
macro_rules! options {
    ($($group:literal: $(
        $(#[doc = $doc:literal])* $name:ident: $type:ty, $variable:literal, $value:literal $(, $bounds:expr)?;
    )*)*) => {
        #[derive(Debug, Clone, Default, clap::Args, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub(super) struct Options {
            $($(
                $(#[doc = $doc])*
                #[arg(long, env = $variable, hide_env_values = true, value_name = $value, global = true, help_heading = $group)]
                pub $name: Option<$type>,
            )*)*
        }

        impl Options {
            /// What is given here, and what else is given there.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $($($name: self.$name.or(other.$name),)*)* }
            }
        }

        /// What is counted: the given number or that default, when it is within the range.
        impl Options {
            $($($(
                pub(super) fn $name(&self, default: u64) -> Result<u64, ConfigError> {
                    number(stringify!($name), self.$name, default, &$bounds)
                }
            )?)*)*
        }

        /// Every option, in groups.
        pub(super) const GROUPS: &[Group] = &[$(Group {
            title: $group,
            options: &[$(Known {
                name: stringify!($name),
                variable: $variable,
                value: $value,
                help: concat!($($doc, "\n"),*),
                bounds: options!(@bounds $($bounds)?),
            }),*],
        }),*];
    };
    (@bounds) => { None };
    (@bounds $bounds:expr) => { Some($bounds) };
}

/// Options that belong together.
pub(super) struct Group {
    pub title: &'static str,
    pub options: &'static [Known],
}

/// What is known of an option without a value.
pub(super) struct Known {
    /// With underscores.
    name: &'static str,
    pub variable: &'static str,
    pub value: &'static str,
    help: &'static str,
    /// The range of a number.
    pub bounds: Option<RangeInclusive<u64>>,
}

impl Known {
    /// As a flag without its dashes, and as a key of the file.
    pub(super) fn name(&self) -> String {
        kebab(self.name)
    }

    /// What it means, and what counts when it is not given.
    pub(super) fn help(&self) -> (String, Option<String>) {
        let whole = self.help.split_whitespace().collect::<Vec<_>>().join(" ");
        match whole.split_once(" [default: ") {
            Some((meaning, default)) => (meaning.to_owned(), Some(default.trim_end_matches(']').to_owned())),
            None => (whole, None),
        }
    }
}

fn kebab(name: &str) -> String {
    name.replace('_', "-")
}

fn number(name: &str, given: Option<Count>, default: u64, bounds: &RangeInclusive<u64>) -> Result<u64, ConfigError> {
    let given = given.map_or(default, |count| count.0);
    if bounds.contains(&given) {
        return Ok(given);
    }
    let instead = format!("write a whole number from {} to {}, such as {default}", bounds.start(), bounds.end());
    Err(ConfigError::Value { option: kebab(name), given: given.to_string(), instead })
}

const DAY_S: u64 = 24 * 3600;
const YEAR_S: u64 = 366 * DAY_S;
/// The most of anything that is counted.
const MOST: u64 = 1_000_000_000;

options! {
    "Listening":

    /// The IP address and port to listen on [default: 127.0.0.1:8080]
    listen: String, "I9CHAT_LISTEN", "ADDRESS";
    /// How browsers reach the server when it is behind a proxy, such as `https://chat.example`. Pages of this origin may use
    /// it, and cookies are for HTTPS alone when it says so
    public_url: String, "I9CHAT_PUBLIC_URL", "URL";
    /// Origins of web pages that may use the server besides its own, such as `https://app.example`
    allowed_origins: List, "I9CHAT_ALLOWED_ORIGINS", "ORIGIN,…";
    /// Addresses of proxies whose X-Forwarded-For is believed. From anyone else that header is ignored
    trusted_proxies: List, "I9CHAT_TRUSTED_PROXIES", "IP,…";
    /// The most connections at once; a further one is refused as overloaded [default: 10000]
    max_connections: Count, "I9CHAT_MAX_CONNECTIONS", "NUMBER", 1..=MOST;

    "Where everything is kept":

    /// The folder for everything durable that is not in --store or --media: the database, the signing key, media. It is made when
    /// it is not there [default: data]
    data: PathBuf, "I9CHAT_DATA", "FOLDER";
    /// The database: `neo4j://user:password@host:7687`, or `neo4j+s://…` for TLS, for several nodes with --bus. Without it everything
    /// is kept in --data, by one server. The environment keeps a password out of the list of processes
    store: Hidden, "I9CHAT_STORE", "URL";
    /// What nodes tell each other by and count together with: `redis://user:password@host:6379`, or `rediss://…` for TLS. Goes with --store
    bus: Hidden, "I9CHAT_BUS", "URL";
    /// What the names of all keys in Redis begin with, so that several clusters can share it [default: i9chat]
    bus_prefix: String, "I9CHAT_BUS_PREFIX", "TEXT";
    /// Where the bytes of media are kept: `gs://bucket` for Google Cloud Storage. Without it they are in --data, which the
    /// nodes of a cluster then have to share
    media: String, "I9CHAT_MEDIA", "URL";
    /// The key file of the service account that may use the bucket. Without it, the file that `GOOGLE_APPLICATION_CREDENTIALS` names in the
    /// environment counts, then what `gcloud auth application-default login` has left in the home folder [default: the account under
    /// which the machine runs on Google Cloud]
    gcs_credentials: PathBuf, "I9CHAT_GCS_CREDENTIALS", "FILE";

    "Mail":

    /// The mail server: `smtps://user:password@host`, or `smtp://host:587` for STARTTLS, which is required unless the host is
    /// a loopback address or `?tls=none` follows. The environment keeps a password out of the list of processes.
    /// Without this option mails are printed to standard output
    smtp_url: Hidden, "I9CHAT_SMTP_URL", "URL";
    /// Whom mails are from, such as "Chat <noreply@chat.example>" [default: i9chat <noreply@HOST>, with the host of
    /// --public-url or localhost]
    mail_from: String, "I9CHAT_MAIL_FROM", "MAILBOX";

    "Limits of one user, connection or address":

    /// The most WebSockets of one user; a further one is closed with 4010 [default: 50]
    max_connections_per_user: Count, "I9CHAT_MAX_CONNECTIONS_PER_USER", "NUMBER", 1..=MOST;
    /// The most sessions of one user; a further sign-in ends the one that was unused longest [default: 50]
    max_sessions_per_user: Count, "I9CHAT_MAX_SESSIONS_PER_USER", "NUMBER", 1..=10_000;
    /// How many actions a second one WebSocket may send for long [default: 200]
    frames_per_second: Count, "I9CHAT_FRAMES_PER_SECOND", "NUMBER", 1..=MOST;
    /// How many actions one WebSocket may send at once [default: 1000]
    frames_burst: Count, "I9CHAT_FRAMES_BURST", "NUMBER", 1..=MOST;
    /// How many requests a second one user, or one address without a token, may send for long [default: 100]
    requests_per_second: Count, "I9CHAT_REQUESTS_PER_SECOND", "NUMBER", 1..=MOST;
    /// How many requests they may send at once [default: 500]
    requests_burst: Count, "I9CHAT_REQUESTS_BURST", "NUMBER", 1..=MOST;
    /// How many searches around a place a minute one user may make [default: 60]
    nearby_per_minute: Count, "I9CHAT_NEARBY_PER_MINUTE", "NUMBER", 1..=MOST;
    /// The most users whose presence one WebSocket is subscribed to, up to 500 [default: 500]
    max_presence_subscriptions: Count, "I9CHAT_MAX_PRESENCE_SUBSCRIPTIONS", "NUMBER", 1..=500;
    /// The most uploads of one user that are not complete or not used; a further one is refused [default: 100]
    max_unused_uploads: Count, "I9CHAT_MAX_UNUSED_UPLOADS", "NUMBER", 1..=MOST;
    /// How many failed sign-ins an hour one account takes [default: 10]
    sign_in_failures_per_account: Count, "I9CHAT_SIGN_IN_FAILURES_PER_ACCOUNT", "NUMBER", 1..=10_000;
    /// How many failed sign-ins an hour one client address may make [default: 100]
    sign_in_failures_per_address: Count, "I9CHAT_SIGN_IN_FAILURES_PER_ADDRESS", "NUMBER", 1..=100_000;

    "Limits of chats and of the log":

    /// The most members of a group [default: 5000]
    max_group_members: Count, "I9CHAT_MAX_GROUP_MEMBERS", "NUMBER", 1..=100_000;
    /// The largest group in which every member hears of receipts and of who is typing [default: 100]
    receipt_fanout_members: Count, "I9CHAT_RECEIPT_FANOUT_MEMBERS", "NUMBER", 0..=100_000;
    /// How many missed events are replayed to a client; after more it reads anew [default: 1000]
    max_resume_events: Count, "I9CHAT_MAX_RESUME_EVENTS", "NUMBER", 1..=100_000;

    "Lifetimes":

    /// How long a token is good, in seconds [default: 3600]
    token_ttl_s: Count, "I9CHAT_TOKEN_TTL_S", "SECONDS", 1..=YEAR_S;
    /// How long a ticket and code for signing up or a new password are good, in seconds. The protocol asks for the default; less is for tests [default: 900]
    ticket_ttl_s: Count, "I9CHAT_TICKET_TTL_S", "SECONDS", 1..=DAY_S;
    /// After how long without use a session ends, in seconds [default: 2592000, which is 30 days]
    session_idle_ttl_s: Count, "I9CHAT_SESSION_IDLE_TTL_S", "SECONDS", 1..=10 * YEAR_S;
    /// How long events other than messages and group activities are kept for clients that come back, in seconds [default: 2592000, which is 30 days]
    event_retention_s: Count, "I9CHAT_EVENT_RETENTION_S", "SECONDS", 1..=10 * YEAR_S;
    /// The longest silence on a WebSocket before a heartbeat, in milliseconds [default: 30000]
    heartbeat_ms: Count, "I9CHAT_HEARTBEAT_MS", "MILLISECONDS", 100..=600_000;
    /// How long users may still count as online after the server crashed, in seconds [default: 30]
    presence_lease_s: Count, "I9CHAT_PRESENCE_LEASE_S", "SECONDS", 1..=3600;
    /// How long an upload may be started, in seconds [default: 900]
    upload_url_ttl_s: Count, "I9CHAT_UPLOAD_URL_TTL_S", "SECONDS", 1..=7 * DAY_S;
    /// After how long media that nothing uses is removed, and an upload that is not complete, in seconds [default: 86400, which is a day]
    unused_upload_ttl_s: Count, "I9CHAT_UNUSED_UPLOAD_TTL_S", "SECONDS", 1..=YEAR_S;
    /// How long a link to media is good, in seconds [default: 3600]
    download_url_ttl_s: Count, "I9CHAT_DOWNLOAD_URL_TTL_S", "SECONDS", 1..=7 * DAY_S;

    "Log":

    /// What is logged: error, warn, info, debug or trace, or directives such as `info,i9chat_server=debug` [default: info]
    log: String, "I9CHAT_LOG", "FILTER";
    /// The form of the log on standard error: text, or json with one object a line [default: text]
    log_format: String, "I9CHAT_LOG_FORMAT", "FORMAT";
}
