use std::{io::Read, path::Path, sync::Arc, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream};
use i9chat_spec::PartInfo;

use super::MigrateError;
use crate::{
    auth::keys::ServerKey,
    clock::SystemClock,
    media::{
        MediaError, PartName, StatedPart,
        disk::DiskMedia,
        gcs::{GcsMedia, GcsOptions},
    },
    store::{
        StoreError,
        sqlite::SqliteStore,
        transfer::{Mark, MediaRow, Page, Row, Table},
    },
};

/// How many records of media are read at once.
const AT_ONCE: usize = 1000;
/// How many parts are on their way at once. Each is in memory as a whole.
const UPLOADS: usize = 4;
/// How long one part may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// What became of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Copied,
    WasThere,
    HasNoBytes,
}

/// Copies the bytes of all media that is complete from a data folder to a bucket, but what is there already.
pub async fn copy_media(
    source: &SqliteStore,
    data: &Path,
    key: &ServerKey,
    options: &GcsOptions,
    say: &(dyn Fn(String) + Sync),
) -> Result<(), MigrateError> {
    let disk = DiskMedia::open(data, key).map_err(MediaError)?;
    let options = GcsOptions { patience: PATIENCE, ..options.clone() };
    let bucket = GcsMedia::open(&options, Arc::new(SystemClock))?;
    bucket.check().await?;
    say(format!("The bytes of media go to {}.", options.place));
    let (mut copied, mut were_there, mut without) = (0_u64, 0_u64, 0_u64);
    let mut mark = Some(Mark::START);
    while let Some(after) = mark {
        let Page { rows, next } = source.export(Table::Media, after, AT_ONCE).await?;
        let parts: Vec<Vec<StatedPart>> = rows.iter().map(complete).collect::<Result<_, _>>()?;
        let parts = stream::iter(parts.concat()).map(|part| one(&disk, &bucket, part));
        let mut parts = parts.buffer_unordered(UPLOADS);
        while let Some(part) = parts.try_next().await? {
            match part {
                Part::Copied => copied += 1,
                Part::WasThere => were_there += 1,
                Part::HasNoBytes => without += 1,
            }
        }
        mark = next;
    }
    say(format!("  files: {copied} copied, {were_there} were there"));
    if without > 0 {
        say(format!(
            "  {without} files of complete media are not in the data folder: nobody could read them before either"
        ));
    }
    Ok(())
}

/// The parts of media that is complete. What was not completed is uploaded anew.
fn complete(row: &Row) -> Result<Vec<StatedPart>, StoreError> {
    let corrupt = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
    let media: MediaRow = serde_json::from_value(row.clone()).map_err(corrupt)?;
    if media.completed_at.is_none() {
        return Ok(Vec::new());
    }
    let parts: Vec<PartInfo> = serde_json::from_str(&media.parts).map_err(corrupt)?;
    let stated = parts.into_iter().map(|part| StatedPart {
        name: PartName { media_id: media.media_id, part: part.part },
        content_type: part.content_type,
        size: part.size,
    });
    Ok(stated.collect())
}

async fn one(disk: &DiskMedia, bucket: &GcsMedia, part: StatedPart) -> Result<Part, MediaError> {
    if bucket.keeps(&part).await? {
        return Ok(Part::WasThere);
    }
    let Some((mut file, size)) = disk.whole(part.name).await? else { return Ok(Part::HasNoBytes) };
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        file.read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.await.map_err(std::io::Error::other)??;
    bucket.bring(&part, bytes).await?;
    Ok(Part::Copied)
}
