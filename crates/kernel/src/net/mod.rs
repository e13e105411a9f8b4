//! Sockets. Linux's `net/`.

pub mod core;
pub mod host_socket;
pub mod scm;
pub mod socket;
pub mod unix;
