use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use i9chat_spec::{
    Chat, Entry,
    api::{
        chats::ChatPage,
        groups::{Member, MemberPage},
        messages::EntryPage,
        reactions::{Reaction, ReactionPage},
        receipts::{ChatReceipt, ChatReceiptPage, MessageReceipt, MessageReceiptPage},
    },
};

use crate::Error;

/// A page of a list. (CNV-11)
pub trait Page: Send + 'static {
    /// What the list is of.
    type Item: Send + 'static;

    /// The items of the page, in its order.
    fn into_items(self) -> Vec<Self::Item>;
}

macro_rules! pages {
    ($($page:ty => $item:ty;)*) => {
        $(
            impl Page for $page {
                type Item = $item;

                fn into_items(self) -> Vec<$item> {
                    self.items
                }
            }
        )*
    };
}

pages! {
    ChatPage => Chat;
    EntryPage => Entry;
    MemberPage => Member;
    ReactionPage => Reaction;
    MessageReceiptPage => MessageReceipt;
    ChatReceiptPage => ChatReceipt;
}

/// A list that is read page by page, each when it is asked for. An error ends it.
///
/// ```no_run
/// # async fn run(client: i9chat_sdk::Client) -> Result<(), i9chat_sdk::Error> {
/// let mut chats = client.chats();
/// while let Some(page) = chats.next().await {
///     for chat in page?.items {
///         println!("{:?} {}: {} unread", chat.kind, chat.chat_id, chat.unread_count);
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Pages<P>(BoxStream<'static, Result<P, Error>>);

impl<P: Page> Pages<P> {
    /// `read` answers a page and the question for the next one, if there is one.
    pub(super) fn new<Q, F>(first: Q, read: impl Fn(Q) -> F + Send + Sync + 'static) -> Self
    where
        Q: Send + 'static,
        F: Future<Output = Result<(P, Option<Q>), Error>> + Send + 'static,
    {
        let pages = stream::try_unfold((Some(first), read), |(query, read)| async move {
            let Some(query) = query else { return Ok(None) };
            let (page, next) = read(query).await?;
            Ok(Some((page, (next, read))))
        });
        Self(pages.boxed())
    }

    /// The next page; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<P, Error>> {
        self.0.next().await
    }

    /// The items of all pages, one by one.
    pub fn items(self) -> Items<P::Item> {
        let items = self.0.map_ok(|page| stream::iter(page.into_items().into_iter().map(Ok))).try_flatten();
        Items(items.boxed())
    }
}

impl<P> Stream for Pages<P> {
    type Item = Result<P, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// The items of a list, read page by page behind the scenes. An error ends it.
pub struct Items<T>(BoxStream<'static, Result<T, Error>>);

impl<T> Items<T> {
    /// The next item; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        self.0.next().await
    }
}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}
