use std::time::Duration;

use i9chat_spec::{Endpoint, ErrorCode, Format, Problem, Token, endpoint::Part};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};

use tokio::time::Instant;

use super::{LoadError, target::Target};

/// How long the server may refuse by its rate before the load gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Calls endpoints over HTTP, to prepare the load. Waits where the server says that it was asked too much.
#[derive(Debug, Clone)]
pub(super) struct Api {
    target: Target,
    http: reqwest::Client,
}

impl Api {
    pub(super) fn new(target: Target) -> Result<Self, LoadError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .map_err(|source| LoadError::Http { endpoint: "the client", source })?;
        Ok(Self { target, http })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    pub(super) async fn call<E: Endpoint>(
        &self,
        token: Option<&Token>,
        path: &E::Path,
        query: &E::Query,
        body: &E::Body,
    ) -> Result<E::Response, LoadError> {
        self.timed::<E>(token, path, query, body).await.map(|(response, _)| response)
    }

    /// As [`call`](Self::call), with the time until the whole answer was there, which it does not take to read it.
    pub(super) async fn timed<E: Endpoint>(
        &self,
        token: Option<&Token>,
        path: &E::Path,
        query: &E::Query,
        body: &E::Body,
    ) -> Result<(E::Response, Duration), LoadError> {
        let url = self.target.http(&E::url(path, query));
        let method = Method::from_bytes(E::METHOD.as_str().as_bytes()).unwrap_or_default();
        let mut waited = Duration::ZERO;
        loop {
            let mut request = self.http.request(method.clone(), &url).header(ACCEPT, Format::Json.media_type());
            if let Some(token) = token {
                request = request.bearer_auth(token.as_str());
            }
            if E::Body::is_present() {
                let body = Format::Json.encode(body).map_err(|error| LoadError::Unexpected(error.to_string()))?;
                request = request.header(CONTENT_TYPE, Format::Json.media_type()).body(body);
            }
            let failed = |source| LoadError::Http { endpoint: E::NAME, source };
            let start = Instant::now();
            let response = request.send().await.map_err(failed)?;
            let status = response.status();
            let bytes = response.bytes().await.map_err(failed)?;
            let took = start.elapsed();
            if status.as_u16() == E::STATUS {
                let bytes = if E::Response::is_present() { &bytes[..] } else { b"{}" };
                return read(E::NAME, bytes).map(|response| (response, took));
            }
            let problem: Problem = read(E::NAME, &bytes)?;
            let wait = Duration::from_millis(problem.retry_after_ms.unwrap_or(1000).max(1));
            if status != StatusCode::TOO_MANY_REQUESTS
                || problem.known() != Some(ErrorCode::RateLimited)
                || waited + wait > PATIENCE
            {
                return Err(LoadError::Refused { endpoint: E::NAME, problem: Box::new(problem) });
            }
            tokio::time::sleep(wait).await;
            waited += wait;
        }
    }

    /// The text of a page that is not part of the protocol, if the server has it.
    pub(super) async fn page(&self, path: &str) -> Option<String> {
        let response = self.http.get(self.target.http(path)).send().await.ok()?;
        if response.status() == StatusCode::OK { response.text().await.ok() } else { None }
    }
}

fn read<T: serde::de::DeserializeOwned>(endpoint: &'static str, bytes: &[u8]) -> Result<T, LoadError> {
    Format::Json
        .decode(bytes)
        .map_err(|error| LoadError::Unexpected(format!("{endpoint} answered what is not in the protocol: {error}")))
}
