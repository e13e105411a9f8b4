//! Host processes with an end: every run has a limit, and nothing of it outlives the limit.
//!
//! A run gets a process group of its own. Its leader is waited for without being reaped, so that the
//! group's number still belongs to it when the rest of the group is killed.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::interrupt;

/// How long the output may stay open after the leader's end, when somebody else holds it.
const OUTPUT_GRACE: Duration = Duration::from_secs(2);

/// How much is quoted of each line.
const QUOTED_CHARACTERS: usize = 160;

/// A process that runs, with its output collected line by line.
pub struct Running {
    child: Child,
    started: Instant,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    errors: Receiver<String>,
    ended: Receiver<Instant>,
}

/// A process that has ended.
pub struct Finished {
    pub status: ExitStatus,
    /// From the start until the leader's end.
    pub elapsed: Duration,
    pub lines: Vec<String>,
    /// Its standard error.
    pub errors: String,
}

impl Running {
    /// Starts `words`, the first of which is the program.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(words: &[OsString]) -> anyhow::Result<Self> {
        Self::start_with(words, Stdio::piped())
    }

    fn start_with(words: &[OsString], input: Stdio) -> anyhow::Result<Self> {
        let (program, arguments) = words.split_first().context("a command without a program")?;
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let input = child.stdin.take();
        let lines = read_lines(child.stdout.take().context("no standard output")?);
        let errors = read_all(child.stderr.take().context("no standard error")?);
        let pid = pid_of(&child)?;
        interrupt::enter(pid);
        let (tell, ended) = mpsc::channel();
        thread::spawn(move || {
            wait_without_reaping(pid);
            let _ = tell.send(Instant::now());
        });
        Ok(Self { child, started, input, lines, errors, ended })
    }

    /// Starts `words`, gives it no input and waits until it has ended.
    ///
    /// # Errors
    /// When it cannot be started or does not end in time.
    pub fn run(words: &[OsString], limit: Duration) -> anyhow::Result<Finished> {
        // Not a pipe that is closed: a machine's console takes that for a hang-up.
        Self::start_with(words, Stdio::null())?.finish(limit)
    }

    /// The host's number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line of its output.
    ///
    /// # Errors
    /// When there is none in time.
    pub fn next_line(&self, limit: Duration) -> anyhow::Result<String> {
        self.lines.recv_timeout(limit).context("no line of output in time")
    }

    /// Writes one line to its input.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn say(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        writeln!(input, "{line}").context("writing to its input")
    }

    /// Closes its input and waits for its end. What is left of its group is killed.
    ///
    /// # Errors
    /// When it does not end in time; it has been killed then.
    pub fn finish(mut self, limit: Duration) -> anyhow::Result<Finished> {
        drop(self.input.take());
        self.wait(limit)
    }

    /// Writes a last line to its input and waits for its end. The console of a peer's machine knows no end of input.
    ///
    /// # Errors
    /// As `finish`.
    pub fn finish_by(mut self, line: &str, limit: Duration) -> anyhow::Result<Finished> {
        // Who has failed reads no more.
        let _ = self.say(line);
        self.wait(limit)
    }

    fn wait(mut self, limit: Duration) -> anyhow::Result<Finished> {
        let ended = self.ended.recv_timeout(limit);
        // Also after its end: a server that it left behind must not disturb the next run.
        let group = pid_of(&self.child)?;
        let _ = kill_process_group(group, Signal::KILL);
        interrupt::leave();
        let status = self.child.wait().context("reaping")?;
        let lines = drain(&self.lines);
        let errors = drain(&self.errors).concat();
        let Ok(ended) = ended else {
            bail!("no end within {} s{}", limit.as_secs(), quote(&errors));
        };
        Ok(Finished { status, elapsed: ended - self.started, lines, errors })
    }
}

/// What somebody printed to say what went wrong, in one line, or nothing. The first line names the cause more
/// often than the last, which may be a back trace or `make: *** Error 1`; both are quoted.
pub fn quote(errors: &str) -> String {
    let mut lines = errors.lines().map(str::trim).filter(|line| !line.is_empty());
    let short = |line: &str| line.chars().take(QUOTED_CHARACTERS).collect::<String>();
    match (lines.next(), lines.next_back()) {
        (None, _) => String::new(),
        (Some(only), None) => format!("; it said: {}", short(only)),
        (Some(first), Some(last)) => format!("; it said: {} ... {}", short(first), short(last)),
    }
}

fn pid_of(child: &Child) -> anyhow::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process number that is none")
}

fn wait_without_reaping(pid: Pid) {
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
}

fn read_lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

fn read_all(mut stream: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, text) = mpsc::channel();
    thread::spawn(move || -> io::Result<()> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let _ = tell.send(String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    });
    text
}

/// All that comes until the stream is closed, or until it has been quiet for too long.
fn drain(stream: &Receiver<String>) -> Vec<String> {
    let end = Instant::now() + OUTPUT_GRACE;
    let mut all = Vec::new();
    loop {
        match stream.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(piece) => all.push(piece),
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script].map(OsString::from).to_vec()
    }

    #[test]
    fn output_status_and_errors_come_back() {
        let finished = Running::run(&shell("echo one; echo two; echo bad >&2; exit 3"), LIMIT).unwrap();
        assert_eq!(finished.lines, ["one", "two"]);
        assert_eq!(finished.errors, "bad\n");
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(quote(&finished.errors), "; it said: bad");
    }

    #[test]
    fn the_first_and_the_last_line_are_quoted() {
        assert_eq!(quote("\n a\nb\nc\n\n"), "; it said: a ... c");
        assert_eq!(quote("a\n"), "; it said: a");
        assert_eq!(quote("\n"), "");
    }

    #[test]
    fn a_run_that_does_not_end_is_ended() {
        let error = Running::run(&shell("sleep 1000 | cat"), Duration::from_millis(50)).err().unwrap();
        assert!(error.to_string().starts_with("no end within"), "{error}");
    }

    #[test]
    fn a_process_left_behind_holds_nothing_up() {
        let finished = Running::run(&shell("sleep 1000 & echo done"), LIMIT).unwrap();
        assert_eq!(finished.lines, ["done"]);
        assert!(finished.elapsed < LIMIT);
    }

    #[test]
    fn its_end_follows_the_end_of_its_input() {
        let running = Running::start(&shell("echo ready; cat; exit 5")).unwrap();
        assert_eq!(running.next_line(LIMIT).unwrap(), "ready");
        assert_eq!(running.finish(LIMIT).unwrap().status.code(), Some(5));
    }
}
