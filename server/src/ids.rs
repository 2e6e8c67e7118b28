//! Ids and random numbers, handed in so that tests decide them.

use i9chat_spec::{MessageId, Seq, Timestamp};
use rand::Rng;
use uuid::Uuid;

/// Makes ids and secrets.
pub trait Ids: Send + Sync + 'static {
    /// Fills the bytes with random ones that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);

    /// An id of version 7 for a moment.
    fn uuid(&self, at: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(at.as_millis().unsigned_abs(), &random).into_uuid()
    }

    /// The id of the message at a place of its chat.
    ///
    /// The 34 bits before the last 40 are random and the last 40 hold the `seq`, so that a message is found by its id
    /// through the index of `(chat, seq)`, and the log needs no index of its own for ids. Ids are only ever
    /// looked up together with their chat, in which the `seq` is unique.
    fn message_id(&self, at: Timestamp, seq: Seq) -> MessageId {
        let mut random = [0; 10];
        self.fill(&mut random);
        let seq = seq.get().to_be_bytes();
        random[5..].copy_from_slice(&seq[3..]);
        MessageId::from_uuid(
            uuid::Builder::from_unix_timestamp_millis(at.as_millis().unsigned_abs(), &random).into_uuid(),
        )
    }

    /// A random number from 1 to 2^63 - 1.
    fn tag(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        (u64::from_be_bytes(bytes) >> 1).max(1)
    }
}

/// The `seq` that a message id holds; see [`Ids::message_id`].
pub fn seq_of(id: MessageId) -> Option<Seq> {
    let bytes = id.as_uuid().as_bytes();
    let mut seq = [0; 8];
    seq[3..].copy_from_slice(&bytes[11..]);
    u64::from_be_bytes(seq).try_into().ok()
}

/// Random numbers of the operating system, through a generator that is reseeded from it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_of_version_7_and_leads_to_its_place() {
        for seq in [1, 42, (1 << 40) - 1] {
            let seq = Seq::try_from(seq).unwrap();
            let id = SystemIds.message_id(Timestamp::from_millis(1_795_380_253_123), seq);
            assert_eq!(id.as_uuid().get_version_num(), 7);
            assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
            assert_eq!(seq_of(id), Some(seq));
        }
    }
}
