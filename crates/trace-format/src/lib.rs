//! What the `acrida` command and the kernel share: plain records in the arena object, read by offset.
//!
//! All integers are little-endian and naturally aligned; every record that may change has a version.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod boot;
pub mod control;
pub mod counters;
pub mod layout;
pub mod ring;
