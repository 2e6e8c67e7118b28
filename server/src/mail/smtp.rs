use std::{fmt, net::IpAddr, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{Error, PoolConfig},
};
use url::{Host, Url};

use super::{AddressedLetter, MailError, Mailer};

/// How long a mail server may take for one step.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// How long it may take for a whole mail.
const MAIL_TIMEOUT: Duration = Duration::from_mins(1);
/// How many connections to it are kept open.
const CONNECTIONS: u32 = 4;

/// Sends mails through a mail server.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// Why a URL names no mail server. Does not show the URL: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpAddressError {
    /// It is no URL of a mail server.
    #[error("write smtp://host:port or smtps://user:password@host:port")]
    NotSmtp,
    /// Its parameter `tls` is unknown.
    #[error("the parameter tls is required, opportunistic or none, as in smtp://host:587?tls=required")]
    UnknownTls,
    /// A password would travel unprotected.
    #[error("a password needs TLS: write smtps://…, or leave the parameter tls out")]
    PasswordWithoutTls,
}

impl SmtpMailer {
    /// Whether the URL names a mail server.
    pub fn check(url: &str) -> Result<(), SmtpAddressError> {
        with_tls(url).map(drop)
    }

    /// A mailer for the server at the URL: `smtps://` speaks TLS from the start; `smtp://` uses STARTTLS, which a server on a
    /// loopback address need not have. The parameter `tls` (`required`, `opportunistic`, `none`) says otherwise.
    ///
    /// Needs a rustls provider to be installed for the process. Connects when the first mail is sent.
    pub fn new(url: &str, from: Mailbox) -> Result<Self, SmtpAddressError> {
        let url = with_tls(url)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|_| SmtpAddressError::NotSmtp)?
            .timeout(Some(STEP_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS))
            .build();
        Ok(Self { transport, from })
    }
}

/// The URL with `tls` spelled out as the transport reads it: nothing means none.
fn with_tls(text: &str) -> Result<Url, SmtpAddressError> {
    let mut url = Url::parse(text).map_err(|_| SmtpAddressError::NotSmtp)?;
    if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
        return Err(SmtpAddressError::NotSmtp);
    }
    let asked = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let tls = match asked.as_deref() {
        Some(tls @ ("required" | "opportunistic")) => Some(tls),
        Some("none") => None,
        Some(_) => return Err(SmtpAddressError::UnknownTls),
        None if is_loopback(&url) => None,
        None => Some("required"),
    };
    if url.scheme() == "smtps" {
        url.set_query(None);
        return Ok(url);
    }
    if tls != Some("required") && url.password().is_some() && !is_loopback(&url) {
        return Err(SmtpAddressError::PasswordWithoutTls);
    }
    let query = tls.map(|tls| format!("tls={tls}"));
    url.set_query(query.as_deref());
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    // The host of a scheme that is not of the web is not parsed further by `Url`.
    match url.host() {
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &AddressedLetter) -> Result<(), MailError> {
        let never = |reason: &str| MailError::Never { reason: reason.to_owned() };
        let to: Address = letter.to.as_str().parse().map_err(|_| never("not an address to the mail library"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.letter.subject())
            .message_id(None)
            .header(ContentType::TEXT_PLAIN)
            .body(letter.letter.text())
            .map_err(|_| never("not a mail to the mail library"))?;
        match tokio::time::timeout(MAIL_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Never { reason: kind_of(&error) }),
            Ok(Err(error)) => Err(MailError::Later { reason: kind_of(&error) }),
            Err(_) => Err(MailError::Later { reason: "timeout".to_owned() }),
        }
    }
}

/// The kind of failure without its text, in which a mail server may repeat the address.
fn kind_of(error: &Error) -> String {
    if let Some(code) = error.status() {
        return format!("code {code}");
    }
    let kind = if error.is_timeout() {
        "timeout"
    } else if error.is_tls() {
        "TLS failed"
    } else if error.is_response() {
        "not an SMTP answer"
    } else if error.is_client() {
        "the server does not support what is needed"
    } else {
        "no connection"
    };
    kind.to_owned()
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpMailer(…)")
    }
}

#[cfg(test)]
mod tests;
