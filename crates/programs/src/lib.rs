//! Real programs, each natively first, then under acrida: same output, same exit status.
//!
//! `cases/programs.toml` and `cases/servers.toml` hold command lines, `cases/cpython.toml` the modules of CPython's own test
//! suite with the cases that are known to fail, each with its reason. That list may only shrink: a listed case that passes fails the run.
#![forbid(unsafe_code)]

pub mod cpython;
pub mod list;
pub mod run;
