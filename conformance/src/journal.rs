//! What travelled during a case, and which of it breaks the documents.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use i9chat_spec::ErrorCode;
use serde_json::Value;

/// The most characters of a value that a line shows.
const SHOWN: usize = 800;
/// The most lines that are kept: a case that floods the server is not shown in full.
const LINES: usize = 400;

/// Collects the traffic of one case.
#[derive(Debug, Default)]
pub struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<String>,
    left_out: usize,
    breaches: Vec<String>,
    secrets: Vec<String>,
    refusals: BTreeSet<(&'static str, ErrorCode)>,
}

impl Journal {
    /// Writes down a line.
    pub fn line(&self, line: impl Into<String>) {
        let mut inner = self.lock();
        if inner.lines.len() < LINES {
            inner.lines.push(line.into());
        } else {
            inner.left_out += 1;
        }
    }

    /// Writes down that something that came breaks the documents.
    pub fn breach(&self, breach: impl Into<String>) {
        let mut inner = self.lock();
        let breach = breach.into();
        if !inner.breaches.contains(&breach) {
            inner.breaches.push(breach);
        }
    }

    /// Writes down that an endpoint refused something with a code of its own.
    pub(crate) fn refusal(&self, endpoint: &'static str, code: ErrorCode) {
        self.lock().refusals.insert((endpoint, code));
    }

    /// Which endpoints refused something, and with which codes of their own.
    pub fn refusals(&self) -> BTreeSet<(&'static str, ErrorCode)> {
        self.lock().refusals.clone()
    }

    /// Remembers a secret, which no error may hold. (ERR-3)
    pub fn secret(&self, secret: &str) {
        // What is this short may stand in a sentence by accident.
        if secret.len() >= 6 {
            self.lock().secrets.push(secret.to_owned());
        }
    }

    /// Whether the text holds a secret of this case. (ERR-3)
    pub fn holds_secret(&self, text: &str) -> bool {
        self.lock().secrets.iter().any(|secret| text.contains(secret))
    }

    /// What was found to break the documents.
    pub fn breaches(&self) -> Vec<String> {
        self.lock().breaches.clone()
    }

    /// The traffic, one line for each thing that travelled.
    pub fn lines(&self) -> Vec<String> {
        let inner = self.lock();
        let mut lines = inner.lines.clone();
        if inner.left_out > 0 {
            lines.push(format!("… and {} more", inner.left_out));
        }
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value as a line shows it: trimmed, its secrets shortened.
pub fn shown(value: &Value) -> String {
    let mut value = value.clone();
    hide_secrets(&mut value);
    shortened(&value.to_string(), SHOWN)
}

/// Bytes as a line shows them.
pub fn shown_bytes(bytes: &[u8]) -> String {
    match serde_json::from_slice(bytes) {
        Ok(value) => shown(&value),
        Err(_) => shortened(&String::from_utf8_lossy(bytes), SHOWN),
    }
}

/// A secret, recognisable but of no use.
pub fn shortened_secret(secret: &str) -> String {
    let start: String = secret.chars().take(6).collect();
    format!("{start}…")
}

fn shortened(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most).collect();
    format!("{start}… ({length} characters)")
}

fn hide_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text)
                        if matches!(name.as_str(), "token" | "refresh_token" | "password" | "ticket") =>
                    {
                        *text = shortened_secret(text);
                    }
                    other => hide_secrets(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}
