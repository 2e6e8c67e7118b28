//! Uploads and downloads against a storage that breaks off anywhere.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "what fails here fails the test")]

mod api;
mod downloads;
mod storage;

use std::io::Cursor;

use i9chat_sdk::{
    Error, ErrorClass,
    content::IntoContent,
    spec::{ErrorCode, MediaPart, NewContent},
    uploads::{MediaError, Source, Upload, UploadTicket, UploadedMedia},
};
use proptest::{collection::vec, prelude::*};

use api::{Api, BACKOFF};
use storage::Fault;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Bytes of which no two stretches are alike.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|place| (place ^ (place >> 8) ^ (place >> 16)).to_le_bytes()[0]).collect()
}

fn file(bytes: &[u8]) -> (tempfile::NamedTempFile, Source) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("written");
    let source = Source::file(file.path());
    (file, source)
}

async fn upload(api: &Api, source: Source) -> Result<UploadedMedia, MediaError> {
    let upload = Upload::video(source, "video/mp4").expect("a type");
    api.client().await.start_upload(upload).await?.backoff(BACKOFF).max_failures(4).finish().await
}

fn name(media: &UploadedMedia, part: MediaPart) -> String {
    format!("{}-{part}", media.media_id())
}

#[tokio::test]
async fn an_upload_arrives_as_it_is_and_tells_its_progress_and_nobody_the_token() {
    let api = Api::start().await;
    let (original, small) = (bytes(2 * MIB + 77), bytes(5 * KIB));
    let (_file, source) = file(&original);
    let plan = Upload::image(source, "image/jpeg").expect("a type");
    let plan = plan.preview(Source::bytes(small.clone()), "image/webp").expect("a type");
    let upload = api.client().await.start_upload(plan).await.expect("authorised");
    let progress = upload.progress();
    assert_eq!(progress.borrow().fraction(), Some(0.0));
    let media = upload.finish().await.expect("uploaded");

    let blob = api.storage.blob(&name(&media, MediaPart::Original)).expect("arrived");
    assert_eq!((blob.content_type.as_str(), blob.bytes == original), ("image/jpeg", true));
    let blob = api.storage.blob(&name(&media, MediaPart::Preview)).expect("arrived");
    assert_eq!((blob.content_type.as_str(), blob.bytes == small), ("image/webp", true));
    let progress = *progress.borrow();
    assert_eq!((progress.fraction(), progress.is_done), (Some(1.0), true));
    assert!(api.kept_the_token());
    let content = media.image().caption("My cat").into_content().expect("a content");
    assert!(matches!(content, NewContent::Image { items, .. } if items[0].media_id == media.media_id()));
}

#[tokio::test]
async fn an_upload_goes_on_in_another_run_with_its_ticket() {
    let api = Api::start().await;
    let original = bytes(4 * MIB);
    let plan = Upload::video(Source::bytes(original.clone()), "video/mp4").expect("a type");
    let upload = api.client().await.start_upload(plan).await.expect("authorised");
    let kept = serde_json::to_string(upload.ticket()).expect("a ticket");
    assert!(!format!("{upload:?}").contains("/put/"), "no log shows the place");
    // One mebibyte arrives, then the line is gone for good.
    api.storage.fails([Fault::HoldOnly(MIB), Fault::CutAfter(0), Fault::CutAfter(0)]);
    let broken = upload.backoff(BACKOFF).max_failures(1).finish().await;
    assert!(matches!(&broken, Err(error) if error.class() == ErrorClass::Network), "{broken:?}");
    assert_eq!(api.storage.held().arrived, MIB);

    let ticket: UploadTicket = serde_json::from_str(&kept).expect("a ticket");
    let client = api.client().await;
    // A stream is read on to where the server is.
    let stream = Source::reader(Cursor::new(original.clone()), original.len() as u64);
    let upload = client.resume_upload(ticket, [(MediaPart::Original, stream)]).await.expect("resumed");
    let media = upload.backoff(BACKOFF).finish().await.expect("uploaded");
    assert_eq!(api.storage.held().arrived, 4 * MIB, "what was held is not sent again");
    assert!(api.storage.blob(&name(&media, MediaPart::Original)).expect("arrived").bytes == original);
    assert!(api.kept_the_token());
}

#[tokio::test]
async fn a_ticket_needs_its_server_and_every_source_of_the_stated_size() {
    let api = Api::start().await;
    let client = api.client().await;
    let plan = Upload::file(Source::bytes("four"), "text/plain").expect("a type");
    let ticket = client.start_upload(plan).await.expect("authorised").ticket().clone();
    let none = client.resume_upload(ticket.clone(), []).await;
    assert!(matches!(none, Err(MediaError::NoSource(MediaPart::Original))), "{none:?}");
    let other = client.resume_upload(ticket.clone(), [(MediaPart::Original, Source::bytes("three"))]).await;
    assert!(matches!(other, Err(MediaError::WrongSize { stated: 4, .. })), "{other:?}");
    let ticket = UploadTicket { server: "https://chat.example".to_owned(), ..ticket };
    let elsewhere = client.resume_upload(ticket, [(MediaPart::Original, Source::bytes("four"))]).await;
    assert!(matches!(elsewhere, Err(MediaError::OtherServer(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn completing_is_tried_again_and_sends_what_is_missing_after_all() {
    let api = Api::start().await;
    api.uploads().refusals.extend([ErrorCode::Unavailable, ErrorCode::UploadIncomplete]);
    let media = upload(&api, Source::bytes(bytes(3 * KIB))).await.expect("uploaded");
    assert_eq!(api.uploads().completions, 3);
    assert_eq!(api.storage.held().arrived, 3 * KIB, "it was asked first");
    assert!(media.info().parts.iter().all(|part| part.size == 3 * KIB as u64));
}

#[tokio::test]
async fn what_the_server_rejects_is_not_tried_again() {
    let api = Api::start().await;
    api.uploads().refusals.extend([ErrorCode::MediaRejected]);
    let rejected = upload(&api, Source::bytes(bytes(KIB))).await;
    let Err(MediaError::Call(error)) = rejected else { panic!("{rejected:?}") };
    assert_eq!((error.code(), api.uploads().completions), (Some(ErrorCode::MediaRejected), 1));
}

#[tokio::test]
async fn an_upload_that_has_expired_is_refused_at_its_start_and_on_its_way() {
    let api = Api::start().await;
    api.storage.fails([Fault::Status(403)]);
    let refused = upload(&api, Source::bytes(bytes(KIB))).await;
    assert!(matches!(refused, Err(MediaError::Refused(403))), "{refused:?}");
    let plan = Upload::file(Source::bytes(bytes(KIB)), "text/plain").expect("a type");
    let started = api.client().await.start_upload(plan).await.expect("authorised");
    api.storage.held().blobs.clear();
    let refused = started.finish().await;
    assert!(matches!(refused, Err(MediaError::Refused(410))), "{refused:?}");
}

#[tokio::test]
async fn a_stream_of_another_length_than_stated_makes_no_media() {
    for stated in [KIB - 1, KIB + 1] {
        let api = Api::start().await;
        let refused = upload(&api, Source::reader(Cursor::new(bytes(KIB)), stated as u64)).await;
        assert!(matches!(refused, Err(MediaError::WrongSize { .. })), "{stated}: {refused:?}");
        assert_eq!(api.uploads().completions, 0);
    }
}

#[tokio::test]
async fn a_server_that_loses_what_it_held_is_sent_it_again_unless_it_came_from_a_stream() {
    let original = bytes(3 * MIB);
    let forgetful = [Fault::HoldOnly(MIB), Fault::Forget];
    let api = Api::start().await;
    api.storage.fails(forgetful);
    let (_file, source) = file(&original);
    let media = upload(&api, source).await.expect("uploaded");
    assert!(api.storage.blob(&name(&media, MediaPart::Original)).expect("arrived").bytes == original);

    let api = Api::start().await;
    api.storage.fails(forgetful);
    let lost = upload(&api, Source::reader(Cursor::new(original), 3 * MIB as u64)).await;
    assert!(matches!(lost, Err(MediaError::CannotGoBack(MediaPart::Original))), "{lost:?}");
}

#[tokio::test]
async fn a_storage_that_takes_nothing_is_given_up() {
    let api = Api::start().await;
    api.storage.fails([Fault::HoldOnly(0); 6]);
    let stuck = upload(&api, Source::bytes(bytes(KIB))).await;
    assert!(matches!(stuck, Err(MediaError::Interrupted(_))), "{stuck:?}");
}

#[test]
fn what_media_cannot_say_is_refused_before_it_is_sent() {
    let upload = Upload::image(Source::bytes("x"), "no type");
    assert!(matches!(upload, Err(Error::Invalid(_))), "{upload:?}");
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (0..2 * MIB).prop_map(Fault::CutAfter),
        (0..2 * MIB).prop_map(Fault::HoldOnly),
        prop::sample::select(vec![408, 429, 500, 502, 503]).prop_map(Fault::Status),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_breaks_every_byte_arrives_in_its_place(
        faults in vec(fault(), 0..4),
        size in 1..3 * MIB,
        from in 0..3_u8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let api = Api::start().await;
            let original = bytes(size);
            let (file, path) = file(&original);
            let source = match from {
                0 => path,
                1 => Source::bytes(original.clone()),
                _ => Source::reader(Cursor::new(original.clone()), size as u64),
            };
            let plan = Upload::video(source, "video/mp4").expect("a type");
            let upload = api.client().await.start_upload(plan).await.expect("authorised");
            api.storage.fails(faults);
            let media = upload.backoff(BACKOFF).finish().await.expect("uploaded");
            drop(file);
            assert!(api.storage.blob(&name(&media, MediaPart::Original)).expect("arrived").bytes == original);
            assert!(api.kept_the_token());
        });
    }
}
