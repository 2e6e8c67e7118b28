use object_store::{Attribute, Error, GetOptions, GetRange, ObjectStore, path::Path};

use crate::{domain::media::HEAD_BYTES, media::StatedPart};

/// What the bucket says of an object.
#[derive(Debug)]
pub(super) struct Object {
    /// In bytes.
    pub(super) size: u64,
    content_type: Option<String>,
    is_encoded: bool,
}

impl Object {
    /// `None` when there is no such object.
    pub(super) async fn look_up(bucket: &impl ObjectStore, name: &Path) -> Result<Option<Self>, Error> {
        let found = match bucket.get_opts(name, GetOptions { head: true, ..GetOptions::default() }).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let said = |attribute| found.attributes.get(&attribute).map(|value| value.to_string());
        Ok(Some(Self {
            size: found.meta.size,
            content_type: said(Attribute::ContentType),
            is_encoded: said(Attribute::ContentEncoding).is_some(),
        }))
    }

    /// Whether it is what was stated, bytes that are to be decoded excluded.
    pub(super) fn is(&self, part: &StatedPart) -> bool {
        self.size == part.size && self.content_type.as_deref() == Some(part.content_type.as_str()) && !self.is_encoded
    }
}

/// The first bytes of an object that is not empty.
pub(super) async fn head(bucket: &impl ObjectStore, name: &Path) -> Result<Vec<u8>, Error> {
    let range = Some(GetRange::Bounded(0..HEAD_BYTES as u64));
    let found = bucket.get_opts(name, GetOptions { range, ..GetOptions::default() }).await?;
    Ok(found.bytes().await?.to_vec())
}
