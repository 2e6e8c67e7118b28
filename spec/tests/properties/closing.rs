//! The reason of a close travels as text. (WSK-13)

use i9chat_spec::{CloseCode, CloseReason};
use proptest::{option, prelude::*, sample::select};

use crate::for_any;

#[test]
fn a_reason_is_read_as_it_was_written() {
    for_any((select(CloseCode::ALL), option::of(any::<u64>())), |(code, retry_after_ms)| {
        let reason = CloseReason { code, retry_after_ms };
        let text = reason.to_string();
        prop_assert_eq!(text.parse::<CloseReason>(), Ok(reason));
        // A control frame holds no more, two bytes of it being the code.
        prop_assert!(text.len() <= 123);
        prop_assert_eq!(CloseCode::from_number(code.number()), Some(code));
        Ok(())
    });
}

#[test]
fn any_reason_is_read_or_refused() {
    for_any("([a-z_]{0,12} ){0,2}(retry_after_ms=)?.{0,20}", |text| {
        // What is read starts with the name of a code of the protocol.
        if let Ok(reason) = text.parse::<CloseReason>() {
            prop_assert!(text.starts_with(reason.code.name()));
        }
        Ok(())
    });
}
