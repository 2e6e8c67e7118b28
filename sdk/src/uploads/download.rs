//! Reading media: as a stream, whole, or into a file, over any number of breaks.

use std::{
    ffi::OsString,
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use i9chat_spec::{
    MediaId, MediaPart, Nothing,
    api::media::{GetMedia, OneMediaPart},
};
use reqwest::{
    Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_RANGE},
};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
    sync::watch,
};
use url::Url;

use super::{MediaError, Progress, error::Fault, retries::Retries, storage::Storage};
use crate::{Client, Error, Http, connection::Backoff};

/// A part of media that is to be downloaded, from [`Client::download`].
///
/// ```no_run
/// # async fn run(client: i9chat_sdk::Client, media_id: i9chat_sdk::spec::MediaId) -> Result<(), i9chat_sdk::uploads::MediaError> {
/// use i9chat_sdk::spec::MediaPart;
///
/// let preview = client.download(media_id, MediaPart::Preview)?.bytes().await?;
/// client.download(media_id, MediaPart::Original)?.to_file("cat.jpg").await?;
///
/// let mut stream = client.download(media_id, MediaPart::Original)?.range(0..65_536).start();
/// while let Some(bytes) = stream.next().await {
///     println!("{} bytes", bytes?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Download {
    http: Http,
    storage: Storage,
    media: OneMediaPart,
    range: Option<Range<u64>>,
    retries: Retries,
    progress: watch::Sender<Progress>,
}

impl Download {
    pub(super) fn new(client: &Client, media_id: MediaId, part: MediaPart) -> Result<Self, MediaError> {
        let http = client.http().clone();
        let storage = Storage::new(http.transport())?;
        let media = OneMediaPart { media_id, part };
        let progress = watch::Sender::new(Progress::default());
        Ok(Self { http, storage, media, range: None, retries: Retries::new(), progress })
    }

    /// Only these bytes; those beyond the end are none.
    #[must_use]
    pub fn range(self, range: Range<u64>) -> Self {
        Self { range: Some(range), ..self }
    }

    /// How far it is, now and at each change.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The delays between tries: a quarter of a second to 30 seconds unless chosen otherwise.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.retries.backoff = backoff;
        self
    }

    /// How many failures in a row are waited out: 8 unless chosen otherwise.
    #[must_use]
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.retries.max_failures = failures;
        self
    }

    /// The bytes as a stream.
    pub fn start(self) -> Downloading {
        self.start_after(0)
    }

    /// The bytes in memory. Media has up to 50 MiB, as the capabilities say exactly. (MED-3)
    pub async fn bytes(self) -> Result<Vec<u8>, MediaError> {
        let mut downloading = self.start();
        let mut bytes = Vec::new();
        while let Some(some) = downloading.next().await {
            bytes.extend_from_slice(&some?);
        }
        Ok(bytes)
    }

    /// The bytes into a file, and how many these are. Until all are there they stand in a hidden file beside it, from which a later
    /// try goes on; a file of that name is replaced at once. Two downloads to the same name at the same time are one too many.
    pub async fn to_file(self, path: impl AsRef<Path>) -> Result<u64, MediaError> {
        let path = path.as_ref();
        let partial = self.partial(path)?;
        let mut file = OpenOptions::new().append(true).create(true).open(&partial).await.map_err(MediaError::Local)?;
        let there = file.metadata().await.map_err(MediaError::Local)?.len();
        let mut downloading = self.start_after(there);
        let mut length = there;
        while let Some(bytes) = downloading.next().await {
            let bytes = match bytes {
                // What stands there cannot be the beginning of it.
                Err(MediaError::Refused(status))
                    if status == StatusCode::RANGE_NOT_SATISFIABLE.as_u16() && there > 0 =>
                {
                    file.set_len(0).await.map_err(MediaError::Local)?;
                    downloading.begin_again();
                    length = 0;
                    continue;
                }
                bytes => bytes?,
            };
            file.write_all(&bytes).await.map_err(MediaError::Local)?;
            length += bytes.len() as u64;
        }
        finished(file, &partial, path).await.map_err(MediaError::Local)?;
        Ok(length)
    }

    /// Beside the file, so that to rename it is one step; named for the media, so that what is gone on from is the same.
    fn partial(&self, path: &Path) -> Result<PathBuf, MediaError> {
        let name = path.file_name().ok_or_else(|| MediaError::Local(std::io::ErrorKind::InvalidInput.into()))?;
        let OneMediaPart { media_id, part } = &self.media;
        let range = self.range.as_ref().map(|range| format!(".{}-{}", range.start, range.end)).unwrap_or_default();
        let mut partial = OsString::from(".");
        partial.push(name);
        partial.push(format!(".{media_id}.{part}{range}.partial"));
        Ok(path.with_file_name(partial))
    }

    fn start_after(self, there: u64) -> Downloading {
        let Self { http, storage, media, range, retries, progress } = self;
        let range = range.unwrap_or(0..u64::MAX);
        let end = Some(range.end).filter(|end| *end < u64::MAX);
        let total = None;
        Downloading {
            http,
            storage,
            media,
            start: range.start,
            position: range.start + there,
            end,
            total,
            link: None,
            answer: None,
            retries,
            progress,
        }
    }
}

async fn finished(file: File, partial: &Path, path: &Path) -> std::io::Result<()> {
    file.sync_all().await?;
    drop(file);
    tokio::fs::rename(partial, path).await
}

/// Bytes that arrive, each once and in order. After an error that is not waited out, [`next`](Self::next) tries again.
pub struct Downloading {
    http: Http,
    storage: Storage,
    media: OneMediaPart,
    start: u64,
    position: u64,
    /// The first byte that is not wanted.
    end: Option<u64>,
    /// The size of the whole part, once it is known.
    total: Option<u64>,
    /// Good for a while. (MED-23)
    link: Option<Url>,
    answer: Option<Response>,
    retries: Retries,
    progress: watch::Sender<Progress>,
}

impl Downloading {
    /// The size of the whole part in bytes, known from the first bytes on.
    pub const fn size(&self) -> Option<u64> {
        self.total
    }

    /// The next bytes; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Bytes, MediaError>> {
        loop {
            if self.is_whole() {
                self.progress.send_modify(|progress| progress.is_done = true);
                return None;
            }
            match self.read().await {
                Ok(Some(bytes)) => {
                    self.retries.succeeded();
                    self.position += bytes.len() as u64;
                    let bytes_there = self.position - self.start;
                    self.progress.send_modify(|progress| {
                        progress.bytes = bytes_there;
                        progress.total = self.last().map(|last| last.saturating_sub(self.start));
                    });
                    return Some(Ok(bytes));
                }
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The same as a stream of the `futures` crates.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, MediaError>> + Send {
        stream::unfold(self, |mut downloading| async move {
            let next = downloading.next().await?;
            Some((next, downloading))
        })
    }

    fn begin_again(&mut self) {
        self.position = self.start;
        self.answer = None;
    }

    /// One byte after the last that is wanted, once it is known.
    fn last(&self) -> Option<u64> {
        self.total.map(|total| self.end.map_or(total, |end| end.min(total)))
    }

    fn is_whole(&self) -> bool {
        self.last().is_some_and(|last| self.position >= last) || self.end.is_some_and(|end| self.position >= end)
    }

    /// The next bytes, or nothing when that took a step without any.
    async fn read(&mut self) -> Result<Option<Bytes>, MediaError> {
        let Some(answer) = &mut self.answer else {
            self.open().await?;
            return Ok(None);
        };
        match Storage::next(answer).await {
            Ok(Some(bytes)) => {
                let wanted = self.last().map_or(u64::MAX, |last| last - self.position);
                let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(bytes.len());
                Ok(Some(bytes.slice(..wanted)).filter(|bytes| !bytes.is_empty()))
            }
            Ok(None) => {
                self.answer = None;
                self.retries.failed(Fault::Passing("the answer ended too early".into())).await?;
                Ok(None)
            }
            Err(fault) => {
                self.answer = None;
                self.retries.failed(fault).await?;
                Ok(None)
            }
        }
    }

    async fn open(&mut self) -> Result<(), MediaError> {
        let (link, is_new) = match &self.link {
            Some(link) => (link.clone(), false),
            None => (self.ask_for_a_link().await?, true),
        };
        match self.storage.get(&link, self.position, self.end).await {
            Ok(answer) => {
                self.link = Some(link);
                self.total = Some(self.size_of(&answer)?);
                self.answer = Some(answer);
                Ok(())
            }
            Err(Fault::Refused(status)) if !is_new => {
                tracing::debug!(status, "a link is not good any more");
                self.link = None;
                Ok(())
            }
            Err(fault) => self.retries.failed(fault).await,
        }
    }

    async fn ask_for_a_link(&self) -> Result<Url, MediaError> {
        let answer = self.http.call::<GetMedia>(&self.media, &Nothing {}, &Nothing {}).await?;
        let OneMediaPart { media_id, part } = &self.media;
        let asked = format!("{}/v1/media/{media_id}/{part}", self.http.transport().server());
        let link = Url::parse(&asked).and_then(|asked| asked.join(&answer.url));
        link.map_err(|_| Error::Unexpected("a link that is no URL".to_owned()).into())
    }

    /// The size of the whole part, when the answer begins where it was asked to.
    fn size_of(&self, answer: &Response) -> Result<u64, MediaError> {
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let size = if answer.status() == StatusCode::PARTIAL_CONTENT {
            let range = text(CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
            range.and_then(|(range, size)| {
                let first: u64 = range.split_once('-')?.0.parse().ok()?;
                size.parse().ok().filter(|_| first == self.position)
            })
        } else {
            text(CONTENT_LENGTH).and_then(|size| size.parse().ok()).filter(|_| self.position == 0)
        };
        size.ok_or_else(|| MediaError::Unexpected("bytes that were not asked for".to_owned()))
    }
}

impl fmt::Debug for Downloading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downloading")
            .field("media", &self.media)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
