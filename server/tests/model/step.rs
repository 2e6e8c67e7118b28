//! What happens in a case. Everything is named by small numbers, so that a list of steps means the same whenever it is
//! replayed, and still means something when a part of it is left out.

use i9chat_spec::Patch;
use proptest::{collection::vec, option, prelude::*};

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// A user asks for something; over their WebSocket where there is one that takes it.
    Ask { wish: Wish, by_socket: bool },
    /// Several wishes become one batch of the committer.
    Together(Vec<Wish>),
    /// A user sends several actions over their WebSocket without waiting for replies.
    Burst { first: Wish, others: Vec<Wish> },
    /// A client stops reading its WebSocket.
    Lag { client: u8 },
    /// A client's WebSocket breaks after it has read so many of the events that wait in it.
    Cut { client: u8, read: u8 },
    /// A client connects again.
    Connect { client: u8 },
    /// A client drops what it holds and reads all of it anew, a request with each step that follows.
    StartOver { client: u8 },
    /// The writer of the store forgets what it remembers.
    Forget,
    /// Time passes, and old events are removed; so often.
    Sweep { times: u8 },
}

/// Something that a user wants.
#[derive(Debug, Clone)]
pub enum Wish {
    OpenDirect {
        by: u8,
        with: u8,
    },
    Send {
        chat: Pick,
        by: Pick,
        client_id: Option<u8>,
        text: u8,
        reply_to: Option<Pick>,
    },
    React {
        chat: Pick,
        by: Pick,
        message: Pick,
        emoji: Option<u8>,
    },
    Mark {
        by: Pick,
        marks: Vec<MarkWish>,
    },
    CreateGroup {
        by: u8,
        client_id: Option<u8>,
        name: u8,
        description: bool,
        members: Vec<u8>,
    },
    Join {
        chat: Pick,
        by: Pick,
    },
    Leave {
        chat: Pick,
        by: Pick,
    },
    Add {
        chat: Pick,
        by: Pick,
        names: Vec<Pick>,
    },
    Remove {
        chat: Pick,
        by: Pick,
        target: Pick,
    },
    MakeAdmin {
        chat: Pick,
        by: Pick,
        target: Pick,
    },
    RemoveAdmin {
        chat: Pick,
        by: Pick,
        target: Pick,
    },
    Update {
        chat: Pick,
        by: Pick,
        name: Option<u8>,
        description: Patch<u8>,
    },
    /// A command with a `client_id` once more.
    Retry {
        which: u8,
    },
}

/// Where a user wants their watermarks in a chat: as many entries before the one after the last.
#[derive(Debug, Clone)]
pub struct MarkWish {
    pub chat: Pick,
    pub delivered: Option<u8>,
    pub read: Option<u8>,
}

/// Picks one of those that suit; or, now and then, of all.
#[derive(Debug, Clone, Copy)]
pub struct Pick {
    pub number: u8,
    pub any: bool,
}

impl Pick {
    pub fn of<T: Clone>(self, suitable: &[T], all: &[T]) -> T {
        let list = if self.any || suitable.is_empty() { all } else { suitable };
        nth(list, self.number)
    }
}

/// The one with that number, going round.
pub fn nth<T: Clone>(list: &[T], number: u8) -> T {
    list[usize::from(number) % list.len()].clone()
}

fn pick() -> impl Strategy<Value = Pick> {
    (any::<u8>(), prop::bool::weighted(0.12)).prop_map(|(number, any)| Pick { number, any })
}

fn mark() -> impl Strategy<Value = MarkWish> {
    (pick(), option::weighted(0.6, 0..6_u8), option::weighted(0.6, 0..6_u8))
        .prop_map(|(chat, delivered, read)| MarkWish { chat, delivered, read })
}

fn create_group() -> impl Strategy<Value = Wish> {
    (0..6_u8, option::weighted(0.1, any::<u8>()), 0..4_u8, any::<bool>(), vec(0..8_u8, 0..5)).prop_map(
        |(by, client_id, name, description, members)| Wish::CreateGroup { by, client_id, name, description, members },
    )
}

fn open_direct() -> impl Strategy<Value = Wish> {
    (0..6_u8, 0..6_u8).prop_map(|(by, with)| Wish::OpenDirect { by, with })
}

fn send() -> impl Strategy<Value = Wish> {
    (pick(), pick(), option::weighted(0.08, any::<u8>()), 0..6_u8, option::weighted(0.3, pick()))
        .prop_map(|(chat, by, client_id, text, reply_to)| Wish::Send { chat, by, client_id, text, reply_to })
}

fn react() -> impl Strategy<Value = Wish> {
    (pick(), pick(), pick(), option::weighted(0.75, 0..4_u8)).prop_map(|(chat, by, message, emoji)| Wish::React {
        chat,
        by,
        message,
        emoji,
    })
}

fn marks() -> impl Strategy<Value = Wish> {
    (pick(), vec(mark(), 1..3)).prop_map(|(by, marks)| Wish::Mark { by, marks })
}

fn description() -> impl Strategy<Value = Patch<u8>> {
    prop_oneof![Just(Patch::Keep), Just(Patch::Clear), (0..3_u8).prop_map(Patch::Set)]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => open_direct(),
        14 => send(),
        7 => react(),
        8 => marks(),
        2 => create_group(),
        5 => (pick(), pick()).prop_map(|(chat, by)| Wish::Join { chat, by }),
        3 => (pick(), pick()).prop_map(|(chat, by)| Wish::Leave { chat, by }),
        5 => (pick(), pick(), vec(pick(), 1..4)).prop_map(|(chat, by, names)| Wish::Add { chat, by, names }),
        3 => (pick(), pick(), pick()).prop_map(|(chat, by, target)| Wish::Remove { chat, by, target }),
        2 => (pick(), pick(), pick()).prop_map(|(chat, by, target)| Wish::MakeAdmin { chat, by, target }),
        2 => (pick(), pick(), pick()).prop_map(|(chat, by, target)| Wish::RemoveAdmin { chat, by, target }),
        2 => (pick(), pick(), option::of(0..4_u8), description())
            .prop_map(|(chat, by, name, description)| Wish::Update { chat, by, name, description }),
        2 => any::<u8>().prop_map(|which| Wish::Retry { which }),
    ]
}

/// What a WebSocket takes.
fn action() -> impl Strategy<Value = Wish> {
    prop_oneof![3 => send(), 2 => react(), 2 => marks()]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => (wish(), any::<bool>()).prop_map(|(wish, by_socket)| Step::Ask { wish, by_socket }),
        6 => vec(wish(), 2..6).prop_map(Step::Together),
        3 => (action(), vec(action(), 1..4)).prop_map(|(first, others)| Step::Burst { first, others }),
        3 => (0..6_u8).prop_map(|client| Step::Lag { client }),
        4 => (0..6_u8, 0..6_u8).prop_map(|(client, read)| Step::Cut { client, read }),
        5 => (0..6_u8).prop_map(|client| Step::Connect { client }),
        3 => (0..6_u8).prop_map(|client| Step::StartOver { client }),
        3 => Just(Step::Forget),
        2 => (1..4_u8).prop_map(|times| Step::Sweep { times }),
    ]
}

/// The steps of a case: it begins with a group and a direct chat, so that there is something to talk in.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let ask = |wish| Step::Ask { wish, by_socket: false };
    (create_group(), open_direct(), vec(step(), 1..most))
        .prop_map(move |(group, direct, steps)| [ask(group), ask(direct)].into_iter().chain(steps).collect())
}
