//! An upload from the moment at which it was authorised.

use std::{collections::HashMap, fmt};

use i9chat_spec::{
    ErrorCode, MediaPart, Nothing,
    api::media::{CompleteUpload, NewUpload, OneMedia, PartPlan, StartUpload},
};
use tokio::sync::watch;
use url::Url;

use super::{
    MediaError, PartTicket, Progress, Source, Upload, UploadTicket, UploadedMedia,
    error::Fault,
    plan::PlannedPart,
    retries::Retries,
    source::OpenSource,
    storage::{Held, Storage},
};
use crate::{Client, Error, Http, connection::Backoff};

/// What is sent at once: a multiple of 256 KiB (MED-9), and what a stream keeps in memory.
const CHUNK_BYTES: usize = 4 * 256 * 1024;

/// An upload that the server has authorised, from [`Client::start_upload`] or [`Client::resume_upload`].
///
/// Breaks are waited out and gone on from; when they last too long, or the program ends, the [ticket](Self::ticket) goes on later.
pub struct StartedUpload {
    http: Http,
    storage: Storage,
    ticket: UploadTicket,
    parts: Vec<Part>,
    /// Whether the storage may hold bytes already.
    is_resumed: bool,
    retries: Retries,
    progress: watch::Sender<Progress>,
}

/// A part of which the bytes are at hand.
struct Part {
    location: Url,
    source: OpenSource,
}

impl StartedUpload {
    pub(super) async fn start(client: &Client, upload: Upload) -> Result<Self, MediaError> {
        let http = client.http().clone();
        let storage = Storage::new(http.transport())?;
        let Upload { purpose, kind, parts } = upload;
        let mut plans = Vec::with_capacity(parts.len());
        let mut sources = Vec::with_capacity(parts.len());
        for PlannedPart { part, content_type, source } in parts {
            let source = source.open(part).await?;
            plans.push(PartPlan { part, content_type, size: source.size });
            sources.push(source);
        }
        let parts = plans.clone().try_into().map_err(|error| unexpected(&error))?;
        let body = NewUpload { purpose, kind, parts };
        let mut retries = Retries::new();
        // A repetition leaves at worst an upload that nobody uses, which expires.
        let started = loop {
            match http.call::<StartUpload>(&Nothing {}, &Nothing {}, &body).await {
                Ok(started) => break started,
                Err(error) => retries.call_failed(error).await?,
            }
        };
        let asked =
            Url::parse(&format!("{}/v1/uploads", http.transport().server())).map_err(|error| unexpected(&error))?;
        let mut targets: HashMap<MediaPart, String> =
            started.parts.into_iter().map(|target| (target.part, target.upload_url)).collect();
        let mut parts = Vec::with_capacity(plans.len());
        for PartPlan { part, content_type, size } in plans {
            let target = targets.remove(&part).and_then(|target| asked.join(&target).ok());
            let target = target.ok_or_else(|| MediaError::Unexpected(format!("no upload URL for the {part}")))?;
            let location = loop {
                match storage.start(&target, &content_type).await {
                    Ok(location) => break location,
                    Err(fault) => retries.failed(fault).await?,
                }
            };
            retries.succeeded();
            parts.push(PartTicket { part, content_type, size, location: location.into() });
        }
        let ticket = UploadTicket { server: http.transport().server().to_owned(), media_id: started.media_id, parts };
        Self::new(http, storage, ticket, sources, false)
    }

    pub(super) async fn resume(
        client: &Client,
        ticket: UploadTicket,
        sources: Vec<(MediaPart, Source)>,
    ) -> Result<Self, MediaError> {
        let http = client.http().clone();
        if ticket.server != http.transport().server() {
            return Err(MediaError::OtherServer(ticket.server));
        }
        let storage = Storage::new(http.transport())?;
        let mut given: HashMap<MediaPart, Source> = sources.into_iter().collect();
        let mut sources = Vec::with_capacity(ticket.parts.len());
        for PartTicket { part, size, .. } in &ticket.parts {
            let source = given.remove(part).ok_or(MediaError::NoSource(*part))?.open(*part).await?;
            if source.size != *size {
                return Err(MediaError::WrongSize { part: *part, stated: *size });
            }
            sources.push(source);
        }
        Self::new(http, storage, ticket, sources, true)
    }

    fn new(
        http: Http,
        storage: Storage,
        ticket: UploadTicket,
        sources: Vec<OpenSource>,
        is_resumed: bool,
    ) -> Result<Self, MediaError> {
        let mut parts = Vec::with_capacity(sources.len());
        for (PartTicket { location, .. }, source) in ticket.parts.iter().zip(sources) {
            let location =
                Url::parse(location).map_err(|_| MediaError::Unexpected("a place that is no URL".to_owned()))?;
            parts.push(Part { location, source });
        }
        let total = parts.iter().map(|part| part.source.size).sum();
        let progress = watch::Sender::new(Progress { bytes: 0, total: Some(total), is_done: false });
        Ok(Self { http, storage, ticket, parts, is_resumed, retries: Retries::new(), progress })
    }

    /// What to keep, so that a later run can go on.
    pub const fn ticket(&self) -> &UploadTicket {
        &self.ticket
    }

    /// How far the upload is, now and at each change.
    ///
    /// ```no_run
    /// # async fn run(upload: i9chat_sdk::uploads::StartedUpload) -> Result<(), i9chat_sdk::uploads::MediaError> {
    /// let mut progress = upload.progress();
    /// tokio::spawn(async move {
    ///     while progress.changed().await.is_ok() {
    ///         println!("{:.0} %", progress.borrow_and_update().fraction().unwrap_or_default() * 100.0);
    ///     }
    /// });
    /// let media = upload.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The delays between tries: a quarter of a second to 30 seconds unless chosen otherwise.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.retries.backoff = backoff;
        self
    }

    /// How many failures in a row are waited out: 8 unless chosen otherwise, which is about a minute and a half.
    #[must_use]
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.retries.max_failures = failures;
        self
    }

    /// Sends what the server does not hold yet, and completes the upload: from then on the media can be used. (MED-9, MED-13)
    ///
    /// Refused with `media_rejected` when the bytes are not what was stated (MED-15), and with `media_not_found` when the upload has expired (MED-16).
    pub async fn finish(self) -> Result<UploadedMedia, MediaError> {
        let mut ask_first = self.is_resumed;
        let Self { http, storage, ticket, mut parts, mut retries, progress, .. } = self;
        loop {
            let mut before = 0;
            for part in &mut parts {
                part.transfer(&storage, &mut retries, ask_first, |held| {
                    progress.send_modify(|progress| progress.bytes = before + held);
                })
                .await?;
                before += part.source.size;
            }
            let path = OneMedia { media_id: ticket.media_id };
            match http.call::<CompleteUpload>(&path, &Nothing {}, &Nothing {}).await {
                Ok(info) => {
                    progress.send_modify(|progress| progress.is_done = true);
                    return Ok(UploadedMedia::new(info));
                }
                // What was held is not any more: the storage is asked part by part.
                Err(error) if error.code() == Some(ErrorCode::UploadIncomplete) => {
                    ask_first = true;
                    let fault = Fault::Passing(error.into());
                    retries.failed(fault).await?;
                }
                // The same answer again is harmless. (MED-14)
                Err(error) => {
                    ask_first = true;
                    retries.call_failed(error).await?;
                }
            }
        }
    }
}

impl Part {
    /// Sends what the storage does not hold of it. `ask_first` when it may hold some already.
    async fn transfer(
        &mut self,
        storage: &Storage,
        retries: &mut Retries,
        ask_first: bool,
        told: impl Fn(u64),
    ) -> Result<(), MediaError> {
        let size = self.source.size;
        // How much the storage holds, as far as that is known.
        let mut held = if ask_first { None } else { Some(0) };
        let mut most = 0;
        loop {
            let answer = match held {
                None => storage.held(&self.location, size).await,
                Some(from) => {
                    let chunk = self.source.chunk(from, CHUNK_BYTES).await?;
                    storage.send(&self.location, from, size, chunk).await
                }
            };
            match answer {
                Ok(Held::All) => {
                    retries.succeeded();
                    told(size);
                    return Ok(());
                }
                Ok(Held::Bytes(bytes)) if bytes >= size => {
                    return Err(MediaError::Unexpected("an upload that is whole and not done".to_owned()));
                }
                Ok(Held::Bytes(bytes)) => {
                    told(bytes);
                    let was_sent = held.replace(bytes).is_some();
                    // To say what it holds is no success: only more bytes are.
                    if bytes > most {
                        most = bytes;
                        retries.succeeded();
                    } else if was_sent {
                        retries.failed(Fault::Passing("the storage takes nothing".into())).await?;
                    }
                }
                Err(fault) => {
                    held = None;
                    retries.failed(fault).await?;
                }
            }
        }
    }
}

impl fmt::Debug for StartedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedUpload").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

fn unexpected(error: &dyn std::error::Error) -> Error {
    Error::Unexpected(error.to_string())
}
