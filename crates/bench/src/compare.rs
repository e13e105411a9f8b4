//! Two runs side by side: whether the benchmark says the same thing twice, or what a change has done.
//!
//! A group agrees when the median of its rows' changes is within the bound, and so is each of its rows that stays on one
//! CPU: a row whose parties use two has two modes on many machines and counts by its group's median alone.

use std::collections::BTreeMap;

use crate::report::{Report, Row};
use crate::statistics::Spread;
use crate::unit::three_digits;

/// Its rows are as long as programs are, and as unsteady as the machine that runs them.
const NO_MICRO_GROUP: &str = "programs";

/// A row that both runs have measured.
struct Pair<'a> {
    row: &'a Row,
    before: f64,
    after: f64,
}

impl Pair<'_> {
    /// How far the ratios are from each other, as a share of the smaller: the same in both directions.
    fn change(&self) -> f64 {
        (self.after / self.before).max(self.before / self.after) - 1.0
    }

    /// What is said about a change: nothing when it is within the bound.
    fn verdict(&self, within: f64) -> &'static str {
        match (self.change() <= within, self.row.two_cpus) {
            (true, _) => "",
            (false, false) => "  DIFFERS",
            (false, true) => "  differs, on two CPUs",
        }
    }

    fn agrees(&self, within: f64) -> bool {
        self.row.two_cpus || self.change() <= within
    }
}

/// The rows of a group, and what is said about them.
struct Group<'a> {
    name: &'a str,
    changes: Spread,
    largest: f64,
    rows: usize,
    beyond: usize,
    agrees: bool,
}

impl<'a> Group<'a> {
    fn of(name: &'a str, pairs: &[Pair<'_>], within: f64) -> Option<Self> {
        let pairs: Vec<&Pair<'_>> = pairs.iter().filter(|pair| pair.row.group == name).collect();
        let all: Vec<f64> = pairs.iter().map(|pair| pair.change()).collect();
        let changes = Spread::of(&all)?;
        Some(Self {
            name,
            changes,
            largest: all.iter().copied().fold(0.0, f64::max),
            rows: all.len(),
            beyond: all.iter().filter(|change| **change > within).count(),
            agrees: changes.median <= within && pairs.iter().all(|pair| pair.agrees(within)),
        })
    }

    fn is_micro(&self) -> bool {
        self.name != NO_MICRO_GROUP
    }

    fn line(&self, within: f64) -> String {
        let verdict = match (self.is_micro(), self.agrees) {
            (false, _) => "no micro group",
            (true, true) => "agrees",
            (true, false) => "DIFFERS",
        };
        format!(
            "{}: {verdict}: {} rows, median change {:.1}%, largest {:.1}%, {} beyond {:.0}%\n",
            self.name,
            self.rows,
            self.changes.median * 100.0,
            self.largest * 100.0,
            self.beyond,
            within * 100.0,
        )
    }
}

/// What two runs have in common and in what they differ.
pub struct Agreement {
    pub text: String,
    /// Whether every micro group agrees, and both have the same rows.
    pub holds: bool,
}

/// Compares the ratios of two runs; `within` is the largest change that is none, as a share.
pub fn compare(before: &Report, after: &Report, within: f64) -> Agreement {
    let (pairs, alone) = matched(before, after);
    let width = pairs.iter().map(|pair| pair.row.title.chars().count()).max().unwrap_or(0);
    let mut text = format!("{:<width$}  before   after  change\n", "workload");
    for pair in &pairs {
        text += &format!(
            "{:<width$}  {:>6}  {:>6}  {:>5.1}%{}\n",
            pair.row.title,
            three_digits(pair.before),
            three_digits(pair.after),
            (pair.after / pair.before - 1.0) * 100.0,
            pair.verdict(within),
        );
    }
    text += "\n";
    for line in &alone {
        text += &format!("{line}\n");
    }
    let mut names: Vec<&str> = pairs.iter().map(|pair| pair.row.group.as_str()).collect();
    names.dedup();
    let groups: Vec<Group<'_>> = names.iter().filter_map(|name| Group::of(name, &pairs, within)).collect();
    text.extend(groups.iter().map(|group| group.line(within)));
    let holds = alone.is_empty() && groups.iter().all(|group| !group.is_micro() || group.agrees);
    Agreement { text, holds }
}

/// The rows that both have measured, and a line for each that only one has.
fn matched<'a>(before: &'a Report, after: &'a Report) -> (Vec<Pair<'a>>, Vec<String>) {
    let ratio = |row: &Row| Some(row.comparison()?.ratio.median);
    let mut later: BTreeMap<&str, Option<f64>> = after.rows.iter().map(|row| (row.title.as_str(), ratio(row))).collect();
    let mut pairs = Vec::new();
    let mut alone = Vec::new();
    for row in &before.rows {
        let other = later.remove(row.title.as_str()).flatten();
        match (ratio(row), other) {
            (Some(before), Some(after)) => pairs.push(Pair { row, before, after }),
            (Some(_), None) => alone.push(format!("only the first run has {}", row.title)),
            (None, Some(_)) => alone.push(format!("only the second run has {}", row.title)),
            (None, None) => {}
        }
    }
    let measured_later = later.iter().filter(|(_, ratio)| ratio.is_some());
    alone.extend(measured_later.map(|(title, _)| format!("only the second run has {title}")));
    (pairs, alone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{report, row};

    fn run(ratios: &[(&str, &str, f64)]) -> Report {
        let rows = ratios.iter().map(|(group, name, ratio)| row(group, name, "", 100.0, 100.0 * ratio, None));
        report(rows.collect())
    }

    #[test]
    fn changes_count_alike_in_both_directions() {
        let (one, two) = (run(&[("calls", "a", 1.0)]), run(&[("calls", "a", 1.2)]));
        assert!(!compare(&one, &two, 0.15).holds);
        assert!(!compare(&two, &one, 0.15).holds);
        assert!(compare(&one, &two, 0.21).holds);
        assert!(compare(&one, &two, 0.15).text.contains("20.0%  DIFFERS"));
    }

    #[test]
    fn a_row_on_two_cpus_counts_by_its_groups_median() {
        let wake = |ratios: [f64; 3]| {
            let mut report = run(&[("wake-ups", "a", ratios[0]), ("wake-ups", "b", ratios[1]), ("wake-ups", "c", ratios[2])]);
            report.rows.iter_mut().for_each(|row| row.two_cpus = true);
            report
        };
        let agreement = compare(&wake([1.0, 1.0, 1.0]), &wake([1.0, 1.1, 2.0]), 0.15);
        assert!(agreement.holds && agreement.text.contains("differs, on two CPUs") && agreement.text.contains("agrees"));
        let agreement = compare(&wake([1.0, 1.0, 1.0]), &wake([1.0, 1.3, 2.0]), 0.15);
        assert!(!agreement.holds && agreement.text.contains("wake-ups: DIFFERS"));
    }

    #[test]
    fn programs_are_shown_and_decide_nothing() {
        let one = run(&[("calls", "a", 1.0), ("programs", "make", 1.0)]);
        let two = run(&[("calls", "a", 1.0), ("programs", "make", 2.0)]);
        let agreement = compare(&one, &two, 0.15);
        assert!(agreement.holds && agreement.text.contains("programs: no micro group: 1 rows"));
    }

    #[test]
    fn a_row_that_only_one_run_has_is_a_difference() {
        let one = run(&[("calls", "a", 1.0)]);
        let two = run(&[("calls", "a", 1.0), ("calls", "b", 1.0)]);
        for agreement in [compare(&one, &two, 0.15), compare(&two, &one, 0.15)] {
            assert!(!agreement.holds && agreement.text.contains("has b"));
        }
    }
}
