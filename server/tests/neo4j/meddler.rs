//! A link that does something to the next commit that goes through it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// A whole message: COMMIT, as the driver sends it.
const COMMIT: [u8; 6] = [0, 2, 0xb0, 0x12, 0, 0];

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Meddling {
    /// It goes through.
    None = 0,
    /// It arrives, and the connection ends before the answer.
    Answer = 1,
    /// The connection ends before it arrives.
    Commit = 2,
    /// It does not arrive, and nothing ends: both sides wait.
    Silence = 3,
}

/// A link to Neo4j.
pub struct Meddler {
    pub address: SocketAddr,
    next: Arc<AtomicU8>,
    accepting: JoinHandle<()>,
}

impl Meddler {
    pub async fn to(there: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let next = Arc::new(AtomicU8::new(0));
        let meddling = Arc::clone(&next);
        let accepting = tokio::spawn(async move {
            // Ends what it started when it is aborted.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, there.clone(), Arc::clone(&meddling)));
            }
        });
        Self { address, next, accepting }
    }

    /// Meddles with the next commit, once.
    pub fn meddle(&self, meddling: Meddling) {
        self.next.store(meddling as u8, Ordering::SeqCst);
    }

    /// Whether it has been done.
    pub fn is_done(&self) -> bool {
        self.next.load(Ordering::SeqCst) == Meddling::None as u8
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(near: TcpStream, there: String, next: Arc<AtomicU8>) {
    let Ok(far) = TcpStream::connect(there).await else { return };
    let (mut near_says, mut near_hears) = near.into_split();
    let (mut far_says, mut far_hears) = far.into_split();
    let there = async {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = near_says.read(&mut piece).await.unwrap_or(0);
            let said = piece.get(..read).unwrap_or_default();
            // It comes with the last statement of its transaction.
            let before = said.strip_suffix(&COMMIT);
            let meddling = if before.is_some() { next.swap(0, Ordering::SeqCst) } else { 0 };
            let heard = match meddling {
                2 | 3 => before.unwrap_or_default(),
                _ => said,
            };
            if read == 0 || far_hears.write_all(heard).await.is_err() {
                return None;
            }
            match meddling {
                1 => return Some(()),
                2 => return None,
                3 => std::future::pending().await,
                _ => {}
            }
        }
    };
    let back = async { tokio::io::copy(&mut far_says, &mut near_hears).await.map(drop) };
    // Whatever ends first ends both connections.
    let commit_arrives = tokio::select! {
        there = there => there.is_some(),
        _ = back => false,
    };
    if commit_arrives {
        // That of the statement, of its end, and of the commit. Nobody else hears of them.
        for _ in 0..3 {
            skip_answer(&mut far_says).await;
        }
    }
}

/// Reads a message: pieces with their lengths, up to an empty one.
async fn skip_answer(says: &mut (impl AsyncReadExt + Unpin)) {
    while let Ok(length @ 1..) = says.read_u16().await {
        let mut piece = vec![0; usize::from(length)];
        says.read_exact(&mut piece).await.expect("an answer that ends early");
    }
}
