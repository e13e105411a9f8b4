//! Terminals: our own pseudo-terminals, and the host's terminal as the world sees it.
//!
//! In Linux a tty core connects a driver, a line discipline and open files. Here both ends of a pseudo-terminal and its
//! line discipline are one object, [`pty::Pty`], with one lock:
//! ```text
//!  master write ──► waiting ──► NTty::receive ──► line buffer ──► slave read
//!                                  │ echo              signals ──► foreground group
//!  master read  ◄── to_master ◄────┴── NTty::output ◄── slave write
//! ```
//! - [`n_tty`]: the line discipline: editing, echo, special characters, output processing; it knows no tasks
//! - [`pty`]: the pair: who has it open, hang-up; [`slave`] and [`master`] are its open ends
//! - [`tty_ioctl`]: modes, sizes, flow
//! - [`tty_jobctrl`]: controlling terminals, foreground and background
//! - [`devpts`]: /dev/pts and /dev/ptmx
//! - [`host_tty`]: the terminal the command was started on
//!
//! Mirrors: drivers/tty, Linux 6.18.
//! Locking: `Pty::state` is taken alone; signals and wake-ups that it calls for are sent after it was dropped.

pub mod devpts;
pub mod host_tty;
mod master;
mod n_tty;
mod pty;
mod slave;
mod tty_io;
mod tty_ioctl;
pub mod tty_jobctrl;

pub use tty_io::{open_console, open_current};
