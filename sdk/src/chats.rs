//! What an application shows on screen: the user's chats, kept equal to what the server would answer now.
//!
//! [`Chats`] reads the list of chats once and applies every event from then on, across breaks of any length: after a short one the missed
//! events follow, after a long one it reads what has changed. Unread counts, last entries, watermarks, group names, roles, and the
//! entries and reactions of open chats are always those that a fresh read would show. (LOG-9)
//!
//! [`View`] is the same without I/O, for other runtimes and for tests.

mod driver;
mod pass;
mod read;
mod receipts;
mod state;
mod view;
mod window;

use std::sync::Arc;

use i9chat_spec::{ChatId, PageLimit, api::users::OwnProfile};
use tokio::{
    sync::{broadcast, watch},
    task::AbortHandle,
};

use self::driver::{Driver, Shared};
pub use self::{
    read::{Answer, Read, ReadKey, What},
    state::ChatState,
    view::{Changed, View},
};
use crate::{Client, ConnectionState, Error, StopReason, Update};

/// Changes that wait for one listener; who is slower hears [`Change::Everything`].
const CHANGES: usize = 1024;

/// The chats of a client's user, kept up to date in the background. Cheap to clone; the work ends with the last clone.
///
/// It takes the [updates](Client::updates) of the client: they are heard of through [`changes`](Self::changes) instead.
///
/// ```no_run
/// use i9chat_sdk::{Client, Credentials, chats::{Change, Chats}};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// let client = Client::connect("https://chat.example", Credentials::stored("alice.session")).await?;
/// let chats = Chats::start(&client).await?;
/// let mut changes = chats.changes();
/// chats.ready().await?;
/// loop {
///     for chat in chats.first(20) {
///         println!("{} ({} unread)", chat.title(), chat.chat().unread_count);
///     }
///     if changes.next().await.is_none() {
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Chats {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    client_state: watch::Receiver<ConnectionState>,
    changes: broadcast::WeakSender<Change>,
    task: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is another now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An update came, and the view shows what it did. The chat that it changed is named before it.
    Update(Arc<Update>),
    /// A chat is another now: in the list, or what is loaded of it. It may be gone.
    Chat(ChatId),
    /// The user's profile is another now.
    Profile,
    /// So much has changed that all is to be looked at again: the list is complete now, or was dropped; or the listener was slow.
    Everything,
}

impl Chats {
    /// Starts to keep the chats of a client's user. Returns before they are read; [`ready`](Self::ready) waits for that.
    ///
    /// Asks the server for its limits and for who the user is, and fails when it cannot. Call it before anything else reads the
    /// client's updates. Needs a tokio runtime.
    pub async fn start(client: &Client) -> Result<Self, Error> {
        let capabilities = client.capabilities().await?;
        let viewer = client.me().await?.user_id;
        let page = PageLimit::try_from(capabilities.limits.max_page_items).unwrap_or_default();
        let shared = Arc::new(Shared::new(View::new(viewer, capabilities.limits, page)));
        let sender = broadcast::Sender::new(CHANGES);
        let changes = sender.downgrade();
        let driver = Driver::new(client.clone(), Arc::clone(&shared), sender);
        let client_state = client.state();
        let task = tokio::spawn(driver.run()).abort_handle();
        Ok(Self { inner: Arc::new(Inner { shared, client_state, changes, task }) })
    }

    /// Waits until the whole list is there. [`Error::Stopped`] when the client has stopped before.
    pub async fn ready(&self) -> Result<(), Error> {
        self.until(View::is_ready).await
    }

    /// All chats, the one with the latest entry first. (CHT-5)
    pub fn list(&self) -> Vec<Arc<ChatState>> {
        self.inner.shared.view().list().cloned().collect()
    }

    /// The first chats of the list: as much as a screen shows.
    pub fn first(&self, count: usize) -> Vec<Arc<ChatState>> {
        self.inner.shared.view().list().take(count).cloned().collect()
    }

    /// One chat, as it is now. To hold on to it costs memory, and nothing else.
    pub fn get(&self, chat_id: ChatId) -> Option<Arc<ChatState>> {
        self.inner.shared.view().chat(chat_id).cloned()
    }

    /// The user's own profile, once it was read. (USR-1)
    pub fn profile(&self) -> Option<Arc<OwnProfile>> {
        self.inner.shared.view().profile().cloned()
    }

    /// Loads the newest entries of a chat and keeps them up to date, with their reactions, and the receipts of a small group, until
    /// [`close`](Self::close). Returns when they are there; `None` when the user has no such chat.
    ///
    /// ```no_run
    /// # async fn run(chats: i9chat_sdk::chats::Chats, chat_id: i9chat_sdk::spec::ChatId) -> Result<(), i9chat_sdk::Error> {
    /// if let Some(chat) = chats.open(chat_id).await? {
    ///     for message in chat.entries().filter_map(|entry| entry.as_message()) {
    ///         println!("{}: {} {:?}", message.sender.username, message.content.text().unwrap_or("…"), chat.status(message));
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(&self, chat_id: ChatId) -> Result<Option<Arc<ChatState>>, Error> {
        self.want(chat_id, View::open).await
    }

    /// Loads one page more of the older entries of an open chat, and returns when it is there. Nothing happens when there are none
    /// ([`ChatState::has_older`]).
    pub async fn load_older(&self, chat_id: ChatId) -> Result<Option<Arc<ChatState>>, Error> {
        self.want(chat_id, View::load_older).await
    }

    /// Lets go of the entries of a chat: only what the list shows of it is kept.
    pub fn close(&self, chat_id: ChatId) {
        self.inner.shared.view().close(chat_id);
        self.inner.shared.wanted.notify_one();
    }

    /// Counts changes: for programs that draw everything anew when something has changed.
    pub fn revision(&self) -> watch::Receiver<u64> {
        self.inner.shared.revision.subscribe()
    }

    /// What changes from now on, one by one.
    pub fn changes(&self) -> Changes {
        let sender = self.inner.changes.upgrade();
        Changes(sender.map_or_else(|| broadcast::channel(1).1, |sender| sender.subscribe()))
    }

    async fn want(
        &self,
        chat_id: ChatId,
        want: impl FnOnce(&mut View, ChatId),
    ) -> Result<Option<Arc<ChatState>>, Error> {
        want(&mut self.inner.shared.view(), chat_id);
        self.inner.shared.wanted.notify_one();
        self.until(|view| view.is_settled(chat_id)).await?;
        Ok(self.get(chat_id))
    }

    async fn until(&self, so: impl Fn(&View) -> bool) -> Result<(), Error> {
        let mut revision = self.revision();
        let mut state = self.inner.client_state.clone();
        let holds = revision.wait_for(|_| so(&self.inner.shared.view()));
        let stopped = state.wait_for(|state| matches!(state, ConnectionState::Stopped(_)));
        tokio::select! {
            biased;
            held = holds => held.map(drop).map_err(|_| Error::Stopped(StopReason::ByApplication)),
            stopped = stopped => Err(Error::Stopped(match stopped.as_deref() {
                Ok(ConnectionState::Stopped(reason)) => *reason,
                _ => StopReason::ByApplication,
            })),
        }
    }
}

/// What changes, from [`Chats::changes`].
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

impl Changes {
    /// The next change; `None` when the [`Chats`] are gone, or the client has stopped.
    ///
    /// To drop the future loses nothing.
    pub async fn next(&mut self) -> Option<Change> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Change::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
