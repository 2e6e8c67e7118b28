use std::{path::PathBuf, time::Duration};

use http::{HeaderMap, HeaderValue, header};
use object_store::{
    BackoffConfig, ClientOptions, Error, RetryConfig,
    gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder},
};

use super::GcsPlace;

/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How often a request that may be repeated is.
const REPETITIONS: usize = 3;

/// Whose rights this server has in the bucket, and in whose name it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GcsCredentials {
    /// Those of a service account whose key is in a file, as Google hands it out.
    KeyFile(PathBuf),
    /// Those of the machine: what Google's tools have left in the home folder, or else the account under which the machine runs
    /// on Google Cloud. Each signature is then a request to Google.
    Machine,
}

/// What is needed to open a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsOptions {
    /// Which bucket, and where in it.
    pub place: GcsPlace,
    /// Whose rights are used.
    pub credentials: GcsCredentials,
    /// Where the bucket is answered for, such as `http://127.0.0.1:9000`; Google when left out. For stand-ins in tests only: URLs
    /// lead there, but are signed for Google's host.
    pub endpoint: Option<String>,
    /// How long anything that is asked of the store may take, with all its requests and their repetitions.
    pub patience: Duration,
}

impl GcsOptions {
    /// How long is waited for Google.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A bucket of Google's.
    pub fn new(place: GcsPlace, credentials: GcsCredentials) -> Self {
        Self { place, credentials, endpoint: None, patience: Self::PATIENCE }
    }

    /// How long one request may take, its answer included. None carries more than the first bytes of a part.
    fn request_time(&self) -> Duration {
        self.patience / 2
    }
}

/// A client for the bucket. Blocks while it reads the credentials.
pub(super) fn connect(options: &GcsOptions) -> Result<GoogleCloudStorage, Error> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(options.place.bucket())
        .with_client_options(client(options))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
            max_retries: REPETITIONS,
            retry_timeout: options.request_time(),
        });
    if let GcsCredentials::KeyFile(path) = &options.credentials {
        builder = builder.with_application_credentials(path.to_string_lossy());
    }
    if let Some(endpoint) = &options.endpoint {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    builder.build()
}

fn client(options: &GcsOptions) -> ClientOptions {
    // Without it, what is stored compressed would come decompressed, with another size and without saying so.
    let as_it_is = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
    ClientOptions::new()
        .with_default_headers(as_it_is)
        .with_connect_timeout(CONNECT_TIME.min(options.request_time()))
        .with_timeout(options.request_time())
        .with_allow_http(options.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")))
}
