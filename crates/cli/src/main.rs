//! The `acrida` command: makes worlds, watches them, tells about them.
#![forbid(unsafe_code)]

mod cache;
mod calls;
mod directories;
mod image;
mod manual;
mod objects;
mod ps;
mod run;
mod stats;
mod supervise;
mod trace;
mod worlds;

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

/// Run unmodified Linux programs on a kernel of their own.
///
/// acrida makes a world: a Linux kernel in user space, written in Rust, that serves the program's system calls in the
/// calling thread. Processes, files, pipes, signals and memory are the world's own; files of the host are reached
/// through it with the user's own rights.
#[derive(Parser)]
#[command(name = "acrida", version, max_term_width = 100)]
#[command(after_help = "Example:\n  acrida run -- sh -c 'echo hello | tr a-z A-Z'")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Ps(ps::PsArgs),
    #[command(name = "ls-fd")]
    LsFd(ps::LsFdArgs),
    /// List the system calls and who serves each
    Syscalls(calls::SyscallsArgs),
    Bench(acrida_bench::BenchArgs),
    /// Print the manual page, in roff
    Man,
    /// Print a completion script for a shell
    Completions(manual::CompletionsArgs),
}

/// As env, docker and others have it.
const OWN_FAILURE: u8 = 125;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(Cli { command }) => command,
        Err(error) => {
            let _ = error.print();
            // A program may end with clap's own 2.
            return if error.use_stderr() { ExitCode::from(OWN_FAILURE) } else { ExitCode::SUCCESS };
        }
    };
    let result = match command {
        Command::Run(args) => run::run(&args),
        Command::Ps(args) => ps::ps(&args),
        Command::LsFd(args) => ps::ls_fd(&args),
        Command::Syscalls(args) => Ok(calls::syscalls(&args)),
        Command::Bench(args) => bench(args),
        Command::Man => manual::man(),
        Command::Completions(args) => Ok(manual::completions(&args)),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("{error:#}"));
            ExitCode::from(OWN_FAILURE)
        }
    }
}

/// A message to the user. Where standard error cannot be written there is nobody to tell.
fn say(message: impl Display) {
    let _ = writeln!(std::io::stderr(), "acrida: {message}");
}

/// The worlds that it measures are made by this very command.
fn bench(args: acrida_bench::BenchArgs) -> anyhow::Result<ExitCode> {
    let acrida = std::env::current_exe().context("finding this program's own file")?;
    let function_at = |address| image::function_at(address).map(|(name, _)| name);
    acrida_bench::main(args, &acrida_bench::Subject { command: &acrida, function_at })
}

/// Writes `text` to standard output; a reader that has gone away is no failure.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            say(format_args!("cannot write to standard output: {error}"));
            ExitCode::from(OWN_FAILURE)
        }
        _ => ExitCode::SUCCESS,
    }
}
