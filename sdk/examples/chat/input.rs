//! The lines that are typed.

use std::io::{BufRead, Write};

use anyhow::Context;
use tokio::sync::mpsc;

/// The lines of the standard input.
pub struct Input {
    pub lines: mpsc::Receiver<String>,
}

impl Input {
    pub fn start() -> Self {
        let (read, lines) = mpsc::channel(16);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { return };
                if read.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    pub async fn ask(&mut self, question: &str) -> anyhow::Result<String> {
        print!("{question}: ");
        std::io::stdout().flush()?;
        let answer = self.lines.recv().await.context("the input has ended")?;
        Ok(answer.trim().to_owned())
    }

    pub async fn ask_unless(&mut self, given: Option<&String>, question: &str) -> anyhow::Result<String> {
        match given {
            Some(given) => Ok(given.clone()),
            None => self.ask(question).await,
        }
    }
}
