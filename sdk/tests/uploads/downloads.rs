use i9chat_sdk::{
    Client,
    spec::{ErrorCode, MediaId, MediaPart},
    uploads::{Download, MediaError, Source, Upload},
};

use crate::{
    KIB, MIB,
    api::{Api, BACKOFF},
    bytes,
    storage::Fault,
};

async fn uploaded(count: usize) -> (Api, Client, MediaId) {
    let api = Api::start().await;
    let client = api.client().await;
    let plan = Upload::file(Source::bytes(bytes(count)), "text/plain").expect("a type");
    let media = client.upload(plan).await.expect("uploaded");
    api.storage.held().heads.clear();
    (api, client, media.media_id())
}

fn download(client: &Client, media_id: MediaId) -> Download {
    client.download(media_id, MediaPart::Original).expect("a download").backoff(BACKOFF)
}

#[tokio::test]
async fn a_download_goes_on_after_breaks_where_it_was() {
    let (api, client, media_id) = uploaded(2 * MIB).await;
    api.storage.fails([Fault::CutAfter(MIB), Fault::Status(503), Fault::CutAfter(1), Fault::CutAfter(0)]);
    let download = download(&client, media_id);
    let progress = download.progress();
    assert!(download.bytes().await.expect("downloaded") == bytes(2 * MIB));
    assert_eq!(api.storage.held().sent, 2 * MIB, "no byte came twice");
    assert_eq!(api.uploads().links, 1, "the link is good for several requests");
    let progress = *progress.borrow();
    assert_eq!((progress.fraction(), progress.is_done), (Some(1.0), true));
    assert!(api.kept_the_token());
}

#[tokio::test]
async fn a_link_that_expires_on_the_way_is_asked_for_again() {
    let (api, client, media_id) = uploaded(2 * MIB).await;
    api.storage.fails([Fault::CutAfter(MIB)]);
    let mut downloading = download(&client, media_id).start();
    let first = downloading.next().await.expect("bytes").expect("bytes");
    api.storage.held().links_from = 2;
    let mut all = first.to_vec();
    while let Some(bytes) = downloading.next().await {
        all.extend_from_slice(&bytes.expect("bytes"));
    }
    assert!(all == bytes(2 * MIB));
    assert_eq!((downloading.size(), api.uploads().links), (Some(2 * MIB as u64), 2));
}

#[tokio::test]
async fn links_that_are_never_good_are_refused() {
    let (api, client, media_id) = uploaded(KIB).await;
    api.storage.held().links_from = usize::MAX;
    let refused = download(&client, media_id).bytes().await;
    assert!(matches!(refused, Err(MediaError::Refused(403))), "{refused:?}");
    let unknown = client.download(media_id, MediaPart::Preview).expect("a download").bytes().await;
    let Err(MediaError::Call(error)) = unknown else { panic!("{unknown:?}") };
    assert_eq!(error.code(), Some(ErrorCode::MediaNotFound));
}

#[tokio::test]
async fn a_range_is_what_was_asked_for_and_no_more() {
    let (api, client, media_id) = uploaded(10 * KIB).await;
    let all = bytes(10 * KIB);
    for (range, expected) in
        [(0..1, &all[..1]), (100..2000, &all[100..2000]), (10_000..99_999, &all[10_000..]), (7..7, &all[..0])]
    {
        api.storage.fails([Fault::CutAfter(50)]);
        let got = download(&client, media_id).range(range.clone()).bytes().await.expect("downloaded");
        assert!(got == expected, "{range:?}");
        api.storage.held().faults.clear();
    }
}

#[tokio::test]
async fn a_file_is_there_whole_or_not_at_all_and_a_later_try_goes_on() {
    let (api, client, media_id) = uploaded(2 * MIB).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cat.mp4");
    std::fs::write(&path, "an older one").expect("written");
    api.storage.fails([Fault::CutAfter(MIB), Fault::CutAfter(0), Fault::CutAfter(0)]);
    let broken = download(&client, media_id).max_failures(1).to_file(&path).await;
    assert!(matches!(broken, Err(MediaError::Interrupted(_))), "{broken:?}");
    assert_eq!(std::fs::read(&path).expect("a file"), b"an older one");

    api.storage.held().faults.clear();
    let again = download(&client, media_id).to_file(&path).await.expect("downloaded");
    assert_eq!((again, api.storage.held().sent), (2 * MIB as u64, 2 * MIB), "no byte came twice");
    assert!(std::fs::read(&path).expect("a file") == bytes(2 * MIB));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing else is left: {left:?}");
}

#[tokio::test]
async fn what_stands_there_already_and_is_too_long_is_begun_again() {
    let (_api, client, media_id) = uploaded(KIB).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("note.txt");
    let partial = folder.path().join(format!(".note.txt.{media_id}.original.partial"));
    std::fs::write(partial, bytes(2 * KIB)).expect("written");
    assert_eq!(download(&client, media_id).to_file(&path).await.expect("downloaded"), KIB as u64);
    assert!(std::fs::read(&path).expect("a file") == bytes(KIB));
}
