//! System calls to the host, from the image's own text (which Syscall User Dispatch lets through).
//!
//! Mirrors: nothing in Linux.
//! Locking: none.

use acrida_uapi::errno::Errno;
use core::arch::asm;

/// Makes a host call; the raw result.
///
/// # Safety
/// As the host call itself: pointers must be valid for what it does with them.
#[inline]
pub unsafe fn syscall6(nr: u32, a: [u64; 6]) -> i64 {
    let result: i64;
    // SAFETY: the caller answers for the call; the instruction clobbers what is declared.
    unsafe {
        asm!("syscall", inlateout("rax") u64::from(nr) => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

/// The result as Rust spells it.
#[inline]
pub fn check(result: i64) -> Result<usize, Errno> {
    if (-4095..0).contains(&result) { Err(Errno::from_raw(-result as i32).unwrap_or(Errno::EINVAL)) } else { Ok(result as usize) }
}

/// Makes a host call with up to six arguments.
///
/// # Safety
/// As [`syscall6`].
#[inline]
pub unsafe fn syscall(nr: u32, args: &[u64]) -> Result<usize, Errno> {
    let mut a = [0; 6];
    a[..args.len()].copy_from_slice(args);
    // SAFETY: passed on to the caller.
    check(unsafe { syscall6(nr, a) })
}

unsafe extern "C" {
    // In `entry`: as `syscall6`, but gives -EINTR without calling when the thread has work, also when a signal arrives
    // between that check and the instruction.
    fn acrida_syscall_abortable(nr: u64, args: *const u64) -> i64;
}

/// A host call that may block; a signal for this thread ends it with `EINTR`.
///
/// # Safety
/// As [`syscall6`].
pub unsafe fn syscall_abortable(nr: u32, a: [u64; 6]) -> Result<usize, Errno> {
    // SAFETY: passed on to the caller; the array lives across the call.
    check(unsafe { acrida_syscall_abortable(u64::from(nr), a.as_ptr()) })
}
