//! Starting the command under test, with bounds on every wait.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// No run of these tests takes longer on a busy machine.
pub const BOUND: Duration = Duration::from_secs(60);

pub fn acrida(args: &[&str]) -> Command {
    // Whoever runs the tests may ignore signals, as nohup does; programs inherit that.
    let mut command = Command::new("env");
    command
        .args(["--default-signal", env!("CARGO_BIN_EXE_acrida")])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs to the end, under `timeout`.
pub fn run(args: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", env!("CARGO_BIN_EXE_acrida"), "run"]).args(args).stdin(Stdio::null());
    command.output().expect("timeout is there")
}

/// As a shell shows it.
pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0))
}

/// Starts a world and waits for the first line that its program writes.
pub fn start(args: &[&str]) -> (Child, String) {
    let mut child = acrida(&["run"]).args(args).stderr(Stdio::inherit()).spawn().expect("acrida starts");
    let mut line = Vec::new();
    let mut byte = [0];
    let stdout = child.stdout.as_mut().expect("piped");
    while line.last() != Some(&b'\n') && stdout.read(&mut byte).expect("readable") == 1 {
        line.push(byte[0]);
    }
    (child, text(&line))
}

/// Waits for the end of a world.
///
/// # Panics
/// After [`BOUND`]; the world is killed.
pub fn finish(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if start.elapsed() > BOUND {
            child.kill().expect("a child");
            panic!("the world does not end");
        }
        std::thread::yield_now();
    }
}

/// Asks again until the answer is yes.
///
/// # Panics
/// After [`BOUND`].
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < BOUND, "waited too long: {what}");
        std::thread::yield_now();
    }
}
