//! Media on the server's own disk: one folder for each, one file for each part.
//!
//! How far an upload has got is the length of its file, so it needs no other record and survives a restart. Servers may share the
//! folder, when its file system has locks. A file has its
//! final name exactly when it is whole, and never changes after that.

mod files;
mod sending;
mod turns;

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use async_trait::async_trait;
use i9chat_spec::{MediaId, Timestamp, UserId};

use self::files::Files;
pub use self::sending::{Begun, Sending};
use super::{Arrived, MediaError, MediaStore, MediaUrls, PartName, StatedPart, UploadTimes};
use crate::{
    auth::keys::{ServerKey, create_private_folder},
    domain::media::HEAD_BYTES,
};

/// The folder for media in the data folder.
const FOLDER: &str = "media";
/// Where uploads go, followed by a permission.
pub const UPLOADS: &str = "/media/uploads/";
/// Where downloads come from, followed by a permission.
pub const DOWNLOADS: &str = "/media/files/";

/// How far an upload has got. All of it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Every byte is there.
    Whole,
    /// So many bytes are there.
    Bytes(u64),
}

/// Media on the server's own disk.
#[derive(Debug)]
pub struct DiskMedia {
    files: Files,
    urls: MediaUrls,
}

impl DiskMedia {
    /// Media in a data folder, behind URLs that hold with the server's key. Makes the folder when it is not there. Blocks.
    pub fn open(data: &Path, key: &ServerKey) -> io::Result<Self> {
        let root = data.join(FOLDER);
        create_private_folder(&root)?;
        Ok(Self { files: Files::new(root), urls: MediaUrls::new(key) })
    }

    /// The permissions in the URLs.
    pub fn urls(&self) -> &MediaUrls {
        &self.urls
    }

    /// How far a start of an upload has got. (MED-10)
    pub async fn held(&self, part: &StatedPart, session: u64) -> Result<Held, MediaError> {
        let (files, name) = (self.files.clone(), part.name);
        let held = blocking(move || {
            if files.whole(name).try_exists()? {
                return Ok(Held::Whole);
            }
            match File::open(files.growing(name, session)) {
                Ok(file) => {
                    // What broke off has not been made durable yet.
                    file.sync_data()?;
                    Ok(Held::Bytes(file.metadata()?.len()))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Held::Bytes(0)),
                Err(error) => Err(error),
            }
        })
        .await?;
        // The server ended between the last byte and the settling.
        if held == Held::Bytes(part.size) && matches!(self.begin(part, session).await?, Begun::Whole) {
            return Ok(Held::Whole);
        }
        Ok(held)
    }

    /// Begins to take bytes for a start of an upload. Whoever sent bytes for the same part until now gets no further, and
    /// what other starts have left behind is gone.
    pub async fn begin(&self, part: &StatedPart, session: u64) -> Result<Begun, MediaError> {
        let files = self.files.clone();
        let (name, size) = (part.name, part.size);
        blocking(move || Sending::begin(files, name, session, size)).await
    }

    /// The bytes of a part, and how many there are; `None` when they are not all there, or no longer.
    pub async fn whole(&self, name: PartName) -> Result<Option<(File, u64)>, MediaError> {
        let files = self.files.clone();
        blocking(move || open_whole(&files, name)).await
    }
}

#[async_trait]
impl MediaStore for DiskMedia {
    async fn upload_url(&self, part: &StatedPart, by: UserId, times: UploadTimes) -> Result<String, MediaError> {
        Ok(format!("{UPLOADS}{}", self.urls.start(part, by, times)))
    }

    async fn arrived(&self, part: &StatedPart) -> Result<Option<Arrived>, MediaError> {
        let (files, name) = (self.files.clone(), part.name);
        blocking(move || {
            let Some((file, size)) = open_whole(&files, name)? else { return Ok(None) };
            // The server may have ended, or still be busy, between naming the file and making its name durable.
            files.sync_names(name.media_id)?;
            let mut head = Vec::with_capacity(HEAD_BYTES);
            file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
            Ok(Some(Arrived { size, head }))
        })
        .await
    }

    async fn download_url(
        &self,
        part: &StatedPart,
        is_attachment: bool,
        by: UserId,
        until: Timestamp,
    ) -> Result<String, MediaError> {
        Ok(format!("{DOWNLOADS}{}", self.urls.read(part, is_attachment, by, until)))
    }

    async fn remove(&self, media_id: MediaId) -> Result<(), MediaError> {
        let files = self.files.clone();
        blocking(move || files.remove(media_id)).await
    }
}

fn open_whole(files: &Files, name: PartName) -> io::Result<Option<(File, u64)>> {
    match File::open(files.whole(name)) {
        Ok(file) => {
            let size = file.metadata()?.len();
            Ok(Some((file, size)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs what waits for the disk where waiting holds nobody up.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, MediaError> {
    let outcome = tokio::task::spawn_blocking(job).await;
    Ok(outcome.unwrap_or_else(|_| Err(io::Error::other("the job was given up")))?)
}

#[cfg(test)]
mod tests;
