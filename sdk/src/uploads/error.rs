use std::io;

use i9chat_spec::MediaPart;

use crate::{Error, ErrorClass};

/// Why media was not uploaded or not downloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The chat server was not reached, or refused.
    #[error(transparent)]
    Call(#[from] Error),
    /// The file or stream cannot be read, or the file cannot be written.
    #[error("the file or stream failed")]
    Local(#[source] io::Error),
    /// The file or stream does not have as many bytes as were stated.
    #[error("the {part} has another size than the {stated} bytes that were stated")]
    WrongSize {
        /// Which part.
        part: MediaPart,
        /// What was stated.
        stated: u64,
    },
    /// A stream can be read only once, and bytes that it has given are needed again.
    #[error("bytes of the {0} are needed again, and its stream cannot go back")]
    CannotGoBack(MediaPart),
    /// To resume, every part needs its source, of the size that was stated.
    #[error("there is no source for the {0}")]
    NoSource(MediaPart),
    /// The ticket is one of another server, which this is the address of.
    #[error("the upload belongs to {0}")]
    OtherServer(String),
    /// The place of the bytes was not reached, or did not take them, too often in a row. What it holds it keeps: go on later, with
    /// the ticket.
    #[error("the storage cannot be reached")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The place of the bytes refuses, with this HTTP status: mostly because the upload has expired. Start again.
    #[error("the storage refuses (HTTP status {0})")]
    Refused(u16),
    /// The place of the bytes speaks another protocol.
    #[error("the answer is not one of the storage of an i9chat server: {0}")]
    Unexpected(String),
}

impl MediaError {
    /// What to do about it.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Call(error) => error.class(),
            Self::Interrupted(_) => ErrorClass::Network,
            Self::Refused(_) => ErrorClass::Refused,
            Self::Local(_)
            | Self::WrongSize { .. }
            | Self::CannotGoBack(_)
            | Self::NoSource(_)
            | Self::OtherServer(_)
            | Self::Unexpected(_) => ErrorClass::Permanent,
        }
    }
}

/// What went wrong in one exchange with the storage.
#[derive(Debug)]
pub(super) enum Fault {
    /// Another try may help.
    Passing(Box<dyn std::error::Error + Send + Sync>),
    /// With this status.
    Refused(u16),
    /// Not an answer of the protocol.
    Unexpected(String),
}

impl From<Fault> for MediaError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Passing(error) => Self::Interrupted(error),
            Fault::Refused(status) => Self::Refused(status),
            Fault::Unexpected(what) => Self::Unexpected(what),
        }
    }
}
