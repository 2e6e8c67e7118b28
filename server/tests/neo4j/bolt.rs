//! A little of Bolt 4.4 by hand: the driver shows no plans, and a test must be able to be a client that goes silent.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Map, Value, json};
use url::Url;

const HELLO: u8 = 0x01;
const RUN: u8 = 0x10;
const BEGIN: u8 = 0x11;
const PULL: u8 = 0x3f;
const SUCCESS: u8 = 0x70;
const RECORD: u8 = 0x71;

/// A connection.
pub struct Bolt(TcpStream);

/// What a statement led to.
#[derive(Debug)]
pub struct Outcome {
    /// The values of its rows.
    pub rows: Vec<Vec<Value>>,
    /// What the server says about it at the end: its plan, if it was explained.
    pub summary: Value,
}

impl Bolt {
    pub fn connect(url: &str) -> io::Result<Self> {
        let url = Url::parse(url).map_err(io::Error::other)?;
        let stream = TcpStream::connect((url.host_str().unwrap(), url.port().unwrap()))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut bolt = Self(stream);
        bolt.0.write_all(&[0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut version = [0; 4];
        bolt.0.read_exact(&mut version)?;
        assert_eq!(version, [0, 0, 4, 4]);
        let hello = json!({
            "user_agent": "i9chat-test/1", "scheme": "basic", "principal": url.username(),
            "credentials": url.password().unwrap_or_default(),
        });
        bolt.ask(HELLO, &[hello])?;
        Ok(bolt)
    }

    /// Begins a transaction, which stays open until the connection ends.
    pub fn begin(&mut self) -> io::Result<()> {
        self.ask(BEGIN, &[json!({})]).map(drop)
    }

    /// Runs a statement to its end.
    pub fn run(&mut self, statement: &str, parameters: Value) -> io::Result<Outcome> {
        self.ask(RUN, &[statement.into(), parameters, json!({})])?;
        self.ask(PULL, &[json!({"n": -1})])
    }

    fn ask(&mut self, message: u8, fields: &[Value]) -> io::Result<Outcome> {
        let mut bytes = vec![0xb0 | u8::try_from(fields.len()).unwrap(), message];
        for field in fields {
            pack(&mut bytes, field);
        }
        for chunk in bytes.chunks(0xffff) {
            self.0.write_all(&u16::try_from(chunk.len()).unwrap().to_be_bytes())?;
            self.0.write_all(chunk)?;
        }
        self.0.write_all(&[0, 0])?;
        let mut rows = Vec::new();
        loop {
            let message = self.message()?;
            let mut rest = message.get(2..).unwrap_or_default();
            let said = unpack(&mut rest)?;
            match message.get(1) {
                Some(&SUCCESS) => return Ok(Outcome { rows, summary: said }),
                Some(&RECORD) => rows.push(said.as_array().cloned().unwrap_or_default()),
                _ => return Err(io::Error::other(said.to_string())),
            }
        }
    }

    fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut message = Vec::new();
        loop {
            let mut length = [0; 2];
            self.0.read_exact(&mut length)?;
            let length = usize::from(u16::from_be_bytes(length));
            if length == 0 && !message.is_empty() {
                return Ok(message);
            }
            let start = message.len();
            message.resize(start + length, 0);
            self.0.read_exact(&mut message[start..])?;
        }
    }
}

fn pack(bytes: &mut Vec<u8>, value: &Value) {
    let mut sized = |marker: u8, length: usize| {
        bytes.push(marker);
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
    };
    match value {
        Value::Null => bytes.push(0xc0),
        Value::Bool(truth) => bytes.push(if *truth { 0xc3 } else { 0xc2 }),
        Value::Number(number) => {
            bytes.push(0xcb);
            bytes.extend(number.as_i64().expect("only whole numbers are sent").to_be_bytes());
        }
        Value::String(text) => {
            sized(0xd2, text.len());
            bytes.extend(text.as_bytes());
        }
        Value::Array(values) => {
            sized(0xd6, values.len());
            for value in values {
                pack(bytes, value);
            }
        }
        Value::Object(entries) => {
            sized(0xda, entries.len());
            for (key, value) in entries {
                pack(bytes, &Value::from(key.as_str()));
                pack(bytes, value);
            }
        }
    }
}

fn unpack(bytes: &mut &[u8]) -> io::Result<Value> {
    let marker = take::<1>(bytes)?[0];
    Ok(match marker {
        0xc0 => Value::Null,
        0xc1 => json!(f64::from_be_bytes(take(bytes)?)),
        0xc2 => false.into(),
        0xc3 => true.into(),
        0xc8 => i8::from_be_bytes(take(bytes)?).into(),
        0xc9 => i16::from_be_bytes(take(bytes)?).into(),
        0xca => i32::from_be_bytes(take(bytes)?).into(),
        0xcb => i64::from_be_bytes(take(bytes)?).into(),
        0x80..=0x8f | 0xd0..=0xd2 => {
            let length = length(marker, 0x80, 0xd0, bytes)?;
            let (text, rest) = bytes.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
            *bytes = rest;
            String::from_utf8_lossy(text).into_owned().into()
        }
        0x90..=0x9f | 0xd4..=0xd6 => {
            let length = length(marker, 0x90, 0xd4, bytes)?;
            (0..length).map(|_| unpack(bytes)).collect::<io::Result<Vec<_>>>()?.into()
        }
        0xa0..=0xaf | 0xd8..=0xda => {
            let length = length(marker, 0xa0, 0xd8, bytes)?;
            let mut entries = Map::new();
            for _ in 0..length {
                let key = unpack(bytes)?.as_str().unwrap_or_default().to_owned();
                entries.insert(key, unpack(bytes)?);
            }
            entries.into()
        }
        // Small whole numbers are their own marker.
        0x00..=0x7f | 0xf0..=0xff => i8::from_be_bytes([marker]).into(),
        _ => return Err(io::Error::other(format!("a value that begins with {marker:#x}"))),
    })
}

/// How long something is: in its marker when it is short, else in the one, two or four bytes after it.
fn length(marker: u8, short: u8, long: u8, bytes: &mut &[u8]) -> io::Result<usize> {
    Ok(match marker.checked_sub(long) {
        Some(0) => usize::from(u8::from_be_bytes(take(bytes)?)),
        Some(1) => usize::from(u16::from_be_bytes(take(bytes)?)),
        Some(2) => usize::try_from(u32::from_be_bytes(take(bytes)?)).map_err(io::Error::other)?,
        _ => usize::from(marker - short),
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> io::Result<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(io::ErrorKind::UnexpectedEof)?;
    *bytes = rest;
    Ok(*taken)
}
