//! What a message says: texts as they are, and everything else made from finished uploads.
//!
//! ```no_run
//! use std::time::Duration;
//! use i9chat_sdk::content;
//!
//! # async fn run(chat: i9chat_sdk::ChatHandle, photo: i9chat_sdk::spec::MediaId, other: i9chat_sdk::spec::MediaId) -> Result<(), i9chat_sdk::Error> {
//! chat.send("On the summit!").await?;
//! chat.send(content::image(photo).size(1600, 1200).caption("The view")).await?;
//! chat.send(content::image(photo).and(other)).await?; // up to ten in one message
//! # let (voice, song, report) = (photo, photo, photo);
//! chat.send(content::voice(voice, Duration::from_secs(7))).await?;
//! chat.send(content::audio(song).title("Sabre Dance")).await?;
//! chat.send(content::file(report, "report.pdf")).await?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use i9chat_spec::{
    Caption, DurationMs, FileName, MediaId, MediaTitle, MessageText, NewContent, NewVisual, NewVisuals, Pixels,
};

use crate::Error;

/// What can be sent as a message: texts, what this module makes, and [`NewContent`] itself.
pub trait IntoContent {
    /// The content, or [`Error::Invalid`] when it does not have the form that the protocol gives. (MSG-3, MSG-14)
    fn into_content(self) -> Result<NewContent, Error>;
}

/// One image.
pub fn image(media_id: MediaId) -> Visuals {
    Visuals::new(Kind::Image, media_id)
}

/// One video.
pub fn video(media_id: MediaId) -> Visuals {
    Visuals::new(Kind::Video, media_id)
}

/// Something spoken, of a length of a millisecond to a day.
pub fn voice(media_id: MediaId, length: Duration) -> Voice {
    Voice { media_id, length }
}

/// A piece of audio.
pub fn audio(media_id: MediaId) -> Audio {
    Audio { media_id, title: None }
}

/// A file of any type, under a name of 1 to 255 characters without `/`, `\` and control characters.
pub fn file(media_id: MediaId, name: impl Into<String>) -> File {
    File { media_id, name: name.into() }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Image,
    Video,
}

/// Images, or videos; made by [`image`] and [`video`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Visuals {
    kind: Kind,
    items: Vec<(MediaId, Option<(u32, u32)>)>,
    caption: Option<String>,
}

impl Visuals {
    fn new(kind: Kind, media_id: MediaId) -> Self {
        Self { kind, items: vec![(media_id, None)], caption: None }
    }

    /// One more of the same kind, up to ten in all.
    pub fn and(mut self, media_id: MediaId) -> Self {
        self.items.push((media_id, None));
        self
    }

    /// Width and height of the one that was named last, in pixels from 1 to 65,535: so that a client can keep its place free.
    pub fn size(mut self, width: u32, height: u32) -> Self {
        if let Some((_, size)) = self.items.last_mut() {
            *size = Some((width, height));
        }
        self
    }

    /// What is written below, of 1 to 1,024 characters.
    pub fn caption(self, caption: impl Into<String>) -> Self {
        Self { caption: Some(caption.into()), ..self }
    }
}

impl IntoContent for Visuals {
    fn into_content(self) -> Result<NewContent, Error> {
        let pixels = |number: u32| Pixels::try_from(u64::from(number));
        let item = |(media_id, size): (MediaId, Option<(u32, u32)>)| -> Result<NewVisual, Error> {
            let (width, height) = match size {
                Some((width, height)) => (Some(pixels(width)?), Some(pixels(height)?)),
                None => (None, None),
            };
            Ok(NewVisual { media_id, width, height })
        };
        let items: NewVisuals = self.items.into_iter().map(item).collect::<Result<Vec<_>, _>>()?.try_into()?;
        let caption = self.caption.as_deref().map(str::parse::<Caption>).transpose()?;
        Ok(match self.kind {
            Kind::Image => NewContent::Image { items, caption },
            Kind::Video => NewContent::Video { items, caption },
        })
    }
}

/// Something spoken; made by [`voice`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Voice {
    media_id: MediaId,
    length: Duration,
}

impl IntoContent for Voice {
    fn into_content(self) -> Result<NewContent, Error> {
        let ms = u64::try_from(self.length.as_millis()).unwrap_or(u64::MAX);
        Ok(NewContent::Voice { media_id: self.media_id, duration_ms: DurationMs::try_from(ms)? })
    }
}

/// A piece of audio; made by [`audio`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Audio {
    media_id: MediaId,
    title: Option<String>,
}

impl Audio {
    /// What it is called, in 1 to 200 characters.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self { title: Some(title.into()), ..self }
    }
}

impl IntoContent for Audio {
    fn into_content(self) -> Result<NewContent, Error> {
        let title = self.title.as_deref().map(str::parse::<MediaTitle>).transpose()?;
        Ok(NewContent::Audio { media_id: self.media_id, title })
    }
}

/// A file of any type; made by [`file()`].
#[derive(Debug, Clone)]
#[must_use]
pub struct File {
    media_id: MediaId,
    name: String,
}

impl IntoContent for File {
    fn into_content(self) -> Result<NewContent, Error> {
        Ok(NewContent::File { media_id: self.media_id, name: self.name.parse::<FileName>()? })
    }
}

impl IntoContent for NewContent {
    fn into_content(self) -> Result<NewContent, Error> {
        Ok(self)
    }
}

impl IntoContent for MessageText {
    fn into_content(self) -> Result<NewContent, Error> {
        Ok(NewContent::Text { text: self })
    }
}

impl IntoContent for &str {
    fn into_content(self) -> Result<NewContent, Error> {
        self.parse::<MessageText>()?.into_content()
    }
}

impl IntoContent for String {
    fn into_content(self) -> Result<NewContent, Error> {
        self.as_str().into_content()
    }
}

impl IntoContent for &String {
    fn into_content(self) -> Result<NewContent, Error> {
        self.as_str().into_content()
    }
}
