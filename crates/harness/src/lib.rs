//! What the test harnesses share: which `acrida` is tested, and runs with an end.
#![forbid(unsafe_code)]

mod build;
mod run;

pub use build::acrida;
pub use run::{Ended, wait};
