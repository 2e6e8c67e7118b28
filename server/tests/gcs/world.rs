//! A store, the stand-in behind it, and a client that uploads and downloads.

use std::{path::Path, sync::Arc, time::Duration};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use i9chat_server::{
    clock::{Clock, SystemClock},
    media::{
        MediaStore, PartName, StatedPart, UploadTimes,
        gcs::{GcsCredentials, GcsMedia, GcsOptions},
    },
};
use i9chat_spec::{Example, MediaId, MediaPart, UserId};
use reqwest::{Client, Method, Response, StatusCode};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    signature::Account,
    stand_in::{BUCKET, StandIn},
};

pub const START_S: u64 = 900;
pub const READ_S: u64 = 3600;
pub const GRAIN: usize = 256 * 1024;

/// A service account with the file that holds its key.
pub struct Key {
    pub account: Account,
    pub file: String,
}

pub fn new_key() -> Key {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let private = BASE64_STANDARD.encode(private.as_ref());
    let email = "i9chat@tests.iam.gserviceaccount.com".to_owned();
    let file = serde_json::json!({
        "type": "service_account",
        "client_email": email,
        "private_key_id": "one",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"),
    });
    Key { account: Account { email, public_key: key.public_key().as_ref().to_vec() }, file: file.to_string() }
}

pub struct World {
    pub media: GcsMedia,
    pub google: StandIn,
    pub client: Client,
    pub options: GcsOptions,
    _folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let key = new_key();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.json");
        std::fs::write(&file, &key.file).unwrap();
        let google = StandIn::new(key.account).await;
        let options = options(&google, "", &file);
        let media = open(&options);
        Self { media, google, client: Client::builder().no_proxy().build().unwrap(), options, _folder: folder }
    }

    /// The same with another store before the stand-in.
    pub fn with(self, media: GcsMedia) -> Self {
        Self { media, ..self }
    }

    /// A signed URL to start an upload.
    pub async fn upload_url(&self, part: &StatedPart) -> String {
        self.media.upload_url(part, UserId::example(), times()).await.unwrap()
    }

    /// A signed URL to read.
    pub async fn download_url(&self, part: &StatedPart, is_attachment: bool) -> String {
        let until = SystemClock.now().plus_seconds(READ_S);
        self.media.download_url(part, is_attachment, UserId::example(), until).await.unwrap()
    }

    /// Starts an upload as MED-8 says, with these headers besides.
    pub async fn starts(&self, url: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.post(url).header("content-length", 0);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// Where the bytes of a part go.
    pub async fn opens(&self, part: &StatedPart) -> String {
        let url = self.upload_url(part).await;
        self.opens_at(&url, part).await
    }

    pub async fn opens_at(&self, url: &str, part: &StatedPart) -> String {
        let headers = [("x-goog-resumable", "start"), ("content-type", part.content_type.as_str())];
        let answer = self.starts(url, &headers).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Sends bytes, or asks how far they have got: the status, and how many are held as `Range` says.
    pub async fn puts(&self, location: &str, range: &str, bytes: &[u8]) -> (u16, Option<usize>) {
        let request = self.client.put(location).header("content-length", bytes.len()).body(bytes.to_vec());
        let request = if range.is_empty() { request } else { request.header("content-range", range) };
        let answer = request.send().await.unwrap();
        let held = answer
            .headers()
            .get("range")
            .map(|range| range.to_str().unwrap().strip_prefix("bytes=0-").unwrap().parse::<usize>().unwrap() + 1);
        (answer.status().as_u16(), held)
    }

    /// Uploads a part in one go.
    pub async fn uploads(&self, part: &StatedPart, bytes: &[u8]) {
        let location = self.opens(part).await;
        assert_eq!(self.puts(&location, "", bytes).await, (200, None));
    }

    /// Uploads and completes a part.
    pub async fn keeps(&self, part: &StatedPart, bytes: &[u8]) {
        self.uploads(part, bytes).await;
        assert!(self.media.arrived(part).await.unwrap().is_some());
    }

    pub async fn asks(&self, method: Method, url: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.request(method, url);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }
}

pub fn options(google: &StandIn, prefix: &str, key_file: &Path) -> GcsOptions {
    let place = format!("gs://{BUCKET}/{prefix}").parse().unwrap();
    let credentials = GcsCredentials::KeyFile(key_file.to_owned());
    GcsOptions { endpoint: Some(format!("http://{}", google.address)), ..GcsOptions::new(place, credentials) }
}

pub fn open(options: &GcsOptions) -> GcsMedia {
    GcsMedia::open(options, Arc::new(SystemClock)).unwrap()
}

/// A store that loses patience soon.
pub fn open_impatient(options: &GcsOptions) -> GcsMedia {
    open(&GcsOptions { patience: Duration::from_millis(600), ..options.clone() })
}

pub fn times() -> UploadTimes {
    let now = SystemClock.now();
    UploadTimes { start_until: now.plus_seconds(START_S), until: now.plus_seconds(24 * 3600) }
}

/// A part of new media.
pub fn part(part: MediaPart, content_type: &str, size: usize) -> StatedPart {
    let name = PartName { media_id: MediaId::from_uuid(Uuid::new_v4()), part };
    StatedPart { name, content_type: content_type.parse().unwrap(), size: size as u64 }
}

/// A picture of new media.
pub fn picture(size: usize) -> StatedPart {
    part(MediaPart::Original, "image/png", size)
}

/// Bytes of which no two kinds are alike.
pub fn bytes(kind: u8, size: usize) -> Vec<u8> {
    (0..size).map(|at| u8::try_from(at % 251).unwrap() ^ kind).collect()
}
