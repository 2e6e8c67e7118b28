//! Text: the bounds are exact, and the published schema takes what the parser takes. (CNV-9)

use std::{fmt::Debug, str::FromStr};

use i9chat_spec::{
    Bio, Caption, Code, ContentType, Cursor, EmailAddress, Epoch, Example, FileName, Format, FrameId, GroupDescription,
    GroupName, Login, MediaTitle, MessageText, Password, RefreshToken, RequestId, Ticket, Token, Username,
    text::TextError,
};
use proptest::{collection::vec, prelude::*};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{for_any, generate::Generate, published};

/// Whether text is taken, asked in every way there is.
struct Rules {
    name: String,
    schema: jsonschema::Validator,
    parse: fn(&str) -> bool,
    decode: fn(&str) -> bool,
    keep: fn(&str) -> String,
}

impl Rules {
    fn of<T>() -> Self
    where
        T: FromStr<Err = TextError> + JsonSchema + Serialize + DeserializeOwned + AsRef<str>,
    {
        Self {
            name: published::name_of::<T>(),
            schema: jsonschema::draft202012::new(schemars::schema_for!(T).as_value()).unwrap(),
            parse: |text| text.parse::<T>().is_ok(),
            decode: |text| {
                let json = serde_json::from_value::<T>(json!(text)).is_ok();
                let messagepack = rmp_serde::from_slice::<T>(&rmp_serde::to_vec(text).unwrap()).is_ok();
                assert_eq!(json, messagepack, "{text:?}");
                json
            },
            keep: |text| text.parse::<T>().unwrap().as_ref().to_owned(),
        }
    }

    /// Whether the text is taken; everyone has to agree.
    fn take(&self, text: &str) -> bool {
        let taken = (self.parse)(text);
        assert_eq!((self.decode)(text), taken, "the decoder on {} {text:?}", self.name);
        assert_eq!(self.schema.is_valid(&json!(text)), taken, "the schema of {} on {text:?}", self.name);
        if taken {
            assert_eq!((self.keep)(text), text, "text is kept as it was sent");
        }
        taken
    }
}

fn all() -> [Rules; 20] {
    [
        Rules::of::<Username>(),
        Rules::of::<EmailAddress>(),
        Rules::of::<Login>(),
        Rules::of::<Password>(),
        Rules::of::<Bio>(),
        Rules::of::<MessageText>(),
        Rules::of::<Code>(),
        Rules::of::<Ticket>(),
        Rules::of::<Token>(),
        Rules::of::<RefreshToken>(),
        Rules::of::<Cursor>(),
        Rules::of::<Epoch>(),
        Rules::of::<RequestId>(),
        Rules::of::<FrameId>(),
        Rules::of::<Caption>(),
        Rules::of::<MediaTitle>(),
        Rules::of::<FileName>(),
        Rules::of::<GroupName>(),
        Rules::of::<GroupDescription>(),
        Rules::of::<ContentType>(),
    ]
}

fn bounds_are_exact<T>(min: usize, max: usize, fill: char)
where
    T: FromStr<Err = TextError> + JsonSchema + Serialize + DeserializeOwned + AsRef<str>,
{
    let rules = Rules::of::<T>();
    let text = |length| fill.to_string().repeat(length);
    if let Some(fewer) = min.checked_sub(1) {
        assert!(!rules.take(&text(fewer)), "{} of {fewer} {fill:?}", rules.name);
    }
    assert!(rules.take(&text(min)), "{} of {min} {fill:?}", rules.name);
    assert!(rules.take(&text(max)), "{} of {max} {fill:?}", rules.name);
    assert!(!rules.take(&text(max + 1)), "{} of {} {fill:?}", rules.name, max + 1);
}

#[test]
fn lengths_of_free_text_are_counted_in_scalar_values() {
    // One, two, three and four bytes; a combining mark counts for itself.
    for fill in ['a', 'é', '中', '😀', '\u{301}', '\n'] {
        bounds_are_exact::<Login>(1, 254, fill);
        bounds_are_exact::<Password>(8, 128, fill);
        bounds_are_exact::<Bio>(0, 150, fill);
        bounds_are_exact::<MessageText>(1, 4096, fill);
        bounds_are_exact::<FrameId>(1, 64, fill);
        bounds_are_exact::<Caption>(1, 1024, fill);
        bounds_are_exact::<MediaTitle>(1, 200, fill);
        bounds_are_exact::<GroupDescription>(0, 500, fill);
    }
    for fill in ['a', 'é', '中', '😀', '\u{301}'] {
        bounds_are_exact::<FileName>(1, 255, fill);
        bounds_are_exact::<GroupName>(1, 100, fill);
    }
}

#[test]
fn lengths_of_text_with_a_pattern_are_exact() {
    bounds_are_exact::<Username>(3, 30, 'a');
    bounds_are_exact::<Code>(6, 6, '7');
    bounds_are_exact::<Ticket>(1, 128, 'a');
    bounds_are_exact::<Token>(1, 2048, 'a');
    bounds_are_exact::<RefreshToken>(1, 256, 'a');
    bounds_are_exact::<Cursor>(1, 128, 'a');
    bounds_are_exact::<Epoch>(1, 64, 'a');
    bounds_are_exact::<RequestId>(1, 64, 'a');

    let address = Rules::of::<EmailAddress>();
    let of_length = |length: usize| format!("{}@{}", "a".repeat(length - 5), "b.cd");
    assert!(!address.take(&of_length(5)));
    assert!(address.take(&of_length(6)));
    assert!(address.take(&of_length(254)));
    assert!(!address.take(&of_length(255)));

    let media_type = Rules::of::<ContentType>();
    assert!(!media_type.take("a/"));
    assert!(media_type.take("a/b"));
    assert!(media_type.take(&format!("a/{}", "b".repeat(125))));
    assert!(!media_type.take(&format!("a/{}", "b".repeat(126))));
}

#[test]
fn names_and_addresses_have_their_form() {
    let username = Rules::of::<Username>();
    for name in ["abc", "A.b", "a-_.b", "123", "a..b"] {
        assert!(username.take(name), "{name}");
    }
    for name in ["-ab", "ab-", ".ab", "ab_", "a b", "äbc", "abc\n", "\nabc", "ab\0", "abc ", "ab@c"] {
        assert!(!username.take(name), "{name:?}");
    }
    let address = Rules::of::<EmailAddress>();
    for text in ["a@b.co", "A.b+c@sub.example.org", "o'brien@example.com", "x@1.example"] {
        assert!(address.take(text), "{text}");
    }
    for text in [
        "a@b", "@b.co", "a@.co", "a@b..co", ".a@b.co", "a.@b.co", "a@-b.co", "a@b-.co", "a b@c.de", "a@b.co\n",
        "a@b.c", "ä@b.co", "a@b@c.de",
    ] {
        assert!(!address.take(text), "{text:?}");
    }
}

#[test]
fn a_group_has_a_name_that_is_seen_on_one_line() {
    let name = Rules::of::<GroupName>();
    for right in [
        " a ",
        "  .",
        "\u{a0}a",
        "\u{2003}é\u{3000}",
        "👨\u{200d}👩\u{200d}👧",
        "\u{202e}cba",
        "\u{200b}",
        "\u{ad}",
        "\u{feff}",
        "\u{301}",
    ] {
        assert!(name.take(right), "{right:?}");
    }
    // Nothing but white space, however wide.
    for wrong in [" ", "   ", "\u{a0}", "\u{1680}", "\u{2000}\u{200a}", "\u{202f}", "\u{205f}", "\u{3000} "] {
        assert!(!name.take(wrong), "{wrong:?}");
    }
    // What breaks a line, and control characters of both ranges up to their last.
    for stray in [
        '\t', '\n', '\r', '\u{b}', '\u{c}', '\u{1}', '\u{1f}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{2028}',
        '\u{2029}',
    ] {
        for wrong in [format!("a{stray}b"), format!("{stray}ab"), format!("ab{stray}")] {
            assert!(!name.take(&wrong), "{wrong:?}");
        }
    }
    for neighbour in [' ', '~', '\u{a0}', '\u{2027}', '\u{202a}'] {
        assert!(name.take(&format!("a{neighbour}b")), "{neighbour:?}");
    }
}

#[test]
fn the_name_of_a_file_is_no_path() {
    let name = Rules::of::<FileName>();
    for right in ["minutes.pdf", "..", "...", " ", "C:", "a:b", "-rf", "%2e%2e%2f", "\u{202e}fdp.exe", "\u{80}"] {
        assert!(name.take(right), "{right:?}");
    }
    for wrong in ["../passwd", "a/b", "/", "\\", "a\\b", "a\nb", "a\0", "\u{1f}", "\u{7f}", "\t"] {
        assert!(!name.take(wrong), "{wrong:?}");
    }
}

#[test]
fn a_media_type_has_two_names_and_nothing_else() {
    let media_type = Rules::of::<ContentType>();
    for right in ["image/jpeg", "application/vnd.ms-excel", "application/x-7z_compressed", "a/b+c", "1/2", "a/b!#$&^"] {
        assert!(media_type.take(right), "{right}");
    }
    for wrong in [
        "image",
        "image/",
        "/jpeg",
        "image/jpeg/x",
        "Image/jpeg",
        "image/JPEG",
        "image/jpeg; charset=utf-8",
        "*/*",
        "image/*",
        " image/jpeg",
        "image/jpeg\n",
        ".a/b",
        "a/.b",
        "a/b c",
        "a/b\u{e9}",
    ] {
        assert!(!media_type.take(wrong), "{wrong:?}");
    }
}

#[test]
fn nul_is_refused_everywhere() {
    for rules in all() {
        for text in ["\0", "a\0", "\0a", "aaaaaaaa\0aaaa", "123456\0"] {
            assert!(!rules.take(text), "{} {text:?}", rules.name);
        }
    }
}

#[test]
fn schema_and_parser_agree_on_any_text() {
    for rules in all() {
        for_any(".{0,40}", |text| {
            rules.take(&text);
            Ok(())
        });
        for_any(vec(any::<char>(), 0..40), |text| {
            rules.take(&String::from_iter(text));
            Ok(())
        });
    }
}

#[test]
fn schema_and_parser_agree_on_near_misses() {
    // Characters that the patterns speak of, and their neighbours.
    for rules in all() {
        for_any("[ -~\n\0\u{80}é]{0,3}[a-z0-9_.@-]{0,35}[ -~\n\0é]{0,2}", |text| {
            rules.take(&text);
            Ok(())
        });
    }
    near_misses::<Username>();
    near_misses::<EmailAddress>();
    near_misses::<Code>();
    near_misses::<Ticket>();
    near_misses::<Token>();
    near_misses::<RefreshToken>();
    near_misses::<Cursor>();
    near_misses::<Epoch>();
    near_misses::<RequestId>();
    near_misses::<FileName>();
    near_misses::<GroupName>();
    near_misses::<ContentType>();
}

/// A right text with one character changed, taken out or put in.
fn near_misses<T>()
where
    T: FromStr<Err = TextError> + JsonSchema + Serialize + DeserializeOwned + AsRef<str> + Generate + Debug,
{
    let rules = Rules::of::<T>();
    let stray = prop_oneof![proptest::char::range(' ', '~'), Just('\n'), Just('\0'), Just('\u{7f}'), any::<char>()];
    for_any((T::any(), any::<proptest::sample::Index>(), stray, 0..3), |(right, at, stray, what)| {
        assert!(rules.take(right.as_ref()));
        let mut text: Vec<char> = right.as_ref().chars().collect();
        let at = at.index(text.len());
        match what {
            0 => text[at] = stray,
            1 => text.insert(at, stray),
            _ => drop(text.remove(at)),
        }
        rules.take(&String::from_iter(text));
        Ok(())
    });
}

#[test]
fn the_key_of_a_name_or_address_ignores_its_case() {
    for_any(Username::any(), |name| {
        prop_assert_eq!(name.key(), name.as_str().to_uppercase().parse::<Username>().unwrap().key());
        Ok(())
    });
    for_any(EmailAddress::any(), |address| {
        prop_assert_eq!(address.key(), address.as_str().to_uppercase().parse::<EmailAddress>().unwrap().key());
        Ok(())
    });
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    fn hides<T: Debug + AsRef<str> + Example>() {
        let secret = T::example();
        assert!(!format!("{secret:?}").contains(secret.as_ref()));
    }
    hides::<EmailAddress>();
    hides::<Login>();
    hides::<Password>();
    hides::<MessageText>();
    hides::<Code>();
    hides::<Ticket>();
    hides::<Token>();
    hides::<RefreshToken>();
    hides::<Caption>();
    hides::<MediaTitle>();
    hides::<FileName>();
}

#[test]
fn text_is_no_number_and_no_bytes() {
    for format in Format::ALL {
        let bytes = format.encode(&json!({ "email": 7 })).unwrap();
        assert!(format.decode::<i9chat_spec::api::signup::NewSignup>(&bytes).is_err());
    }
    // MessagePack's bytes are not its text, even where they would be readable as such.
    assert!(rmp_serde::from_slice::<Username>(b"\xc4\x05alice").is_err());
    assert!(rmp_serde::from_slice::<Username>(b"\xa5alice").is_ok());
}
