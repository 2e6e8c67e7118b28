//! The server's binary, started for a test.

use std::{
    fs::OpenOptions,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    time::{interval, timeout},
};

/// How long anything may take before a test gives up. Only failures ever take this long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A server that listens on the loopback interface, and can be started again there. It ends with this value.
pub struct Process {
    address: SocketAddr,
    line: Vec<String>,
    output: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// One that is not started yet. `through` is what it is started through, such as a shell that sets a limit; what it says is
    /// added to the file.
    pub fn new(through: &[&str], options: Vec<String>, output: PathBuf) -> Self {
        let address = free_address();
        let binary = [env!("CARGO_BIN_EXE_i9chat-server").to_owned(), "--listen".to_owned(), address.to_string()];
        let line = through.iter().map(ToString::to_string).chain(binary).chain(options).collect();
        Self { address, line, output, child: None }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("the server runs")
    }

    /// Everything that the server wrote so far.
    pub fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Starts the process, and waits until it is ready.
    pub async fn run(&mut self) {
        let output = OpenOptions::new().create(true).append(true).open(&self.output).unwrap();
        let child = Command::new(&self.line[0])
            .args(&self.line[1..])
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
        timeout(PATIENCE, self.ready()).await.expect("the server is ready");
    }

    async fn ready(&mut self) {
        let url = format!("{}/readyz", self.url());
        let mut pause = interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.output());
            }
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
        }
    }

    /// Ends the process at once, as a crash does.
    pub async fn kill(&mut self) {
        self.child.take().unwrap().kill().await.unwrap();
    }

    /// Asks the process to stop, and answers whether it ended well.
    pub async fn stop(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        signal(child.id().unwrap(), "-TERM").await;
        timeout(PATIENCE, child.wait()).await.expect("the server stops").unwrap().success()
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
