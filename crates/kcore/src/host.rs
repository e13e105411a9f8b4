//! Calls to the host kernel, with arguments that say what they point to.
//!
//! Mirrors: nothing in Linux.
//! Differs: an argument is a value, a host fd, a kernel buffer that the borrow checker knows, or a guest address that the
//! platform checks against the guest's range; so `kernel` can make host calls without unsafe code.

use acrida_uapi::errno::Errno;
use core::ffi::CStr;

use crate::uaccess::UserAddr;

/// A descriptor in the world's one host fd table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostFd(pub i32);

impl HostFd {
    pub const CWD: HostFd = HostFd(-100);
}

/// One argument of a host call.
#[derive(Debug)]
pub enum Arg<'a> {
    /// A plain number.
    Val(u64),
    Fd(HostFd),
    /// A kernel string: one register.
    Str(&'a CStr),
    /// A kernel object that is read: one register.
    In(&'a [u8]),
    /// A kernel object that is written: one register.
    Out(&'a mut [u8]),
    /// A kernel buffer that is read: two registers, address and length.
    InLen(&'a [u8]),
    /// A kernel buffer that is written: two registers, address and length.
    OutLen(&'a mut [u8]),
    /// A guest address: one register, refused with `EFAULT` when it (or `len` bytes from it) leaves guest space.
    User(UserAddr, usize),
    /// Bytes in the physical-memory window: one register.
    Window(u64, usize),
    Null,
}

/// Protection and sharing of one guest mapping.
#[derive(Clone, Copy, Debug)]
pub struct MapRequest {
    pub addr: u64,
    pub len: usize,
    pub prot: u32,
    /// Host `MAP_*` flags; `MAP_FIXED` is implied.
    pub flags: u32,
    /// `None` for anonymous memory.
    pub fd: Option<HostFd>,
    pub offset: u64,
}

/// The host below.
pub trait Host: Sync {
    /// A call that does not block for long; never fails with `EINTR`.
    fn call(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno>;
    /// A call that may block: a signal for the calling thread ends it with `EINTR`.
    fn call_blocking(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno>;
    /// `nr` is `read`, `write`, `pread64` or `pwrite64` of guest memory that does not block for long: [`Host::call`] without the
    /// detour over a list of arguments (20 ns).
    fn transfer(&self, nr: u32, fd: HostFd, buf: UserAddr, len: usize, position: u64) -> Result<usize, Errno>;
    /// Guest-memory calls; every range is checked to lie in guest space.
    fn mmap(&self, request: MapRequest) -> Result<(), Errno>;
    fn munmap(&self, addr: u64, len: usize) -> Result<(), Errno>;
    fn mprotect(&self, addr: u64, len: usize, prot: u32) -> Result<(), Errno>;
    /// Moves or resizes; `new_addr` is always given (and taken), the old place is unmapped unless `dont_unmap`.
    fn mremap(&self, addr: u64, old_len: usize, new_len: usize, new_addr: u64, dont_unmap: bool) -> Result<(), Errno>;
    /// The fd of the physical-memory object, for guest mappings of its pages.
    fn physmem_fd(&self) -> HostFd;
    /// Gives pages of the physical-memory window back to the host.
    fn punch_window(&self, offset: u64, len: usize);
}
