//! Sockets. Linux's `net/`.

pub mod core;
pub mod host_inet;
pub mod scm;
pub mod socket;
pub mod unix;
