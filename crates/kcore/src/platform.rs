//! The consumer-side contract: all that the kernel asks of the machine it runs on.
//!
//! Mirrors: nothing in Linux; it stands where arch/ and the host would.
//! Differs: a small trait object, set once per world; `platform/linux` and `platform/sim` implement it.
//! Locking: implementations take no kernel lock.

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64};

use acrida_uapi::errno::Errno;

use crate::host::Host;
use crate::regs::{UserFrame, XsaveArea};
use crate::sync::SetOnce;
use crate::thread::Thread;
use crate::uaccess::{Access, UserAddr};

/// Why a thread that was parked came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    /// Unparked, interrupted, or for no reason: look again.
    Woken,
    /// The deadline passed.
    TimedOut,
}

/// Clocks the kernel reads, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockId {
    Realtime,
    Monotonic,
    Boottime,
    /// The first two as of the host's last tick, up to 10 ms old, for a fifth of the price.
    RealtimeCoarse,
    MonotonicCoarse,
    /// CPU time of the calling host process.
    ProcessCpu,
    /// CPU time of the calling host thread.
    ThreadCpu,
}

/// What a new host thread shares with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnKind {
    /// A thread of the calling guest process.
    Thread,
    /// A guest process with a copy of the caller's memory.
    Process,
    /// A guest process in the caller's memory.
    SharingProcess,
    /// A thread of the kernel process itself; runs `Thread::entry`.
    Kernel,
}

/// The machine under the kernel.
pub trait Platform: Sync {
    /// Blocks the calling thread until [`Platform::unpark`], a host signal or `deadline` (monotonic ns).
    fn park(&self, me: &Thread, deadline: Option<u64>) -> Parked;
    /// Lets a parked thread go on; remembered when it is not parked yet.
    fn unpark(&self, thread: &Thread);
    /// Makes a wake-up that [`Platform::unpark`] left to the caller's [`crate::wake_q::WakeQ`], which few platforms do: of who parks
    /// on the word at this address, if anybody does.
    fn wake_parked(&self, word: usize) {
        panic!("this platform puts no wake-ups off: {word:#x}");
    }
    /// Makes `thread` enter the kernel soon if it runs guest code.
    fn interrupt(&self, thread: &Thread);
    /// Waits while the lock's word is `expected` (by its lower half) and its owner's life is `alive`; may return early, and does
    /// after a while.
    fn wait_lock(&self, word: &AtomicU64, expected: u64, life: &AtomicU32, alive: u32);
    /// Wakes one waiter of [`Platform::wait_lock`] for the lock's sake.
    fn wake_lock(&self, word: &AtomicU64);
    /// Wakes every waiter of [`Platform::wait_lock`] for the sake of the owner's life.
    fn wake_life(&self, life: &AtomicU32);
    /// Starts a host thread for `child`, whose frame is ready; gives its host thread id. The record of a new host process has that
    /// in `host_pid` before anything of it runs, or its death is told, and whatever becomes of the caller.
    fn spawn(&self, child: &'static Thread, kind: SpawnKind) -> Result<u32, Errno>;
    /// Runs `borrower` on the calling host thread until it hands the thread back; see [`crate::loan`].
    fn lend(&self, borrower: &'static Thread) {
        panic!("this platform lends no threads: {:p}", borrower);
    }
    /// Gives the calling host thread back to its lender; returns when it is lent again, or in a new host process.
    fn hand_back(&self) {
        panic!("this platform lends no threads");
    }
    /// Lets a record that has switched away go on in a new host process, whose number it has at once.
    fn spawn_switched(&self, thread: &'static Thread, kind: SpawnKind) -> Result<(), Errno> {
        panic!("this platform lends no threads: {thread:p}, {kind:?}");
    }
    /// Lets a thread that slept in [`Platform::park`] when the host killed it go on in a new host process with nothing in guest
    /// memory, as if it was unparked.
    ///
    /// # Errors
    /// `ESRCH` if it did not sleep.
    fn revive(&self, thread: &'static Thread) -> Result<(), Errno> {
        panic!("this platform kills no threads: {thread:p}");
    }
    /// Ends the calling host thread and never returns; its kernel stack is free when `thread.life` is over.
    fn exit_thread(&self) -> !;
    /// Ends the calling host process with all its threads.
    fn exit_process(&self, code: u8) -> !;
    fn now(&self, clock: ClockId) -> u64;
    fn random(&self, buf: &mut [u8]);
    /// Copies from guest memory; gives the bytes *not* copied.
    fn copy_from_user(&self, dst: &mut [u8], src: UserAddr) -> usize;
    /// Copies to guest memory; gives the bytes *not* copied.
    fn copy_to_user(&self, dst: UserAddr, src: &[u8]) -> usize;
    /// Compare-and-swap on a guest word: the old value, or `EFAULT`.
    fn user_cmpxchg(&self, word: UserAddr, old: u32, new: u32) -> Result<u32, Errno>;
    /// Copies between guest memory and the physical-memory window; gives the bytes *not* copied. `access` is what happens to
    /// the guest's side.
    fn copy_user_window(&self, user: UserAddr, window: u64, len: usize, access: Access) -> usize;
    /// The calling thread's FS base (thread-local storage of the guest).
    fn fs_base(&self) -> u64;
    fn set_fs_base(&self, base: u64);
    /// Fills `area`, which is zeroed, with the guest's vector and x87 state: live registers joined with the frame's xmm.
    fn fpu_save(&self, frame: &UserFrame, area: &mut XsaveArea);
    /// Loads a state (untrusted bytes, which are made valid); xmm goes to the frame, the rest into the registers.
    fn fpu_restore(&self, frame: &mut UserFrame, area: &mut XsaveArea);
    fn fpu_reset(&self, frame: &mut UserFrame);
    /// Bytes that [`Platform::fpu_save`] fills.
    fn fpu_size(&self) -> usize;
    /// Enabled XSAVE components.
    fn fpu_features(&self) -> u64;
    /// Where patched call sites jump to.
    fn kernel_entry(&self) -> u64;
    /// Where the vdso lies, or 0.
    fn vdso_base(&self) -> u64;
    /// Bytes of private anonymous memory in every guest process that are the kernel's text.
    fn anonymous_text(&self) -> u64 {
        0
    }
    /// The host calls behind host files and pass-through.
    fn host(&self) -> &dyn Host;
    /// Bytes to the user's standard error, for what must be said.
    fn console(&self, text: &str);
    /// A broken invariant: stops the world with a report.
    fn bug(&self, message: fmt::Arguments<'_>) -> !;
}

static PLATFORM: SetOnce<&'static dyn Platform> = SetOnce::new();

/// Sets the platform; later calls are ignored (every kernel of one process shares it).
pub fn set_platform(platform: &'static dyn Platform) {
    let _ = PLATFORM.set(platform);
}

/// The platform of this world.
#[inline]
pub fn platform() -> &'static dyn Platform {
    match PLATFORM.get() {
        Some(platform) => *platform,
        None => panic!("platform used before set_platform"),
    }
}
