//! Numbers, structures and error numbers of Linux on x86-64, as programs see them.
//!
//! Mirrors `include/uapi` and `arch/x86/include/uapi` of Linux v6.18: one module per family of headers.
//!
//! Constants keep Linux's spelling. Structures are `repr(C)`, have Linux's field names, are called by
//! their Linux name in CamelCase (the C name is a `doc(alias)`), and have no hidden padding, so they
//! can be copied from and to guest memory as bytes.
//!
//! Types of constants: a word of flags is unsigned and as wide as the argument it comes in; numbers
//! that are compared (signals, codes, clocks, socket levels and options, policies) are `i32`; commands
//! that Linux takes as `unsigned int` (`fcntl`, `ioctl`, `lseek`) are `u32`. A number that mostly lives
//! in a narrow field has the field's type: address families `u16`, `POLL*` `u16`, `F_RDLCK` `i16`.
#![no_std]
#![forbid(unsafe_code)]
#![allow(non_upper_case_globals)] // Linux has AF_DECnet and TCP_CA_Open
#![allow(clippy::precedence)] // masks and shifts read as in the headers

pub mod auxvec;
pub mod capability;
pub mod dirent;
pub mod epoll;
pub mod errno;
pub mod eventfd;
pub mod fcntl;
pub mod filter;
pub mod futex;
pub mod inet;
pub mod inotify;
pub mod ioctl;
pub mod ipc;
pub mod limits;
pub mod mman;
pub mod mount;
pub mod mqueue;
pub mod msg;
pub mod netif;
pub mod nr;
pub mod pidfd;
pub mod poll;
pub mod prctl;
pub mod resource;
pub mod rseq;
pub mod sched;
pub mod sem;
pub mod shm;
pub mod sigframe;
pub mod siginfo;
pub mod signal;
pub mod signalfd;
pub mod socket;
pub mod stat;
pub mod statfs;
pub mod tcp;
pub mod termios;
pub mod time;
pub mod uio;
pub mod utsname;
pub mod wait;
pub mod xattr;

pub use errno::{Errno, Error, Restart, Result};
