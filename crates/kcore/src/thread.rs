//! The part of a task that assembly, locks and the run state need: one record per host thread.
//!
//! Mirrors: arch/x86 `thread_info` and the state half of include/linux/sched.h, Linux 6.18.
//! Differs: `%gs` points here while the thread runs, in guest code too; the kernel's own `Task` hangs behind `ext`.
//! Locking: fields are atomics or written only by the thread itself (or its parent before it starts).
//! Memory order: that of `state` is sched.rs's.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::{Any, TypeId};
use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::arena::Magazine;
use crate::life::Life;
use crate::loan::Loan;
use crate::regs::UserFrame;
use crate::sched::state;
use crate::stable::Head;
use crate::sync::SpinLock;
use crate::task_work::TaskWork;
use crate::wake_q::WakeQ;

/// Bits of [`Thread::work`]: reasons to take the slow way out of the kernel.
pub mod work {
    /// A signal may be deliverable.
    pub const SIGPENDING: u32 = 1;
    /// Task work (deferred `fput`) is queued.
    pub const TASK_WORK: u32 = 2;
    /// The host delivered a signal that is not yet translated.
    pub const HOST_SIGNAL: u32 = 4;
    /// The process is being killed or the thread must exit.
    pub const EXIT: u32 = 16;
    /// A stop was asked for by job control.
    pub const STOP: u32 = 32;
    /// The guest's own instruction faulted; see [`Thread::fault`].
    pub const FAULT: u32 = 64;
    /// The thread that lends this one its host thread has to end.
    pub const MOVE_OUT: u32 = 128;
    /// Pages that guest memory shows must go; see the kernel's `mm/truncate.rs`.
    pub const UNMAP: u32 = 256;
    /// What ends an interruptible sleep.
    pub const ENDS_SLEEP: u32 = SIGPENDING | HOST_SIGNAL | EXIT | STOP | MOVE_OUT;
}

/// Host signals noted by the handler, one slot per number, translated on the way out of the kernel.
#[derive(Debug)]
pub struct HostSignals {
    /// Bit n-1: signal n arrived.
    pub pending: AtomicU64,
    /// Sender of the newest of each: pid in the high half, `si_code` in the low half.
    pub origin: [AtomicU64; 65],
}

impl Default for HostSignals {
    fn default() -> Self {
        HostSignals::new()
    }
}

impl HostSignals {
    const fn new() -> Self {
        HostSignals { pending: AtomicU64::new(0), origin: [const { AtomicU64::new(0) }; 65] }
    }
}

/// The last processor fault of guest code, as the host reported it.
#[derive(Debug, Default)]
pub struct FaultInfo {
    pub signo: AtomicU32,
    pub code: AtomicU32,
    pub addr: AtomicU64,
    pub trapno: AtomicU64,
    pub error: AtomicU64,
    pub cr2: AtomicU64,
}

/// The parts of [`Thread::wchan`]: addresses of user space have 47 bits.
const WCHAN_SHIFT: u32 = 48;
const WCHAN_ADDRESS: u64 = (1 << WCHAN_SHIFT) - 1;

/// Host calls made by one thread; written only by itself, so an increment is a load and a store.
#[derive(Debug, Default)]
pub struct HostCallCounts {
    /// Files, clocks, processes: all but the two kinds below.
    pub plain: AtomicU64,
    /// Sleeping and waking.
    pub waits: AtomicU64,
    /// Mappings of guest memory.
    pub maps: AtomicU64,
}

impl HostCallCounts {
    /// One more call.
    #[inline]
    pub fn bump(counter: &AtomicU64) {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// The counts now: plain, waits, maps.
    pub fn snapshot(&self) -> [u64; 3] {
        [&self.plain, &self.waits, &self.maps].map(|counter| counter.load(Ordering::Relaxed))
    }
}

/// What a thread has learned about sleeping; used by itself only.
#[derive(Debug, Default)]
pub struct SleepHabits {
    /// 1: it has just woken a thread that slept in the host, which may want the same processor.
    pub woke_sleeper: AtomicU32,
    /// So many sleeps are to begin without giving way to others.
    pub straight_on: AtomicU32,
    /// How many those will be when giving way turns out to be dear again.
    pub patience: AtomicU32,
}

/// What the kernel hangs on a record.
struct Ext {
    object: *const (),
    kind: TypeId,
    _keep: Arc<dyn Any + Send + Sync>,
}

/// An object that the thread uses though it holds no count of it. Used by the thread alone.
#[derive(Default)]
pub(crate) struct Uncounted {
    pub object: Cell<Option<&'static Head>>,
    /// A count was taken after all.
    pub counted: Cell<bool>,
}

/// One host thread of the world. The first fields' offsets are known to assembly.
#[repr(C, align(64))]
pub struct Thread {
    this: *const Thread,
    /// The saved registers at the top of the kernel stack.
    pub frame: *mut UserFrame,
    /// Scratch for the entry code.
    pub user_rsp: AtomicU64,
    pub work: AtomicU32,
    pub host_tid: AtomicU32,
    /// The host process that it runs in, stored by the host when that is made; until it is, the one of whoever makes the thread.
    pub host_pid: AtomicU32,
    pub state: AtomicU32,
    /// Parking: 0 empty, 1 token, 2 parked.
    pub park: AtomicU32,
    /// The processor this thread was last woken from, plus one.
    pub waker_cpu: AtomicU32,
    pub sleep_habits: SleepHabits,
    /// What it waits for while it does not run, as /proc/PID/wchan names it: a static string's address, its length in the
    /// upper 16 bits. Written by the thread alone.
    wchan: AtomicU64,
    /// The platform's own, from `spawn` to the thread's first instructions.
    pub platform_data: AtomicU64,
    pub host_signals: HostSignals,
    pub fault: FaultInfo,
    /// What the thread asked of the host so far, for `--stats` and traces.
    pub host_calls: HostCallCounts,
    pub loan: Loan,
    /// What it drops when it holds no lock.
    pub task_work: TaskWork,
    /// Whom it has woken without telling the host.
    pub wake_q: WakeQ,
    pub life: Life,
    /// While the thread sleeps: where on its stack another host thread can go on for it. 0: nowhere.
    pub parked_at: AtomicU64,
    /// Entries of wait queues that lie on the thread's stack; written only by itself.
    pub(crate) queued: AtomicU32,
    /// Locks that the thread holds.
    #[cfg(debug_assertions)]
    pub(crate) locks_held: AtomicU32,
    ext: UnsafeCell<Option<Ext>>,
    /// Free memory that the thread keeps for itself.
    pub(crate) magazine: Magazine,
    /// What the thread uses without having counted itself; see [`crate::light`].
    pub(crate) uncounted: Uncounted,
    entry: UnsafeCell<Option<Box<dyn FnOnce() + Send>>>,
    stack: *mut u8,
    stack_len: usize,
    altstack: *mut u8,
    altstack_len: usize,
    started: AtomicBool,
    /// The next unused record.
    free_link: *mut Thread,
}

/// Records that nobody uses. Their memory stays records': who has read a stale owner from a lock's word may look at its life.
#[doc(alias = "SLAB_TYPESAFE_BY_RCU")]
struct FreeRecords(*mut Thread);
// SAFETY: the list is reached only under its lock, and owns what it names.
unsafe impl Send for FreeRecords {}
static FREE_RECORDS: SpinLock<FreeRecords> = SpinLock::new(FreeRecords(core::ptr::null_mut()));

/// Memory for a record.
fn record_memory() -> *mut Thread {
    let mut free = FREE_RECORDS.lock();
    let memory = free.0;
    if memory.is_null() {
        drop(free);
        return Box::into_raw(Box::<Thread>::new_uninit()).cast();
    }
    // SAFETY: an unused record's link was written by `keep_memory`.
    free.0 = unsafe { (*memory).free_link };
    memory
}

/// Keeps the memory of a record whose contents are dropped, for another.
///
/// # Safety
/// Nobody uses it, except to look at its life.
unsafe fn keep_memory(memory: *mut Thread) {
    let mut free = FREE_RECORDS.lock();
    // SAFETY: the caller gives it up; a plain field of it.
    unsafe { (*memory).free_link = free.0 };
    free.0 = memory;
}

// SAFETY: the raw pointers name arena memory that lives as long as the record; cells are written before the thread starts (by
// its creator), and from then on used by the thread alone, through `current()`.
unsafe impl Sync for Thread {}
// SAFETY: as above; nothing in it is tied to the creating host thread.
unsafe impl Send for Thread {}

/// Bytes of kernel stack per thread: generous in debug builds, whose frames are large. Untouched pages cost nothing.
pub const KERNEL_STACK: usize = if cfg!(debug_assertions) { 256 << 10 } else { 64 << 10 };
/// Bytes for host signal frames (AVX-512 state is about 3 KiB a frame) and the kernel code run on them.
pub const SIGNAL_STACK: usize = KERNEL_STACK;

impl Thread {
    /// A record with its own stacks, not yet running. Lives until [`Thread::free`].
    pub fn new() -> &'static Thread {
        let stack = alloc_stack(KERNEL_STACK);
        let altstack = alloc_stack(SIGNAL_STACK);
        // The frame lies at the very top.
        let frame = stack.wrapping_add(KERNEL_STACK - size_of::<UserFrame>()).cast::<UserFrame>();
        // SAFETY: `frame` is inside the fresh stack, aligned because stack and frame sizes are multiples of 16.
        unsafe { frame.write(UserFrame::default()) };
        let memory = record_memory();
        let thread = Thread {
            this: memory,
            frame,
            user_rsp: AtomicU64::new(0),
            work: AtomicU32::new(0),
            host_tid: AtomicU32::new(0),
            host_pid: AtomicU32::new(0),
            state: AtomicU32::new(state::RUNNING),
            park: AtomicU32::new(0),
            waker_cpu: AtomicU32::new(0),
            sleep_habits: SleepHabits::default(),
            wchan: AtomicU64::new(0),
            platform_data: AtomicU64::new(0),
            host_signals: HostSignals::new(),
            fault: FaultInfo::default(),
            host_calls: HostCallCounts::default(),
            loan: Loan::new(),
            task_work: TaskWork::default(),
            wake_q: WakeQ::default(),
            life: Life::new(),
            parked_at: AtomicU64::new(0),
            queued: AtomicU32::new(0),
            #[cfg(debug_assertions)]
            locks_held: AtomicU32::new(0),
            ext: UnsafeCell::new(None),
            magazine: Magazine::default(),
            uncounted: Uncounted::default(),
            entry: UnsafeCell::new(None),
            stack,
            stack_len: KERNEL_STACK,
            altstack,
            altstack_len: SIGNAL_STACK,
            started: AtomicBool::new(false),
            free_link: core::ptr::null_mut(),
        };
        // SAFETY: a record's memory, which nobody uses.
        unsafe { memory.write(thread) };
        // SAFETY: just written; only `free` ends it.
        unsafe { &*memory }
    }

    /// Gives record and stacks back. The record of a thread that the host killed stays what it is, as locks may name it, and so
    /// does its stack if an entry of a wait queue lies there.
    ///
    /// # Panics
    /// When the host thread may still run though it was started.
    pub fn free(&'static self) {
        let idle = !self.started.load(Ordering::Relaxed) || self.life.is_over();
        assert!(idle, "a running thread's stack freed");
        if self.queued.load(Ordering::Relaxed) == 0 {
            free_stack(self.stack, self.stack_len);
        }
        free_stack(self.altstack, self.altstack_len);
        let memory = core::ptr::from_ref(self).cast_mut();
        if self.life.was_killed() {
            // What it kept for itself may be half-taken.
            // SAFETY: the host thread is gone and the owner gives up its reference here; nobody looks at `ext` any more.
            drop(unsafe { (*memory).ext.get_mut().take() });
            return;
        }
        self.magazine.drain();
        // SAFETY: as above; what is left is only looked at.
        unsafe { core::ptr::drop_in_place(memory) };
        // SAFETY: the contents are dropped.
        unsafe { keep_memory(memory) };
    }

    /// Hangs the kernel's task on the record; once, before the thread starts or by the thread itself.
    ///
    /// # Panics
    /// When there is one already.
    pub fn set_ext<T: Any + Send + Sync>(&self, ext: Arc<T>) {
        debug_assert!(!self.started.load(Ordering::Relaxed) || core::ptr::eq(self, current()));
        let ext = Ext { object: Arc::as_ptr(&ext).cast(), kind: TypeId::of::<T>(), _keep: ext };
        // SAFETY: not started, or it is the caller: nobody else looks, and nobody holds what was never there.
        let slot = unsafe { &mut *self.ext.get() };
        assert!(slot.is_none(), "a thread's task is set once");
        *slot = Some(ext);
    }

    /// The kernel's task, seen by the thread itself, if it is a `T`. Every call asks several times: comparing the type here
    /// is 3 ns cheaper than asking the object through its table.
    #[inline]
    pub fn ext<T: Any + Send + Sync>(&self) -> Option<&T> {
        // SAFETY: written only before the start.
        let ext = unsafe { (*self.ext.get()).as_ref() }?;
        if ext.kind != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: `object` is a `T` (see `set_ext`) that `_keep` keeps alive as long as the record.
        Some(unsafe { &*ext.object.cast::<T>() })
    }

    pub fn set_entry(&self, entry: Box<dyn FnOnce() + Send>) {
        debug_assert!(!self.started.load(Ordering::Relaxed));
        // SAFETY: not started, so the creator is the only user.
        unsafe { *self.entry.get() = Some(entry) };
    }

    /// What the thread runs before (or instead of) guest code; taken once, by itself.
    pub fn take_entry(&self) -> Option<Box<dyn FnOnce() + Send>> {
        // SAFETY: only the thread itself calls this.
        unsafe { (*self.entry.get()).take() }
    }

    pub fn mark_started(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// A copy of the saved registers.
    pub fn frame(&self) -> UserFrame {
        // SAFETY: the frame lies in this record's live stack; the owner is in the kernel or not started.
        unsafe { self.frame.read() }
    }

    /// Sets the registers of a thread that has not started.
    pub fn init_frame(&self, frame: &UserFrame) {
        debug_assert!(!self.started.load(Ordering::Relaxed));
        // SAFETY: not started, so nobody else uses the stack.
        unsafe { self.frame.write(*frame) };
    }

    /// Replaces the calling thread's own saved registers; only from its entry function, before it goes to the guest.
    pub fn replace_frame(&self, frame: &UserFrame) {
        debug_assert!(core::ptr::eq(self, current()));
        // SAFETY: the thread's own frame; its entry function runs below it on the same stack.
        unsafe { self.frame.write(*frame) };
    }

    pub fn altstack(&self) -> (*mut u8, usize) {
        (self.altstack, self.altstack_len)
    }

    /// Lowest address and length of the kernel stack.
    pub fn stack(&self) -> (*mut u8, usize) {
        (self.stack, self.stack_len)
    }

    /// One entry more, or less, of a wait queue on the calling thread's stack.
    pub(crate) fn count_queued(&self, change: i32) {
        let now = self.queued.load(Ordering::Relaxed).wrapping_add_signed(change);
        self.queued.store(now, Ordering::Relaxed);
    }

    pub fn set_work(&self, bits: u32) {
        self.work.fetch_or(bits, Ordering::SeqCst);
    }

    pub fn clear_work(&self, bits: u32) {
        self.work.fetch_and(!bits, Ordering::SeqCst);
    }

    #[inline]
    pub fn has_work(&self, bits: u32) -> bool {
        self.work.load(Ordering::Acquire) & bits != 0
    }

    /// Whether an interruptible sleep must end.
    #[inline]
    pub fn signal_pending(&self) -> bool {
        self.has_work(work::ENDS_SLEEP)
    }

    /// Names what the calling thread is about to wait for; seen until its state is RUNNING again.
    pub fn set_wchan(&self, name: &'static str) {
        debug_assert!(name.len() < 1 << 16, "the name of a wait channel is a word");
        let address = name.as_ptr().expose_provenance() as u64 & WCHAN_ADDRESS;
        self.wchan.store(address | (name.len() as u64) << WCHAN_SHIFT, Ordering::Release);
    }

    /// What it waits for; empty when it does not wait. Statics lie at the same address in every process.
    pub fn wchan(&self) -> &'static str {
        if matches!(self.state.load(Ordering::Acquire), state::RUNNING | state::DEAD) {
            return "";
        }
        let packed = self.wchan.load(Ordering::Acquire);
        let (address, len) = ((packed & WCHAN_ADDRESS) as usize, (packed >> WCHAN_SHIFT) as usize);
        if len == 0 {
            return "";
        }
        let start = core::ptr::with_exposed_provenance::<u8>(address);
        // SAFETY: address and length were stored together by `set_wchan` from a static string.
        let bytes = unsafe { core::slice::from_raw_parts(start, len) };
        core::str::from_utf8(bytes).unwrap_or("")
    }
}

/// The calling thread.
#[inline]
pub fn current() -> &'static Thread {
    unsafe extern "Rust" {
        // Defined by the platform crate; resolved at link time so that the hot path is one load from %gs.
        safe fn acrida_current_thread() -> &'static Thread;
    }
    acrida_current_thread()
}

fn stack_layout(len: usize) -> core::alloc::Layout {
    // A power of two from a constant: always a valid layout.
    core::alloc::Layout::from_size_align(len, 4096).unwrap_or_else(|_| unreachable!("stack size is a power of two"))
}

fn alloc_stack(len: usize) -> *mut u8 {
    // SAFETY: the layout has a nonzero size.
    let stack = unsafe { alloc::alloc::alloc(stack_layout(len)) };
    assert!(!stack.is_null(), "no memory for a kernel stack");
    stack
}

fn free_stack(stack: *mut u8, len: usize) {
    // SAFETY: allocated by `alloc_stack` with the same layout, freed once by the owner.
    unsafe { alloc::alloc::dealloc(stack, stack_layout(len)) };
}
