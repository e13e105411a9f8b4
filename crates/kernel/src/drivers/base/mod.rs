//! Where devices appear. Linux's `drivers/base/`.
//!
//! Of Linux's device model there is only the file system that shows its devices: [`devtmpfs`].
//!
//! Mirrors: drivers/base/, Linux 6.18, in purpose only.
//! Locking: none.

pub mod devtmpfs;
