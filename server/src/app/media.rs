//! Media: authorising uploads, completing them, leading to the bytes. (MED-4 to MED-23)

use std::sync::Arc;

use i9chat_spec::{
    MediaId, MediaKind, PartInfo, Timestamp,
    api::media::{
        CompleteUpload, CompleteUploadRefusal, GetMedia, GetMediaRefusal, MediaInfo, MediaLink, PartTarget,
        StartUpload, StartUploadRefusal, UploadStarted,
    },
};

use super::{Answer, App, Call, Failure, Handle};
use crate::{
    bus::CleanUps,
    domain::media::{check_upload, is_of_type},
    media::{MediaError, MediaStore, PartName, StatedPart, UploadTimes},
    store::media::{MediaRecords, NewMedia},
};

/// How long after it expired the bytes of media are removed: longer than anything that had just begun to use it may take.
const GRACE_MS: i64 = 600_000;
/// How much expired media a node removes in one go.
const AT_ONCE: usize = 100;
/// How much is offered in one go: enough for several nodes.
const OFFERED: usize = 1000;

/// What the use cases of media work with.
pub struct Media {
    /// What was uploaded, and what uses it.
    pub records: Arc<dyn MediaRecords>,
    /// The bytes.
    pub store: Arc<dyn MediaStore>,
    /// What of it is to be removed, shared among nodes.
    pub clean_ups: Arc<dyn CleanUps>,
}

impl<R> From<MediaError> for Failure<R> {
    fn from(error: MediaError) -> Self {
        tracing::error!(%error);
        Self::Unavailable
    }
}

impl Handle<StartUpload> for App {
    async fn handle(&self, call: Call<StartUpload>) -> Result<Answer<UploadStarted>, Failure<StartUploadRefusal>> {
        check_upload(&call.body).map_err(Failure::Invalid)?;
        let now = self.clock.now();
        let owner = call.caller.user.user_id;
        let times = UploadTimes {
            start_until: now.plus_seconds(self.lifetimes.upload_url_ttl_s),
            until: now.plus_seconds(self.lifetimes.unused_upload_ttl_s),
        };
        let upload = NewMedia {
            media_id: MediaId::from_uuid(self.ids.uuid(now)),
            owner,
            purpose: call.body.purpose,
            kind: call.body.kind,
            parts: call
                .body
                .parts
                .into_vec()
                .into_iter()
                .map(|plan| PartInfo { part: plan.part, content_type: plan.content_type, size: plan.size })
                .collect(),
            created_at: now,
            expires_at: times.until,
        };
        let mut targets = Vec::with_capacity(upload.parts.len());
        for part in &upload.parts {
            let upload_url = self.media.store.upload_url(&stated(upload.media_id, part), owner, times).await?;
            targets.push(PartTarget { part: part.part, upload_url });
        }
        let media_id = upload.media_id;
        if !self.media.records.start(upload, self.limits.max_unused_uploads).await? {
            return Err(Failure::Refused(StartUploadRefusal::TooManyUploads));
        }
        Ok(UploadStarted { media_id, parts: targets, expires_at: times.start_until }.into())
    }
}

impl Handle<CompleteUpload> for App {
    async fn handle(&self, call: Call<CompleteUpload>) -> Result<Answer<MediaInfo>, Failure<CompleteUploadRefusal>> {
        let not_found = Failure::Refused(CompleteUploadRefusal::MediaNotFound);
        let now = self.clock.now();
        let upload = self.media.records.upload(call.path.media_id, call.caller.user.user_id, now).await?;
        let Some(upload) = upload else { return Err(not_found) };
        if !upload.is_complete {
            for part in &upload.parts {
                self.check_arrival(upload.media_id, upload.kind, part).await?;
            }
            let expires_at = now.plus_seconds(self.lifetimes.unused_upload_ttl_s);
            if !self.media.records.complete(upload.media_id, now, expires_at).await? {
                return Err(not_found);
            }
        }
        let info =
            MediaInfo { media_id: upload.media_id, purpose: upload.purpose, kind: upload.kind, parts: upload.parts };
        Ok(info.into())
    }
}

impl Handle<GetMedia> for App {
    async fn handle(&self, call: Call<GetMedia>) -> Result<Answer<MediaLink>, Failure<GetMediaRefusal>> {
        let not_found = Failure::Refused(GetMediaRefusal::MediaNotFound);
        let now = self.clock.now();
        let reader = call.caller.user.user_id;
        let media = self.media.records.readable(call.path.media_id, reader, now).await?;
        let Some(media) = media else { return Err(not_found) };
        let Some(part) = media.parts.iter().find(|info| info.part == call.path.part) else { return Err(not_found) };
        let expires_at = now.plus_seconds(self.lifetimes.download_url_ttl_s);
        let is_attachment = media.kind == MediaKind::File;
        let part = stated(media.media_id, part);
        let url = self.media.store.download_url(&part, is_attachment, reader, expires_at).await?;
        Ok(Answer { location: Some(url.clone()), ..MediaLink { url, expires_at }.into() })
    }
}

impl App {
    /// What arrived is what was stated. (MED-13, MED-15)
    async fn check_arrival(
        &self,
        media_id: MediaId,
        kind: MediaKind,
        part: &PartInfo,
    ) -> Result<(), Failure<CompleteUploadRefusal>> {
        let arrived = self.media.store.arrived(&stated(media_id, part)).await?;
        let Some(arrived) = arrived else { return Err(Failure::Refused(CompleteUploadRefusal::UploadIncomplete)) };
        if arrived.size != part.size || !is_of_type(kind, &part.content_type, &arrived.head) {
            return Err(Failure::Refused(CompleteUploadRefusal::MediaRejected));
        }
        Ok(())
    }

    /// Removes media that nothing used in time: first the bytes, then the record, so that what is left half-done is done the next time.
    /// Nodes share the work. (MED-16, MED-17)
    pub async fn remove_expired_media(&self) -> Result<(), Failure<i9chat_spec::error::NoRefusal>> {
        let Media { records, store, clean_ups } = &self.media;
        loop {
            let before = Timestamp::from_millis(self.clock.now().as_millis() - GRACE_MS);
            clean_ups.offer(&records.expired(before, OFFERED).await?).await?;
            let taken = clean_ups.take(AT_ONCE).await?;
            if taken.is_empty() {
                // Nothing is left, or others are at it.
                return Ok(());
            }
            let mut removed = Vec::new();
            for media_id in taken {
                match store.remove(media_id).await {
                    Ok(()) => removed.push(media_id),
                    // It is taken again later; the others are not kept waiting.
                    Err(error) => tracing::warn!(%media_id, %error, "unused media are not removed"),
                }
            }
            if removed.is_empty() {
                // What keeps all of them is to be waited for.
                return Ok(());
            }
            records.forget(removed.clone()).await?;
            clean_ups.done(&removed).await?;
        }
    }
}

fn stated(media_id: MediaId, part: &PartInfo) -> StatedPart {
    StatedPart {
        name: PartName { media_id, part: part.part },
        content_type: part.content_type.clone(),
        size: part.size,
    }
}
