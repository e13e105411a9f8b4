//! `cargo xtask test`: every test of the project, exactly as CI runs them.
#![forbid(unsafe_code)]

mod packages;
mod steps;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Tests and chores of the acrida project")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test, installing the Debian packages they need (as root) or naming them
    Test {
        /// Only the steps whose names contain this
        #[arg(long)]
        only: Option<String>,
        /// Also the long soaks: half an hour
        #[arg(long)]
        soak: bool,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Test { only, soak } => steps::run(only.as_deref(), soak),
    }
}
