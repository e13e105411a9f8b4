//! One run of a command, bounded in time.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use acrida_harness::{Ended, wait};
use anyhow::{Context, Result, bail};

/// On which kernel a command runs.
#[derive(Clone, Debug)]
pub enum Side {
    Native,
    Acrida(PathBuf),
}

impl Side {
    /// What stands before a program's name in a command line.
    pub fn prefix(&self) -> OsString {
        match self {
            Side::Native => OsString::new(),
            Side::Acrida(binary) => [binary.as_os_str(), " run -- ".as_ref()].into_iter().collect(),
        }
    }

    /// `program` on this side.
    pub fn command(&self, program: &str) -> Command {
        match self {
            Side::Native => Command::new(program),
            Side::Acrida(binary) => {
                let mut command = Command::new(binary);
                command.args(["run", "--", program]);
                command
            }
        }
    }
}

/// What a run left.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code, or 128 + signal.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Programs act on these, and whoever runs the tests may do so under make or tmux, or from a hook of git.
const FOREIGN: [&str; 7] = ["MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKELEVEL", "TMUX", "TMUX_PANE", "LANGUAGE"];

/// Keeps from `command` what the caller's environment says to programs of the tests.
pub fn shield(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"GIT_") || FOREIGN.iter().any(|foreign| name == *foreign) {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
}

/// Runs `command` in `dir`; its outputs go to files beside it, so that no pipe can fill up.
pub fn run(mut command: Command, dir: &Path, label: &str, timeout: Duration) -> Result<Outcome> {
    let path = |what: &str| dir.with_file_name(format!("{label}.{what}"));
    let open = |what: &str| File::create(path(what)).with_context(|| format!("cannot create {}", path(what).display()));
    command.current_dir(dir).stdin(Stdio::null()).stdout(open("out")?).stderr(open("err")?).process_group(0);
    command.env("HOME", dir);
    shield(&mut command);
    let child = command.spawn().context("cannot start the command")?;
    let Ended::Exit(status) = wait(child, timeout)? else {
        let tail = String::from_utf8_lossy(&std::fs::read(path("err"))?).into_owned();
        bail!("no end after {} s; stderr so far:\n{tail}", timeout.as_secs());
    };
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Outcome { status: code, stdout: std::fs::read(path("out"))?, stderr: std::fs::read(path("err"))? })
}
