//! Tokens that look genuine and are not. (CAL-2)

use aws_lc_rs::{hmac, rand::SystemRandom, signature};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

/// Forgeries of a token, each with what it is. `others` is a token of another user.
pub(super) fn forgeries(token: &str, others: &str) -> Vec<(String, String)> {
    let mut made: Vec<(String, String)> = ["x", "a.b.c", "..", "e30.e30.", "bm90LmpzCg.e30.c2ln"]
        .iter()
        .map(|rubbish| (format!("rubbish {rubbish}"), (*rubbish).to_owned()))
        .collect();
    let parts: Vec<&str> = token.split('.').collect();
    let (&[header, claims, signature], Some(others_claims)) = (parts.as_slice(), others.split('.').nth(1)) else {
        // What is no JWT has no parts to forge: altering it is left.
        made.push(("altered".to_owned(), format!("{token}x")));
        return made;
    };
    let algorithm = decoded(header)["alg"].as_str().unwrap_or_default().to_owned();
    made.push((
        "another user's claims under this signature".to_owned(),
        format!("{header}.{others_claims}.{signature}"),
    ));
    made.push(("without its signature".to_owned(), format!("{header}.{claims}.")));
    made.push(("with an altered signature".to_owned(), format!("{header}.{claims}.{}", altered(signature))));
    made.push(("cut to two parts".to_owned(), format!("{header}.{claims}")));
    for none in ["none", "None", "NONE"] {
        let header = header_with(header, none);
        made.push((format!("alg {none}"), format!("{header}.{claims}.")));
        made.push((format!("alg {none} with the signature"), format!("{header}.{claims}.{signature}")));
    }
    for name in ["HS256", "HS384", "HS512", "EdDSA", "ES256"] {
        let header = if name == algorithm { header.to_owned() } else { header_with(header, name) };
        let signed = format!("{header}.{claims}");
        if let Some(signature) = signed_by_a_stranger(name, signed.as_bytes()) {
            made.push((format!("signed with another key by {name}"), format!("{signed}.{}", BASE64.encode(signature))));
        }
    }
    made
}

fn decoded(part: &str) -> Value {
    BASE64.decode(part).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_else(|| json!({}))
}

fn header_with(header: &str, algorithm: &str) -> String {
    let mut header = decoded(header);
    header["alg"] = json!(algorithm);
    BASE64.encode(header.to_string())
}

/// The signature with one bit of its first byte turned: the last character may hold bits that do not count.
fn altered(signature: &str) -> String {
    let mut bytes = BASE64.decode(signature).unwrap_or_default();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    BASE64.encode(bytes)
}

fn signed_by_a_stranger(algorithm: &str, message: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    let with_secret = |algorithm| {
        let key = hmac::Key::generate(algorithm, &random).ok()?;
        Some(hmac::sign(&key, message).as_ref().to_vec())
    };
    match algorithm {
        "HS256" => with_secret(hmac::HMAC_SHA256),
        "HS384" => with_secret(hmac::HMAC_SHA384),
        "HS512" => with_secret(hmac::HMAC_SHA512),
        "EdDSA" => Some(signature::Ed25519KeyPair::generate().ok()?.sign(message).as_ref().to_vec()),
        _ => {
            let key = signature::EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
            Some(key.sign(&random, message).ok()?.as_ref().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value, signature: u8) -> String {
        let header = BASE64.encode(json!({ "alg": "HS256", "typ": "JWT", "kid": "1" }).to_string());
        format!("{header}.{}.{}", BASE64.encode(claims.to_string()), BASE64.encode([signature; 32]))
    }

    #[test]
    fn every_forgery_differs_from_the_token_and_from_the_others() {
        let (token, others) = (token(&json!({ "sub": "a" }), 1), token(&json!({ "sub": "b" }), 2));
        let mut made: Vec<_> = forgeries(&token, &others).into_iter().map(|(_, token)| token).collect();
        assert_eq!(made.len(), 5 + 4 + 6 + 5);
        assert!(!made.contains(&token) && !made.contains(&others));
        let all = made.len();
        made.sort();
        made.dedup();
        assert_eq!(made.len(), all);
    }

    #[test]
    fn a_forged_header_keeps_its_other_members() {
        let header = BASE64.encode(r#"{"alg":"HS256","kid":"1"}"#);
        assert_eq!(decoded(&header_with(&header, "none")), json!({ "alg": "none", "kid": "1" }));
    }

    #[test]
    fn what_is_no_jwt_is_forged_too() {
        assert!(forgeries("opaque", "opaque2").iter().any(|(_, token)| token == "opaquex"));
    }
}
