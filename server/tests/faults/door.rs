//! What stands in front of the nodes, as a proxy does that watches their health.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// A place on the loopback interface whose connections lead to one of the nodes each. It ends with this value.
pub struct Door {
    address: SocketAddr,
    /// How often everybody was called back.
    calls: watch::Sender<u64>,
    accepting: JoinHandle<()>,
}

impl Door {
    /// One to nodes of these addresses, which are tried in this order.
    pub async fn to(nodes: Vec<String>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (calls, called) = watch::channel(0);
        let nodes: Arc<[String]> = nodes.into();
        let accepting = tokio::spawn(async move {
            // Ends what it started when it is aborted.
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, Arc::clone(&nodes), called.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, calls, accepting })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the connections to all nodes but the first: who had one comes back to that.
    pub fn call_back(&self) {
        self.calls.send_modify(|calls| *calls += 1);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut near: TcpStream, nodes: Arc<[String]>, mut called: watch::Receiver<u64>) {
    let before = *called.borrow();
    for (place, node) in nodes.iter().enumerate() {
        let Ok(mut far) = TcpStream::connect(node).await else { continue };
        // Without it the connection is only slower.
        drop((near.set_nodelay(true), far.set_nodelay(true)));
        tokio::select! {
            _ = called.wait_for(|now| place > 0 && *now != before) => {}
            _ = copy_bidirectional(&mut near, &mut far) => {}
        }
        return;
    }
}
