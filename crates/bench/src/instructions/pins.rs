//! What the counts were when they were last looked at: instructions.toml.
//!
//! A count that has grown by more than the tolerance is a regression. One that has shrunk is said, so that somebody pins
//! it anew (`acrida bench --instructions --pin`) and the gain is kept.

use std::fmt::Write;

use anyhow::Context;
use serde::Deserialize;

use super::Count;

const PINNED: &str = include_str!("../../instructions.toml");
/// What `rustc -V` says of the compiler of this build.
const COMPILER: &str = env!("ACRIDA_RUSTC");

/// The paths that are counted, with what they may cost.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    /// `rustc -V` of the compiler that made the code that was counted.
    compiler: String,
    /// A change below this is none.
    tolerance_percent: u32,
    path: Vec<Pin>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    workload: String,
    /// Number and name of the system call.
    number: u64,
    call: String,
    /// What the path stands for.
    what: String,
    instructions: usize,
}

impl Pins {
    /// The pinned paths.
    ///
    /// # Errors
    /// When instructions.toml is wrong.
    pub fn read() -> anyhow::Result<Self> {
        toml::from_str(PINNED).context("instructions.toml")
    }

    /// Each once.
    pub fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.path.iter().map(|pin| pin.workload.as_str()).collect();
        names.dedup();
        names
    }

    /// Why the counts of this build cannot be held against the pins, if so.
    pub fn incomparable(&self) -> Option<String> {
        let pinned = &self.compiler;
        (pinned != COMPILER).then(|| format!("nothing is judged: the pins are of {pinned}, this build is of {COMPILER}"))
    }

    /// A table of the counts, and how many of them are regressions; a path that was not counted is one.
    pub fn judge(&self, counts: &[Count]) -> (String, usize) {
        let mut text =
            format!("{:<18} {:<12} {:>12} {:>8} {:>8}  path\n", "workload", "call", "instructions", "pinned", "change");
        let mut regressions = 0;
        for pin in &self.path {
            let Some(count) = pin.find(counts) else {
                regressions += 1;
                let _ = writeln!(text, "{:<18} {:<12} NOT COUNTED", pin.workload, pin.call);
                continue;
            };
            let change = (count.instructions as f64 / pin.instructions as f64 - 1.0) * 100.0;
            let tolerance = f64::from(self.tolerance_percent);
            let verdict = if change > tolerance {
                regressions += 1;
                "  GROWN: a regression, or pin it anew with a reason"
            } else if change < -tolerance {
                "  shrunk: pin it anew"
            } else {
                ""
            };
            let _ = writeln!(
                text,
                "{:<18} {:<12} {:>12} {:>8} {change:>+7.1}%  {}{verdict}",
                pin.workload, pin.call, count.instructions, pin.instructions, pin.what
            );
        }
        (text, regressions)
    }

    /// What is pinned, as a table for a document.
    pub fn table(&self) -> String {
        let row = |pin: &Pin| {
            let (workload, call, what) = (&pin.workload, &pin.call, &pin.what);
            format!("| {workload} | {call} | {} | {what} |\n", pin.instructions)
        };
        let rows: String = self.path.iter().map(row).collect();
        format!("| workload | call | instructions | path |\n|---|---|---:|---|\n{rows}")
    }

    /// instructions.toml with the counts and this build's compiler in place of what was pinned; comments stay, other paths stay.
    pub fn renewed(&self, counts: &[Count]) -> String {
        let mut pins = self.path.iter();
        let mut text = String::new();
        for line in PINNED.lines() {
            if line.starts_with("compiler =") {
                let _ = writeln!(text, "compiler = {COMPILER:?}");
                continue;
            }
            let Some(count) = line.starts_with("instructions =").then(|| pins.next().and_then(|pin| pin.find(counts))).flatten()
            else {
                let _ = writeln!(text, "{line}");
                continue;
            };
            let _ = writeln!(text, "instructions = {}", count.instructions);
        }
        text
    }
}

impl Pin {
    fn find<'a>(&self, counts: &'a [Count]) -> Option<&'a Count> {
        counts.iter().find(|count| count.workload == self.workload && count.number == self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(factor: f64) -> Vec<Count> {
        let count = |pin: &Pin| Count {
            workload: pin.workload.clone(),
            number: pin.number,
            instructions: (pin.instructions as f64 * factor) as usize,
            functions: Vec::new(),
        };
        Pins::read().unwrap().path.iter().map(count).collect()
    }

    #[test]
    fn what_grows_is_a_regression_and_what_shrinks_is_not() {
        let pins = Pins::read().unwrap();
        assert_eq!(pins.judge(&counts(1.0)).1, 0);
        assert_eq!(pins.judge(&counts(0.5)).1, 0);
        assert!(pins.judge(&counts(0.5)).0.contains("shrunk"));
        let (text, regressions) = pins.judge(&counts(1.2));
        assert_eq!(regressions, pins.path.len());
        assert!(text.contains("GROWN"));
    }

    #[test]
    fn a_path_that_was_not_counted_is_a_regression() {
        let pins = Pins::read().unwrap();
        assert_eq!(pins.judge(&[]).1, pins.path.len());
    }

    #[test]
    fn new_pins_keep_everything_but_the_numbers() {
        let pins = Pins::read().unwrap();
        assert_eq!(pins.renewed(&counts(1.0)), PINNED.replace(&pins.compiler, COMPILER));
        let renewed: Pins = toml::from_str(&pins.renewed(&counts(3.0))).unwrap();
        assert_eq!(renewed.path[0].instructions, pins.path[0].instructions * 3);
        assert_eq!(renewed.incomparable(), None);
    }
}
