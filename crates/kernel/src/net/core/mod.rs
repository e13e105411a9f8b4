//! What every protocol's sockets are made of. Linux's `net/core/`.
//!
//! In Linux a `sock` has the options, the accounts and the queues of a socket, and `sk_buff`s carry the bytes. Here [`sock`] has
//! what is common to all, [`skbuff`] the buffers, whose bytes lie in page runs or are pages of files by reference, and [`filter`]
//! the classic programs that say how much of a message a socket takes.
//!
//! Mirrors: net/core/, Linux 6.18.
//! Differs: queues are the protocol's own affair.
//! Locking: leaves only.

pub mod filter;
pub mod skbuff;
pub mod sock;
