//! The host below a simulated world: none. Every call answers `ENOSYS`.
//!
//! Mirrors: nothing in Linux.

use acrida_kcore::host::{Arg, Host, HostFd, MapRequest, OldPlace};
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;

pub struct NoHost;

impl Host for NoHost {
    fn call(&self, _nr: u32, _args: &mut [Arg<'_>]) -> Result<usize, Errno> {
        Err(Errno::ENOSYS)
    }

    fn call_blocking(&self, _nr: u32, _args: &mut [Arg<'_>]) -> Result<usize, Errno> {
        Err(Errno::ENOSYS)
    }

    fn transfer(&self, _nr: u32, _fd: HostFd, _buf: UserAddr, _len: usize, _position: u64) -> Result<usize, Errno> {
        Err(Errno::ENOSYS)
    }

    fn mmap(&self, _request: MapRequest) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    fn munmap(&self, _addr: u64, _len: usize) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    fn mprotect(&self, _addr: u64, _len: usize, _prot: u32) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    fn mremap(&self, _addr: u64, _old_len: usize, _new_len: usize, _new_addr: u64, _old: OldPlace) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    fn physmem_fd(&self) -> HostFd {
        HostFd(-1)
    }

    /// The window is the test's own memory; what is punched stays until the test ends.
    fn punch_window(&self, _offset: u64, _len: usize) {}

    fn map_file_window(&self, _index: usize, _fd: HostFd, _offset: u64) -> Result<(), Errno> {
        Err(Errno::ENOSYS)
    }

    fn unmap_file_window(&self, _index: usize) {}

    fn copy_file_window(&self, _index: usize, _at: usize, _to: UserAddr, _len: usize, _witness: usize) -> Option<u8> {
        None
    }
}
