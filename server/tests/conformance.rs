//! Every case of the conformance suite as a test of its own, against the server's own binary.
//!
//! Most cases run against a server as a newcomer starts it. Those that ask for short times (a token that runs out, a heartbeat)
//! run against one that was started with them.

use std::{process::ExitCode, sync::Arc};

use i9chat_conformance::{
    case::{Case, run_case},
    cases,
    mail::{MailSource, Mailbox},
    start::Started,
    target::Target,
    verdict::{Ending, Outcome},
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};

/// Options of the server whose times are short enough to wait for.
const SHORT_TIMES: &str = "--heartbeat-ms 1000 --token-ttl-s 2 --upload-url-ttl-s 2 --download-url-ttl-s 2";
/// The same for media that nothing uses, whose uploaders must not be signed out meanwhile; and limits that are soon reached.
const SHORT_LIVED_MEDIA: &str =
    "--unused-upload-ttl-s 4 --max-group-members 6 --event-retention-s 2 --max-presence-subscriptions 20";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let runtime = match Runtime::new() {
        Ok(runtime) => Arc::new(runtime),
        Err(error) => {
            eprintln!("the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let servers = Arc::new(Servers::default());
    let trials = cases::all()
        .into_iter()
        .map(|case| {
            let (runtime, servers) = (Arc::clone(&runtime), Arc::clone(&servers));
            Trial::ignorable_test(case.name, move || verdict(runtime.block_on(servers.run(&case))))
                .with_kind(case.profile.as_str())
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(servers) = Arc::into_inner(servers) {
        runtime.block_on(servers.stop());
    }
    conclusion.exit_code()
}

fn verdict(outcome: Result<Outcome, String>) -> Result<Completion, Failed> {
    let outcome = outcome?;
    match outcome.ending {
        Ending::Passed => Ok(Completion::Completed),
        Ending::Skipped => Ok(Completion::ignored_with(outcome.detail)),
        Ending::Failed | Ending::Inconclusive => {
            Err(format!("{}\n{}", outcome.detail, outcome.traffic.join("\n")).into())
        }
    }
}

/// The servers, each started when the first case needs it.
#[derive(Default)]
struct Servers {
    plain: OnceCell<Result<Running, String>>,
    short: OnceCell<Result<Running, String>>,
    media: OnceCell<Result<Running, String>>,
}

struct Running {
    server: Started,
    target: Target,
}

impl Servers {
    async fn run(&self, case: &Case) -> Result<Outcome, String> {
        let mut outcome = run_case(&running(&self.plain, "").await?.target, case).await;
        for (server, options) in [(&self.short, SHORT_TIMES), (&self.media, SHORT_LIVED_MEDIA)] {
            if outcome.ending == Ending::Skipped {
                outcome = run_case(&running(server, options).await?.target, case).await;
            }
        }
        Ok(outcome)
    }

    /// Servers that do not stop in order are killed, and said.
    async fn stop(self) {
        for running in [self.plain, self.short, self.media].into_iter().filter_map(OnceCell::into_inner).flatten() {
            match running.server.stop().await {
                Ok(true) => {}
                Ok(false) => eprintln!("a server did not stop when it was asked to"),
                Err(error) => eprintln!("a server cannot be stopped: {error}"),
            }
        }
    }
}

async fn running<'a>(cell: &'a OnceCell<Result<Running, String>>, options: &str) -> Result<&'a Running, String> {
    cell.get_or_init(|| start(options)).await.as_ref().map_err(Clone::clone)
}

async fn start(options: &str) -> Result<Running, String> {
    let address = "127.0.0.1:0".parse().map_err(|error| format!("{error}"))?;
    let mailbox = Mailbox::listen(address).await.map_err(|error| error.to_string())?;
    let command = format!(
        "{} --listen 127.0.0.1:{{port}} --data {{data}} --smtp-url {{smtp_url}} --log warn {options}",
        env!("CARGO_BIN_EXE_i9chat-server"),
    );
    let server = Started::start(&command, &mailbox.url()).await.map_err(|error| error.to_string())?;
    let target = Target::new(&[server.url()], MailSource::Receiver(mailbox)).map_err(|error| error.to_string())?;
    Ok(Running { server, target })
}
