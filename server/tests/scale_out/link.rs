//! A link between a server and what it uses, which a test can cut, stall and slow down.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Bytes by which a moment is known: a small message.
pub type Sign = [u8; 6];

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
    gate: Arc<Gate>,
    accepting: JoinHandle<()>,
}

/// What all connections of a link go through.
struct Gate {
    passage: watch::Sender<Passage>,
    /// How often all of them were ended.
    resets: watch::Sender<u64>,
    trap: Mutex<Option<Trap>>,
    /// How many connections it ended as soon as they came.
    refused: AtomicUsize,
}

/// Changes what is let through at a certain moment.
struct Trap {
    sign: Sign,
    then: Passage,
    sprung: oneshot::Sender<()>,
}

impl Link {
    /// A link that lets everything through to `host:port`.
    pub async fn to(there: impl Into<String>) -> io::Result<Self> {
        let there = there.into();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let passage = watch::Sender::new(Passage::FREE);
        let gate = Arc::new(Gate {
            passage,
            resets: watch::Sender::default(),
            trap: Mutex::default(),
            refused: AtomicUsize::new(0),
        });
        let through = Arc::clone(&gate);
        let accepting = tokio::spawn(async move {
            // Ends what it started when it is aborted.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                if *through.passage.borrow() == Passage::Cut {
                    through.refused.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                connections.spawn(carry(near, there.clone(), Arc::clone(&through)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, gate, accepting })
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what it lets through, on all its connections.
    pub fn set(&self, passage: Passage) {
        self.gate.passage.send_replace(passage);
    }

    /// Ends all its connections, with what waits in them, and lets new ones through.
    pub fn reset(&self) {
        self.gate.resets.send_modify(|resets| *resets += 1);
        self.set(Passage::FREE);
    }

    /// How many connections it ended as soon as they came, because it was cut.
    pub fn refused(&self) -> usize {
        self.gate.refused.load(Ordering::Relaxed)
    }

    /// Changes it as soon as this sign is on its way there, before the piece with its last byte is let through. What is answered
    /// ends when that has happened.
    pub fn set_before(&self, sign: Sign, then: Passage) -> oneshot::Receiver<()> {
        let (sprung, happened) = oneshot::channel();
        *self.gate.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(Trap { sign, then, sprung });
        happened
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

impl Gate {
    /// A piece is on its way there, after the end of what went before it on its connection: a sign may have begun in that.
    fn seen(&self, end: &mut Vec<u8>, piece: &[u8]) {
        end.extend_from_slice(piece);
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |trap: &mut Trap| end.windows(trap.sign.len()).any(|part| part == trap.sign);
        if let Some(Trap { then, sprung, .. }) = trap.take_if(is_it) {
            self.passage.send_replace(then);
            // Whoever set it may not wait for it.
            sprung.send(()).ok();
        }
        // No whole sign: what was seen is not seen again.
        end.drain(..end.len().saturating_sub(size_of::<Sign>() - 1));
    }
}

async fn carry(near: TcpStream, there: String, gate: Arc<Gate>) {
    let (mut until_cut, mut until_reset) = (gate.passage.subscribe(), gate.resets.subscribe());
    let both = async {
        let far = TcpStream::connect(there).await?;
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let (near_says, near_hears) = near.into_split();
        let (far_says, far_hears) = far.into_split();
        tokio::try_join!(pass(near_says, far_hears, &gate, Way::There), pass(far_says, near_hears, &gate, Way::Back),)?;
        io::Result::Ok(())
    };
    tokio::select! {
        biased;
        // Both ends see for themselves that the connection is gone.
        _ = until_cut.wait_for(|passage| *passage == Passage::Cut) => {}
        _ = until_reset.changed() => {}
        _ = both => {}
    }
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    gate: &Gate,
    way: Way,
) -> io::Result<()> {
    let mut passage = gate.passage.subscribe();
    let mut piece = vec![0; 64 * 1024];
    let mut end = Vec::new();
    loop {
        let read = from.read(&mut piece).await?;
        if way == Way::There {
            gate.seen(&mut end, piece.get(..read).unwrap_or_default());
        }
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
