//! The runner: one trial per check (and one per program for what belongs to no check), see the crate's documentation.

use acrida_conformance::catalogue::{self, Guest, Place};
use acrida_conformance::compare::diff;
use acrida_conformance::compile::compile;
use acrida_conformance::expected::Expected;
use acrida_conformance::run::{Runner, Transcript, ended_by_bound, run};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::geteuid;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// The trial that holds stderr, exit status and stray output.
const REST: &str = "(program)";

/// How often the host is asked again.
const HOST_AGAIN: usize = 3;

/// A guest at a place, run at most once for all its trials.
struct Session {
    guest: Guest,
    /// Shared by the sessions of a guest, which may start at the same moment.
    program: Arc<OnceLock<Result<PathBuf, String>>>,
    place: Option<Place>,
    subject: Runner,
    /// This run's own, so that what a killed one has left is in nobody's way.
    scratch: Arc<TempDir>,
    outcome: OnceLock<Result<Pair, String>>,
}

struct Pair {
    host: Transcript,
    subject: Transcript,
}

impl Session {
    fn prefix(&self) -> String {
        match self.place {
            Some(place) => format!("{}/{}", self.guest.name, place.name()),
            None => self.guest.name.clone(),
        }
    }

    fn outcome(&self) -> Result<&Pair, Failed> {
        self.outcome.get_or_init(|| self.run().map_err(|error| error.to_string())).as_ref().map_err(Failed::from)
    }

    fn run(&self) -> io::Result<Pair> {
        let checks = &self.guest.checks;
        Ok(Pair { host: self.side(&Runner::Host, checks, "a")?, subject: self.side(&self.subject, checks, "b")? })
    }

    /// One run of `checks`. `mark` tells it from the others; names have one length, as no check shall see on which side it runs.
    fn side(&self, runner: &Runner, checks: &[String], mark: &str) -> io::Result<Transcript> {
        let programs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        let compiled = self.program.get_or_init(|| compile(&self.guest, &programs).map_err(|error| error.to_string()));
        let program = compiled.as_ref().map_err(|error| io::Error::other(error.clone()))?;
        let name = format!("{}-{mark}", self.prefix().replace('/', "-"));
        let scratch = self.scratch.path();
        let work = scratch.join(format!("{name}-out"));
        let place = match self.place {
            None | Some(Place::Disk) => scratch.join(name),
            // The world has its own: what this run made on the host's is not there.
            Some(Place::Tmpfs) => {
                let run = scratch.file_name().unwrap_or_default().display();
                Place::Tmpfs.root().join(format!("{run}-{name}"))
            }
        };
        run(runner, program, checks, &work, &place)
    }

    /// Where Linux has two answers (a race of its own, a neighbour on the machine), each of them is right: before a difference
    /// counts, the host is asked again. The subject never is, so that a race of ours fails at its first appearance.
    fn verdict(&self, check: &str) -> Result<(), Failed> {
        let pair = self.outcome()?;
        let first = self.judge(&lines(&pair.host, check), &lines(&pair.subject, check));
        // Two runs of the host are compared to find the checks that have two answers.
        if first.is_ok() || check == REST || matches!(self.subject, Runner::Host) {
            return first;
        }
        for round in 0..HOST_AGAIN {
            let again = self.side(&Runner::Host, &[check.to_owned()], &format!("{check}-{round}"))?;
            if self.judge(&lines(&again, check), &lines(&pair.subject, check)).is_ok() {
                eprintln!("conformance: {}/{check}: the host has more than one answer", self.prefix());
                return Ok(());
            }
        }
        first
    }

    fn judge(&self, host: &[String], subject: &[String]) -> Result<(), Failed> {
        if let Some(line) = host.iter().find(|line| ended_by_bound(line)) {
            return Err(format!("on the host, a wait ended by its bound: {line}").into());
        }
        if let Some(line) = host.iter().find(|line| is_shortfall(line)).filter(|_| geteuid().is_root()) {
            return Err(format!("could not be made on the host: {line}").into());
        }
        match diff(host, subject) {
            None => Ok(()),
            Some(text) => Err(format!("- host, + {}\n{text}", self.subject_name()).into()),
        }
    }

    fn subject_name(&self) -> &'static str {
        match self.subject {
            Runner::Host => "host, second run",
            Runner::Acrida { .. } => "acrida",
        }
    }
}

/// What `check` said.
fn lines(transcript: &Transcript, check: &str) -> Vec<String> {
    match check {
        REST => transcript.rest.clone(),
        _ => transcript.checks.get(check).cloned().unwrap_or_else(|| vec!["(did not run)".into()]),
    }
}

/// Whether a guest says that it could not do what its check is about. Some checks need root: what others cannot make is
/// still compared.
fn is_shortfall(line: &str) -> bool {
    ["needed: ", "the program "].iter().any(|start| line.starts_with(start)) && line != "the program ended with status 0"
}

/// All sessions, and how many were begun ahead of their trials.
struct Sessions {
    all: Vec<Arc<Session>>,
    begun: AtomicUsize,
    /// Only if every trial will run is it right to run sessions nobody asked for yet.
    run_ahead: bool,
}

impl Sessions {
    /// The trials of one session are neighbours, so all test threads would wait for the same session; instead each first
    /// runs a session that nobody has begun.
    fn run_ahead(&self, wanted: &Session) {
        while self.run_ahead && wanted.outcome.get().is_none() {
            let index = self.begun.fetch_add(1, Ordering::Relaxed);
            let Some(session) = self.all.get(index) else {
                return;
            };
            let _ = session.outcome();
        }
    }
}

fn main() -> ExitCode {
    let (own, others): (Vec<String>, Vec<String>) = std::env::args().partition(|arg| arg == "--native-only");
    let arguments = Arguments::from_iter(others);
    match trials(&arguments, !own.is_empty()) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn trials(arguments: &Arguments, native_only: bool) -> io::Result<Vec<Trial>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guests = catalogue::load(&package.join("guests"))?;
    let subject = match native_only {
        true => Runner::Host,
        false => Runner::Acrida {
            program: acrida_harness::acrida()?,
            options: std::env::var("ACRIDA_OPTIONS").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        },
    };
    let expected = match native_only {
        true => Expected::default(),
        false => Expected::load(&package.join("expected-differences.toml"))?,
    };
    let root = rustix::process::geteuid().is_root();

    let sessions = Arc::new(Sessions {
        all: sessions(&guests, &subject, root)?,
        begun: AtomicUsize::new(0),
        run_ahead: arguments.filter.is_none() && arguments.skip.is_empty(),
    });
    let mut trials = Vec::new();
    let mut names = Vec::new();
    for session in &sessions.all {
        for check in session.guest.checks.iter().map(String::as_str).chain([REST]) {
            let name = format!("{}/{check}", session.prefix());
            let reason = expected.reason(&name).map(str::to_owned);
            names.push(name.clone());
            trials.push(trial(name, check.to_owned(), reason, Arc::clone(session), Arc::clone(&sessions)));
        }
    }
    let unknown: Vec<_> = expected.unknown(&names).into_iter().map(str::to_owned).collect();
    trials.push(Trial::test("expected-differences/no_unknown_check", move || match unknown.as_slice() {
        [] => Ok(()),
        names => Err(format!("no such check: {}", names.join(", ")).into()),
    }));
    Ok(trials)
}

fn sessions(guests: &[Guest], subject: &Runner, root: bool) -> io::Result<Vec<Arc<Session>>> {
    let mut sessions = Vec::new();
    let scratch = Arc::new(tempfile::Builder::new().prefix("acrida-conf-").tempdir_in(Place::Disk.root())?);
    // Guests become other users.
    std::fs::set_permissions(scratch.path(), Permissions::from_mode(0o755))?;
    for guest in guests {
        if matches!(subject, Runner::Acrida { .. }) && !guest.passes_on_acrida {
            continue;
        }
        if guest.needs_root && !root {
            eprintln!("conformance: {} needs root, left out", guest.name);
            continue;
        }
        let places = match guest.places.as_slice() {
            [] => vec![None],
            places => places.iter().copied().map(Some).collect(),
        };
        let program = Arc::new(OnceLock::new());
        sessions.extend(places.into_iter().map(|place| {
            Arc::new(Session {
                guest: guest.clone(),
                program: Arc::clone(&program),
                place,
                subject: with_options(subject, &guest.options),
                scratch: Arc::clone(&scratch),
                outcome: OnceLock::new(),
            })
        }));
    }
    Ok(sessions)
}

fn with_options(subject: &Runner, more: &[String]) -> Runner {
    let mut subject = subject.clone();
    if let Runner::Acrida { options, .. } = &mut subject {
        options.extend_from_slice(more);
    }
    subject
}

fn trial(name: String, check: String, reason: Option<String>, session: Arc<Session>, sessions: Arc<Sessions>) -> Trial {
    Trial::test(name, move || {
        sessions.run_ahead(&session);
        match (session.verdict(&check), reason) {
            (Err(_), Some(_)) => Ok(()),
            (Ok(()), Some(reason)) => {
                Err(format!("passes, but is listed in expected-differences.toml ({reason}): remove the entry").into())
            }
            (verdict, None) => verdict,
        }
    })
}
