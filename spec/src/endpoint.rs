//! What an endpoint is: one definition that the router, the SDK, the documents and the suite's ledger read.

use std::any::TypeId;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::error::{ErrorCode, Refusal};

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads; changes nothing.
    GET,
    /// Makes something, or does something.
    POST,
    /// Makes sure that something is there.
    PUT,
    /// Changes a part.
    PATCH,
    /// Takes something away.
    DELETE,
}

impl Method {
    /// The method as it travels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GET => "GET",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::PATCH => "PATCH",
            Self::DELETE => "DELETE",
        }
    }

    /// Whether the method may change something, so that foreign web pages must not use it. (CAL-6)
    pub const fn is_unsafe(self) -> bool {
        !matches!(self, Self::GET)
    }
}

/// Who may call an endpoint.
pub trait Access: 'static {
    /// Whether a token or cookie is needed.
    const SIGNED_IN: bool;
}

/// Anyone may call.
pub enum Anyone {}

/// Only a signed-in user may call. (CAL-1)
pub enum SignedIn {}

impl Access for Anyone {
    const SIGNED_IN: bool = false;
}

impl Access for SignedIn {
    const SIGNED_IN: bool = true;
}

/// A value for the documents and for tests.
pub trait Example {
    /// One value of the type, as it may travel.
    fn example() -> Self;
}

/// Path, query, body or answer of an endpoint.
pub trait Part: Serialize + DeserializeOwned + JsonSchema + Example + Send + 'static {
    /// Whether there is anything at all: not so for [`Nothing`].
    fn is_present() -> bool {
        TypeId::of::<Self>() != TypeId::of::<Nothing>()
    }
}

impl<T: Serialize + DeserializeOwned + JsonSchema + Example + Send + 'static> Part for T {}

/// An empty map; over HTTP nothing at all: no parameters, no body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

impl Example for Nothing {
    fn example() -> Self {
        Self {}
    }
}

/// One endpoint of the protocol. Declared with [`endpoint!`](crate::endpoint!), listed in [`for_each_endpoint!`](crate::for_each_endpoint!).
pub trait Endpoint: Send + 'static {
    /// The operation's id in the OpenAPI document.
    const NAME: &'static str;
    /// The method.
    const METHOD: Method;
    /// The path, with parameters in braces.
    const PATH: &'static str;
    /// The status of success.
    const STATUS: u16;
    /// Whether the answer leads elsewhere: a caller who does not ask for JSON or MessagePack by name is redirected to its
    /// `url` with 302 instead of reading it. (MED-22)
    const REDIRECTS: bool;
    /// The lines of the documentation: the first is the summary.
    const DOCS: &'static [&'static str];
    /// The path of the module that declares it; the noun in it groups the operations of the OpenAPI document.
    const MODULE: &'static str;

    /// Who may call.
    type Caller: Access;
    /// The parameters in the path.
    type Path: Part;
    /// The query parameters.
    type Query: Part;
    /// The body of the request.
    type Body: Part;
    /// The body of the answer.
    type Response: Part;
    /// What it refuses, beyond what every endpoint does.
    type Refusal: Refusal;

    /// Every code that the endpoint can answer with. (ERR-2)
    fn error_codes() -> Vec<ErrorCode> {
        let mut codes =
            vec![ErrorCode::RateLimited, ErrorCode::Internal, ErrorCode::Unavailable, ErrorCode::Overloaded];
        if !Self::REDIRECTS {
            codes.push(ErrorCode::NotAcceptable);
        }
        if Self::METHOD.is_unsafe() {
            codes.push(ErrorCode::ForeignOrigin);
        }
        if Self::Caller::SIGNED_IN {
            codes.extend([
                ErrorCode::Unauthenticated,
                ErrorCode::TokenInvalid,
                ErrorCode::TokenExpired,
                ErrorCode::SessionEnded,
            ]);
        }
        if Self::Body::is_present() {
            codes.extend([
                ErrorCode::MalformedBody,
                ErrorCode::UnsupportedMediaType,
                ErrorCode::PayloadTooLarge,
                ErrorCode::RequestTimeout,
            ]);
        }
        if Self::Body::is_present() || Self::Path::is_present() || Self::Query::is_present() {
            codes.push(ErrorCode::InvalidRequest);
        }
        codes.extend(Self::Refusal::ALL);
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The path with its parameters filled in, and the query, as a client asks for it.
    fn url(path: &Self::Path, query: &Self::Query) -> String {
        let mut url = Self::PATH.to_owned();
        if let Ok(serde_json::Value::Object(parameters)) = serde_json::to_value(path) {
            for (name, value) in parameters {
                // Every path parameter is text of characters that need no escape.
                url = url.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default());
            }
        }
        match serde_urlencoded::to_string(query) {
            Ok(query) if !query.is_empty() => format!("{url}?{query}"),
            _ => url,
        }
    }
}

/// Declares an endpoint: the documentation, then method, path and status, then its parts. What is left out is [`Nothing`], and nobody is refused.
#[macro_export]
macro_rules! endpoint {
    (
        $(#[doc = $doc:literal])*
        $name:ident($operation:literal): $method:ident $path:literal => $status:literal {
            caller: $caller:ty,
            $(path: $path_type:ty,)?
            $(query: $query:ty,)?
            $(body: $body:ty,)?
            $(response: $response:ty,)?
            $(refusal: $refusal:ty,)?
            $(redirects: $redirects:literal,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl $crate::Endpoint for $name {
            const NAME: &'static str = $operation;
            const METHOD: $crate::Method = $crate::Method::$method;
            const PATH: &'static str = $path;
            const STATUS: u16 = $status;
            const REDIRECTS: bool = false $(|| $redirects)?;
            const DOCS: &'static [&'static str] = &[$($doc),*];
            const MODULE: &'static str = module_path!();
            type Caller = $caller;
            type Path = $crate::endpoint!(@or $crate::Nothing, $($path_type)?);
            type Query = $crate::endpoint!(@or $crate::Nothing, $($query)?);
            type Body = $crate::endpoint!(@or $crate::Nothing, $($body)?);
            type Response = $crate::endpoint!(@or $crate::Nothing, $($response)?);
            type Refusal = $crate::endpoint!(@or $crate::error::NoRefusal, $($refusal)?);
        }
    };
    (@or $default:ty, ) => { $default };
    (@or $default:ty, $given:ty) => { $given };
}
