//! The server's key: made on first start, kept in the data folder, readable by its owner alone.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::ids::Ids;

/// Tells the key's file from others, and this form of it from later ones.
const PREFIX: &str = "i9chat-key-1:";
const KEY_BYTES: usize = 32;
/// Longer than any key file; a larger file is none.
const LONGEST_FILE: u64 = 1024;

/// The one key that every other is derived from, so that a secret made for one purpose proves nothing for another.
#[derive(Clone)]
pub struct ServerKey([u8; KEY_BYTES]);

impl ServerKey {
    /// A new key.
    pub fn generate(ids: &dyn Ids) -> Self {
        let mut key = [0; KEY_BYTES];
        ids.fill(&mut key);
        Self(key)
    }

    /// Reads the key from `keys/server.key` in the data folder, making it when it is not there.
    ///
    /// Two servers that start at once on one folder end with the same key. Blocks; call it before serving.
    pub fn load_or_create(data: &Path, ids: &dyn Ids) -> Result<Self, KeyError> {
        let folder = data.join("keys");
        let path = folder.join("server.key");
        match read(&path) {
            Err(KeyError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| KeyError::Io { path, error }
        };
        create_private_folder(&folder).map_err(failed(&folder))?;
        let mut suffix = [0; 8];
        ids.fill(&mut suffix);
        let draft = folder.join(format!("server.key.{}", BASE64_URL_SAFE_NO_PAD.encode(suffix)));
        let text = format!("{}\n", Self::generate(ids).reveal());
        let written = write_private_file(&draft, text.as_bytes())
            // Unlike a rename, a link never replaces the key that another server has just made.
            .and_then(|()| match fs::hard_link(&draft, &path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                outcome => outcome,
            })
            .map_err(failed(&path));
        fs::remove_file(&draft).or_else(ignore_missing).map_err(failed(&draft))?;
        written?;
        File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed(&folder))?;
        read(&path)
    }

    /// The key as text, for the one place that all nodes read it from.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }

    /// The key that a text [reveals](Self::reveal).
    pub fn from_text(text: &str) -> Option<Self> {
        let encoded = text.trim_end().strip_prefix(PREFIX)?;
        BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?.try_into().ok().map(Self)
    }

    /// The key for one purpose.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), purpose.as_bytes());
        let mut derived = [0; KEY_BYTES];
        derived.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        derived
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(…)")
    }
}

/// Why there is no key. The sentence says what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file or its folder cannot be read or written.
    #[error("cannot use the key file {}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others than the owner can read or write the file.
    #[error(
        "others may read or write the key file {} (mode {mode:04o}), and with it they could sign in as anybody; \
         run `chmod 600 {}`, or remove the file for a new key, which signs everybody out",
        path.display(),
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error(
        "the file {} holds no key of this server; restore it from a backup, or remove it for a new key, which signs \
         everybody out",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

fn read(path: &Path) -> Result<ServerKey, KeyError> {
    let failed = |error| KeyError::Io { path: path.to_owned(), error };
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(malformed());
    }
    if let Some(mode) = exposed_mode(&metadata) {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = Vec::new();
    file.take(LONGEST_FILE).read_to_end(&mut text).map_err(failed)?;
    let text = std::str::from_utf8(&text).map_err(|_| malformed())?;
    ServerKey::from_text(text).ok_or_else(malformed)
}

fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder, and those above it, for the owner alone; one that is there stays as it is.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The permission bits, when they let others than the owner at the file.
#[cfg(unix)]
fn exposed_mode(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Elsewhere the rights of the folder decide.
#[cfg(not(unix))]
fn exposed_mode(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SystemIds;

    fn load(data: &Path) -> Result<ServerKey, KeyError> {
        ServerKey::load_or_create(data, &SystemIds)
    }

    #[test]
    fn a_key_is_made_once_and_found_again() {
        let data = tempfile::tempdir().unwrap();
        let first = load(data.path()).unwrap();
        assert_eq!(load(data.path()).unwrap().0, first.0);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(load(other.path()).unwrap().0, first.0);
    }

    #[test]
    fn servers_that_start_at_once_get_the_same_key_and_leave_nothing_else_behind() {
        let data = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| load(data.path()).unwrap().0)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(fs::read_dir(data.path().join("keys")).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_for_its_owner_alone_and_the_server_does_not_start_with_one_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        load(data.path()).unwrap();
        let path = data.path().join("keys/server.key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(data.path().join("keys")).unwrap().permissions().mode() & 0o777, 0o700);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = load(data.path()).unwrap_err().to_string();
        assert!(refusal.contains("mode 0640") && refusal.contains("chmod 600"), "{refusal}");
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_kept() {
        let data = tempfile::tempdir().unwrap();
        load(data.path()).unwrap();
        let path = data.path().join("keys/server.key");
        for content in ["", "rubbish", "i9chat-key-1:c2hvcnQ", "i9chat-key-2:AAAA"] {
            fs::write(&path, content).unwrap();
            assert!(matches!(load(data.path()), Err(KeyError::Malformed { .. })), "{content}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn keys_for_different_purposes_differ() {
        let key = ServerKey::generate(&SystemIds);
        assert_ne!(key.derive("token"), key.derive("cookie"));
        assert_eq!(key.derive("token"), key.derive("token"));
        assert_eq!(format!("{key:?}"), "ServerKey(…)");
    }
}
