use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// Who may write the bytes of a part: the one who came last. A client whose connection broke comes again while the server still
/// waits for the first one.
///
/// The number of the turn stands in a file whose lock is held while something is done in it, so that servers which share a
/// folder take turns too.
#[derive(Debug)]
pub(super) struct Turns(File);

/// Nobody else does anything with the part.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    file: &'a File,
    /// Whose turn it is.
    pub(super) turn: u64,
}

impl Turns {
    /// The turns of a part. The file is made when it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?))
    }

    /// Waits until nobody else does anything with the part.
    pub(super) fn lock(&self) -> io::Result<Locked<'_>> {
        self.0.lock()?;
        let mut locked = Locked { file: &self.0, turn: 0 };
        let mut bytes = Vec::new();
        locked.file.seek(SeekFrom::Start(0))?;
        locked.file.take(8).read_to_end(&mut bytes)?;
        // Nothing is in it before the first turn.
        locked.turn = bytes.try_into().map_or(0, u64::from_be_bytes);
        Ok(locked)
    }
}

impl Locked<'_> {
    /// Makes it the turn of whoever asks; nobody else's any more.
    pub(super) fn take(&mut self) -> io::Result<u64> {
        self.turn = self.turn.wrapping_add(1);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.turn.to_be_bytes())?;
        Ok(self.turn)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the turns of an upload stay locked");
        }
    }
}
