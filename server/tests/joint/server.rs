//! A server with everything of its own.

use std::ops::{Deref, DerefMut};

use i9chat_conformance::mail::Mailbox;
use tempfile::TempDir;

use crate::process::Process;

/// A server process with a data folder and a mailbox of its own.
pub struct Server {
    // Ends before its folder goes.
    process: Process,
    pub data: TempDir,
    pub mailbox: Mailbox,
}

impl Server {
    /// Starts a server with further options.
    pub async fn start(options: &[&str]) -> Self {
        Self::start_through(&[], options).await
    }

    /// Starts a server through another program, which gets the server's command line.
    pub async fn start_through(through: &[&str], options: &[&str]) -> Self {
        let mailbox = Mailbox::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let data = TempDir::new().unwrap();
        let folder = data.path().join("data").display().to_string();
        let own = ["--smtp-url".to_owned(), mailbox.url(), "--data".to_owned(), folder];
        let options = own.into_iter().chain(options.iter().map(ToString::to_string)).collect();
        let mut process = Process::new(through, options, data.path().join("output.log"));
        process.run().await;
        Self { process, data, mailbox }
    }
}

impl Deref for Server {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}
