//! Two runs side by side: whether the benchmark says the same thing twice, or what a change has done.

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

    fn is_micro(&self) -> bool {
        self.row.group != NO_MICRO_GROUP
    }
}

/// What two runs have in common and in what they differ.
pub struct Agreement {
    pub text: String,
    /// Whether no row of a micro group differs by more than was asked for, and both have the same rows.
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
            if pair.change() > within { "  DIFFERS" } else { "" },
        );
    }
    text += "\n";
    for line in &alone {
        text += &format!("{line}\n");
    }
    text += &by_group(&pairs, within);
    let holds = alone.is_empty() && pairs.iter().all(|pair| !pair.is_micro() || pair.change() <= within);
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

fn by_group(pairs: &[Pair<'_>], within: f64) -> String {
    let mut groups: Vec<&str> = pairs.iter().map(|pair| pair.row.group.as_str()).collect();
    groups.dedup();
    let line = |group: &&str| {
        let changes: Vec<f64> = pairs.iter().filter(|pair| pair.row.group == **group).map(Pair::change).collect();
        let spread = Spread::of(&changes)?;
        let beyond = changes.iter().filter(|change| **change > within).count();
        Some(format!(
            "{group}: {} rows, median change {:.1}%, largest {:.1}%, {beyond} beyond {:.0}%\n",
            changes.len(),
            spread.median * 100.0,
            changes.iter().copied().fold(0.0, f64::max) * 100.0,
            within * 100.0,
        ))
    };
    groups.iter().filter_map(line).collect()
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
    fn programs_are_shown_and_decide_nothing() {
        let one = run(&[("calls", "a", 1.0), ("programs", "make", 1.0)]);
        let two = run(&[("calls", "a", 1.0), ("programs", "make", 2.0)]);
        let agreement = compare(&one, &two, 0.15);
        assert!(agreement.holds && agreement.text.contains("programs: 1 rows"));
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
