//! Files: descriptors, open files, paths, mounts, file systems, and what can be waited for. Linux's `fs/`.
//!
//! In Linux a descriptor is an index into a task's table of open files; an open file has a position, flags and the operations of
//! its kind; a path is a dentry (a name in the tree of one file system) on a mount, and the dentry has the inode. So it is here:
//! ```text
//! open("a/b") ─► namei ─► Path (Mount + Dentry) ─► Inode::open ─► File { dyn FileOperations } ─► FilesStruct[fd]
//! read(fd)    ─► fdtable ─► read_write ─► FileOperations::read ─► hostfs: the host's call │ tmpfs, pipe, ...: ours
//! close(fd)   ─► the last reference ─► put off to the return to user mode ─► FileOperations::release
//! ```
//! - [`fdtable`], [`dup`], [`fcntl`], [`file`], [`fs_struct`]: descriptors and open files
//! - [`namei`], [`dcache`], [`namespace`], [`mount`], [`inode`], [`super_block`], [`attr`]: names and what is behind them
//! - [`read_write`], [`iov_iter`], [`splice`], [`readdir`], [`sync`](mod@sync): transfers
//! - [`hostfs`], [`tmpfs`], [`proc`], [`locust`], [`demofs`]: file systems (more in `drivers` and `ipc`)
//! - [`pipe`], [`eventfd`], [`signalfd`], [`timerfd`], [`notify`]: files that are a mechanism
//! - [`poll`], [`select`], [`eventpoll`], [`fasync`]: waiting for files
//! - [`locks`]: record locks, `flock`, leases
//! - [`exec`]: another program
//!
//! Mirrors: fs/, Linux 6.18.
//! Differs: host files are passed through; there is no page cache of our own, and so no writeback.
//! Locking: docs/locking.md, level 1.

pub mod access;
pub mod anon_inodes;
pub mod attr;
pub mod chmod;
pub mod copy_file_range;
pub mod d_path;
pub mod dcache;
pub mod demofs;
pub mod dup;
pub mod eventfd;
pub mod eventpoll;
pub mod exec;
pub mod fasync;
pub mod fcntl;
pub mod fdtable;
pub mod file;
pub mod fs_struct;
pub mod hostfs;
pub mod init_mount;
pub mod inode;
pub mod ioctl;
pub mod iov_iter;
pub mod iovec;
pub mod libfs;
pub mod locks;
pub mod locust;
pub mod mount;
pub mod namei;
pub mod namespace;
pub mod notify;
pub mod open;
pub mod pipe;
pub mod poll;
pub mod proc;
pub mod read_write;
pub mod readdir;
pub mod select;
pub mod signalfd;
pub mod special;
pub mod splice;
pub mod stat;
pub mod statfs;
pub mod super_block;
pub mod sync;
pub mod timerfd;
pub mod tmpfs;
pub mod truncate;
pub mod user_array;
pub mod utimes;
pub mod xattr;
