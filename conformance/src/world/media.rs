//! Uploading and downloading, by a client of the suite's own that follows the URLs wherever they lead. (MED-4 to MED-24)

pub mod files;
mod transfer;

use i9chat_spec::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::user::{User, patiently};
use crate::{
    client::{Answer, Request},
    expect::{check, expect, list_at, text_at},
    verdict::{InSetup, Verdict},
};

pub use transfer::{Place, Progress, Transfer};

/// One part that is to be uploaded. (MED-2)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub part: &'static str,
    /// Its type.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Media that is to be uploaded. (MED-4)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What for.
    pub purpose: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// Its parts.
    pub parts: Vec<Part>,
}

impl Plan {
    /// Media for messages with these bytes as its only part.
    pub fn original(kind: &'static str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { purpose: "message", kind, parts: Vec::new() }.with("original", content_type, bytes)
    }

    /// A small image for messages, another one each time.
    pub fn image() -> Self {
        Self::original("image", "image/png", files::png(2000))
    }

    /// A small file for messages, with these bytes.
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        Self::original("file", "application/octet-stream", bytes)
    }

    /// A picture for a purpose: in three sizes, another one each time.
    pub fn picture(purpose: &'static str) -> Self {
        let plan = Self { purpose, kind: "picture", parts: Vec::new() };
        ["small", "medium", "large"]
            .into_iter()
            .zip([200, 400, 800])
            .fold(plan, |plan, (part, size)| plan.with(part, "image/jpeg", files::jpeg(size)))
    }

    /// The same with one more part.
    #[must_use]
    pub fn with(mut self, part: &'static str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.parts.push(Part { part, content_type: content_type.to_owned(), bytes: bytes.into() });
        self
    }

    /// The body that states it. (MED-4)
    pub fn body(&self) -> Value {
        json!({ "purpose": self.purpose, "kind": self.kind, "parts": self.stated_parts() })
    }

    /// Its parts as they are stated, and as they are answered when it is complete. (MED-13)
    pub fn stated_parts(&self) -> Vec<Value> {
        let stated =
            |part: &Part| json!({ "part": part.part, "content_type": part.content_type, "size": part.bytes.len() });
        self.parts.iter().map(stated).collect()
    }

    /// What a message shows of it. (MED-19)
    pub fn as_attachment(&self, media_id: &str) -> Value {
        let mut shown = json!({ "media_id": media_id });
        for part in &self.parts {
            let (content_type, size) = (&part.content_type, part.bytes.len());
            if part.part == "preview" {
                shown["preview"] = json!({ "content_type": content_type, "size": size });
            } else {
                shown["content_type"] = json!(content_type);
                shown["size"] = json!(size);
            }
        }
        shown
    }
}

/// An upload that was authorised: its media, and where each part goes.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Names the media.
    pub media_id: String,
    /// Where the parts go, in the order in which they were stated.
    pub places: Vec<Place>,
    /// The answer as a whole.
    pub answer: Value,
}

/// A well-formed id that names no media.
pub fn no_media() -> String {
    let id = Uuid::new_v4().to_string();
    // The version is the fifteenth character.
    format!("{}7{}", id.get(..14).unwrap_or_default(), id.get(15..).unwrap_or_default())
}

/// The path of a part of media. (MED-21)
pub fn media_path(media_id: &str, part: &str) -> String {
    format!("/v1/media/{media_id}/{part}")
}

impl User {
    /// The request that states an upload. (MED-4)
    pub fn stating(&self, plan: &Plan) -> Request {
        self.post("/v1/uploads", &plan.body())
    }

    /// States an upload, which must be authorised. (MED-4)
    pub async fn states(&self, plan: &Plan) -> Verdict<Upload> {
        let answer = patiently(self.stating(plan)).await?.succeeded(201)?;
        let mut places = Vec::new();
        for target in list_at(&answer, "parts")? {
            places.push(Place::resolve(self, "/v1/uploads", &text_at(target, "upload_url")?)?);
        }
        expect(places.len()).to_equal(plan.parts.len())?;
        Ok(Upload { media_id: text_at(&answer, "media_id")?, places, answer })
    }

    /// States an upload and sends all of its parts, but does not complete it. Inconclusive when that does not work.
    pub async fn sends_media(&self, plan: &Plan) -> Verdict<String> {
        let upload = self.states(plan).await.in_setup("stating an upload")?;
        for (place, part) in upload.places.iter().zip(&plan.parts) {
            place.takes(&part.content_type, &part.bytes).await.in_setup("uploading")?;
        }
        Ok(upload.media_id)
    }

    /// The request that completes an upload. (MED-13)
    pub fn completing(&self, media_id: &str) -> Request {
        self.request("POST", format!("/v1/uploads/{media_id}/complete"))
    }

    /// Uploads and completes, and answers the id of the media. Inconclusive when that does not work.
    pub async fn uploads(&self, plan: &Plan) -> Verdict<String> {
        let media_id = self.sends_media(plan).await?;
        let answer = patiently(self.completing(&media_id)).await.and_then(|answer| answer.succeeded(200));
        answer.in_setup("completing an upload")?;
        Ok(media_id)
    }

    /// Asks where a part is, so that the answer is a link and no redirect. (MED-22)
    pub async fn asks_for_media(&self, media_id: &str, part: &str) -> Verdict<Answer> {
        patiently(self.get(media_path(media_id, part)).header("Accept", "application/json")).await
    }

    /// Where a part is, for one who may read it. (MED-21)
    pub async fn link(&self, media_id: &str, part: &str) -> Verdict<Place> {
        let link = self.asks_for_media(media_id, part).await?.succeeded(200)?;
        Place::resolve(self, &media_path(media_id, part), &text_at(&link, "url")?)
    }

    /// The bytes of a part must be these. (MED-20, MED-24)
    pub async fn reads_media(&self, media_id: &str, part: &str, bytes: &[u8]) -> Verdict {
        let came = self.link(media_id, part).await?.get().send().await?;
        came.has_status(200)?;
        check(came.body == bytes, || {
            (format!("the {} bytes that were uploaded", bytes.len()), format!("{} bytes, others", came.body.len()))
        })
    }

    /// The part must be answered as one that does not exist. (MED-21, ERR-6)
    pub async fn reads_no_media(&self, media_id: &str, part: &str) -> Verdict {
        let unknown = self.asks_for_media(&no_media(), part).await?;
        answers_alike(&self.asks_for_media(media_id, part).await?, &unknown, ErrorCode::MediaNotFound)
    }

    /// The request that sends a message of any content.
    pub fn sending_content(&self, chat_id: &str, content: &Value) -> Request {
        let body = json!({ "client_id": Uuid::new_v4().to_string(), "content": content });
        self.post(super::conversation::messages_of(chat_id), &body)
    }

    /// Sends a message of any content, and answers the entry that it became. (MSG-11, MSG-14)
    pub async fn sends_content(&self, chat_id: &str, content: &Value) -> Verdict<Value> {
        let sent = patiently(self.sending_content(chat_id, content)).await?.succeeded(201)?;
        let path = format!("{}/{}", super::conversation::messages_of(chat_id), text_at(&sent, "message_id")?);
        self.reads(path).await
    }
}

/// Two refusals with a code are the same but for the request's own name. (ERR-6)
pub fn answers_alike(one: &Answer, other: &Answer, code: ErrorCode) -> Verdict {
    let mut problems = [one.refused_with(code)?, other.refused_with(code)?];
    for problem in &mut problems {
        problem["request_id"].take();
    }
    expect(&problems[0]).to_equal(&problems[1])
}

/// A message that shows an image.
pub fn image_of(media_id: &str) -> Value {
    json!({ "kind": "image", "items": [{ "media_id": media_id }] })
}

/// A message that offers a file.
pub fn file_of(media_id: &str) -> Value {
    json!({ "kind": "file", "media_id": media_id, "name": "notes.bin" })
}
