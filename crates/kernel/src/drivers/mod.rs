//! Devices of our own.

pub mod base;
pub mod char;
pub mod tty;
