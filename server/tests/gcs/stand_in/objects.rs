//! Reading, copying and listing what is in the bucket.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Method, Response, StatusCode, header, response::Builder},
};
use futures_util::stream;

use super::{Asked, BUCKET, Google, Object};
use crate::signature::unescaped;

impl Google {
    /// Puts an object under a name, if the condition allows it.
    pub(super) fn put(&mut self, name: &str, object: Object, must_be_new: bool) -> Result<(), StatusCode> {
        if must_be_new && self.objects.contains_key(name) {
            return Err(StatusCode::PRECONDITION_FAILED);
        }
        self.generations += 1;
        self.objects.insert(name.to_owned(), Object { generation: self.generations, ..object });
        Ok(())
    }

    /// What the server itself stores in one go.
    pub(super) fn store(&mut self, asked: &Asked<'_>, bytes: &Bytes) -> Result<Response<Body>, StatusCode> {
        if asked.is_signed_url {
            return Err(StatusCode::FORBIDDEN);
        }
        let object = Object {
            bytes: bytes.to_vec(),
            content_type: asked.header("content-type").map(ToOwned::to_owned),
            content_encoding: None,
            content_disposition: None,
            generation: 0,
        };
        self.put(&asked.name, object, false)?;
        let answer = Response::builder().header(header::ETAG, format!("\"{}\"", self.generations));
        Ok(answer.header("x-goog-generation", self.generations).body(Body::empty()).unwrap())
    }

    pub(super) fn copy(&mut self, asked: &Asked<'_>) -> Result<Response<Body>, StatusCode> {
        if asked.is_signed_url {
            return Err(StatusCode::FORBIDDEN);
        }
        let must_be_new = asked.header("x-goog-if-generation-match") == Some("0");
        let source = asked.header("x-goog-copy-source").and_then(unescaped).ok_or(StatusCode::BAD_REQUEST)?;
        let source = source.strip_prefix(&format!("{BUCKET}/")).ok_or(StatusCode::BAD_REQUEST)?;
        if let Some(change) = self.before_copy.take() {
            change(&mut self.objects);
        }
        let object = self.objects.get(source).cloned().ok_or(StatusCode::NOT_FOUND)?;
        self.put(&asked.name, object, must_be_new)?;
        Ok(Response::new(Body::from("<CopyObjectResult><ETag>\"copied\"</ETag></CopyObjectResult>")))
    }

    pub(super) fn list(&self, asked: &Asked<'_>) -> Response<Body> {
        let prefix = asked.parameter("prefix").unwrap_or_default();
        let is_listed = |name: &&String| name.starts_with(prefix);
        let entry = |name: &String| {
            let size = self.objects[name].bytes.len();
            format!(
                "<Contents><Key>{name}</Key><Size>{size}</Size><ETag>\"{name}\"</ETag>\
                 <LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            )
        };
        let entries: String = self.objects.keys().filter(is_listed).take(1).map(entry).collect();
        Response::new(Body::from(format!("<ListBucketResult>{entries}</ListBucketResult>")))
    }

    pub(super) fn read(&self, asked: &Asked<'_>) -> Result<Response<Body>, StatusCode> {
        let object = self.objects.get(&asked.name).ok_or(StatusCode::NOT_FOUND)?;
        let size = object.bytes.len();
        let said = |parameter: &str, stored: &Option<String>| {
            let asked = asked.parameter(parameter).filter(|_| asked.is_signed_url);
            asked.map(ToOwned::to_owned).or_else(|| stored.clone())
        };
        let mut response = Response::builder()
            .header(header::ETAG, format!("\"{}\"", object.generation))
            .header(header::LAST_MODIFIED, "Thu, 01 Jan 2026 00:00:00 GMT")
            .header("x-goog-generation", object.generation);
        let headers = [
            (header::CONTENT_TYPE, said("response-content-type", &object.content_type)),
            (header::CONTENT_DISPOSITION, said("response-content-disposition", &object.content_disposition)),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                response = response.header(name, value);
            }
        }
        if object.content_encoding.is_some() {
            let takes_it = asked.header("accept-encoding").is_some_and(|taken| taken.contains("gzip"));
            return Ok(encoded(response, object, takes_it));
        }
        // Several ranges are not answered as such.
        let range = asked.header("range").filter(|range| !range.contains(','));
        let (status, range) = match range.map(|range| within(range, size)) {
            None => (StatusCode::OK, 0..size),
            Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(None) => {
                let response = response.status(StatusCode::RANGE_NOT_SATISFIABLE);
                return Ok(response
                    .header(header::CONTENT_RANGE, format!("bytes */{size}"))
                    .body(Body::empty())
                    .unwrap());
            }
        };
        if status == StatusCode::PARTIAL_CONTENT {
            response =
                response.header(header::CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        let response = response.status(status).header(header::CONTENT_LENGTH, range.len());
        let is_head = asked.parts.method == Method::HEAD;
        let body = if is_head { Body::empty() } else { Body::from(object.bytes[range].to_vec()) };
        Ok(response.body(body).unwrap())
    }
}

/// What is stored encoded comes as it is to whom takes that, and else decoded, which is of a size that nobody knows yet.
fn encoded(response: Builder, object: &Object, takes_it: bool) -> Response<Body> {
    let bytes = object.bytes.clone();
    if takes_it {
        let encoding = HeaderValue::from_str(object.content_encoding.as_ref().unwrap()).unwrap();
        return response.header(header::CONTENT_ENCODING, encoding).body(Body::from(bytes)).unwrap();
    }
    let decoded = stream::iter([Ok::<_, std::io::Error>(bytes)]);
    response.body(Body::from_stream(decoded)).unwrap()
}

/// `bytes=<first>-[<last>]` or `bytes=-<length>`.
fn within(range: &str, size: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, size.min(last + 1)),
        (Ok(first), Err(_)) => (first, size),
        (Err(_), Ok(length)) => (size.saturating_sub(length), size),
        (Err(_), Err(_)) => return None,
    };
    (first < end).then_some(first..end)
}
