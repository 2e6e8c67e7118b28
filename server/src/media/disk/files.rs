use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use i9chat_spec::MediaId;

use crate::{auth::keys::create_private_folder, media::PartName};

/// Where everything is: `<last two digits of the id>/<id>/<part>`. No name comes from outside: an id is a UUID, and a part is
/// one of a list.
#[derive(Debug, Clone)]
pub(super) struct Files {
    root: PathBuf,
}

impl Files {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of media. The first digits of an id are the time, so the last ones spread better.
    fn folder(&self, media_id: MediaId) -> PathBuf {
        let shard = media_id.as_uuid().as_bytes().last().copied().unwrap_or_default();
        self.root.join(format!("{shard:02x}")).join(media_id.to_string())
    }

    /// Where a part is once every byte of it is there.
    pub(super) fn whole(&self, name: PartName) -> PathBuf {
        self.folder(name.media_id).join(name.part.as_str())
    }

    /// Where the bytes of one start of an upload gather.
    pub(super) fn growing(&self, name: PartName, session: u64) -> PathBuf {
        self.folder(name.media_id).join(format!("{}.{session:016x}", name.part))
    }

    /// Where the turns of those who send a part stand.
    pub(super) fn turns(&self, name: PartName) -> PathBuf {
        self.folder(name.media_id).join(format!("turns-{}", name.part))
    }

    /// Makes the folder of media when it is not there.
    pub(super) fn make_folder(&self, media_id: MediaId) -> io::Result<()> {
        create_private_folder(&self.folder(media_id))
    }

    /// Makes the names in the folder of media durable, its own and that of its parent included.
    pub(super) fn sync_names(&self, media_id: MediaId) -> io::Result<()> {
        let folder = self.folder(media_id);
        for folder in folder.ancestors().take_while(|folder| folder.starts_with(&self.root)) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Removes what starts of the upload of that part have left behind, all but this one.
    pub(super) fn remove_other_starts(&self, name: PartName, session: u64) -> io::Result<()> {
        let kept = self.growing(name, session);
        let start = format!("{}.", name.part);
        for entry in fs::read_dir(self.folder(name.media_id))? {
            let path = entry?.path();
            let is_start = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start));
            if is_start && path != kept {
                remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Gives bytes that are whole their final name, unless it is taken.
    pub(super) fn settle(&self, name: PartName, session: u64) -> io::Result<()> {
        let growing = self.growing(name, session);
        // Unlike a rename, a link never replaces what is there.
        match fs::hard_link(&growing, self.whole(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        remove_file(&growing)?;
        // Whoever comes after this finds the part whole before they look whose turn it is, and again in their turn.
        remove_file(&self.turns(name))
    }

    pub(super) fn remove(&self, media_id: MediaId) -> io::Result<()> {
        ignore_missing(fs::remove_dir_all(self.folder(media_id)))
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    ignore_missing(fs::remove_file(path))
}

fn ignore_missing(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
