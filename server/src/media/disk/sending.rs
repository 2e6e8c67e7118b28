use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;

use super::{Held, blocking, files::Files, turns::Turns};
use crate::media::{MediaError, PartName};

/// What became of beginning.
#[derive(Debug)]
pub enum Begun {
    /// Every byte is there already: nothing more is taken.
    Whole,
    /// Bytes may come.
    Open(Sending),
}

/// One sender of bytes, for as long as nobody else begins to send the same part.
#[derive(Debug, Clone)]
pub struct Sending {
    files: Files,
    turns: Arc<Turns>,
    turn: u64,
    file: Arc<File>,
    name: PartName,
    session: u64,
    size: u64,
    held: u64,
}

impl Sending {
    /// Blocks.
    pub(super) fn begin(files: Files, name: PartName, session: u64, size: u64) -> io::Result<Begun> {
        if files.whole(name).try_exists()? {
            return Ok(Begun::Whole);
        }
        files.make_folder(name.media_id)?;
        let turns = Arc::new(Turns::open(&files.turns(name))?);
        let mut locked = turns.lock()?;
        if files.whole(name).try_exists()? {
            return Ok(Begun::Whole);
        }
        let turn = locked.take()?;
        files.remove_other_starts(name, session)?;
        let file = OpenOptions::new().create(true).append(true).open(files.growing(name, session))?;
        let held = file.metadata()?.len();
        drop(locked);
        let sending = Self { files, turns, turn, file: Arc::new(file), name, session, size, held };
        // The server ended between the last byte and the settling.
        if held == size {
            sending.settle_in_turn()?;
            return Ok(Begun::Whole);
        }
        Ok(Begun::Open(sending))
    }

    /// How many bytes were there when it began, and have come since.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Takes the bytes that follow. `false`, and they are not taken, when somebody else sends the part now. They must not
    /// exceed its size.
    pub async fn write(&mut self, pieces: Vec<Bytes>) -> Result<bool, MediaError> {
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let this = self.clone();
        let written = blocking(move || {
            let locked = this.turns.lock()?;
            if locked.turn != this.turn {
                return Ok(false);
            }
            for piece in &pieces {
                (&*this.file).write_all(piece)?;
            }
            Ok(true)
        })
        .await?;
        if written {
            self.held += length;
        }
        Ok(written)
    }

    /// Makes everything durable that has come, and settles the part when every byte is there.
    pub async fn finish(self) -> Result<Held, MediaError> {
        blocking(move || self.settle_in_turn()).await
    }

    fn settle_in_turn(&self) -> io::Result<Held> {
        self.file.sync_data()?;
        let locked = self.turns.lock()?;
        if self.files.whole(self.name).try_exists()? {
            return Ok(Held::Whole);
        }
        let held = self.file.metadata()?.len();
        if locked.turn != self.turn {
            // Whoever sends now may have removed the file.
            return Ok(Held::Bytes(if self.files.growing(self.name, self.session).try_exists()? { held } else { 0 }));
        }
        if held == self.size {
            self.files.settle(self.name, self.session)?;
        }
        self.files.sync_names(self.name.media_id)?;
        Ok(if held == self.size { Held::Whole } else { Held::Bytes(held) })
    }
}
