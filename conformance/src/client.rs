//! The suite's own client: HTTP and WebSocket as bytes, so that it can do what no well-behaved client does, and sees what came.

#![expect(clippy::indexing_slicing, reason = "a JSON value answers null for a field that it does not have")]

pub mod answer;
pub mod dial;
pub mod handshake;
pub mod http1;
mod judge;
pub mod request;
pub mod socket;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use dial::Origin;

pub use answer::Answer;
pub use handshake::{Handshake, Refused, Upgrade};
pub use request::Request;
pub use socket::{Closed, Frame, Socket};

use crate::journal::Journal;

/// How a request says who it is from. (CAL-1)
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// `Authorization: Bearer <token>`.
    Token(String),
    /// `Cookie: i9chat_session=<secret>`.
    Cookie(String),
}

/// One client: a place that it talks to, and who it is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) origin: Origin,
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) patience: Duration,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) journal: Arc<Journal>,
}

impl Client {
    /// A `GET`.
    pub fn get(&self, path: impl Into<String>) -> Request {
        self.request("GET", path)
    }

    /// A `POST` of a JSON body.
    pub fn post(&self, path: impl Into<String>, body: &serde_json::Value) -> Request {
        self.request("POST", path).json(body)
    }

    /// A `PATCH` of a JSON body.
    pub fn patch(&self, path: impl Into<String>, body: &serde_json::Value) -> Request {
        self.request("PATCH", path).json(body)
    }

    /// A `PUT` without a body.
    pub fn put(&self, path: impl Into<String>) -> Request {
        self.request("PUT", path)
    }

    /// A `DELETE`.
    pub fn delete(&self, path: impl Into<String>) -> Request {
        self.request("DELETE", path)
    }

    /// A request by any method, with the client's credentials and nothing else.
    pub fn request(&self, method: &str, path: impl Into<String>) -> Request {
        Request::new(self.clone(), method, path.into())
    }

    /// A WebSocket handshake with the client's credentials, offering `i9chat.v1.json`.
    pub fn handshake(&self) -> Handshake {
        Handshake::new(self.clone())
    }

    /// The same client as somebody else.
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self.clone() }
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        self.with_credentials(Credentials::Token(token.into()))
    }

    /// The same client as nobody.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { credentials: None, ..self.clone() }
    }

    /// Where it talks to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
