use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{AddressedLetter, MailError, Mailer};

/// Prints mails instead of sending them, for trying the server out.
pub struct ConsoleMailer {
    out: Mutex<Box<dyn Write + Send>>,
}

impl ConsoleMailer {
    /// Prints to standard output.
    pub fn new() -> Self {
        Self::to(Box::new(io::stdout()))
    }

    /// Prints to a place of one's own.
    pub fn to(out: Box<dyn Write + Send>) -> Self {
        Self { out: Mutex::new(out) }
    }
}

impl Default for ConsoleMailer {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Mailer for ConsoleMailer {
    async fn send(&self, letter: &AddressedLetter) -> Result<(), MailError> {
        let framed = frame(letter);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // In one piece, so that no line of a log comes between.
        out.write_all(framed.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| MailError::Later { reason: error.kind().to_string() })
    }
}

fn frame(letter: &AddressedLetter) -> String {
    let head = format!(
        "\n+-- Mail (printed, because no --smtp-url is set) {}\n| To:      {}\n| Subject: {}\n|",
        "-".repeat(30),
        letter.to.as_str(),
        letter.letter.subject(),
    );
    let text = letter.letter.text();
    let body = text.lines().map(|line| format!("| {line}").trim_end().to_owned());
    let foot = format!("+{}\n\n", "-".repeat(78));
    let lines: Vec<_> = std::iter::once(head).chain(body).chain(std::iter::once(foot)).collect();
    lines.join("\n")
}

impl fmt::Debug for ConsoleMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsoleMailer")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::mail::Letter;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_newcomer_finds_the_code_in_the_terminal() {
        let page = Page::default();
        let letter = Letter::SignupCode { code: "274615".parse().unwrap(), minutes: 15 };
        let to = "alice@example.com".parse().unwrap();
        ConsoleMailer::to(Box::new(page.clone())).send(&AddressedLetter { to, letter }).await.unwrap();
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("| To:      alice@example.com\n| Subject: Your i9chat code\n"), "{text}");
        assert!(text.contains("|     274615\n"), "{text}");
    }
}
