//! Media in a bucket of Google Cloud Storage, to which clients upload and from which they download without passing through
//! this server.
//!
//! A part has two names in the bucket, neither of them taken from outside. Uploads go to the *arriving* one. When the upload is
//! completed and what arrived has the stated size and type, the bucket copies it to the *kept* one, unless there is something
//! already. No URL that this server gives out can write there, so what was once checked never changes, however often the upload
//! is started again; and downloads come from there alone. A download URL fixes the type and the disposition, whatever the
//! uploader has said of them, and an encoding, which changes the bytes, is not taken. `Cache-Control` and `Content-Language` go
//! out as they came: they do no harm.
//!
//! # What section 13 of `docs/protocol.md` asks for, and what Cloud Storage does
//!
//! | Clause | Here |
//! |---|---|
//! | MED-7, MED-23 | A URL is good to the second: up to one second longer than stated. Altered it is answered with 403, run out with 400. It holds for a week at most ([`LONGEST_URL_S`]) |
//! | MED-8 | The signature covers the method, the name, the type and `x-goog-resumable`. It cannot cover the size: that takes a header that says it, `X-Upload-Content-Length`, and a client of MED-8 sends none |
//! | MED-9 | Of a chunk that is not the last one, whole multiples of 256 KiB are held |
//! | MED-10 | Starts of one part gather beside each other. Until the upload is completed, the one that was whole last counts |
//! | MED-11 | Bytes that would leave a gap are answered with 503. The size that a client names first is the one that the location goes by: more or less than was stated is taken there, and never completed, since only what has the stated size is copied to the kept name |
//! | MED-12 | A location goes on for a week from its start: `unused_upload_ttl_s` must not be longer ([`LONGEST_UPLOAD_S`]) |
//! | MED-14 | Cloud Storage acknowledges what is durable |
//! | MED-16, MED-17 | [`MediaStore::remove`] removes everything there is. What arrives after that, at a location that goes on, is the bucket's to remove (below) |
//! | MED-24 | A signature is for one method, and this one is for `GET`: `HEAD` is answered with 403 |
//! | MED-26 | Another origin than the server's |
//! | MED-27 | The bucket's own settings answer CORS (below) |
//!
//! # What the bucket needs
//!
//! - No public access, and no object versions or soft deletion, which keep what was removed.
//! - CORS for the origins of the pages: the methods `GET`, `POST` and `PUT`, and the headers `Content-Type`, `Content-Range`,
//!   `x-goog-resumable`, `Location` and `Range`, which stand for those that are sent and those that may be seen.
//! - A lifecycle rule that deletes objects whose names begin with [`GcsPlace::arriving_prefix`] when they are older than the days
//!   of `unused_upload_ttl_s` and one more: what was uploaded and never completed, or arrived too late. Nothing else bounds what
//!   is sent there: it may be larger than was stated, and come for a week.
//! - For the account of this server the role Storage Object User on the bucket, and when it has no key of its own, Service
//!   Account Token Creator on itself, with which it signs.

mod names;
mod object;
mod opening;
mod place;
mod signing;

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use i9chat_spec::{MediaId, MediaPart, Timestamp, UserId};
use object_store::{
    Attribute, Attributes, Error, ObjectStore, ObjectStoreExt, PutOptions,
    gcp::GoogleCloudStorage,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path,
};
use tokio::time::timeout;

use self::{names::Names, object::Object, signing::SignedUrls};
pub use self::{
    opening::{GcsCredentials, GcsOptions},
    place::{GcsPlace, WrongPlace},
    signing::LONGEST_URL_S,
};
use super::{Arrived, MediaError, MediaStore, PartName, StatedPart, UploadTimes};
use crate::clock::Clock;

/// For how many seconds Cloud Storage goes on with an upload that was started: a week.
pub const LONGEST_UPLOAD_S: u64 = 604_800;

/// Media in a bucket of Google Cloud Storage.
pub struct GcsMedia {
    bucket: Arc<GoogleCloudStorage>,
    names: Names,
    urls: SignedUrls,
    patience: Duration,
}

impl GcsMedia {
    /// Media in that bucket. Reads the credentials and asks nobody; blocks.
    pub fn open(options: &GcsOptions, clock: Arc<dyn Clock>) -> Result<Self, MediaError> {
        let bucket = Arc::new(opening::connect(options).map_err(failed)?);
        let urls = SignedUrls::new(Arc::clone(&bucket) as _, clock);
        Ok(Self { bucket, names: Names::new(&options.place), urls, patience: options.patience })
    }

    /// Whether the bucket is there, and this server may read it and sign for it: to be asked before serving anybody.
    pub async fn check(&self) -> Result<(), MediaError> {
        self.within(async {
            let one = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
            self.bucket.list_paginated(Some(self.names.kept_prefix()), one).await?;
            self.urls.check().await
        })
        .await
    }

    /// Whether a part is kept as it was stated.
    pub async fn keeps(&self, part: &StatedPart) -> Result<bool, MediaError> {
        let name = self.names.kept(part.name);
        self.within(async { Ok(Object::look_up(&*self.bucket, &name).await?.is_some_and(|object| object.is(part))) })
            .await
    }

    /// Keeps the bytes of a part that was completed elsewhere. They are as they were stated; what stands in their place is replaced.
    pub async fn bring(&self, part: &StatedPart, bytes: Vec<u8>) -> Result<(), MediaError> {
        let name = self.names.kept(part.name);
        let attributes = Attributes::from_iter([(Attribute::ContentType, part.content_type.as_str().to_owned())]);
        let options = PutOptions { attributes, ..PutOptions::default() };
        self.within(async { self.bucket.put_opts(&name, bytes.into(), options).await.map(drop) }).await?;
        if self.keeps(part).await? {
            return Ok(());
        }
        Err(MediaError(io::Error::other(format!("what was brought of {} is not as it was stated", part.name.media_id))))
    }

    /// Does something with the store, and gives up when it takes too long.
    async fn within<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, MediaError> {
        match timeout(self.patience, asked).await {
            Ok(outcome) => outcome.map_err(failed),
            Err(_) => Err(MediaError(io::Error::new(io::ErrorKind::TimedOut, "Cloud Storage took too long"))),
        }
    }

    /// What is kept of a part, as it was stated.
    async fn kept(&self, part: &StatedPart) -> Result<Option<Kept>, Error> {
        let name = self.names.kept(part.name);
        let Some(object) = Object::look_up(&*self.bucket, &name).await? else { return Ok(None) };
        if !object.is(part) {
            return Ok(Some(Kept::SomethingElse));
        }
        let head = object::head(&*self.bucket, &name).await?;
        Ok(Some(Kept::AsStated(Arrived { size: object.size, head })))
    }

    /// Keeps what arrived of a part when it is what was stated. `false` when there is nothing of the kind.
    async fn keep(&self, part: &StatedPart) -> Result<bool, Error> {
        let (arriving, kept) = (self.names.arriving(part.name), self.names.kept(part.name));
        let object = Object::look_up(&*self.bucket, &arriving).await?;
        if !object.is_some_and(|object| object.is(part)) {
            return Ok(false);
        }
        match self.bucket.copy_if_not_exists(&arriving, &kept).await {
            // Somebody else has completed the same upload meanwhile, or is removing it: the next look tells.
            Ok(()) | Err(Error::AlreadyExists { .. } | Error::NotFound { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Removes objects; those that are not there are as good as removed.
    async fn remove_all(&self, names: Vec<Path>) -> Result<(), Error> {
        let removals = names.into_iter().map(|name| async move {
            match self.bucket.delete(&name).await {
                Err(Error::NotFound { .. }) => Ok(()),
                outcome => outcome,
            }
        });
        stream::iter(removals).buffer_unordered(MediaPart::ALL.len()).try_collect().await
    }
}

/// What the kept name of a part leads to. It never changes, but for being removed.
enum Kept {
    AsStated(Arrived),
    /// What arrived was replaced between the look at it and the copy. Whoever does that has spoilt their upload.
    SomethingElse,
}

#[async_trait]
impl MediaStore for GcsMedia {
    async fn upload_url(&self, part: &StatedPart, _by: UserId, times: UploadTimes) -> Result<String, MediaError> {
        let name = self.names.arriving(part.name);
        self.within(self.urls.start(&name, &part.content_type, times.start_until)).await
    }

    async fn arrived(&self, part: &StatedPart) -> Result<Option<Arrived>, MediaError> {
        self.within(async {
            let kept = match self.kept(part).await? {
                None if !self.keep(part).await? => return Ok(None),
                None => self.kept(part).await?,
                kept => kept,
            };
            // It may have been copied by a server that ended before it got to this.
            if kept.is_some()
                && let Err(error) = self.remove_all(vec![self.names.arriving(part.name)]).await
            {
                tracing::warn!(%error, "what arrived was kept, and stays in the bucket a second time");
            }
            Ok(match kept {
                Some(Kept::AsStated(arrived)) => Some(arrived),
                Some(Kept::SomethingElse) | None => None,
            })
        })
        .await
    }

    async fn download_url(
        &self,
        part: &StatedPart,
        is_attachment: bool,
        _by: UserId,
        until: Timestamp,
    ) -> Result<String, MediaError> {
        let name = self.names.kept(part.name);
        self.within(self.urls.read(&name, &part.content_type, is_attachment, until)).await
    }

    async fn remove(&self, media_id: MediaId) -> Result<(), MediaError> {
        let parts = MediaPart::ALL.iter().map(|part| PartName { media_id, part: *part });
        self.within(async {
            // What can be copied goes first, so that nothing is copied to where it was removed already.
            self.remove_all(parts.clone().map(|part| self.names.arriving(part)).collect()).await?;
            self.remove_all(parts.map(|part| self.names.kept(part)).collect()).await
        })
        .await
    }
}

fn failed(error: Error) -> MediaError {
    MediaError(error.into())
}
