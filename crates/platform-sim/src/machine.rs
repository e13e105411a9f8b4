//! The machine under the kernel, as the simulation answers it.
//!
//! Mirrors: nothing in Linux.
//! Differs: one machine for all worlds of a test program; a call belongs to the world of the host thread that makes it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Once, PoisonError};

use acrida_kcore::host::Host;
use acrida_kcore::platform::{ClockId, Parked, Platform, SpawnKind, set_platform};
use acrida_kcore::regs::{UserFrame, XsaveArea};
use acrida_kcore::thread::Thread;
use acrida_kcore::uaccess::{Access, UserAddr};
use acrida_trace_format::layout::WINDOW_BASE;
use acrida_uapi::errno::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use crate::board::Board;
use crate::host::NoHost;
use crate::memory::Memory;

/// Bytes of the physical-memory window that a test program can use.
const WINDOW: usize = 4 << 30;

/// A host thread's place in its world.
#[derive(Clone)]
pub struct Seat {
    pub board: Arc<Board>,
    pub index: usize,
    pub thread: &'static Thread,
}

thread_local! {
    static SEAT: RefCell<Option<Seat>> = const { RefCell::new(None) };
    /// For a host thread that belongs to no world.
    static STRAY: Cell<Option<&'static Thread>> = const { Cell::new(None) };
}

fn stray() -> &'static Thread {
    STRAY.get().unwrap_or_else(|| {
        // To make a record takes a lock, and that an owner: zeros stand in meanwhile, as in a world that boots.
        let zeros = Box::leak(Box::<Thread>::new_zeroed());
        // SAFETY: of zeros: atomics, null pointers and empty options.
        STRAY.set(Some(unsafe { zeros.assume_init_ref() }));
        let thread = named_thread();
        STRAY.set(Some(thread));
        thread
    })
}

/// How long a thread sleeps on a lock's word at most, in virtual time.
const LOOK_AGAIN_NS: u64 = 20_000_000;

/// A thread record with a number of its own.
pub fn named_thread() -> &'static Thread {
    let thread = Thread::new();
    give_number(thread);
    thread
}

/// Numbers a record; `Thread::host_tid` is never 0 afterwards.
fn give_number(thread: &Thread) -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    thread.host_tid.store(number, Ordering::Relaxed);
    number
}

/// Sits down; every later call of this host thread belongs to the seat's world.
pub fn sit(seat: Seat) {
    SEAT.with(|slot| *slot.borrow_mut() = Some(seat));
}

/// The record of a thread that has ended answers no more.
pub fn ended(thread: &Thread) {
    thread.life.end();
}

/// The calling host thread's place, if it has one.
pub fn seat() -> Option<Seat> {
    SEAT.with(|slot| slot.borrow().clone())
}

/// The kernel's `%gs`.
#[unsafe(no_mangle)]
fn acrida_current_thread() -> &'static Thread {
    SEAT.with(|slot| slot.borrow().as_ref().map(|seat| seat.thread)).unwrap_or_else(stray)
}

/// Puts the machine under the kernel and maps the window of page frames, once per test program; [`crate::run`] does it by itself.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: a new mapping, at a place where nothing is mapped.
        let at = unsafe { mmap_anonymous(WINDOW_BASE as *mut _, WINDOW, ProtFlags::READ | ProtFlags::WRITE, flags) };
        assert_eq!(at.map(|at| at as u64), Ok(WINDOW_BASE), "the window's place is taken");
        set_platform(&Machine);
    });
}

/// The payload that ends a simulated thread from within.
pub struct ThreadExit;

struct Machine;

/// The caller's world.
///
/// # Panics
/// On a thread of no world: it cannot sleep, nor has it guest memory.
fn here() -> Seat {
    seat().unwrap_or_else(|| panic!("this needs a simulated thread: run it inside acrida_platform_sim::run"))
}

fn with_memory<R>(body: impl FnOnce(&mut Memory) -> R) -> R {
    body(&mut here().board.memory.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Platform for Machine {
    fn park(&self, _me: &Thread, deadline: Option<u64>) -> Parked {
        let seat = here();
        if seat.board.park(seat.index, deadline) { Parked::TimedOut } else { Parked::Woken }
    }

    fn unpark(&self, thread: &Thread) {
        let seat = here();
        seat.board.unpark(seat.index, thread);
    }

    fn interrupt(&self, thread: &Thread) {
        self.unpark(thread);
    }

    fn wait_lock(&self, word: &AtomicU64, expected: u64, _life: &AtomicU32, _alive: u32) {
        let Some(seat) = seat() else {
            std::thread::yield_now();
            return;
        };
        let unchanged = || word.load(Ordering::SeqCst) == expected;
        if seat.board.wait_word(seat.index, word.as_ptr().addr(), LOOK_AGAIN_NS, unchanged) {
            // The word may be another world's, which runs by itself: let it.
            std::thread::yield_now();
        }
    }

    fn wake_lock(&self, word: &AtomicU64) {
        if let Some(seat) = seat() {
            seat.board.wake_word(seat.index, word.as_ptr().addr(), 1);
        }
    }

    fn wake_life(&self, _life: &AtomicU32) {
        // Nobody is killed here.
    }

    fn spawn(&self, child: &'static Thread, _kind: SpawnKind) -> Result<u32, Errno> {
        let entry = child.take_entry();
        let number = give_number(child);
        child.mark_started();
        crate::sim::start(&here().board, &format!("thread {number}"), child, move || {
            if let Some(entry) = entry {
                entry();
            }
        });
        Ok(number)
    }

    fn exit_thread(&self) -> ! {
        std::panic::resume_unwind(Box::new(ThreadExit))
    }

    fn exit_process(&self, _code: u8) -> ! {
        std::panic::resume_unwind(Box::new(ThreadExit))
    }

    fn now(&self, _clock: ClockId) -> u64 {
        seat().map_or(0, |seat| seat.board.now())
    }

    fn random(&self, buf: &mut [u8]) {
        here().board.random(buf);
    }

    fn copy_from_user(&self, dst: &mut [u8], src: UserAddr) -> usize {
        with_memory(|memory| memory.read(dst, src))
    }

    fn copy_to_user(&self, dst: UserAddr, src: &[u8]) -> usize {
        with_memory(|memory| memory.write(dst, src))
    }

    fn user_cmpxchg(&self, word: UserAddr, old: u32, new: u32) -> Result<u32, Errno> {
        with_memory(|memory| {
            let mut bytes = [0; 4];
            if memory.read(&mut bytes, word) != 0 {
                return Err(Errno::EFAULT);
            }
            let found = u32::from_ne_bytes(bytes);
            if found == old && memory.write(word, &new.to_ne_bytes()) != 0 {
                return Err(Errno::EFAULT);
            }
            Ok(found)
        })
    }

    fn copy_user_window(&self, user: UserAddr, window: u64, len: usize, access: Access) -> usize {
        assert!(window >= WINDOW_BASE && window - WINDOW_BASE + len as u64 <= WINDOW as u64, "bytes outside the window");
        let window = std::ptr::with_exposed_provenance_mut::<u8>(window as usize);
        // SAFETY: `install` mapped the window for good; one simulated thread runs at a time, and frames have one user.
        let frame = unsafe { std::slice::from_raw_parts_mut(window, len) };
        with_memory(|memory| match access {
            Access::Read => memory.read(frame, user),
            Access::Write => memory.write(user, frame),
        })
    }

    fn fs_base(&self) -> u64 {
        0
    }

    fn set_fs_base(&self, _base: u64) {}

    fn fpu_save(&self, _frame: &UserFrame, _area: &mut XsaveArea) {}

    fn fpu_restore(&self, _frame: &mut UserFrame, _area: &mut XsaveArea) {}

    fn fpu_reset(&self, _frame: &mut UserFrame) {}

    fn fpu_size(&self) -> usize {
        // The legacy area and the XSAVE header.
        512 + 64
    }

    fn fpu_features(&self) -> u64 {
        0b11
    }

    fn kernel_entry(&self) -> u64 {
        0
    }

    fn vdso_base(&self) -> u64 {
        0
    }

    fn host(&self) -> &dyn Host {
        &NoHost
    }

    fn console(&self, text: &str) {
        eprint!("{text}");
    }

    fn bug(&self, message: fmt::Arguments<'_>) -> ! {
        panic!("{message}")
    }
}
