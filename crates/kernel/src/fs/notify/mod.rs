//! Telling programs what happens to files.
//!
//! In Linux the functions that read, write, open, rename... call fsnotify, which looks whether anybody put a mark on the
//! inode or on its parent, and hands the event to the marks' groups. So here:
//! ```text
//!   vfs: read, write, open, close, create, rename...          inode --- Marks --- Mark (wd, mask) --- Group
//!        │ one load when nobody in the world watches            parent ─ Marks --- Mark ------------┘   │
//!        ▼                                                                                            queue, read
//!   fsnotify: the inode's marks (no name), the parent's marks (with the name)  ───── event ──────────►  poll
//! ```
//! - [`fsnotify`]: the calls from the file layer
//! - [`mark`]: marks, and the list of them in an inode
//! - [`inotify`]: the groups that programs make and read
//! - [`dnotify`]: signals for what happens in a directory
//!
//! Mirrors: fs/notify, Linux 6.18.
//! Differs: no fanotify. What happens to files of the host behind our
//! back is not seen.
//! Locking: a group's marks before an inode's list; queues are leaves. Events are told with none of them held.

pub mod dnotify;
pub mod fsnotify;
pub mod inotify;
pub mod mark;
