//! The report as a table for people.

use std::collections::BTreeMap;

use crate::report::{PeerResult, Report, Row, RowResult};
use crate::target::Target;
use crate::unit::three_digits;

/// What is shown of a row, in the order of the columns.
const HEADINGS: [&str; 7] = ["workload", "native", "acrida", "ratio", "spread", "target", "meaning"];

/// The whole report as text, with a line of text for everything that was measured, skipped or failed.
pub fn render(report: &Report) -> String {
    let peers: Vec<&str> = peer_names(report);
    let headings: Vec<String> = HEADINGS.iter().chain(&peers).map(|heading| (*heading).to_owned()).collect();
    let lines: Vec<(&str, Vec<String>)> = report.rows.iter().map(|row| (row.group.as_str(), cells(row, &peers))).collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            let cells = lines.iter().filter_map(|(_, cells)| cells.get(column));
            cells.chain([&headings[column]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();

    let mut text = format!("{}\n\n{}\n", report.machine.describe(), aligned(&headings, &widths));
    let mut group = "";
    for ((row_group, cells), row) in lines.iter().zip(&report.rows) {
        if *row_group != group {
            group = row_group;
            text += &format!("-- {group}\n");
        }
        match remark(row) {
            Some(remark) => text += &format!("{:<width$}  {remark}\n", marked_title(row), width = widths[0]),
            None => text += &format!("{}\n", aligned(cells, &widths)),
        }
    }
    text += "\n";
    for check in &report.checks {
        let value = three_digits(check.value);
        text += &format!("{}: {value}, {} {}\n", check.name, check.target, verdict(check.met));
    }
    text + two_cpus(report) + &impossible(report) + &summary(report)
}

/// The title, with a mark for rows that may have two modes.
fn marked_title(row: &Row) -> String {
    format!("{}{}", row.title, if row.two_cpus { " *" } else { "" })
}

/// What the mark means.
fn two_cpus(report: &Report) -> &'static str {
    if report.rows.iter().any(|row| row.two_cpus) {
        "*: its parties may be on two CPUs. What a wake-up costs then depends on where the scheduler puts them and on how\n   \
         deep the other CPU sleeps (a virtual one leaves to its host): such a row may have two modes, natively as well, and\n   \
         two runs are compared by its group's median.\n"
    } else {
        ""
    }
}

/// What the peers could not do, each reason once.
fn impossible(report: &Report) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in &report.rows {
        for (peer, result) in &row.peers {
            if let PeerResult::Impossible { reason } = result {
                reasons.entry((peer, reason)).or_default().push(&row.title);
            }
        }
    }
    let line =
        |((peer, reason), titles): (&(&str, &str), &Vec<&str>)| format!("{peer} cannot run {}: {reason}\n", titles.join(", "));
    reasons.iter().map(line).collect()
}

fn summary(report: &Report) -> String {
    let (kept, promised) = report.promises();
    let measured = report.rows.iter().filter(|row| row.comparison().is_some()).count();
    let failed = report.failures().count();
    let skipped = report.rows.len() - measured - failed;
    format!("{measured} measured, {skipped} skipped, {failed} failed; {kept} of {promised} targets met\n")
}

fn peer_names(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = report.rows.iter().flat_map(|row| row.peers.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Fewer cells than columns when there are no figures.
fn cells(row: &Row, peers: &[&str]) -> Vec<String> {
    let mut cells = vec![marked_title(row)];
    let Some(comparison) = row.comparison() else {
        return cells;
    };
    cells.extend([
        row.unit.format(comparison.native.spread.median),
        row.unit.format(comparison.acrida.spread.median),
        three_digits(comparison.ratio.median),
        spread(comparison.every_ratio.relative()),
        target(row),
        row.meaning().unwrap_or_default(),
    ]);
    cells.extend(peers.iter().map(|name| match row.peers.get(*name) {
        Some(PeerResult::Measured { ratio, .. }) => three_digits(ratio.median),
        Some(PeerResult::Impossible { .. }) => "cannot".to_owned(),
        None => String::new(),
    }));
    cells
}

/// As a percentage, as long as that says anything.
fn spread(relative: f64) -> String {
    if relative < 10.0 { format!("{:.0}%", relative * 100.0) } else { ">999%".to_owned() }
}

/// The promise and whether it is kept.
pub fn target(row: &Row) -> String {
    let Some(text) = &row.target else {
        return String::new();
    };
    let promise = match text.parse() {
        Ok(Target::OverNativeAtMost(bound)) => format!("<= native + {}", row.unit.format(bound)),
        _ => text.clone(),
    };
    match row.comparison().and_then(|comparison| comparison.met) {
        Some(met) => format!("{promise} {}", verdict(met)),
        None => promise,
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn remark(row: &Row) -> Option<String> {
    match &row.result {
        RowResult::Measured(_) => None,
        RowResult::Skipped { reason } => Some(format!("skipped: {reason}")),
        RowResult::Failed { reason } => Some(format!("FAILED {reason}")),
    }
}

/// The first column and the words at the end start at the left, the figures end at the right.
fn aligned(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let gap = if column == 0 { "" } else { "  " };
        line += &if matches!(column, 1..=4) { format!("{gap}{cell:>width$}") } else { format!("{gap}{cell:<width$}") };
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{figures, report, row};
    use crate::statistics::Spread;

    #[test]
    fn every_row_has_its_line() {
        let mut failed = row("pipes", "pipe_byte", "", 1.0, 1.0, Some("<=0.25"));
        failed.result = RowResult::Failed { reason: "under acrida: no".to_owned() };
        let mut skipped = row("programs", "redis", "", 1.0, 1.0, None);
        skipped.result = RowResult::Skipped { reason: "not installed".to_owned() };
        let mut compared = row("calls", "dup", "", 200.0, 500.0, Some("<=0.5"));
        let ratio = Spread { median: 9.0, low: 9.0, high: 9.0 };
        compared.peers.insert("uml".to_owned(), PeerResult::Measured { figures: figures(1800.0), ratio });
        let reason = "needs two CPUs".to_owned();
        compared.peers.insert("runsc".to_owned(), PeerResult::Impossible { reason });
        skipped.two_cpus = true;
        let report = report(vec![row("calls", "getppid", "", 106.0, 13.5, Some("<=0.2")), compared, failed, skipped]);
        let expected = "\
A processor, 2 CPUs (virtual), 4096 MiB, Linux 6.1.0, load 0.1

workload   native   acrida  ratio  spread  target        meaning            runsc   uml
-- calls
getppid    106 ns  13.5 ns   0.13      0%  <=0.2 met     7.85 times faster
dup        200 ns   500 ns   2.50      0%  <=0.5 MISSED  2.50 times slower  cannot  9.00
-- pipes
pipe_byte  FAILED under acrida: no
-- programs
redis *    skipped: not installed

*: its parties may be on two CPUs. What a wake-up costs then depends on where the scheduler puts them and on how
   deep the other CPU sleeps (a virtual one leaves to its host): such a row may have two modes, natively as well, and
   two runs are compared by its group's median.
runsc cannot run dup: needs two CPUs
2 measured, 1 skipped, 1 failed; 1 of 3 targets met
";
        assert_eq!(render(&report), expected);
    }
}
