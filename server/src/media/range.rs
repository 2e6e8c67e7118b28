//! The headers that name a piece of something: `Content-Range` of an upload, `Range` of a download.

/// Which bytes a `PUT` brings. (MED-9, MED-10)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentRange {
    /// `bytes */<size>`: none; how far has it got?
    Asks {
        /// The size of the whole, if it is told.
        total: Option<u64>,
    },
    /// `bytes <first>-<last>/<size>`.
    Brings {
        /// The place of the first byte, from 0.
        first: u64,
        /// The place of the last byte.
        last: u64,
        /// The size of the whole, if it is told.
        total: Option<u64>,
    },
}

impl ContentRange {
    /// Reads the header; `None` when it is of another form, or ends before it begins.
    pub fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.strip_prefix("bytes ")?.trim().split_once('/')?;
        let total = if total == "*" { None } else { Some(number(total)?) };
        if range == "*" {
            return Some(Self::Asks { total });
        }
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some(Self::Brings { first, last, total })
    }
}

/// A piece that lies within a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The place of the first byte, from 0.
    pub first: u64,
    /// The place of the last byte.
    pub last: u64,
}

impl ByteRange {
    /// How many bytes it has.
    pub fn length(self) -> u64 {
        self.last - self.first + 1
    }
}

/// What a `Range` header asks of a whole. (MED-24)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialRequest {
    /// All of it: there is no header, or one that means nothing here, such as several ranges.
    Whole,
    /// This piece.
    Piece(ByteRange),
    /// Nothing that the whole has.
    Beyond,
}

impl PartialRequest {
    /// What the header asks of a whole of that size, which is not 0.
    pub fn of(header: Option<&str>, size: u64) -> Self {
        let Some((first, last)) = header.and_then(one_range) else { return Self::Whole };
        match (first, last) {
            (Some(first), _) if first >= size => Self::Beyond,
            (Some(first), Some(last)) if last < first => Self::Whole,
            (Some(first), last) => Self::Piece(ByteRange { first, last: last.unwrap_or(u64::MAX).min(size - 1) }),
            (None, Some(0)) => Self::Beyond,
            (None, Some(length)) => Self::Piece(ByteRange { first: size.saturating_sub(length), last: size - 1 }),
            (None, None) => Self::Whole,
        }
    }
}

fn one_range(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let end = |text: &str| if text.is_empty() { Some(None) } else { number(text).map(Some) };
    Some((end(first)?, end(last)?))
}

/// Digits alone: no sign, no spaces. A number that is too large is the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_brings_bytes_or_asks() {
        let brings = |first, last, total| Some(ContentRange::Brings { first, last, total });
        for (text, range) in [
            ("bytes 0-0/1", brings(0, 0, Some(1))),
            ("bytes 5-9/10", brings(5, 9, Some(10))),
            ("bytes 5-9/*", brings(5, 9, None)),
            ("bytes */10", Some(ContentRange::Asks { total: Some(10) })),
            ("bytes */*", Some(ContentRange::Asks { total: None })),
            ("bytes 9-5/10", None),
            ("bytes 5-/10", None),
            ("bytes -5/10", None),
            ("bytes 0-4", None),
            ("bytes=0-4/5", None),
            ("items 0-4/5", None),
            ("bytes +0-4/5", None),
            ("bytes 0-4/five", None),
            ("bytes 0-99999999999999999999/5", brings(0, u64::MAX, Some(5))),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(text), range, "{text}");
        }
    }

    #[test]
    fn a_range_asks_for_a_piece_the_whole_or_what_is_not_there() {
        let piece = |first, last| PartialRequest::Piece(ByteRange { first, last });
        for (text, asked) in [
            ("bytes=0-0", piece(0, 0)),
            ("bytes=2-4", piece(2, 4)),
            ("bytes=2-", piece(2, 9)),
            ("bytes=-3", piece(7, 9)),
            ("bytes=-30", piece(0, 9)),
            ("bytes=9-30", piece(9, 9)),
            ("Bytes=0-1", piece(0, 1)),
            ("bytes=10-", PartialRequest::Beyond),
            ("bytes=10-11", PartialRequest::Beyond),
            ("bytes=99999999999999999999-", PartialRequest::Beyond),
            ("bytes=-0", PartialRequest::Beyond),
            ("bytes=4-2", PartialRequest::Whole),
            ("bytes=0-1,3-4", PartialRequest::Whole),
            ("bytes=-", PartialRequest::Whole),
            ("bytes=a-b", PartialRequest::Whole),
            ("lines=0-1", PartialRequest::Whole),
            ("", PartialRequest::Whole),
        ] {
            assert_eq!(PartialRequest::of(Some(text), 10), asked, "{text}");
        }
        assert_eq!(PartialRequest::of(None, 10), PartialRequest::Whole);
        assert_eq!(ByteRange { first: 2, last: 4 }.length(), 3);
    }
}
