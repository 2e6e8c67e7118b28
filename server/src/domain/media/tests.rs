use i9chat_spec::{ContentType, Example, UserId};

use super::*;

fn plan(part: MediaPart, content_type: &str, size: u64) -> PartPlan {
    PartPlan { part, content_type: content_type.parse().unwrap(), size }
}

fn check(purpose: MediaPurpose, kind: MediaKind, parts: Vec<PartPlan>) -> Result<(), (String, FieldCode)> {
    let upload = NewUpload { purpose, kind, parts: parts.try_into().unwrap() };
    check_upload(&upload).map_err(|fault| (fault.field, fault.code))
}

fn message(kind: MediaKind, parts: Vec<PartPlan>) -> Result<(), (String, FieldCode)> {
    check(MediaPurpose::Message, kind, parts)
}

fn wrong(field: &str, code: FieldCode) -> Result<(), (String, FieldCode)> {
    Err((field.to_owned(), code))
}

#[test]
fn every_rule_takes_its_bounds_and_nothing_beyond_them() {
    for rule in MediaRule::all() {
        let content_type = rule.content_types.as_ref().map_or("text/html".parse().unwrap(), |types| types[0].clone());
        let purpose =
            if rule.kind == MediaKind::Picture { MediaPurpose::ProfilePicture } else { MediaPurpose::Message };
        // Whatever else the kind must have goes along.
        let with = |size| {
            let others = MediaRule::all()
                .into_iter()
                .filter(|other| other.kind == rule.kind && other.required && other.part != rule.part);
            let others = others.map(|other| PartPlan {
                part: other.part,
                content_type: other.content_types.unwrap()[0].clone(),
                size: other.max_bytes,
            });
            let this = PartPlan { part: rule.part, content_type: content_type.clone(), size };
            check(purpose, rule.kind, std::iter::once(this).chain(others).collect())
        };
        for size in [rule.min_bytes, rule.max_bytes] {
            assert_eq!(with(size), Ok(()), "{} {} of {size}", rule.kind, rule.part);
        }
        for size in [rule.min_bytes - 1, rule.max_bytes + 1] {
            assert_eq!(with(size), wrong("parts[0].size", FieldCode::OutOfRange), "{} of {size}", rule.kind);
        }
    }
}

#[test]
fn a_type_is_one_of_the_part() {
    let original = plan(MediaPart::Original, "video/mp4", 2000);
    assert_eq!(
        message(MediaKind::Image, vec![original.clone()]),
        wrong("parts[0].content_type", FieldCode::UnknownValue)
    );
    let preview = plan(MediaPart::Preview, "video/mp4", 2000);
    assert_eq!(
        message(MediaKind::Video, vec![original.clone(), preview]),
        wrong("parts[1].content_type", FieldCode::UnknownValue)
    );
    assert_eq!(message(MediaKind::Video, vec![original, plan(MediaPart::Preview, "image/png", 2000)]), Ok(()));
    assert_eq!(message(MediaKind::File, vec![plan(MediaPart::Original, "x-unheard/of+it", 1)]), Ok(()));
}

#[test]
fn parts_are_those_of_the_kind_each_once() {
    let original = plan(MediaPart::Original, "image/png", 2000);
    let preview = plan(MediaPart::Preview, "image/png", 2000);
    let part = |index| wrong(&format!("parts[{index}].part"), FieldCode::Conflicting);
    assert_eq!(message(MediaKind::Image, vec![original.clone(), original.clone()]), part(1));
    assert_eq!(message(MediaKind::Image, vec![original.clone(), plan(MediaPart::Large, "image/png", 2000)]), part(1));
    assert_eq!(message(MediaKind::File, vec![original.clone(), preview.clone()]), part(1));
    assert_eq!(message(MediaKind::Image, vec![preview]), wrong("parts", FieldCode::Missing));
    let picture = |parts| check(MediaPurpose::GroupPicture, MediaKind::Picture, parts);
    let sizes = [MediaPart::Small, MediaPart::Medium, MediaPart::Large].map(|part| plan(part, "image/webp", 10));
    assert_eq!(picture(sizes.to_vec()), Ok(()));
    assert_eq!(picture(sizes[..2].to_vec()), wrong("parts", FieldCode::Missing));
    assert_eq!(picture(vec![original]), part(0));
}

#[test]
fn pictures_are_for_profiles_and_groups_and_nothing_else_is() {
    let conflict = wrong("kind", FieldCode::Conflicting);
    let small = plan(MediaPart::Small, "image/png", 10);
    assert_eq!(message(MediaKind::Picture, vec![small]), conflict);
    for purpose in [MediaPurpose::ProfilePicture, MediaPurpose::GroupPicture] {
        assert_eq!(check(purpose, MediaKind::Image, vec![plan(MediaPart::Original, "image/png", 2000)]), conflict);
    }
}

#[test]
fn media_is_usable_by_its_owner_for_its_purpose_as_its_kind() {
    let owner = UserId::example();
    let other: UserId = "019ab1c2-3d4e-7f50-8a1b-2c3d4e5f60ff".parse().unwrap();
    let (purpose, kind) = (MediaPurpose::Message, MediaKind::Voice);
    let media = MediaState { owner, purpose, kind, attachment: Attachment::example() };
    assert!(media.is_usable(owner, purpose, kind));
    assert!(!media.is_usable(other, purpose, kind));
    assert!(!media.is_usable(owner, MediaPurpose::GroupPicture, kind));
    assert!(!media.is_usable(owner, purpose, MediaKind::Audio));
}

#[test]
fn a_message_shows_the_original_and_its_preview() {
    let info = |part, content_type: &str, size| PartInfo { part, content_type: content_type.parse().unwrap(), size };
    let parts = [info(MediaPart::Preview, "image/png", 10), info(MediaPart::Original, "video/mp4", 20)];
    let shown = attachment(MediaId::example(), &parts).unwrap();
    assert_eq!((shown.content_type.as_str(), shown.size), ("video/mp4", 20));
    let preview = shown.preview.unwrap();
    let png: ContentType = "image/png".parse().unwrap();
    assert_eq!((preview.content_type, preview.size), (png, 10));
    assert_eq!(attachment(MediaId::example(), &parts[..1]), None);
}
