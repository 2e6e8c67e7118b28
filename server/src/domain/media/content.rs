//! What bytes are, told by how they begin.

use i9chat_spec::{ContentType, MediaKind};

/// How many of the first bytes tell what the rest is.
pub const HEAD_BYTES: usize = 4096;

/// Whether bytes that begin so are of that type, in a part of media of that kind. Only the first [`HEAD_BYTES`] count.
/// Anything goes as a file. (MED-15)
pub fn is_of_type(kind: MediaKind, content_type: &ContentType, head: &[u8]) -> bool {
    if kind == MediaKind::File {
        return true;
    }
    match content_type.as_str() {
        "image/jpeg" => head.starts_with(b"\xff\xd8\xff"),
        "image/png" => head.starts_with(b"\x89PNG\r\n\x1a\n") && head.get(12..16) == Some(b"IHDR"),
        "image/webp" => head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"),
        "image/avif" => brands(head).is_some_and(|brands| brands.into_iter().any(is_avif)),
        // Pictures are kept in the same container, and are no MP4.
        "video/mp4" | "audio/mp4" => brands(head).is_some_and(|brands| !brands.into_iter().any(is_picture)),
        "video/webm" | "audio/webm" => document_type(head) == Some(b"webm"),
        "audio/ogg" => head.starts_with(b"OggS\0"),
        "audio/aac" => is_adts(head),
        "audio/mpeg" => is_id3(head) || is_mpeg_audio(head),
        _ => false,
    }
}

type Brand = [u8; 4];

fn is_avif(brand: Brand) -> bool {
    matches!(&brand, b"avif" | b"avis")
}

fn is_picture(brand: Brand) -> bool {
    is_avif(brand) || matches!(&brand, b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1")
}

/// The brands of an ISO base media file: the `ftyp` box, which comes first, lists one, a version, and then all of them.
fn brands(head: &[u8]) -> Option<Vec<Brand>> {
    let (size, rest) = head.split_first_chunk::<4>()?;
    let rest = rest.strip_prefix(b"ftyp")?;
    let length = usize::try_from(u32::from_be_bytes(*size)).ok()?.checked_sub(8)?;
    // A box that is cut short by the end of the head still shows its first brands.
    let list = rest.get(..length.min(rest.len()))?;
    let (major, list) = list.split_first_chunk::<4>()?;
    let compatible = list.get(4..)?.chunks_exact(4).filter_map(|brand| brand.try_into().ok());
    Some(std::iter::once(*major).chain(compatible).collect())
}

/// The `DocType` in the EBML header with which Matroska and `WebM` begin.
fn document_type(head: &[u8]) -> Option<&[u8]> {
    const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
    const DOC_TYPE: u64 = 0x4282;
    let rest = head.strip_prefix(EBML)?;
    let (length, rest) = number(rest)?;
    let mut elements = rest.get(..usize::try_from(length).ok()?.min(rest.len()))?;
    loop {
        let (id, rest) = element_id(elements)?;
        let (length, rest) = number(rest)?;
        let length = usize::try_from(length).ok()?;
        let value = rest.get(..length)?;
        if id == DOC_TYPE {
            // It may be filled up with zeros.
            return value.split(|byte| *byte == 0).next();
        }
        elements = rest.get(length..)?;
    }
}

/// A number of EBML: the zeros before its first bit say how many bytes follow.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (value, length, rest) = variable(bytes)?;
    // Without the bit that marks the length.
    Some((value & ((1 << (7 * length)) - 1), rest))
}

/// The id of an element: a number of EBML with its mark.
fn element_id(bytes: &[u8]) -> Option<(u64, &[u8])> {
    variable(bytes).map(|(value, _, rest)| (value, rest))
}

fn variable(bytes: &[u8]) -> Option<(u64, u32, &[u8])> {
    let length = bytes.first()?.leading_zeros() + 1;
    let (value, rest) = bytes.split_at_checked(usize::try_from(length).ok().filter(|length| *length <= 8)?)?;
    Some((value.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)), length, rest))
}

/// Raw AAC begins with a frame of ADTS: twelve ones, and the layer 0.
fn is_adts(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..] if second & 0xf6 == 0xf0 && (third >> 2) & 0xf < 13)
}

/// Tags before the sound, of a version that there is.
fn is_id3(head: &[u8]) -> bool {
    matches!(head, [b'I', b'D', b'3', 2..=4, _, _, a, b, c, d, ..] if (a | b | c | d) & 0x80 == 0)
}

/// A frame of MPEG audio: eleven ones, a version, a layer from 1 to 3, a bit rate and a sampling rate that there are.
fn is_mpeg_audio(head: &[u8]) -> bool {
    matches!(head, [0xff, second, third, ..]
        if second & 0xe0 == 0xe0
            && (second >> 3) & 0b11 != 0b01
            && (second >> 1) & 0b11 != 0
            && !matches!(third >> 4, 0 | 15)
            && (third >> 2) & 0b11 != 0b11)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest beginnings that count, each with the types that it counts as.
    fn samples() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
        let ftyp = |brands: &[&str]| {
            let length = u32::try_from(8 + 4 * (brands.len() + 1)).unwrap();
            let mut bytes = length.to_be_bytes().to_vec();
            bytes.extend(b"ftyp");
            bytes.extend(brands[0].as_bytes());
            bytes.extend([0; 4]);
            brands[1..].iter().for_each(|brand| bytes.extend(brand.as_bytes()));
            bytes.extend(b"\0\0\0\x08free");
            bytes
        };
        let ebml = |document_type: &str| {
            let mut elements = vec![0x42, 0x86, 0x81, 1, 0x42, 0xf7, 0x81, 1, 0x42, 0x82];
            elements.push(0x80 | u8::try_from(document_type.len()).unwrap());
            elements.extend(document_type.as_bytes());
            let mut bytes = vec![0x1a, 0x45, 0xdf, 0xa3, 0x01, 0, 0, 0, 0, 0, 0];
            bytes.push(u8::try_from(elements.len()).unwrap());
            bytes.extend(elements);
            bytes
        };
        vec![
            ("JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec(), &["image/jpeg"]),
            ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec(), &["image/png"]),
            ("WebP", b"RIFF\x24\0\0\0WEBPVP8 ".to_vec(), &["image/webp"]),
            ("AVIF", ftyp(&["avif", "mif1", "miaf"]), &["image/avif"]),
            ("AVIF that says so second", ftyp(&["mif1", "avif"]), &["image/avif"]),
            ("HEIC", ftyp(&["heic", "mif1"]), &[]),
            ("MP4", ftyp(&["isom", "iso2", "avc1", "mp41"]), &["video/mp4", "audio/mp4"]),
            ("M4A", ftyp(&["M4A ", "M4A ", "mp42"]), &["video/mp4", "audio/mp4"]),
            ("WebM", ebml("webm"), &["video/webm", "audio/webm"]),
            ("Matroska", ebml("matroska"), &[]),
            ("Ogg", b"OggS\0\x02\0\0".to_vec(), &["audio/ogg"]),
            ("AAC", vec![0xff, 0xf1, 0x50, 0x80, 0x02], &["audio/aac"]),
            ("MP3 with tags", b"ID3\x04\0\0\0\0\x0f\x76TSSE".to_vec(), &["audio/mpeg"]),
            ("MP3", vec![0xff, 0xfb, 0x90, 0x64], &["audio/mpeg"]),
            ("a page", b"<!doctype html><script>alert(1)</script>".to_vec(), &[]),
            ("SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\">".to_vec(), &[]),
            ("GIF", b"GIF89a\x01\0\x01\0".to_vec(), &[]),
            ("WAV", b"RIFF\x24\0\0\0WAVEfmt ".to_vec(), &[]),
            ("zeros", vec![0; 64], &[]),
            ("ones", vec![0xff; 64], &[]),
            ("nothing", Vec::new(), &[]),
        ]
    }

    const TYPES: &[&str] = &[
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/avif",
        "video/mp4",
        "video/webm",
        "audio/ogg",
        "audio/aac",
        "audio/webm",
        "audio/mp4",
        "audio/mpeg",
        "text/html",
    ];

    #[test]
    fn bytes_count_as_their_own_types_and_no_other() {
        for (name, bytes, right) in samples() {
            for stated in TYPES {
                let taken = is_of_type(MediaKind::Image, &stated.parse().unwrap(), &bytes);
                assert_eq!(taken, right.contains(stated), "{name} stated as {stated}");
            }
            assert!(is_of_type(MediaKind::File, &"text/html".parse().unwrap(), &bytes), "{name} as a file");
        }
    }

    #[test]
    fn bytes_that_end_early_are_of_no_type_and_break_nothing() {
        for (name, bytes, _) in samples() {
            for end in 0..bytes.len().min(3) {
                for stated in TYPES {
                    assert!(
                        !is_of_type(MediaKind::Image, &stated.parse().unwrap(), &bytes[..end]),
                        "{end} bytes of {name} stated as {stated}"
                    );
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_anything(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64), start in 0..8_usize) {
            let beginnings: [&[u8]; 8] =
                [b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\x20ftyp", b"\xff\xff\xff\xffftyp", b"\0\0\0\0ftyp", b"RIFF", b"ID3", b"\x89PNG"];
            let bytes = [beginnings[start], &bytes].concat();
            for stated in TYPES {
                // Any answer will do: it is about coming back.
                std::hint::black_box(is_of_type(MediaKind::Video, &stated.parse().unwrap(), &bytes));
            }
        }
    }
}
