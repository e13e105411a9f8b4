//! A run: every case, on every side, in turns.
//!
//! A B B A, not A A B B: both sides of a pair meet the same temperature, clock and neighbours, so that what
//! drifts cancels in the pair's ratio; and neither side always follows the other. A row whose median is still in
//! doubt after its pairs gets more of them, up to a limit.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};

use crate::catalogue::{Case, Kind};
use crate::check;
use crate::figure::{Effort, Outcome, measure};
use crate::guest::Guest;
use crate::interrupt;
use crate::machine::Machine;
use crate::report::{Comparison, FORMAT, Figures, PeerResult, Report, Row, RowResult, Settings};
use crate::side::Side;
use crate::statistics::{Spread, median_between, paired_ratios};

/// A row gets more pairs until its median is known within this share of it, to either side.
const PRECISION: f64 = 0.05;

/// A row that has taken so long gets no more pairs: on a busy machine nothing is ever steady.
const PATIENCE: Duration = Duration::from_secs(8);

/// A peer's machine may take seconds to start: it is measured in fewer pairs.
const PEER_PAIRS: u32 = 2;

/// Why a case has no figures.
enum NoPairs {
    /// It cannot run natively on this machine.
    Skipped(String),
    Failed(String),
}

/// How many pairs are measured of a row.
#[derive(Clone, Copy, Debug)]
pub struct Pairs {
    pub least: u32,
    /// As many at most when the row is unsteady.
    pub most: u32,
}

impl Pairs {
    /// Programs take long and their own length evens out what disturbs a loop: a third is enough.
    fn for_case(self, case: &Case) -> Self {
        match case.workload.kind {
            Kind::Program(_) => {
                let third = self.least.div_ceil(3);
                Self { least: third, most: third }
            }
            _ => self,
        }
    }
}

/// The figures of native and of another side, pair by pair.
#[derive(Default)]
struct Measured {
    native: Vec<f64>,
    other: Vec<f64>,
}

impl Measured {
    fn ratios(&self) -> Vec<f64> {
        paired_ratios(&self.native, &self.other)
    }

    /// Whether more pairs would hardly move the median of the ratios.
    fn is_steady(&self) -> bool {
        let ratios = self.ratios();
        match (median_between(&ratios), Spread::of(&ratios)) {
            (Some((low, high)), Some(spread)) => high - low <= 2.0 * PRECISION * spread.median,
            _ => false,
        }
    }
}

/// Who takes part, and how much is spent on it.
pub struct Plan<'a> {
    pub guest: &'a Guest,
    pub native: Side,
    pub acrida: Side,
    /// Peers that were asked for, or why they are not here.
    pub peers: Vec<(&'static str, Result<Side, String>)>,
    pub pairs: Pairs,
    pub effort: Effort,
    pub settings: Settings,
}

/// Measures all `cases`; `None` when it was interrupted.
pub fn run(plan: &Plan<'_>, cases: &[Case]) -> Option<Report> {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let machine = Machine::this();
    let progress = progress_bar(cases.len());
    let mut rows = Vec::with_capacity(cases.len());
    for case in cases {
        progress.set_message(case.title());
        let row = plan.row(case);
        if interrupt::requested() {
            progress.finish_and_clear();
            return None;
        }
        if let RowResult::Failed { reason } = &row.result {
            progress.suspend(|| eprintln!("acrida bench: {} failed: {reason}", row.title));
        }
        progress.inc(1);
        rows.push(row);
    }
    progress.finish_and_clear();
    let settings = plan.settings.clone();
    let checks = check::all(&rows);
    Some(Report { format: FORMAT, started, machine, settings, rows, checks })
}

/// Drawn on standard error, and only where that is a terminal.
pub(crate) fn progress_bar(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {pos}/{len} {msg}");
    ProgressBar::new(length as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Plan<'_> {
    fn row(&self, case: &Case) -> Row {
        let mut peers = BTreeMap::new();
        let result = self.compare(case);
        if let RowResult::Measured(_) = result {
            peers.extend(self.peers.iter().map(|(name, side)| ((*name).to_owned(), self.peer(case, side))));
        }
        let workload = &case.workload;
        Row {
            group: workload.group.clone(),
            name: workload.name.clone(),
            arguments: arguments_of(&case.arguments),
            title: case.title(),
            operation: workload.operation.clone(),
            bound: workload.bound.clone(),
            axis: workload.axis.clone(),
            unit: workload.unit,
            target: case.target.map(|target| target.to_string()),
            result,
            peers,
        }
    }

    fn compare(&self, case: &Case) -> RowResult {
        let measured = match self.pairs_with(case, &self.acrida, self.pairs.for_case(case)) {
            Ok(measured) => measured,
            Err(NoPairs::Skipped(reason)) => return RowResult::Skipped { reason },
            Err(NoPairs::Failed(reason)) => return RowResult::Failed { reason },
        };
        let ratio = Spread::of(&measured.ratios());
        let (Some(native), Some(acrida), Some(ratio)) = (figures(measured.native), figures(measured.other), ratio) else {
            return RowResult::Failed { reason: "no pairs were measured".to_owned() };
        };
        let over_native = acrida.spread.median - native.spread.median;
        let met = case.target.map(|target| target.is_met(ratio.median, over_native));
        RowResult::Measured(Comparison { native, acrida, ratio, over_native, met })
    }

    /// The figures of native and of `other`, measured in turns.
    fn pairs_with(&self, case: &Case, other: &Side, pairs: Pairs) -> Result<Measured, NoPairs> {
        let started = Instant::now();
        let mut measured = Measured::default();
        for pair in 0..pairs.most {
            let enough = measured.is_steady() || started.elapsed() > PATIENCE;
            if pair >= pairs.least && enough {
                break;
            }
            let native_first = pair % 2 == 0;
            if native_first {
                measured.native.push(self.native_figure(case)?);
            }
            measured.other.push(self.figure_of(case, other)?);
            if !native_first {
                measured.native.push(self.native_figure(case)?);
            }
        }
        Ok(measured)
    }

    fn native_figure(&self, case: &Case) -> Result<f64, NoPairs> {
        match measure(case, &self.native, self.guest, self.effort) {
            Outcome::Measured(figure) => Ok(figure),
            Outcome::Skipped(reason) => Err(NoPairs::Skipped(reason)),
            Outcome::Failed(reason) => Err(NoPairs::Failed(format!("natively: {reason}"))),
        }
    }

    fn figure_of(&self, case: &Case, other: &Side) -> Result<f64, NoPairs> {
        match measure(case, other, self.guest, self.effort) {
            Outcome::Measured(figure) => Ok(figure),
            // What native can do must not be skipped by us.
            Outcome::Skipped(reason) | Outcome::Failed(reason) => Err(NoPairs::Failed(format!("under {}: {reason}", other.name))),
        }
    }

    fn peer(&self, case: &Case, side: &Result<Side, String>) -> PeerResult {
        let impossible = |reason: &str| PeerResult::Impossible { reason: reason.to_owned() };
        let side = match side {
            Ok(side) => side,
            Err(reason) => return impossible(reason),
        };
        let pairs = PEER_PAIRS.min(self.pairs.least);
        let pairs = Pairs { least: pairs, most: pairs };
        match self.pairs_with(case, side, pairs) {
            Ok(measured) => match (Spread::of(&measured.ratios()), figures(measured.other)) {
                (Some(ratio), Some(figures)) => PeerResult::Measured { figures, ratio },
                _ => impossible("no pairs were measured"),
            },
            Err(NoPairs::Failed(reason) | NoPairs::Skipped(reason)) => impossible(&reason),
        }
    }
}

fn figures(runs: Vec<f64>) -> Option<Figures> {
    Some(Figures { spread: Spread::of(&runs)?, runs })
}

/// `name=value name=value` taken apart.
pub(crate) fn arguments_of(text: &str) -> BTreeMap<String, String> {
    text.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
