//! Starting the command under test, with bounds on every wait.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Read;
use std::ops::{Deref, DerefMut};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// No run of these tests takes longer on a busy machine.
pub const BOUND: Duration = Duration::from_secs(300);

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

/// `acrida run`, under `timeout`.
pub fn timed(args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["-k", "5", "300", "env", "--default-signal", env!("CARGO_BIN_EXE_acrida"), "run"])
        .args(args)
        .stdin(Stdio::null());
    command
}

/// Runs to the end, under `timeout`.
pub fn run(args: &[&str]) -> Output {
    timed(args).output().expect("timeout is there")
}

/// As a shell shows it.
pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0))
}

/// A world under test: killed after [`BOUND`], so that every wait for it ends, and when the test is over.
pub struct World {
    child: Child,
    /// Closed when the test has no use of the world any more.
    over: Option<mpsc::Sender<()>>,
}

impl World {
    pub fn new(child: Child) -> World {
        let world = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("a child");
        let (over, ends) = mpsc::channel();
        thread::spawn(move || {
            if ends.recv_timeout(BOUND) == Err(RecvTimeoutError::Timeout) {
                let _ = pidfd_send_signal(&world, Signal::KILL);
            }
        });
        World { child, over: Some(over) }
    }
}

impl Deref for World {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.over = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a world and waits for the first line that its program writes.
pub fn start(args: &[&str]) -> (World, String) {
    let mut child = World::new(acrida(&["run"]).args(args).stderr(Stdio::inherit()).spawn().expect("acrida starts"));
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
/// When it had to be killed after [`BOUND`].
pub fn finish(world: &mut World) -> ExitStatus {
    let status = world.wait().expect("a child");
    assert_ne!(status.signal(), Some(Signal::KILL.as_raw()), "the world does not end");
    status
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
