//! Section 1: bodies, encodings, ids, text, numbers and paths.

use i9chat_spec::ErrorCode;

use crate::{cases, verdict::Verdict, world::World};

cases! { Core:
    a_body_of_another_type_is_refused ["CNV-2"],
}

async fn a_body_of_another_type_is_refused(world: &World) -> Verdict {
    let newcomer = world.newcomer();
    let body = serde_json::json!({ "email": newcomer.email }).to_string();
    let signup = || world.visitor().request("POST", "/v1/signup");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx"] {
        signup().body(kind, body.as_bytes()).send().await?.refused_with(ErrorCode::UnsupportedMediaType)?;
    }
    signup().untyped_body(body.as_bytes()).send().await?.refused_with(ErrorCode::UnsupportedMediaType)?;
    // The same body of the right type is taken, whatever its parameters.
    signup().body("application/json; charset=utf-8", body).send().await?.succeeded(202)?;
    Ok(())
}
