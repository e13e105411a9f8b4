//! Sockets. Linux's `net/`.
//!
//! In Linux a socket file stands in front of a protocol's operations, found by family and type. So here, with three protocols:
//! ```text
//! socket calls ─► [socket]: file, addresses, options ─► dyn ProtoOps ─┬─► [unix]: messages in our own memory
//!                                                                     ├─► [host_socket]: the host's socket (internet)
//!                                                                     └─► [netlink]: the host's, and notices of our own
//! ```
//! [`scm`] is what a message carries beside its bytes, [`mod@core`] what sockets and messages are made of. A local socket that
//! connects to one of the host gives its place to a host socket.
//!
//! Mirrors: net/, Linux 6.18.
//! Differs: no protocol of the internet is ours yet.
//! Locking: docs/locking.md, level 1 (sockets).

pub mod core;
pub mod host_socket;
pub mod netlink;
pub mod scm;
pub mod socket;
pub mod unix;
