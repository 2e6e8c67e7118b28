use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Method, header};
use i9chat_spec::{ContentType, Timestamp};
use object_store::{
    Error,
    path::Path,
    signer::{SignedUrlOptions, Signer},
};

use crate::clock::Clock;

/// For how many seconds a signed URL is good at most: a week.
pub const LONGEST_URL_S: u64 = 604_800;

/// Makes URLs that are good without credentials, each for one method on one object, until a time. (V4 signatures)
pub(super) struct SignedUrls {
    /// Counts from the machine's clock.
    signer: Arc<dyn Signer>,
    clock: Arc<dyn Clock>,
}

impl SignedUrls {
    pub(super) fn new(signer: Arc<dyn Signer>, clock: Arc<dyn Clock>) -> Self {
        Self { signer, clock }
    }

    /// Where a resumable upload of that type starts. (MED-8)
    pub(super) async fn start(
        &self,
        name: &Path,
        content_type: &ContentType,
        until: Timestamp,
    ) -> Result<String, Error> {
        let content_type = HeaderValue::from_str(content_type.as_str())
            .map_err(|error| Error::Generic { store: "GCS", source: error.into() })?;
        let options = SignedUrlOptions::new()
            .with_signed_header(header::CONTENT_TYPE, content_type)
            .with_signed_header(HeaderName::from_static("x-goog-resumable"), HeaderValue::from_static("start"));
        self.sign(Method::POST, name, until, &options).await
    }

    /// Where the bytes are, answered with that type, and offered for saving or shown. (MED-24, MED-25)
    pub(super) async fn read(
        &self,
        name: &Path,
        content_type: &ContentType,
        is_attachment: bool,
        until: Timestamp,
    ) -> Result<String, Error> {
        let disposition = if is_attachment { "attachment" } else { "inline" };
        let options = SignedUrlOptions::new().with_query([
            ("response-content-disposition", disposition),
            ("response-content-type", content_type.as_str()),
        ]);
        self.sign(Method::GET, name, until, &options).await
    }

    /// Whether this server can sign.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let until = self.clock.now().plus_seconds(1);
        self.sign(Method::GET, &Path::from("check"), until, &SignedUrlOptions::new()).await?;
        Ok(())
    }

    async fn sign(
        &self,
        method: Method,
        name: &Path,
        until: Timestamp,
        options: &SignedUrlOptions,
    ) -> Result<String, Error> {
        let lifetime = lifetime(self.clock.now(), until);
        let url = self.signer.signed_url_opts(method, name, lifetime, options).await?;
        Ok(url.into())
    }
}

/// For how long a URL is good: whole seconds, counted from the beginning of the one in which it is signed, and never fewer than
/// were asked for.
fn lifetime(now: Timestamp, until: Timestamp) -> Duration {
    let millis = until.as_millis() - now.as_millis();
    let begun = now.as_millis().rem_euclid(1000);
    let seconds = u64::try_from(millis + begun).unwrap_or(0).div_ceil(1000);
    // A week that does not begin with a second would be one second too long to be signed.
    let is_a_week = i64::try_from(LONGEST_URL_S).is_ok_and(|week| millis <= week * 1000);
    let seconds = if is_a_week { seconds.min(LONGEST_URL_S) } else { seconds };
    Duration::from_secs(seconds.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_good_for_as_long_as_was_asked_for_and_less_than_two_seconds_more() {
        for (now, until, seconds) in [
            (0, 900_000, 900),
            (1, 900_001, 901),
            (999, 900_999, 901),
            (5_000, 5_001, 1),
            (5_999, 6_001, 2),
            (10_000, 10_000, 1),
            (10_000, 0, 1),
            (0, 604_800_000, 604_800),
            (7, 604_800_007, 604_800),
            (0, 604_800_001, 604_801),
        ] {
            let at = Timestamp::from_millis;
            assert_eq!(lifetime(at(now), at(until)), Duration::from_secs(seconds), "from {now} to {until}");
        }
    }
}
