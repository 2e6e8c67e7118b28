//! Bodies: of the wrong form in every field of every endpoint, and of no form at all.

use i9chat_spec::{ErrorCode, FieldCode};
use serde_json::{Value, json};

use super::{
    Bystanders, about,
    catalogue::{Operation, fields, operations},
};
use crate::{
    cases,
    client::Answer,
    expect::{check, list_at},
    verdict::Verdict,
    world::{User, World, patiently},
};

cases! { Robustness:
    every_field_of_every_body_has_its_type ["CNV-15", "ERR-4", "ERR-5", "ERR-8"],
    no_text_of_any_body_holds_nul ["CNV-9", "ERR-4"],
    every_body_is_a_map ["ERR-4", "ERR-8"],
    what_is_no_json_is_malformed_everywhere ["CNV-2", "ERR-8"],
    bodies_that_are_hard_to_read_are_refused_quickly ["ERR-2", "ERR-8"],
    every_body_is_of_a_type_that_is_known ["CNV-2", "ERR-8"],
    every_body_has_its_largest_size ["CAP-3", "ERR-8"],
}

/// Every endpoint that takes a body, with its example.
fn with_bodies(world: &World) -> Vec<(Operation, Value)> {
    let operations = operations(world).into_iter();
    operations.filter_map(|operation| operation.body.clone().map(|body| (operation, body))).collect()
}

/// `invalid_request` for a field, with this code if one is given, wherever inside the outermost one it is. (ERR-4)
pub(super) fn refuses_inside(problem: &Value, outermost: &str, code: Option<FieldCode>) -> Verdict {
    let is_it = |entry: &Value| {
        let named = entry["field"].as_str().unwrap_or_default();
        let named = named.strip_prefix("data.").unwrap_or(named);
        let first = named.split(['.', '[', '/']).next().unwrap_or_default();
        first == outermost && code.is_none_or(|code| entry["code"] == code.as_str())
    };
    check(list_at(problem, "fields")?.iter().any(is_it), || {
        let code = code.map(|code| format!(" with {code}")).unwrap_or_default();
        (format!("{outermost} among the fields{code}"), problem.to_string())
    })
}

async fn every_field_of_every_body_has_its_type(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    for (operation, body) in with_bodies(world) {
        let user = world.user().await?;
        for field in fields(&body) {
            for wrong in field.of_other_types() {
                let told = format!("{} with {wrong} at {}", operation.name, field.pointer);
                let answer = patiently(operation.with_body(&user, &field.replaced(&body, wrong))).await?;
                let problem = answer.refused_with(ErrorCode::InvalidRequest).map_err(about(&told))?;
                refuses_inside(&problem, field.outermost(), Some(FieldCode::WrongType)).map_err(about(&told))?;
            }
        }
    }
    bystanders.go_on().await
}

async fn no_text_of_any_body_holds_nul(world: &World) -> Verdict {
    let user = world.user().await?;
    for (operation, body) in with_bodies(world) {
        for field in fields(&body).into_iter().filter(|field| field.value.is_string()) {
            let text = field.value.as_str().unwrap_or_default();
            for wrong in [format!("{text}\0"), format!("\0{text}"), "\0".to_owned()] {
                let told = format!("{} with NUL at {}", operation.name, field.pointer);
                let answer = patiently(operation.with_body(&user, &field.replaced(&body, json!(wrong)))).await?;
                let problem = answer.refused_with(ErrorCode::InvalidRequest).map_err(about(&told))?;
                refuses_inside(&problem, field.outermost(), None).map_err(about(&told))?;
            }
        }
    }
    Bystanders::of(world).await?.go_on().await
}

async fn every_body_is_a_map(world: &World) -> Verdict {
    let user = world.user().await?;
    for (operation, body) in with_bodies(world) {
        for wrong in [json!(null), json!([]), json!([body]), json!("x"), json!(7), json!(1.5), json!(true)] {
            let answer = patiently(operation.with_body(&user, &wrong)).await?;
            answer.refused_with(ErrorCode::InvalidRequest).map_err(about(operation.name))?;
        }
    }
    Bystanders::of(world).await?.go_on().await
}

/// Sends any bytes as the body of an endpoint, said to be JSON.
async fn sends(operation: &Operation, user: &User, bytes: &[u8]) -> Verdict<Answer> {
    let request = operation.request(user, operation.path_with(None));
    patiently(request.body("application/json", bytes)).await
}

async fn what_is_no_json_is_malformed_everywhere(world: &World) -> Verdict {
    let mut bystanders = Bystanders::of(world).await?;
    for (operation, body) in with_bodies(world) {
        let user = world.user().await?;
        let good = body.to_string();
        let cut = good.get(..good.len() - 1).unwrap_or_default();
        let malformed: [&[u8]; 14] = [
            b"",
            b" ",
            b"{",
            b"nonsense",
            b"{\"a\":}",
            b"{\"a\":1,}",
            b"{a:1}",
            b"{'a':1}",
            b"{\"a\":NaN}",
            b"{\"a\":01}",
            b"{\"a\":\"\xff\xfe\"}",
            b"\xef\xbb\xbf{}x",
            cut.as_bytes(),
            &[good.as_bytes(), b"{}"].concat(),
        ];
        for bytes in malformed {
            let told = format!("{} with {}", operation.name, String::from_utf8_lossy(bytes));
            sends(&operation, &user, bytes).await?.refused_with(ErrorCode::MalformedBody).map_err(about(&told))?;
        }
    }
    bystanders.go_on().await
}

/// A refusal of the body, in one way or another.
fn is_refused(answer: &Answer, told: &str) -> Verdict {
    let refused =
        answer.refused_with(ErrorCode::MalformedBody).or_else(|_| answer.refused_with(ErrorCode::InvalidRequest));
    refused.map(drop).map_err(about(told))
}

/// No fault of the server, whatever it makes of it.
fn is_no_fault(answer: &Answer, told: &str) -> Verdict {
    check(answer.status < 500, || (format!("an answer that is no fault of the server ({told})"), answer.to_string()))
}

/// A map as it is written, without the brace that opens it.
fn good_rest(body: &Value) -> String {
    body.to_string().split_off(1)
}

async fn bodies_that_are_hard_to_read_are_refused_quickly(world: &World) -> Verdict {
    const DEEP: usize = 10_000;
    let mut bystanders = Bystanders::of(world).await?;
    for (operation, body) in with_bodies(world) {
        let user = world.user().await?;
        let name = operation.name;
        for bytes in [
            "[".repeat(DEEP),
            "{\"a\":".repeat(DEEP),
            format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
            // Half a pair of surrogates is no character.
            "{\"\\ud800\":1".to_owned(),
        ] {
            is_refused(&sends(&operation, &user, bytes.as_bytes()).await?, name)?;
        }
        // In a field that the server does not know: it may pass over that, or refuse it.
        let mut more = body.clone();
        more["unknown"] = json!("here");
        let around = more.to_string();
        for odd in [
            format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
            format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)),
            "1e999999".to_owned(),
            "-1e999999".to_owned(),
            "9".repeat(DEEP),
            format!("0.{}", "1".repeat(DEEP)),
            "\"\\ud800\"".to_owned(),
            "\"\\udfff\\ud800\"".to_owned(),
            format!("\"{}\"", "\\u0000".repeat(DEEP / 6)),
        ] {
            let bytes = around.replace("\"here\"", &odd);
            is_no_fault(&sends(&operation, &user, bytes.as_bytes()).await?, name)?;
        }
        for field in fields(&body).into_iter().filter(|field| field.value.is_string()) {
            let marked = field.replaced(&body, json!("here")).to_string();
            for odd in ["\"\\ud800\"", "\"x\\udc00x\"", "\"\\ud83d\\ud83d\""] {
                is_refused(&sends(&operation, &user, marked.replace("\"here\"", odd).as_bytes()).await?, name)?;
            }
        }
        // The same field twice is up to the server, too.
        for field in fields(&body).into_iter().filter(|field| field.pointer.matches('/').count() == 1) {
            let twice = format!("{{\"{}\":{},{}", field.outermost(), field.value, good_rest(&body));
            is_no_fault(&sends(&operation, &user, twice.as_bytes()).await?, name)?;
        }
        for field in fields(&body).into_iter().filter(|field| field.value.is_u64()) {
            let marked = field.replaced(&body, json!("here")).to_string();
            for odd in ["1e999999", "18446744073709551616", "9007199254740993.5", "-9223372036854775809", "1E2"] {
                is_refused(&sends(&operation, &user, marked.replace("\"here\"", odd).as_bytes()).await?, name)?;
            }
        }
    }
    bystanders.go_on().await
}

async fn every_body_is_of_a_type_that_is_known(world: &World) -> Verdict {
    let user = world.user().await?;
    for (operation, body) in with_bodies(world) {
        let request = || operation.request(&user, operation.path_with(None));
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "json",
            "*/*",
        ] {
            let answer = patiently(request().body(kind, body.to_string())).await?;
            answer.refused_with(ErrorCode::UnsupportedMediaType).map_err(about(operation.name))?;
        }
        let untyped = patiently(request().untyped_body(body.to_string())).await?;
        untyped.refused_with(ErrorCode::UnsupportedMediaType).map_err(about(operation.name))?;
    }
    Bystanders::of(world).await?.go_on().await
}

async fn every_body_has_its_largest_size(world: &World) -> Verdict {
    let most = usize::try_from(world.limits().max_body_bytes).unwrap_or_default();
    let mut bystanders = Bystanders::of(world).await?;
    let user = world.user().await?;
    for (operation, body) in with_bodies(world) {
        let mut large = body.clone();
        large["padding"] = json!("");
        let padding = (most + 1).saturating_sub(large.to_string().len());
        large["padding"] = json!("x".repeat(padding));
        for request in [operation.with_body(&user, &large), operation.with_body(&user, &large).in_chunks_of(1000)] {
            let answer = patiently(request).await?;
            answer.refused_with(ErrorCode::PayloadTooLarge).map_err(about(operation.name))?;
        }
    }
    bystanders.go_on().await
}
