//! The media cases of the conformance suite, against a server whose media is in the bucket.

use futures_util::{StreamExt, stream};
use i9chat_conformance::{
    case::{Case, run_case},
    cases,
    mail::{MailSource, Mailbox},
    target::Target,
    verdict::Ending,
};
use i9chat_server::{
    auth::passwords::PasswordCost,
    config::{self, MediaConfig},
    node::Node,
    program::node_config,
};

use crate::world::World;

/// What does not concern a bucket: it is another origin than the server's. (MED-26)
const SKIPPED: [&str; 1] = ["media_at_the_origin_of_the_server_runs_nothing"];
/// Options of the server, in the order in which they are tried: the first with which a case does not skip itself counts.
const OPTIONS: [&str; 3] =
    ["", "--token-ttl-s 2 --upload-url-ttl-s 2 --download-url-ttl-s 2", "--unused-upload-ttl-s 4"];
const AT_ONCE: usize = 8;

async fn start(world: &World, folder: &std::path::Path, mailbox: &Mailbox, options: &str) -> Node {
    let fixed = ["i9chat-server", "--listen", "127.0.0.1:0", "--mail-from", "i9chat@localhost", "--smtp-url"];
    let words = fixed.into_iter().map(ToOwned::to_owned).chain([mailbox.url()]);
    let words = words.chain(["--data".to_owned(), folder.display().to_string()]);
    let words = words.chain(options.split_whitespace().map(ToOwned::to_owned));
    let (_, config) = config::read(words.map(Into::into)).unwrap();
    let mut config = node_config(&config).unwrap();
    config.media = MediaConfig::Gcs(world.options.clone());
    let params = argon2::Params::new(argon2::Params::MIN_M_COST, 1, 1, None).unwrap();
    config.password_cost = PasswordCost { params, at_once: 2, waiting: 100 };
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    Box::pin(Node::start(config, metrics)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_passes() {
    let world = World::new().await;
    let is_of_media = |case: &Case| case.requirements.iter().any(|id| id.starts_with("MED-"));
    let mut cases: Vec<Case> = cases::all().into_iter().filter(is_of_media).collect();
    let count = cases.len();
    let mut failed = Vec::new();
    for options in OPTIONS {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let node = start(&world, folder.path(), &mailbox, options).await;
        let url = format!("http://{}", node.address());
        let target = Target::new(&[url], MailSource::Receiver(mailbox)).unwrap();
        let run = async |case: Case| (run_case(&target, &case).await, case);
        let outcomes: Vec<_> = stream::iter(cases).map(run).buffer_unordered(AT_ONCE).collect().await;
        cases = Vec::new();
        for (outcome, case) in outcomes {
            match outcome.ending {
                Ending::Passed => {}
                Ending::Skipped => cases.push(case),
                Ending::Failed | Ending::Inconclusive => {
                    failed.push(format!("{}: {}\n{}", case.name, outcome.detail, outcome.traffic.join("\n")));
                }
            }
        }
        node.stop().await;
    }
    let skipped: Vec<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(skipped, SKIPPED);
    assert!(count > 50, "there are {count} cases of media");
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
