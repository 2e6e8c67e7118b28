use std::{fmt, str::FromStr};

/// A bucket, and with what the names in it begin: `gs://bucket` or `gs://bucket/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcsPlace {
    bucket: String,
    /// Empty, or ends with a slash.
    prefix: String,
}

/// It is no place in Cloud Storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write gs:// and the name of a bucket, which may be followed by a prefix of letters, digits, `.`, `_`, `-` and slashes, \
     such as gs://my-media or gs://my-bucket/i9chat/media"
)]
pub struct WrongPlace;

impl GcsPlace {
    /// The name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// With what the names of uploads begin that have not been completed: the bucket may delete them when they are old.
    pub fn arriving_prefix(&self) -> String {
        format!("{}arriving/", self.prefix)
    }

    /// With what the names of completed media begin.
    pub(super) fn kept_prefix(&self) -> String {
        format!("{}kept/", self.prefix)
    }
}

impl FromStr for GcsPlace {
    type Err = WrongPlace;

    fn from_str(text: &str) -> Result<Self, WrongPlace> {
        let place = text.strip_prefix("gs://").ok_or(WrongPlace)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if !is_bucket(bucket) {
            return Err(WrongPlace);
        }
        let prefix = match prefix.strip_suffix('/').unwrap_or(prefix) {
            _ if prefix.is_empty() => String::new(),
            steps if is_prefix(steps) => format!("{steps}/"),
            _ => return Err(WrongPlace),
        };
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

impl fmt::Display for GcsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gs://{}/{}", self.bucket, self.prefix)
    }
}

/// As Google names them: 3 to 63 characters, or 222 with dots.
fn is_bucket(name: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    let bytes = name.as_bytes();
    let longest = if name.contains('.') { 222 } else { 63 };
    (3..=longest).contains(&bytes.len())
        && is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes.iter().copied().all(is_inner)
}

/// Nothing that means something in a path, or would be written otherwise in a URL.
fn is_prefix(prefix: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_step = |step: &str| !["", ".", ".."].contains(&step) && step.bytes().all(is_plain);
    prefix.len() <= 256 && prefix.split('/').all(is_step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_and_perhaps_a_prefix() {
        for (text, bucket, arriving) in [
            ("gs://media", "media", "arriving/"),
            ("gs://media/", "media", "arriving/"),
            ("gs://my-media.example.com/a", "my-media.example.com", "a/arriving/"),
            ("gs://my_media/a/B-2/c.d/", "my_media", "a/B-2/c.d/arriving/"),
        ] {
            let place: GcsPlace = text.parse().unwrap();
            assert_eq!((place.bucket(), place.arriving_prefix().as_str()), (bucket, arriving), "{text}");
            assert_eq!(place.to_string().parse(), Ok(place), "{text}");
        }
    }

    #[test]
    fn nothing_else_is_a_place() {
        let long = format!("gs://{}", "a".repeat(64));
        let deep = format!("gs://media/{}", "a/".repeat(200));
        for text in [
            "",
            "media",
            "gs:/media",
            "gs://",
            "gs:///a",
            "gs://ab",
            "gs://Media",
            "gs://-media",
            "gs://media-",
            "gs://me dia",
            "gs://media//",
            "gs://media/a//b",
            "gs://media/../other",
            "gs://media/.",
            "gs://media/a b",
            "gs://media/a?b",
            "gs://media/a%2fb",
            "gs://media/é",
            "s3://media",
            "https://storage.googleapis.com/media",
            &long,
            &deep,
        ] {
            assert_eq!(text.parse::<GcsPlace>(), Err(WrongPlace), "{text}");
        }
    }
}
