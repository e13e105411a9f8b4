//! `acrida bench`: how fast, against whom, and how it grows.
//!
//! One guest program (guest/ and workloads/, in C, carried inside this library) is run natively and under
//! acrida in turns; the ratio of each pair is what counts. The runner knows no workload by name: the guest
//! lists them with their units, targets and notes, and real programs are described under programs/.
//!
//! ```text
//! command ── catalogue ── guest --list, programs/*.toml, world
//!    │
//!    ├── run: for each case, A B A B ── figure: one run of the guest ── side: native, acrida, a peer
//!    │                                                               └─ process: with a limit
//!    ├── instructions: one by one, of the hottest calls
//!    └── report (JSON) ── table, chart, doc, compare
//! ```

#![forbid(unsafe_code)]

mod catalogue;
mod chart;
mod check;
mod command;
mod compare;
mod doc;
mod figure;
mod guest;
mod instructions;
mod interrupt;
mod machine;
mod process;
mod program;
mod report;
mod run;
mod side;
mod statistics;
mod table;
mod target;
mod unit;
mod world;

pub use command::{BenchArgs, Subject, main};
pub use instructions::FunctionAt;
pub use report::{Check, Comparison, Figures, PeerResult, Report, Row, RowResult, Settings};
