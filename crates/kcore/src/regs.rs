//! The registers of a guest thread while it is in the kernel.
//!
//! Mirrors: arch/x86/include/asm/ptrace.h (`struct pt_regs`), Linux 6.18.
//! Differs: the frame also holds xmm0-15, because the kernel image is ordinary SSE code that runs in the guest's own
//! thread. Upper vector halves and x87 state are never touched by the image and stay in the registers.
//! Locking: a frame belongs to its thread; only a parent that prepares a child writes another thread's frame.

use alloc::boxed::Box;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// General registers in the order of Linux's `struct pt_regs`.
#[doc(alias = "pt_regs")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PtRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    /// The call's number, or `u64::MAX` when the kernel was not entered by a system call.
    pub orig_rax: u64,
    pub rip: u64,
    pub cs: u64,
    pub eflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// What one entry saves; sits at the top of the thread's kernel stack.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct UserFrame {
    pub xmm: [[u64; 2]; 16],
    pub regs: PtRegs,
    /// Nonzero: leave the slow way, which loads every general register (a return from a system call leaves rcx and r11).
    pub full_restore: u64,
}

/// Vector and x87 state in XSAVE's standard format; how much of it is used, [`crate::platform::Platform::fpu_size`] says.
#[repr(C, align(64))]
pub struct XsaveArea(pub [u8; XsaveArea::MAX]);

impl XsaveArea {
    /// Bytes of the largest state that is handled; AMX tiles (8 KiB) are not enabled for guests.
    pub const MAX: usize = 4096;

    pub fn zeroed() -> Box<XsaveArea> {
        Box::new(XsaveArea([0; XsaveArea::MAX]))
    }
}

impl Default for UserFrame {
    fn default() -> Self {
        UserFrame { xmm: [[0; 2]; 16], regs: PtRegs { cs: 0x33, ss: 0x2b, eflags: 0x202, ..PtRegs::default() }, full_restore: 0 }
    }
}

impl PtRegs {
    /// The six arguments of a system call.
    pub fn args(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }
}
