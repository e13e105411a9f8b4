//! One run of a guest: its own directory, its own process group, a bound on its time, and what it said.
//!
//! A guest announces the end of each check, so a run that dies or hangs names the check at fault. The harness then starts
//! the guest again with the checks that are left: one broken mechanism must not hide the state of the others.

use acrida_harness::{Ended, wait};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Of one process start, which is all checks of a guest. Each is ended by its own alarm (check.h), however slow the machine:
/// this is for a kernel under which alarms do not come.
const TIME_LIMIT: Duration = Duration::from_secs(600);
/// A kernel under which everything hangs shall not take hours to show it: so many time-outs in all runs together.
const MAX_TIMEOUTS: usize = 3;
static TIMEOUTS: AtomicUsize = AtomicUsize::new(0);

/// What ends a check, or a child of one, that waits too long.
const SIGALRM: i32 = 14;

/// What executes a guest.
#[derive(Clone, Debug)]
pub enum Runner {
    Host,
    Acrida {
        program: PathBuf,
        /// For `acrida run`.
        options: Vec<String>,
    },
}

/// What a guest said and how it ended.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The lines of each check that ran, without its name.
    pub checks: BTreeMap<String, Vec<String>>,
    /// What belongs to no check: stderr, exit status, stray output.
    pub rest: Vec<String>,
}

/// Runs `checks` of `program`. `work` (for output) and `place` (for the guest's files) must not exist yet, and are gone
/// afterwards; the guest makes `place` itself, as it may lie in a file system that only the guest sees.
pub fn run(runner: &Runner, program: &Path, checks: &[String], work: &Path, place: &Path) -> io::Result<Transcript> {
    let mut transcript = Transcript::default();
    let mut left: Vec<String> = checks.to_vec();
    while !left.is_empty() {
        if TIMEOUTS.load(Ordering::Relaxed) >= MAX_TIMEOUTS {
            transcript.rest.push("too many timeouts, the other checks did not run".into());
            break;
        }
        fs::create_dir_all(work)?;
        let ended = start(runner, program, &left, work, place)?;
        let stdout = String::from_utf8_lossy(&fs::read(work.join("stdout"))?).into_owned();
        let stderr = String::from_utf8_lossy(&fs::read(work.join("stderr"))?).into_owned();
        remove(place)?;
        remove(work)?;
        let first_unfinished = transcript.take(&stdout, &left);
        transcript.rest.extend(stderr.lines().map(|line| format!("stderr: {line}")));
        let end = describe(&ended);
        let Some(index) = first_unfinished else {
            transcript.rest.push(end);
            break;
        };
        transcript.checks.entry(left[index].clone()).or_default().push(end);
        TIMEOUTS.fetch_add(usize::from(ended == Ended::TimedOut), Ordering::Relaxed);
        left.drain(..=index);
    }
    Ok(transcript)
}

impl Transcript {
    /// Sorts the lines of `stdout` by check; returns the index of the first of `checks` that has no end.
    fn take(&mut self, stdout: &str, checks: &[String]) -> Option<usize> {
        let mut finished = 0;
        for line in stdout.lines() {
            let owner = line.split_once(": ").filter(|(name, _)| checks.iter().any(|c| c == name));
            match owner {
                None => self.rest.push(format!("stray: {line}")),
                Some((name, "end")) if checks.get(finished).is_some_and(|c| c == name) => {
                    self.checks.entry(name.to_owned()).or_default();
                    finished += 1;
                }
                Some((name, text)) => {
                    self.checks.entry(name.to_owned()).or_default().push(text.to_owned());
                }
            }
        }
        (finished < checks.len()).then_some(finished)
    }
}

fn start(runner: &Runner, program: &Path, checks: &[String], work: &Path, place: &Path) -> io::Result<Ended> {
    let mut command = match runner {
        Runner::Host => Command::new(program),
        Runner::Acrida { program: acrida, options } => {
            let mut command = Command::new(acrida);
            command.arg("run").args(options).arg("--").arg(program);
            command
        }
    };
    command.arg(place).args(checks).current_dir(work).process_group(0);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
    command.stdin(File::open("/dev/null")?);
    command.stdout(File::create(work.join("stdout"))?);
    command.stderr(File::create(work.join("stderr"))?);
    wait(command.spawn()?, TIME_LIMIT)
}

fn describe(ended: &Ended) -> String {
    match ended {
        Ended::TimedOut => format!("the program did not end within {} s", TIME_LIMIT.as_secs()),
        Ended::Exit(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("the program ended with status {code}"),
            (None, Some(SIGALRM)) => "the program was killed by SIGALRM".into(),
            (None, signal) => format!("the program was killed by signal {}", signal.unwrap_or(0)),
        },
    }
}

/// Whether a line says that a wait ended by its bound: what came of it says nothing about the call that was waited for.
pub fn ended_by_bound(line: &str) -> bool {
    line.ends_with("killed by SIGALRM") || line == "nobody fell asleep" || line.starts_with("the program did not end")
}

fn remove(path: &Path) -> io::Result<()> {
    // A process that was killed with its group may still make its last file.
    for _ in 0..100 {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => std::thread::yield_now(),
            other => return other,
        }
    }
    fs::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_told_from_other_ends() {
        use std::os::unix::process::ExitStatusExt;
        let by_signal = |signal| describe(&Ended::Exit(std::process::ExitStatus::from_raw(signal)));
        assert!(ended_by_bound(&describe(&Ended::TimedOut)) && ended_by_bound(&by_signal(SIGALRM)));
        assert!(ended_by_bound("reader: killed by SIGALRM"));
        assert!(!ended_by_bound(&by_signal(9)) && !ended_by_bound(&by_signal(0)));
    }

    #[test]
    fn lines_go_to_their_check() {
        let checks = ["one".to_owned(), "two".to_owned(), "three".to_owned()];
        let mut transcript = Transcript::default();
        let unfinished = transcript.take("one: a\none: end\nnoise\ntwo: b: c\n", &checks);
        assert_eq!(unfinished, Some(1));
        assert_eq!(transcript.checks["one"], ["a"]);
        assert_eq!(transcript.checks["two"], ["b: c"]);
        assert_eq!(transcript.rest, ["stray: noise"]);
        assert!(!transcript.checks.contains_key("three"));
    }
}
