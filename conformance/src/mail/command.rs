//! Mail of servers that send it elsewhere, fetched by a command.

use std::{sync::Arc, time::Duration};

use tokio::{process::Command, time::Instant};

use super::{codes_in, text_part};

/// How often the command is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// A command that is run with a mail address as its last argument, and prints the newest mail to it, or nothing.
#[derive(Debug, Clone)]
pub struct MailCommand(Arc<[String]>);

impl MailCommand {
    /// Takes a command line: words as a shell splits them. `None` when it has no words, or an open quote.
    pub fn parse(line: &str) -> Option<Self> {
        let words = shell_words::split(line).ok()?;
        (!words.is_empty()).then(|| Self(words.into()))
    }

    /// The text of the newest mail to the address, as soon as it differs from `last`.
    pub(super) async fn next(&self, address: &str, last: Option<&str>, deadline: Duration) -> Option<String> {
        let until = Instant::now() + deadline;
        loop {
            let newest = self.newest(address).await;
            if newest.is_some() && newest.as_deref() != last {
                return newest;
            }
            if Instant::now() + PAUSE > until {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The text of the newest mail to the address.
    pub(super) async fn newest(&self, address: &str) -> Option<String> {
        let (program, arguments) = self.0.split_first()?;
        let output = Command::new(program).args(arguments).arg(address).kill_on_drop(true).output().await.ok()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        if printed.trim().is_empty() {
            return None;
        }
        // A whole mail has a text part, with the code; what has none is taken as the text itself.
        let text = text_part(&output.stdout);
        Some(if codes_in(&text).is_empty() { printed.into_owned() } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_address_is_the_last_argument() {
        let command = MailCommand::parse("printf 'code 274615 for %s'").unwrap();
        let text = command.next("a@b.example", None, Duration::from_secs(5)).await;
        assert_eq!(text.as_deref(), Some("code 274615 for a@b.example"));
    }

    #[tokio::test]
    async fn a_whole_mail_is_read_as_one() {
        let command = MailCommand::parse(r"printf 'Message-Id: <111111@x>\r\n\r\n274615 %.0s'").unwrap();
        assert_eq!(command.next("a@b.example", None, Duration::from_secs(5)).await.as_deref(), Some("274615 "));
    }

    #[tokio::test]
    async fn a_mail_that_was_seen_is_not_new() {
        let command = MailCommand::parse("printf same%.0s").unwrap();
        assert_eq!(command.next("a@b.example", Some("same"), Duration::ZERO).await, None);
    }

    #[test]
    fn a_command_has_words() {
        assert!(MailCommand::parse("").is_none());
        assert!(MailCommand::parse("cat 'open").is_none());
    }
}
