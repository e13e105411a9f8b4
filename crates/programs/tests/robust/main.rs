//! What must hold whatever happens: worlds killed at any moment leave nothing, registers survive signals, random calls
//! break nothing, a kernel panic ends the world.
//!
//! `ACRIDA_SOAK=1` runs the long forms; `ACRIDA_EPOLL_SECONDS` says how long the storm of epoll events lasts in the short one
//! (3; the long one has 600).

mod sockets;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use acrida_programs::run::run;
use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::{Pid, Signal, WaitOptions, set_child_subreaper};

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // The killed worlds' processes become this process's children: nobody else may wait for any.
    arguments.test_threads = Some(1);
    let binary = acrida_harness::acrida()?;
    let soak = std::env::var_os("ACRIDA_SOAK").is_some();
    let limit = Duration::from_secs(if soak { 4 * 3600 } else { 900 });
    let trial = |name: &'static str, test: fn(&Path, bool) -> Result<()>| {
        let binary = binary.clone();
        Trial::test(name, move || {
            bounded(name, limit, || test(&binary, soak)).map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let trials = vec![
        trial("registers_survive_signals", registers),
        trial("random_calls_break_nothing", fuzz),
        trial("locust_and_demofs", locust),
        trial("no_epoll_event_is_lost", epoll_storm),
        trial("inotify_limits", inotify_limits),
        trial("killed_worlds_leave_nothing", killed_worlds),
        trial("a_guest_killed_from_outside_is_reaped", killed_guest),
        trial("what_a_killed_guest_slept_on_still_works", killed_sleeper),
        trial("a_guest_killed_while_it_polls_closes_its_files", killed_poller),
        trial("killed_ends_of_sockets", sockets::killed_ends),
        trial("descriptors_in_flight", sockets::descriptors_in_flight),
        trial("host_sockets", sockets::host_sockets),
        trial("a_file_changed_from_outside_is_read_as_it_is", changed_outside),
        trial("sleepers_killed_from_outside_leave_their_queues", killed_sleepers),
        trial("owners_of_locks_killed_from_outside_stop_nobody", killed_owners),
        trial("killed_at_the_end_of_its_exit", killed_at_exit),
    ];
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// Compiles a program of the conformance crate.
fn compile(source: &Path, dir: &Path) -> Result<PathBuf> {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/guests");
    let program = dir.join(source.file_stem().context("a source file")?);
    let mut command = Command::new("cc");
    command.args(["-O1", "-pthread", "-w", "-D_GNU_SOURCE", "-o"]).arg(&program).arg(guests.join(source)).arg("-I").arg(&guests);
    ensure!(command.status()?.success(), "{} does not compile", source.display());
    Ok(program)
}

/// Compiles one of its stress programs.
fn stress(name: &str, dir: &Path) -> Result<PathBuf> {
    compile(&Path::new("stress").join(format!("{name}.c")), dir)
}

fn scratch() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("acrida-robust-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

fn says_ok(binary: &Path, name: &str, args: &[&str], timeout: u64) -> Result<()> {
    says_ok_under(Command::new(binary), name, args, timeout)
}

/// `acrida` is the command so far.
fn says_ok_under(mut acrida: Command, name: &str, args: &[&str], timeout: u64) -> Result<()> {
    let dir = scratch()?;
    let program = stress(name, dir.path())?;
    let work = dir.path().join("work");
    std::fs::create_dir(&work)?;
    acrida.args(["run", "--"]).arg(&program).args(args);
    let outcome = run(acrida, &work, name, Duration::from_secs(timeout))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        outcome.status == 0 && text(&outcome.stdout).trim_end().ends_with("ok"),
        "status {}\n{}{}",
        outcome.status,
        text(&outcome.stdout),
        text(&outcome.stderr)
    );
    Ok(())
}

fn registers(binary: &Path, soak: bool) -> Result<()> {
    says_ok(binary, "regs_vs_signals", &[if soak { "300" } else { "3" }, "3"], 400)
}

/// The two file systems that only acrida has.
fn locust(binary: &Path, _soak: bool) -> Result<()> {
    says_ok(binary, "locust", &[], 550)
}

/// Limits that the host's are not changed for.
fn inotify_limits(binary: &Path, _soak: bool) -> Result<()> {
    says_ok(binary, "inotify_limits", &[], 400)
}

fn fuzz(binary: &Path, soak: bool) -> Result<()> {
    let (calls, timeout) = if soak { ("4000000", 5000) } else { ("100000", 200) };
    for seed in ["1", "2", "3"] {
        says_ok(binary, "fuzz_calls", &[calls, seed], timeout)?;
    }
    Ok(())
}

fn epoll_storm(binary: &Path, soak: bool) -> Result<()> {
    let wanted = || std::env::var("ACRIDA_EPOLL_SECONDS").ok()?.parse().ok();
    let seconds = if soak { 600 } else { wanted().unwrap_or(3) };
    // It would have both processors for its two minutes: whatever runs beside these tests goes first.
    let mut behind_others = Command::new("nice");
    behind_others.args(["-n", "19"]).arg(binary);
    says_ok_under(behind_others, "epoll_storm", &[&seconds.to_string(), "8"], seconds + 400)
}

/// Small deterministic numbers for "random moments".
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Runs `test`, whose waits need no bounds of their own: past `limit` this process says `what` hangs, kills its children,
/// with each of which its world ends, and is over.
fn bounded<T>(what: &str, limit: Duration, test: impl FnOnce() -> T) -> T {
    let (done, ended) = std::sync::mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what}: no end after {} s", limit.as_secs());
                for child in children_of(std::process::id()).unwrap_or_default() {
                    // It may have ended by itself.
                    let _ = rustix::process::kill_process(child.pid, Signal::KILL);
                }
                std::process::exit(1);
            }
        });
        // Gone with this closure, also when the test panics: the watchdog's wait ends.
        let _done = done;
        test()
    })
}

/// Waits for every child of this process.
fn reap_all(what: &str) {
    bounded(&format!("{what}: the end of a killed world's processes"), Duration::from_secs(30), || {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::empty()) {}
    });
}

const BUSY: &str =
    "echo start; i=0; while :; do i=$((i+1)); (echo a | cat > /tmp/f; cat /tmp/f >/dev/null) & wait; echo $i; done";

fn killed_worlds(binary: &Path, soak: bool) -> Result<()> {
    set_child_subreaper(Some(rustix::process::getpid()))?;
    let mut random = Random(42);
    let before = shared_memory()?;
    // Where the worlds are entered.
    let runtime = scratch()?;
    for round in 0..if soak { 1000 } else { 40 } {
        let mut command = Command::new(binary);
        command.args(["run", "--", "sh", "-c", BUSY]).env("XDG_RUNTIME_DIR", runtime.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = random.below(12);
        let output = BufReader::new(child.stdout.take().context("piped")?);
        for line in output.lines().take(lines as usize) {
            line?;
        }
        rustix::process::kill_process(Pid::from_child(&child), Signal::KILL)?;
        child.wait()?;
        reap_all(&format!("round {round}, killed after {lines} lines"));
    }
    let entries = std::fs::read_dir(runtime.path().join("acrida"))?.count();
    ensure!(entries == 0, "{entries} worlds are still entered");
    let after = shared_memory()?;
    ensure!(before == after, "left in /dev/shm: {after:?}, before: {before:?}");
    Ok(())
}

/// Objects of shared memory that carry our name: a world's memory has none.
fn shared_memory() -> Result<BTreeSet<OsString>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/dev/shm")? {
        let name = entry?.file_name();
        // Conformance runs have their guests' files there.
        if name.to_string_lossy().contains("acrida") && !name.to_string_lossy().starts_with("acrida-conf-") {
            found.insert(name);
        }
    }
    Ok(found)
}

/// A guest ends by the host's hand: its parent sees how, the others go on.
fn killed_guest(binary: &Path, _soak: bool) -> Result<()> {
    let rest = kill_child(binary, &["sh", "-c", "sleep 1000 & echo ready; wait $!; echo status $?; echo more | cat"], "sleep")?;
    ensure!(rest == ["status 137", "more"], "{rest:?}");
    Ok(())
}

/// What it slept on still works: the memory of its sleep is not anybody else's.
fn killed_sleeper(binary: &Path, _soak: bool) -> Result<()> {
    let script = "mkfifo /tmp/f; exec 3<>/tmp/f; dd bs=1 count=1 <&3 & until grep -q pipe_read /proc/$!/wchan; do :; done; \
                  echo ready; wait $!; echo status $?; \
                  for i in 1 2 3 4 5 6 7 8; do cat /proc/self/maps > /dev/null; done; echo more >&3; head -c 5 <&3";
    let rest = kill_child(binary, &["sh", "-c", script], "dd")?;
    ensure!(rest == ["status 137", "more"], "{rest:?}");
    Ok(())
}

/// Its descriptors are closed, though its stack died with a poll on it.
fn killed_poller(binary: &Path, _soak: bool) -> Result<()> {
    let dir = scratch()?;
    let program = compile(Path::new("stress/killed_in_poll.c"), dir.path())?;
    let rest = kill_child(binary, &[program.to_str().context("a path of this test")?], "victim")?;
    ensure!(rest == ["ok"], "{rest:?}");
    Ok(())
}

/// Runs `program`, kills its child `victim` from outside once it says "ready"; what it says after that.
fn kill_child(binary: &Path, program: &[&str], victim: &str) -> Result<Vec<String>> {
    let mut child = Command::new(binary).args(["run", "--"]).args(program).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().context("piped")?);
    let mut line = String::new();
    output.read_line(&mut line)?;
    ensure!(line == "ready\n", "{line:?} instead of ready");
    let host = loop {
        // The child may not have come to its exec yet.
        match find_child(child.id(), victim)? {
            Some(host) => break host,
            None => std::thread::yield_now(),
        }
        ensure!(child.try_wait()?.is_none(), "the world ended early");
    };
    rustix::process::kill_process(host, Signal::KILL)?;
    let rest = output.lines().collect::<std::io::Result<_>>()?;
    let status = child.wait()?;
    ensure!(status.success(), "{rest:?}, {status}");
    Ok(rest)
}

/// A guest that reads a file in small pieces, from windows on it, sees every change that this process makes.
fn changed_outside(binary: &Path, _soak: bool) -> Result<()> {
    type Change = fn(&File) -> std::io::Result<()>;
    let changes: &[Change] = &[
        |_| Ok(()),
        |file| file.set_len(14_150),
        |file| file.set_len(12_288),
        |file| file.set_len(20_000),
        |file| file.write_all_at(&[b'n'; 8000], 10_000),
        |file| file.write_all_at(&[b'o'; 10], 0),
        |file| file.write_all_at(&[b'a'; 3_000_000], 18_000),
        |file| file.set_len(4_097),
        |file| file.set_len(4_096),
        |file| file.set_len(0),
        |file| file.write_all_at(&[b'z'; 9000], 0),
    ];
    let dir = scratch()?;
    let program = stress("changed_outside", dir.path())?;
    let path = dir.path().join("file");
    let file = File::create(&path)?;
    file.write_all_at(&[b'f'; 30_000], 0)?;
    let mut child =
        Command::new(binary).args(["run", "--"]).args([&program, &path]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("piped")?;
    let mut answers = BufReader::new(child.stdout.take().context("piped")?).lines();
    for (index, change) in changes.iter().enumerate() {
        change(&file)?;
        // The second look is one from windows again.
        for look in 0..2 {
            input.write_all(b"\n")?;
            let answer = answers.next().context("the guest has ended")??;
            ensure!(answer == "same", "after change {index}, look {look}: {answer}");
        }
    }
    drop(input);
    ensure!(child.wait()?.success(), "the guest failed");
    Ok(())
}

/// Runs a stress program of which the host kills a process named "victim" for each line "ready", at a random moment.
fn with_victims(binary: &Path, name: &str, argument: &str, delay: u64) -> Result<()> {
    let dir = scratch()?;
    let program = stress(name, dir.path())?;
    let mut child = Command::new(binary).args(["run", "--"]).arg(&program).arg(argument).stdout(Stdio::piped()).spawn()?;
    let mut random = Random(7);
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().context("piped")?).lines() {
        last = line?;
        while last == "ready" && child.try_wait()?.is_none() {
            let victims = children_of(child.id())?;
            for _ in 0..random.below(delay) {
                std::hint::spin_loop();
            }
            let victims: Vec<Pid> = victims.into_iter().filter(|child| child.name == "victim").map(|child| child.pid).collect();
            let Some(&victim) = victims.get(random.below(victims.len().max(1) as u64) as usize) else { continue };
            // It may have ended meanwhile.
            if rustix::process::kill_process(victim, rustix::process::Signal::KILL).is_ok() {
                break;
            }
        }
    }
    let status = child.wait()?;
    ensure!(last == "ok" && status.success(), "{last:?}, {status}");
    Ok(())
}

fn killed_sleepers(binary: &Path, soak: bool) -> Result<()> {
    with_victims(binary, "killed_sleepers", if soak { "100" } else { "3" }, 1)
}

/// Locks of the dead are taken from them; what they left half-done may be lost, no more.
fn killed_owners(binary: &Path, soak: bool) -> Result<()> {
    with_victims(binary, "killed_owners", if soak { "10000" } else { "1000" }, 10_000)
}

/// Whoever is killed while it tells its parent of its end is told of by somebody else.
fn killed_at_exit(binary: &Path, soak: bool) -> Result<()> {
    with_victims(binary, "killed_at_exit", if soak { "20000" } else { "1000" }, 10_000)
}

/// A host child of `parent` with this name.
fn find_child(parent: u32, name: &str) -> Result<Option<Pid>> {
    Ok(children_of(parent)?.into_iter().find(|child| child.name == name).map(|child| child.pid))
}

struct HostChild {
    pid: Pid,
    name: String,
}

fn children_of(parent: u32) -> Result<Vec<HostChild>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw) else { continue };
        // Processes come and go while we look.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        children.extend(stat.rsplit_once(") ").and_then(|(head, rest)| {
            let ppid: u32 = rest.split(' ').nth(1)?.parse().ok()?;
            (ppid == parent).then_some(HostChild { pid, name: head.split_once('(')?.1.to_owned() })
        }));
    }
    Ok(children)
}
