//! The server's binary, started for a test.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use i9chat_conformance::mail::Mailbox;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long anything may take before a test gives up. Only failures ever take this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A server process with a data folder and a mailbox of its own.
pub struct Server {
    pub data: TempDir,
    pub mailbox: Mailbox,
    address: SocketAddr,
    options: Vec<String>,
    /// What the process is started through, such as a shell that sets a limit.
    through: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts a server with further options.
    pub async fn start(options: &[&str]) -> Self {
        Self::start_through(&[], options).await
    }

    /// Starts a server through another program, which gets the server's command line.
    pub async fn start_through(through: &[&str], options: &[&str]) -> Self {
        let mailbox = Mailbox::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let mut server = Self {
            data: TempDir::new().unwrap(),
            mailbox,
            address: free_address(),
            options: options.iter().map(ToString::to_string).collect(),
            through: through.iter().map(ToString::to_string).collect(),
            child: None,
        };
        server.run().await;
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the server runs")
    }

    /// Where the process writes its output.
    pub fn output_file(&self) -> PathBuf {
        self.data.path().join("output.log")
    }

    /// Everything that the server wrote so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.output_file()).unwrap_or_default()
    }

    /// Starts the process, and waits until it is ready.
    pub async fn run(&mut self) {
        let binary = env!("CARGO_BIN_EXE_i9chat-server").to_owned();
        let mut line = self.through.clone();
        line.push(binary);
        let output = std::fs::OpenOptions::new().create(true).append(true).open(self.output_file()).unwrap();
        let child = Command::new(&line[0])
            .args(&line[1..])
            .args(["--listen", &self.address.to_string(), "--smtp-url", &self.mailbox.url(), "--data"])
            .arg(self.data.path().join("data"))
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.ready().await;
    }

    async fn ready(&mut self) {
        let url = format!("{}/readyz", self.url());
        let waiting = async {
            let mut pause = tokio::time::interval(Duration::from_millis(10));
            loop {
                pause.tick().await;
                if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                    panic!(
                        "the server ended with {status}: {}",
                        std::fs::read_to_string(self.data.path().join("output.log")).unwrap_or_default()
                    );
                }
                if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the server is ready");
    }

    /// Ends the process at once, as a crash does.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Asks the process to stop, and answers whether it ended well.
    pub async fn stop(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        signal(child.id().unwrap(), "-TERM").await;
        tokio::time::timeout(PATIENCE, child.wait()).await.expect("the server stops").unwrap().success()
    }
}

/// Sends a signal to a process of ours.
pub async fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status().await.unwrap();
    assert!(status.success());
}

/// An address on the loopback interface that nobody listens on.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
