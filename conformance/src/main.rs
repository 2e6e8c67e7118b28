//! Proves from outside whether a server speaks i9chat.

use std::process::ExitCode;

use clap::Parser;
use i9chat_conformance::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().execute()
}
