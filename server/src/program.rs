//! What the program does around a server: its log, its greeting, the signals that stop it.

pub mod health;

use std::{io, net::SocketAddr, sync::Arc};

use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    fmt,
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use crate::{
    auth::passwords::PasswordCost,
    config::{Config, LogConfig, LogFormat},
    mail::{ConsoleMailer, Mailer, SmtpAddressError, SmtpMailer},
    node::NodeConfig,
};

/// Files that the process holds open besides its connections.
const OTHER_FILES: u64 = 256;

/// Starts the log on standard error. Standard output is for the greeting and for printed mails.
pub fn start_log(config: &LogConfig) {
    // The configuration has checked the filter.
    let filter = EnvFilter::builder()
        .parse_lossy(&config.filter)
        .and(filter_fn(may_be_logged).with_max_level_hint(Level::TRACE));
    let lines = fmt::layer().with_writer(io::stderr);
    match config.format {
        LogFormat::Text => registry().with(lines.with_filter(filter)).init(),
        LogFormat::Json => registry().with(lines.json().flatten_event(true).with_filter(filter)).init(),
    }
}

/// Our own lines hold nothing secret at any level. The libraries below print what they read and write when they are asked for
/// details: frames with their texts, mails with their codes. So of theirs no details are logged, whatever the filter says.
fn may_be_logged(line: &Metadata<'_>) -> bool {
    let most = match line.target() {
        ours if ours.starts_with("i9chat") => Level::TRACE,
        // Tells of each connection that it opens.
        driver if driver.starts_with("neo4rs") => Level::WARN,
        _ => Level::INFO,
    };
    *line.level() <= most
}

/// Makes room for as many open files as the configured connections need, as far as the machine lets it.
pub fn allow_open_files(config: &Config) {
    let wanted = (config.http.max_connections as u64).saturating_add(OTHER_FILES);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed < wanted => tracing::warn!(
            allowed,
            wanted,
            "the machine allows fewer open files than --max-connections needs; raise its limit (ulimit -n)"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files cannot be read or raised"),
    }
}

/// The server that a configuration describes.
pub fn node_config(config: &Config) -> Result<NodeConfig, SmtpAddressError> {
    let mailer: Arc<dyn Mailer> = match &config.mail.smtp_url {
        Some(url) => Arc::new(SmtpMailer::new(url, config.mail.from.clone())?),
        None => Arc::new(ConsoleMailer::new()),
    };
    Ok(NodeConfig {
        data: config.data.clone(),
        stack: config.stack.clone(),
        media: config.media.clone(),
        listen: config.listen,
        limits: config.limits.clone(),
        lifetimes: config.lifetimes.clone(),
        http: config.http.clone(),
        password_cost: PasswordCost::for_this_machine(),
        mailer,
    })
}

/// What a newcomer reads when the server has started: where it is, where it keeps things, and what to do next.
pub fn greeting(config: &Config, address: SocketAddr) -> String {
    let url = format!("http://{}", reachable(address));
    let public_url = config.http.public_url.as_ref().map(ToString::to_string);
    let data = std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone());
    let mail = match config.mail.smtp_url {
        Some(_) => "sent by SMTP",
        None => "printed here: set --smtp-url to send it",
    };
    let lines = [
        ("address", Some(url.clone())),
        ("public URL", public_url),
        ("data", Some(data.display().to_string())),
        ("mail", Some(mail.to_owned())),
        ("try", Some(format!("curl {url}/v1/capabilities"))),
        ("chat", Some("cargo run -p i9chat-sdk --example chat -- --help".to_owned())),
        ("stop", Some("Ctrl-C".to_owned())),
    ];
    let lines: String =
        lines.into_iter().filter_map(|(name, value)| Some(format!("  {name:<12}{}\n", value?))).collect();
    format!("i9chat-server {} is ready.\n\n{lines}", env!("CARGO_PKG_VERSION"))
}

/// An address that one can type: a server that listens on every network is reached on this machine too.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(loopback, address.port())
}

/// Waits for Ctrl-C, or for the signal by which service managers stop a program.
pub async fn told_to_stop() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting_of(words: &[&str], address: &str) -> String {
        let words = std::iter::once("i9chat-server").chain(words.iter().copied());
        let (_, config) = crate::config::read(words.map(Into::into)).unwrap();
        greeting(&config, address.parse().unwrap())
    }

    #[test]
    fn the_greeting_says_where_the_server_is_and_what_to_try() {
        let text = greeting_of(&[], "127.0.0.1:8080");
        for part in ["http://127.0.0.1:8080\n", "/data\n", "printed here", "curl http://127.0.0.1:8080/v1/capabilities"]
        {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
    }

    #[test]
    fn the_greeting_names_an_address_that_can_be_reached() {
        assert!(greeting_of(&[], "0.0.0.0:80").contains("http://127.0.0.1:80\n"));
        assert!(greeting_of(&[], "[::]:80").contains("http://[::1]:80\n"));
    }

    #[test]
    fn the_greeting_shows_no_password() {
        let text = greeting_of(&["--smtp-url=smtps://user:secret@mail.example"], "127.0.0.1:8080");
        assert!(text.contains("sent by SMTP") && !text.contains("secret"), "{text}");
    }
}
