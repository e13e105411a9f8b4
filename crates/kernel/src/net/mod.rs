//! Sockets. Linux's `net/`.

pub mod scm;
pub mod socket;
pub mod unix;
