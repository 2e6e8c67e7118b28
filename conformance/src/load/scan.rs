//! Frames of a flood, looked at no more than is needed: where a mark stands, and which `seq` its entry has.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::wire::{MARK, Mark};

/// Finds the messages of one run in frames.
pub(super) struct Scanner {
    run: u32,
    mark: Finder<'static>,
}

static SEQ: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"seq\":"));

impl Scanner {
    pub(super) fn new(run: u32) -> Self {
        Self { run, mark: Finder::new(&Mark::start(run)).into_owned() }
    }

    /// The `seq` and the mark of a message of this run; none where the frame is anything else.
    ///
    /// It takes what looks like a message of the run for one. Only texts of the run hold its mark, and the frames are
    /// held against a whole reading now and then.
    pub(super) fn find(&self, frame: &[u8]) -> Option<(u64, Mark)> {
        let mark = frame.get(self.mark.find(frame)? + MARK.len() + 1 + 8 + 1..)?;
        let (sender, rest) = digits(mark)?;
        let (number, _) = digits(rest.strip_prefix(b"-")?)?;
        let (seq, _) = digits(frame.get(SEQ.find(frame)? + SEQ.needle().len()..)?)?;
        Some((seq, Mark { run: self.run, sender: u32::try_from(sender).ok()?, number }))
    }
}

/// The number that bytes start with, and what follows it.
fn digits(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    let mut length = 0;
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        length += 1;
    }
    if length == 0 { None } else { Some((number, bytes.get(length..)?)) }
}

#[cfg(test)]
mod tests {
    use i9chat_spec::{Content, Event, EventFrame, Example, Format, ServerFrame, event::MessageCreated};

    use super::*;
    use crate::load::wire::{self, Frame};

    fn event(text: &str) -> String {
        let mut created = MessageCreated::example();
        created.message.content = Content::Text { text: text.parse().unwrap() };
        let frame = ServerFrame::Event(EventFrame { event: Event::MessageCreated(created), ..EventFrame::example() });
        String::from_utf8(Format::Json.encode(&frame).unwrap()).unwrap()
    }

    #[test]
    fn a_scan_finds_what_a_whole_reading_finds() {
        let mark = Mark { run: 0xabc, sender: 12, number: 7_654_321 };
        let frame = event(&mark.text());
        assert_eq!(Scanner::new(0xabc).find(frame.as_bytes()), Some((42, mark)));
        assert_eq!(wire::read(&frame), Some(Frame::Message { seq: 42, mark: Some(mark) }));
    }

    #[test]
    fn what_is_not_of_the_run_is_left_to_the_whole_reading() {
        let mark = Mark { run: 0xabc, sender: 12, number: 7 };
        assert_eq!(Scanner::new(0xabd).find(event(&mark.text()).as_bytes()), None);
        let scanner = Scanner::new(0xabc);
        for frame in [
            event("Hello"),
            event("i9load-00000abc-"),
            event("i9load-00000abc-1"),
            event("i9load-00000abc-x-1"),
            event("i9load-00000abc-99999999999999999999999-1"),
            r#"{"type":"reply","id":"7","data":{"seq":3}}"#.to_owned(),
            String::new(),
        ] {
            assert_eq!(scanner.find(frame.as_bytes()), None, "{frame}");
        }
    }
}
