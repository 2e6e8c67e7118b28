//! Checks V4 signatures as Google does: canonical request, string to sign, RSA.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use http::{HeaderMap, Method};
use i9chat_spec::Timestamp;
use sha2::{Digest, Sha256};

const ALGORITHM: &str = "GOOG4-RSA-SHA256";

/// The account that signs.
#[derive(Debug, Clone)]
pub struct Account {
    pub email: String,
    /// As PKCS #1 has it, in DER.
    pub public_key: Vec<u8>,
}

impl Account {
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key).verify(message, signature).is_ok()
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'a Method,
    /// What it was signed for.
    pub host: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
}

/// Why a signature does not let a request in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Something is missing, or not of its form, or not signed that has to be.
    Malformed,
    /// It was good once.
    Expired,
    /// It is of another request, or of another account.
    OfAnother,
}

/// Whether that account has signed that request, for that time.
pub fn check(request: &Request<'_>, account: &Account, now: Timestamp) -> Result<(), Flaw> {
    let mut query = decoded(request.query).ok_or(Flaw::Malformed)?;
    let given = query.iter().position(|(name, _)| name.eq_ignore_ascii_case("X-Goog-Signature"));
    let (_, signature) = query.remove(given.ok_or(Flaw::Malformed)?);
    let one = |name: &str| {
        let mut values = query.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).map(String::as_str).ok_or(Flaw::Malformed)
    };
    let (date, seconds, signed) = (one("X-Goog-Date")?, one("X-Goog-Expires")?, one("X-Goog-SignedHeaders")?);
    let day = date.get(..8).ok_or(Flaw::Malformed)?;
    let scope = format!("{day}/auto/storage/goog4_request");
    if one("X-Goog-Algorithm")? != ALGORITHM || one("X-Goog-Credential")? != format!("{}/{scope}", account.email) {
        return Err(Flaw::Malformed);
    }
    let begin = begin(date).ok_or(Flaw::Malformed)?;
    let seconds = seconds.parse().ok().filter(|seconds| (1..=604_800).contains(seconds)).ok_or(Flaw::Malformed)?;
    if now >= begin.plus_seconds(seconds) {
        return Err(Flaw::Expired);
    }
    let headers = headers(request, signed)?;

    let query = sorted(&query).join("&");
    let lines = headers.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join("\n");
    let names = headers.into_keys().collect::<Vec<_>>().join(";");
    let Request { method, path, .. } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n\n{names}\nUNSIGNED-PAYLOAD");
    let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let signature = unhex(&signature).ok_or(Flaw::Malformed)?;
    if account.has_signed(to_sign.as_bytes(), &signature) { Ok(()) } else { Err(Flaw::OfAnother) }
}

/// The headers that are signed. All of Google's own have to be.
fn headers(request: &Request<'_>, signed: &str) -> Result<BTreeMap<String, String>, Flaw> {
    let mut headers = BTreeMap::new();
    for name in signed.split(';') {
        let value = if name == "host" { Some(request.host.to_owned()) } else { header(request.headers, name) };
        headers.insert(name.to_owned(), value.ok_or(Flaw::Malformed)?);
    }
    let is_left_out = |name: &str| name.starts_with("x-goog-") && !headers.contains_key(name);
    if !headers.contains_key("host") || request.headers.keys().any(|name| is_left_out(name.as_str())) {
        return Err(Flaw::Malformed);
    }
    Ok(headers)
}

/// The values of a header, with as little white space as possible.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().ok());
    let values = values.collect::<Option<Vec<_>>>()?;
    let value = values.join(",").split_whitespace().collect::<Vec<_>>().join(" ");
    (!values.is_empty()).then_some(value)
}

/// `20190201T090000Z`.
fn begin(date: &str) -> Option<Timestamp> {
    let digits: Vec<i8> = date.bytes().filter(u8::is_ascii_digit).map(|digit| (digit - b'0').cast_signed()).collect();
    let two = |at: usize| Some(digits.get(at)? * 10 + digits.get(at + 1)?);
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let date = jiff::civil::DateTime::new(year, two(4)?, two(6)?, two(8)?, two(10)?, two(12)?, 0).ok()?;
    Some(Timestamp::from_millis(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond()))
}

/// Names and values.
pub fn decoded(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((unescaped(name)?, unescaped(value)?))
        })
        .collect()
}

/// Escaped in the one way that counts, and in order.
fn sorted(query: &[(String, String)]) -> Vec<String> {
    let mut pairs: Vec<_> = query.iter().map(|(name, value)| (escaped(name), escaped(value))).collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

fn escaped(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escape = |byte: u8| {
        if is_plain(byte) { char::from(byte).to_string() } else { format!("%{}", hex(&[byte]).to_uppercase()) }
    };
    text.bytes().map(escape).collect()
}

pub fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let (byte, after) = match (first, more) {
            (b'%', [high, low, after @ ..]) => (*unhex(std::str::from_utf8(&[*high, *low]).ok()?)?.first()?, after),
            (b'%', _) => return None,
            _ => (*first, more),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |number: u8| char::from(b"0123456789abcdef"[usize::from(number)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}
