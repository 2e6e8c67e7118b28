//! The mark on a data folder whose data was moved to a cluster: a server here would go on with the same chats beside the nodes there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The name of the mark, a file that holds where the data is now.
const MARK: &str = "i9chat.moved";

/// Where the mark of a data folder is, if it has one.
pub fn mark(data: &Path) -> PathBuf {
    data.join(MARK)
}

/// Where the data of a folder was moved to, if it was.
pub fn moved_to(data: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(mark(data)) {
        Ok(place) => Ok(Some(place.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Marks a data folder as one whose data was moved there. The mark is on disk, and whole, when this returns.
pub fn set_mark(data: &Path, place: &str) -> io::Result<()> {
    let draft = data.join(format!("{MARK}.draft"));
    let mut file = File::create(&draft)?;
    writeln!(file, "{place}")?;
    file.sync_all()?;
    fs::rename(&draft, mark(data))?;
    File::open(data)?.sync_all()
}

/// Takes the mark off a data folder, if it has one.
pub fn remove_mark(data: &Path) -> io::Result<()> {
    match fs::remove_file(mark(data)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_says_where_the_data_is_until_it_is_taken_off() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(moved_to(data.path()).unwrap(), None);
        for place in ["neo4j://one:7687", "neo4j://other"] {
            set_mark(data.path(), place).unwrap();
            assert_eq!(moved_to(data.path()).unwrap().as_deref(), Some(place));
        }
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 1, "nothing else is left behind");
        remove_mark(data.path()).unwrap();
        remove_mark(data.path()).unwrap();
        assert_eq!(moved_to(data.path()).unwrap(), None);
    }
}
