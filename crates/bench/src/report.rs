//! What a run has found, as data: the JSON that table, charts and documents are made from.
//!
//! `FORMAT` counts changes that a reader of the JSON must know of; new fields are not such a change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::statistics::Spread;
use crate::unit::Unit;

/// The version of the JSON.
pub const FORMAT: u32 = 2;

/// A relative spread of ratios above which their median says nothing by itself.
const UNSTEADY: f64 = 0.25;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub format: u32,
    /// When it began, in UTC (RFC 3339).
    pub started: String,
    pub machine: Machine,
    pub settings: Settings,
    pub rows: Vec<Row>,
    /// Promises that compare several rows.
    pub checks: Vec<Check>,
}

/// How the run was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The words before each guest on acrida's side.
    pub prefix: Vec<String>,
    /// How often each side was measured, in turns.
    pub pairs: u32,
    /// How long each loop was measured for, without warm-up.
    pub milliseconds: u64,
    pub quick: bool,
}

/// One workload at one of its points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub group: String,
    pub name: String,
    pub arguments: BTreeMap<String, String>,
    /// Name and arguments, as in the table.
    pub title: String,
    pub operation: String,
    pub bound: String,
    pub axis: Option<String>,
    pub unit: Unit,
    /// Its parties may run on two CPUs at once: such a row may have two modes, natively as well.
    pub two_cpus: bool,
    /// `<=0.25`, `>=1.3` or `<=+15000000`.
    pub target: Option<String>,
    #[serde(flatten)]
    pub result: RowResult,
    pub peers: BTreeMap<String, PeerResult>,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum RowResult {
    Measured(Comparison),
    /// This machine cannot run it natively either.
    Skipped {
        reason: String,
    },
    Failed {
        reason: String,
    },
}

/// Two sides that were measured in turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub native: Figures,
    pub acrida: Figures,
    /// acrida / native, of the pairs that met the quietest machine.
    pub ratio: Spread,
    /// The same of every pair.
    pub every_ratio: Spread,
    /// The difference of the medians, in the row's unit.
    pub over_native: f64,
    /// Whether the target is met, where there is one.
    pub met: Option<bool>,
}

/// The figures of one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Of the pairs that met the quietest machine.
    #[serde(flatten)]
    pub spread: Spread,
    /// One for each run, in order; every one.
    pub runs: Vec<f64>,
}

/// What a peer made of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum PeerResult {
    /// The ratio is to native, of pairs.
    Measured { figures: Figures, ratio: Spread },
    /// Not installed, or it cannot run the workload.
    Impossible { reason: String },
}

/// A promise about several rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: String,
    pub value: f64,
    pub target: String,
    pub met: bool,
}

impl Report {
    /// The rows that failed, with their reasons.
    pub fn failures(&self) -> impl Iterator<Item = (&Row, &str)> {
        self.rows.iter().filter_map(|row| match &row.result {
            RowResult::Failed { reason } => Some((row, reason.as_str())),
            _ => None,
        })
    }

    /// How many promises are kept, and how many there are. What failed keeps none.
    pub fn promises(&self) -> (usize, usize) {
        let rows = self.rows.iter().filter_map(|row| match &row.result {
            RowResult::Measured(comparison) => comparison.met,
            RowResult::Failed { .. } => row.target.as_ref().map(|_| false),
            RowResult::Skipped { .. } => None,
        });
        let all: Vec<bool> = rows.chain(self.checks.iter().map(|check| check.met)).collect();
        (all.iter().filter(|met| **met).count(), all.len())
    }

    /// The groups in the order of their rows.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self.rows.iter().map(|row| row.group.as_str()).collect();
        groups.dedup();
        groups
    }
}

impl Row {
    /// The figures, if there are any.
    pub fn comparison(&self) -> Option<&Comparison> {
        match &self.result {
            RowResult::Measured(comparison) => Some(comparison),
            _ => None,
        }
    }

    /// The ratio in words, with a throughput's turned around; a ratio within its own noise is no difference.
    pub fn meaning(&self) -> Option<String> {
        let Comparison { ratio, every_ratio, .. } = self.comparison()?;
        let cost = self.unit.cost(ratio.median);
        let (less, more) = match self.unit {
            Unit::Bytes => ("less", "more"),
            Unit::Nanoseconds | Unit::MebibytesPerSecond => ("faster", "slower"),
        };
        let as_native = (every_ratio.low..=every_ratio.high).contains(&1.0) || (0.95..=1.05).contains(&cost);
        Some(if as_native && every_ratio.relative() > UNSTEADY {
            "too unsteady to tell".to_owned()
        } else if as_native {
            "as native".to_owned()
        } else if cost < 1.0 {
            format!("{} times {less}", crate::unit::three_digits(1.0 / cost))
        } else {
            format!("{} times {more}", crate::unit::three_digits(cost))
        })
    }

    /// Whether acrida costs more than native here, beyond the noise.
    pub fn is_slower(&self) -> bool {
        self.meaning().is_some_and(|meaning| meaning.ends_with("slower") || meaning.ends_with("more"))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub(crate) fn figures(value: f64) -> Figures {
        Figures { spread: Spread { median: value, low: value, high: value }, runs: vec![value] }
    }

    /// A row with exact figures, for tests of what is made from rows.
    pub(crate) fn row(group: &str, name: &str, arguments: &str, native: f64, acrida: f64, target: Option<&str>) -> Row {
        let ratio = acrida / native;
        let met = target.map(|text| text.parse::<crate::target::Target>().unwrap().is_met(ratio, acrida - native));
        Row {
            group: group.to_owned(),
            name: name.to_owned(),
            arguments: crate::run::arguments_of(arguments),
            title: format!("{name} {arguments}").trim_end().to_owned(),
            operation: "an operation".to_owned(),
            bound: "A bound.".to_owned(),
            axis: arguments.split_once('=').map(|(axis, _)| axis.to_owned()),
            unit: Unit::Nanoseconds,
            two_cpus: false,
            target: target.map(str::to_owned),
            result: RowResult::Measured(Comparison {
                native: figures(native),
                acrida: figures(acrida),
                ratio: Spread { median: ratio, low: ratio, high: ratio },
                every_ratio: Spread { median: ratio, low: ratio, high: ratio },
                over_native: acrida - native,
                met,
            }),
            peers: BTreeMap::new(),
        }
    }

    pub(crate) fn report(rows: Vec<Row>) -> Report {
        Report {
            format: FORMAT,
            started: "2030-01-02T03:04:05Z".to_owned(),
            machine: Machine {
                processor: "A processor".to_owned(),
                cpus: 2,
                virtual_machine: true,
                memory_mib: 4096,
                kernel: "6.1.0".to_owned(),
                load: 0.1,
            },
            settings: Settings { prefix: vec!["acrida".to_owned()], pairs: 3, milliseconds: 50, quick: true },
            checks: crate::check::all(&rows),
            rows,
        }
    }

    #[test]
    fn the_json_is_what_its_readers_expect() {
        let mut failed = row("pipes", "b", "", 1.0, 1.0, None);
        failed.result = RowResult::Failed { reason: "why".to_owned() };
        failed.peers.insert("uml".to_owned(), PeerResult::Impossible { reason: "absent".to_owned() });
        let report = report(vec![row("calls", "a", "fds=1", 100.0, 20.0, Some("<=0.25")), failed]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["format"], 2);
        let first = &json["rows"][0];
        assert_eq!(first["status"], "measured");
        assert_eq!(first["unit"], "ns");
        assert_eq!(first["arguments"]["fds"], "1");
        assert_eq!(first["native"]["median"], 100.0);
        assert_eq!(first["acrida"]["runs"][0], 20.0);
        assert_eq!(first["ratio"]["median"], 0.2);
        assert_eq!(first["met"], true);
        assert_eq!(json["rows"][1]["status"], "failed");
        assert_eq!(json["rows"][1]["reason"], "why");
        assert_eq!(json["rows"][1]["peers"]["uml"]["status"], "impossible");
        assert_eq!(serde_json::from_value::<Report>(json).unwrap(), report);
    }

    #[test]
    fn meanings_respect_noise_and_direction() {
        let meaning = |native, acrida| row("g", "n", "", native, acrida, None).meaning().unwrap();
        assert_eq!(meaning(100.0, 20.0), "5.00 times faster");
        assert_eq!(meaning(100.0, 250.0), "2.50 times slower");
        assert_eq!(meaning(100.0, 104.0), "as native");
        let mut unsteady = row("g", "n", "", 100.0, 50.0, None);
        if let RowResult::Measured(comparison) = &mut unsteady.result {
            comparison.every_ratio = Spread { median: 0.5, low: 0.4, high: 1.5 };
        }
        assert_eq!(unsteady.meaning().unwrap(), "too unsteady to tell");
        let mut throughput = row("g", "n", "", 100.0, 50.0, None);
        throughput.unit = Unit::MebibytesPerSecond;
        assert_eq!(throughput.meaning().unwrap(), "2.00 times slower");
        assert!(throughput.is_slower());
    }
}
