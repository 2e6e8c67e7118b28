//! Where the bytes of an upload come from.

use std::{
    fmt,
    io::{self, SeekFrom},
    path::PathBuf,
};

use bytes::{Buf, Bytes, BytesMut};
use i9chat_spec::MediaPart;
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncSeekExt},
};

use super::MediaError;

/// How much of a stream is read at once.
const READ_BYTES: usize = 64 * 1024;

/// The bytes of one part: a file, bytes in memory, or a stream of known size.
///
/// ```
/// use i9chat_sdk::uploads::Source;
///
/// let photo = Source::file("cat.jpg");
/// let note = Source::bytes("To whom it may concern");
/// let recording = Source::reader(tokio::io::repeat(7), 4096);
/// # let _ = (photo, note, recording);
/// ```
pub struct Source(Kind);

enum Kind {
    File(PathBuf),
    Bytes(Bytes),
    Reader { reader: Reader, size: u64 },
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;

impl Source {
    /// A file, which is opened when the upload starts and must not change while it runs.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self(Kind::Bytes(bytes.into()))
    }

    /// A stream of exactly `size` bytes. It is read once, a chunk at a time; what the server has not acknowledged is kept in memory.
    pub fn reader(reader: impl AsyncRead + Send + Unpin + 'static, size: u64) -> Self {
        Self(Kind::Reader { reader: Box::new(reader), size })
    }

    pub(super) async fn open(self, part: MediaPart) -> Result<OpenSource, MediaError> {
        let (reading, size) = match self.0 {
            Kind::File(path) => {
                let file = File::open(path).await.map_err(MediaError::Local)?;
                let size = file.metadata().await.map_err(MediaError::Local)?.len();
                (Reading::File(file), size)
            }
            Kind::Bytes(bytes) => {
                let size = bytes.len() as u64;
                (Reading::Bytes(bytes), size)
            }
            Kind::Reader { reader, size } => (Reading::Stream(Stream { reader, from: 0, kept: BytesMut::new() }), size),
        };
        Ok(OpenSource { part, size, reading })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::File(path) => f.debug_tuple("File").field(path).finish(),
            Kind::Bytes(bytes) => f.debug_tuple("Bytes").field(&bytes.len()).finish(),
            Kind::Reader { size, .. } => f.debug_tuple("Reader").field(size).finish(),
        }
    }
}

/// A source of which any bytes can be had that the server may ask for.
pub(super) struct OpenSource {
    pub(super) part: MediaPart,
    pub(super) size: u64,
    reading: Reading,
}

enum Reading {
    File(File),
    Bytes(Bytes),
    Stream(Stream),
}

impl OpenSource {
    /// At most `most` bytes from `from` on, and fewer only at the end. What stands before is not asked for again.
    pub(super) async fn chunk(&mut self, from: u64, most: usize) -> Result<Bytes, MediaError> {
        let left = self.size.saturating_sub(from);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(most);
        let wrong_size = MediaError::WrongSize { part: self.part, stated: self.size };
        let chunk = match &mut self.reading {
            Reading::Bytes(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(from..from + wanted))
            }
            Reading::File(file) => file_chunk(file, from, wanted).await,
            Reading::Stream(stream) if stream.from > from => return Err(MediaError::CannotGoBack(self.part)),
            Reading::Stream(stream) => stream.chunk(from, wanted, wanted as u64 == left).await,
        };
        match chunk {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(wrong_size),
            chunk => chunk.map_err(MediaError::Local),
        }
    }
}

async fn file_chunk(file: &mut File, from: u64, wanted: usize) -> io::Result<Bytes> {
    let mut chunk = vec![0; wanted];
    file.seek(SeekFrom::Start(from)).await?;
    file.read_exact(&mut chunk).await?;
    Ok(chunk.into())
}

/// A stream of which the bytes that the server has not acknowledged are kept.
struct Stream {
    reader: Reader,
    /// Where in the part `kept` begins.
    from: u64,
    kept: BytesMut,
}

impl Stream {
    /// Bytes from one on that is not before those that are kept.
    async fn chunk(&mut self, from: u64, wanted: usize, is_last: bool) -> io::Result<Bytes> {
        self.skip_to(from).await?;
        while self.kept.len() < wanted {
            self.read().await?;
        }
        // A stream that is longer than was stated is not the one that was meant.
        if is_last && (self.kept.len() > wanted || self.reader.read(&mut [0]).await? > 0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.kept.get(..wanted).map(Bytes::copy_from_slice).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    async fn skip_to(&mut self, from: u64) -> io::Result<()> {
        loop {
            let ahead = usize::try_from(from.saturating_sub(self.from)).unwrap_or(usize::MAX).min(self.kept.len());
            self.kept.advance(ahead);
            self.from += ahead as u64;
            if self.from >= from {
                return Ok(());
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        self.kept.reserve(READ_BYTES);
        if self.reader.read_buf(&mut self.kept).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}
