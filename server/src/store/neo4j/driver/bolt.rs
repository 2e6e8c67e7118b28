//! A connection of our own for transactions of several statements: a little of Bolt 4.4.
//!
//! The log grows through it. neo4rs would take six round trips where two do, hold back the end of every large request for 40 ms
//! (it leaves Nagle's algorithm on), cannot tell the server how long a transaction may live, and cannot close a connection
//! that is out of step, with which the server lets go of what it holds.

mod pack;
mod tls;
mod unpack;

use std::time::Duration;

use neo4rs::{BoltList, BoltMap, BoltType, Row};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};

pub(super) use self::tls::Security;
use super::{Failure, Statement};
use crate::store::StoreError;

/// What a connection begins with: who speaks, and that it is version 4.4.
const HANDSHAKE: [u8; 20] = [0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const VERSION: [u8; 4] = [0, 0, 4, 4];

const HELLO: u8 = 0x01;
const RUN: u8 = 0x10;
const BEGIN: u8 = 0x11;
const COMMIT: u8 = 0x12;
const ROLLBACK: u8 = 0x13;
const DISCARD: u8 = 0x2f;
const PULL: u8 = 0x3f;
const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;
const IGNORED: u8 = 0x7e;
const FAILURE: u8 = 0x7f;

/// How much is read at once.
const BUFFER: usize = 16 * 1024;
/// More than any answer that is asked for: what is longer is no answer.
const LONGEST: usize = 256 * 1024 * 1024;

/// Where Neo4j is, and how it lets us in.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) database: Option<String>,
}

/// Anything that bytes go through.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection. One that failed is dropped, which undoes what was not committed.
pub(super) struct Connection(BufReader<Box<dyn Stream>>);

/// Requests that go out together. The server answers one after the other, and ignores those after one that failed.
#[derive(Default)]
pub(super) struct Requests(Vec<u8>);

/// What a request led to: the rows before its end, and what the end says.
struct Answer {
    rows: Vec<BoltList>,
    end: BoltMap,
}

impl Connection {
    /// Connects and signs in.
    pub(super) async fn open(address: &Address) -> Result<Self, Failure> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        // What is written is whole, and is to go out at once.
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match address.security.connector()? {
            Some(connector) => Box::new(connector.connect(tls::name(&address.host)?, stream).await?),
            None => Box::new(stream),
        };
        let mut connection = Self(BufReader::with_capacity(BUFFER, stream));
        connection.0.write_all(&HANDSHAKE).await?;
        connection.0.flush().await?;
        let mut version = [0; 4];
        connection.0.read_exact(&mut version).await?;
        if version != VERSION {
            return Err(StoreError::Unavailable("what answers is no Neo4j that speaks Bolt 4.4".to_owned()).into());
        }
        let mut hello = Requests::default();
        let agent = concat!("i9chat-server/", env!("CARGO_PKG_VERSION"));
        hello.message(
            HELLO,
            &[map([
                ("user_agent", agent.into()),
                ("scheme", "basic".into()),
                ("principal", address.user.as_str().into()),
                ("credentials", address.password.as_str().into()),
            ])],
        )?;
        connection.send(hello).await?;
        connection.done().await?;
        Ok(connection)
    }

    /// Sends requests, in one piece.
    pub(super) async fn send(&mut self, requests: Requests) -> Result<(), Failure> {
        self.0.write_all(&requests.0).await?;
        Ok(self.0.flush().await?)
    }

    /// Receives that something was done.
    pub(super) async fn done(&mut self) -> Result<(), Failure> {
        self.answer().await.map(drop)
    }

    /// Receives the rows of a statement, of which RUN tells the columns and PULL the rest.
    pub(super) async fn rows(&mut self) -> Result<Vec<Row>, Failure> {
        let columns: BoltList = match self.answer().await?.end.value.remove("fields") {
            Some(BoltType::List(columns)) => columns,
            _ => return Err(confused("a statement without columns")),
        };
        let rows = self.answer().await?.rows;
        Ok(rows.into_iter().map(|row| Row::new(columns.clone(), row)).collect())
    }

    /// Receives the answer to one request.
    async fn answer(&mut self) -> Result<Answer, Failure> {
        let mut rows = Vec::new();
        loop {
            let message = self.message().await?;
            let (kind, said) = unpack::message(&message)?;
            match (kind, said) {
                (RECORD, BoltType::List(row)) => rows.push(row),
                (SUCCESS, BoltType::Map(end)) => return Ok(Answer { rows, end }),
                (FAILURE, BoltType::Map(failure)) => {
                    let said = |what| failure.get::<String>(what).unwrap_or_default();
                    return Err(Failure::of_server(&said("code"), &said("message")));
                }
                (IGNORED, _) => return Err(confused("an answer that was ignored")),
                _ => return Err(confused("an answer of another kind")),
            }
        }
    }

    /// Receives a message: pieces with their lengths, up to an empty one.
    async fn message(&mut self) -> Result<Vec<u8>, Failure> {
        let mut message = Vec::new();
        loop {
            let length = usize::from(self.0.read_u16().await?);
            if length == 0 && message.is_empty() {
                // Says only that the server is alive.
                continue;
            }
            if length == 0 {
                return Ok(message);
            }
            let start = message.len();
            if start + length > LONGEST {
                return Err(confused("an answer without an end"));
            }
            message.resize(start + length, 0);
            let piece = message.get_mut(start..).ok_or_else(|| confused("an answer of no length"))?;
            self.0.read_exact(piece).await?;
        }
    }
}

impl Requests {
    /// Begins a transaction, which the server ends after that time.
    pub(super) fn begin(&mut self, time: Duration, database: Option<&str>) -> Result<(), Failure> {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let database = database.map(|database| ("db", database.into()));
        self.message(BEGIN, &[map([("tx_timeout", time.into())].into_iter().chain(database))])
    }

    /// Runs a statement for its rows.
    pub(super) fn pull(&mut self, statement: Statement) -> Result<(), Failure> {
        self.run(statement)?;
        self.message(PULL, &[map([("n", (-1).into())])])
    }

    /// Runs a statement for what it does.
    pub(super) fn discard(&mut self, statement: Statement) -> Result<(), Failure> {
        self.run(statement)?;
        self.message(DISCARD, &[map([("n", (-1).into())])])
    }

    pub(super) fn commit(&mut self) -> Result<(), Failure> {
        self.message(COMMIT, &[])
    }

    pub(super) fn rollback(&mut self) -> Result<(), Failure> {
        self.message(ROLLBACK, &[])
    }

    fn run(&mut self, statement: Statement) -> Result<(), Failure> {
        let (text, parameters) = statement.into_parts();
        self.message(RUN, &[text.into(), BoltType::Map(parameters), map([])])
    }

    fn message(&mut self, kind: u8, fields: &[BoltType]) -> Result<(), Failure> {
        let message = pack::message(kind, fields)?;
        for piece in message.chunks(usize::from(u16::MAX)) {
            let length = u16::try_from(piece.len()).unwrap_or(u16::MAX);
            self.0.extend(length.to_be_bytes());
            self.0.extend_from_slice(piece);
        }
        self.0.extend([0, 0]);
        Ok(())
    }
}

fn map(entries: impl IntoIterator<Item = (&'static str, BoltType)>) -> BoltType {
    BoltType::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// What was heard makes no sense: the connection is out of step.
fn confused(what: &str) -> Failure {
    Failure::Lost(format!("the connection to Neo4j: {what}"))
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::ConnectionRefused {
            return Self::Again(format!("Neo4j cannot be reached: {error}"));
        }
        Self::Lost(format!("the connection to Neo4j: {error}"))
    }
}
