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
/// Another: RUN, with a statement that has no parameters and leads to a row of this name.
const RUN: [u8; 24] = *b"\x00\x14\xb3\x10\x8fRETURN 0 AS eot\xa0\xa0\x00\x00";
const NAME: &[u8] = b"eot";

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
        let mut end = Vec::new();
        loop {
            let read = near_says.read(&mut piece).await.unwrap_or(0);
            let said = piece.get(..read).unwrap_or_default();
            // It may come with what its transaction says last, alone, or in parts; nothing follows until it is answered.
            end.extend_from_slice(said);
            end.drain(..end.len().saturating_sub(COMMIT.len()));
            let meddling = if read > 0 && end == COMMIT { next.swap(0, Ordering::SeqCst) } else { 0 };
            let heard = match meddling {
                2 | 3 => said.get(..read.saturating_sub(COMMIT.len())).unwrap_or_default(),
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
        // Nobody else hears an answer any more. What is asked after the commit is answered after it.
        far_hears.write_all(&RUN).await.unwrap();
        skip_up_to(NAME, &mut far_says).await;
    }
}

/// Reads until this was said.
async fn skip_up_to(last: &[u8], says: &mut (impl AsyncReadExt + Unpin)) {
    let mut end = Vec::new();
    while end != last {
        end.push(says.read_u8().await.expect("an answer that ends early"));
        end.drain(..end.len().saturating_sub(last.len()));
    }
}
