//! Moving what an embedded server holds to a database that several nodes share. It can be broken off at any moment and run again; it
//! ends with a comparison of everything. The log stays the same log, so clients go on from the cursors that they have.

mod bytes;
mod verify;

pub use self::bytes::copy_media;

use crate::{
    auth::keys::{KeyError, ServerKey},
    config::{Config, MediaConfig, StackConfig},
    ids::SystemIds,
    media::MediaError,
    node::{self, StartError, moved},
    store::{
        LogHead, LogStore, StoreError,
        neo4j::{ImportError, Neo4jImport, Neo4jStore, Progress},
        sqlite::SqliteStore,
        transfer::{LogFacts, Mark, Page, Table},
    },
};

/// How many rows are written in one transaction.
const AT_ONCE: usize = 500;
/// After how many rows it is said how far it is.
const TOLD_EVERY: u64 = 100_000;

/// Why not everything was moved.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// There is nowhere to move to.
    #[error("say where to move everything with --store and --bus")]
    NoTarget,
    /// There is nothing to move.
    #[error("there is no database {0}; name its folder with --data")]
    NoSource(String),
    /// The data folder cannot be used.
    #[error(transparent)]
    Source(#[from] StartError),
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The source cannot be read, or the target not at the end.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target cannot be filled.
    #[error(transparent)]
    Target(#[from] ImportError),
    /// The bytes of media cannot be read or stored.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// What arrived is not what was sent.
    #[error(
        "what arrived is not what was sent: {0}; no server starts on that database: empty it and start anew; the data folder is as \
         it was"
    )]
    Different(String),
}

/// Moves everything that the data folder holds, and says on the way how far it is.
pub async fn migrate(config: &Config, say: &(dyn Fn(String) + Sync)) -> Result<(), MigrateError> {
    let StackConfig::ScaleOut(target) = &config.stack else { return Err(MigrateError::NoTarget) };
    // Making a new log would hide that the wrong folder was named.
    let database = node::database(&config.data);
    if !database.exists() {
        return Err(MigrateError::NoSource(database.display().to_string()));
    }
    let _lock = node::lock_data(&config.data)?;
    let source = node::open_store_to_move(&config.data)?;
    let key = ServerKey::load_or_create(&config.data, &SystemIds)?;
    let facts = source.log_facts().await?;

    let url = target.store.as_str();
    let place = target.store_place();
    let unmarked = |error| StartError::Data { folder: config.data.clone(), error };
    let mut import = match Neo4jImport::begin(url, facts).await {
        // A run that was broken off after its end, before it could say so.
        Err(ImportError::NotEmpty) if Neo4jImport::is_finished(url, facts, node::SERVER_KEY, &key.reveal()).await? => {
            moved::set_mark(&config.data, &place).map_err(unmarked)?;
            say("It was moved and compared before. Start the nodes.".to_owned());
            return Ok(());
        }
        begun => begun?,
    };
    match moved::moved_to(&config.data).map_err(unmarked)? {
        // Set by a run that was broken off at its very end; this one may still find a difference.
        Some(earlier) if earlier == place => moved::remove_mark(&config.data).map_err(unmarked)?,
        Some(earlier) => {
            say(format!("Everything here was moved before, to {earlier}: what came there since stays there."));
        }
        None => {}
    }
    if import.progress() != Progress::before(Some(Table::Cells)) {
        say("It goes on where it was broken off.".to_owned());
    }
    copy(&source, &mut import, say).await?;
    match &config.media {
        MediaConfig::Gcs(options) => copy_media(&source, &config.data, &key, options, say).await?,
        MediaConfig::Disk => say(format!("The bytes of media stay in {}.", config.data.join("media").display())),
    }
    verify::verify(&source, &import, facts, say).await?;
    // As long as no node can start there: from then on it grows.
    import.settle(node::SERVER_KEY, &key.reveal()).await?;
    check_as_a_server_would(&import.as_servers_will().await?, facts, &key).await?;
    // Before a node can start there, so that at no moment a server can start on either side.
    moved::set_mark(&config.data, &place).map_err(unmarked)?;
    import.finish().await?;
    say("Everything is there and compared. Start the nodes; no server starts on this data folder any more.".to_owned());
    Ok(())
}

/// Copies the rows that are missing.
async fn copy(
    source: &SqliteStore,
    import: &mut Neo4jImport,
    say: &(dyn Fn(String) + Sync),
) -> Result<(), MigrateError> {
    while let Progress { table: Some(table), mark } = import.progress() {
        let count = source.count(table).await?;
        if mark == Mark::START {
            say(format!("{}: {count}", table.name()));
        }
        let mut copied = 0;
        let mut mark = mark;
        loop {
            let Page { rows, next } = source.export(table, mark, AT_ONCE).await?;
            let then = match next {
                Some(mark) => Progress { table: Some(table), mark },
                None => Progress::before(table.next()),
            };
            import.write(table, &rows, then).await?;
            let before = copied;
            copied += rows.len() as u64;
            if before / TOLD_EVERY != copied / TOLD_EVERY {
                say(format!("  {copied} more of {count}"));
            }
            match next {
                Some(next) => mark = next,
                None => break,
            }
        }
    }
    Ok(())
}

/// Looks at the target as its servers will.
async fn check_as_a_server_would(store: &Neo4jStore, facts: LogFacts, key: &ServerKey) -> Result<(), MigrateError> {
    let LogHead { epoch, place } = store.head().await?;
    if (epoch, place) != (facts.epoch, facts.head) {
        return Err(MigrateError::Different("the log ends elsewhere".to_owned()));
    }
    let other = ServerKey::generate(&SystemIds).reveal();
    if store.shared_secret(node::SERVER_KEY, &other).await? != key.reveal() {
        return Err(MigrateError::Different("the nodes have another key".to_owned()));
    }
    Ok(())
}
