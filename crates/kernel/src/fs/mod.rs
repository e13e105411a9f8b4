//! Files: descriptors, open files, paths, mounts, file systems, and what can be waited for. Linux's `fs/`.

pub mod dup;
pub mod eventfd;
pub mod fasync;
pub mod fcntl;
pub mod fdtable;
pub mod exec;
pub mod file;
pub mod fs_struct;
pub mod inode;
pub mod ioctl;
pub mod iov_iter;
pub mod iovec;
pub mod namespace;
pub mod pipe;
pub mod poll;
pub mod read_write;
pub mod namei { pub fn open_exec(_d: i32, _n: &[u8], _f: u32) -> Result<alloc::sync::Arc<crate::fs::file::File>, acrida_uapi::errno::Error> { unimplemented!() } }
pub mod hostfs { pub fn wrap_inherited(_d: acrida_kcore::host::HostFd) -> alloc::sync::Arc<crate::fs::file::File> { unimplemented!() } }
pub mod open { pub fn do_chdir(_n: &[u8]) -> Result<(), acrida_uapi::errno::Error> { unimplemented!() } }
