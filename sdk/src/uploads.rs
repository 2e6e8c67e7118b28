//! Media: uploads that survive breaks and restarts, and downloads.
//!
//! [`Client::upload`] is the whole way in one call. [`Client::start_upload`] shows progress on it, and gives a ticket with which another run
//! goes on. The bytes go straight to where the server says that they are kept, which may be another host; no token goes there. (MED-8)
//!
//! ```no_run
//! use i9chat_sdk::{Client, uploads::{Source, Upload}};
//!
//! # async fn run(client: Client, bob: i9chat_sdk::ChatHandle) -> Result<(), Box<dyn std::error::Error>> {
//! let photo = Upload::image(Source::file("cat.jpg"), "image/jpeg")?.preview(Source::file("cat-small.jpg"), "image/jpeg")?;
//! let upload = client.start_upload(photo).await?;
//! std::fs::write("cat.ticket", serde_json::to_vec(upload.ticket())?)?; // for client.resume_upload, if this run ends early
//! let photo = upload.finish().await?;
//! bob.send(photo.image().caption("My cat")).await?;
//! # Ok(())
//! # }
//! ```

mod download;
mod error;
mod plan;
mod progress;
mod retries;
mod source;
mod started;
mod storage;
mod ticket;
mod uploaded;

use i9chat_spec::{MediaId, MediaPart};

pub use self::{
    download::{Download, Downloading},
    error::MediaError,
    plan::Upload,
    progress::Progress,
    source::Source,
    started::StartedUpload,
    ticket::{PartTicket, UploadTicket},
    uploaded::UploadedMedia,
};
use crate::Client;

impl Client {
    /// Uploads media, and returns when it can be used. Breaks are waited out. (MED-4 to MED-15)
    ///
    /// Refused with `invalid_request` when the server does not take media of that kind, type or size (MED-5), `too_many_uploads`
    /// (MED-6), and `media_rejected` when the bytes are not of the type that was stated (MED-15).
    ///
    /// ```no_run
    /// use i9chat_sdk::{Client, uploads::{Source, Upload}};
    ///
    /// # async fn run(client: Client, bob: i9chat_sdk::ChatHandle) -> Result<(), Box<dyn std::error::Error>> {
    /// let report = client.upload(Upload::file(Source::file("report.pdf"), "application/pdf")?).await?;
    /// bob.send(report.file("report.pdf")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload(&self, upload: Upload) -> Result<UploadedMedia, MediaError> {
        self.start_upload(upload).await?.finish().await
    }

    /// Has an upload authorised. Nothing is sent before [`StartedUpload::finish`].
    pub async fn start_upload(&self, upload: Upload) -> Result<StartedUpload, MediaError> {
        StartedUpload::start(self, upload).await
    }

    /// Goes on with an upload of an earlier run: what the server holds is not sent again. (MED-10)
    ///
    /// Every part of the ticket needs its source, of the same bytes. A ticket that has expired ends with [`MediaError::Refused`].
    ///
    /// ```no_run
    /// use i9chat_sdk::{Client, spec::MediaPart, uploads::Source};
    ///
    /// # async fn run(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let ticket = serde_json::from_slice(&std::fs::read("cat.ticket")?)?;
    /// let sources = [(MediaPart::Original, Source::file("cat.jpg")), (MediaPart::Preview, Source::file("cat-small.jpg"))];
    /// let photo = client.resume_upload(ticket, sources).await?.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn resume_upload(
        &self,
        ticket: UploadTicket,
        sources: impl IntoIterator<Item = (MediaPart, Source)>,
    ) -> Result<StartedUpload, MediaError> {
        StartedUpload::resume(self, ticket, sources.into_iter().collect()).await
    }

    /// A part of media, to be read. Nothing is asked before the first bytes are; then it is refused with `media_not_found` when the user
    /// may not read it. (MED-20, MED-21)
    pub fn download(&self, media_id: MediaId, part: MediaPart) -> Result<Download, MediaError> {
        Download::new(self, media_id, part)
    }
}
