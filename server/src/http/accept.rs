use axum::http::{HeaderMap, header};
use i9chat_spec::Format;

/// The encoding that a caller prefers; `None` when they take neither. (CNV-3)
pub(super) fn negotiate(headers: &HeaderMap) -> Option<Format> {
    if !headers.contains_key(header::ACCEPT) {
        return Some(Format::Json);
    }
    let ranges = ranges(headers);
    let (json, messagepack) = (quality(&ranges, Format::Json), quality(&ranges, Format::MessagePack));
    match () {
        () if json == 0 && messagepack == 0 => None,
        () if messagepack > json => Some(Format::MessagePack),
        () => Some(Format::Json),
    }
}

/// The encoding that a caller asks for by its name; the better one of both. (MED-22)
pub(super) fn named_format(headers: &HeaderMap) -> Option<Format> {
    let ranges = ranges(headers);
    let named = |format: Format| {
        let qualities = ranges.iter().filter(|range| range.name == format.media_type()).map(|range| range.quality);
        qualities.max().unwrap_or(0)
    };
    match (named(Format::Json), named(Format::MessagePack)) {
        (0, 0) => None,
        (json, messagepack) if messagepack > json => Some(Format::MessagePack),
        _ => Some(Format::Json),
    }
}

fn ranges(headers: &HeaderMap) -> Vec<Range> {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(Range::of)
        .collect()
}

struct Range {
    /// `type/subtype`, in lower case.
    name: String,
    /// From 0 to 1000.
    quality: u16,
}

impl Range {
    fn of(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next()?.to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = match quality {
            Some(quality) => thousandths(quality)?,
            None => 1000,
        };
        (!name.is_empty()).then_some(Self { name, quality })
    }
}

fn thousandths(text: &str) -> Option<u16> {
    let quality: f32 = text.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is from 0 to 1000")]
    Some((quality * 1000.0).round() as u16)
}

/// The quality of the most specific range that holds the encoding's type; problems are as good as what they replace.
fn quality(ranges: &[Range], format: Format) -> u16 {
    let names = [format.media_type(), format.problem_type()];
    let of = |wanted: &dyn Fn(&str) -> bool| {
        ranges.iter().filter(|range| wanted(&range.name)).map(|range| range.quality).max()
    };
    of(&|name| name == names[0])
        .or_else(|| of(&|name| name == names[1]))
        .or_else(|| of(&|name| name == "application/*"))
        .or_else(|| of(&|name| name == "*/*"))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_gets_what_they_prefer() {
        let cases = [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("application/json", Some(Format::Json)),
            ("application/vnd.msgpack", Some(Format::MessagePack)),
            ("application/vnd.msgpack, application/json;q=0.9", Some(Format::MessagePack)),
            ("application/vnd.msgpack;q=0.5, application/json", Some(Format::Json)),
            ("application/vnd.msgpack;q=0.5, */*;q=0.1", Some(Format::MessagePack)),
            ("application/json;q=0, */*", Some(Format::MessagePack)),
            ("application/problem+json", Some(Format::Json)),
            ("text/html, application/*;q=0.8", Some(Format::Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=nonsense", None),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            if !accept.is_empty() {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(negotiate(&headers), expected, "{accept}");
        }
    }

    #[test]
    fn an_encoding_is_asked_for_by_its_name_alone() {
        let cases = [
            ("application/json", Some(Format::Json)),
            ("*/*, application/json;q=0.1", Some(Format::Json)),
            ("image/webp, application/vnd.msgpack;q=0.1", Some(Format::MessagePack)),
            ("application/vnd.msgpack;q=0.5, */*", Some(Format::MessagePack)),
            ("application/vnd.msgpack;q=0.5, application/json", Some(Format::Json)),
            ("application/vnd.msgpack, application/json;q=0.5", Some(Format::MessagePack)),
            ("application/vnd.msgpack, application/json", Some(Format::Json)),
            ("APPLICATION/JSON", Some(Format::Json)),
            ("application/json;q=0", None),
            ("application/*", None),
            ("*/*", None),
            ("image/avif,image/webp,*/*;q=0.8", None),
            ("application/problem+json", None),
            ("", None),
        ];
        for (accept, expected) in cases {
            let headers = [(header::ACCEPT, accept.parse().unwrap())].into_iter().collect();
            assert_eq!(named_format(&headers), expected, "{accept}");
        }
    }
}
