//! Promises that no single row can show: how a cost grows, and how two workloads compare.

use crate::report::{Check, Row};

/// The promises, each with what it is called and how it is worked out from acrida's figures.
const PROMISES: [Promise; 3] = [
    Promise {
        name: "epoll_wait: cost of an event grows by at most this factor from the fewest to the most watched fds",
        kind: Kind::Growth { workload: "epoll_fds", fixed: ("active", "100") },
        at_most: 1.3,
    },
    Promise {
        name: "epoll_wait with one active fd: grows by at most this factor from the fewest to the most watched fds",
        kind: Kind::Growth { workload: "epoll_fds", fixed: ("active", "1") },
        at_most: 1.3,
    },
    Promise {
        name: "all of 1000 fds active: cost of an event by epoll_wait as a multiple of poll's",
        kind: Kind::Quotient { of: "epoll_share fds=1000 active=1000", by: "poll_share fds=1000 active=1000" },
        at_most: 1.0,
    },
];

struct Promise {
    name: &'static str,
    kind: Kind,
    at_most: f64,
}

enum Kind {
    /// The largest cost of a workload's rows by the smallest, where one argument has a fixed value.
    Growth { workload: &'static str, fixed: (&'static str, &'static str) },
    /// One row's cost by another's.
    Quotient { of: &'static str, by: &'static str },
}

/// Every promise whose rows have been measured.
pub fn all(rows: &[Row]) -> Vec<Check> {
    PROMISES
        .iter()
        .filter_map(|promise| {
            let value = promise.kind.value(rows)?;
            Some(Check {
                name: promise.name.to_owned(),
                value,
                target: format!("<={}", promise.at_most),
                met: value <= promise.at_most,
            })
        })
        .collect()
}

impl Kind {
    fn value(&self, rows: &[Row]) -> Option<f64> {
        match self {
            Self::Growth { workload, fixed: (name, value) } => {
                let costs: Vec<f64> = rows
                    .iter()
                    .filter(|row| row.name == *workload && row.arguments.get(*name).is_some_and(|is| is == value))
                    .filter_map(acrida)
                    .collect();
                let most = costs.iter().copied().reduce(f64::max)?;
                let least = costs.iter().copied().reduce(f64::min)?;
                (costs.len() > 1).then_some(most / least)
            }
            Self::Quotient { of, by } => {
                let cost = |title| rows.iter().find(|row| row.title == title).and_then(acrida);
                Some(cost(*of)? / cost(*by)?)
            }
        }
    }
}

fn acrida(row: &Row) -> Option<f64> {
    Some(row.comparison()?.acrida.spread.median)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::row;

    #[test]
    fn growth_is_over_the_rows_with_the_fixed_argument() {
        let rows = [
            row("events", "epoll_fds", "fds=100 active=100", 100.0, 10.0, None),
            row("events", "epoll_fds", "fds=1000 active=100", 100.0, 14.0, None),
            row("events", "epoll_fds", "fds=1000 active=1", 100.0, 90.0, None),
        ];
        let checks = all(&rows);
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].value, 1.4);
        assert!(!checks[0].met);
    }

    #[test]
    fn one_row_is_divided_by_another() {
        let rows = [
            row("events", "epoll_share", "fds=1000 active=1000", 100.0, 10.0, None),
            row("events", "poll_share", "fds=1000 active=1000", 100.0, 20.0, None),
        ];
        assert!(all(&rows)[0].met);
        assert!(all(&rows[..1]).is_empty());
    }
}
