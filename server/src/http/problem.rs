use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use i9chat_spec::{ConnectionId, ErrorCode, Example, Format, Problem, Refusal, RequestId};

use crate::app::Failure;

/// The header that names a request. (CNV-13)
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The problem that a failure is told as.
pub fn problem_of<R: Refusal>(failure: &Failure<R>, request_id: RequestId) -> Problem {
    let code = failure.code();
    let mut problem = Problem::new(code, detail(code), request_id);
    match failure {
        Failure::Invalid(fault) => {
            problem.detail = if fault.field.is_empty() {
                fault.message.clone()
            } else {
                format!("{}: {}", fault.field, fault.message)
            };
            problem.fields = Some(vec![fault.clone()]);
        }
        Failure::RateLimited(delay) => {
            problem.retry_after_ms = Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX).max(1));
        }
        _ => {}
    }
    problem
}

/// Errors on a connection carry its id, under which the server's logs know it.
pub fn request_id_of(connection_id: ConnectionId) -> RequestId {
    connection_id.to_string().parse().unwrap_or_else(|_| RequestId::example())
}

/// A sentence for each code that holds nothing of the request.
pub(super) fn detail(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::MalformedBody => "the body could not be read",
        ErrorCode::InvalidRequest => "the request does not have the form that the documents give",
        ErrorCode::Unauthenticated => "send `Authorization: Bearer <token>`, or the cookie `i9chat_session`",
        ErrorCode::TokenInvalid => "the token was not made by this server, or was altered",
        ErrorCode::TokenExpired => "refresh the token, then repeat the request",
        ErrorCode::SessionEnded => "the session was ended or not used for too long; sign in again",
        ErrorCode::WrongCredentials => "there is no such user, or it is not the password",
        ErrorCode::RefreshTokenInvalid => {
            "the refresh token was not made by this server, was used before, or its session has ended"
        }
        ErrorCode::ForeignOrigin => "pages of this origin may not use the server",
        ErrorCode::WrongCode => "it is not the code that was mailed",
        ErrorCode::NotMember => "only members may; join the group first",
        ErrorCode::AdminRequired => "only admins of the group may",
        ErrorCode::RemovedFromGroup => "you were removed from the group; an admin can add you again",
        ErrorCode::NoSuchEndpoint => "the path is not part of the protocol",
        ErrorCode::UserNotFound => "no user has that name",
        ErrorCode::SessionNotFound => "you have no open session of that id",
        ErrorCode::ChatNotFound => "there is no such chat, or it is not yours",
        ErrorCode::GroupNotFound => "there is no such group",
        ErrorCode::MessageNotFound => "there is no such message in that chat",
        ErrorCode::MediaNotFound => "there is no such media, or it is not complete, or you may not see it",
        ErrorCode::MediaNotUsable => {
            "use media that you uploaded for this purpose and completed, and that has not expired"
        }
        ErrorCode::UploadIncomplete => "send the missing bytes of every part, then complete the upload",
        ErrorCode::TooManyUploads => "use what you have uploaded, or let it expire",
        ErrorCode::MediaRejected => "the bytes are not of the type that was stated; start another upload",
        ErrorCode::ReplyNotFound => "reply_to is no message of that chat",
        ErrorCode::TargetNotMember => "the user is not a member of the group",
        ErrorCode::MethodNotAllowed => "the path does not have this method",
        ErrorCode::NotAcceptable => "answers are application/json or application/vnd.msgpack",
        ErrorCode::RequestTimeout => "the request did not arrive in time",
        ErrorCode::UsernameTaken => "another user has that name; the ticket is still good",
        ErrorCode::IdempotencyConflict => "the client_id was used for another command; make a new one",
        ErrorCode::DirectWithSelf => "a direct chat needs another user",
        ErrorCode::AlreadyMember => "the user is a member of the group already",
        ErrorCode::AlreadyAdmin => "the member is an admin already",
        ErrorCode::TargetNotAdmin => "the member is not an admin",
        ErrorCode::LastAdmin => "make another member an admin first",
        ErrorCode::LeftGroup => "the user has left the group, and can come back only by joining",
        ErrorCode::UseLeave => "nobody removes themselves; leave the group instead",
        ErrorCode::GroupFull => "the group has max_group_members members",
        ErrorCode::TooManyReactions => "the message has max_different_reactions different emojis; use one of them",
        ErrorCode::BeyondLastEntry => "the watermark is beyond the last entry that you may see",
        ErrorCode::GroupClosed => "the last member has left the group; it cannot be changed any more",
        ErrorCode::CursorReset => "the cursor is not of this log, or too old; read everything anew",
        ErrorCode::TooManySubscriptions => "end subscriptions that you no longer need, then ask again",
        ErrorCode::TicketInvalid => {
            "there is no such ticket for this step, or it is used, void or expired; start again"
        }
        ErrorCode::PayloadTooLarge => "the body is larger than max_body_bytes",
        ErrorCode::UnsupportedMediaType => {
            "send application/json or application/vnd.msgpack, and name it in Content-Type"
        }
        ErrorCode::UnknownAction => "there is no such action",
        ErrorCode::RateLimited => "wait retry_after_ms, then try again",
        ErrorCode::Internal => "the server failed; the outcome is not known",
        ErrorCode::Unavailable => "the store cannot be used now; nothing was done",
        ErrorCode::Overloaded => "too much waits; nothing was done",
    }
}

/// A problem as an answer. (ERR-1)
pub(super) fn respond(problem: &Problem, format: Format) -> Response<Body> {
    let mut response = Response::new(Body::from(format.encode(problem).unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.problem_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(request_id) = HeaderValue::from_str(problem.request_id.as_str()) {
        headers.insert(REQUEST_ID, request_id);
    }
    if problem.status == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(delay) = problem.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(delay.div_ceil(1000)));
    }
    response
}
