//! One figure: one run of one case on one side.

use std::ffi::OsString;
use std::time::Duration;

use serde::Deserialize;

use crate::catalogue::{Case, Kind};
use crate::guest::Guest;
use crate::process::{Finished, Running, quote};
use crate::side::Side;
use crate::statistics::Spread;
use crate::unit::Unit;

const MOST_PROGRAM_SAMPLES: u32 = 2;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// In the workload's unit.
    Measured(f64),
    /// The machine lacks something that the workload needs.
    Skipped(String),
    Failed(String),
}

/// How much is spent on one run.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// What a loop is measured for, without its calibration and warm-up.
    pub time: Duration,
    /// How often at least what takes longer is measured.
    pub samples: u32,
    /// When a run is given up.
    pub limit: Duration,
}

impl Effort {
    /// A program takes long, and its own length evens out what disturbs a short loop.
    fn for_program(self) -> Self {
        Self { samples: self.samples.min(MOST_PROGRAM_SAMPLES), ..self }
    }
}

/// The line that the guest prints.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Line {
    Measured { samples: Vec<f64> },
    Skipped { skipped: String },
    Failed { failed: String },
}

/// Measures `case` once on `side`.
pub fn measure(case: &Case, side: &Side, guest: &Guest, effort: Effort) -> Outcome {
    let result = match &case.workload.kind {
        Kind::Guest => {
            let mut words = vec![OsString::from(&case.workload.name)];
            words.extend(case.arguments.split_whitespace().map(OsString::from));
            words.push(format!("directory={}", guest.directory().display()).into());
            run_guest(words, case.workload.unit, side, guest, effort)
        }
        Kind::Program(program) => match program.prepare(guest) {
            Ok(words) => run_guest(words, case.workload.unit, side, guest, effort.for_program()),
            Err(outcome) => Ok(outcome),
        },
        Kind::World(world) => world.measure(side, guest, effort),
    };
    result.unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")))
}

fn run_guest(mut words: Vec<OsString>, unit: Unit, side: &Side, guest: &Guest, effort: Effort) -> anyhow::Result<Outcome> {
    words.insert(0, guest.program().into());
    if let Some(label) = guest.label() {
        words.push(format!("label={}", label.display()).into());
    }
    words.push(format!("time={}", effort.time.as_millis()).into());
    words.push(format!("samples={}", effort.samples).into());
    let finished = Running::run(&side.command(&words, guest)?, effort.limit)?;
    Ok(outcome(&finished, unit))
}

/// What else runs on the machine only ever adds to a sample, so the edge of the best quarter says more about the
/// workload than the middle does; it moves less from run to run.
fn outcome(finished: &Finished, unit: Unit) -> Outcome {
    // A peer's own messages may stand around the guest's line.
    let line = finished.lines.iter().rev().find_map(|line| serde_json::from_str(line.trim()).ok());
    match line {
        Some(Line::Failed { failed }) => Outcome::Failed(failed + &quote(&finished.errors)),
        Some(Line::Skipped { skipped }) => Outcome::Skipped(skipped),
        Some(Line::Measured { samples }) if finished.status.success() => match Spread::of(&samples) {
            Some(spread) => Outcome::Measured(unit.best_quarter(&spread)),
            None => Outcome::Failed("no samples".to_owned()),
        },
        _ => Outcome::Failed(format!("ended with {}{}", finished.status, quote(&finished.errors))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn finished(raw_status: i32, lines: &[&str], errors: &str) -> Finished {
        Finished {
            status: ExitStatus::from_raw(raw_status),
            elapsed: Duration::ZERO,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            errors: errors.to_owned(),
        }
    }

    #[test]
    fn the_guests_line_is_found_among_others() {
        let lines = ["booting", r#"{"measured":"x","iterations":3,"samples":[1,5,2]}"#, "halting"];
        assert_eq!(outcome(&finished(0, &lines, ""), Unit::Nanoseconds), Outcome::Measured(1.5));
        assert_eq!(outcome(&finished(0, &lines, ""), Unit::MebibytesPerSecond), Outcome::Measured(3.5));
    }

    #[test]
    fn no_line_is_a_failure_with_its_reason() {
        let Outcome::Failed(reason) = outcome(&finished(9, &[], "acrida: no such call\n"), Unit::Nanoseconds) else { panic!() };
        assert!(reason.contains("signal: 9") && reason.ends_with("acrida: no such call"), "{reason}");
    }

    #[test]
    fn a_bad_end_spoils_a_measurement() {
        let lines = [r#"{"measured":"x","iterations":3,"samples":[1]}"#];
        assert!(matches!(outcome(&finished(256, &lines, ""), Unit::Nanoseconds), Outcome::Failed(_)));
    }

    #[test]
    fn the_guest_may_skip_or_fail() {
        assert_eq!(
            outcome(&finished(0, &[r#"{"skipped":"needs two CPUs"}"#], ""), Unit::Nanoseconds),
            Outcome::Skipped("needs two CPUs".into())
        );
        assert_eq!(
            outcome(&finished(256, &[r#"{"failed":"read: x"}"#], ""), Unit::Nanoseconds),
            Outcome::Failed("read: x".into())
        );
    }
}
