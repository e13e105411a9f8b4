//! Conformance: small C programs ("guests") run on the host's Linux and under `acrida`, their outputs compared check by check.
//!
//! A guest holds many *checks* (`guests/check.h`), each of which prints lines that start with its name and contain nothing
//! that may differ between two correct runs (no pid, address or time). The host is the oracle: a guest states no expected
//! values, it only shows what happened, so that whoever adds a check reads the host's answer once and judges the check by it.
//!
//! ```text
//! guests/*.c --catalogue--> Guest --compile--> program --run--> Transcript (host)  \
//!                                                      \-run--> Transcript (acrida) - compare -> one verdict per check
//! ```
//!
//! The runner is `tests/conformance.rs`:
//!
//! ```text
//! cargo test -p acrida-conformance                                       # host against acrida, which is built first
//! cargo test -p acrida-conformance --test conformance -- --native-only   # host against itself: are the guests deterministic?
//! cargo test -p acrida-conformance --test conformance -- pipe/           # one guest
//! ```
//!
//! Environment: `ACRIDA_BIN` (program under test) or `ACRIDA_PROFILE` (how it is built), `ACRIDA_OPTIONS` (options of `acrida run`, such as `--seccomp`),
//! `ACRIDA_CONFORMANCE_DISK` (a directory on a disk file system, default
//! `/var/tmp`), `CC`.
#![forbid(unsafe_code)]

pub mod catalogue;
pub mod compare;
pub mod compile;
pub mod expected;
pub mod run;
