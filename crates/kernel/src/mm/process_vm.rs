//! Other processes' memory: `process_vm_readv`, `process_vm_writev`, `process_madvise`.
//!
//! Mirrors: mm/process_vm_access.c, mm/madvise.c, Linux 6.18.
//! Differs: memory of another process is out of the kernel's reach; its host process has it, and the host copies. Advice
//! for another process is checked and counted, and changes nothing: it is only ever a hint.
//! Locking: the target's `MmStruct` for one look; host calls are made without it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_NICE;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mman::{MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED};
use acrida_uapi::uio::{Iovec, UIO_FASTIOV, UIO_MAXIOV};

use super::vma::{page_align, page_start};
use crate::abi::{Fd, Flags, SysResult};
use crate::fs::iovec::import_iovec;
use crate::fs::user_array::UserArray;
use crate::host::mm::{Direction, process_vm};
use crate::kernel::pidfd;
use crate::kernel::ptrace::{AccessMode, may_access};
use crate::{Task, current};

#[doc(alias = "process_vm_readv")]
pub fn sys_process_vm_readv(
    pid: i32,
    local: UserAddr,
    count: usize,
    remote: UserAddr,
    remote_count: usize,
    flags: u64,
) -> SysResult {
    process_vm_rw(pid, (local, count), (remote, remote_count), flags, Direction::FromRemote)
}

#[doc(alias = "process_vm_writev")]
pub fn sys_process_vm_writev(
    pid: i32,
    local: UserAddr,
    count: usize,
    remote: UserAddr,
    remote_count: usize,
    flags: u64,
) -> SysResult {
    process_vm_rw(pid, (local, count), (remote, remote_count), flags, Direction::ToRemote)
}

fn process_vm_rw(pid: i32, local: (UserAddr, usize), remote: (UserAddr, usize), flags: u64, direction: Direction) -> SysResult {
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let local = import_iovec(local.0, local.1)?;
    if local.iter().all(|segment| segment.iov_len == 0) {
        return Ok(0);
    }
    if remote.1 > UIO_MAXIOV {
        return Err(Errno::EINVAL.into());
    }
    let remote: UserArray<Iovec, UIO_FASTIOV> = UserArray::read(remote.0, remote.1)?;
    if remote.iter().any(|segment| segment.iov_len.cast_signed() < 0) {
        return Err(Errno::EINVAL.into());
    }
    if remote.iter().all(|segment| segment.iov_len == 0) {
        return Ok(0);
    }
    let target = current().kernel.pids.task(pid.cast_unsigned()).ok_or(Errno::ESRCH)?;
    if target.process.is_dead() {
        return Err(Errno::ESRCH.into());
    }
    if !may_access(current(), &target, AccessMode::Real) {
        return Err(Errno::EPERM.into());
    }
    // Segments up to the first bad one are copied.
    let inside = |segment: &&Iovec| UserAddr(segment.iov_base).access_ok(segment.iov_len as usize);
    let valid: Vec<Iovec> = remote.iter().take_while(inside).copied().collect();
    if valid.is_empty() {
        return Err(Errno::EFAULT.into());
    }
    let host_pid = target.thread.host_pid.load(Ordering::Relaxed);
    Ok(process_vm(host_pid, &local, &valid, direction)?)
}

#[doc(alias = "process_madvise")]
pub fn sys_process_madvise(fd: Fd, vector: UserAddr, count: usize, advice: i32, flags: Flags) -> SysResult {
    if flags.0 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let ranges = import_iovec(vector, count)?;
    let (process, _) = pidfd::process_of(fd)?;
    let me = current();
    let own = Arc::ptr_eq(&process, &me.process);
    if !own && !matches!(advice, MADV_COLD | MADV_PAGEOUT | MADV_WILLNEED | MADV_COLLAPSE) {
        return Err(Errno::EINVAL.into());
    }
    let target = process.threads.lock().first().cloned().ok_or(Errno::ESRCH)?;
    if !may_access(me, &target, AccessMode::File) {
        return Err(Errno::EPERM.into());
    }
    if !own && !me.cred().capable(CAP_SYS_NICE) {
        return Err(Errno::EPERM.into());
    }
    let mut done = 0;
    for range in ranges.iter() {
        let taken = if own { me.mm().madvise(range.iov_base, range.iov_len, advice) } else { check_mapped(&target, range) };
        match taken {
            Ok(()) => done += range.iov_len as usize,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

fn check_mapped(target: &Task, range: &Iovec) -> Result<(), Error> {
    let start = range.iov_base;
    let end = page_align(range.iov_len).and_then(|len| start.checked_add(len)).ok_or(Errno::EINVAL)?;
    if start != page_start(start) {
        return Err(Errno::EINVAL.into());
    }
    if target.mm().lock().areas.covers(start..end) { Ok(()) } else { Err(Errno::ENOMEM.into()) }
}
