//! Devices of our own. Linux's `drivers/`.
//!
//! In Linux a driver claims device numbers, and the device model makes their nodes appear in /dev. Here one table in [`char`]
//! has the few devices that the world answers itself, [`base`] shows them in /dev above the host's nodes, and [`tty`] has the
//! terminals. Whatever is not in the table is the host's, and is opened through the host.
//!
//! Mirrors: drivers/, Linux 6.18, in purpose only.
//! Locking: see [`tty`]; the others have none.

pub mod base;
pub mod char;
pub mod tty;
