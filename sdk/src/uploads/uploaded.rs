//! Media that is complete, and the messages that it makes.

use std::time::Duration;

use i9chat_spec::{MediaId, api::media::MediaInfo};

use crate::content::{self, Audio, File, Visuals, Voice};

/// Media that can be used: in messages, or as a picture, by the user who uploaded it, for its purpose. (MED-18)
///
/// What kind it is is the caller's to know: a video that is sent as an image is refused with `media_not_usable`.
///
/// ```no_run
/// use i9chat_sdk::{ChatHandle, Client, uploads::{Source, Upload}};
///
/// # async fn run(client: Client, bob: ChatHandle) -> Result<(), Box<dyn std::error::Error>> {
/// let photo = client.upload(Upload::image(Source::file("cat.jpg"), "image/jpeg")?).await?;
/// bob.send(photo.image().caption("My cat")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedMedia {
    info: MediaInfo,
}

impl UploadedMedia {
    pub(super) const fn new(info: MediaInfo) -> Self {
        Self { info }
    }

    /// Names the media: for the picture of a profile or a group, and for later runs.
    pub const fn media_id(&self) -> MediaId {
        self.info.media_id
    }

    /// What it is.
    pub const fn info(&self) -> &MediaInfo {
        &self.info
    }

    /// A message with this image; [`and`](Visuals::and) adds further ones.
    pub fn image(&self) -> Visuals {
        content::image(self.media_id())
    }

    /// A message with this video; [`and`](Visuals::and) adds further ones.
    pub fn video(&self) -> Visuals {
        content::video(self.media_id())
    }

    /// A voice message of that length.
    pub fn voice(&self, length: Duration) -> Voice {
        content::voice(self.media_id(), length)
    }

    /// A message with this piece of audio.
    pub fn audio(&self) -> Audio {
        content::audio(self.media_id())
    }

    /// A message with this file, under a name.
    pub fn file(&self, name: impl Into<String>) -> File {
        content::file(self.media_id(), name)
    }
}
