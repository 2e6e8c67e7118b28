use neo4rs::{Config, ConfigBuilder};
use url::Url;

use super::{
    Failure, SCHEMA_TIME,
    bolt::{Address, Security},
};
use crate::store::StoreError;

/// How many rows are asked for at once.
const ROWS: usize = 256;
/// Where Neo4j listens when the URL does not say.
const PORT: u16 = 7687;

/// Reads the address of a database: `neo4j://user:password@host:port/database`, where `+s` after the scheme asks for TLS, and `+ssc`
/// for TLS with any certificate. There is one server that is written to, and it is read from too.
pub(super) fn parse(url: &str) -> Result<Address, StoreError> {
    let url = Url::parse(url).map_err(|error| wrong(&format!("is no URL: {error}")))?;
    let security = match url.scheme() {
        "neo4j" | "bolt" => Security::Plain,
        "neo4j+s" | "bolt+s" => Security::Trusted,
        "neo4j+ssc" | "bolt+ssc" => Security::SelfSigned,
        _ => return Err(wrong("starts with neo4j://, neo4j+s:// or neo4j+ssc://")),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
    let database = url.path().trim_matches('/');
    Ok(Address {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(PORT),
        security,
        user: decoded(url.username())?,
        password: decoded(url.password().unwrap_or_default())?,
        database: (!database.is_empty()).then(|| decoded(database)).transpose()?,
    })
}

/// What neo4rs is told.
pub(super) fn config(address: &Address, connections: usize) -> Result<Config, StoreError> {
    let scheme = match address.security {
        Security::Plain => "bolt",
        Security::Trusted => "bolt+s",
        Security::SelfSigned => "bolt+ssc",
    };
    let host = if address.host.contains(':') { format!("[{}]", address.host) } else { address.host.clone() };
    let builder = ConfigBuilder::new()
        .uri(format!("{scheme}://{host}:{}", address.port))
        .user(&address.user)
        .password(&address.password)
        .max_connections(connections)
        .fetch_size(ROWS)
        // For each response. How long we wait in all is decided by whoever asks.
        .connection_timeout(SCHEMA_TIME);
    let builder = match &address.database {
        Some(database) => builder.db(database.as_str()),
        None => builder,
    };
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
        for url in ["redis://a:secret@host", "secret", "neo4j:secret", "neo4j://user:secret@:1", "neo4j://u:%ff@secret"]
        {
            let Err(error) = parse(url) else { panic!("{url} is taken") };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_address_says_where_who_and_how() {
        let read = |url| {
            let address = parse(url).unwrap();
            assert!(config(&address, 1).is_ok(), "{url}");
            (address.host, address.port, address.security, address.user, address.database)
        };
        assert_eq!(read("neo4j://host"), ("host".to_owned(), PORT, Security::Plain, String::new(), None));
        let (host, port, security, user, database) = read("bolt+ssc://me:secret@[::1]:9/graph");
        assert_eq!((host.as_str(), port, security), ("::1", 9, Security::SelfSigned));
        assert_eq!((user.as_str(), database.as_deref()), ("me", Some("graph")));
        assert_eq!(read("neo4j+s://host").2, Security::Trusted);
    }
}
