//! The way of the bytes: resumable uploads as Google Cloud Storage has them, and links. (MED-8 to MED-12, MED-23)

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use url::Url;

use crate::{
    client::{Answer, Client, Request, dial::Origin},
    expect::check,
    verdict::{Stop, Verdict},
};

/// More requests than this for one part get nowhere.
const MOST_REQUESTS: usize = 100;

/// Where a URL leads: perhaps to another host. Whoever goes there takes no token along. (MED-8)
#[derive(Debug, Clone)]
pub struct Place {
    client: Client,
    path: String,
}

impl Place {
    /// Where a URL leads that came as the answer of a path; it may be relative to it. (MED-8)
    pub fn resolve(asked: &Client, asked_path: &str, url: &str) -> Verdict<Self> {
        let wrong = || Stop::failed("a URL, absolute or relative to the one that was asked", url);
        let base = Url::parse(&format!("{}{asked_path}", asked.origin().as_header())).map_err(|_| wrong())?;
        let url = base.join(url).map_err(|_| wrong())?;
        let root = url.join("/").map_err(|_| wrong())?;
        let origin = Origin::try_from(root.as_str()).map_err(|_| wrong())?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self { client: Client { origin, ..asked.anonymous() }, path })
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host that it is at.
    pub fn origin(&self) -> &Origin {
        self.client.origin()
    }

    /// The same place with another path and query.
    #[must_use]
    pub fn with_path(&self, path: impl Into<String>) -> Self {
        Self { client: self.client.clone(), path: path.into() }
    }

    /// A request for it, which is not one of the protocol's endpoints. (MED-27)
    pub fn request(&self, method: &str) -> Request {
        self.client.request(method, self.path.clone()).unjudged()
    }

    /// A `GET`.
    pub fn get(&self) -> Request {
        self.request("GET")
    }

    /// The request that starts a resumable upload of that type. (MED-8)
    pub fn starting(&self, content_type: &str) -> Request {
        self.request("POST").header("Content-Type", content_type).header("x-goog-resumable", "start")
    }

    /// Starts an upload of so many bytes, and answers where they go. (MED-8)
    pub async fn starts(&self, content_type: &str, size: usize) -> Verdict<Transfer> {
        let answer = self.starting(content_type).send().await?;
        answer.has_status(201)?;
        let place = Self::resolve(&self.client, &self.path, answer.needs_header("location")?)?;
        Ok(Transfer { place, size })
    }

    /// Uploads all of these bytes in one request, as far as the server lets it.
    pub async fn takes(&self, content_type: &str, bytes: &[u8]) -> Verdict {
        self.starts(content_type, bytes.len()).await?.finishes(bytes).await
    }

    /// Each place that differs from this one in a single character of its path or query: a digit became another digit, a letter
    /// another letter, so that whatever it is written in can still be read. At most so many, spread over the whole.
    pub fn altered(&self, most: usize) -> Vec<Self> {
        let characters: Vec<char> = self.path.chars().collect();
        let alterable: Vec<usize> =
            (0..characters.len()).filter(|at| characters.get(*at).is_some_and(char::is_ascii_alphanumeric)).collect();
        let step = alterable.len().div_ceil(most.max(1)).max(1);
        alterable
            .into_iter()
            .rev()
            .step_by(step)
            .map(|at| {
                let path = characters
                    .iter()
                    .enumerate()
                    .map(|(here, character)| if here == at { neighbour(*character) } else { *character });
                self.with_path(path.collect::<String>())
            })
            .collect()
    }
}

/// Another digit for a digit, another letter of the same case for a letter. In hexadecimal digits they stay what they are.
fn neighbour(character: char) -> char {
    match character {
        '9' => '0',
        'f' => 'a',
        'F' => 'A',
        'z' => 'g',
        'Z' => 'G',
        '0'..='8' | 'a'..='e' | 'g'..='y' | 'A'..='E' | 'G'..='Y' => {
            char::from_u32(u32::from(character) + 1).unwrap_or(character)
        }
        other => other,
    }
}

/// How far an upload has got. (MED-9)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The server holds so many bytes from the beginning, and bytes are missing.
    Held(usize),
    /// Nothing is missing.
    Done,
}

/// A resumable upload that was started. (MED-9)
#[derive(Debug, Clone)]
pub struct Transfer {
    place: Place,
    size: usize,
}

impl Transfer {
    /// Where the bytes go.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// A `PUT` with this `Content-Range`.
    pub fn putting(&self, range: &str, bytes: &[u8]) -> Request {
        self.place.request("PUT").header("Content-Range", range).untyped_body(bytes)
    }

    /// Sends bytes, the first of which has this place in the whole. (MED-9)
    pub async fn puts(&self, first: usize, bytes: &[u8]) -> Verdict<Answer> {
        let last = (first + bytes.len()).saturating_sub(1);
        self.putting(&format!("bytes {first}-{last}/{}", self.size), bytes).send().await
    }

    /// Asks how far the upload has got. (MED-10)
    pub async fn asks(&self) -> Verdict<Progress> {
        self.progress(&self.putting(&format!("bytes */{}", self.size), &[]).send().await?)
    }

    /// Reads how far the upload has got from an answer. (MED-9)
    pub fn progress(&self, answer: &Answer) -> Verdict<Progress> {
        match (answer.status, answer.header("range")) {
            (200, _) => Ok(Progress::Done),
            (308, None) => Ok(Progress::Held(0)),
            (308, Some(range)) => {
                let last = range.strip_prefix("bytes=0-").and_then(|last| last.parse::<usize>().ok());
                let last = last.filter(|last| last + 1 < self.size);
                last.map(|last| Progress::Held(last + 1)).ok_or_else(|| {
                    Stop::failed(format!("Range: bytes=0-<last> of less than {} bytes", self.size), range)
                })
            }
            _ => Err(answer.other_than("308, or 200 when nothing is missing")),
        }
    }

    /// Sends whatever is missing of these bytes, and goes on until nothing is.
    pub async fn finishes(&self, bytes: &[u8]) -> Verdict {
        let mut held = match self.asks().await? {
            Progress::Done => return Ok(()),
            Progress::Held(held) => held,
        };
        for _ in 0..MOST_REQUESTS {
            let answer = self.puts(held, bytes.get(held..).unwrap_or_default()).await?;
            match self.progress(&answer)? {
                Progress::Done => return Ok(()),
                Progress::Held(now) => {
                    check(now > held, || (format!("more than {held} bytes held"), now.to_string()))?;
                    held = now;
                }
            }
        }
        Err(Stop::failed("an upload that ends", format!("{MOST_REQUESTS} requests, and bytes are still missing")))
    }

    /// Announces all of the bytes, sends so many of them, and breaks the connection off.
    pub async fn breaks_off_after(&self, bytes: &[u8], sent: usize) -> Verdict {
        let last = self.size.saturating_sub(1);
        let head = format!(
            "PUT {} HTTP/1.1\r\nHost: {}\r\nContent-Range: bytes 0-{last}/{size}\r\nContent-Length: {size}\r\n\r\n",
            self.place.path,
            self.place.origin().authority(),
            size = self.size,
        );
        let broken = |error: std::io::Error| Stop::Inconclusive(format!("breaking an upload off: {error}"));
        self.place
            .client
            .journal
            .line(format!("→ PUT {} | {sent} of {} bytes, and a break", self.place.path, self.size));
        let mut stream = self.place.client.origin.dial(self.place.client.source).await.map_err(broken)?;
        stream.write_all(head.as_bytes()).await.map_err(broken)?;
        stream.write_all(bytes.get(..sent).unwrap_or(bytes)).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        Ok(())
    }
}

impl From<Progress> for Value {
    fn from(progress: Progress) -> Self {
        match progress {
            Progress::Held(held) => Self::from(held),
            Progress::Done => Self::from("done"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::journal::Journal;

    fn client() -> Client {
        Client {
            origin: Origin::try_from("http://127.0.0.1:8080").unwrap(),
            source: None,
            patience: Duration::from_secs(1),
            credentials: None,
            journal: Arc::<Journal>::default(),
        }
    }

    #[test]
    fn urls_lead_to_this_host_or_another_one() {
        for (url, host, path) in [
            ("/media/x?sig=1", "127.0.0.1:8080", "/media/x?sig=1"),
            ("x/y", "127.0.0.1:8080", "/v1/x/y"),
            ("?a=b", "127.0.0.1:8080", "/v1/uploads?a=b"),
            ("https://bucket.example/o/n?X-Goog-Signature=00", "bucket.example", "/o/n?X-Goog-Signature=00"),
            ("//other.example:81/z", "other.example:81", "/z"),
        ] {
            let place = Place::resolve(&client(), "/v1/uploads", url).unwrap();
            assert_eq!((place.origin().authority().as_str(), place.path()), (host, path));
        }
        assert!(Place::resolve(&client(), "/v1/uploads", "ftp://a.example/x").is_err());
    }

    #[test]
    fn an_altered_url_differs_in_one_character() {
        let place = Place::resolve(&client(), "/", "/m/zZ9f?s=aF09").unwrap();
        let altered = place.altered(100);
        assert_eq!(altered.len(), 10);
        for other in altered {
            let different = place.path().chars().zip(other.path().chars()).filter(|(one, other)| one != other).count();
            assert_eq!((different, other.path().len()), (1, place.path().len()), "{}", other.path());
        }
        assert!(place.altered(3).len() <= 3);
    }
}
