//! What the local upload and download URLs hold: permissions, sealed with the server's key.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use i9chat_spec::{MediaId, MediaPart, Timestamp, UserId};
use uuid::Uuid;

use super::{PartName, StatedPart, UploadTimes};
use crate::auth::keys::ServerKey;

const SEAL_BYTES: usize = 32;
/// Kind, part, media id, user id, size, two times and the session.
const FIXED_BYTES: usize = 1 + 1 + 16 + 16 + 8 + 8 + 8 + 8;

/// What the holder of a URL may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionKind {
    /// Start an upload. (MED-8)
    Start,
    /// Send the bytes of an upload, or ask how far it got. (MED-9, MED-10)
    Send {
        /// Tells one start of the upload of a part from another.
        session: u64,
    },
    /// Read the bytes. (MED-24)
    Read {
        /// Whether they are offered for saving only. (MED-25)
        is_attachment: bool,
    },
}

/// What a URL that this server made says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// What may be done.
    pub kind: PermissionKind,
    /// With what.
    pub part: StatedPart,
    /// For whom it was made: whose requests these are.
    pub user_id: UserId,
    /// Until when.
    pub until: Timestamp,
    /// Until when what it leads to may go on: for [`PermissionKind::Start`] the end of the upload, otherwise the same as `until`.
    pub until_in_the_end: Timestamp,
}

/// Writes permissions into URLs, and reads them out again when nobody altered them.
#[derive(Debug)]
pub struct MediaUrls(hmac::Key);

impl MediaUrls {
    /// URLs that hold with this server's key.
    pub fn new(key: &ServerKey) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key.derive("media urls")))
    }

    /// The permission to start an upload.
    pub fn start(&self, part: &StatedPart, user_id: UserId, times: UploadTimes) -> String {
        let kind = PermissionKind::Start;
        let part = part.clone();
        self.seal(&Permission { kind, part, user_id, until: times.start_until, until_in_the_end: times.until })
    }

    /// The permission to send the bytes of an upload that was started.
    pub fn send(&self, started: Permission, session: u64) -> String {
        let until = started.until_in_the_end;
        self.seal(&Permission { kind: PermissionKind::Send { session }, until, ..started })
    }

    /// The permission to read the bytes of a part.
    pub fn read(&self, part: &StatedPart, is_attachment: bool, user_id: UserId, until: Timestamp) -> String {
        let kind = PermissionKind::Read { is_attachment };
        self.seal(&Permission { kind, part: part.clone(), user_id, until, until_in_the_end: until })
    }

    fn seal(&self, permission: &Permission) -> String {
        let (kind, session) = match permission.kind {
            PermissionKind::Start => (b's', 0),
            PermissionKind::Send { session } => (b'w', session),
            PermissionKind::Read { is_attachment: false } => (b'r', 0),
            PermissionKind::Read { is_attachment: true } => (b'a', 0),
        };
        let part = &permission.part;
        let mut bytes = vec![kind, letter(part.name.part)];
        bytes.extend(part.name.media_id.as_uuid().as_bytes());
        bytes.extend(permission.user_id.as_uuid().as_bytes());
        bytes.extend(part.size.to_be_bytes());
        bytes.extend(permission.until.as_millis().to_be_bytes());
        bytes.extend(permission.until_in_the_end.as_millis().to_be_bytes());
        bytes.extend(session.to_be_bytes());
        bytes.extend(part.content_type.as_str().as_bytes());
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend(tag.as_ref());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a URL of this server says, whether or not it has run out; `None` when this server did not make it.
    pub fn open(&self, text: &str) -> Option<Permission> {
        // Longer than any: nothing to decode.
        if text.len() > 512 {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (bytes, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
        hmac::verify(&self.0, bytes, seal).ok()?;
        let (fixed, content_type) = bytes.split_first_chunk::<FIXED_BYTES>()?;
        let mut reader = Reader(fixed);
        let [kind, part] = reader.take()?;
        let media_id = MediaId::from_uuid(Uuid::from_bytes(reader.take()?));
        let user_id = UserId::from_uuid(Uuid::from_bytes(reader.take()?));
        let size = u64::from_be_bytes(reader.take()?);
        let until = Timestamp::from_millis(i64::from_be_bytes(reader.take()?));
        let until_in_the_end = Timestamp::from_millis(i64::from_be_bytes(reader.take()?));
        let session = u64::from_be_bytes(reader.take()?);
        let kind = match kind {
            b's' => PermissionKind::Start,
            b'w' => PermissionKind::Send { session },
            b'r' => PermissionKind::Read { is_attachment: false },
            b'a' => PermissionKind::Read { is_attachment: true },
            _ => return None,
        };
        let name = PartName { media_id, part: part_of(part)? };
        let content_type = std::str::from_utf8(content_type).ok()?.parse().ok()?;
        Some(Permission { kind, part: StatedPart { name, content_type, size }, user_id, until, until_in_the_end })
    }
}

/// Takes arrays from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
}

fn letter(part: MediaPart) -> u8 {
    match part {
        MediaPart::Original => b'o',
        MediaPart::Preview => b'p',
        MediaPart::Small => b's',
        MediaPart::Medium => b'm',
        MediaPart::Large => b'l',
        MediaPart::Unknown => b'?',
    }
}

fn part_of(letter: u8) -> Option<MediaPart> {
    MediaPart::ALL.iter().copied().find(|part| self::letter(*part) == letter)
}

#[cfg(test)]
mod tests {
    use i9chat_spec::Example;

    use super::*;
    use crate::ids::SystemIds;

    fn part() -> StatedPart {
        let name = PartName { media_id: MediaId::example(), part: MediaPart::Preview };
        StatedPart { name, content_type: "image/png".parse().unwrap(), size: 5000 }
    }

    fn permissions(urls: &MediaUrls) -> [String; 4] {
        let at = Timestamp::from_millis;
        let (user, times) = (UserId::example(), UploadTimes { start_until: at(10), until: at(20) });
        let start = urls.start(&part(), user, times);
        let send = urls.send(urls.open(&start).unwrap(), 7);
        [start, send, urls.read(&part(), false, user, at(30)), urls.read(&part(), true, user, at(30))]
    }

    #[test]
    fn a_permission_comes_back_as_it_was_given() {
        let urls = MediaUrls::new(&ServerKey::generate(&SystemIds));
        let opened = permissions(&urls).map(|text| urls.open(&text).unwrap());
        let kinds = [
            (PermissionKind::Start, 10),
            (PermissionKind::Send { session: 7 }, 20),
            (PermissionKind::Read { is_attachment: false }, 30),
            (PermissionKind::Read { is_attachment: true }, 30),
        ];
        for (permission, (kind, until)) in opened.into_iter().zip(kinds) {
            assert_eq!(permission.kind, kind);
            assert_eq!(permission.until.as_millis(), until);
            assert_eq!((permission.part, permission.user_id), (part(), UserId::example()));
        }
    }

    #[test]
    fn whatever_is_altered_opens_nothing() {
        let urls = MediaUrls::new(&ServerKey::generate(&SystemIds));
        let other = MediaUrls::new(&ServerKey::generate(&SystemIds));
        for text in permissions(&urls) {
            assert!(other.open(&text).is_none(), "another server's");
            for place in 0..text.len() {
                let mut altered = text.clone().into_bytes();
                altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
                assert!(urls.open(std::str::from_utf8(&altered).unwrap()).is_none(), "{place}");
                assert!(urls.open(&text[..place]).is_none(), "cut at {place}");
            }
            assert!(urls.open(&format!("{text}A")).is_none());
        }
        for nonsense in ["", "A", "../../etc/passwd", "%00", &"A".repeat(10_000)] {
            assert!(urls.open(nonsense).is_none());
        }
    }
}
