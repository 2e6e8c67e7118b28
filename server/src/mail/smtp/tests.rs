use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

use super::*;
use crate::mail::Letter;

fn tls_of(url: &str) -> Result<Option<String>, SmtpAddressError> {
    with_tls(url).map(|url| url.query().map(ToOwned::to_owned))
}

#[test]
fn a_server_on_this_machine_needs_no_tls_and_any_other_does() {
    for local in ["smtp://127.0.0.1:2525", "smtp://localhost:25", "smtp://[::1]:25", "smtp://127.0.0.9"] {
        assert_eq!(tls_of(local), Ok(None), "{local}");
    }
    for remote in ["smtp://mail.example", "smtp://192.0.2.1:587", "smtp://user:secret@mail.example:587"] {
        assert_eq!(tls_of(remote), Ok(Some("tls=required".to_owned())), "{remote}");
    }
    assert_eq!(tls_of("smtps://user:secret@mail.example"), Ok(None), "it is spoken from the start");
}

#[test]
fn what_is_asked_for_counts_unless_a_password_would_be_seen() {
    assert_eq!(tls_of("smtp://mail.example?tls=none"), Ok(None));
    assert_eq!(tls_of("smtp://127.0.0.1?tls=required"), Ok(Some("tls=required".to_owned())));
    assert_eq!(tls_of("smtp://mail.example?tls=opportunistic"), Ok(Some("tls=opportunistic".to_owned())));
    assert_eq!(tls_of("smtp://user:secret@mail.example?tls=none"), Err(SmtpAddressError::PasswordWithoutTls));
    assert_eq!(
        tls_of("smtp://user:secret@mail.example?tls=opportunistic"),
        Err(SmtpAddressError::PasswordWithoutTls),
        "whoever sits between could pretend that the server has none"
    );
    assert_eq!(tls_of("smtp://mail.example?tls=yes"), Err(SmtpAddressError::UnknownTls));
}

#[test]
fn what_is_no_mail_server_is_refused() {
    for url in ["", "mail.example", "http://mail.example", "smtp:", "smtp://", "smtp:///path"] {
        assert_eq!(tls_of(url), Err(SmtpAddressError::NotSmtp), "{url}");
    }
}

/// A mail server for one mail: answers each command with the reply for its first word, and gives back what it was told.
async fn mail_server(replies: &'static [(&'static str, &'static str)]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut told = Vec::new();
        writer.write_all(b"220 test\r\n").await.unwrap();
        let mut in_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_owned();
            let reply = match (in_data, line.as_str()) {
                (true, ".") => {
                    in_data = false;
                    "250 taken"
                }
                (true, _) => "",
                (false, _) => replies.iter().find(|(name, _)| *name == command).map_or("250 fine", |(_, reply)| reply),
            };
            in_data = in_data || (command == "DATA" && reply.starts_with("354"));
            told.push(line);
            if !reply.is_empty() && writer.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
                break;
            }
            if command == "QUIT" {
                break;
            }
        }
        told
    });
    (url, server)
}

async fn send_to(url: &str) -> Result<(), MailError> {
    let mailer = SmtpMailer::new(url, "i9chat <noreply@chat.example>".parse().unwrap()).unwrap();
    let letter = Letter::SignupCode { code: "274615".parse().unwrap(), minutes: 15 };
    mailer.send(&AddressedLetter { to: "alice@example.com".parse().unwrap(), letter }).await
}

#[tokio::test]
async fn a_mail_arrives_with_its_code_readable_in_plain_text() {
    let (url, server) = mail_server(&[("DATA", "354 go on")]).await;
    send_to(&url).await.unwrap();
    let told = server.await.unwrap();
    for line in [
        "MAIL FROM:<noreply@chat.example>",
        "RCPT TO:<alice@example.com>",
        "Subject: Your i9chat code",
        "Content-Type: text/plain; charset=utf-8",
        "    274615",
    ] {
        assert!(told.iter().any(|told| told.trim_end() == line), "{line} is not in {told:#?}");
    }
    for header in ["Date: ", "Message-ID: "] {
        assert!(told.iter().any(|told| told.starts_with(header)), "{header} is not in {told:#?}");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_tried_again_and_one_that_refuses_is_not() {
    let (url, _server) = mail_server(&[("RCPT", "451 alice@example.com later")]).await;
    assert_eq!(send_to(&url).await, Err(MailError::Later { reason: "code 451".to_owned() }));
    let (url, _server) = mail_server(&[("RCPT", "550 no alice@example.com here")]).await;
    assert_eq!(send_to(&url).await, Err(MailError::Never { reason: "code 550".to_owned() }));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(send_to(&url).await, Err(MailError::Later { .. })));
}
