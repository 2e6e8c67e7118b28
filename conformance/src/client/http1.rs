//! HTTP/1.1 as bytes: enough to read any answer, and to see exactly what came.

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes of an answer that are read.
const MOST: usize = 8 * 1024 * 1024;
const MOST_HEADERS: usize = 100;

/// Why an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// The connection was closed before the answer was whole.
    #[error("the connection was closed {0}")]
    Closed(&'static str),
    /// What came is not HTTP/1.1.
    #[error("something that is not HTTP/1.1: {0}")]
    NotHttp(String),
}

/// The status line and headers of an answer.
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// Reads one answer: its head, its body, and what came after them on the connection.
pub async fn read_answer(stream: &mut (impl AsyncRead + Unpin), to_head: bool) -> Result<(Head, Vec<u8>), ReadError> {
    let (mut head, mut rest) = read_head(stream, Vec::new()).await?;
    // Interim answers such as 100 come before the one that counts.
    while head.status < 200 && head.status != 101 {
        (head, rest) = read_head(stream, rest).await?;
    }
    if to_head || head.status == 204 || head.status == 304 {
        return Ok((head, rest));
    }
    let chunked = head.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let body = if chunked {
        read_chunks(stream, rest).await?
    } else if let Some(length) = head.header("content-length") {
        let length = length.parse().map_err(|_| ReadError::NotHttp(format!("Content-Length: {length}")))?;
        let mut body = read_at_least(stream, rest, length, "in the middle of a body").await?;
        body.truncate(length);
        body
    } else {
        read_to_end(stream, rest).await?
    };
    Ok((head, body))
}

/// Reads a head, and answers what of the body came with it.
pub async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    mut bytes: Vec<u8>,
) -> Result<(Head, Vec<u8>), ReadError> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        match answer.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => {
                let headers = answer
                    .headers
                    .iter()
                    .map(|header| (header.name.to_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
                    .collect();
                let head = Head { status: answer.code.unwrap_or_default(), headers };
                return Ok((head, bytes.split_off(length)));
            }
            Ok(httparse::Status::Partial) if bytes.len() < MOST => {}
            Ok(httparse::Status::Partial) => return Err(ReadError::NotHttp("a head without an end".to_owned())),
            Err(error) => return Err(ReadError::NotHttp(error.to_string())),
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(ReadError::Closed(if bytes.is_empty() {
                "without an answer"
            } else {
                "in the middle of a head"
            }));
        }
    }
}

async fn read_at_least(
    stream: &mut (impl AsyncRead + Unpin),
    mut bytes: Vec<u8>,
    length: usize,
    place: &'static str,
) -> Result<Vec<u8>, ReadError> {
    if length > MOST {
        return Err(ReadError::NotHttp(format!("a body of {length} bytes")));
    }
    while bytes.len() < length {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(ReadError::Closed(place));
        }
    }
    Ok(bytes)
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin), mut bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    while bytes.len() < MOST && stream.read_buf(&mut bytes).await? > 0 {}
    Ok(bytes)
}

async fn read_chunks(stream: &mut (impl AsyncRead + Unpin), mut bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    const PLACE: &str = "in the middle of a chunked body";
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(&bytes) {
            Ok(httparse::Status::Complete((start, size))) => {
                let size = usize::try_from(size).unwrap_or(usize::MAX).min(MOST + 1);
                bytes = read_at_least(stream, bytes, start + size + 2, PLACE).await?;
                if size == 0 {
                    return Ok(body);
                }
                body.extend(bytes.iter().skip(start).take(size));
                bytes.drain(..start + size + 2);
            }
            Ok(httparse::Status::Partial) => {
                let more = bytes.len() + 1;
                bytes = read_at_least(stream, bytes, more, PLACE).await?;
            }
            Err(_) => return Err(ReadError::NotHttp("a chunk without a size".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> Result<(Head, Vec<u8>), ReadError> {
        read_answer(&mut bytes, false).await
    }

    #[tokio::test]
    async fn a_body_is_read_by_its_length() {
        let (head, body) =
            read(b"HTTP/1.1 200 OK\r\nX-Request-Id: 7\r\nContent-Length: 2\r\n\r\n{}rest").await.unwrap();
        assert_eq!((head.status, head.header("x-request-id"), body.as_slice()), (200, Some("7"), b"{}".as_slice()));
    }

    #[tokio::test]
    async fn a_body_in_chunks_is_put_together() {
        let (_, body) =
            read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{\"\r\n3\r\n\":1\r\n1\r\n}\r\n0\r\n\r\n")
                .await
                .unwrap();
        assert_eq!(body, b"{\"\":1}");
    }

    #[tokio::test]
    async fn a_body_without_a_length_goes_to_the_end() {
        let (_, body) = read(b"HTTP/1.1 404 No\r\n\r\nabc").await.unwrap();
        assert_eq!(body, b"abc");
    }

    #[tokio::test]
    async fn interim_answers_are_passed_over() {
        let (head, body) =
            read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
        assert_eq!((head.status, body.as_slice()), (200, b"{}".as_slice()));
    }

    #[tokio::test]
    async fn what_is_cut_short_is_said() {
        assert!(matches!(read(b"").await, Err(ReadError::Closed("without an answer"))));
        assert!(matches!(read(b"HTTP/1.1 200").await, Err(ReadError::Closed("in the middle of a head"))));
        assert!(matches!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}").await, Err(ReadError::Closed(_))));
        assert!(matches!(read(b"SSH-2.0-x\r\n").await, Err(ReadError::NotHttp(_))));
    }
}
