use object_store::path::Path;

use super::GcsPlace;
use crate::media::PartName;

/// What parts are called in the bucket: `<prefix>arriving/<last two digits of the id>/<id>/<part>`, and the same below `kept`.
/// No name comes from outside: an id is a UUID, and a part is one of a list.
#[derive(Debug)]
pub(super) struct Names {
    arriving: String,
    kept: String,
}

impl Names {
    pub(super) fn new(place: &GcsPlace) -> Self {
        Self { arriving: place.arriving_prefix(), kept: place.kept_prefix() }
    }

    /// Where uploads go.
    pub(super) fn arriving(&self, name: PartName) -> Path {
        below(&self.arriving, name)
    }

    /// Where a part is once it was completed.
    pub(super) fn kept(&self, name: PartName) -> Path {
        below(&self.kept, name)
    }

    /// With what the names of all that is kept begin.
    pub(super) fn kept_prefix(&self) -> &str {
        &self.kept
    }
}

/// The first digits of an id are the time, so the last ones, which come first here, spread the load better.
fn below(prefix: &str, name: PartName) -> Path {
    let shard = name.media_id.as_uuid().as_bytes().last().copied().unwrap_or_default();
    Path::from(format!("{prefix}{shard:02x}/{}/{}", name.media_id, name.part))
}
