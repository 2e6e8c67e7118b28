//! What is uploaded, and for what.

use i9chat_spec::{ContentType, MediaKind, MediaPart, MediaPurpose};

use super::Source;
use crate::Error;

/// Media that is going to be uploaded: what it is for, what it is, and its parts. (MED-1, MED-2)
///
/// What may be uploaded is in the capabilities (MED-3); the server checks it before a byte is sent, and the content after.
///
/// ```
/// use i9chat_sdk::uploads::{Source, Upload};
///
/// # fn main() -> Result<(), i9chat_sdk::Error> {
/// let photo = Upload::image(Source::file("cat.jpg"), "image/jpeg")?.preview(Source::file("cat-small.jpg"), "image/jpeg")?;
/// let report = Upload::file(Source::file("report.pdf"), "application/pdf")?;
/// # let _ = (photo, report);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Upload {
    pub(super) purpose: MediaPurpose,
    pub(super) kind: MediaKind,
    pub(super) parts: Vec<PlannedPart>,
}

#[derive(Debug)]
pub(super) struct PlannedPart {
    pub(super) part: MediaPart,
    pub(super) content_type: ContentType,
    pub(super) source: Source,
}

impl Upload {
    /// A still picture for a message. [`Error::Invalid`] when `content_type` is none.
    pub fn image(original: Source, content_type: &str) -> Result<Self, Error> {
        Self::message(MediaKind::Image, original, content_type)
    }

    /// Moving pictures for a message.
    pub fn video(original: Source, content_type: &str) -> Result<Self, Error> {
        Self::message(MediaKind::Video, original, content_type)
    }

    /// Something spoken, for a message.
    pub fn voice(original: Source, content_type: &str) -> Result<Self, Error> {
        Self::message(MediaKind::Voice, original, content_type)
    }

    /// Music or other sound for a message.
    pub fn audio(original: Source, content_type: &str) -> Result<Self, Error> {
        Self::message(MediaKind::Audio, original, content_type)
    }

    /// A file of any type for a message; receivers save it, and never show it.
    pub fn file(original: Source, content_type: &str) -> Result<Self, Error> {
        Self::message(MediaKind::File, original, content_type)
    }

    /// A picture for the user's profile, in three sizes of one type, which the caller makes.
    pub fn profile_picture(small: Source, medium: Source, large: Source, content_type: &str) -> Result<Self, Error> {
        Self::picture(MediaPurpose::ProfilePicture, [small, medium, large], content_type)
    }

    /// A picture for a group, in three sizes of one type, which the caller makes.
    pub fn group_picture(small: Source, medium: Source, large: Source, content_type: &str) -> Result<Self, Error> {
        Self::picture(MediaPurpose::GroupPicture, [small, medium, large], content_type)
    }

    /// Adds a small still picture to show before the whole is loaded; for images and videos.
    pub fn preview(mut self, preview: Source, content_type: &str) -> Result<Self, Error> {
        self.add(MediaPart::Preview, preview, content_type)?;
        Ok(self)
    }

    fn message(kind: MediaKind, original: Source, content_type: &str) -> Result<Self, Error> {
        let mut upload = Self { purpose: MediaPurpose::Message, kind, parts: Vec::new() };
        upload.add(MediaPart::Original, original, content_type)?;
        Ok(upload)
    }

    fn picture(purpose: MediaPurpose, sources: [Source; 3], content_type: &str) -> Result<Self, Error> {
        let mut upload = Self { purpose, kind: MediaKind::Picture, parts: Vec::new() };
        for (part, source) in [MediaPart::Small, MediaPart::Medium, MediaPart::Large].into_iter().zip(sources) {
            upload.add(part, source, content_type)?;
        }
        Ok(upload)
    }

    fn add(&mut self, part: MediaPart, source: Source, content_type: &str) -> Result<(), Error> {
        self.parts.push(PlannedPart { part, content_type: content_type.parse()?, source });
        Ok(())
    }
}
