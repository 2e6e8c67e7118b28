//! The command line.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use i9chat_spec::Profile;

use crate::{
    cases,
    load::{self, LoadArgs},
    mail::{MailCommand, MailSource, Mailbox},
    protocol, report,
    run::{Choice, Summary, run},
    start::Started,
    target::Target,
};

/// The run, or the question, could not be carried out: bad arguments, a server that did not start, a file that cannot be written.
const UNUSABLE: u8 = 2;

/// Proves from outside whether a server speaks i9chat, sentence by sentence of its specification.
#[derive(Debug, Parser)]
#[command(name = "i9chat-conformance", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the cases against a server
    Run(RunArgs),
    /// List the cases
    List(ChoiceArgs),
    /// Quote a sentence of the specification, and name the cases that prove it
    Explain {
        /// The id, such as MSG-7
        id: String,
    },
    /// Put load on a server, and measure it
    Load(LoadArgs),
}

/// Which cases.
#[derive(Debug, Clone, Args)]
struct ChoiceArgs {
    /// Only the cases of this profile; may be given several times
    #[arg(long = "profile", value_name = "PROFILE")]
    profiles: Vec<Profile>,
    /// Only the cases whose name holds this text, or that prove the requirement of this id (or of this section, such as SES)
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
}

/// The arguments of `run`.
#[derive(Debug, Args)]
struct RunArgs {
    #[arg(
        help = "Where the server is, such as http://127.0.0.1:8080; several are nodes of one server, taken in turn",
        long = "url",
        value_name = "URL",
        required_unless_present = "start"
    )]
    urls: Vec<String>,
    #[arg(
        help = "Start the server by this command, and stop it at the end; {port}, {smtp_url} and {data} are filled in",
        long,
        value_name = "COMMAND",
        conflicts_with = "urls"
    )]
    start: Option<String>,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Write the report to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[arg(help = "Write the report to this file as JUnit XML", long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Where the suite takes the server's mail by SMTP
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    smtp_listen: SocketAddr,
    /// For servers that send mail elsewhere: run with a mail address as its last argument, prints the newest mail to it
    #[arg(long, value_name = "COMMAND", conflicts_with = "smtp_listen")]
    mail_command: Option<String>,
    /// How many cases run at a time
    #[arg(long, value_name = "N", default_value_t = 8)]
    jobs: usize,
}

impl ChoiceArgs {
    fn choice(&self) -> Choice {
        Choice { profiles: self.profiles.clone(), filter: self.filter.clone() }
    }
}

impl Cli {
    /// Does what was asked. The code is 0 only when a run showed conformance (or another command succeeded), 1 when it did not, 2 when it could not be carried out.
    pub fn execute(self) -> ExitCode {
        match self.command {
            Command::Run(arguments) => match tokio::runtime::Runtime::new() {
                Ok(runtime) => runtime.block_on(arguments.execute()),
                Err(error) => unusable(&error.to_string()),
            },
            Command::List(choice) => list(&choice.choice()),
            Command::Explain { id } => explain(&id),
            Command::Load(arguments) => match load::run(arguments) {
                Ok(report) if report.is_clean() => ExitCode::SUCCESS,
                Ok(_) => ExitCode::FAILURE,
                Err(error) => unusable(&error.to_string()),
            },
        }
    }
}

fn unusable(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(UNUSABLE)
}

fn list(choice: &Choice) -> ExitCode {
    for case in cases::all().iter().filter(|case| choice.takes(case)) {
        println!("{:<9} {}   {}", case.profile.as_str(), case.name, case.requirements.join(", "));
    }
    ExitCode::SUCCESS
}

fn explain(id: &str) -> ExitCode {
    let Some(requirement) = protocol::requirement(id) else {
        return unusable(&format!("docs/protocol.md has no sentence {id}; ids are like MSG-7"));
    };
    println!("{} ({})\n{}", requirement.id, requirement.section, requirement.text);
    let cases: Vec<_> =
        cases::all().into_iter().filter(|case| case.requirements.contains(&requirement.id.as_str())).collect();
    for case in cases {
        println!("  proved by {}", case.name);
    }
    if let Some((_, why)) = cases::NOT_SEEN_ON_THE_WIRE.iter().find(|(id, _)| *id == requirement.id) {
        println!("  no case: {why}");
    }
    ExitCode::SUCCESS
}

impl RunArgs {
    async fn execute(self) -> ExitCode {
        let interrupted = async {
            // Without a way to hear of an interruption there is none.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let done = tokio::select! {
            done = self.run() => done,
            // Dropping the run stops a server that was started.
            () = interrupted => Err("interrupted".to_owned()),
        };
        match done {
            Ok(summary) if summary.is_success() => ExitCode::SUCCESS,
            Ok(_) => ExitCode::FAILURE,
            Err(why) => unusable(&why),
        }
    }

    async fn run(&self) -> Result<Summary, String> {
        let (mail, smtp_url) = self.mail().await?;
        let started = match &self.start {
            Some(command) => Some(Started::start(command, &smtp_url).await.map_err(|error| error.to_string())?),
            None => None,
        };
        let urls = started.as_ref().map_or_else(|| self.urls.clone(), |started| vec![started.url().to_owned()]);
        let target = Target::new(&urls, mail).map_err(|error| error.to_string())?;
        let choice = self.choice.choice();
        let chosen = cases::all().into_iter().filter(|case| choice.takes(case)).collect();
        let finished = run(&target, chosen, self.jobs).await;
        println!("{}", report::console(&finished, &self.again()));
        if let Some(file) = &self.json {
            write(file, report::json(&finished).map_err(|error| error.to_string()))?;
        }
        if let Some(file) = &self.junit {
            write(file, report::junit(&finished).map_err(|error| error.to_string()))?;
        }
        if let Some(started) = started {
            let in_order = started.stop().await.map_err(|error| format!("the server could not be stopped: {error}"))?;
            if !in_order {
                eprintln!("the server did not stop after SIGTERM and was killed");
            }
        }
        Ok(Summary::of(&finished))
    }

    /// Where mail is found, and the URL for servers that are started here.
    async fn mail(&self) -> Result<(MailSource, String), String> {
        if let Some(command) = &self.mail_command {
            let parsed =
                MailCommand::parse(command).ok_or_else(|| format!("--mail-command {command} cannot be read"))?;
            return Ok((MailSource::Command(parsed), String::new()));
        }
        let mailbox = Mailbox::listen(self.smtp_listen)
            .await
            .map_err(|error| format!("mail cannot be taken at {}: {error}", self.smtp_listen))?;
        let url = mailbox.url();
        if self.start.is_none() {
            eprintln!("the suite takes the server's mail at {url}");
        }
        Ok((MailSource::Receiver(mailbox), url))
    }

    /// The command line that repeats this run.
    fn again(&self) -> String {
        let mut words = vec!["i9chat-conformance".to_owned(), "run".to_owned()];
        for url in &self.urls {
            words.extend(["--url".to_owned(), url.clone()]);
        }
        for (flag, value) in [("--start", &self.start), ("--mail-command", &self.mail_command)] {
            if let Some(value) = value {
                words.extend([flag.to_owned(), value.clone()]);
            }
        }
        if self.smtp_listen.port() != 0 {
            words.extend(["--smtp-listen".to_owned(), self.smtp_listen.to_string()]);
        }
        shell_words::join(words)
    }
}

fn write(file: &PathBuf, report: Result<String, String>) -> Result<(), String> {
    let told = |error: String| format!("{} cannot be written: {error}", file.display());
    std::fs::write(file, report.map_err(told)?).map_err(|error| told(error.to_string()))
}
