//! Real files, as small as they may be and filled up to a size: what each type looks like from its first bytes on. (MED-15)

/// A file of that type with exactly so many bytes, if the suite can make one; another one each time.
pub fn of_type(content_type: &str, size: usize) -> Option<Vec<u8>> {
    Some(match content_type {
        "image/jpeg" => jpeg(size),
        "image/png" => png(size),
        "image/webp" => webp(size),
        "image/avif" => avif(size),
        "video/mp4" => mp4(*b"isom", size),
        "audio/mp4" => mp4(*b"M4A ", size),
        "video/webm" | "audio/webm" => webm(size),
        "audio/ogg" => ogg(size),
        "audio/aac" => aac(size),
        "audio/mpeg" => mp3(size),
        _ => return None,
    })
}

/// Bytes of no meaning.
pub fn noise(size: usize) -> Vec<u8> {
    // No first byte that could be mistaken for the beginning of something.
    (0..size).map(|at| if at < 16 { 0x01 } else { rand::random() }).collect()
}

/// So many bytes are left for filling; none when the size is too small for the file.
fn left(size: usize, taken: usize) -> usize {
    size.saturating_sub(taken)
}

/// A grey square of 8 by 8, filled up with comments.
pub fn jpeg(size: usize) -> Vec<u8> {
    const LONGEST: usize = 0xffff + 2;
    let mut before = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00".to_vec();
    // Quantisation by ones, one component, and a Huffman table of one symbol for either kind of coefficient.
    let mut after = b"\xff\xdb\x00\x43\x00".to_vec();
    after.extend([1; 64]);
    after.extend(b"\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00");
    for table in [0x00, 0x10] {
        after.extend([0xff, 0xc4, 0x00, 0x14, table, 1]);
        after.extend([0; 16]);
    }
    after.extend(b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9");
    let mut filling = left(size, before.len() + after.len());
    while filling >= 4 {
        let mut length = filling.min(LONGEST);
        if filling > length && filling - length < 4 {
            length -= 4;
        }
        before.extend(b"\xff\xfe");
        before.extend(be16(length - 2));
        before.extend(noise(length - 4));
        filling -= length;
    }
    [before, after].concat()
}

/// One black dot, filled up with a private chunk.
pub fn png(size: usize) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let body = [name.as_slice(), data].concat();
        [be32(data.len()).to_vec(), body.clone(), crc32(&body).to_be_bytes().to_vec()].concat()
    };
    file.extend(chunk(b"IHDR", b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00"));
    // Two zeros, stored without compression, with their checksum.
    let data = chunk(b"IDAT", b"\x78\x01\x01\x02\x00\xfd\xff\x00\x00\x00\x02\x00\x01");
    let end = chunk(b"IEND", b"");
    let filling = left(size, file.len() + data.len() + end.len() + 12);
    if size > file.len() + data.len() + end.len() {
        file.extend(chunk(b"fiLl", &noise(filling)));
    }
    [file, data, end].concat()
}

/// One dot, lossless, filled up with a chunk that no reader knows. The size is even.
pub fn webp(size: usize) -> Vec<u8> {
    let dot = b"VP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00";
    let filling = left(size, 12 + dot.len() + 8);
    let mut file = b"RIFF".to_vec();
    file.extend(le32(4 + dot.len() + 8 + filling));
    file.extend(b"WEBP");
    file.extend(dot);
    file.extend(b"fiLl");
    file.extend(le32(filling));
    file.extend(noise(filling));
    file
}

/// The head of an image in AV1, and free space.
pub fn avif(size: usize) -> Vec<u8> {
    iso(b"avif\x00\x00\x00\x00avifmif1miafMA1B", size)
}

/// The head of a container for sound or video, and free space.
pub fn mp4(brand: [u8; 4], size: usize) -> Vec<u8> {
    iso(&[brand.as_slice(), b"\x00\x00\x02\x00", &brand, b"isomiso2mp41mp42"].concat(), size)
}

fn iso(brands: &[u8], size: usize) -> Vec<u8> {
    let mut file = be32(8 + brands.len()).to_vec();
    file.extend(b"ftyp");
    file.extend(brands);
    let filling = left(size, file.len() + 8);
    file.extend(be32(8 + filling));
    file.extend(b"free");
    file.extend(noise(filling));
    file
}

/// The head of a container for sound or video, and a segment of nothing.
pub fn webm(size: usize) -> Vec<u8> {
    let mut file = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02".to_vec();
    // An element's size in eight bytes begins with a one.
    let long = |length: usize| [&[0x01, 0, 0, 0], be32(length).as_slice()].concat();
    let filling = left(size, file.len() + 12 + 9);
    file.extend(b"\x18\x53\x80\x67");
    file.extend(long(filling + 9));
    file.push(0xec);
    file.extend(long(filling));
    file.extend(noise(filling));
    file
}

/// A stream that says that it is Opus, and pages of no meaning.
pub fn ogg(size: usize) -> Vec<u8> {
    let serial = rand::random::<u32>();
    let page = |number: usize, flags: u8, payload: &[u8]| {
        let mut lacing = vec![0xff; payload.len() / 255];
        lacing.push(u8::try_from(payload.len() % 255).unwrap_or_default());
        let mut page = b"OggS\x00".to_vec();
        page.push(flags);
        page.extend([0; 8]);
        page.extend(serial.to_le_bytes());
        page.extend(le32(number));
        page.extend([0; 4]);
        page.push(u8::try_from(lacing.len()).unwrap_or_default());
        page.extend(lacing);
        page.extend(payload);
        let checksum = ogg_crc(&page).to_le_bytes();
        page.splice(22..26, checksum);
        page
    };
    let mut file = page(0, 2, b"OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00");
    let mut number = 1;
    while size > file.len() + 28 {
        let room = (size - file.len()).min(60_000);
        // A page of so many bytes of payload takes a byte more for each 255 of them; where none fits exactly, a small one goes first.
        let fits = (0..=room).rev().find(|payload| 28 + payload + payload / 255 == room);
        file.extend(page(number, 0, &noise(fits.unwrap_or(1))));
        number += 1;
    }
    file
}

/// Frames of sound in ADTS.
pub fn aac(size: usize) -> Vec<u8> {
    const LONGEST: usize = 8191;
    const SHORTEST: usize = 7;
    let mut file = Vec::new();
    while file.len() + SHORTEST <= size {
        let rest = size - file.len();
        let mut length = rest.min(LONGEST);
        if rest > length && rest - length < SHORTEST {
            length -= SHORTEST;
        }
        let [high, low] = be16(length);
        file.extend([0xff, 0xf1, 0x50, 0x40 | high >> 3, high << 5 | low >> 3, low << 5 | 0x1f, 0xfc]);
        file.extend(noise(length - SHORTEST));
    }
    file
}

/// A tag of ID3, filled up, and a frame of sound.
pub fn mp3(size: usize) -> Vec<u8> {
    const FRAME: usize = 417;
    let filling = left(size, 10 + FRAME);
    let mut file = b"ID3\x03\x00\x00".to_vec();
    // Seven bits to a byte.
    file.extend([21, 14, 7, 0].map(|shift| u8::try_from(filling >> shift & 0x7f).unwrap_or_default()));
    file.extend(vec![0; filling]);
    file.extend(mpeg_frame(FRAME));
    file
}

fn mpeg_frame(length: usize) -> Vec<u8> {
    let mut frame = b"\xff\xfb\x90\x00".to_vec();
    frame.extend(noise(left(length, 4)));
    frame
}

/// Frames of sound without a tag before them.
pub fn mp3_without_tag(size: usize) -> Vec<u8> {
    let mut file: Vec<u8> = (0..size / 417).flat_map(|_| mpeg_frame(417)).collect();
    file.resize(size, 0);
    file
}

fn be16(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or(u16::MAX).to_be_bytes()
}

fn be32(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes()
}

fn le32(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// The checksum of PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// The checksum of Ogg: the same polynomial the other way round, from zero.
fn ogg_crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8)
            .fold(crc ^ u32::from(*byte) << 24, |crc, _| if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 10] = [
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/avif",
        "video/mp4",
        "audio/mp4",
        "video/webm",
        "audio/ogg",
        "audio/aac",
        "audio/mpeg",
    ];

    #[test]
    fn files_have_exactly_the_size_asked_for() {
        for content_type in TYPES {
            for size in [500, 514, 1024, 2000, 70_000, 65_566, 300_000] {
                assert_eq!(of_type(content_type, size).map(|file| file.len()), Some(size), "{content_type}");
            }
        }
        assert_eq!(of_type("text/plain", 10), None);
    }

    #[test]
    fn checksums_are_those_of_the_formats() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
        assert_eq!(ogg_crc(b"123456789"), 0x89a1_897f);
    }

    #[test]
    fn two_files_are_never_the_same() {
        for content_type in TYPES {
            assert_ne!(of_type(content_type, 2000), of_type(content_type, 2000), "{content_type}");
        }
    }
}
