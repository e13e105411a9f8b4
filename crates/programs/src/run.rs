//! One run of a command, bounded in time.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// On which kernel a command runs.
#[derive(Clone, Debug)]
pub enum Side {
    Native,
    Acrida(PathBuf),
}

impl Side {
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

/// Runs `command` in `dir`; its outputs go to files beside it, so that no pipe can fill up.
pub fn run(mut command: Command, dir: &Path, label: &str, timeout: Duration) -> Result<Outcome> {
    let path = |what: &str| dir.with_file_name(format!("{label}.{what}"));
    let open = |what: &str| File::create(path(what)).with_context(|| format!("cannot create {}", path(what).display()));
    command.current_dir(dir).stdin(Stdio::null()).stdout(open("out")?).stderr(open("err")?).process_group(0);
    command.env("LC_ALL", "C.UTF-8").env("HOME", dir).env("TZ", "UTC");
    let mut child = command.spawn().context("cannot start the command")?;
    let Some(status) = wait(&mut child, timeout)? else {
        let tail = String::from_utf8_lossy(&std::fs::read(path("err"))?).into_owned();
        bail!("no end after {} s; stderr so far:\n{tail}", timeout.as_secs());
    };
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(Outcome { status: code, stdout: std::fs::read(path("out"))?, stderr: std::fs::read(path("err"))? })
}

/// Waits, and kills the command's group after `timeout`.
fn wait(child: &mut Child, timeout: Duration) -> Result<Option<ExitStatus>> {
    let pid = Pid::from_child(child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let end = Instant::now() + timeout;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let wait = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&wait)) {
            Ok(0) => break,
            Ok(_) => return Ok(Some(child.wait()?)),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    // The group may be gone between the time-out and here.
    let _ = kill_process_group(pid, Signal::KILL);
    child.wait()?;
    Ok(None)
}

/// The `acrida` under test: `ACRIDA_BIN`, or the workspace's release or debug build.
pub fn acrida() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ACRIDA_BIN") {
        return Ok(path.into());
    }
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from);
    let found = ["release", "debug"].map(|profile| target.join(profile).join("acrida")).into_iter().find(|p| p.exists());
    found.context("no acrida to test: build it first (`cargo build --release`), or set ACRIDA_BIN")
}
