//! The host calls that the kernel makes, with their pointers checked.
//!
//! Mirrors: nothing in Linux.
//! Locking: none.

use acrida_kcore::host::{Arg, FILE_WINDOW_SIZE, FILE_WINDOWS, Host, HostFd, MapRequest, OldPlace};
use acrida_kcore::thread::{HostCallCounts, current};
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_trace_format::layout::{FILE_WINDOWS_BASE, WINDOW_BASE, WINDOW_SIZE};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::linux::{Linux, acrida_user_copy};
use crate::raw;

const MAP_FIXED: u64 = 0x10;
const MAP_ANONYMOUS: u64 = 0x20;

/// Lays the arguments out in registers; `EFAULT` when a guest address is none.
#[inline]
fn lower(args: &mut [Arg<'_>]) -> Result<[u64; 6], Errno> {
    let mut regs = [0u64; 6];
    let mut next = regs.iter_mut();
    let mut push = |value: u64| {
        *next.next().unwrap_or_else(|| panic!("a host call with more than six arguments")) = value;
    };
    for arg in args {
        match arg {
            Arg::Val(value) => push(*value),
            Arg::Fd(fd) => push(fd.0 as i64 as u64),
            Arg::Str(s) => push(s.as_ptr() as u64),
            Arg::In(bytes) => push(bytes.as_ptr() as u64),
            Arg::Out(bytes) => push(bytes.as_mut_ptr() as u64),
            Arg::InLen(bytes) => {
                push(bytes.as_ptr() as u64);
                push(bytes.len() as u64);
            }
            Arg::OutLen(bytes) => {
                push(bytes.as_mut_ptr() as u64);
                push(bytes.len() as u64);
            }
            Arg::User(addr, len) => {
                if !addr.access_ok(*len) {
                    return Err(Errno::EFAULT);
                }
                push(addr.0);
            }
            Arg::Message(message) => push(core::ptr::from_mut(*message).expose_provenance() as u64),
            Arg::Window(offset, len) => {
                assert!(*offset + *len as u64 <= WINDOW_SIZE, "a host call outside the window");
                push(WINDOW_BASE + *offset);
            }
            Arg::Null => push(0),
        }
    }
    Ok(regs)
}

fn check_range(addr: u64, len: usize) -> Result<(), Errno> {
    if addr % 4096 == 0 && UserAddr(addr).access_ok(len) && addr < TASK_SIZE { Ok(()) } else { Err(Errno::EINVAL) }
}

/// First address of a window on a host file.
#[inline]
fn file_window(index: usize) -> u64 {
    assert!(index < FILE_WINDOWS, "no such window");
    FILE_WINDOWS_BASE + index as u64 * FILE_WINDOW_SIZE
}

impl Host for Linux {
    fn call(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno> {
        let regs = lower(args)?;
        HostCallCounts::bump(&current().host_calls.plain);
        loop {
            // SAFETY: kernel buffers are borrowed for the call and carry their length; guest ranges were checked; the
            // typed wrappers in the kernel's host.rs answer for the sizes of fixed structures (SAFETY.md).
            match raw::check(unsafe { raw::syscall6(nr, regs) }) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    fn call_blocking(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno> {
        let regs = lower(args)?;
        HostCallCounts::bump(&current().host_calls.plain);
        // SAFETY: as in `call`.
        unsafe { raw::syscall_abortable(nr, regs) }
    }

    fn transfer(&self, nr: u32, fd: HostFd, buf: UserAddr, len: usize, position: u64) -> Result<usize, Errno> {
        if !buf.access_ok(len) {
            return Err(Errno::EFAULT);
        }
        HostCallCounts::bump(&current().host_calls.plain);
        loop {
            // SAFETY: the range lies in guest space; a bad address there is the host's `EFAULT`.
            match raw::check(unsafe { raw::syscall6(nr, [fd.0 as u64, buf.0, len as u64, position, 0, 0]) }) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    fn mmap(&self, r: MapRequest) -> Result<(), Errno> {
        check_range(r.addr, r.len)?;
        HostCallCounts::bump(&current().host_calls.maps);
        let anonymous = if r.fd.is_none() { MAP_ANONYMOUS } else { 0 };
        let fd = r.fd.map_or(-1, |fd| fd.0) as i64 as u64;
        let flags = u64::from(r.flags) | MAP_FIXED | anonymous;
        // SAFETY: a fixed mapping inside guest space: kernel memory is out of reach.
        unsafe { raw::syscall(nr::mmap, &[r.addr, r.len as u64, r.prot.into(), flags, fd, r.offset]) }.map(|_| ())
    }

    fn munmap(&self, addr: u64, len: usize) -> Result<(), Errno> {
        check_range(addr, len)?;
        HostCallCounts::bump(&current().host_calls.maps);
        // SAFETY: inside guest space.
        unsafe { raw::syscall(nr::munmap, &[addr, len as u64]) }.map(|_| ())
    }

    fn mprotect(&self, addr: u64, len: usize, prot: u32) -> Result<(), Errno> {
        check_range(addr, len)?;
        HostCallCounts::bump(&current().host_calls.maps);
        // SAFETY: inside guest space.
        unsafe { raw::syscall(nr::mprotect, &[addr, len as u64, prot.into()]) }.map(|_| ())
    }

    fn mremap(&self, addr: u64, old_len: usize, new_len: usize, new_addr: u64, old: OldPlace) -> Result<(), Errno> {
        check_range(addr, old_len)?;
        check_range(new_addr, new_len)?;
        HostCallCounts::bump(&current().host_calls.maps);
        const MAYMOVE_FIXED: u64 = 3;
        const DONTUNMAP: u64 = 4;
        let flags = match (addr == new_addr, old) {
            (true, _) => 0,
            (false, OldPlace::Kept) => MAYMOVE_FIXED | DONTUNMAP,
            (false, OldPlace::Unmapped) => MAYMOVE_FIXED,
        };
        // SAFETY: both ranges lie inside guest space.
        unsafe { raw::syscall(nr::mremap, &[addr, old_len as u64, new_len as u64, flags, new_addr]) }.map(|_| ())
    }

    fn physmem_fd(&self) -> HostFd {
        HostFd(crate::boot::physmem_fd())
    }

    fn punch_window(&self, offset: u64, len: usize) {
        const PUNCH_HOLE_KEEP_SIZE: u64 = 3;
        let fd = crate::boot::physmem_fd() as u64;
        HostCallCounts::bump(&current().host_calls.maps);
        // SAFETY: no memory operands; the pages' content is given up by the caller.
        let _ = unsafe { raw::syscall(nr::fallocate, &[fd, PUNCH_HOLE_KEEP_SIZE, offset, len as u64]) };
    }

    fn map_file_window(&self, index: usize, fd: HostFd, offset: u64) -> Result<(), Errno> {
        const PROT_READ: u64 = 1;
        const MAP_SHARED: u64 = 1;
        const MADV_DONTFORK: u64 = 10;
        let at = file_window(index);
        HostCallCounts::bump(&current().host_calls.maps);
        // SAFETY: a fixed mapping at a place that is kept for it; only `copy_file_window` looks at it.
        unsafe { raw::syscall(nr::mmap, &[at, FILE_WINDOW_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd.0 as u64, offset]) }?;
        // SAFETY: the mapping made just now.
        let unshared = unsafe { raw::syscall(nr::madvise, &[at, FILE_WINDOW_SIZE, MADV_DONTFORK]) };
        unshared.map(drop).inspect_err(|_| self.unmap_file_window(index))
    }

    fn unmap_file_window(&self, index: usize) {
        HostCallCounts::bump(&current().host_calls.maps);
        // SAFETY: as in `map_file_window`; a copy from it that is under way ends with a fault, which has a fix-up.
        let _ = unsafe { raw::syscall(nr::munmap, &[file_window(index), FILE_WINDOW_SIZE]) };
    }

    fn copy_file_window(&self, index: usize, at: usize, to: UserAddr, len: usize, witness: usize) -> Option<u8> {
        let inside = |end: Option<usize>| end.is_some_and(|end| end as u64 <= FILE_WINDOW_SIZE);
        assert!(inside(at.checked_add(len)) && inside(witness.checked_add(1)), "a copy outside its window");
        if !to.access_ok(len) {
            return None;
        }
        let window = file_window(index);
        let mut seen = 0u8;
        // SAFETY: one byte of the window to a kernel variable; a page that is not there is a fault, which has a fix-up.
        let missing = unsafe { acrida_user_copy((&raw mut seen) as u64, window + witness as u64, 1) };
        if missing != 0 {
            return None;
        }
        // SAFETY: from the window to a checked guest range; faults on either side have a fix-up.
        let missing = unsafe { acrida_user_copy(to.0, window + at as u64, len) };
        (missing == 0).then_some(seen)
    }
}
