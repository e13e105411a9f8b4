//! System V IPC and POSIX message queues.
//!
//! Linux keeps each kind of System V object in a table from small numbers to objects, with keys as second names; an
//! object has an owner, a mode, and a lock of its own. What waits on an object (for a semaphore's value, for a message,
//! for room) stands in queues of the object, and whoever makes the wait come true carries the sleeper's operation out
//! for it, then wakes it: a sleeper that runs again finds its result, not a chance to try.
//!
//! - [`util`]: the table, keys, rights, and what `*get` and `*ctl` have in common
//! - [`shm`]: shared memory: segments are files of the internal tmpfs, attached areas count themselves
//! - [`sem`]: semaphores: sets, their queues of sleepers, and what is undone at a process's end
//! - [`msg`]: message queues
//! - [`mqueue`]: POSIX message queues, files of a file system of their own
//! - [`namespace`]: the objects of a world
//!
//! Mirrors: ipc/, Linux 6.18.

pub mod mqueue;
pub mod msg;
pub mod namespace;
pub mod sem;
pub mod shm;
pub mod util;
