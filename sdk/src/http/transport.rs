use std::{sync::Arc, time::Duration};

use i9chat_spec::{Endpoint, Format, Method, Problem, Token, endpoint::Part};
use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use url::Url;

use crate::Error;

pub(crate) const USER_AGENT: &str = concat!("i9chat-sdk/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest page of the largest messages is well below.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// One server, one encoding, one set of trusted certificates; no sessions, no retries.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
    server: Url,
    format: Format,
    tls: Arc<ClientConfig>,
}

impl Transport {
    pub(crate) fn new(server: &str, format: Format) -> Result<Self, Error> {
        let url = Url::parse(server).map_err(|error| Error::InvalidUrl(format!("{server}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(Error::InvalidUrl(format!("{server}: it reads like https://chat.example")));
        }
        let tls = tls()?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            // The protocol has no redirects, and a token is for one server only.
            .redirect(redirect::Policy::none())
            // The WebSocket goes straight to the server too.
            .no_proxy()
            .build()
            .map_err(|error| Error::Tls(error.into()))?;
        Ok(Self { client, server: url, format, tls: Arc::new(tls) })
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.tls)
    }

    /// The server's address, without a slash at its end.
    pub(crate) fn server(&self) -> &str {
        self.server.as_str().trim_end_matches('/')
    }

    /// One request and its answer.
    pub(crate) async fn exchange<E: Endpoint>(
        &self,
        request: &Request,
        token: Option<&Token>,
    ) -> Result<E::Response, Error> {
        let mut call = self
            .client
            .request(request.method.clone(), &request.url)
            .header(ACCEPT, self.format.media_type())
            .header("x-request-id", uuid::Uuid::new_v4().simple().to_string());
        if let Some(token) = token {
            call = call.header(AUTHORIZATION, bearer(token)?);
        }
        if let Some(body) = &request.body {
            call = call.header(CONTENT_TYPE, self.format.media_type()).body(body.clone());
        }
        let answer = call.send().await.map_err(network)?;
        let status = answer.status();
        let format = format_of(&answer);
        let bytes = read(answer).await?;
        if status.as_u16() == E::STATUS {
            let (format, bytes) =
                if E::Response::is_present() { (format, bytes) } else { (Some(Format::Json), b"{}".into()) };
            let format = format.ok_or_else(|| Error::Unexpected(format!("{} in another encoding", E::NAME)))?;
            return format.decode(&bytes).map_err(|error| Error::Unexpected(format!("{}: {error}", E::NAME)));
        }
        match format.and_then(|format| format.decode::<Problem>(&bytes).ok()) {
            Some(problem) => Err(problem.into()),
            None if is_gateway(status) => Err(Error::Gateway(status.as_u16())),
            None => Err(Error::Unexpected(format!("{} was answered with status {status}", E::NAME))),
        }
    }
}

/// A request that can be made any number of times.
#[derive(Debug)]
pub(crate) struct Request {
    method: reqwest::Method,
    url: String,
    body: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn of<E: Endpoint>(
        transport: &Transport,
        path: &E::Path,
        query: &E::Query,
        body: &E::Body,
    ) -> Result<Self, Error> {
        let method = match E::METHOD {
            Method::GET => reqwest::Method::GET,
            Method::POST => reqwest::Method::POST,
            Method::PUT => reqwest::Method::PUT,
            Method::PATCH => reqwest::Method::PATCH,
            Method::DELETE => reqwest::Method::DELETE,
        };
        let body = if E::Body::is_present() {
            Some(transport.format.encode(body).map_err(|error| Error::Unexpected(error.to_string()))?)
        } else {
            None
        };
        Ok(Self { method, url: format!("{}{}", transport.server(), E::url(path, query)), body })
    }
}

/// The header that carries a token, marked so that no log shows it.
pub(crate) fn bearer(token: &Token) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.as_str()))
        .map_err(|_| Error::Unexpected("a token that no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The provider is named, since a program with two of them in its binary has no default. Trust is the platform's.
fn tls() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| Error::Tls(error.into()))?;
    Ok(config.with_no_client_auth())
}

fn network(error: reqwest::Error) -> Error {
    Error::Network(error.without_url().into())
}

fn format_of(answer: &Response) -> Option<Format> {
    let named = answer.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let named = named.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Format::ALL.iter().copied().find(|format| named == format.media_type() || named == format.problem_type())
}

async fn read(mut answer: Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(network)? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(Error::Unexpected(format!("an answer of more than {MAX_ANSWER_BYTES} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn is_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
