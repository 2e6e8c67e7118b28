//! From options to a configuration: defaults, bounds, forms.

use std::{net::IpAddr, path::PathBuf};

use i9chat_spec::{Lifetimes, Limits};
use lettre::message::Mailbox;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    Config, ConfigError, LogConfig, LogFormat, MailConfig, MediaConfig, ScaleOutConfig, StackConfig,
    options::{Hidden, List, Options},
};
use crate::{
    http::HttpConfig,
    mail::SmtpMailer,
    media::gcs::{GcsCredentials, GcsOptions, LONGEST_UPLOAD_S, WrongPlace},
};

const LISTEN: &str = "127.0.0.1:8080";
const DATA: &str = "data";
const BUS_PREFIX: &str = "i9chat";
const LOG: &str = "info";
/// The variable in the environment by which Google's own libraries find their credentials.
const USUAL_GCS_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
const MAX_CONNECTIONS: u64 = 10_000;

pub(super) fn resolve(options: Options) -> Result<Config, ConfigError> {
    let public_url = options.public_url.as_deref().map(public_url).transpose()?;
    let log_filter = options.log.as_deref().unwrap_or(LOG);
    let lifetimes = lifetimes(&options)?;
    let media = media(options.media.as_deref(), options.gcs_credentials.clone())?;
    if matches!(media, MediaConfig::Gcs(_)) && lifetimes.unused_upload_ttl_s > LONGEST_UPLOAD_S {
        let given = lifetimes.unused_upload_ttl_s.to_string();
        return Err(wrong("unused-upload-ttl-s", &given, format!("a bucket takes at most {LONGEST_UPLOAD_S}, a week")));
    }
    Ok(Config {
        listen: listen(options.listen.as_deref().unwrap_or(LISTEN))?,
        mail: MailConfig {
            from: mail_from(options.mail_from.as_deref(), public_url.as_ref())?,
            smtp_url: options.smtp_url.as_ref().map(|url| smtp_url(&url.0)).transpose()?,
        },
        http: HttpConfig {
            allowed_origins: each(options.allowed_origins.as_ref(), allowed_origin)?,
            trusted_proxies: each(options.trusted_proxies.as_ref(), trusted_proxy)?,
            max_connections: usize::try_from(options.max_connections(MAX_CONNECTIONS)?).unwrap_or(usize::MAX),
            public_url,
        },
        limits: limits(&options)?,
        lifetimes,
        log: LogConfig {
            filter: log(log_filter)?,
            format: options.log_format.as_deref().map_or(Ok(LogFormat::Text), log_format)?,
        },
        stack: stack(options.store.as_ref(), options.bus.as_ref(), options.bus_prefix.as_deref())?,
        media,
        data: options.data.unwrap_or_else(|| PathBuf::from(DATA)),
    })
}

fn limits(options: &Options) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    Ok(Limits {
        max_connections_per_user: options.max_connections_per_user(default.max_connections_per_user)?,
        max_sessions_per_user: options.max_sessions_per_user(default.max_sessions_per_user)?,
        frames_per_second: options.frames_per_second(default.frames_per_second)?,
        frames_burst: options.frames_burst(default.frames_burst)?,
        requests_per_second: options.requests_per_second(default.requests_per_second)?,
        requests_burst: options.requests_burst(default.requests_burst)?,
        max_resume_events: options.max_resume_events(default.max_resume_events)?,
        max_group_members: options.max_group_members(default.max_group_members)?,
        receipt_fanout_members: options.receipt_fanout_members(default.receipt_fanout_members)?,
        max_presence_subscriptions: options.max_presence_subscriptions(default.max_presence_subscriptions)?,
        nearby_per_minute: options.nearby_per_minute(default.nearby_per_minute)?,
        max_unused_uploads: options.max_unused_uploads(default.max_unused_uploads)?,
        sign_in_failures_per_account: options.sign_in_failures_per_account(default.sign_in_failures_per_account)?,
        sign_in_failures_per_address: options.sign_in_failures_per_address(default.sign_in_failures_per_address)?,
        ..default
    })
}

fn lifetimes(options: &Options) -> Result<Lifetimes, ConfigError> {
    let default = Lifetimes::default();
    Ok(Lifetimes {
        token_ttl_s: options.token_ttl_s(default.token_ttl_s)?,
        ticket_ttl_s: options.ticket_ttl_s(default.ticket_ttl_s)?,
        session_idle_ttl_s: options.session_idle_ttl_s(default.session_idle_ttl_s)?,
        event_retention_s: options.event_retention_s(default.event_retention_s)?,
        upload_url_ttl_s: options.upload_url_ttl_s(default.upload_url_ttl_s)?,
        unused_upload_ttl_s: options.unused_upload_ttl_s(default.unused_upload_ttl_s)?,
        download_url_ttl_s: options.download_url_ttl_s(default.download_url_ttl_s)?,
        presence_lease_s: options.presence_lease_s(default.presence_lease_s)?,
        typing_expires_ms: default.typing_expires_ms,
        heartbeat_ms: options.heartbeat_ms(default.heartbeat_ms)?,
    })
}

/// One server by itself, or Neo4j and Redis together: nodes that share a log must tell each other of it.
fn stack(store: Option<&Hidden>, bus: Option<&Hidden>, prefix: Option<&str>) -> Result<StackConfig, ConfigError> {
    let together = "several nodes need both, and one server by itself needs neither";
    let (store, bus) = match (store, bus) {
        (None, None) if prefix.is_some() => {
            return Err(ConfigError::Alone { option: "bus-prefix", other: "bus", reason: together });
        }
        (None, None) => return Ok(StackConfig::Embedded),
        (Some(_), None) => return Err(ConfigError::Alone { option: "store", other: "bus", reason: together }),
        (None, Some(_)) => return Err(ConfigError::Alone { option: "bus", other: "store", reason: together }),
        (Some(store), Some(bus)) => (store, bus),
    };
    let prefix = prefix.unwrap_or(BUS_PREFIX);
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if prefix.is_empty() || prefix.len() > 64 || !is_plain(prefix) {
        return Err(wrong("bus-prefix", prefix, "write 1 to 64 of the characters A-Z a-z 0-9 - _ . :"));
    }
    Ok(StackConfig::ScaleOut(ScaleOutConfig {
        store: server_url(
            "store",
            store,
            &["neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"],
            "write neo4j://user:password@host:7687",
        )?,
        bus: server_url(
            "bus",
            bus,
            &["redis", "rediss"],
            "write redis://host:6379, or redis://user:password@host:6379/0",
        )?,
        bus_prefix: prefix.to_owned(),
    }))
}

/// A URL of a server, which may hold a password.
fn server_url(
    option: &'static str,
    given: &Hidden,
    schemes: &[&str],
    instead: &'static str,
) -> Result<Url, ConfigError> {
    let url = Url::parse(&given.0).ok().filter(|url| schemes.contains(&url.scheme()) && url.has_host());
    url.ok_or(ConfigError::HiddenValue { option, instead })
}

fn media(given: Option<&str>, credentials: Option<PathBuf>) -> Result<MediaConfig, ConfigError> {
    let Some(given) = given else {
        return match credentials {
            None => Ok(MediaConfig::Disk),
            Some(_) => Err(ConfigError::Alone {
                option: "gcs-credentials",
                other: "media",
                reason: "they are for a bucket, such as gs://my-bucket",
            }),
        };
    };
    let place = given.parse().map_err(|error: WrongPlace| wrong("media", given, error.to_string()))?;
    // As for every program that uses Google Cloud; empty is as good as not there.
    let usual = || std::env::var_os(USUAL_GCS_CREDENTIALS).filter(|path| !path.is_empty()).map(PathBuf::from);
    let credentials = credentials.or_else(usual).map_or(GcsCredentials::Machine, GcsCredentials::KeyFile);
    Ok(MediaConfig::Gcs(GcsOptions::new(place, credentials)))
}

fn wrong(option: &str, given: &str, instead: impl Into<String>) -> ConfigError {
    ConfigError::Value { option: option.to_owned(), given: given.to_owned(), instead: instead.into() }
}

fn listen(given: &str) -> Result<std::net::SocketAddr, ConfigError> {
    given.parse().map_err(|_| {
        wrong(
            "listen",
            given,
            "write an IP address and a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for every network",
        )
    })
}

fn public_url(given: &str) -> Result<Url, ConfigError> {
    let instead = "write the scheme and the host alone, such as https://chat.example";
    origin(given).ok_or_else(|| wrong("public-url", given, instead))
}

fn allowed_origin(given: &str) -> Result<String, ConfigError> {
    let instead = "write the scheme, the host and, where it is not the usual one, the port of each page, such as \
                   https://app.example or http://localhost:3000";
    let url = origin(given).ok_or_else(|| wrong("allowed-origins", given, instead))?;
    // As browsers write it.
    Ok(url.origin().ascii_serialization())
}

/// A URL that names an origin and nothing within it.
fn origin(given: &str) -> Option<Url> {
    let url = Url::parse(given).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url)
}

fn trusted_proxy(given: &str) -> Result<IpAddr, ConfigError> {
    given.parse().map_err(|_| wrong("trusted-proxies", given, "write IP addresses, such as 10.0.0.2,10.0.0.3"))
}

fn each<T>(given: Option<&List>, parse: impl Fn(&str) -> Result<T, ConfigError>) -> Result<Vec<T>, ConfigError> {
    given.map_or(&[][..], |list| &list.0).iter().map(|item| parse(item)).collect()
}

fn mail_from(given: Option<&str>, public_url: Option<&Url>) -> Result<Mailbox, ConfigError> {
    let instead = "write an address, with a name before it if you like: Chat <noreply@chat.example>";
    let parse = |text: &str| text.parse().map_err(|_| wrong("mail-from", text, instead));
    match given {
        Some(given) => parse(given),
        None => parse(&format!("i9chat <noreply@{}>", public_url.and_then(Url::domain).unwrap_or("localhost"))),
    }
}

fn smtp_url(given: &str) -> Result<String, ConfigError> {
    SmtpMailer::check(given)?;
    Ok(given.to_owned())
}

fn log(given: &str) -> Result<String, ConfigError> {
    let instead = "write error, warn, info, debug or trace, or directives such as info,i9chat_server=debug";
    EnvFilter::builder().parse(given).map_err(|_| wrong("log", given, instead))?;
    Ok(given.to_owned())
}

fn log_format(given: &str) -> Result<LogFormat, ConfigError> {
    match given {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(wrong("log-format", given, "write text or json")),
    }
}
