//! The handshake of a WebSocket. What is refused is upgraded and closed, since browsers cannot read a refused handshake. (WSK-2)

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, Response, header},
    routing::get,
};
use i9chat_spec::{CloseCode, CloseReason, Cursor, FieldCode, FieldError, Format, api::events::EventsQuery};

use super::{Site, caller, endpoint::Exchange, guard::Page, listener::ConnectionPermit, problem::respond};
use crate::{
    app::{Credential, Unidentified},
    bus::{Network, RateKey},
    realtime::{self, Connecting},
};

/// Small buffers: the defaults cost 128 KiB for each connection.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 4096;
const MAX_WRITE_BUFFER: usize = 4 * 1024 * 1024;
/// A frame a few times over the limit is still read, so that it can be answered with its close code.
const GRACE: usize = 4;

pub(super) fn routes() -> Router<Site> {
    Router::new().route("/v1/ws", get(upgrade))
}

async fn upgrade(
    State(site): State<Site>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (mut parts, _) = request.into_parts();
    let permit = parts.extensions.get::<ConnectionPermit>().cloned();
    let exchange = Exchange::of(&site, &parts.headers);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let fault = FieldError {
                field: String::new(),
                code: FieldCode::BadFormat,
                message: format!("not the handshake of a WebSocket: {}", rejection.body_text()),
            };
            return respond(&exchange.invalid(fault), exchange.format.unwrap_or(Format::Json));
        }
    };
    let offered = offered(&parts.headers);
    let format =
        offered.iter().find_map(|name| Format::ALL.iter().copied().find(|format| format.subprotocol() == *name));
    let outcome = match format {
        Some(format) => {
            let query = parts.uri.query().unwrap_or_default();
            admit(&site, peer, &parts.headers, &offered, query).await.map(|(identity, cursor)| Connecting {
                identity,
                format,
                cursor,
            })
        }
        None => Err(CloseReason { code: CloseCode::UnsupportedProtocol, retry_after_ms: None }),
    };
    let max_frame = usize::try_from(site.app.limits.max_frame_bytes).unwrap_or(usize::MAX).saturating_mul(GRACE);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(max_frame)
        .max_frame_size(max_frame)
        .protocols(format.map(Format::subprotocol))
        .on_upgrade(move |socket| {
            // Boxed at once: every async function that it is handed to keeps room for it, for as long as the connection is.
            let socket = Box::new(socket);
            async move {
                match outcome {
                    Ok(connecting) => realtime::serve(site.app, site.router, socket, connecting).await,
                    Err(reason) => Box::pin(realtime::close(socket, reason)).await,
                }
                // The connection counts for as long as it is open.
                drop(permit);
            }
        })
}

/// Who connects and where they go on, or why not.
async fn admit(
    site: &Site,
    peer: SocketAddr,
    headers: &HeaderMap,
    offered: &[&str],
    query: &str,
) -> Result<(crate::app::Identity, Option<Cursor>), CloseReason> {
    let refuse = |code| CloseReason { code, retry_after_ms: None };
    let credential = offered
        .iter()
        .find_map(|name| name.strip_prefix("bearer."))
        .map(|token| Credential::Bearer(token.to_owned()))
        .filter(|_| !headers.contains_key(header::AUTHORIZATION))
        .or_else(|| caller::credential(headers));
    let page = site.allowed.page(headers);
    // A cookie comes along by itself, so its page must say who it is. (CAL-9)
    let anonymous = page == Page::None && matches!(credential, Some(Credential::Cookie(_)));
    if page == Page::Foreign || anonymous {
        return Err(refuse(CloseCode::ForeignOrigin));
    }
    let identity = match credential {
        Some(credential) => site.app.identify(&credential).await.map_err(|unidentified| match unidentified {
            Unidentified::TokenInvalid => CloseCode::Unauthenticated,
            Unidentified::TokenExpired => CloseCode::TokenExpired,
            Unidentified::SessionEnded => CloseCode::SessionEnded,
            Unidentified::Failed(_) => CloseCode::Unavailable,
        }),
        None => Err(CloseCode::Unauthenticated),
    };
    // Whoever is known counts alone; the others count together by where they come from.
    let address = caller::origin(headers, peer, &site.allowed.proxies).address;
    let key = identity.as_ref().map_or(RateKey::Network(Network::of(address)), |who| RateKey::User(who.user.user_id));
    site.count(key).await.map_err(|delay| CloseReason {
        code: CloseCode::RateLimited,
        retry_after_ms: u64::try_from(delay.as_millis()).ok(),
    })?;
    let identity = identity.map_err(refuse)?;
    let query: EventsQuery = serde_urlencoded::from_str(query).map_err(|_| refuse(CloseCode::InvalidRequest))?;
    Ok((identity, query.cursor))
}

/// The subprotocols that the client offers, in its order.
fn offered(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}
