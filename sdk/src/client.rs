//! The client: a cheap handle to a task that owns the connection.

mod ask;
mod builder;
mod chat;
mod driver;
mod group;
mod line;
mod marks;
mod message;
mod pages;
mod presence;
mod profile;
mod sessions;
mod typing;
mod updates;

use std::{fmt, sync::Arc};

use i9chat_spec::{
    ChatId, Nothing, Username,
    api::{
        capabilities::{Capabilities, GetCapabilities},
        chats::{ChatPage, ChatsQuery, ListChats, OpenDirect},
        users::OneUser,
    },
};
use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;

pub(crate) use self::marks::Deliveries;
pub use self::{
    builder::ClientBuilder,
    chat::ChatHandle,
    group::{CreateGroup, CreatedGroup, GroupHandle, UpdateGroup},
    message::MessageHandle,
    pages::{Items, Page, Pages},
    presence::{Presence, PresenceHandle},
    profile::{Nearby, UpdateMe},
    updates::Updates,
};
use self::{driver::Command, marks::Marks, presence::Watchlist, typing::Typing, updates::UpdateQueue};
use crate::{ConnectionState, Credentials, Error, Http, StopReason};

/// A signed-in user's connection to a server. Cheap to clone; the connection closes with the last clone.
///
/// ```no_run
/// use i9chat_sdk::{Client, Credentials};
///
/// # async fn run() -> Result<(), i9chat_sdk::Error> {
/// let client = Client::connect("https://chat.example", Credentials::stored("alice.session")).await?;
/// println!("signed in as {}", client.me().await?.username);
/// let sent = client.direct("bob").await?.send("hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: Http,
    commands: mpsc::Sender<Command>,
    updates: Arc<UpdateQueue>,
    state: watch::Receiver<ConnectionState>,
    marks: Arc<Marks>,
    deliveries: Deliveries,
    watchlist: Arc<Watchlist>,
    typing: Typing,
    task: TaskTracker,
}

impl Client {
    /// Signs in if need be, and connects. Returns at the server's greeting: of what happens from then on nothing is missed,
    /// so that chats that are read after it and [updates](Self::updates) together are complete. (LOG-9)
    ///
    /// Needs a tokio runtime. Fails when the credentials are refused, or when nobody answers for half a minute;
    /// [`ClientBuilder`] has other choices.
    pub async fn connect(server: &str, credentials: Credentials) -> Result<Self, Error> {
        Self::builder(server, credentials).connect().await
    }

    /// For choices: encoding, queue sizes, where to resume.
    pub fn builder(server: &str, credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(server, credentials)
    }

    /// Where the connection stands, now and at each change.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) {
    /// let mut state = client.state();
    /// while state.changed().await.is_ok() {
    ///     println!("{}", *state.borrow_and_update());
    /// }
    /// # }
    /// ```
    pub fn state(&self) -> watch::Receiver<ConnectionState> {
        self.inner.state.clone()
    }

    /// What happens: each update once, in log order, across any number of reconnects.
    ///
    /// There is one queue behind all streams that this returns, and it fills from the start on, so that
    /// `client.updates().next()` in a loop misses nothing; who reads it in several places shares it out. It is bounded
    /// ([`ClientBuilder::update_capacity`]). While it is full, sends go on and further events pass by; once there is room, the
    /// client connects again from the last event in the queue, and the server sends what was passed by. The stream ends when the
    /// client has stopped.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let mut updates = client.updates();
    /// while let Some(update) = updates.next().await {
    ///     if let Some(message) = update.message() {
    ///         println!("{} wrote", message.sender.username);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn updates(&self) -> Updates {
        Updates::of(Arc::clone(&self.inner.updates))
    }

    /// The direct chat with a user, named in any case; it is opened if there is none. (CHT-1)
    ///
    /// Refused with `user_not_found` and `direct_with_self`.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let bob = client.direct("bob").await?;
    /// bob.send("Hello, Bob!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn direct(&self, username: &str) -> Result<ChatHandle, Error> {
        let path = OneUser { username: username.parse::<Username>()? };
        let opened = self.inner.http.call::<OpenDirect>(&path, &Nothing {}, &Nothing {}).await?;
        Ok(self.chat(opened.chat.chat_id))
    }

    /// A chat by its id. Nothing is asked: a chat that the user does not have is refused at its first use, with `chat_not_found`.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let mut chats = client.chats().items();
    /// while let Some(chat) = chats.next().await {
    ///     client.chat(chat?.chat_id).send("Happy new year!").await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat(&self, chat_id: ChatId) -> ChatHandle {
        ChatHandle::new(self.clone(), chat_id)
    }

    /// A group by its id, which anybody may find and join. Nothing is asked: a group that does not exist is refused at its first use.
    pub fn group(&self, chat_id: ChatId) -> GroupHandle {
        GroupHandle::new(self.chat(chat_id))
    }

    /// A group with the user as its admin, created when it is awaited. A name has 1 to 100 characters. (GRP-1, GRP-2)
    ///
    /// A lost answer is dealt with behind the scenes: the group is created once. (GRP-3)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let created = client.create_group("Hikers").description("Every Sunday").members(["bob", "carol"]).await?;
    /// created.group.chat().send("Hello, all!").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_group(&self, name: impl Into<String>) -> CreateGroup {
        CreateGroup::new(self.clone(), name.into())
    }

    /// Whether a user, named in any case, is there: now and at each change, for as long as the handle is kept. (PRS-4)
    ///
    /// [`Error::Invalid`] when that is no username. A name that no user has is shown as [`Presence::NoSuchUser`].
    pub fn presence(&self, username: &str) -> Result<PresenceHandle, Error> {
        Ok(PresenceHandle::new(self.clone(), username.parse()?))
    }

    /// The user's chats, the one with the latest entry first, page by page. (CHT-5)
    ///
    /// The `cursor` of the **first** page is the one to compare with: every change after it comes, or came, as an update. An update
    /// that is older than what a page shows does no harm when it is applied. (CHT-7, LOG-9)
    pub fn chats(&self) -> Pages<ChatPage> {
        let client = self.clone();
        Pages::new(ChatsQuery::default(), move |query| {
            let client = client.clone();
            async move {
                let page = client.http().call::<ListChats>(&Nothing {}, &query, &Nothing {}).await?;
                page.items.iter().for_each(|chat| client.deliveries().chat(chat));
                let next = page.next.clone().map(|after| ChatsQuery { after: Some(after), ..query });
                Ok((page, next))
            }
        })
    }

    /// What the server can do, and where its limits are. (CAP-1)
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// let limits = client.capabilities().await?.limits;
    /// println!("a group has at most {} members", limits.max_group_members);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.inner.http.call::<GetCapabilities>(&Nothing {}, &Nothing {}, &Nothing {}).await
    }

    /// Any endpoint of the specification, as the user of this client.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// use i9chat_sdk::spec::{Nothing, PageLimit, api::events::{EventsQuery, ListEvents}};
    ///
    /// // The event stream without a socket, one page.
    /// let query = EventsQuery { cursor: None, limit: Some(PageLimit::try_from(10)?) };
    /// let page = client.http().call::<ListEvents>(&Nothing {}, &query, &Nothing {}).await?;
    /// println!("{} events, more after {}", page.events.len(), page.cursor.as_str());
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(&self) -> &Http {
        &self.inner.http
    }

    /// Waits until the client is connected, or has stopped for good.
    ///
    /// ```no_run
    /// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
    /// client.connected().await?; // after ClientBuilder::start, or after a break
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connected(&self) -> Result<(), Error> {
        let mut state = self.state();
        let settled =
            |state: &ConnectionState| matches!(state, ConnectionState::Connected { .. } | ConnectionState::Stopped(_));
        match state.wait_for(settled).await.as_deref() {
            Ok(ConnectionState::Stopped(reason)) => Err(Error::Stopped(*reason)),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Stopped(StopReason::ByApplication)),
        }
    }

    /// Closes the connection and returns when it is closed. Sends that were not acknowledged end with [`Error::Stopped`]; the session stays open.
    pub async fn close(&self) {
        // A task that is not there any more has closed it already.
        drop(self.inner.commands.send(Command::Stop).await);
        self.inner.task.wait().await;
    }

    /// For what shows the program chats: they are delivered with it.
    pub(crate) fn deliveries(&self) -> &Deliveries {
        &self.inner.deliveries
    }

    fn commands(&self) -> &mpsc::Sender<Command> {
        &self.inner.commands
    }

    fn marks(&self) -> &Marks {
        &self.inner.marks
    }

    fn watchlist(&self) -> &Watchlist {
        &self.inner.watchlist
    }

    fn typing(&self) -> &Typing {
        &self.inner.typing
    }

    /// The error of what waits in vain.
    fn stopped(&self) -> Error {
        Error::Stopped(match *self.inner.state.borrow() {
            ConnectionState::Stopped(reason) => reason,
            _ => StopReason::ByApplication,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("state", &*self.inner.state.borrow()).finish_non_exhaustive()
    }
}
