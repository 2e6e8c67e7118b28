use axum::body::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use i9chat_spec::MediaKind;
use reqwest::{Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{PAGE, Put, SMALLEST, World, png};

/// The largest chunk that is meant here: smaller than a real one, so that there are several.
const CHUNK: usize = 256 * 1024;

#[tokio::test]
async fn bytes_come_in_chunks_and_the_server_says_how_far_it_got() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(2 * CHUNK + 10);
    let size = bytes.len();
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", size).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    let asks = format!("bytes */{size}");
    assert_eq!(world.puts(&location, &asks, b"").await, Put::holds(0));
    for first in [0, CHUNK] {
        let range = format!("bytes {first}-{}/{size}", first + CHUNK - 1);
        assert_eq!(world.puts(&location, &range, &bytes[first..first + CHUNK]).await, Put::holds(first + CHUNK));
        assert_eq!(world.puts(&location, &asks, b"").await, Put::holds(first + CHUNK));
    }
    let range = format!("bytes {}-{}/{size}", 2 * CHUNK, size - 1);
    assert_eq!(world.puts(&location, &range, &bytes[2 * CHUNK..]).await, Put::is(200));
    for (range, body) in [(&asks, &b""[..]), (&range, &bytes[2 * CHUNK..])] {
        assert_eq!(world.puts(&location, range, body).await, Put::is(200), "it stays so");
    }
    world.completes(&alice, started.media_id).await.unwrap();
    let link = world.link(&alice, started.media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn an_upload_goes_on_after_the_server_was_started_again() {
    let mut world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(2 * CHUNK);
    let size = bytes.len();
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", size).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    let range = format!("bytes 0-{}/{size}", CHUNK - 1);
    assert_eq!(world.puts(&location, &range, &bytes[..CHUNK]).await, Put::holds(CHUNK));
    world.restart().await;
    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, Put::holds(CHUNK));
    let range = format!("bytes {CHUNK}-{}/{size}", size - 1);
    assert_eq!(world.puts(&location, &range, &bytes[CHUNK..]).await, Put::is(200));
    world.restart().await;
    world.completes(&alice, started.media_id).await.unwrap();
    let link = world.link(&alice, started.media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn what_had_arrived_before_a_break_stays() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(4 * CHUNK);
    let size = bytes.len();
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", size).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;

    // Everything is announced, half of it comes, and then the connection breaks.
    let server = world.request(Method::PUT, &location).build().unwrap().url().clone();
    let address = (server.host_str().unwrap(), server.port().unwrap());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("PUT {location} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..size / 2]).await.unwrap();
    stream.shutdown().await.unwrap();
    // The server reads what came before the break, answers or not, and closes.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();

    assert_eq!(world.puts(&location, &format!("bytes */{size}"), b"").await, Put::holds(size / 2));
    // The client goes on a little earlier than it had to: what is held already is skipped.
    let first = size / 2 - 100;
    let mut late = bytes[first..].to_vec();
    late[..100].fill(0);
    let range = format!("bytes {first}-{}/{size}", size - 1);
    assert_eq!(world.puts(&location, &range, &late).await, Put::is(200));
    world.completes(&alice, started.media_id).await.unwrap();
    let link = world.link(&alice, started.media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), bytes, "held bytes do not change");
}

#[tokio::test]
async fn nonsense_takes_nothing() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(SMALLEST);
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    for (range, length, answer) in [
        ("bytes 0-1024/1025", 1025, Put::is(400)),
        ("bytes 0-1024/1024", 1025, Put::is(413)),
        ("bytes 0-1024/*", 1025, Put::is(413)),
        ("bytes 1024-2047/1024", 1024, Put::is(413)),
        ("bytes 0-1022/1023", 1023, Put::is(400)),
        ("bytes 0-9/1024", 11, Put::is(400)),
        ("bytes 0-9/1024", 9, Put::is(400)),
        ("bytes 9-0/1024", 10, Put::is(400)),
        ("bytes */1023", 0, Put::is(400)),
        ("bytes -10/1024", 10, Put::is(400)),
        ("nonsense", 10, Put::is(400)),
        ("bytes 10-19/1024", 10, Put::holds(0)),
        ("bytes 0-18446744073709551615/1024", 10, Put::is(413)),
    ] {
        let body = vec![b'x'; length];
        assert_eq!(world.puts(&location, range, &body).await, answer, "{range} with {length} bytes");
        assert_eq!(world.puts(&location, "bytes */1024", b"").await, Put::holds(0), "{range} with {length} bytes");
    }
    let whole = world.request(Method::PUT, &location).body(vec![b'x'; SMALLEST + 1]).send().await.unwrap();
    assert_eq!(whole.status(), StatusCode::BAD_REQUEST);
    assert_eq!(world.puts(&location, "bytes 0-1023/1024", &bytes).await, Put::is(200));
    world.completes(&alice, started.media_id).await.unwrap();
}

#[tokio::test]
async fn more_than_was_stated_is_not_taken_when_its_length_is_not_announced() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(SMALLEST);
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    let pieces =
        [bytes.clone(), b"and more".to_vec()].map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from(piece))));
    let body = reqwest::Body::wrap(StreamBody::new(futures_util::stream::iter(pieces)));
    let answer = world.request(Method::PUT, &location).body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(world.puts(&location, "bytes */1024", b"").await, Put::is(200), "what was stated is there");
    world.completes(&alice, started.media_id).await.unwrap();
    let link = world.link(&alice, started.media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn an_upload_starts_as_it_was_authorised_or_not_at_all() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let url = &started.parts[0].upload_url;
    for headers in [
        vec![("content-type", "image/png")],
        vec![("x-goog-resumable", "start")],
        vec![("x-goog-resumable", "start"), ("content-type", "image/jpeg")],
        vec![("x-goog-resumable", "stop"), ("content-type", "image/png")],
    ] {
        let request = headers
            .iter()
            .fold(world.request(Method::POST, url), |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST, "{headers:?}");
    }
    assert_eq!(world.puts(url, "bytes */1024", b"").await, Put::is(403), "it was not started");
    let location = world.opens(url, "image/png").await;
    let again =
        world.request(Method::POST, &location).header("x-goog-resumable", "start").header("content-type", "image/png");
    assert_eq!(again.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn starting_again_begins_at_nothing() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(SMALLEST);
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let url = &started.parts[0].upload_url;
    let first = world.opens(url, "image/png").await;
    assert_eq!(world.puts(&first, "bytes 0-99/1024", &[b'x'; 100]).await, Put::holds(100));
    let second = world.opens(url, "image/png").await;
    assert_eq!(world.puts(&second, "bytes */1024", b"").await, Put::holds(0));
    assert_eq!(world.puts(&second, "bytes 0-1023/1024", &bytes).await, Put::is(200));
    assert_eq!(world.puts(&first, "bytes */1024", b"").await, Put::is(200), "it is the same part");
    world.completes(&alice, started.media_id).await.unwrap();
}

#[tokio::test]
async fn many_senders_at_once_leave_the_bytes_as_they_are() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let bytes = png(8 * CHUNK);
    let size = bytes.len();
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", size).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    let range = format!("bytes 0-{}/{size}", size - 1);
    let answers = futures_util::future::join_all((0..4).map(|_| world.puts(&location, &range, &bytes))).await;
    assert!(answers.iter().all(|answer| [200, 308].contains(&answer.status)), "{answers:?}");
    assert_eq!(world.puts(&location, &range, &bytes).await, Put::is(200));
    world.completes(&alice, started.media_id).await.unwrap();
    let link = world.link(&alice, started.media_id, "original").await.unwrap();
    assert_eq!(world.get(&link.url, &[]).await.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn upload_urls_run_out_and_their_locations_live_longer() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let url = &started.parts[0].upload_url;
    let (start_s, all_s) = (world.lifetimes().upload_url_ttl_s, world.lifetimes().unused_upload_ttl_s);
    world.wait(start_s - 1);
    let location = world.opens(url, "image/png").await;
    world.wait(1);
    let late = world.request(Method::POST, url).header("x-goog-resumable", "start").header("content-type", "image/png");
    assert_eq!(late.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(world.puts(&location, "bytes 0-9/1024", &png(SMALLEST)[..10]).await, Put::holds(10));
    world.wait(all_s - start_s - 1);
    assert_eq!(world.puts(&location, "bytes */1024", b"").await, Put::holds(10));
    world.wait(1);
    assert_eq!(world.puts(&location, "bytes */1024", b"").await, Put::is(403));
}

#[tokio::test]
async fn altered_and_hostile_urls_lead_nowhere_and_make_no_files() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let url = &started.parts[0].upload_url;
    let location = world.opens(url, "image/png").await;
    let before = files(world.folder.path());
    let mut altered = location.clone();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    for hostile in [
        altered,
        format!("{location}A"),
        "/media/uploads/..%2F..%2Fescaped".to_owned(),
        "/media/uploads/%2e%2e%2fescaped".to_owned(),
        "/media/uploads/%00".to_owned(),
        "/media/uploads/%2Ftmp%2Fescaped".to_owned(),
        "/media/uploads/..%5C..%5Cescaped".to_owned(),
    ] {
        for (range, body) in [("bytes 0-1023/1024", png(SMALLEST)), ("bytes */1024", Vec::new())] {
            let answer = world.puts(&hostile, range, &body).await;
            assert_eq!(answer, Put::is(403), "{hostile}");
        }
        let started = world
            .request(Method::POST, &hostile)
            .header("x-goog-resumable", "start")
            .header("content-type", "image/png");
        assert_eq!(started.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{hostile}");
    }
    // A path with more in it is another path.
    assert_eq!(world.puts("/media/uploads/a/b", "bytes */1024", b"").await.status, 404);
    assert_eq!(files(world.folder.path()), before);
}

/// Every file below a folder, but the database's.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.file_name().unwrap().to_str().unwrap().starts_with("i9chat.db") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn pages_that_may_use_the_server_upload_and_others_do_not() {
    let world = World::new().await;
    let alice = world.signs_up("alice").await;
    let started = world.starts_one(&alice, MediaKind::Image, "image/png", SMALLEST).await;
    let location = world.opens(&started.parts[0].upload_url, "image/png").await;
    let put = |origin: &'static str| {
        world
            .request(Method::PUT, &location)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_RANGE, "bytes */1024")
            .send()
    };
    assert_eq!(put("https://evil.example").await.unwrap().status(), StatusCode::FORBIDDEN);
    let answer = put(PAGE).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
    let exposed = answer.headers()[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().to_ascii_lowercase();
    assert!(["location", "range"].iter().all(|name| exposed.split(',').any(|one| one.trim() == *name)), "{exposed}");

    let preflight = world
        .request(Method::OPTIONS, &location)
        .header(header::ORIGIN, PAGE)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-range,x-goog-resumable")
        .send()
        .await
        .unwrap();
    let allowed = preflight.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_ascii_lowercase();
    assert!(["content-range", "x-goog-resumable"].iter().all(|name| allowed.contains(name)), "{allowed}");
}
