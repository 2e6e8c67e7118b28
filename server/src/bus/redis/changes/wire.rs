//! How a batch of changes travels: a byte for the version, then MessagePack. Who a change is for is written once for all
//! changes of the batch that are for the same users, however many they are.

use std::{collections::HashMap, sync::Arc};

use i9chat_spec::{ChatId, Event, SessionId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bus::{Committed, redis::packed::Packed},
    domain::{Audience, LogEpoch, Place, Position, Record},
    store::StoreError,
};

/// Nodes read no other: those of a rolling upgrade that do not understand each other follow the log.
const VERSION: u8 = 1;

/// Changes of one log.
pub(super) struct Batch {
    pub(super) epoch: LogEpoch,
    pub(super) changes: Vec<Committed>,
}

/// Why a batch cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is of another version")]
    Version,
    #[error("it holds {0:?}, which this version does not know")]
    Event(String),
    #[error("it is no batch: {0}")]
    Form(#[from] rmp_serde::decode::Error),
    #[error("it is no batch: a number or an id is not one")]
    Value,
}

#[derive(Serialize, Deserialize)]
struct WireBatch<'a> {
    #[serde(borrow)]
    epoch: Packed<'a>,
    audiences: Vec<Packed<'a>>,
    changes: Vec<WireChange<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireChange<'a> {
    position: u64,
    tag: u64,
    event: &'a str,
    chat_id: Option<Packed<'a>>,
    data: &'a str,
    audience: WireAudience<'a>,
    ends: Option<Packed<'a>>,
}

#[derive(Serialize, Deserialize)]
enum WireAudience<'a> {
    One(#[serde(borrow)] Packed<'a>),
    /// Which of the audiences.
    Many(usize),
}

pub(super) fn encode(changes: &[Committed], epoch: LogEpoch) -> Result<Vec<u8>, StoreError> {
    let mut audiences = Audiences::default();
    let changes = changes.iter().map(|change| wire_change(change, &mut audiences)).collect();
    let batch = WireBatch { epoch: (&epoch.0).into(), audiences: audiences.packed, changes };
    let mut bytes = vec![VERSION];
    rmp_serde::encode::write(&mut bytes, &batch).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(bytes)
}

fn wire_change<'a>(change: &'a Committed, audiences: &mut Audiences<'a>) -> WireChange<'a> {
    let Committed { record, audience, ends } = change;
    WireChange {
        position: record.place.position.0,
        tag: record.place.tag,
        event: record.event,
        chat_id: record.chat_id.as_ref().map(|id| id.as_uuid().as_bytes().into()),
        data: &record.data,
        audience: match audience {
            Audience::One(user_id) => WireAudience::One(user_id.as_uuid().as_bytes().into()),
            Audience::Many(users) => WireAudience::Many(audiences.number_of(users)),
        },
        ends: ends.as_ref().map(|id| id.as_uuid().as_bytes().into()),
    }
}

/// Those of a batch, each once.
#[derive(Default)]
struct Audiences<'a> {
    packed: Vec<Packed<'static>>,
    /// Most come from the same place in memory; then nobody looks at who they are.
    by_place: HashMap<*const UserId, usize>,
    by_users: HashMap<&'a [UserId], usize>,
}

impl<'a> Audiences<'a> {
    fn number_of(&mut self, users: &'a Arc<[UserId]>) -> usize {
        *self.by_place.entry(users.as_ptr()).or_insert_with(|| {
            *self.by_users.entry(users).or_insert_with(|| {
                self.packed.push(Packed::of_ids(users.iter().map(UserId::as_uuid)));
                self.packed.len() - 1
            })
        })
    }
}

pub(super) fn decode(bytes: &[u8]) -> Result<Batch, Unreadable> {
    let Some((&VERSION, batch)) = bytes.split_first() else { return Err(Unreadable::Version) };
    let WireBatch { epoch, audiences, changes } = rmp_serde::from_slice(batch)?;
    let users = |packed: &Packed<'_>| {
        let ids = packed.ids().ok_or(Unreadable::Value)?;
        Ok(ids.map(UserId::from_uuid).collect::<Arc<[_]>>())
    };
    let audiences: Vec<_> = audiences.iter().map(users).collect::<Result<_, Unreadable>>()?;
    let changes = changes.into_iter().map(|change| committed(&change, &audiences)).collect::<Result<_, _>>()?;
    Ok(Batch { epoch: LogEpoch(epoch.array().ok_or(Unreadable::Value)?), changes })
}

fn committed(change: &WireChange<'_>, audiences: &[Arc<[UserId]>]) -> Result<Committed, Unreadable> {
    let known = Event::NAMES.iter().find(|name| **name == change.event);
    let event = *known.ok_or_else(|| Unreadable::Event(change.event.to_owned()))?;
    let optional = |id: &Option<Packed<'_>>| id.as_ref().map(one).transpose();
    let audience = match &change.audience {
        WireAudience::One(user_id) => Audience::One(UserId::from_uuid(one(user_id)?)),
        WireAudience::Many(number) => Audience::Many(Arc::clone(audiences.get(*number).ok_or(Unreadable::Value)?)),
    };
    let place = Place { position: Position(change.position), tag: change.tag };
    let chat_id = optional(&change.chat_id)?.map(ChatId::from_uuid);
    Ok(Committed {
        record: Record { place, event, chat_id, data: change.data.into() },
        audience,
        ends: optional(&change.ends)?.map(SessionId::from_uuid),
    })
}

fn one(id: &Packed<'_>) -> Result<Uuid, Unreadable> {
    id.array().map(Uuid::from_bytes).ok_or(Unreadable::Value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: LogEpoch = LogEpoch([7; 8]);

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn user(n: u128) -> UserId {
        UserId::from_uuid(id(n))
    }

    fn change(position: u64, audience: Audience) -> Committed {
        let place = Place { position: Position(position), tag: u64::MAX - position };
        let chat_id = Some(ChatId::from_uuid(id(99)));
        let record = Record { place, event: "message_created", chat_id, data: r#"{"a":"ü\n"}"#.into() };
        Committed { record, audience, ends: None }
    }

    fn look(change: &Committed) -> (Place, &str, Option<ChatId>, &str, bool, &[UserId], Option<SessionId>) {
        let Committed { record, audience, ends } = change;
        let is_one = matches!(audience, Audience::One(_));
        (record.place, record.event, record.chat_id, &*record.data, is_one, audience.as_slice(), *ends)
    }

    #[test]
    fn changes_arrive_as_they_were_sent() {
        let session_end = Committed {
            record: Record { event: "session_ended", chat_id: None, ..change(1, Audience::One(user(1))).record },
            audience: Audience::One(user(1)),
            ends: Some(SessionId::from_uuid(id(5))),
        };
        let sent = [
            session_end,
            change(2, Audience::Many([user(1), user(2)].into())),
            change(3, Audience::Many([user(2)].into())),
            change(4, Audience::Many([].into())),
            change(u64::MAX, Audience::Many([user(1), user(2)].into())),
        ];
        let Batch { epoch, changes } = decode(&encode(&sent, EPOCH).unwrap()).unwrap();
        assert_eq!(epoch, EPOCH);
        assert_eq!(changes.iter().map(look).collect::<Vec<_>>(), sent.iter().map(look).collect::<Vec<_>>());
    }

    #[test]
    fn an_audience_travels_once_however_many_changes_are_for_it() {
        let members: Arc<[UserId]> = (0..5000).map(user).collect();
        let again: Arc<[UserId]> = members.iter().copied().collect();
        let sent: Vec<_> =
            (1..=100).map(|n| change(n, Audience::Many(if n % 2 == 0 { &members } else { &again }.clone()))).collect();
        let bytes = encode(&sent, EPOCH).unwrap();
        assert!(bytes.len() < 5000 * 16 + 100 * 100, "{}", bytes.len());
        let changes = decode(&bytes).unwrap().changes;
        assert!(changes.iter().all(|change| change.audience.as_slice() == &*members));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let bytes = encode(&[change(1, Audience::Many([user(1)].into()))], EPOCH).unwrap();
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut newer = bytes.clone();
        newer[0] = 2;
        assert!(matches!(decode(&newer), Err(Unreadable::Version)));
        let mut unknown = change(1, Audience::One(user(1)));
        unknown.record.event = "something_new";
        assert!(matches!(decode(&encode(&[unknown], EPOCH).unwrap()), Err(Unreadable::Event(_))));
    }
}
