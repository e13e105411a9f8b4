//! What every protocol's sockets are made of. Linux's `net/core/`.

pub mod filter;
pub mod skbuff;
pub mod sock;
