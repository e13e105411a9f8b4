//! A run: every case, on every side, in turns and in rounds.
//!
//! A B B A, not A A B B: both sides of a pair meet the same temperature, clock and neighbours, so that what
//! drifts cancels in the pair's ratio; and neither side always follows the other. Rounds over all rows, not all pairs of
//! a row at once: what disturbs the machine for some seconds spoils one pair of some rows instead of one row, and
//! two runs meet the same mixture of good and bad seconds. Rows whose median is still in doubt after their pairs take
//! part in more rounds, up to a limit and for as long as the run's time lasts.

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
use crate::statistics::{Spread, median_between, paired_ratios, undisturbed};
use crate::unit::Unit;

/// A row gets more pairs until its median is known within this share of it, to either side.
const PRECISION: f64 = 0.05;

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
    /// Programs take long and their own length evens out what disturbs a loop: a third is enough where no promise is judged.
    fn for_case(self, case: &Case) -> Self {
        match case.workload.kind {
            Kind::Program(_) if case.target.is_none() => {
                let third = self.least.div_ceil(3);
                Self { least: third, most: third }
            }
            _ => self,
        }
    }
}

/// The figures of native and of another side, pair by pair.
struct Measured {
    native: Vec<f64>,
    other: Vec<f64>,
    unit: Unit,
}

impl Measured {
    fn new(unit: Unit) -> Self {
        Self { native: Vec::new(), other: Vec::new(), unit }
    }

    fn pairs(&self) -> usize {
        self.native.len().min(self.other.len())
    }

    /// What the row's figures and ratio are taken from: native's and the other side's.
    fn undisturbed(&self) -> (Vec<f64>, Vec<f64>) {
        undisturbed(&self.native, &self.other, self.unit.less_is_better())
    }

    /// Whether more pairs would hardly move the median of the ratios.
    fn is_steady(&self) -> bool {
        let (native, other) = self.undisturbed();
        let ratios = paired_ratios(&native, &other);
        match (median_between(&ratios), Spread::of(&ratios)) {
            (Some((low, high)), Some(spread)) => high - low <= 2.0 * PRECISION * spread.median,
            _ => false,
        }
    }

    /// Both sides' figures and their ratio; `None` when no pair was measured.
    fn figures(self) -> Option<(Figures, Figures, Spread)> {
        let (native, other) = self.undisturbed();
        let ratio = Spread::of(&paired_ratios(&native, &other))?;
        let native = Figures { spread: Spread::of(&native)?, runs: self.native };
        let other = Figures { spread: Spread::of(&other)?, runs: self.other };
        Some((native, other, ratio))
    }
}

/// A row that is being measured.
struct Series<'a> {
    case: &'a Case,
    pairs: Pairs,
    measured: Measured,
    ended: Option<NoPairs>,
}

impl<'a> Series<'a> {
    fn new(case: &'a Case, pairs: Pairs) -> Self {
        Self { case, pairs, measured: Measured::new(case.workload.unit), ended: None }
    }

    /// Whether it takes part in the next round; `more` says whether there is time for more than the least.
    fn is_due(&self, more: bool) -> bool {
        let pairs = self.measured.pairs();
        let least = self.pairs.least as usize;
        let most = self.pairs.most as usize;
        self.ended.is_none() && (pairs < least || (more && pairs < most && !self.measured.is_steady()))
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
    /// After this long nothing gets more than its least number of pairs.
    pub time: Duration,
    pub effort: Effort,
    pub settings: Settings,
}

/// Measures all `cases`; `None` when it was interrupted.
pub fn run(plan: &Plan<'_>, cases: &[Case]) -> Option<Report> {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let machine = Machine::this();
    let mut series: Vec<Series<'_>> = cases.iter().map(|case| Series::new(case, plan.pairs.for_case(case))).collect();
    plan.rounds(&mut series)?;
    let rows: Vec<Row> = series.into_iter().map(|series| plan.row(series)).collect();
    if interrupt::requested() {
        return None;
    }
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
    /// Measures pairs until no row needs more; `None` when it was interrupted.
    fn rounds(&self, series: &mut [Series<'_>]) -> Option<()> {
        let begun = Instant::now();
        let least: u32 = series.iter().map(|series| series.pairs.least).sum();
        let progress = progress_bar(least as usize);
        loop {
            let mut measured = 0;
            for series in series.iter_mut() {
                if !series.is_due(begun.elapsed() < self.time) {
                    continue;
                }
                progress.set_message(series.case.title());
                if let Err(end) = self.pair(series.case, &self.acrida, &mut series.measured) {
                    if let NoPairs::Failed(reason) = &end {
                        progress.suspend(|| eprintln!("acrida bench: {} failed: {reason}", series.case.title()));
                    }
                    series.ended = Some(end);
                }
                if interrupt::requested() {
                    progress.finish_and_clear();
                    return None;
                }
                measured += 1;
                if progress.position() == progress.length().unwrap_or(0) {
                    progress.inc_length(1);
                }
                progress.inc(1);
            }
            if measured == 0 {
                progress.finish_and_clear();
                return Some(());
            }
        }
    }

    fn row(&self, series: Series<'_>) -> Row {
        let case = series.case;
        let result = compare(series);
        let mut peers = BTreeMap::new();
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
            two_cpus: case.two_cpus,
            target: case.target.map(|target| target.to_string()),
            result,
            peers,
        }
    }

    /// One pair more: native first in every other one.
    fn pair(&self, case: &Case, other: &Side, measured: &mut Measured) -> Result<(), NoPairs> {
        let native_first = measured.pairs() % 2 == 0;
        if native_first {
            measured.native.push(self.native_figure(case)?);
        }
        measured.other.push(self.figure_of(case, other)?);
        if !native_first {
            measured.native.push(self.native_figure(case)?);
        }
        Ok(())
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
        let mut measured = Measured::new(case.workload.unit);
        for _ in 0..PEER_PAIRS.min(self.pairs.least) {
            if let Err(NoPairs::Failed(reason) | NoPairs::Skipped(reason)) = self.pair(case, side, &mut measured) {
                return impossible(&reason);
            }
        }
        match measured.figures() {
            Some((_, figures, ratio)) => PeerResult::Measured { figures, ratio },
            None => impossible("no pairs were measured"),
        }
    }
}

/// What has become of a row.
fn compare(series: Series<'_>) -> RowResult {
    match series.ended {
        Some(NoPairs::Skipped(reason)) => return RowResult::Skipped { reason },
        Some(NoPairs::Failed(reason)) => return RowResult::Failed { reason },
        None => {}
    }
    let every_ratio = Spread::of(&paired_ratios(&series.measured.native, &series.measured.other));
    let (Some((native, acrida, ratio)), Some(every_ratio)) = (series.measured.figures(), every_ratio) else {
        return RowResult::Failed { reason: "no pairs were measured".to_owned() };
    };
    let over_native = acrida.spread.median - native.spread.median;
    let met = series.case.target.map(|target| target.is_met(ratio.median, over_native));
    RowResult::Measured(Comparison { native, acrida, ratio, every_ratio, over_native, met })
}

/// `name=value name=value` taken apart.
pub(crate) fn arguments_of(text: &str) -> BTreeMap<String, String> {
    text.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
