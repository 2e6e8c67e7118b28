//! The i9chat server as a program: `i9chat-server --help` says what it can be told.

use std::{path::Path, process::ExitCode};

use anyhow::{Context, anyhow};
use i9chat_server::{
    config::{self, Config, ConfigError, StackConfig, Task},
    http, migrate,
    node::{self, Node},
    program,
    store::neo4j::Neo4jStore,
};

/// Gives the 19 MiB of a password hash back to the machine when it is done, where the system's allocator keeps them in every thread's
/// arena: half a gigabyte after a few sign-ins.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a program that was told something wrong.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    // Two providers may be compiled in; rustls panics at the first use unless one is chosen.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("i9chat-server: a provider of cryptography is installed already");
    }
    match config::read(std::env::args_os()) {
        Ok((task, config)) => match run(task, &config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("i9chat-server: {error:#}");
                ExitCode::FAILURE
            }
        },
        // Help and version come this way too.
        Err(ConfigError::CommandLine(error)) => error.exit(),
        Err(error) => {
            eprintln!("i9chat-server: {error}");
            ExitCode::from(WRONG_USE)
        }
    }
}

fn run(task: Option<Task>, config: &Config) -> anyhow::Result<()> {
    program::start_log(&config.log);
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(async {
        match task {
            None => serve(config).await,
            Some(Task::NewEpoch) => new_epoch(config).await,
            Some(Task::Healthcheck) => Ok(program::health::ask(config.listen).await?),
            Some(Task::Migrate) => Ok(migrate::migrate(config, &|line| println!("{line}")).await?),
            Some(Task::Reference { check }) => reference(check.as_deref()),
        }
    })
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    program::allow_open_files(config);
    let metrics = http::install_metrics()?;
    let node = Box::pin(Node::start(program::node_config(config)?, metrics)).await?;
    print!("{}", program::greeting(config, node.address()));
    tracing::info!(address = %node.address(), "the server is ready");
    program::told_to_stop().await.context("the signals to stop cannot be heard")?;
    tracing::info!("the server stops");
    node.stop().await;
    Ok(())
}

fn reference(check: Option<&Path>) -> anyhow::Result<()> {
    let reference = config::reference();
    let Some(file) = check else {
        print!("{reference}");
        return Ok(());
    };
    let stands = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    if stands != reference {
        return Err(anyhow!("{} is stale: run `i9chat-server reference > {0}`", file.display()));
    }
    Ok(())
}

async fn new_epoch(config: &Config) -> anyhow::Result<()> {
    match &config.stack {
        StackConfig::Embedded => new_epoch_of_folder(config).await?,
        StackConfig::ScaleOut(shared) => Neo4jStore::new_epoch(shared.store.as_str()).await?,
    }
    println!("The log has a new epoch. Clients will read anew what they hold.");
    Ok(())
}

async fn new_epoch_of_folder(config: &Config) -> anyhow::Result<()> {
    // Making a new log would hide that the wrong folder was named.
    let database = node::database(&config.data);
    if !database.exists() {
        return Err(anyhow!("there is no database {}; name its folder with --data", database.display()));
    }
    let _lock = node::lock_data(&config.data)?;
    Ok(node::open_store(&config.data)?.new_epoch().await?)
}
