//! What a figure counts, how it is written, and which way is better.

use serde::{Deserialize, Serialize};

use crate::statistics::Spread;

/// The unit of a workload's figures. A cost wants to be small, a throughput large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Wall time of one operation.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Bytes moved.
    #[serde(rename = "MiB/s")]
    MebibytesPerSecond,
    /// Memory held.
    #[serde(rename = "B")]
    Bytes,
}

impl Unit {
    /// False for throughputs.
    pub fn less_is_better(self) -> bool {
        self != Self::MebibytesPerSecond
    }

    /// How many times more expensive a ratio of this unit's figures makes it: above 1 is slower.
    pub fn cost(self, ratio: f64) -> f64 {
        if self.less_is_better() { ratio } else { 1.0 / ratio }
    }

    /// The edge of the quarter that did best.
    pub fn best_quarter(self, spread: &Spread) -> f64 {
        if self.less_is_better() { spread.low } else { spread.high }
    }

    /// The figure with three digits and a unit of handy size.
    pub fn format(self, value: f64) -> String {
        let steps: &[(f64, &str)] = match self {
            Self::Nanoseconds => &[(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")],
            Self::MebibytesPerSecond => &[(1024.0, "GiB/s"), (1.0, "MiB/s")],
            Self::Bytes => &[(1024.0 * 1024.0, "MiB"), (1024.0, "KiB"), (1.0, "B")],
        };
        let (step, name) = steps.iter().find(|(step, _)| value.abs() >= *step).or(steps.last()).expect("every unit has a step");
        format!("{} {name}", three_digits(value / step))
    }
}

/// `value` with three significant digits, as far as there are decimals to leave out.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(Unit::Nanoseconds.format(106.4), "106 ns");
        assert_eq!(Unit::Nanoseconds.format(13.54), "13.5 ns");
        assert_eq!(Unit::Nanoseconds.format(1999.0), "2.00 us");
        assert_eq!(Unit::Nanoseconds.format(0.4), "0.40 ns");
        assert_eq!(Unit::Nanoseconds.format(2.5e9), "2.50 s");
        assert_eq!(Unit::MebibytesPerSecond.format(3072.0), "3.00 GiB/s");
        assert_eq!(Unit::Bytes.format(16384.0), "16.0 KiB");
    }

    #[test]
    fn a_throughput_of_half_costs_twice() {
        assert_eq!(Unit::MebibytesPerSecond.cost(0.5), 2.0);
        assert_eq!(Unit::Nanoseconds.cost(0.5), 0.5);
    }
}
