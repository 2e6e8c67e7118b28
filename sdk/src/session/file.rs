use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use i9chat_spec::Format;

use super::{Session, SessionStore};

/// Keeps a session in a file, as JSON, readable and writable by its owner alone.
///
/// A save writes a new file beside the old one, flushes it and moves it in place: after a crash there is the old or the new, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStore {
    path: PathBuf,
}

impl FileStore {
    /// The store in that file, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the session is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl SessionStore for FileStore {
    fn load(&self) -> io::Result<Option<Session>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // What is wrong inside is not repeated: the file holds secrets.
        let fault = || io::Error::new(io::ErrorKind::InvalidData, "the file does not hold a session");
        Format::Json.decode(&bytes).map(Some).map_err(|_| fault())
    }

    fn save(&self, session: &Session) -> io::Result<()> {
        let bytes = Format::Json.encode(session).map_err(io::Error::other)?;
        let name = self.path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
        let fresh = self.folder().join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
        let saved = Self::write_new(&fresh, &bytes).and_then(|()| fs::rename(&fresh, &self.path));
        if saved.is_err() {
            // The error of the save counts; what is left of the attempt goes, if it is there at all.
            drop(fs::remove_file(&fresh));
            return saved;
        }
        // The move itself is durable once the folder is. (Only Unix can open a folder for that.)
        if cfg!(unix) { fs::File::open(self.folder())?.sync_all() } else { Ok(()) }
    }

    fn clear(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
