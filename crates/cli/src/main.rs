//! The `acrida` command.
#![forbid(unsafe_code)]

mod run;

use anyhow::Context;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a program on a kernel of its own
    Run(run::RunArgs),
    Bench(acrida_bench::BenchArgs),
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let result = match command {
        Command::Run(args) => run::run(&args),
        Command::Bench(args) => bench(args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("acrida: {error:#}");
            ExitCode::from(125)
        }
    }
}

/// The worlds that it measures are made by this very command.
fn bench(args: acrida_bench::BenchArgs) -> anyhow::Result<ExitCode> {
    let acrida = std::env::current_exe().context("finding this program's own file")?;
    acrida_bench::main(args, &acrida)
}
