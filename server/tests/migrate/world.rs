//! An embedded server with a folder of its own, the program that moves it, and the node that comes after it.

use std::{fs::File, path::PathBuf, process::Stdio};

use i9chat_conformance::mail::Mailbox;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::{
    lab::Backends,
    process::{PATIENCE, Process},
};

/// What every server is started with: nobody is told to slow down.
const OPTIONS: [&str; 4] = ["--requests-per-second", "100000", "--requests-burst", "100000"];

/// A folder, and the server that keeps everything in it.
pub struct World {
    // Ends before its folder goes.
    pub embedded: Process,
    pub mailbox: Mailbox,
    folder: TempDir,
}

/// How a program that was given a task ended, and what it said.
pub struct Moved {
    pub code: Option<i32>,
    pub said: String,
    pub complained: String,
}

impl World {
    pub async fn start() -> Self {
        let mailbox = Mailbox::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let folder = TempDir::new().unwrap();
        let mut embedded = Process::new(&[], options(&folder, &mailbox, &[]), folder.path().join("embedded.log"));
        embedded.run().await;
        Self { embedded, mailbox, folder }
    }

    /// A node on the backends that is not started yet. Media stays in the folder, as `--media` is not given.
    pub fn node(&self, backends: &Backends) -> Process {
        let shared = backends.options();
        Process::new(&[], options(&self.folder, &self.mailbox, &shared), self.folder.path().join("node.log"))
    }

    /// Starts a node that must not start, and answers what it complains of.
    pub async fn refused_node(&self, backends: &Backends) -> String {
        self.refused(&backends.options()).await
    }

    /// Starts the folder's own server, which must not start, and answers what it complains of.
    pub async fn refused_embedded(&self) -> String {
        self.refused(&[]).await
    }

    async fn refused(&self, more: &[String]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_i9chat-server"));
        command.args(["--listen", "127.0.0.1:0"]).args(options(&self.folder, &self.mailbox, more));
        let log = self.folder.path().join("refused.log");
        let mut child =
            command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).kill_on_drop(true).spawn().unwrap();
        let ended = timeout(PATIENCE, child.wait()).await;
        let said = std::fs::read_to_string(&log).unwrap();
        let code = ended.unwrap_or_else(|_| panic!("a node starts, or waits: {said}")).unwrap().code();
        assert_eq!(code, Some(1), "it was not to start: {said}");
        said
    }

    pub fn data(&self) -> PathBuf {
        data(&self.folder)
    }

    /// Moves everything, to the end.
    pub async fn migrate(&self, backends: &Backends) -> Moved {
        self.migrate_with(&backends.options()).await
    }

    pub async fn migrate_with(&self, options: &[String]) -> Moved {
        self.told("migrate", options).await
    }

    /// Gives the log in the folder a new epoch.
    pub async fn new_epoch(&self) -> Moved {
        self.told("new-epoch", &[]).await
    }

    async fn told(&self, task: &str, options: &[String]) -> Moved {
        let output = self.command(task, options).output().await.unwrap();
        Moved {
            code: output.status.code(),
            said: String::from_utf8(output.stdout).unwrap(),
            complained: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Moves until so many lines were said, and is killed then. Answers whether it was at its end by then.
    pub async fn migrate_until(&self, backends: &Backends, lines: usize) -> bool {
        let mut child: Child = self
            .command("migrate", &backends.options())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..lines {
            if said.next_line().await.unwrap().is_none() {
                return child.wait().await.unwrap().success();
            }
        }
        child.kill().await.unwrap();
        false
    }

    /// Moves while something goes on, and is killed then. Answers whether it was at its end before.
    pub async fn migrate_while(&self, backends: &Backends, going_on: impl Future<Output = ()>) -> bool {
        let mut child = self.command("migrate", &backends.options()).stdout(Stdio::null()).spawn().unwrap();
        tokio::select! {
            ended = child.wait() => return ended.unwrap().success(),
            () = going_on => {}
        }
        child.kill().await.unwrap();
        false
    }

    fn command(&self, task: &str, options: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_i9chat-server"));
        command.arg(task).arg("--data").arg(self.data()).args(options).stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn options(folder: &TempDir, mailbox: &Mailbox, more: &[String]) -> Vec<String> {
    let own = ["--data".to_owned(), data(folder).display().to_string(), "--smtp-url".to_owned(), mailbox.url()];
    own.into_iter().chain(OPTIONS.map(ToOwned::to_owned)).chain(more.iter().cloned()).collect()
}
