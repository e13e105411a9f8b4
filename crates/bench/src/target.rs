//! What the project promises for a workload, as text (`<=0.25`) and as a test.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, bail};

/// A bound on acrida's figure in relation to native's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The ratio is not greater.
    RatioAtMost(f64),
    /// The ratio is not less.
    RatioAtLeast(f64),
    /// The figure is not greater than native's by more than this, in the workload's unit.
    OverNativeAtMost(f64),
}

impl Target {
    /// Whether a ratio, and a difference in the workload's unit, keep the promise.
    pub fn is_met(self, ratio: f64, over_native: f64) -> bool {
        match self {
            Self::RatioAtMost(bound) => ratio <= bound,
            Self::RatioAtLeast(bound) => ratio >= bound,
            Self::OverNativeAtMost(bound) => over_native <= bound,
        }
    }
}

impl FromStr for Target {
    type Err = anyhow::Error;

    /// Reads `<=0.25`, `>=1.3` or `<=+15000000`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (make, number): (fn(f64) -> Self, &str) = if let Some(number) = text.strip_prefix("<=+") {
            (Self::OverNativeAtMost, number)
        } else if let Some(number) = text.strip_prefix("<=") {
            (Self::RatioAtMost, number)
        } else if let Some(number) = text.strip_prefix(">=") {
            (Self::RatioAtLeast, number)
        } else {
            bail!("a target begins with <=, >= or <=+, not {text:?}");
        };
        Ok(make(number.parse().with_context(|| format!("no number in the target {text:?}"))?))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RatioAtMost(bound) => write!(formatter, "<={bound}"),
            Self::RatioAtLeast(bound) => write!(formatter, ">={bound}"),
            Self::OverNativeAtMost(bound) => write!(formatter, "<=+{bound}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_are_the_same_thing() {
        for text in ["<=0.25", ">=1.3", "<=+15000000"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert!("0.25".parse::<Target>().is_err());
        assert!("<=fast".parse::<Target>().is_err());
    }

    #[test]
    fn bounds_are_part_of_the_promise() {
        assert!(Target::RatioAtMost(0.25).is_met(0.25, 0.0));
        assert!(!Target::RatioAtMost(0.25).is_met(0.26, 0.0));
        assert!(Target::RatioAtLeast(1.3).is_met(1.3, 0.0));
        assert!(!Target::RatioAtLeast(1.3).is_met(1.29, 0.0));
        assert!(Target::OverNativeAtMost(15.0).is_met(9.0, 15.0));
        assert!(!Target::OverNativeAtMost(15.0).is_met(0.1, 15.1));
    }
}
