//! `acrida ps` and `acrida ls-fd`: looks into running worlds.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::worlds::{self, Found};

/// Show the processes of the running worlds, with state and wait channel
#[derive(clap::Args)]
pub struct PsArgs {
    /// Only the world whose `acrida run` has this host process id
    #[arg(long, value_name = "PID")]
    world: Option<u32>,
}

/// Show the descriptors of processes in running worlds, and the objects behind them
#[derive(clap::Args)]
pub struct LsFdArgs {
    /// Only the world whose `acrida run` has this host process id
    #[arg(long, value_name = "PID")]
    world: Option<u32>,
    /// Only this process, by its number in the world
    pid: Option<u32>,
}

/// What a question is answered with: columns, and which of them are numbers.
struct View<'a> {
    head: &'a [&'a str],
    right: &'a [usize],
}

pub fn ps(args: &PsArgs) -> Result<ExitCode> {
    let head = ["PID", "PPID", "PGRP", "SID", "TTY", "STAT", "THR", "WCHAN", "HOSTPID", "COMMAND"];
    let view = View { head: &head, right: &[0, 1, 2, 3, 6, 8] };
    let answers = ask(chosen(args.world)?, "ps");
    Ok(show(&answers, &view))
}

pub fn ls_fd(args: &LsFdArgs) -> Result<ExitCode> {
    let head = ["PID", "COMMAND", "FD", "FLAGS", "POS", "HOSTFD", "OBJECT"];
    let view = View { head: &head, right: &[0, 2, 5] };
    let answers = ask(chosen(args.world)?, &format!("ls-fd {}", args.pid.unwrap_or(0)));
    if let Some(pid) = args.pid
        && answers.said_nothing()
    {
        bail!("no world of yours has a process {pid} with descriptors; `acrida ps` shows all");
    }
    Ok(show(&answers, &view))
}

fn chosen(world: Option<u32>) -> Result<Vec<Found>> {
    let mut worlds = worlds::list();
    if let Some(wanted) = world {
        worlds.retain(|found| found.supervisor == wanted);
        if worlds.is_empty() {
            bail!("no world of yours is run by process {wanted}; `acrida ps` shows all");
        }
    }
    if worlds.is_empty() {
        let why = if worlds::place().is_none() { ", or none could be entered: set XDG_RUNTIME_DIR or HOME" } else { "" };
        crate::say(format_args!("no world of yours is running{why}"));
    }
    Ok(worlds)
}

/// What worlds said.
struct Answers {
    of: Vec<(Found, String)>,
    /// A world is there, but did not answer.
    silent: bool,
}

impl Answers {
    fn said_nothing(&self) -> bool {
        !self.silent && self.of.iter().all(|(_, answer)| answer.is_empty())
    }
}

/// Asks each world; one that ends while it is asked is left out.
fn ask(worlds: Vec<Found>, question: &str) -> Answers {
    let mut answers = Answers { of: Vec::new(), silent: false };
    for world in worlds {
        match world.ask(question) {
            Ok(Some(answer)) => answers.of.push((world, answer)),
            Ok(None) => {}
            Err(error) => {
                let (pid, command) = (world.supervisor, world.command_line.escape_debug());
                crate::say(format_args!("world {pid} ({command}): {error:#}; is it stopped? `kill -CONT {pid}` continues it"));
                answers.silent = true;
            }
        }
    }
    answers
}

fn show(answers: &Answers, view: &View<'_>) -> ExitCode {
    let mut out = String::new();
    for (world, answer) in &answers.of {
        let _ = writeln!(out, "world {}: {}", world.supervisor, world.command_line.escape_debug());
        let mut rows: Vec<Vec<&str>> = vec![view.head.to_vec()];
        rows.extend(answer.lines().map(|line| line.splitn(view.head.len(), '\t').collect()));
        out.push_str(&columns(&rows, view.right));
    }
    let printed = crate::print(&out);
    if answers.silent { ExitCode::FAILURE } else { printed }
}

/// Pads every column but the last to its widest field.
fn columns(rows: &[Vec<&str>], right: &[usize]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|field| field.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (n, field) in row.iter().enumerate() {
            let width = widths[n];
            let _ = match (n + 1 == count, right.contains(&n)) {
                (true, _) => write!(line, " {field}"),
                (false, true) => write!(line, " {field:>width$}"),
                (false, false) => write!(line, " {field:<width$}"),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["PID", "WHAT"], vec!["2", "sh"], vec!["1000", "a b"]];
        assert_eq!(columns(&rows, &[0]), "  PID WHAT\n    2 sh\n 1000 a b\n");
    }
}
