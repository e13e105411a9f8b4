//! `acrida run --stats`: the table at the end.

use std::fmt::Write;
use std::fs::File;
use std::os::unix::fs::FileExt;

use acrida_trace_format::counters::{CallCounters, SIZE};
use acrida_trace_format::ring::COUNTERS_OFFSET;
use anyhow::{Context, Result};
use zerocopy::FromBytes;

use crate::calls::{self, Service};

/// Reads the counters of a world that is over, and makes the table.
pub fn table(arena: &File) -> Result<String> {
    let mut bytes = vec![0; SIZE];
    arena.read_exact_at(&mut bytes, COUNTERS_OFFSET).context("reading the counters")?;
    let rows: Vec<(usize, CallCounters)> = bytes
        .chunks_exact(size_of::<CallCounters>())
        .filter_map(|row| CallCounters::read_from_bytes(row).ok())
        .enumerate()
        .filter(|(_, row)| row.calls > 0)
        .collect();
    Ok(show(rows))
}

/// Sorted by time; the sum last.
fn show(mut rows: Vec<(usize, CallCounters)>) -> String {
    rows.sort_by_key(|(number, row)| (std::cmp::Reverse(row.ns), *number));
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{:<20} {:<8} {:>9} {:>8} {:>10} {:>8} {:>8} {:>12} {:>11}",
        "call", "service", "calls", "errors", "host calls", "waits", "memory", "total ms", "mean us"
    );
    let mut sum = CallCounters::default();
    for (number, row) in &rows {
        sum.calls += row.calls;
        sum.errors += row.errors;
        sum.ns += row.ns;
        sum.host_calls += row.host_calls;
        sum.host_waits += row.host_waits;
        sum.host_maps += row.host_maps;
        let service = match calls::by_number(*number).map(|call| &call.service) {
            Some(Service::Ours) => "ours",
            Some(Service::Host) => "host",
            Some(Service::Refused(_)) => "refused",
            None => "unknown",
        };
        let name =
            if *number + 1 == acrida_trace_format::counters::ROWS { "(other numbers)".to_string() } else { calls::name(*number) };
        row_line(&mut out, &name, service, row);
    }
    row_line(&mut out, "total", "", &sum);
    out.push_str("host calls: made to the host on the call's behalf, without those that sleep or wake (waits) and those that map memory (memory)\n");
    out
}

fn row_line(out: &mut String, name: &str, service: &str, row: &CallCounters) {
    let mean = row.ns as f64 / 1e3 / row.calls.max(1) as f64;
    let _ = writeln!(
        out,
        "{name:<20} {service:<8} {:>9} {:>8} {:>10} {:>8} {:>8} {:>12.3} {mean:>11.3}",
        row.calls,
        row.errors,
        row.host_calls,
        row.host_waits,
        row.host_maps,
        row.ns as f64 / 1e6
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_call_stands_first() {
        let row = |calls, ns| CallCounters { calls, ns, ..CallCounters::default() };
        let text = show(vec![(39, row(10, 1000)), (0, row(1, 5000)), (500, row(1, 1))]);
        let names: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(names, ["call", "read", "getpid", "syscall_0x1f4", "total", "host"]);
    }
}
