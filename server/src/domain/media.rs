//! The rules of media: what may be uploaded as what, what bytes count as which type, and who may use it. (section 13)

mod content;

use std::collections::HashSet;

use i9chat_spec::{
    Attachment, ContentType, FieldCode, FieldError, MediaId, MediaKind, MediaPart, MediaPurpose, MediaRule, PartInfo,
    PreviewInfo, UserId,
    api::media::{NewUpload, PartPlan},
};

pub use content::{HEAD_BYTES, is_of_type};

/// Media that is complete, as those see it who want to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaState {
    /// Who uploaded it.
    pub owner: UserId,
    /// What for.
    pub purpose: MediaPurpose,
    /// What it is.
    pub kind: MediaKind,
    /// What a message shows of it. For a picture, what there is of its largest size.
    pub attachment: Attachment,
}

impl MediaState {
    /// Whether that user may use it for that purpose, as that kind. (MED-18)
    pub fn is_usable(&self, user: UserId, purpose: MediaPurpose, kind: MediaKind) -> bool {
        self.owner == user && self.purpose == purpose && self.kind == kind
    }
}

/// What a message shows of media with these parts; `None` when it has no part to show. (MED-19)
pub fn attachment(media_id: MediaId, parts: &[PartInfo]) -> Option<Attachment> {
    let part = |wanted| parts.iter().find(|info| info.part == wanted);
    let shown = part(MediaPart::Original).or_else(|| part(MediaPart::Large))?;
    Some(Attachment {
        media_id,
        content_type: shown.content_type.clone(),
        size: shown.size,
        preview: part(MediaPart::Preview)
            .map(|info| PreviewInfo { content_type: info.content_type.clone(), size: info.size }),
    })
}

/// Whether that may be uploaded; the fault names the field that is wrong. (MED-5)
pub fn check_upload(upload: &NewUpload) -> Result<(), FieldError> {
    let is_picture = upload.kind == MediaKind::Picture;
    if is_picture == (upload.purpose == MediaPurpose::Message) {
        return Err(fault(
            "kind",
            FieldCode::Conflicting,
            "a picture is for a profile or a group, and nothing else is",
        ));
    }
    let rules: Vec<_> = MediaRule::all().into_iter().filter(|rule| rule.kind == upload.kind).collect();
    let mut stated = HashSet::new();
    for (index, plan) in upload.parts.iter().enumerate() {
        if !stated.insert(plan.part) {
            return Err(fault(&format!("parts[{index}].part"), FieldCode::Conflicting, "is stated twice"));
        }
        let Some(rule) = rules.iter().find(|rule| rule.part == plan.part) else {
            let message = format!("the kind {} has no part {}", upload.kind, plan.part);
            return Err(fault(&format!("parts[{index}].part"), FieldCode::Conflicting, &message));
        };
        check_part(index, plan, rule)?;
    }
    match rules.iter().find(|rule| rule.required && !stated.contains(&rule.part)) {
        Some(rule) => Err(fault("parts", FieldCode::Missing, &format!("the part {} must be there", rule.part))),
        None => Ok(()),
    }
}

fn check_part(index: usize, plan: &PartPlan, rule: &MediaRule) -> Result<(), FieldError> {
    if !rule.takes_type(&plan.content_type) {
        let types: Vec<_> = rule.content_types.iter().flatten().map(ContentType::as_str).collect();
        let message = format!("the part {} of {} is one of {}", rule.part, rule.kind, types.join(", "));
        return Err(fault(&format!("parts[{index}].content_type"), FieldCode::UnknownValue, &message));
    }
    if !rule.takes_size(plan.size) {
        let message =
            format!("the part {} of {} has {} to {} bytes", rule.part, rule.kind, rule.min_bytes, rule.max_bytes);
        return Err(fault(&format!("parts[{index}].size"), FieldCode::OutOfRange, &message));
    }
    Ok(())
}

fn fault(field: &str, code: FieldCode, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), code, message: message.to_owned() }
}

#[cfg(test)]
mod tests;
