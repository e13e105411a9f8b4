//! locust: files in memory that can be waited for, and that die with whoever opened them.
//!
//! A locust is a tmpfs whose regular files are different in two ways:
//! - They can be polled: readable when there is data past the position of this open file, writable when there is room. A
//!   write or a truncation wakes whoever waits, so `tail -f` needs nothing but epoll.
//! - A file's name goes by itself when the last process that opened it has ended and nobody has it open any more. How a
//!   process ends does not matter; exec ends it for the files that it does not carry over.
//! ```text
//!   open by process 7 ──► Swarm: openers {7}, files 1        7 ends, files 0 ──► name removed, Swarm dead
//!   open by process 9 ──► Swarm: openers {7, 9}, files 2     7 ends, 9 lives ──► stays
//! ```
//! A file has one name: `link` is refused.
//!
//! - [`swarm`]: who keeps a file alive, and where waiters sleep
//! - [`file`]: the open file: tmpfs's operations, and `poll`
//!
//! Mirrors: nothing in Linux; the files are those of mm/shmem.c.
//! Locking: `Swarm::state` and `Openings` are leaves. Names are removed with neither held.

pub mod file;
pub mod swarm;

pub use swarm::{Openings, Swarm};

use crate::fs::super_block::FileSystemType;
use crate::fs::tmpfs::options::Options;
use crate::fs::tmpfs::{Kind, new_instance};

/// `mount -t locust`; the options are tmpfs's.
pub const LOCUST: FileSystemType = FileSystemType {
    name: "locust",
    needs_device: false,
    mount: |_, data| new_instance(Kind::Locust, Options::parse(data, &Options::default())?, None),
};
