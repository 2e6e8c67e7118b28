//! The frames of RFC 6455, as a client reads and writes them.

use super::{LoadError, unexpected};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Close,
    Ping,
    Pong,
}

impl Kind {
    const fn opcode(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }
}

/// The last frame of a message.
const FINAL: u8 = 0x80;
/// The payload is masked; in the byte of its length.
const MASKED: u8 = 0x80;
/// In the byte of the length: two more bytes hold it, or eight.
const IN_TWO_BYTES: u8 = 0x7e;
const IN_EIGHT_BYTES: u8 = 0x7f;

/// Where the payload of the first frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) kind: Kind,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Finds the first frame of bytes; none where it is not whole.
pub(super) fn cut(bytes: &[u8]) -> Result<Option<Cut>, LoadError> {
    let Some(([first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let kind = match *first {
        0x81 => Kind::Text,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8a => Kind::Pong,
        _ => return Err(unexpected("a frame came that is neither whole text nor a control frame")),
    };
    if second & MASKED != 0 {
        return Err(unexpected("a server masked a frame"));
    }
    let (from, length) = match second {
        &IN_TWO_BYTES => match rest.first_chunk() {
            Some(length) => (4, u64::from(u16::from_be_bytes(*length))),
            None => return Ok(None),
        },
        &IN_EIGHT_BYTES => match rest.first_chunk() {
            Some(length) => (10, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        length => (2, u64::from(*length)),
    };
    let to = usize::try_from(length).ok().and_then(|length| length.checked_add(from));
    let to = to.ok_or_else(|| unexpected("a frame is longer than the memory"))?;
    Ok((to <= bytes.len()).then_some(Cut { kind, from, to }))
}

/// Writes a frame as a client does: masked, here with a mask of zeros, which changes nothing. A mask keeps what a page
/// makes a browser send from looking like something else to what stands between; nothing stands between here.
pub(super) fn write(kind: Kind, payload: &[u8], into: &mut Vec<u8>) {
    into.push(FINAL | kind.opcode());
    let length = payload.len();
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < IN_TWO_BYTES => into.push(MASKED | length),
        (_, Ok(length)) => {
            into.push(MASKED | IN_TWO_BYTES);
            into.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            into.push(MASKED | IN_EIGHT_BYTES);
            into.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    into.extend_from_slice(&[0; 4]);
    into.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_only_when_it_is_whole() {
        for length in [0_usize, 1, 125, 126, 65_535, 65_536] {
            let mut bytes = Vec::new();
            write(Kind::Text, &vec![b'x'; length], &mut bytes);
            // As a server sends it: without mask.
            let header = bytes.len() - length - 4;
            bytes.drain(header..header + 4);
            bytes[1] &= !MASKED;
            let whole = Cut { kind: Kind::Text, from: header, to: header + length };
            assert_eq!(cut(&bytes).unwrap(), Some(whole), "{length}");
            for end in 0..=header {
                let part = bytes.get(..end).filter(|part| part.len() < bytes.len());
                assert!(part.is_none_or(|part| cut(part).unwrap().is_none()), "{length} up to {end}");
            }
            assert_eq!(cut(&bytes[..bytes.len() - usize::from(length > 0)]).unwrap().is_some(), length == 0);
            bytes.push(0x81);
            assert_eq!(cut(&bytes).unwrap(), Some(whole));
        }
    }

    #[test]
    fn what_no_server_of_the_protocol_sends_is_refused() {
        for bytes in [[0x82, 0], [0x01, 0], [0x80, 0], [0xc1, 0], [0x81, 0x80]] {
            assert!(cut(&bytes).is_err(), "{bytes:x?}");
        }
        assert!(cut(&[0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
