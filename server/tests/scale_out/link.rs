//! A link between a server and what it uses, which a test can cut, stall and slow down.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// What a link lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Everything, each piece this much later.
    Open(Duration),
    /// What the server says, but no answer: whoever is asked does it, and the server does not learn of it.
    AnswersHeld,
    /// Nothing; connections stay, and what was said waits.
    Stalled,
    /// Nothing; connections end, and new ones are ended at once.
    Cut,
}

impl Passage {
    /// Everything, at once.
    pub const FREE: Self = Self::Open(Duration::ZERO);
}

/// A place on the loopback interface that leads to another. It ends with this value.
pub struct Link {
    address: SocketAddr,
    passage: watch::Sender<Passage>,
    accepting: JoinHandle<()>,
}

impl Link {
    /// A link that lets everything through to `host:port`.
    pub async fn to(there: impl Into<String>) -> io::Result<Self> {
        let there = there.into();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (passage, changes) = watch::channel(Passage::FREE);
        let accepting = tokio::spawn(async move {
            // Ends what it started when it is aborted.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, there.clone(), changes.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, passage, accepting })
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it lets through, on all its connections.
    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Which way something goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    There,
    Back,
}

async fn carry(near: TcpStream, there: String, passage: watch::Receiver<Passage>) {
    let mut until_cut = passage.clone();
    let both = async {
        let far = TcpStream::connect(there).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (near_says, near_hears) = near.into_split();
        let (far_says, far_hears) = far.into_split();
        tokio::try_join!(
            pass(near_says, far_hears, passage.clone(), Way::There),
            pass(far_says, near_hears, passage, Way::Back),
        )?;
        io::Result::Ok(())
    };
    tokio::select! {
        // Both ends see for themselves that the connection is gone.
        _ = until_cut.wait_for(|passage| *passage == Passage::Cut) => {}
        _ = both => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut passage: watch::Receiver<Passage>,
    way: Way,
) -> io::Result<()> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut piece).await?;
        let now = *passage.wait_for(|passage| lets_through(*passage, way)).await.map_err(io::Error::other)?;
        if let Passage::Open(delay) = now
            && !delay.is_zero()
        {
            sleep(delay).await;
        }
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(piece.get(..read).unwrap_or_default()).await?;
    }
}

fn lets_through(passage: Passage, way: Way) -> bool {
    match passage {
        Passage::Open(_) => true,
        Passage::AnswersHeld => way == Way::There,
        Passage::Stalled | Passage::Cut => false,
    }
}
