use i9chat_spec::{ChatId, Entry, Message, Seq, Stretch, UserId};
use serde::Deserialize;

use super::{
    Met, Viewed, about, about_message,
    rows::{self, EntryRow},
    settled, viewed, visible_entry,
};
use crate::store::{OneMessage, Seek, Seen, StoreError, neo4j::Neo4jStore};

/// Entries of a chat: at most `$limit` of each stretch of `m`, and of these as many, in an order. The first of a stretch comes from
/// where its two bounds are, which are named `from` and `to`.
macro_rules! entries {
    ($bounds:literal, $order:literal) => {
        concat!(
            viewed!(),
            "WITH c, m, m.from_seq AS from_seq, m.to_seq AS to_seq, c.last_seq AS last_seq
             CALL (from_seq, to_seq) {
                 UNWIND range(0, coalesce(size(from_seq), 0) - 1) AS i
                 WITH from_seq[i] AS first, CASE to_seq[i] WHEN -1 THEN 9223372036854775807 ELSE to_seq[i] END AS last
                 WITH ",
            $bounds,
            " WHERE from <= to
                 CALL (from, to) {
                     MATCH (e:Entry {entry_of: $chat_id}) WHERE e.seq >= from AND e.seq <= to
                     RETURN e ORDER BY e.entry_of ",
            $order,
            ", e.seq ",
            $order,
            " LIMIT $limit
                 }
                 WITH e ORDER BY e.seq ",
            $order,
            " LIMIT $limit
                 CALL (e) {
                     WITH e WHERE e.reactions IS NOT NULL
                     MATCH (r:Reaction {chat_id: $chat_id, seq: e.seq, user_id: $user_id})
                     RETURN head(collect(r.emoji)) AS own_reaction
                 }
                 WITH e, own_reaction ORDER BY e.seq ",
            $order,
            " RETURN collect(e {.seq, .kind, .data, .reactions, own_reaction: own_reaction}) AS entries
             }
             RETURN c.kind AS kind, m.membership AS membership, coalesce(from_seq, []) AS from_seq,
                    coalesce(to_seq, []) AS to_seq, last_seq, entries"
        )
    };
}

/// From an entry down, those below `$bound`.
pub(super) const DOWN: &str =
    entries!("first AS from, CASE WHEN last < $bound THEN last ELSE $bound - 1 END AS to", "DESC");

/// From an entry up, those above `$bound`.
pub(super) const UP: &str =
    entries!("CASE WHEN first > $bound THEN first ELSE $bound + 1 END AS from, last AS to", "ASC");

/// One entry of a chat, if the viewer sees it.
pub(super) const MESSAGE: &str = concat!(
    viewed!(),
    visible_entry!(),
    "CALL (e) {
         WITH e WHERE e.reactions IS NOT NULL
         MATCH (r:Reaction {chat_id: e.entry_of, seq: e.seq, user_id: $user_id})
         RETURN head(collect(r.emoji)) AS own_reaction
     }
     RETURN c.kind AS kind, m.membership AS membership,
            e {.kind, .data, .reactions, own_reaction: own_reaction} AS entry"
);

#[derive(Debug, Deserialize)]
struct Page {
    #[serde(flatten)]
    viewed: Viewed,
    from_seq: Vec<Seq>,
    to_seq: Vec<i64>,
    last_seq: u64,
    entries: Vec<PlacedEntry>,
}

#[derive(Debug, Deserialize)]
struct PlacedEntry {
    seq: u64,
    #[serde(flatten)]
    entry: EntryRow,
}

pub(in crate::store::neo4j::log) async fn entries(
    store: &Neo4jStore,
    user_id: UserId,
    chat_id: ChatId,
    seek: Seek,
    limit: usize,
) -> Result<Seen<Vec<Entry>>, StoreError> {
    let (statement, bound) = match seek {
        Seek::Newest => (DOWN, i64::MAX),
        Seek::Before(seq) => (DOWN, rows::integer(seq.get())),
        Seek::After(watermark) => (UP, rows::integer(watermark.get())),
    };
    let statement = about(statement, user_id, chat_id).with("bound", bound).with("limit", rows::integer(limit as u64));
    settled(store, || async {
        let Some(page) = store.driver.read_one::<Page>(&statement).await? else {
            return Ok(Met::Whole(Seen::NoChat));
        };
        let visible = rows::stretches(&page.from_seq, &page.to_seq);
        let found: Vec<_> = page.entries.iter().map(|row| row.seq).collect();
        let is_whole = has_no_holes(seek, &visible, page.last_seq, &found, limit);
        let entries = page.entries.into_iter().map(|row| row.entry.entry()).collect::<Result<_, _>>()?;
        Ok(Met::new(is_whole, page.viewed.seen(entries)))
    })
    .await
}

/// Whether the entries are those that have to be there, one by one. What was written last may be missing: it was not committed
/// when the page was read. What comes before something that is seen may not.
fn has_no_holes(seek: Seek, visible: &[Stretch], last_seq: u64, found: &[u64], limit: usize) -> bool {
    let downwards = |bound: u64, newest: u64| {
        let seqs = visible.iter().rev().flat_map(move |stretch| {
            let to = stretch.to.map_or(newest, Seq::get).min(bound.saturating_sub(1));
            (stretch.from.get()..=to).rev()
        });
        is_beginning(found, seqs, limit)
    };
    // An end that is open is as far as was seen.
    let newest = found.first().copied().unwrap_or(0);
    match seek {
        Seek::Newest => downwards(u64::MAX, newest),
        Seek::Before(seq) if seq.get() <= last_seq => downwards(seq.get(), seq.get()),
        Seek::Before(seq) => downwards(seq.get(), newest),
        Seek::After(watermark) => {
            let last = found.last().copied().unwrap_or(0);
            let seqs = visible
                .iter()
                .flat_map(|stretch| stretch.from.get().max(watermark.get() + 1)..=stretch.to.map_or(last, Seq::get));
            is_beginning(found, seqs, found.len())
        }
    }
}

/// Whether the list is that of all the numbers, or of the first so many.
fn is_beginning(list: &[u64], mut numbers: impl Iterator<Item = u64>, limit: usize) -> bool {
    list.iter().all(|number| numbers.next() == Some(*number)) && (list.len() >= limit || numbers.next().is_none())
}

pub(in crate::store::neo4j::log) async fn message(
    store: &Neo4jStore,
    wanted: OneMessage,
) -> Result<Seen<Box<Message>>, StoreError> {
    #[derive(Deserialize)]
    struct One {
        #[serde(flatten)]
        viewed: Viewed,
        entry: Option<EntryRow>,
    }

    let Some(One { viewed, entry }) = store.driver.read_one(&about_message(MESSAGE, wanted)).await? else {
        return Ok(Seen::NoChat);
    };
    viewed.seen(entry).then(|entry| {
        let message = rows::message(entry, wanted)?;
        Ok(message.map_or(Seen::NoMessage, |message| Seen::Found(Box::new(message))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: u64, to: Option<u64>) -> Stretch {
        Stretch { from: from.try_into().unwrap(), to: to.map(|to| to.try_into().unwrap()) }
    }

    fn before(seq: u64) -> Seek {
        Seek::Before(seq.try_into().unwrap())
    }

    fn after(seq: u64) -> Seek {
        Seek::After(seq.try_into().unwrap())
    }

    /// A chat of ten entries, of which the viewer sees all but 4 to 6.
    fn holds(seek: Seek, found: &[u64], limit: usize) -> bool {
        has_no_holes(seek, &[stretch(1, Some(3)), stretch(7, None)], 10, found, limit)
    }

    #[test]
    fn what_is_seen_follows_on_each_other() {
        assert!(holds(Seek::Newest, &[10, 9, 8], 3));
        assert!(holds(Seek::Newest, &[10, 9, 8, 7, 3, 2, 1], 50));
        assert!(holds(before(8), &[7, 3, 2], 3));
        assert!(holds(before(6), &[3, 2, 1], 3));
        assert!(holds(before(1), &[], 3));
        assert!(holds(before(500), &[10, 9], 2), "from beyond the end");
        assert!(holds(after(2), &[3, 7, 8], 3));
        assert!(holds(after(4), &[7, 8, 9, 10], 50));
        assert!(holds(after(10), &[], 50));
    }

    #[test]
    fn what_was_written_last_may_be_missing() {
        assert!(holds(Seek::Newest, &[9, 8], 2));
        assert!(holds(after(7), &[8], 50));
        assert!(holds(after(7), &[], 50));
    }

    #[test]
    fn what_comes_before_something_that_is_seen_may_not() {
        assert!(!holds(Seek::Newest, &[10, 8, 7], 3));
        assert!(!holds(Seek::Newest, &[9, 8, 7, 2, 1], 50), "the end of a stretch");
        assert!(!holds(Seek::Newest, &[10, 9, 8, 7, 3, 2], 50), "the beginning of the chat");
        assert!(!holds(before(10), &[8, 7], 2));
        assert!(!holds(before(10), &[], 2));
        assert!(!holds(before(8), &[3, 2], 2));
        assert!(!holds(after(2), &[7, 8], 2));
        assert!(!holds(after(6), &[7, 9], 2));
    }
}
