//! Media that is complete, and the messages that it makes.

use std::time::Duration;

use i9chat_spec::{
    DurationMs, FieldCode, MediaId, MediaKind, NewContent, NewVisual, Pixels, api::media::MediaInfo, text::TextError,
};

use crate::Error;

/// Media that can be used: in messages, or as a picture, by the user who uploaded it, for its purpose. (MED-18)
///
/// ```no_run
/// use i9chat_sdk::{ChatHandle, Client, spec::ClientId, uploads::{Source, Upload}};
///
/// # async fn run(client: Client, bob: ChatHandle, client_id: ClientId) -> Result<(), Box<dyn std::error::Error>> {
/// let photo = client.upload(Upload::image(Source::file("cat.jpg"), "image/jpeg")?).await?;
/// bob.send_content(client_id, photo.content(Some("My cat"))?).await?;
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

    /// A message with this media alone. The words are the caption of an image or a video, the title of audio, and the name of a file,
    /// which needs one. [`Error::Invalid`] when they are missing or too long, for voice (see [`voice`](Self::voice)) and for pictures of profiles and groups.
    pub fn content(&self, words: Option<&str>) -> Result<NewContent, Error> {
        let media_id = self.info.media_id;
        match self.info.kind {
            MediaKind::Image | MediaKind::Video => album([self.visual()], words, self.info.kind),
            MediaKind::Audio => Ok(NewContent::Audio { media_id, title: words.map(str::parse).transpose()? }),
            MediaKind::File => {
                let name = words.ok_or_else(|| invalid(FieldCode::Missing, "a file has a name"))?;
                Ok(NewContent::File { media_id, name: name.parse()? })
            }
            MediaKind::Voice => Err(invalid(FieldCode::Missing, "a voice message has a duration: use `voice`")),
            MediaKind::Picture | MediaKind::Unknown => {
                Err(invalid(FieldCode::Conflicting, "this media is not for messages"))
            }
        }
    }

    /// A voice message of that length, 1 ms to a day.
    pub fn voice(&self, duration: Duration) -> Result<NewContent, Error> {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let duration_ms =
            DurationMs::try_from(millis).map_err(|error| invalid(FieldCode::OutOfRange, &error.to_string()))?;
        Ok(NewContent::Voice { media_id: self.info.media_id, duration_ms })
    }

    /// An image or a video of a message with several of them.
    pub const fn visual(&self) -> NewVisual {
        NewVisual { media_id: self.info.media_id, width: None, height: None }
    }

    /// The same with its width and height in pixels, 1 to 65,535 each, so that receivers can lay it out before it is loaded.
    pub fn visual_of_size(&self, width: u32, height: u32) -> Result<NewVisual, Error> {
        let pixels = |side: u32| {
            Pixels::try_from(u64::from(side)).map_err(|error| invalid(FieldCode::OutOfRange, &error.to_string()))
        };
        Ok(NewVisual { width: Some(pixels(width)?), height: Some(pixels(height)?), ..self.visual() })
    }
}

/// A message with 1 to 10 images.
///
/// ```
/// use i9chat_sdk::{spec::{Example, NewVisual}, uploads::images};
///
/// let content = images([NewVisual::example(), NewVisual::example()], Some("Two cats"));
/// assert!(content.is_ok());
/// assert!(images([], None).is_err());
/// ```
pub fn images(items: impl IntoIterator<Item = NewVisual>, caption: Option<&str>) -> Result<NewContent, Error> {
    album(items, caption, MediaKind::Image)
}

/// A message with 1 to 10 videos.
pub fn videos(items: impl IntoIterator<Item = NewVisual>, caption: Option<&str>) -> Result<NewContent, Error> {
    album(items, caption, MediaKind::Video)
}

fn album(
    items: impl IntoIterator<Item = NewVisual>,
    caption: Option<&str>,
    kind: MediaKind,
) -> Result<NewContent, Error> {
    let items: Vec<NewVisual> = items.into_iter().collect();
    let code = if items.is_empty() { FieldCode::TooShort } else { FieldCode::TooLong };
    let items = items.try_into().map_err(|_| invalid(code, "a message has 1 to 10 images or videos"))?;
    let caption = caption.map(str::parse).transpose()?;
    Ok(if kind == MediaKind::Video {
        NewContent::Video { items, caption }
    } else {
        NewContent::Image { items, caption }
    })
}

fn invalid(code: FieldCode, message: &str) -> Error {
    Error::Invalid(TextError { code, message: message.to_owned() })
}
