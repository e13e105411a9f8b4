//! Host calls on guest memory, beyond those of the `Host` trait.
//!
//! Mirrors: nothing in Linux.
//! Differs: addresses are the guest's and checked; the host changes nothing of ours.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::uio::Iovec;
use zerocopy::IntoBytes;

fn on_range(number: u32, addr: u64, len: usize, last: Arg<'_>) -> Result<(), Errno> {
    let range = Arg::User(UserAddr(addr), len);
    platform().host().call(number, &mut [range, Arg::Val(len as u64), last]).map(|_| ())
}

/// Keeps pages of the guest in memory.
pub fn mlock(addr: u64, len: usize, on_fault: bool) -> Result<(), Errno> {
    on_range(nr::mlock2, addr, len, Arg::Val(on_fault.into()))
}

pub fn munlock(addr: u64, len: usize) -> Result<(), Errno> {
    on_range(nr::munlock, addr, len, Arg::Null)
}

pub fn madvise(addr: u64, len: usize, advice: i32) -> Result<(), Errno> {
    on_range(nr::madvise, addr, len, Arg::Val(advice as u64))
}

pub fn msync(addr: u64, len: usize, flags: u32) -> Result<(), Errno> {
    on_range(nr::msync, addr, len, Arg::Val(flags.into()))
}

/// Writes one byte per page of the range to `out`.
pub fn mincore(addr: u64, len: usize, out: UserAddr) -> Result<(), Errno> {
    on_range(nr::mincore, addr, len, Arg::User(out, len.div_ceil(4096)))
}

/// Shows other pages of the same object in a shared mapping.
pub fn remap_file_pages(addr: u64, len: usize, page: u64) -> Result<(), Errno> {
    let range = Arg::User(UserAddr(addr), len);
    let mut args = [range, Arg::Val(len as u64), Arg::Val(0), Arg::Val(page), Arg::Val(0)];
    platform().host().call(nr::remap_file_pages, &mut args).map(|_| ())
}

/// Which way [`process_vm`] copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    FromRemote,
    ToRemote,
}

/// Copies between the caller's memory and another host process's; every range must lie in guest space (checked).
pub fn process_vm(host_pid: u32, local: &[Iovec], remote: &[Iovec], direction: Direction) -> Result<usize, Errno> {
    let inside = |iov: &Iovec| usize::try_from(iov.iov_len).is_ok_and(|len| UserAddr(iov.iov_base).access_ok(len));
    if !local.iter().chain(remote).all(inside) {
        return Err(Errno::EFAULT);
    }
    let number = match direction {
        Direction::FromRemote => nr::process_vm_readv,
        Direction::ToRemote => nr::process_vm_writev,
    };
    let (local_len, remote_len) = (Arg::Val(local.len() as u64), Arg::Val(remote.len() as u64));
    let (local, remote) = (Arg::In(local.as_bytes()), Arg::In(remote.as_bytes()));
    let mut args = [Arg::Val(host_pid.into()), local, local_len, remote, remote_len, Arg::Val(0)];
    platform().host().call(number, &mut args)
}

/// Sets the memory policy of a range; `mask` is guest memory of `maxnode` bits.
pub fn mbind(addr: u64, len: usize, mode: u32, mask: UserAddr, maxnode: u64, flags: u32) -> Result<(), Errno> {
    let mask_len = usize::try_from(maxnode / 8).unwrap_or(usize::MAX);
    let mask = if mask.is_null() { Arg::Null } else { Arg::User(mask, mask_len) };
    let range = Arg::User(UserAddr(addr), len);
    let mut args = [range, Arg::Val(len as u64), Arg::Val(mode.into()), mask, Arg::Val(maxnode), Arg::Val(flags.into())];
    platform().host().call(nr::mbind, &mut args).map(|_| ())
}

/// `arch_prctl` operations that write one word.
pub fn arch_prctl_get(operation: i32, out: UserAddr) -> Result<(), Errno> {
    platform().host().call(nr::arch_prctl, &mut [Arg::Val(operation as u64), Arg::User(out, 8)]).map(|_| ())
}
