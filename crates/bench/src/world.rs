//! What only the runner can see: how long a world takes to start, and what it weighs.

use std::ffi::OsString;
use std::fs;
use std::rc::Rc;

use anyhow::{Context, bail, ensure};

use crate::catalogue::{Case, Kind, Workload};
use crate::figure::{Effort, Line, Outcome};
use crate::guest::Guest;
use crate::process::{Running, quote};
use crate::side::Side;
use crate::statistics::Spread;
use crate::target::Target;
use crate::unit::Unit;

/// A measurement of a whole world.
#[derive(Clone, Copy, Debug)]
pub enum World {
    /// From the command line until its end, with a program that does nothing.
    Start,
    /// The memory that is resident while one guest waits.
    Memory,
    /// The memory that one more watched file costs, the host kernel's own included.
    Watch,
}

/// All of them, as cases.
pub fn cases() -> Vec<Case> {
    let start = Workload {
        name: "world_start".to_owned(),
        group: "processes".to_owned(),
        operation: "/bin/true as a command of its own, from outside".to_owned(),
        bound: "The start of the command, the making of the kernel's memory, and the loading of the program by us.".to_owned(),
        axis: None,
        unit: Unit::Nanoseconds,
        kind: Kind::World(World::Start),
    };
    let memory = Workload {
        name: "world_memory".to_owned(),
        group: "processes".to_owned(),
        operation: "memory of a world with one idle guest (proportional set size of all its processes)".to_owned(),
        bound: "The kernel image, what it has touched of its memory, and the command that looks after the world.".to_owned(),
        axis: None,
        unit: Unit::Bytes,
        kind: Kind::World(World::Memory),
    };
    let watch = Workload {
        name: "watch_memory".to_owned(),
        group: "events".to_owned(),
        operation: "memory of one file watched by epoll".to_owned(),
        bound: "An item and a wait queue entry, and what the allocator leaves unused around them.".to_owned(),
        axis: None,
        unit: Unit::Bytes,
        kind: Kind::World(World::Watch),
    };
    let case = |workload, target| Case {
        workload: Rc::new(workload),
        arguments: String::new(),
        target: Some(target),
        two_cpus: false,
        thorough: false,
    };
    vec![
        case(start, Target::OverNativeAtMost(15e6)),
        case(memory, Target::OverNativeAtMost(16.0 * 1024.0 * 1024.0)),
        case(watch, Target::RatioAtMost(1.0)),
    ]
}

impl World {
    /// Measures it once.
    ///
    /// # Errors
    /// When the world does not start or does not end.
    pub fn measure(self, side: &Side, guest: &Guest, effort: Effort) -> anyhow::Result<Outcome> {
        match self {
            Self::Start => start(side, guest, effort),
            Self::Memory => memory(side, guest, effort),
            Self::Watch => watch(side, guest, effort),
        }
    }
}

fn start(side: &Side, guest: &Guest, effort: Effort) -> anyhow::Result<Outcome> {
    let words = side.command(&["/bin/true".into()], guest)?;
    let mut took = Vec::new();
    for _ in 0..effort.samples {
        let finished = Running::run(&words, effort.limit)?;
        if !finished.status.success() {
            bail!("/bin/true ended with {}{}", finished.status, quote(&finished.errors));
        }
        took.push(finished.elapsed.as_nanos() as f64);
    }
    let spread = Spread::of(&took).context("no samples")?;
    Ok(Outcome::Measured(Unit::Nanoseconds.best_quarter(&spread)))
}

fn memory(side: &Side, guest: &Guest, effort: Effort) -> anyhow::Result<Outcome> {
    with_guest(&["idle"], side, guest, effort, |running| proportional_bytes(running.id()))
}

fn watch(side: &Side, guest: &Guest, effort: Effort) -> anyhow::Result<Outcome> {
    let (epolls, fds) = (8, 15_000);
    let words = ["watches", &format!("epolls={epolls}"), &format!("fds={fds}")];
    with_guest(&words, side, guest, effort, |running| {
        let weigh = |running: &Running| Ok::<_, anyhow::Error>(proportional_bytes(running.id())? + kernel_bytes()?);
        let before = weigh(running)?;
        running.say("go on")?;
        ensure!(refusal(running, "watching", effort)?.is_none(), "it made no watches");
        Ok((weigh(running)? - before) / f64::from(epolls * fds))
    })
}

/// Lets `weigh` look at a guest that is ready; what the guest said last explains a failure.
fn with_guest(
    words: &[&str],
    side: &Side,
    guest: &Guest,
    effort: Effort,
    weigh: impl FnOnce(&mut Running) -> anyhow::Result<f64>,
) -> anyhow::Result<Outcome> {
    let words: Vec<OsString> = [guest.program().into()].into_iter().chain(words.iter().map(OsString::from)).collect();
    let mut running = Running::start(&side.command(&words, guest)?)?;
    let weighed = match refusal(&running, "ready", effort) {
        Ok(None) => weigh(&mut running).map(Outcome::Measured),
        Ok(Some(reason)) => Ok(Outcome::Skipped(reason)),
        Err(error) => Err(error),
    };
    let finished = running.finish_by("end", effort.limit)?;
    weighed.with_context(|| format!("ended with {}{}", finished.status, quote(&finished.errors)))
}

/// Waits until the guest says `expected`; or why it says `skipped` instead, as it does when the machine lacks something.
fn refusal(running: &Running, expected: &str, effort: Effort) -> anyhow::Result<Option<String>> {
    let mut last = String::new();
    // A peer's machine tells of its start first.
    while let Ok(line) = running.next_line(effort.limit) {
        if line.trim_end() == expected {
            return Ok(None);
        }
        if let Ok(Line::Skipped { skipped }) = serde_json::from_str(line.trim()) {
            return Ok(Some(skipped));
        }
        last = line;
    }
    bail!("it said {last:?} and not {expected:?}");
}

/// Of a process and all that descend from it. A page that several of them map counts once in the sum.
fn proportional_bytes(root: u32) -> anyhow::Result<f64> {
    let mut total = 0.0;
    for pid in family(root)? {
        let path = format!("/proc/{pid}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
        total += kibibytes_in(&text, "Pss:").with_context(|| format!("no Pss in {path}"))?;
    }
    Ok(total * 1024.0)
}

/// What the host's kernel holds for everybody and cannot give back: only differences of it mean anything.
fn kernel_bytes() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    Ok(kibibytes_in(&text, "SUnreclaim:").context("no SUnreclaim in /proc/meminfo")? * 1024.0)
}

fn kibibytes_in(text: &str, field: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}

/// A process and all that descend from it.
///
/// # Errors
/// When /proc cannot be read.
pub fn family(root: u32) -> anyhow::Result<Vec<u32>> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").context("reading /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A process that has just ended has no file any more.
        if let Some(parent) = fs::read_to_string(format!("/proc/{pid}/stat")).ok().as_deref().and_then(parent_in) {
            parents.push((pid, parent));
        }
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == member).map(|(pid, _)| pid));
        next += 1;
    }
    Ok(family)
}

/// The second field after the name, which may hold blanks and parentheses itself.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const EFFORT: Effort = Effort { time: Duration::from_millis(1), samples: 1, limit: Duration::from_secs(20) };

    #[test]
    fn a_native_start_takes_time_and_memory() {
        let guest = Guest::unpack().unwrap();
        for world in [World::Start, World::Memory, World::Watch] {
            match world.measure(&Side::native(), &guest, EFFORT).unwrap() {
                // Its part of the host kernel's memory may shrink meanwhile, by what others do.
                Outcome::Measured(figure) => assert!(figure > 0.0 || matches!(world, World::Watch)),
                Outcome::Skipped(_) => assert!(matches!(world, World::Watch)),
                Outcome::Failed(reason) => panic!("{reason}"),
            }
        }
    }

    #[test]
    fn a_guest_that_skips_is_no_failure() {
        let guest = Guest::unpack().unwrap();
        let side = Side::acrida(["sh", "-c", r#"echo '{"skipped":"needs more"}'"#].map(OsString::from).to_vec());
        for world in [World::Memory, World::Watch] {
            assert_eq!(world.measure(&side, &guest, EFFORT).unwrap(), Outcome::Skipped("needs more".into()));
        }
    }

    #[test]
    fn a_world_that_says_no_is_an_error() {
        let guest = Guest::unpack().unwrap();
        let side = Side::acrida(["sh", "-c", "echo no >&2; exit 4"].map(OsString::from).to_vec());
        for world in [World::Start, World::Memory, World::Watch] {
            let error = format!("{:#}", world.measure(&side, &guest, EFFORT).unwrap_err());
            assert!(error.contains("it said: no"), "{error}");
        }
    }

    #[test]
    fn a_name_with_parentheses_hides_no_parent() {
        assert_eq!(parent_in("7 (a) b (c)) S 5 7 7 0"), Some(5));
    }
}
