use neo4rs::{Config, ConfigBuilder};
use url::Url;

use super::{Failure, SCHEMA_TIME};
use crate::store::StoreError;

/// How many rows are asked for at once.
const ROWS: usize = 256;
/// Where Neo4j listens when the URL does not say.
const PORT: u16 = 7687;

/// What neo4rs is told. The scheme decides about TLS alone: there is one server that is written to, and it is read from too.
pub(super) fn config(url: &str, connections: usize) -> Result<Config, StoreError> {
    let url = Url::parse(url).map_err(|error| wrong(&format!("is no URL: {error}")))?;
    let scheme = match url.scheme() {
        "neo4j" | "bolt" => "bolt",
        "neo4j+s" | "bolt+s" => "bolt+s",
        "neo4j+ssc" | "bolt+ssc" => "bolt+ssc",
        _ => return Err(wrong("starts with neo4j://, neo4j+s:// or neo4j+ssc://")),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
    let builder = ConfigBuilder::new()
        .uri(format!("{scheme}://{host}:{}", url.port().unwrap_or(PORT)))
        .user(decoded(url.username())?)
        .password(decoded(url.password().unwrap_or_default())?)
        .max_connections(connections)
        .fetch_size(ROWS)
        // For each response. How long we wait in all is decided by whoever asks.
        .connection_timeout(SCHEMA_TIME);
    let database = url.path().trim_matches('/');
    let builder = if database.is_empty() { builder } else { builder.db(decoded(database)?) };
    builder.build().map_err(|error| Failure::of(error).into())
}

/// Never shows the address itself: there is a password in it.
fn wrong(why: &str) -> StoreError {
    StoreError::Unavailable(format!("the address of Neo4j {why}"))
}

/// A part of a URL without its percent signs.
fn decoded(part: &str) -> Result<String, StoreError> {
    // A form has a plus sign for a space, a URL has not.
    let form = format!("part={}", part.replace('+', "%2B"));
    let parts: Option<Vec<(String, String)>> = serde_urlencoded::from_str(&form).ok();
    let part = parts.and_then(|mut parts| parts.pop()).map(|(_, part)| part);
    part.filter(|part| !part.contains(char::REPLACEMENT_CHARACTER)).ok_or_else(|| wrong("holds what is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_hold_anything() {
        assert_eq!(decoded("p%40ss+w%C3%B6rd%25").unwrap(), "p@ss+w\u{f6}rd%");
        assert!(decoded("%ff").is_err());
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_being_shown() {
        for address in
            ["redis://a:secret@host", "secret", "neo4j:secret", "neo4j://user:secret@:1", "neo4j://u:%ff@secret"]
        {
            let error = config(address, 1).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        for address in ["neo4j://host", "neo4j+s://u:p@host:1/graph", "bolt+ssc://[::1]"] {
            assert!(config(address, 1).is_ok(), "{address}");
        }
    }
}
