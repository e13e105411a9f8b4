//! Host calls with their types: the only file that numbers them.
//!
//! Mirrors: nothing in Linux.
//! Differs: every function states the sizes of the buffers it hands over; this is what SAFETY.md relies on.

use acrida_kcore::host::{Arg, HostFd};
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

/// Closes a host descriptor.
pub fn close(fd: HostFd) {
    // Linux closes the descriptor whatever it answers.
    let _ = platform().host().call(nr::close, &mut [Arg::Fd(fd)]);
}

/// Writes kernel bytes at the descriptor's position.
pub fn write(fd: HostFd, bytes: &[u8]) -> Result<usize, Errno> {
    platform().host().call(nr::write, &mut [Arg::Fd(fd), Arg::InLen(bytes)])
}

/// Reads into a kernel buffer; ends with `EINTR` when the thread has a signal.
pub fn read_blocking(fd: HostFd, buf: &mut [u8]) -> Result<usize, Errno> {
    platform().host().call_blocking(nr::read, &mut [Arg::Fd(fd), Arg::OutLen(buf)])
}

/// Keeps pages of the guest in memory.
pub fn mlock(addr: u64, len: usize, on_fault: bool) -> Result<(), Errno> {
    let user = Arg::User(UserAddr(addr), len);
    platform().host().call(nr::mlock2, &mut [user, Arg::Val(len as u64), Arg::Val(on_fault.into())]).map(|_| ())
}

pub fn munlock(addr: u64, len: usize) -> Result<(), Errno> {
    platform().host().call(nr::munlock, &mut [Arg::User(UserAddr(addr), len), Arg::Val(len as u64)]).map(|_| ())
}

pub fn madvise(addr: u64, len: usize, advice: i32) -> Result<(), Errno> {
    let user = Arg::User(UserAddr(addr), len);
    platform().host().call(nr::madvise, &mut [user, Arg::Val(len as u64), Arg::Val(advice as u64)]).map(|_| ())
}
