//! How many instructions the hottest calls take inside the kernel, counted one by one.
//!
//! A count is the same on every machine and however busy it is, which no time is; and it needs no performance
//! counters, which virtual machines seldom have. What is counted is the kernel image as users run it: a guest makes the
//! same calls for ever in a world, and is stepped through some of them (`step`). The counts are pinned in
//! instructions.toml (`pins`); CI fails when one grows.
//!
//! ```text
//!  guest  ── NAME forever=1 ── warm-up (its call sites get patched) ── "ready" ── calls, without end
//!  runner ── waits for "ready" ── attaches to the guest's host process ── steps ── kills it
//! ```

mod pins;
mod step;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use acrida_trace_format::layout::TASK_SIZE;
use anyhow::{Context, bail};

use crate::figure::Effort;
use crate::guest::Guest;
use crate::process::Running;
use crate::side::Side;
use crate::world;

pub use pins::Pins;
use step::Stepped;

/// Complete calls of each kind that are counted; their median stands for all.
const CALLS: usize = 25;
/// When a path is given up: nobody makes a hot call so long.
const MOST_STEPS: usize = 400_000;
/// How many functions are named of a call.
const FUNCTIONS: usize = 12;

/// Names the kernel's function at an address.
pub type FunctionAt = fn(u64) -> Option<&'static str>;

/// One kind of call of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    pub workload: String,
    /// The system call's number.
    pub number: u64,
    /// The median, from the kernel's first instruction to its last.
    pub instructions: usize,
    /// The largest shares of it by function, where names are known.
    pub functions: Vec<(&'static str, usize)>,
}

/// The instructions of one call, by place.
struct Call {
    number: u64,
    places: Vec<u64>,
}

/// Counts the calls of one workload under acrida.
///
/// # Errors
/// When the guest does not run, or cannot be stepped.
pub fn count(workload: &str, side: &Side, guest: &Guest, effort: Effort, function_at: FunctionAt) -> anyhow::Result<Vec<Count>> {
    let mut words = vec![guest.program().into()];
    words.extend(workload.split_whitespace().map(OsString::from));
    words.push("forever=1".into());
    let running = Running::start(&side.command(&words, guest)?)?;
    let calls = running.next_line(effort.limit).and_then(|line| match line.as_str() {
        "ready" => observe(running.id(), &guest.program(), effort),
        other => bail!("it said {other}"),
    });
    // It has been killed by now if it ever began; what it said explains a failure.
    let finished = running.finish(effort.limit);
    let calls = calls.with_context(|| match finished {
        Ok(finished) => format!("{workload}{}", crate::process::quote(&finished.errors)),
        Err(error) => format!("{workload}: {error:#}"),
    })?;
    Ok(summary(workload, calls, function_at))
}

/// Steps the guest until it has made enough calls of each kind that it makes, then ends it.
fn observe(command: u32, program: &Path, effort: Effort) -> anyhow::Result<Vec<Call>> {
    let pid = world::family(command)?
        .into_iter()
        .find(|pid| maps(*pid, program))
        .context("no process of the world has the guest's program mapped")?;
    let mut stepped = Stepped::attach(pid, effort.limit)?;
    let mut calls = Vec::new();
    let mut current: Option<Call> = None;
    // The call that was under way at first is not whole.
    let mut in_kernel = true;
    for _ in 0..MOST_STEPS {
        let (rip, rax) = stepped.step()?;
        let was_in_kernel = std::mem::replace(&mut in_kernel, rip >= TASK_SIZE);
        match (was_in_kernel, in_kernel) {
            (false, true) => {
                current = Some(Call { number: rax, places: vec![rip] });
            }
            (true, true) => {
                if let Some(call) = &mut current
                    // A repeated instruction stops the stepper at each of its repetitions.
                    && call.places.last() != Some(&rip)
                {
                    call.places.push(rip);
                }
            }
            (true, false) => calls.extend(current.take()),
            (false, false) => {}
        }
        if !was_in_kernel || in_kernel {
            continue;
        }
        if by_number(&calls).values().all(|calls| calls.len() >= CALLS) && !calls.is_empty() {
            return Ok(calls);
        }
    }
    bail!("{} calls in {MOST_STEPS} instructions", calls.len())
}

/// Whether a process has mapped `program`.
fn maps(pid: u32, program: &Path) -> bool {
    let program = program.display().to_string();
    std::fs::read_to_string(format!("/proc/{pid}/maps")).is_ok_and(|maps| maps.lines().any(|line| line.ends_with(&program)))
}

fn by_number(calls: &[Call]) -> BTreeMap<u64, Vec<&Call>> {
    let mut numbers: BTreeMap<u64, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        numbers.entry(call.number).or_default().push(call);
    }
    numbers
}

fn summary(workload: &str, calls: Vec<Call>, function_at: FunctionAt) -> Vec<Count> {
    let count = |(number, mut calls): (u64, Vec<&Call>)| {
        calls.sort_by_key(|call| call.places.len());
        let typical = calls[calls.len() / 2];
        Count {
            workload: workload.to_owned(),
            number,
            instructions: typical.places.len(),
            functions: shares(&typical.places, function_at),
        }
    };
    by_number(&calls).into_iter().map(count).collect()
}

/// The counts, each with the functions that take the most of it.
pub fn by_function(counts: &[Count]) -> String {
    let mut text = String::new();
    for count in counts {
        let (workload, number, instructions) = (&count.workload, count.number, count.instructions);
        text += &format!("{workload}, system call {number}: {instructions} instructions\n");
        for (name, share) in &count.functions {
            text += &format!("{share:>8}  {name}\n");
        }
    }
    text
}

fn shares(places: &[u64], function_at: FunctionAt) -> Vec<(&'static str, usize)> {
    let mut shares: BTreeMap<&'static str, usize> = BTreeMap::new();
    for name in places.iter().filter_map(|place| function_at(*place)) {
        *shares.entry(name).or_default() += 1;
    }
    let mut shares: Vec<_> = shares.into_iter().collect();
    shares.sort_by_key(|(_, share)| std::cmp::Reverse(*share));
    shares.truncate(FUNCTIONS);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u64, instructions: u64) -> Call {
        Call { number, places: (0..instructions).map(|at| TASK_SIZE + at).collect() }
    }

    #[test]
    fn the_median_call_stands_for_its_kind() {
        let calls = vec![call(0, 5), call(1, 7), call(0, 900), call(0, 4), call(1, 7)];
        let counts = summary("pipe_byte", calls, |place| Some(if place > TASK_SIZE { "body" } else { "entry" }));
        let instructions: Vec<_> = counts.iter().map(|count| (count.number, count.instructions)).collect();
        assert_eq!(instructions, [(0, 5), (1, 7)]);
        assert_eq!(counts[0].functions, [("body", 4), ("entry", 1)]);
    }

    #[test]
    fn a_guest_that_does_not_run_says_why() {
        let guest = Guest::unpack().unwrap();
        let side = Side::acrida(["sh", "-c", "echo no >&2; exit 4"].map(OsString::from).to_vec());
        let effort = Effort { time: std::time::Duration::from_millis(1), samples: 1, limit: std::time::Duration::from_secs(20) };
        let error = count("getppid", &side, &guest, effort, |_| None).unwrap_err();
        assert!(format!("{error:#}").contains("it said: no"), "{error:#}");
    }
}
