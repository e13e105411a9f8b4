//! A host thread that two records use in turn.
//!
//! Mirrors: nothing in Linux.
//! Differs: while the child of a `vfork` runs, its parent sleeps; both have one memory. So the child needs no host
//! process yet: the parent lends it its host thread, and takes it back when the child has ended or wants a host process.
//!
//! ```text
//!   parent:  vfork ── lend ─┐                       ┌─► forks for the child, returns from vfork
//!   child:                  └─► guest code ── exec ─┘ (hand back)     └─► goes on behind "hand back", in the new process
//! ```
//! Locking: none; one host thread touches a loan, and at its end the host process that took the borrower over.

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::thread::Thread;

/// Why a borrower hands its lender's host thread back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It has ended.
    End,
    /// A host process with nothing in guest memory: it is about to run another program.
    EmptyProcess,
    /// A host process in the same memory: it is about to change something of its host thread, or the lender has to die.
    SharingProcess,
}

const END: u32 = 0;
const EMPTY: u32 = 1;
const SHARING: u32 = 2;

/// A record's part in a loan.
#[derive(Debug, Default)]
pub struct Loan {
    lender: AtomicPtr<Thread>,
    wish: AtomicU32,
    /// Stack pointer of a record that does not run now, below the registers it left; 0 before it ever ran.
    pub switch_sp: AtomicU64,
}

impl Loan {
    pub const fn new() -> Loan {
        Loan { lender: AtomicPtr::new(core::ptr::null_mut()), wish: AtomicU32::new(END), switch_sp: AtomicU64::new(0) }
    }

    pub fn set_lender(&self, lender: Option<&'static Thread>) {
        let lender = lender.map_or(core::ptr::null_mut(), |lender| core::ptr::from_ref(lender).cast_mut());
        self.lender.store(lender, Ordering::Release);
    }

    /// Whose host thread this record uses; `None` for one with its own.
    pub fn lender(&self) -> Option<&'static Thread> {
        // SAFETY: set from a record that outlives the loan: it does not run, and so does not end, before the host thread
        // is handed back.
        unsafe { self.lender.load(Ordering::Acquire).as_ref() }
    }

    pub fn set_wish(&self, wish: Wish) {
        let code = match wish {
            Wish::End => END,
            Wish::EmptyProcess => EMPTY,
            Wish::SharingProcess => SHARING,
        };
        self.wish.store(code, Ordering::Relaxed);
    }

    /// What the borrower handed the thread back for.
    pub fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Relaxed) {
            EMPTY => Wish::EmptyProcess,
            SHARING => Wish::SharingProcess,
            _ => Wish::End,
        }
    }
}
