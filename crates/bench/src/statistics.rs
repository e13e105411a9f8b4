//! Medians and quartiles: what is said about a handful of noisy figures.
//!
//! Means are not used: one run that met a busy neighbour would move them.

use serde::{Deserialize, Serialize};

/// In standard deviations, to either side.
const NINETEEN_OF_TWENTY: f64 = 1.96;

/// Of so many pairs none is left out.
const FEW: usize = 4;

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

/// The pairs that met the quietest machine: of many the half in which both sides together were best, of few all. What
/// else runs on the machine, or on a virtual machine's host, comes and goes in seconds and slows both sides down, but
/// not by the same factor. That both sides count keeps the choice from favouring either.
pub fn undisturbed(native: &[f64], other: &[f64], less_is_better: bool) -> (Vec<f64>, Vec<f64>) {
    let mut pairs: Vec<(f64, f64)> = native.iter().copied().zip(other.iter().copied()).collect();
    pairs.sort_by(|one, another| (one.0 * one.1).total_cmp(&(another.0 * another.1)));
    if !less_is_better {
        pairs.reverse();
    }
    pairs.truncate(pairs.len().div_ceil(2).max(FEW));
    pairs.into_iter().unzip()
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
    fn pairs_that_met_a_busy_machine_do_not_count() {
        // The disturbance slows one side down by a tenth and the other by four fifths, most of the time.
        let native = [100.0, 110.0, 110.0, 101.0, 110.0, 99.0, 110.0];
        let other = [26.0, 44.0, 45.0, 26.0, 44.0, 26.0, 46.0];
        let (native, other) = undisturbed(&native, &other, true);
        assert_eq!(native.len(), 4);
        assert!((Spread::of(&paired_ratios(&native, &other)).unwrap().median - 0.26).abs() < 0.01);
        let throughputs = undisturbed(&[1.0, 4.0, 4.0, 4.0, 4.0], &[1.0, 8.0, 8.0, 8.0, 8.0], false);
        assert_eq!(throughputs, (vec![4.0; 4], vec![8.0; 4]));
        assert_eq!(undisturbed(&[1.0, 2.0], &[3.0, 2.0], true).0.len(), 2);
    }

    #[test]
    fn a_drift_that_both_sides_meet_cancels() {
        let ratios = paired_ratios(&[100.0, 200.0, 400.0], &[50.0, 100.0, 200.0]);
        assert_eq!(Spread::of(&ratios), Some(Spread { median: 0.5, low: 0.5, high: 0.5 }));
    }
}
