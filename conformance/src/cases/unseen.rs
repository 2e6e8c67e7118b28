//! What no case proves, and why.

use i9chat_spec::ErrorCode;

/// Requirements of servers that cannot be seen on the wire, or not by a suite that runs beside other users of the server, each with the reason.
pub const NOT_SEEN_ON_THE_WIRE: &[(&str, &str)] = &[
    ("CNV-14", "it binds clients, and the suite is none that it could judge"),
    ("MSG-2", "it takes a crash of the server, which the suite does not cause; server/tests kills the server"),
    ("RSM-1", "it takes a restore of the server from a backup, which the suite does not cause"),
    ("WSK-12", "it takes a stop of the server, while others are using it; server/tests stops the server"),
];

/// Codes that no case expects, each with the reason.
pub const CODES_NOT_SEEN_ON_THE_WIRE: &[(ErrorCode, &str)] = &[
    (ErrorCode::RequestTimeout, "how long a request may take to arrive is not published"),
    (ErrorCode::Internal, "it is a fault of the server, which no request asks for"),
    (ErrorCode::Unavailable, "it takes a store that fails; server/tests makes it fail"),
    (ErrorCode::Overloaded, "it takes a queue that is full, and no limit says when that is"),
];

/// Refusals that an endpoint declares as its own and that no case meets there, each with the reason.
pub const REFUSALS_NOT_SEEN_ON_THE_WIRE: &[(&str, ErrorCode, &str)] = &[];
