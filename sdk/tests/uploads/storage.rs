//! A place for bytes at a host of its own, over plain sockets, so that it can break off anywhere.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What goes wrong with the next request that carries bytes, or asks for some.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// So many bytes arrive, or are sent, and then the line breaks without an answer.
    CutAfter(usize),
    /// So many bytes are held of those that arrive, and the answer says so.
    HoldOnly(usize),
    /// The answer is this status, and nothing is held.
    Status(u16),
    /// What was held is lost, against the protocol.
    Forget,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    pub content_type: String,
    pub size: usize,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Held {
    pub blobs: HashMap<String, Blob>,
    pub faults: VecDeque<Fault>,
    /// Bytes that arrived, repeated ones too.
    pub arrived: usize,
    /// Bytes that were sent.
    pub sent: usize,
    /// Links with smaller numbers have expired.
    pub links_from: usize,
    /// The heads of all requests.
    pub heads: Vec<String>,
}

#[derive(Clone)]
pub struct Storage {
    pub url: String,
    held: Arc<Mutex<Held>>,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
}

impl Storage {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let storage = Self { url, held: Arc::default() };
        let serving = storage.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let storage = serving.clone();
                // A line that the client breaks is none of the test's business.
                tokio::spawn(async move { drop(storage.serve(socket).await) });
            }
        });
        storage
    }

    pub fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no test has panicked with it")
    }

    pub fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.held().faults.extend(faults);
    }

    pub fn blob(&self, name: &str) -> Option<Blob> {
        self.held().blobs.get(name).cloned()
    }

    /// One request, one answer.
    async fn serve(&self, mut socket: TcpStream) -> std::io::Result<()> {
        let (head, rest) = read_head(&mut socket).await?;
        let request = parse(&head);
        self.held().heads.push(head);
        let length = request.headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
        match (request.method.as_str(), request.path.split('/').collect::<Vec<_>>().as_slice()) {
            ("POST", ["", "start", name]) => {
                let fault = self.held().faults.pop_front_if(|fault| matches!(fault, Fault::Status(_)));
                if let Some(Fault::Status(status)) = fault {
                    return answer(&mut socket, status, &[], b"").await;
                }
                assert_eq!(request.headers.get("x-goog-resumable").map(String::as_str), Some("start"));
                let (name, size) = name.split_once('.').expect("a name and a size");
                let content_type = request.headers.get("content-type").expect("a type").clone();
                let size = size.parse().expect("a size");
                self.held().blobs.insert(name.to_owned(), Blob { content_type, size, bytes: Vec::new() });
                // Relative to what was asked, as it may be.
                answer(&mut socket, 201, &[("location", format!("/put/{name}"))], b"").await
            }
            ("PUT", ["", "put", name]) => self.put(&mut socket, &request, name, length, rest).await,
            ("GET", ["", "get", name, link]) => self.get(&mut socket, &request, name, link).await,
            _ => answer(&mut socket, 404, &[], b"").await,
        }
    }

    async fn put(
        &self,
        socket: &mut TcpStream,
        request: &Request,
        name: &str,
        length: usize,
        mut body: Vec<u8>,
    ) -> std::io::Result<()> {
        let range = request.headers.get("content-range").expect("a range").clone();
        let (range, size) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).expect("a range");
        let fault = if length > 0 { self.held().faults.pop_front() } else { None };
        let wanted = match fault {
            Some(Fault::CutAfter(count)) => count.min(length),
            _ => length,
        };
        while body.len() < wanted {
            let mut some = vec![0; 64 * 1024];
            let count = socket.read(&mut some).await?;
            if count == 0 {
                return Ok(());
            }
            body.extend_from_slice(&some[..count]);
        }
        body.truncate(wanted);
        if self.blob(name).is_none() {
            return answer(socket, 410, &[], b"").await;
        }
        let (status, held) = {
            let mut held = self.held();
            held.arrived += body.len();
            let blob = held.blobs.get_mut(name).expect("it is there");
            assert_eq!(size, blob.size.to_string(), "the size that was stated");
            match fault {
                Some(Fault::HoldOnly(count)) => body.truncate(count),
                Some(Fault::Status(_)) => body.clear(),
                Some(Fault::Forget) => {
                    blob.bytes.clear();
                    body.clear();
                }
                Some(Fault::CutAfter(_)) | None => {}
            }
            if let Some((first, last)) = range.split_once('-') {
                let first: usize = first.parse().expect("a number");
                let last: usize = last.parse().expect("a number");
                assert_eq!(last - first + 1, length, "as many bytes as the range says");
                assert!(last + 1 == blob.size || length.is_multiple_of(256 * 1024), "a multiple of 256 KiB (MED-9)");
                let new = blob.bytes.len().saturating_sub(first).min(body.len());
                assert!(first <= blob.bytes.len() || body.is_empty(), "no gap (MED-11)");
                blob.bytes.extend_from_slice(&body[new..]);
            }
            (if blob.bytes.len() == blob.size { 200 } else { 308 }, blob.bytes.len())
        };
        match fault {
            Some(Fault::CutAfter(_)) => Ok(()),
            Some(Fault::Status(status)) => answer(socket, status, &[], b"").await,
            _ if status == 308 && held > 0 => {
                answer(socket, 308, &[("range", format!("bytes=0-{}", held - 1))], b"").await
            }
            _ => answer(socket, status, &[], b"").await,
        }
    }

    async fn get(&self, socket: &mut TcpStream, request: &Request, name: &str, link: &str) -> std::io::Result<()> {
        if link.parse::<usize>().expect("a number") < self.held().links_from {
            return answer(socket, 403, &[], b"").await;
        }
        let (bytes, fault) = {
            let mut held = self.held();
            (held.blobs.get(name).map(|blob| blob.bytes.clone()).expect("it is there"), held.faults.pop_front())
        };
        if let Some(Fault::Status(status)) = fault {
            return answer(socket, status, &[], b"").await;
        }
        let size = bytes.len();
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let (status, first, end) = match range {
            None => (200, 0, size),
            Some((first, last)) => {
                let first: usize = first.parse().expect("a number");
                let end = last.parse().map_or(size, |last: usize| (last + 1).min(size));
                if first >= size {
                    return answer(socket, 416, &[("content-range", format!("bytes */{size}"))], b"").await;
                }
                (206, first, end)
            }
        };
        let wanted = &bytes[first..end];
        let mut headers = vec![("content-length", wanted.len().to_string())];
        if status == 206 {
            headers.push(("content-range", format!("bytes {first}-{}/{size}", end - 1)));
        }
        let sent = match fault {
            Some(Fault::CutAfter(count)) => &wanted[..count.min(wanted.len())],
            _ => wanted,
        };
        self.held().sent += sent.len();
        answer(socket, status, &headers, sent).await
    }
}

async fn read_head(socket: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8(bytes).expect("text").to_ascii_lowercase(), rest));
        }
        let mut some = [0; 4096];
        match socket.read(&mut some).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => bytes.extend_from_slice(&some[..count]),
        }
    }
}

fn parse(head: &str) -> Request {
    let mut lines = head.lines();
    let mut first = lines.next().expect("a request").split(' ');
    let (method, path) = (first.next().expect("a method").to_uppercase(), first.next().expect("a path").to_owned());
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Request { method, path, headers: headers.collect() }
}

async fn answer(socket: &mut TcpStream, status: u16, headers: &[(&str, String)], body: &[u8]) -> std::io::Result<()> {
    use std::fmt::Write as _;
    let mut head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").expect("a string takes all");
    }
    if !headers.iter().any(|(name, _)| *name == "content-length") {
        head.push_str("content-length: 0\r\n");
    }
    head.push_str("\r\n");
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body).await?;
    socket.shutdown().await
}
