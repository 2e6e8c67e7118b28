//! From a request to a handler and back, the same way for every endpoint. The order of the checks is ERR-8's.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts},
    routing::{MethodFilter, on},
};
use futures_util::StreamExt;
use i9chat_spec::{
    Access, DecodeError, Endpoint, ErrorCode, FieldCode, FieldError, Format, Method, Problem, RequestId,
    codec::field_error, endpoint::Part, error::NoRefusal,
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    Site,
    accept::{named_format, negotiate},
    caller,
    guard::Page,
    problem::{REQUEST_ID, detail, problem_of, respond},
};
use crate::{
    app::{Admitted, Answer, App, Call, CookieChange, Failure, Handle, Identity, Unidentified},
    bus::{Network, RateKey},
};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// How much of a body that is too large is read all the same, so that the caller gets to see why it was refused.
const DRAIN_BYTES: usize = 1024 * 1024;

/// Adds the route of an endpoint. Asks for its handler: without one this does not compile.
pub(super) fn mount<E: Endpoint>(router: Router<Site>) -> Router<Site>
where
    App: Handle<E>,
    E::Caller: Admitted,
{
    let method = match E::METHOD {
        Method::GET => MethodFilter::GET,
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
    };
    router.route(E::PATH, on(method, serve::<E>))
}

async fn serve<E: Endpoint>(
    State(site): State<Site>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body>
where
    App: Handle<E>,
    E::Caller: Admitted,
{
    let started = std::time::Instant::now();
    let (parts, body) = request.into_parts();
    let exchange = Exchange::of(&site, &parts.headers);
    let response = match exchange.run::<E>(&site, peer, parts, body).await {
        Ok(response) => response,
        Err(problem) => respond(&problem, exchange.format.unwrap_or(Format::Json)),
    };
    metrics::counter!("i9chat_requests_total", "endpoint" => E::NAME, "status" => response.status().as_u16().to_string())
        .increment(1);
    metrics::histogram!("i9chat_request_seconds", "endpoint" => E::NAME).record(started.elapsed().as_secs_f64());
    tracing::debug!(
        request_id = exchange.request_id.as_str(),
        endpoint = E::NAME,
        status = response.status().as_u16(),
        "answered"
    );
    response
}

pub(super) async fn no_such_endpoint(State(site): State<Site>, headers: HeaderMap) -> Response<Body> {
    let exchange = Exchange::of(&site, &headers);
    respond(&exchange.problem(ErrorCode::NoSuchEndpoint), exchange.format.unwrap_or(Format::Json))
}

pub(super) async fn method_not_allowed(State(site): State<Site>, headers: HeaderMap) -> Response<Body> {
    let exchange = Exchange::of(&site, &headers);
    respond(&exchange.problem(ErrorCode::MethodNotAllowed), exchange.format.unwrap_or(Format::Json))
}

/// One request and its answer.
pub(super) struct Exchange {
    pub(super) request_id: RequestId,
    /// What the caller reads; `None` when they take neither.
    pub(super) format: Option<Format>,
}

impl Exchange {
    pub(super) fn of(site: &Site, headers: &HeaderMap) -> Self {
        Self { request_id: caller::request_id(&site.app, headers), format: negotiate(headers) }
    }

    pub(super) fn problem(&self, code: ErrorCode) -> Box<Problem> {
        Box::new(Problem::new(code, detail(code), self.request_id.clone()))
    }

    fn failed<R: i9chat_spec::Refusal>(&self, failure: &Failure<R>) -> Box<Problem> {
        if matches!(failure, Failure::Internal) {
            tracing::error!(request_id = self.request_id.as_str(), "a request failed");
        }
        Box::new(problem_of(failure, self.request_id.clone()))
    }

    pub(super) fn invalid(&self, fault: FieldError) -> Box<Problem> {
        self.failed(&Failure::<NoRefusal>::Invalid(fault))
    }

    async fn run<E: Endpoint>(
        &self,
        site: &Site,
        peer: SocketAddr,
        mut parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, Box<Problem>>
    where
        App: Handle<E>,
        E::Caller: Admitted,
    {
        // A redirect has no body that could be of the wrong type. (MED-22)
        let named = named_format(&parts.headers).filter(|_| E::REDIRECTS);
        let format = named.or(self.format).or(E::REDIRECTS.then_some(Format::Json));
        let format = format.ok_or_else(|| self.problem(ErrorCode::NotAcceptable))?;
        if E::METHOD.is_unsafe() && site.allowed.page(&parts.headers) == Page::Foreign {
            return Err(self.problem(ErrorCode::ForeignOrigin));
        }
        let origin = caller::origin(&parts.headers, peer, &site.allowed.proxies);
        let identity = if E::Caller::SIGNED_IN {
            let identity = self.identify(site, &parts.headers).await;
            let key = identity
                .as_ref()
                .map_or(RateKey::Network(Network::of(origin.address)), |who| RateKey::User(who.user.user_id));
            self.count(site, key).await?;
            Some(identity?)
        } else {
            self.count(site, RateKey::Network(Network::of(origin.address))).await?;
            None
        };
        let who = E::Caller::admit(identity).ok_or_else(|| self.problem(ErrorCode::Unauthenticated))?;
        let body = self.body::<E::Body>(site, &parts.headers, body).await?;
        let path = self.path::<E::Path>(&mut parts).await?;
        let query = self.query::<E::Query>(parts.uri.query().unwrap_or_default())?;
        let call = Call { caller: who, path, query, body, origin };
        let answer = site.app.handle(call).await.map_err(|failure| self.failed(&failure))?;
        self.answer::<E>(site, format, &parts.headers, answer)
    }

    async fn identify(&self, site: &Site, headers: &HeaderMap) -> Result<Identity, Box<Problem>> {
        let credential = caller::credential(headers).ok_or_else(|| self.problem(ErrorCode::Unauthenticated))?;
        site.app.identify(&credential).await.map_err(|unidentified| match unidentified {
            Unidentified::TokenInvalid => self.problem(ErrorCode::TokenInvalid),
            Unidentified::TokenExpired => self.problem(ErrorCode::TokenExpired),
            Unidentified::SessionEnded => self.problem(ErrorCode::SessionEnded),
            Unidentified::Failed(failure) => self.failed(&failure),
        })
    }

    async fn count(&self, site: &Site, key: RateKey) -> Result<(), Box<Problem>> {
        site.count(key).await.map_err(|delay| self.failed(&Failure::<NoRefusal>::RateLimited(delay)))
    }

    async fn path<T: Part>(&self, parts: &mut Parts) -> Result<T, Box<Problem>> {
        let parameters = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| {
            self.invalid(FieldError {
                field: String::new(),
                code: FieldCode::BadFormat,
                message: "the path is not UTF-8".to_owned(),
            })
        })?;
        let pairs = serde::de::value::MapDeserializer::new(parameters.iter());
        let parsed: Result<T, serde_path_to_error::Error<serde::de::value::Error>> =
            serde_path_to_error::deserialize(pairs);
        parsed.map_err(|error| self.invalid(field_error(&error.path().to_string(), &error.inner().to_string())))
    }

    fn query<T: DeserializeOwned>(&self, query: &str) -> Result<T, Box<Problem>> {
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded(query));
        serde_path_to_error::deserialize(pairs)
            .map_err(|error| self.invalid(field_error(&error.path().to_string(), &error.inner().to_string())))
    }

    async fn body<T: Part>(&self, site: &Site, headers: &HeaderMap, body: Body) -> Result<T, Box<Problem>> {
        if !T::is_present() {
            let nothing: Result<T, _> = Format::Json.decode(b"{}");
            return nothing.map_err(|_| self.problem(ErrorCode::Internal));
        }
        let format = content_format(headers).ok_or_else(|| self.problem(ErrorCode::UnsupportedMediaType))?;
        let most = usize::try_from(site.app.limits.max_body_bytes).unwrap_or(usize::MAX);
        let bytes = match timeout(BODY_TIME, read(body, most)).await {
            Ok(Read::Whole(bytes)) => bytes,
            Ok(Read::TooLarge) => return Err(self.problem(ErrorCode::PayloadTooLarge)),
            Ok(Read::Broken) => return Err(self.problem(ErrorCode::MalformedBody)),
            Err(_) => return Err(self.problem(ErrorCode::RequestTimeout)),
        };
        format.decode(&bytes).map_err(|error| match error {
            DecodeError::Malformed(detail) => Box::new(Problem { detail, ..*self.problem(ErrorCode::MalformedBody) }),
            DecodeError::Invalid(fault) => self.invalid(fault),
        })
    }

    fn answer<E: Endpoint>(
        &self,
        site: &Site,
        format: Format,
        asked: &HeaderMap,
        answer: Answer<E::Response>,
    ) -> Result<Response<Body>, Box<Problem>> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(E::STATUS).unwrap_or(StatusCode::OK);
        let location = answer.location.as_deref().filter(|_| E::REDIRECTS && named_format(asked).is_none());
        if let Some(location) = location {
            let location = HeaderValue::from_str(location).map_err(|_| self.problem(ErrorCode::Internal))?;
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::LOCATION, location);
        } else if E::Response::is_present() {
            let bytes = format.encode(&answer.body).map_err(|_| self.problem(ErrorCode::Internal))?;
            *response.body_mut() = Body::from(bytes);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
        }
        let headers = response.headers_mut();
        let cached = if E::REDIRECTS { "private, no-store" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        if let Ok(request_id) = HeaderValue::from_str(self.request_id.as_str()) {
            headers.insert(REQUEST_ID, request_id);
        }
        if let Some(change) = answer.cookie
            && let Ok(cookie) = HeaderValue::from_str(&cookie(change, site.allowed.cookie_is_secure(asked)))
        {
            headers.insert(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

/// The `Set-Cookie` of a change. (CAL-5)
fn cookie(change: CookieChange, secure: bool) -> String {
    let name = caller::COOKIE;
    let (secret, seconds) = match change {
        CookieChange::Set { secret, max_age } => (secret, max_age.as_secs()),
        CookieChange::Clear => (String::new(), 0),
    };
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={secret}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}")
}

/// The encoding that `Content-Type` names. (CNV-2)
fn content_format(headers: &HeaderMap) -> Option<Format> {
    let named = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = named.split(';').next().unwrap_or_default().trim();
    Format::ALL.iter().copied().find(|format| essence.eq_ignore_ascii_case(format.media_type()))
}

enum Read {
    Whole(Bytes),
    TooLarge,
    Broken,
}

/// Reads a body of at most so many bytes.
async fn read(body: Body, most: usize) -> Read {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return Read::Broken };
        length += chunk.len();
        if length > DRAIN_BYTES {
            return Read::TooLarge;
        }
        if length <= most {
            bytes.extend_from_slice(&chunk);
        }
    }
    if length > most { Read::TooLarge } else { Read::Whole(bytes.into()) }
}

fn form_urlencoded(query: &str) -> url::form_urlencoded::Parse<'_> {
    url::form_urlencoded::parse(query.as_bytes())
}
