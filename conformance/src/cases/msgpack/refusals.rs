//! What is refused in one encoding is refused in the other, for the same reasons. (CNV-3, CNV-4)

use std::collections::BTreeSet;

use i9chat_spec::{ErrorCode, Format};
use serde_json::{Value, json};

use super::in_format;
use crate::{
    cases,
    cases::robustness::catalogue::{deeds, fields, operations},
    client::{Request, Socket},
    expect::{check, expect},
    verdict::{Stop, Verdict},
    world::{User, World, patiently},
};

cases! { Msgpack:
    every_endpoint_refuses_nobody_alike_in_both_encodings ["CNV-3", "CNV-4", "CAL-1"],
    every_wrong_field_is_told_alike_in_both_encodings ["CNV-4", "CNV-15", "ERR-4"],
    every_action_refuses_alike_in_both_encodings ["CNV-4", "WSK-5", "ERR-4"],
}

/// What a client acts on: the code, and which fields are wrong in which way.
#[derive(Debug, PartialEq, Eq)]
struct Reasons {
    code: String,
    fields: BTreeSet<(String, String)>,
}

fn reasons(problem: &Value) -> Reasons {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fields = problem["fields"].as_array().into_iter().flatten();
    Reasons {
        code: text(&problem["code"]),
        fields: fields.map(|entry| (text(&entry["field"]), text(&entry["code"]))).collect(),
    }
}

/// Asks in each encoding, with this body where there is one; the answers are problems for the same reasons.
async fn refused_alike(told: &str, request: &Request, body: Option<&Value>) -> Verdict<Reasons> {
    let mut found = Vec::new();
    for format in Format::ALL {
        let request = match body {
            Some(body) => request.clone().encoded(*format, body),
            None => request.clone().accept(*format),
        };
        let answer = patiently(request).await?;
        let problem = in_format(&answer, *format, answer.status)?;
        check(answer.status >= 400, || (format!("a refusal of {told}"), answer.to_string()))?;
        found.push(reasons(&problem));
    }
    let [by_json, packed] = <[Reasons; 2]>::try_from(found).map_err(|_| Stop::failed("two answers", "others"))?;
    check(by_json == packed, || (format!("{by_json:?} for {told}, as in JSON"), format!("{packed:?}")))?;
    Ok(by_json)
}

async fn every_endpoint_refuses_nobody_alike_in_both_encodings(world: &World) -> Verdict {
    let alice = world.user().await?;
    for operation in operations(world).into_iter().filter(|operation| operation.signed_in) {
        let request = alice.anonymous().request(operation.method, operation.path_with(None));
        let reasons = refused_alike(operation.name, &request, operation.body.as_ref()).await?;
        expect(reasons.code).to_equal(ErrorCode::Unauthenticated.as_str())?;
    }
    Ok(())
}

async fn every_wrong_field_is_told_alike_in_both_encodings(world: &World) -> Verdict {
    for operation in operations(world) {
        let Some(body) = &operation.body else { continue };
        let alice = world.user().await?;
        let request = operation.request(&alice, operation.path_with(None));
        for field in fields(body) {
            for wrong in field.of_other_types() {
                let told = format!("{} with {wrong} at {}", operation.name, field.pointer);
                let reasons = refused_alike(&told, &request, Some(&field.replaced(body, wrong))).await?;
                expect(reasons.code).to_equal(ErrorCode::InvalidRequest.as_str())?;
            }
        }
        for wrong in [json!(null), json!([]), json!("x"), json!(7)] {
            refused_alike(&format!("{} with {wrong}", operation.name), &request, Some(&wrong)).await?;
        }
    }
    Ok(())
}

/// Asks for an action over one socket of each encoding; both are errors for the same reasons.
async fn errs_alike(sockets: &mut [Socket; 2], action: &str, data: &Value) -> Verdict {
    let mut found = Vec::new();
    for socket in sockets {
        let answer = socket.asks(&format!("{action}-{}", rand::random::<u64>()), action, data).await?;
        check(answer["type"] == "error", || (format!("an error for {action} with {data}"), answer.to_string()))?;
        found.push(reasons(&answer["error"]));
    }
    check(found.first() == found.last(), || {
        (format!("the same reasons for {action} with {data}"), format!("{found:?}"))
    })
}

async fn sockets_of(user: &User) -> Verdict<[Socket; 2]> {
    let [json, packed] = [Format::Json, Format::MessagePack].map(|format| user.handshake().format(format).connect());
    Ok([json.await?, packed.await?])
}

async fn every_action_refuses_alike_in_both_encodings(world: &World) -> Verdict {
    let alice = world.user().await?;
    for deed in deeds(world) {
        let mut sockets = sockets_of(&alice).await?;
        for field in fields(&deed.data) {
            for wrong in field.of_other_types() {
                errs_alike(&mut sockets, deed.name, &field.replaced(&deed.data, wrong)).await?;
            }
        }
        for wrong in [json!({}), json!(null), json!([]), json!("x")] {
            errs_alike(&mut sockets, deed.name, &wrong).await?;
        }
        for socket in &mut sockets {
            socket.catches_up().await?;
        }
    }
    Ok(())
}
