//! Through a whole server: the SDK uploads to the bucket and downloads from it.

use std::sync::Arc;

use i9chat_sdk::{
    Client, Credentials, Signup,
    uploads::{MediaError, Source, Upload},
};
use i9chat_server::{
    app::App,
    auth::passwords::PasswordCost,
    clock::{Clock, SystemClock},
    config::MediaConfig,
    http::{self, HttpConfig, Listening},
    ids::SystemIds,
    node::{Ground, Stack},
    store::mails::MailMatter,
};
use i9chat_spec::{ErrorCode, Lifetimes, Limits, MediaPart};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{
    stand_in::Fault,
    world::{GRAIN, World, bytes},
};

const PASSWORD: &str = "correct horse";

/// A server whose media is in the world's bucket.
pub struct Server {
    app: Arc<App>,
    url: String,
    listening: Listening,
    pub folder: Arc<TempDir>,
}

impl Server {
    async fn new(world: &World) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), &MediaConfig::Gcs(world.options.clone())).await
    }

    /// One that keeps everything in a folder, and media where it says.
    pub async fn on(folder: Arc<TempDir>, media: &MediaConfig) -> Self {
        let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
        let ground = Ground {
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            limits: Limits::default(),
            lifetimes: Lifetimes::default(),
            password_cost: PasswordCost { params, at_once: 2, waiting: 100 },
        };
        let stack = Stack::embedded(folder.path(), media, &ground).await.unwrap();
        let app = stack.app(ground).unwrap();
        let config = HttpConfig {
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            public_url: None,
            max_connections: 100,
        };
        let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
        let service = http::routes(Arc::clone(&app), stack.router, stack.disk, &config, metrics);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self { app, url, listening: http::listen(listener, service, 100, 16 * 1024), folder }
    }

    pub async fn signs_in(&self, name: &str) -> Client {
        Client::connect(&self.url, Credentials::password(name, PASSWORD)).await.unwrap()
    }

    pub async fn signs_up(&self, name: &str) -> Client {
        let email = format!("{name}@example.com");
        let signup = Signup::start(&self.url, &email).await.unwrap();
        let due = self.app.accounts.mails().due_mails(SystemClock.now(), 1000).await.unwrap();
        let mail = due.mails.into_iter().find(|queued| queued.mail.to.as_str() == email).unwrap().mail;
        let MailMatter::SignupCode { ticket } = mail.matter else { panic!("no code was mailed but {mail:?}") };
        let code = self.app.accounts.secrets().code(&ticket).unwrap();
        let verified = signup.verify(code.as_str()).await.unwrap();
        let credentials: Credentials = verified.complete(name, PASSWORD).await.unwrap();
        Client::connect(&self.url, credentials).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.stop.cancel();
    }
}

#[tokio::test]
async fn a_file_goes_to_the_bucket_and_comes_from_it_past_breaks() {
    let world = World::new().await;
    let server = Server::new(&world).await;
    let alice = server.signs_up("alice").await;
    let bytes = bytes(1, 5 * GRAIN + 3);
    world.google.meets([
        (Method::POST, Fault::Status(StatusCode::SERVICE_UNAVAILABLE)),
        (Method::PUT, Fault::Status(StatusCode::BAD_GATEWAY)),
    ]);
    let file = Upload::file(Source::bytes(bytes.clone()), "application/pdf").unwrap();
    let uploaded = alice.upload(file).await.unwrap();
    let [object] = &world.google.objects().into_values().collect::<Vec<_>>()[..] else { panic!("one object") };
    assert_eq!((object.bytes.len(), object.content_type.as_deref()), (bytes.len(), Some("application/pdf")));

    let download = || alice.download(uploaded.media_id(), MediaPart::Original).unwrap();
    world.google.meets([(Method::GET, Fault::Status(StatusCode::SERVICE_UNAVAILABLE))]);
    assert_eq!(download().bytes().await.unwrap(), bytes);
    assert_eq!(download().range(1000..2000).bytes().await.unwrap(), bytes[1000..2000]);
}

#[tokio::test]
async fn what_is_not_of_its_type_is_rejected_and_stays_so() {
    let world = World::new().await;
    let server = Server::new(&world).await;
    let alice = server.signs_up("alice").await;
    for _ in 0..2 {
        let image = Upload::image(Source::bytes(bytes(1, 5000)), "image/png").unwrap();
        let refused = alice.upload(image).await.unwrap_err();
        let MediaError::Call(refused) = &refused else { panic!("{refused:?}") };
        assert_eq!(refused.code(), Some(ErrorCode::MediaRejected));
    }
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_unavailable() {
    let world = World::new().await;
    let server = Server::new(&world).await;
    let alice = server.signs_up("alice").await;
    let file = Upload::file(Source::bytes(bytes(1, 10)), "application/pdf").unwrap();
    let uploaded = alice.upload(file).await.unwrap();
    // Completing is repeated until the bucket answers again; a URL needs nobody's answer.
    world.google.meets((0..6).map(|_| (Method::HEAD, Fault::Status(StatusCode::SERVICE_UNAVAILABLE))));
    let another = Upload::file(Source::bytes(bytes(2, 10)), "application/pdf").unwrap();
    let another = alice.upload(another).await.unwrap();
    assert_ne!(uploaded.media_id(), another.media_id());
}
