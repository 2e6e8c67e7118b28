//! Starting and stopping the server under test.

use std::{
    fs::File,
    io,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::{mail::MailSource, target::Target, world::World};

/// How long a server may take to answer for the first time: the command may well be one that builds it first.
const START: Duration = Duration::from_mins(5);
/// How long a server may take to stop after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// How often a starting server is asked.
const PAUSE: Duration = Duration::from_millis(50);
/// How much of the server's output is shown, in bytes.
const SHOWN: usize = 8 * 1024;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The command line cannot be split into words.
    #[error("the command cannot be read: {0}")]
    Command(String),
    /// The command cannot be run, or its folder cannot be made.
    #[error("the command cannot be run: {0}")]
    Io(#[from] io::Error),
    /// The command ended before the server answered.
    #[error("the command ended ({status}) before the server answered; it said:\n{output}")]
    Ended {
        /// How it ended.
        status: String,
        /// The end of what it printed.
        output: String,
    },
    /// The server did not answer in time.
    #[error("the server did not answer GET /v1/capabilities in {} s ({why}); it said:\n{output}", START.as_secs())]
    Silent {
        /// What came of the last try.
        why: String,
        /// The end of what it printed.
        output: String,
    },
}

/// A server that was started, with a folder for its data. It is killed when this is dropped, and stopped in order by [`Started::stop`].
#[derive(Debug)]
pub struct Started {
    child: Child,
    group: Option<Pid>,
    folder: TempDir,
    url: String,
}

impl Started {
    /// Runs the command, with `{port}`, `{smtp_url}` and `{data}` filled in, and waits until the server answers on that port of the
    /// loopback address. The command is split into words as a shell does it, but no shell runs it.
    pub async fn start(command: &str, smtp_url: &str) -> Result<Self, StartError> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        std::fs::create_dir(&data)?;
        let port = free_port()?;
        // Filled in after the splitting, so that no value is taken for syntax.
        let words = shell_words::split(command).map_err(|error| StartError::Command(error.to_string()))?;
        let mut words = words.into_iter().map(|word| {
            word.replace("{port}", &port.to_string())
                .replace("{smtp_url}", smtp_url)
                .replace("{data}", &data.to_string_lossy())
        });
        let program = words.next().ok_or_else(|| StartError::Command("it is empty".to_owned()))?;
        let output = File::create(folder.path().join(OUTPUT))?;
        let child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own, so that what the command starts is stopped with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let mut started = Self { child, group, folder, url: format!("http://127.0.0.1:{port}") };
        started.wait_until_it_answers().await?;
        Ok(started)
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The end of what the server printed.
    pub fn output(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default();
        let from = bytes.len().saturating_sub(SHOWN);
        String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
    }

    /// Stops the server: SIGTERM, and SIGKILL when it takes longer than its time of grace. Answers whether it stopped in order.
    pub async fn stop(mut self) -> io::Result<bool> {
        self.signal(Signal::TERM);
        if timeout(GRACE, self.child.wait()).await.is_ok() {
            return Ok(true);
        }
        self.signal(Signal::KILL);
        self.child.wait().await?;
        Ok(false)
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // A group that is gone needs no signal.
            kill_process_group(group, signal).ok();
        }
    }

    async fn wait_until_it_answers(&mut self) -> Result<(), StartError> {
        let target = Target::new(&[&self.url], MailSource::None).map_err(io::Error::other)?;
        let until = Instant::now() + START;
        loop {
            let why = match World::new(&target).await {
                Ok(_) => return Ok(()),
                Err(stop) => stop.to_string(),
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(StartError::Ended { status: status.to_string(), output: self.output() });
            }
            if Instant::now() > until {
                return Err(StartError::Silent { why, output: self.output() });
            }
            sleep(PAUSE).await;
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // After an orderly stop the leader is gone, and so is its id.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

const OUTPUT: &str = "output.log";

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
