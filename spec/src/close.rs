//! Why a server closes a WebSocket, and what the client does then. (WSK-13)

use std::{fmt, str::FromStr};

/// What a client does after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconnect {
    /// Not by itself: the same handshake would fail again.
    No,
    /// With a new token.
    AfterRefresh,
    /// After the delay of the reason, or its own back-off.
    Yes,
}

macro_rules! close_codes {
    ($($(#[doc = $doc:literal])* $variant:ident $number:literal $name:literal $reconnect:ident;)*) => {
        /// The close codes of the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum CloseCode {
            $($(#[doc = $doc])* $variant,)*
        }

        impl CloseCode {
            /// Every close code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The number that travels.
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number),* }
            }

            /// The name that starts the reason. (WSK-13)
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether to connect again.
            pub const fn reconnect(self) -> Reconnect {
                match self { $(Self::$variant => Reconnect::$reconnect),* }
            }

            /// One sentence on when it is used.
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii()),* }
            }

            /// The code of that number, if it is one of the protocol's.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

close_codes! {
    /// The client sent a frame that cannot be read. (WSK-6)
    BadFrame 4000 "bad_frame" No;
    /// No token, or one that is not valid.
    Unauthenticated 4001 "unauthenticated" No;
    /// The session has ended. (SES-10)
    SessionEnded 4002 "session_ended" No;
    /// The client sent a frame that is too large. (WSK-7)
    FrameTooLarge 4003 "frame_too_large" No;
    /// The client went on sending too much. (WSK-11)
    RateLimited 4004 "rate_limited" Yes;
    /// The client did not take its frames fast enough. (WSK-10)
    SlowConsumer 4005 "slow_consumer" Yes;
    /// Nothing came from the client for too long. (WSK-9)
    HeartbeatTimeout 4006 "heartbeat_timeout" Yes;
    /// The server stops. (WSK-12)
    GoingAway 4007 "going_away" Yes;
    /// The token ran out before the handshake.
    TokenExpired 4008 "token_expired" AfterRefresh;
    /// The handshake came from a page of an origin that is not allowed. (CAL-9)
    ForeignOrigin 4009 "foreign_origin" No;
    /// Too many connections, of this user or in all. (WSK-14)
    Overloaded 4010 "overloaded" Yes;
    /// The client offered no subprotocol that the server knows. (WSK-1)
    UnsupportedProtocol 4011 "unsupported_protocol" No;
    /// A parameter of the handshake has the wrong form. (RSM-8)
    InvalidRequest 4012 "invalid_request" No;
    /// The store cannot be read now.
    Unavailable 4013 "unavailable" Yes;
}

/// The reason of a close: `code` or `code retry_after_ms=N`. (WSK-13)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseReason {
    /// Why.
    pub code: CloseCode,
    /// How long the client waits before it connects again.
    pub retry_after_ms: Option<u64>,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        match self.retry_after_ms {
            Some(delay) => write!(f, " retry_after_ms={delay}"),
            None => Ok(()),
        }
    }
}

impl FromStr for CloseReason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let code = CloseCode::ALL.iter().copied().find(|code| code.name() == name).ok_or(())?;
        let retry_after_ms = words.find_map(|word| word.strip_prefix("retry_after_ms=")?.parse().ok());
        Ok(Self { code, retry_after_ms })
    }
}
