//! Medians and quartiles: what is said about a handful of noisy figures.
//!
//! Means are not used: one run that met a busy neighbour would move them.

use serde::{Deserialize, Serialize};

/// In standard deviations, to either side.
const NINETEEN_OF_TWENTY: f64 = 1.96;

/// The middle of some figures, and how far their middle half reaches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the figures are not greater.
    pub median: f64,
    /// A quarter of the figures are not greater.
    pub low: f64,
    /// Three quarters of the figures are not greater.
    pub high: f64,
}

impl Spread {
    /// The spread of `figures`, which may come in any order; `None` when there are none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self { median: quantile(&sorted, 0.5)?, low: quantile(&sorted, 0.25)?, high: quantile(&sorted, 0.75)? })
    }

    /// Half of the width of the middle half, as a share of the median.
    pub fn relative(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.high - self.low) / 2.0 / self.median.abs() }
    }
}

/// Where the median of such figures lies in 19 of 20 cases, however they are distributed: between two of them, by
/// the ranks that a fair coin for each figure leaves in doubt. `None` when there are no figures.
pub fn median_between(figures: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let below = ((count - NINETEEN_OF_TWENTY * count.sqrt()) / 2.0).max(0.0) as usize;
    Some((*sorted.get(below)?, *sorted.get(sorted.len() - 1 - below)?))
}

/// The ratios of figures that were measured in turns: each neighbour met the same weather.
pub fn paired_ratios(native: &[f64], other: &[f64]) -> Vec<f64> {
    native.iter().zip(other).filter(|(native, _)| **native > 0.0).map(|(native, other)| other / native).collect()
}

/// Between two neighbours the value lies on the line that joins them.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let below = place.floor() as usize;
    let above = place.ceil() as usize;
    let weight = place - place.floor();
    Some(sorted[below] * (1.0 - weight) + sorted[above] * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_spread() {
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn one_figure_is_all_of_it() {
        assert_eq!(Spread::of(&[3.0]), Some(Spread { median: 3.0, low: 3.0, high: 3.0 }));
    }

    #[test]
    fn order_does_not_matter() {
        let spread = Spread::of(&[5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0 });
        assert!((spread.relative() - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn an_even_count_lies_between() {
        assert_eq!(Spread::of(&[1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(Spread::of(&[0.0, 1.0, 2.0, 3.0]).unwrap().low, 0.75);
    }

    #[test]
    fn more_figures_know_the_median_better() {
        assert_eq!(median_between(&[]), None);
        assert_eq!(median_between(&[2.0, 1.0, 3.0]), Some((1.0, 3.0)));
        let figures: Vec<f64> = (1..=9).map(f64::from).collect();
        assert_eq!(median_between(&figures), Some((2.0, 8.0)));
        let figures: Vec<f64> = (1..=25).map(f64::from).collect();
        assert_eq!(median_between(&figures), Some((8.0, 18.0)));
    }

    #[test]
    fn one_bad_run_does_not_move_the_ratio() {
        let ratios = paired_ratios(&[100.0, 100.0, 100.0, 100.0, 100.0], &[20.0, 21.0, 900.0, 20.0, 20.0]);
        assert_eq!(Spread::of(&ratios).unwrap().median, 0.2);
    }

    #[test]
    fn a_drift_that_both_sides_meet_cancels() {
        let ratios = paired_ratios(&[100.0, 200.0, 400.0], &[50.0, 100.0, 200.0]);
        assert_eq!(Spread::of(&ratios), Some(Spread { median: 0.5, low: 0.5, high: 0.5 }));
    }
}
