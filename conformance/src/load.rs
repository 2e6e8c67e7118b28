//! The load generator: `load direct`, `load group`, `load mixed`, `load chats`, `load idle` and `load resume`.
//!
//! It runs on one thread, so that it can be pinned to one core while the server has the other, and it is bounded in
//! count and in time. It counts exactly: every message carries who sent it and which of theirs it is, so that what is
//! lost, doubled or out of order is found and not guessed.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use url::Url;

mod accounts;
mod api;
mod chats;
mod descriptors;
mod direct;
mod error;
mod founding;
mod group;
mod idle;
mod ledger;
mod line;
mod memory;
mod mixed;
mod pace;
mod places;
mod process;
mod report;
mod resume;
mod scan;
mod socket;
mod target;
mod wire;

pub use error::LoadError;
pub use report::{LatencyMs, Report};

/// The arguments of `load`.
#[derive(Debug, Args)]
pub struct LoadArgs {
    #[command(subcommand)]
    command: LoadCommand,
}

#[derive(Debug, Subcommand)]
enum LoadCommand {
    /// Pairs of users send each other messages as fast as the server takes them, or at a rate.
    Direct(DirectArgs),
    /// A few members of one group send as fast as all members, who are online, get it.
    Group(GroupArgs),
    /// Everything that people do, at once and at a rate, for long: what goes wrong after a while?
    Mixed(MixedArgs),
    /// A user in very many chats comes online, reads the list, and comes back after missing a few messages.
    Chats(ChatsArgs),
    /// Opens many connections, holds them, and says what each costs the server in memory.
    Idle(IdleArgs),
    /// Many connections that missed events come back at once.
    Resume(ResumeArgs),
}

/// What every kind of load needs.
#[derive(Debug, Args)]
struct CommonArgs {
    /// Where the server is
    #[arg(
        long = "url",
        value_name = "URL",
        required = true,
        help = "Where the server is, such as http://127.0.0.1:8080; several are nodes of one server, which connections take in turn"
    )]
    urls: Vec<Url>,
    /// Allow a server that is not on this machine. Load on a server that is not yours is an attack
    #[arg(long)]
    allow_remote: bool,
    /// Keep the accounts in this file and use them again: signing up costs the server a password hash each
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Write the figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Receive the server's mail here, such as 127.0.0.1:2525, where its --smtp-url points
    #[arg(long, value_name = "ADDRESS", conflicts_with = "mail_command")]
    smtp_listen: Option<SocketAddr>,
    /// For servers that send mail elsewhere: a command that is run with an address and prints the newest mail to it
    #[arg(long, value_name = "COMMAND")]
    mail_command: Option<String>,
}

#[derive(Debug, Args)]
struct DirectArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many users send; each has a partner among them and one connection
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=20_000), default_value_t = 64)]
    senders: u32,
    /// How long to send, in seconds
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3600), default_value_t = 10)]
    seconds: u32,
    /// How many messages each sender has unacknowledged at most [default: 1, or 1000 with --rate]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    window: Option<u32>,
    /// Send this many messages a second in all, whatever the server does; latency counts from when each was due
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
}

#[derive(Debug, Args)]
struct GroupArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many members the group has; each has one connection
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=20_000))]
    members: u32,
    /// How many of them send
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20_000), default_value_t = 4)]
    senders: u32,
    /// How long to send, in seconds
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3600), default_value_t = 10)]
    seconds: u32,
    /// How many messages of each sender are under way at most: one is until it is acknowledged and every member has it
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), default_value_t = 4)]
    window: u32,
    /// The server's process, to read its processor time from /proc
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct MixedArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many people there are; each has a direct chat with a neighbour and one connection
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=20_000), default_value_t = 64)]
    people: u32,
    /// How many groups there are
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), default_value_t = 16)]
    groups: u32,
    /// How many members each group has
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=5000), default_value_t = 16)]
    group_size: u32,
    /// How many things are done a second, of all people together
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = 1000)]
    rate: u32,
    /// How long, in seconds
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=86_400), default_value_t = 600)]
    duration: u32,
    /// The server's process, to read its memory from /proc
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct ChatsArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many chats the user is in; those that are there already from an earlier run are used again
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = 10_000)]
    chats: u32,
    /// How many of the chats get a message while the user is away
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200), default_value_t = 10)]
    missed: u32,
    /// How often each thing is measured
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000), default_value_t = 20)]
    times: u32,
}

#[derive(Debug, Args)]
struct IdleArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many connections to open
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    connections: u32,
    /// How many connections each user has [default: as many as the server allows]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    connections_per_user: Option<u32>,
    /// How long to hold them, answering pings, in seconds
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=86_400), default_value_t = 10)]
    hold_seconds: u32,
    /// The server's process, to read its memory from /proc; otherwise it is asked for at /metrics
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
}

#[derive(Debug, Args)]
struct ResumeArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// How many connections come back
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    connections: u32,
    /// How many connections each user has
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    connections_per_user: u32,
    /// How many messages each of them missed
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    missed: u32,
}

/// Puts the load on the server, prints a table, and writes the JSON file if one was asked for. Blocks until it is done;
/// it has a runtime of its own, of one thread, so it must not be called from within another.
pub fn run(args: LoadArgs) -> Result<Report, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LoadError::Runtime)?;
    let local = tokio::task::LocalSet::new();
    let (json, measured) = match args.command {
        LoadCommand::Direct(args) => (args.common.json.clone(), local.block_on(&runtime, direct::run(args))),
        LoadCommand::Group(args) => (args.common.json.clone(), local.block_on(&runtime, group::run(args))),
        LoadCommand::Mixed(args) => (args.common.json.clone(), local.block_on(&runtime, mixed::run(args))),
        LoadCommand::Chats(args) => (args.common.json.clone(), local.block_on(&runtime, chats::run(args))),
        LoadCommand::Idle(args) => (args.common.json.clone(), local.block_on(&runtime, idle::run(args))),
        LoadCommand::Resume(args) => (args.common.json.clone(), local.block_on(&runtime, resume::run(args))),
    };
    let report = measured?;
    print!("{report}");
    if let Some(path) = json {
        report.write_json(&path)?;
    }
    Ok(report)
}
