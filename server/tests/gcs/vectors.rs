//! What Google publishes of its signatures holds for the check that the stand-in makes: so what this check lets in is what
//! Google would have signed, byte for byte, because signing leaves no choice.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use i9chat_spec::Timestamp;
use serde::Deserialize;
use url::Url;

use crate::signature::{Account, Flaw, Request, check};

#[derive(Deserialize)]
struct Published {
    account: String,
    public_key: String,
    vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    description: String,
    method: String,
    timestamp: String,
    expiration: u64,
    headers: std::collections::BTreeMap<String, String>,
    url: Url,
}

fn published() -> (Account, Vec<Vector>) {
    let published: Published = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let public_key = BASE64_STANDARD.decode(published.public_key).unwrap();
    (Account { email: published.account, public_key }, published.vectors)
}

impl Vector {
    fn method(&self) -> Method {
        self.method.parse().unwrap()
    }

    fn headers(&self) -> HeaderMap {
        let header = |(name, value): (&String, &String)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.trim().as_bytes()).unwrap())
        };
        self.headers.iter().map(header).collect()
    }

    fn signed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.timestamp.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }
}

/// What the check says of the vector's request, changed in some way.
fn checked(account: &Account, vector: &Vector, now: Timestamp, change: impl Fn(&mut Request<'_>)) -> Result<(), Flaw> {
    let (method, headers) = (vector.method(), vector.headers());
    let (host, path, query) = (vector.url.host_str().unwrap(), vector.url.path(), vector.url.query().unwrap());
    let mut request = Request { method: &method, host, path, query, headers: &headers };
    change(&mut request);
    check(&request, account, now)
}

#[test]
fn what_google_has_signed_is_let_in_while_it_is_good() {
    let (account, vectors) = published();
    for vector in &vectors {
        let at = |seconds| checked(&account, vector, vector.signed_at().plus_seconds(seconds), |_| ());
        assert_eq!(at(0), Ok(()), "{}", vector.description);
        assert_eq!(at(vector.expiration - 1), Ok(()), "{}", vector.description);
        assert_eq!(at(vector.expiration), Err(Flaw::Expired), "{}", vector.description);
    }
}

#[test]
fn nothing_else_is() {
    let (account, vectors) = published();
    for vector in &vectors {
        let is = |change: &dyn Fn(&mut Request<'_>)| checked(&account, vector, vector.signed_at(), change);
        let what = &vector.description;
        assert_eq!(is(&|request| request.method = &Method::HEAD), Err(Flaw::OfAnother), "{what}");
        assert_eq!(is(&|request| request.host = "storage.example"), Err(Flaw::OfAnother), "{what}");
        assert_eq!(is(&|request| request.path = "/test-bucket/other"), Err(Flaw::OfAnother), "{what}");
        let longer = vector.url.query().unwrap().replace("X-Goog-Expires=", "X-Goog-Expires=1");
        let mut stretched = vector.clone();
        stretched.url.set_query(Some(&longer));
        assert_eq!(checked(&account, &stretched, vector.signed_at(), |_| ()), Err(Flaw::OfAnother), "{what}");

        for name in vector.headers.keys() {
            let mut without = vector.clone();
            without.headers.remove(name);
            assert_eq!(checked(&account, &without, vector.signed_at(), |_| ()), Err(Flaw::Malformed), "{what}: {name}");
            let mut with_another = vector.clone();
            with_another.headers.insert(name.clone(), "another".to_owned());
            let answer = checked(&account, &with_another, vector.signed_at(), |_| ());
            assert_eq!(answer, Err(Flaw::OfAnother), "{what}: {name}");
        }
        let mut with_more = vector.clone();
        with_more.headers.insert("x-goog-acl".to_owned(), "public-read".to_owned());
        assert_eq!(checked(&account, &with_more, vector.signed_at(), |_| ()), Err(Flaw::Malformed), "{what}");

        let other = Account { public_key: crate::world::new_key().account.public_key, ..account.clone() };
        assert_eq!(checked(&other, vector, vector.signed_at(), |_| ()), Err(Flaw::OfAnother), "{what}");
    }
}
