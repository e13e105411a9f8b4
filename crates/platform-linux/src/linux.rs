//! The platform contract on a Linux host.
//!
//! Mirrors: nothing in Linux.
//! Locking: none; the lock words sleep on shared futexes of the host, as `park` does.

use core::arch::asm;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::host::Host;
use acrida_kcore::loan::Wish;
use acrida_kcore::platform::{ClockId, Parked, Platform, SpawnKind};
use acrida_kcore::regs::{UserFrame, XsaveArea};
use acrida_kcore::thread::{HostCallCounts, Thread, current};
use acrida_kcore::uaccess::{Access, UserAddr};
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::{boot, entry, fpu, loan, lock_word, park, raw, signal, spawn};

/// The one instance.
pub struct Linux;

unsafe extern "C" {
    pub fn acrida_user_copy(dst: u64, src: u64, len: usize) -> usize;
    fn acrida_user_cmpxchg(word: u64, old: u32, new: u32, out: *mut u32) -> u32;
    fn acrida_exit_thread(alive: *const AtomicU32) -> !;
    fn acrida_exit_process(alive: *const AtomicU32, code: u32) -> !;
}

/// The calling thread's record: one load.
#[unsafe(no_mangle)]
fn acrida_current_thread() -> &'static Thread {
    let thread: *const Thread;
    // SAFETY: `%gs` points at the record from the thread's first instruction on; its first word is its own address.
    unsafe { asm!("mov {}, gs:[0]", out(reg) thread, options(nostack, readonly, pure)) };
    // SAFETY: records live as long as their thread.
    unsafe { &*thread }
}

fn clock(id: u64) -> u64 {
    let mut time = [0u64; 2];
    // SAFETY: the structure is valid.
    let _ = unsafe { raw::syscall6(nr::clock_gettime, [id, (&raw mut time) as u64, 0, 0, 0, 0]) };
    time[0] * 1_000_000_000 + time[1]
}

impl Platform for Linux {
    fn park(&self, me: &Thread, deadline: Option<u64>) -> Parked {
        loan::sleep(me, deadline)
    }

    fn unpark(&self, thread: &Thread) {
        park::unpark(thread);
    }

    fn wake_parked(&self, word: usize) {
        park::wake_at(word, 1);
    }

    fn interrupt(&self, thread: &Thread) {
        let (pid, tid) = (thread.host_pid.load(Ordering::Relaxed), thread.host_tid.load(Ordering::Relaxed));
        if tid != 0 && !thread.life.is_over() {
            HostCallCounts::bump(&current().host_calls.waits);
            // SAFETY: a signal to a thread of this world; a stale id is refused by the pair check.
            let _ = unsafe { raw::syscall6(nr::tgkill, [pid.into(), tid.into(), signal::KICK.into(), 0, 0, 0]) };
        }
    }

    fn wait_lock(&self, word: &AtomicU64, expected: u64, life: &AtomicU32, alive: u32) {
        lock_word::wait(word, expected, life, alive);
    }

    fn wake_lock(&self, word: &AtomicU64) {
        lock_word::wake(word.as_ptr() as u64, 1);
    }

    fn wake_life(&self, life: &AtomicU32) {
        lock_word::wake(life.as_ptr() as u64, i32::MAX as u32);
    }

    fn spawn(&self, child: &'static Thread, kind: SpawnKind) -> Result<u32, Errno> {
        spawn::spawn(child, kind)
    }

    fn lend(&self, borrower: &'static Thread) {
        loan::lend(borrower);
    }

    fn hand_back(&self) {
        loan::hand_back();
    }

    fn spawn_switched(&self, thread: &'static Thread, kind: SpawnKind) -> Result<(), Errno> {
        loan::spawn_switched(thread, kind)
    }

    fn revive(&self, thread: &'static Thread) -> Result<(), Errno> {
        loan::revive(thread)
    }

    fn exit_thread(&self) -> ! {
        let me = current();
        if me.loan.lender().is_some() {
            me.loan.set_wish(Wish::End);
            loan::hand_back();
            unreachable!("a thread that has ended was lent another's host thread");
        }
        signal::block_all();
        // SAFETY: nothing of this thread is used afterwards; after the store no stack is touched.
        unsafe { acrida_exit_thread(current().life.word()) }
    }

    fn exit_process(&self, code: u8) -> ! {
        signal::block_all();
        // SAFETY: as in `exit_thread`.
        unsafe { acrida_exit_process(current().life.word(), code.into()) }
    }

    fn now(&self, clock_id: ClockId) -> u64 {
        match clock_id {
            ClockId::Realtime => boot::vdso_clock(0).unwrap_or_else(|| clock(0)),
            ClockId::Monotonic => boot::vdso_clock(1).unwrap_or_else(|| clock(1)),
            ClockId::Boottime => boot::vdso_clock(7).unwrap_or_else(|| clock(7)),
            ClockId::RealtimeCoarse => boot::vdso_clock(5).unwrap_or_else(|| clock(5)),
            ClockId::MonotonicCoarse => boot::vdso_clock(6).unwrap_or_else(|| clock(6)),
            ClockId::ProcessCpu => clock(2),
            ClockId::ThreadCpu => clock(3),
        }
    }

    fn random(&self, buf: &mut [u8]) {
        let mut done = 0;
        while done < buf.len() {
            let rest = &mut buf[done..];
            // SAFETY: the buffer is valid.
            match unsafe { raw::syscall(nr::getrandom, &[rest.as_mut_ptr() as u64, rest.len() as u64, 0]) } {
                Ok(n) => done += n,
                Err(Errno::EINTR) => {}
                Err(errno) => panic!("no random numbers from the host: {errno:?}"),
            }
        }
    }

    fn copy_from_user(&self, dst: &mut [u8], src: UserAddr) -> usize {
        if !src.access_ok(dst.len()) {
            return dst.len();
        }
        // SAFETY: the destination is a valid kernel buffer, the source a checked guest range; a fault ends the copy.
        unsafe { acrida_user_copy(dst.as_mut_ptr() as u64, src.0, dst.len()) }
    }

    fn copy_to_user(&self, dst: UserAddr, src: &[u8]) -> usize {
        if !dst.access_ok(src.len()) {
            return src.len();
        }
        // SAFETY: the source is a valid kernel buffer, the destination a checked guest range; a fault ends the copy.
        unsafe { acrida_user_copy(dst.0, src.as_ptr() as u64, src.len()) }
    }

    fn user_cmpxchg(&self, word: UserAddr, old: u32, new: u32) -> Result<u32, Errno> {
        if !word.access_ok(4) {
            return Err(Errno::EFAULT);
        }
        let mut seen = 0;
        // SAFETY: a checked guest word; a fault gives 1.
        match unsafe { acrida_user_cmpxchg(word.0, old, new, &raw mut seen) } {
            0 => Ok(seen),
            _ => Err(Errno::EFAULT),
        }
    }

    fn copy_user_window(&self, user: UserAddr, window: u64, len: usize, access: Access) -> usize {
        if !user.access_ok(len) {
            return len;
        }
        let (dst, src) = match access {
            Access::Read => (window, user.0),
            Access::Write => (user.0, window),
        };
        // SAFETY: one side is a checked guest range, the other lies in the window (its owner checked the extent).
        unsafe { acrida_user_copy(dst, src, len) }
    }

    fn fs_base(&self) -> u64 {
        let mut base = 0u64;
        // SAFETY: ARCH_GET_FS writes one word.
        let _ = unsafe { raw::syscall6(nr::arch_prctl, [0x1003, (&raw mut base) as u64, 0, 0, 0, 0]) };
        base
    }

    fn set_fs_base(&self, base: u64) {
        // SAFETY: the kernel does not use FS; ARCH_SET_FS.
        let _ = unsafe { raw::syscall6(nr::arch_prctl, [0x1002, base, 0, 0, 0, 0]) };
    }

    fn fpu_save(&self, frame: &UserFrame, area: &mut XsaveArea) {
        fpu::save(frame, area);
    }

    fn fpu_restore(&self, frame: &mut UserFrame, area: &mut XsaveArea) {
        fpu::restore(frame, area);
    }

    fn fpu_reset(&self, frame: &mut UserFrame) {
        fpu::reset(frame);
    }

    fn fpu_size(&self) -> usize {
        fpu::size()
    }

    fn fpu_features(&self) -> u64 {
        fpu::features()
    }

    fn kernel_entry(&self) -> u64 {
        entry::kernel_entry()
    }

    fn vdso_base(&self) -> u64 {
        boot::vdso_base()
    }

    fn anonymous_text(&self) -> u64 {
        boot::anonymous_text()
    }

    fn host(&self) -> &dyn Host {
        self
    }

    fn console(&self, text: &str) {
        // SAFETY: the bytes are valid.
        let _ = unsafe { raw::syscall6(nr::write, [2, text.as_ptr() as u64, text.len() as u64, 0, 0, 0]) };
    }

    fn bug(&self, message: fmt::Arguments<'_>) -> ! {
        boot::stop_world(message)
    }
}
