//! What every answer over HTTP must keep, whatever the case is about.

use i9chat_spec::{ErrorCode, Format};

use super::Answer;
use crate::{contract::CONTRACT, journal::Journal};

/// What is wrong with an answer by the documents. Paths outside `/v1` are not part of them.
pub(super) fn breaches(
    method: &str,
    path: &str,
    sent_id: Option<&str>,
    answer: &Answer,
    journal: &Journal,
) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let is_bare =
        matches!(answer.status, 400 | 431) && answer.header("x-request-id").is_none() && answer.body.is_empty();
    // A bare 400 or 431 says that no request was understood; preflights and the handshake are told apart by their cases. (ERR-9)
    if !path.starts_with("/v1/") || path == "/v1/ws" || matches!(method, "OPTIONS" | "HEAD") || is_bare {
        return Vec::new();
    }
    let mut found = request_id(sent_id, answer);
    let endpoint = CONTRACT.endpoint(method, path);
    match endpoint {
        Some(endpoint) if answer.status == endpoint.status => {
            found.extend(CONTRACT.breaches_of_response(endpoint, answer.value.as_ref()));
            found.extend(content_type(answer, Format::media_type));
            return found;
        }
        Some(endpoint) if endpoint.redirects && answer.status == 302 => {
            if answer.header("location").is_none_or(str::is_empty) {
                found.push("a redirect without Location (MED-21)".to_owned());
            }
            return found;
        }
        _ => {}
    }
    if answer.status < 400 {
        found.push(format!("the status {} is not declared", answer.status));
        return found;
    }
    found.extend(content_type(answer, Format::problem_type));
    let Some(problem) = &answer.value else {
        found.push("an error without a problem (ERR-1)".to_owned());
        return found;
    };
    found.extend(CONTRACT.breaches_of_problem(problem));
    if problem["status"] != answer.status {
        found.push(format!("the problem says {}, the answer {}", problem["status"], answer.status));
    }
    if problem["request_id"].as_str() != answer.header("x-request-id") {
        found.push("the problem has another request_id than the header (CNV-13)".to_owned());
    }
    if problem["detail"].as_str().is_some_and(|detail| journal.holds_secret(detail)) {
        found.push("the detail holds a secret (ERR-3)".to_owned());
    }
    let code = problem["code"].as_str().unwrap_or_default();
    if let (Some(endpoint), Some(code)) = (endpoint, ErrorCode::from_text(code))
        && endpoint.refusals.contains(&code)
    {
        journal.refusal(endpoint.name, code);
    }
    let declared = match endpoint {
        Some(endpoint) => endpoint.codes.iter().any(|declared| declared.as_str() == code),
        None => matches!(
            ErrorCode::from_text(code),
            Some(
                ErrorCode::NoSuchEndpoint
                    | ErrorCode::MethodNotAllowed
                    | ErrorCode::ForeignOrigin
                    | ErrorCode::RateLimited
                    | ErrorCode::Overloaded
                    | ErrorCode::NotAcceptable
            )
        ),
    };
    if !declared {
        found.push(format!("{code} is not declared (ERR-2)"));
    }
    found.extend(headers_of_errors(answer, problem));
    found
}

fn request_id(sent: Option<&str>, answer: &Answer) -> Vec<String> {
    let is_id = |text: &str| text.parse::<i9chat_spec::RequestId>().is_ok();
    match (answer.header("x-request-id"), sent.filter(|sent| is_id(sent))) {
        (None, _) => vec!["no X-Request-Id (CNV-13)".to_owned()],
        (Some(came), Some(sent)) if came != sent => vec![format!("X-Request-Id {came} for {sent} (CNV-13)")],
        (Some(came), _) if !is_id(came) => vec![format!("X-Request-Id {came} is of another form (CNV-13)")],
        _ => Vec::new(),
    }
}

fn content_type(answer: &Answer, wanted: impl Fn(Format) -> &'static str) -> Option<String> {
    let came = answer.header("content-type");
    let kind = came.and_then(|came| came.split(';').next()).map(str::trim);
    match (answer.body.is_empty(), kind) {
        (true, None) => None,
        (false, Some(kind)) if Format::ALL.iter().any(|format| wanted(*format) == kind) => None,
        _ => Some(format!("Content-Type {} on a body of {} bytes", came.unwrap_or("none"), answer.body.len())),
    }
}

fn headers_of_errors(answer: &Answer, problem: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    if answer.status == 401 && !answer.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")) {
        found.push("401 without WWW-Authenticate: Bearer (CAL-4)".to_owned());
    }
    if answer.status == 405 && answer.header("allow").is_none() {
        found.push("405 without Allow (CNV-16)".to_owned());
    }
    if let (429, Some(wait)) = (answer.status, problem["retry_after_ms"].as_u64()) {
        let seconds = wait.div_ceil(1000).to_string();
        if answer.header("retry-after") != Some(&seconds) {
            found.push(format!("Retry-After {:?} for {wait} ms (ERR-7)", answer.header("retry-after")));
        }
    }
    found
}
