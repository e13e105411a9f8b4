//! How the host is made to give the guests' system calls to us.
//!
//! Mirrors: kernel/entry/syscall_user_dispatch.c and kernel/seccomp.c, Linux 6.18, in their users' role.
//! Differs: two ways, probed at boot. Syscall User Dispatch raises `SIGSYS` for every call from outside the image's text;
//! each thread turns it on for itself. Where the host refuses it, a seccomp filter on the instruction pointer does the same;
//! it is installed once, in the kernel process, and every host process inherits it. It costs each call of the kernel's own
//! a run of the filter.
//! Locking: the choice is made before the second thread exists.

use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::{boot, raw};

/// The architecture word of a 64-bit call, in seccomp's data and in `SIGSYS`'s information.
pub const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

/// How calls come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Trap {
    UserDispatch = 0,
    Seccomp = 1,
}

static TRAP: AtomicU32 = AtomicU32::new(Trap::UserDispatch as u32);

/// What the host refused.
pub struct Refused {
    pub dispatch: Option<Errno>,
    pub seccomp: Errno,
}

/// Finds a way that works, preferring dispatch unless `seccomp` is asked for, and makes it the world's.
pub fn choose(seccomp: bool) -> Result<Trap, Refused> {
    let dispatch = match seccomp {
        true => None,
        false => match set_dispatch().and_then(|()| clear_dispatch()) {
            Ok(()) => return Ok(Trap::UserDispatch),
            Err(errno) => Some(errno),
        },
    };
    install_filter().map_err(|seccomp| Refused { dispatch, seccomp })?;
    TRAP.store(Trap::Seccomp as u32, Ordering::Relaxed);
    Ok(Trap::Seccomp)
}

/// The calling thread is about to run guest code.
pub fn start_thread() {
    if TRAP.load(Ordering::Relaxed) == Trap::UserDispatch as u32 {
        let set = set_dispatch();
        assert!(set.is_ok(), "the host allowed Syscall User Dispatch at first and refuses it now");
    }
}

const PR_SET_SYSCALL_USER_DISPATCH: u64 = 59;

/// Turns on Syscall User Dispatch with the image's text as the allowed range.
fn set_dispatch() -> Result<(), Errno> {
    const PR_SYS_DISPATCH_ON: u64 = 1;
    let (start, end) = boot::text_range();
    // SAFETY: no selector; calls from outside the text raise SIGSYS from here on.
    unsafe { raw::syscall(nr::prctl, &[PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start, end - start, 0]) }.map(drop)
}

fn clear_dispatch() -> Result<(), Errno> {
    // SAFETY: no memory involved.
    unsafe { raw::syscall(nr::prctl, &[PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0]) }.map(drop)
}

/// One instruction of the host's packet filter machine.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SockFilter {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

#[repr(C)]
struct SockFprog {
    len: u16,
    filter: *const SockFilter,
}

/// Allows 64-bit calls whose return address lies in `start..=end` (a call's last instruction ends at its return address);
/// everything else raises `SIGSYS`.
fn filter(start: u64, end: u64) -> [SockFilter; 9] {
    const LOAD: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const JUMP_GREATER: u16 = 0x25;
    const JUMP_GREATER_EQUAL: u16 = 0x35;
    const RETURN: u16 = 0x06;
    const RET_TRAP: u32 = 0x0003_0000;
    const RET_ALLOW: u32 = 0x7fff_0000;
    // Where the architecture and the instruction pointer stand in `struct seccomp_data`.
    const ARCH: u32 = 4;
    const POINTER_LOW: u32 = 8;
    const POINTER_HIGH: u32 = 12;
    assert!(start >> 32 == end >> 32, "the text crosses a multiple of 4 GiB");
    let op = |code, jt, jf, k| SockFilter { code, jt, jf, k };
    [
        op(LOAD, 0, 0, POINTER_HIGH),
        op(JUMP_EQUAL, 0, 6, (start >> 32) as u32),
        op(LOAD, 0, 0, POINTER_LOW),
        op(JUMP_GREATER_EQUAL, 0, 4, start as u32),
        op(JUMP_GREATER, 3, 0, end as u32),
        op(LOAD, 0, 0, ARCH),
        op(JUMP_EQUAL, 0, 1, AUDIT_ARCH_X86_64),
        op(RETURN, 0, 0, RET_ALLOW),
        op(RETURN, 0, 0, RET_TRAP),
    ]
}

fn install_filter() -> Result<(), Errno> {
    const PR_SET_NO_NEW_PRIVS: u64 = 38;
    const SECCOMP_SET_MODE_FILTER: u64 = 1;
    // Without it the host turns processor features off for every filtered thread.
    const SECCOMP_FILTER_FLAG_SPEC_ALLOW: u64 = 4;
    let (start, end) = boot::text_range();
    let filter = filter(start, end);
    let program = SockFprog { len: filter.len() as u16, filter: filter.as_ptr() };
    // The host asks it of users without privileges. Host processes of a world never call the host's execve.
    // SAFETY: no memory involved.
    unsafe { raw::syscall(nr::prctl, &[PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]) }?;
    let install = |flags| {
        // SAFETY: the program and its instructions live across the call; calls from the image's text stay allowed.
        unsafe { raw::syscall(nr::seccomp, &[SECCOMP_SET_MODE_FILTER, flags, (&raw const program) as u64]) }.map(drop)
    };
    install(SECCOMP_FILTER_FLAG_SPEC_ALLOW).or_else(|_| install(0))
}
