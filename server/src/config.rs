//! The configuration: flags, then the environment, then one TOML file, then defaults. Wrong values stop the start.

mod options;
mod reference;
mod resolve;

use std::{
    ffi::OsString,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Parser;
use i9chat_spec::{Lifetimes, Limits};
use lettre::message::Mailbox;
use url::Url;

use self::options::Options;
pub use self::reference::reference;
use crate::{http::HttpConfig, mail::SmtpAddressError, media::gcs::GcsOptions};

/// Everything that an operator decides, one struct per concern.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where everything durable is kept that has no other place.
    pub data: PathBuf,
    /// One server, or several nodes.
    pub stack: StackConfig,
    /// Where the bytes of media are.
    pub media: MediaConfig,
    /// What HTTP keeps to.
    pub http: HttpConfig,
    /// How mails go out.
    pub mail: MailConfig,
    /// What the capabilities publish as limits.
    pub limits: Limits,
    /// What the capabilities publish as times.
    pub lifetimes: Lifetimes,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// One server, or several nodes.
#[derive(Clone, PartialEq, Eq)]
pub enum StackConfig {
    /// Everything in one process, and in the data folder.
    Embedded,
    /// Any number of nodes on one Neo4j and one Redis.
    ScaleOut(ScaleOutConfig),
}

/// What the nodes of a cluster have in common.
#[derive(Clone, PartialEq, Eq)]
pub struct ScaleOutConfig {
    /// Neo4j.
    pub store: Url,
    /// Redis.
    pub bus: Url,
    /// What the names of all keys in Redis begin with.
    pub bus_prefix: String,
}

impl ScaleOutConfig {
    /// Where Neo4j is, to be shown: without user and password.
    pub fn store_place(&self) -> String {
        let host = self.store.host_str().unwrap_or_default();
        let port = self.store.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}{}", self.store.scheme(), self.store.path())
    }
}

/// Shows no password.
impl fmt::Debug for StackConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("Embedded"),
            Self::ScaleOut(config) => config.fmt(f),
        }
    }
}

impl fmt::Debug for ScaleOutConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScaleOut")
            .field("store", &self.store.host_str())
            .field("bus", &self.bus.host_str())
            .field("bus_prefix", &self.bus_prefix)
            .finish()
    }
}

/// Where the bytes of media are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaConfig {
    /// In the data folder.
    Disk,
    /// In a bucket of Google Cloud Storage.
    Gcs(GcsOptions),
}

/// How mails go out.
#[derive(Clone)]
pub struct MailConfig {
    /// The mail server; without one, mails are printed.
    pub smtp_url: Option<String>,
    /// Whom mails are from.
    pub from: Mailbox,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("MailConfig").field("smtp", &self.smtp_url.is_some()).finish_non_exhaustive()
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Directives of `tracing-subscriber`, such as `info,i9chat_server=debug`.
    pub filter: String,
    /// One line of text or one JSON object for each event.
    pub format: LogFormat,
}

/// The form of a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What the program was started for.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum Task {
    /// Gives the log a new epoch, and stops. Run it once after restoring a backup, before the server starts: clients then
    /// read anew what they hold, instead of relying on changes that the backup does not have. (RSM-1)
    NewEpoch,
    /// Asks the server that listens on --listen of this machine whether it is ready, and fails when it is not. It is for
    /// containers, which hold no other program that could ask. (CAP-4)
    Healthcheck,
    /// Moves everything that the data folder holds to the cluster that --store and --bus name, and stops. The embedded server of the
    /// folder must be stopped. With --media the bytes of media go to that bucket, else they stay. Broken off, it goes on when it is run
    /// again; it ends with a comparison, and fails when anything differs.
    Migrate,
    /// Prints the reference of all options, as it stands in docs/configuration.md, and stops.
    Reference {
        /// Prints nothing, and fails when this file holds something else.
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
    },
}

/// The i9chat server. Needs nothing else on the machine: started without options, it listens on 127.0.0.1:8080, keeps
/// everything in ./data, and prints the mails that it would send.
///
/// Each option can also be given as the environment variable that stands beside it, or in a TOML file under the same
/// name without the dashes. A flag counts more than the environment, the environment more than the file.
#[derive(Debug, Parser)]
#[command(name = "i9chat-server", version)]
struct CommandLine {
    /// A TOML file with options: `listen = "0.0.0.0:8080"`, `allowed-origins = ["https://chat.example"]`.
    #[arg(long, env = "I9CHAT_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    task: Option<Task>,
}

/// Why the program does not start. Each is a sentence that says what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The command line is wrong, or help was asked for.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no TOML, or has a key or a value that no option has.
    #[error("the configuration file {} is wrong: {error}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        error: toml::de::Error,
    },
    /// A value that is wrong.
    #[error("the option --{option} cannot be {given:?}: {instead}")]
    Value {
        /// The option.
        option: String,
        /// What was given.
        given: String,
        /// What to write instead.
        instead: String,
    },
    /// A URL that is wrong; it is not shown, for it may hold a password.
    #[error("the option --{option} cannot be what was given: {instead}")]
    HiddenValue {
        /// The option.
        option: &'static str,
        /// What to write instead.
        instead: &'static str,
    },
    /// Options that do not go together.
    #[error("the option --{option} needs --{other}: {reason}")]
    Alone {
        /// The one that was given.
        option: &'static str,
        /// The one that was not.
        other: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A URL of a mail server that is wrong; it is not shown, for it may hold a password.
    #[error("the option --smtp-url names no mail server: {0}")]
    Smtp(#[from] SmtpAddressError),
}

/// Reads the command line, the environment and the file.
pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<(Option<Task>, Config), ConfigError> {
    let given = CommandLine::try_parse_from(arguments)?;
    let options = match &given.config {
        Some(path) => given.options.or(read_file(path)?),
        None => given.options,
    };
    Ok((given.task, resolve::resolve(options)?))
}

fn read_file(path: &Path) -> Result<Options, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File { path: path.to_owned(), error })?;
    toml::from_str(&text).map_err(|error| ConfigError::Toml { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests;
