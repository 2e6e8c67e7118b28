//! One HTTP request, with every byte of it in the hands of the case.

use i9chat_spec::Format;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, split};

use super::{Answer, Client, Credentials, dial::Stream, http1, judge};
use crate::{
    journal::{shortened_secret, shown_bytes},
    verdict::{Stop, Verdict},
};

/// How a body is put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    None,
    /// With `Content-Length`.
    Whole(Vec<u8>),
    /// In chunks of this size, its length not announced.
    Chunked(Vec<u8>, usize),
}

/// A request that is being put together.
#[derive(Debug, Clone)]
#[must_use = "a request is sent by `send`"]
pub struct Request {
    client: Client,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
    judged: bool,
}

impl Request {
    pub(super) fn new(client: Client, method: &str, path: String) -> Self {
        let headers = match &client.credentials {
            Some(Credentials::Token(token)) => vec![("Authorization".to_owned(), format!("Bearer {token}"))],
            Some(Credentials::Cookie(secret)) => vec![("Cookie".to_owned(), format!("i9chat_session={secret}"))],
            None => Vec::new(),
        };
        Self { client, method: method.to_owned(), path, headers, body: Body::None, judged: true }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Takes a JSON body, with its type.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    /// Takes a body in that encoding, with its type, and asks for the answer in it.
    pub fn encoded(self, format: Format, body: &Value) -> Self {
        let bytes = format.encode(body).unwrap_or_default();
        self.accept(format).body(format.media_type(), bytes)
    }

    /// Asks for the answer in that encoding.
    pub fn accept(self, format: Format) -> Self {
        self.header("Accept", format.media_type())
    }

    /// Takes a body of any bytes, with its type.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("Content-Type", content_type).untyped_body(body)
    }

    /// Takes a body of any bytes, without saying its type.
    pub fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Whole(body.into());
        self
    }

    /// Sends the body in chunks, without announcing its length.
    pub fn in_chunks_of(mut self, size: usize) -> Self {
        if let Body::Whole(body) = self.body {
            self.body = Body::Chunked(body, size.max(1));
        }
        self
    }

    /// Asks for something that is no endpoint of the documents, such as an upload URL (MED-27): the answer is not held against them.
    pub fn unjudged(mut self) -> Self {
        self.judged = false;
        self
    }

    /// Sends the request, and reads its answer. The answer is held against the documents in passing.
    pub async fn send(self) -> Verdict<Answer> {
        let bytes = self.bytes();
        self.client.journal.line(self.shown());
        let to_head = self.method == "HEAD";
        let exchange = async {
            let stream = self.client.origin.dial(self.client.source).await?;
            exchange(stream, &bytes, to_head).await
        };
        let (head, body) = match tokio::time::timeout(self.client.patience, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.unanswered(&error.to_string())),
            Err(_) => return Err(self.unanswered(&format!("none in {} s", self.client.patience.as_secs_f32()))),
        };
        let answer = Answer::new(format!("{} {}", self.method, self.path), head, body);
        self.client.journal.line(format!("← {answer}"));
        if !self.judged {
            return Ok(answer);
        }
        let sent_id = self.headers.iter().find(|(name, _)| name == "X-Request-Id").map(|(_, id)| id.as_str());
        for breach in judge::breaches(&self.method, &self.path, sent_id, &answer, &self.client.journal) {
            self.client.journal.breach(format!("{} {}: {breach}", self.method, self.path));
        }
        Ok(answer)
    }

    fn unanswered(&self, why: &str) -> Stop {
        self.client.journal.line(format!("← no answer: {why}"));
        Stop::failed(format!("an answer to {} {}", self.method, self.path), why)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, self.path, self.client.origin.authority());
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        match &self.body {
            Body::None if matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") => {
                head.push_str("Content-Length: 0\r\n");
            }
            Body::None => {}
            Body::Whole(body) => head.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]),
            Body::Chunked(..) => head.push_str("Transfer-Encoding: chunked\r\n"),
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut bytes = head.into_bytes();
        match &self.body {
            Body::None => {}
            Body::Whole(body) => bytes.extend(body),
            Body::Chunked(body, size) => {
                for chunk in body.chunks(*size) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            }
        }
        bytes
    }

    fn shown(&self) -> String {
        let mut line = format!("→ {} {}", self.method, self.path);
        for (name, value) in &self.headers {
            let value = match name.as_str() {
                "Authorization" | "Cookie" => {
                    let (start, secret) = value.split_once([' ', '=']).unwrap_or(("", value));
                    format!("{start} {}", shortened_secret(secret))
                }
                _ => value.clone(),
            };
            line.extend([" | ", name, ": ", &value]);
        }
        match &self.body {
            Body::None => {}
            Body::Whole(body) => line.extend([" | ", &shown_bytes(body)]),
            Body::Chunked(body, _) => line.extend([" | in chunks: ", &shown_bytes(body)]),
        }
        line
    }
}

impl Client {
    /// Sends any bytes, and reads what comes back as an answer. It is not held against the documents: what was sent may be no request.
    pub async fn sends_bytes(&self, told: &str, bytes: &[u8]) -> Verdict<Answer> {
        self.journal.line(format!("→ {told}"));
        let exchange = async { exchange(self.origin.dial(self.source).await?, bytes, false).await };
        let came = match tokio::time::timeout(self.patience, exchange).await {
            Ok(Ok((head, body))) => {
                let answer = Answer::new(told.to_owned(), head, body);
                self.journal.line(format!("← {answer}"));
                return Ok(answer);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("none in {} s", self.patience.as_secs_f32()),
        };
        self.journal.line(format!("← no answer: {came}"));
        Err(Stop::failed(format!("an answer to {told}"), came))
    }
}

/// Writes while it reads: a server may answer before it has taken everything, and hang up.
pub(super) async fn exchange(
    stream: Box<dyn Stream>,
    bytes: &[u8],
    to_head: bool,
) -> Result<(http1::Head, Vec<u8>), http1::ReadError> {
    let (mut reader, mut writer) = split(stream);
    let writing = async {
        // Where writing fails, reading tells what came before that.
        writer.write_all(bytes).await.ok();
        writer.flush().await.ok();
    };
    let reading = http1::read_answer(&mut reader, to_head);
    tokio::pin!(reading);
    tokio::select! {
        answer = &mut reading => answer,
        () = writing => reading.await,
    }
}
