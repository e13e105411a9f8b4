//! Files: descriptors, open files, paths, mounts, file systems, and what can be waited for. Linux's `fs/`.

pub mod fdtable;
pub mod exec;
pub mod file;
pub mod fs_struct;
pub mod inode;
pub mod iov_iter;
pub mod namespace;
pub mod poll;
pub mod read_write;
