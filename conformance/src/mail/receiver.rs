//! The suite's own SMTP receiver: takes any mail, keeps its text by address. (RFC 5321, as much as a sender needs)

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
};

use super::text_part;

/// The longest line and the largest mail that are taken, in bytes.
const LONGEST_LINE: usize = 4096;
const LARGEST_MAIL: usize = 1024 * 1024;

/// The mail that came, by address. Cheap to clone; the receiver stops when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    post: Arc<Post>,
    task: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A mail that came.
#[derive(Debug, Clone)]
struct Delivered {
    /// The recipient, as the sender spelled it.
    to: String,
    text: String,
}

#[derive(Debug)]
struct Post {
    /// By address, in lower case.
    mails: Mutex<HashMap<String, Vec<Delivered>>>,
    held: Mutex<HashSet<String>>,
    changed: watch::Sender<()>,
}

impl Post {
    fn mails(&self) -> MutexGuard<'_, HashMap<String, Vec<Delivered>>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, HashSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while mail to the address is held back.
    async fn let_through(&self, address: &str) {
        let mut changed = self.changed.subscribe();
        while self.held().contains(&address.to_lowercase()) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    fn deliver(&self, recipients: &[String], mail: &[u8]) {
        let text = text_part(mail);
        for recipient in recipients {
            let delivered = Delivered { to: recipient.clone(), text: text.clone() };
            self.mails().entry(recipient.to_lowercase()).or_default().push(delivered);
        }
        self.changed.send_replace(());
    }
}

impl Mailbox {
    /// Starts a receiver that listens on the address; port 0 takes a free one.
    pub async fn listen(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let post = Arc::new(Post { mails: Mutex::default(), held: Mutex::default(), changed: watch::Sender::new(()) });
        let task = tokio::spawn(receive(listener, post.clone()));
        Ok(Self(Arc::new(Inner { address, post, task })))
    }

    /// Where it listens, as `smtp://address:port`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.0.address)
    }

    /// How many mails to the address have come.
    pub fn count(&self, address: &str) -> usize {
        self.0.post.mails().get(&address.to_lowercase()).map_or(0, Vec::len)
    }

    /// How the newest mail to the address, in any case, was addressed.
    pub fn newest_recipient(&self, address: &str) -> Option<String> {
        let mails = self.0.post.mails();
        mails.get(&address.to_lowercase())?.last().map(|mail| mail.to.clone())
    }

    /// Stops answering senders of mail to the address until what is answered here is dropped: a mail server that hangs. (ACC-12)
    pub fn hold(&self, address: &str) -> Held {
        self.0.post.held().insert(address.to_lowercase());
        Held { post: self.0.post.clone(), address: address.to_lowercase() }
    }

    /// Waits until more than `seen` mails to the address have come, and answers the text of the newest.
    pub async fn next(&self, address: &str, seen: usize, deadline: Duration) -> Option<String> {
        let mut changed = self.0.post.changed.subscribe();
        let address = address.to_lowercase();
        let arrival = async {
            loop {
                if let Some(mails) = self.0.post.mails().get(&address)
                    && mails.len() > seen
                {
                    return mails.last().map(|mail| mail.text.clone());
                }
                changed.changed().await.ok()?;
            }
        };
        tokio::time::timeout(deadline, arrival).await.ok().flatten()
    }
}

/// Mail to one address is held back while this lives.
#[derive(Debug)]
#[must_use = "mail is let through when this is dropped"]
pub struct Held {
    post: Arc<Post>,
    address: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.post.held().remove(&self.address);
        self.post.changed.send_replace(());
    }
}

async fn receive(listener: TcpListener, post: Arc<Post>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let post = post.clone();
        tokio::spawn(async move {
            // A sender that breaks off has only itself to tell.
            converse(stream, &post).await.ok();
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, post: &Post) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 i9chat-conformance ESMTP\r\n").await?;
    let mut envelope: Option<Vec<String>> = None;
    while let Some(line) = read_line(&mut stream).await? {
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => "250-i9chat-conformance\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 PIPELINING".to_owned(),
            "HELO" => "250 i9chat-conformance".to_owned(),
            "MAIL" => {
                envelope = Some(Vec::new());
                "250 fine".to_owned()
            }
            "RCPT" => match (&mut envelope, path(rest)) {
                (Some(recipients), Some(address)) => {
                    post.let_through(&address).await;
                    recipients.push(address);
                    "250 fine".to_owned()
                }
                (None, _) => "503 MAIL comes first".to_owned(),
                (_, None) => "501 RCPT TO:<address>".to_owned(),
            },
            "DATA" => match envelope.take() {
                Some(recipients) if !recipients.is_empty() => {
                    stream.write_all(b"354 go on, end with a dot\r\n").await?;
                    match read_mail(&mut stream).await? {
                        Some(mail) => {
                            post.deliver(&recipients, &mail);
                            "250 taken".to_owned()
                        }
                        None => return Ok(()),
                    }
                }
                _ => "503 MAIL and RCPT come first".to_owned(),
            },
            "RSET" => {
                envelope = None;
                "250 fine".to_owned()
            }
            "NOOP" => "250 fine".to_owned(),
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return stream.shutdown().await;
            }
            _ => "502 no such command here".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.write_all(b"\r\n").await?;
    }
    Ok(())
}

fn path(rest: &str) -> Option<String> {
    let (_, after) = rest.split_once('<')?;
    let (address, _) = after.split_once('>')?;
    Some(address.to_owned())
}

/// One line with its end, or nothing when the sender is gone or sends without end.
async fn read_line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let have = stream.fill_buf().await?;
        if have.is_empty() || line.len() > LONGEST_LINE {
            return Ok(None);
        }
        let end = have.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(have.len(), |end| end + 1);
        line.extend(have.iter().take(taken));
        stream.consume(taken);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

async fn read_mail(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<Vec<u8>>> {
    let mut mail = Vec::new();
    while let Some(line) = read_line(stream).await? {
        match line.strip_prefix(b".") {
            Some(b"\r\n" | b"\n") => return Ok(Some(mail)),
            // A dot at the start of a line was doubled by the sender.
            Some(rest) => mail.extend_from_slice(rest),
            None => mail.extend_from_slice(&line),
        }
        if mail.len() > LARGEST_MAIL {
            break;
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{io::AsyncReadExt, net::TcpStream};

    use super::*;

    async fn mailbox() -> Mailbox {
        Mailbox::listen((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap()
    }

    async fn say(mailbox: &Mailbox, words: &str) -> String {
        let mut stream = TcpStream::connect(mailbox.0.address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        answers
    }

    const DEADLINE: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn a_mail_is_kept_for_its_address_in_any_case() {
        let mailbox = mailbox().await;
        let answers = say(
            &mailbox,
            "EHLO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<Bob@B.example>\r\nDATA\r\nSubject: x\r\n\r\n..274615\r\n.\r\nQUIT\r\n",
        )
        .await;
        assert!(answers.ends_with("354 go on, end with a dot\r\n250 taken\r\n221 bye\r\n"), "{answers}");
        assert_eq!(mailbox.next("bob@b.EXAMPLE", 0, DEADLINE).await.as_deref(), Some(".274615\r\n"));
        assert_eq!(mailbox.count("bob@b.example"), 1);
        assert_eq!(mailbox.count("alice@b.example"), 0);
        assert_eq!(mailbox.newest_recipient("bob@B.example").as_deref(), Some("Bob@B.example"), "as it was sent");
        assert_eq!(mailbox.newest_recipient("alice@b.example"), None);
    }

    #[tokio::test]
    async fn a_mail_that_comes_later_is_waited_for() {
        let mailbox = mailbox().await;
        let (text, _) = tokio::join!(
            mailbox.next("a@b.example", 0, DEADLINE),
            say(&mailbox, "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n\r\n1\r\n.\r\nQUIT\r\n"),
        );
        assert_eq!(text.as_deref(), Some("1\r\n"));
    }

    #[tokio::test]
    async fn no_mail_is_told_after_the_deadline() {
        assert_eq!(mailbox().await.next("a@b.example", 0, Duration::ZERO).await, None);
    }

    #[tokio::test]
    async fn a_mail_that_is_held_comes_when_it_is_let_through() {
        let mailbox = mailbox().await;
        let held = mailbox.hold("a@b.example");
        let sending =
            say(&mailbox, "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<A@b.example>\r\nDATA\r\n\r\n1\r\n.\r\nQUIT\r\n");
        let releasing = async {
            // Another address is not held, and its mail comes first.
            say(&mailbox, "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n\r\n2\r\n.\r\nQUIT\r\n").await;
            assert_eq!((mailbox.count("a@b.example"), mailbox.count("c@b.example")), (0, 1));
            drop(held);
        };
        tokio::join!(sending, releasing);
        assert_eq!(mailbox.count("a@b.example"), 1);
    }

    #[tokio::test]
    async fn commands_out_of_turn_are_refused() {
        let mailbox = mailbox().await;
        let answers = say(
            &mailbox,
            "RCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<>\r\nRCPT TO:a\r\nRSET\r\nDATA\r\nAUTH PLAIN x\r\nNOOP\r\nQUIT\r\n",
        )
        .await;
        let codes: Vec<_> = answers.lines().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["220", "503", "503", "250", "501", "250", "503", "502", "250", "221"]);
    }

    #[tokio::test]
    async fn a_line_without_end_is_not_kept() {
        let mailbox = mailbox().await;
        let mut stream = TcpStream::connect(mailbox.0.address).await.unwrap();
        // The receiver hangs up in the middle, so that the rest may not be taken any more.
        stream.write_all(&[b'x'; 3 * LONGEST_LINE]).await.ok();
        let mut answers = Vec::new();
        stream.read_to_end(&mut answers).await.ok();
        assert!(answers.starts_with(b"220"));
    }
}
