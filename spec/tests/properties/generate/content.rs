//! What messages say, and the media that they show.

use i9chat_spec::{
    Attachment, Content, MediaKind, MediaPart, MediaPurpose, MediaRule, NewContent, NewVisual, PartInfo, PreviewInfo,
    Visual,
};
use proptest::{collection::vec, prelude::*, strategy::BoxedStrategy};

use super::{Generate, generate, one_of, unknown};

generate! {
    Attachment { media_id, content_type, size, preview }
    PreviewInfo { content_type, size }
    PartInfo { part, content_type, size }
    MediaRule { kind, part, required, content_types, min_bytes, max_bytes }
    NewVisual { media_id, width, height }
    Visual { media, width, height }
}

one_of! {
    MediaPurpose: MediaPurpose::ALL;
    MediaKind: MediaKind::ALL;
    MediaPart: MediaPart::ALL;
}

fn of<T: Generate>() -> BoxedStrategy<T> {
    T::any()
}

impl Generate for NewContent {
    fn any() -> BoxedStrategy<Self> {
        prop_oneof![
            of().prop_map(|text| Self::Text { text }),
            (of(), of()).prop_map(|(media_id, duration_ms)| Self::Voice { media_id, duration_ms }),
            (of(), of()).prop_map(|(items, caption)| Self::Image { items, caption }),
            (of(), of()).prop_map(|(items, caption)| Self::Video { items, caption }),
            (of(), of()).prop_map(|(media_id, title)| Self::Audio { media_id, title }),
            (of(), of()).prop_map(|(media_id, name)| Self::File { media_id, name }),
        ]
        .boxed()
    }
}

impl Generate for Content {
    fn any() -> BoxedStrategy<Self> {
        let visuals = || vec(of::<Visual>(), 1..4);
        prop_oneof![
            of().prop_map(|text| Self::Text { text }),
            (of(), of()).prop_map(|(media, duration_ms)| Self::Voice { media, duration_ms }),
            (visuals(), of()).prop_map(|(items, caption)| Self::Image { items, caption }),
            (visuals(), of()).prop_map(|(items, caption)| Self::Video { items, caption }),
            (of(), of()).prop_map(|(media, title)| Self::Audio { media, title }),
            (of(), of()).prop_map(|(media, name)| Self::File { media, name }),
            unknown("kind", &["text", "voice", "image", "video", "audio", "file"]).prop_map(Self::Unknown),
        ]
        .boxed()
    }
}
