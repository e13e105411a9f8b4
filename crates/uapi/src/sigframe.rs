//! What the kernel pushes on a thread's stack to run a signal handler.
//!
//! Mirrors `arch/x86/include/uapi/asm/{sigcontext.h,ucontext.h}` and `arch/x86/include/asm/sigframe.h`
//! (v6.18).
//!
//! From low to high: [`RtSigframe`] (its end minus 8 is a multiple of 16, so that the handler starts like a
//! called function), then, 64-byte aligned, the XSAVE image: [`Fpstate`], [`XstateHeader`], further
//! components, and [`FP_XSTATE_MAGIC2`] right behind it. Above lies the red zone of 128 bytes.

use crate::siginfo::SigInfo;
use crate::signal::{SigSet, StackT};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `uc_flags`: the saved state is a full XSAVE image.
pub const UC_FP_XSTATE: u64 = 0x1;
/// `uc_flags`: `ss` was saved.
pub const UC_SIGCONTEXT_SS: u64 = 0x2;
/// `uc_flags`: `ss` is to be restored as it was saved.
pub const UC_STRICT_RESTORE_SS: u64 = 0x4;

/// Marks a valid [`FpxSwBytes`].
pub const FP_XSTATE_MAGIC1: u32 = 0x4650_5853;
/// Stands right behind the XSAVE image, where `extended_size` says it ends.
pub const FP_XSTATE_MAGIC2: u32 = 0x4650_5845;
pub const FP_XSTATE_MAGIC2_SIZE: usize = 4;

/// Bytes below the stack pointer that a function may use without moving it.
pub const RED_ZONE: u64 = 128;

/// The thread's registers.
#[doc(alias = "sigcontext")]
#[doc(alias = "sigcontext_64")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Sigcontext {
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub di: u64,
    pub si: u64,
    pub bp: u64,
    pub bx: u64,
    pub dx: u64,
    pub ax: u64,
    pub cx: u64,
    pub sp: u64,
    pub ip: u64,
    pub flags: u64,
    pub cs: u16,
    pub gs: u16,
    pub fs: u16,
    pub ss: u16,
    /// Error code of the last fault.
    pub err: u64,
    /// Number of the last fault.
    pub trapno: u64,
    /// Lowest word of the saved mask, kept for old programs.
    pub oldmask: u64,
    /// Address of the last page fault.
    pub cr2: u64,
    /// Address of an [`Fpstate`], or 0.
    pub fpstate: u64,
    pub reserved1: [u64; 8],
}

/// The third argument of a handler with `SA_SIGINFO`.
#[doc(alias = "ucontext")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ucontext {
    /// `UC_*`.
    pub uc_flags: u64,
    /// Always 0.
    pub uc_link: u64,
    /// The alternate stack in force when the signal came.
    pub uc_stack: StackT,
    pub uc_mcontext: Sigcontext,
    /// The mask to restore.
    pub uc_sigmask: SigSet,
}

/// The whole frame.
#[doc(alias = "rt_sigframe")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RtSigframe {
    /// Return address: `sa_restorer`.
    pub pretcode: u64,
    pub uc: Ucontext,
    pub info: SigInfo,
}

/// What software adds to an FXSAVE image, in the bytes hardware leaves alone.
#[doc(alias = "_fpx_sw_bytes")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FpxSwBytes {
    /// [`FP_XSTATE_MAGIC1`], else the image is a plain FXSAVE one.
    pub magic1: u32,
    /// Bytes from the start of [`Fpstate`] to behind the second magic number.
    pub extended_size: u32,
    /// Components in the image, including x87 and SSE.
    pub xfeatures: u64,
    /// Bytes of the XSAVE image.
    pub xstate_size: u32,
    pub padding: [u32; 7],
}

/// FXSAVE image in 64-bit format.
#[doc(alias = "_fpstate_64")]
#[doc(alias = "_fpstate")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Fpstate {
    pub cwd: u16,
    pub swd: u16,
    /// Abridged: one bit for each register.
    pub twd: u16,
    pub fop: u16,
    pub rip: u64,
    pub rdp: u64,
    pub mxcsr: u32,
    pub mxcsr_mask: u32,
    /// Eight x87 registers in 16 bytes each.
    pub st_space: [[u32; 4]; 8],
    /// Sixteen XMM registers.
    pub xmm_space: [[u32; 4]; 16],
    pub reserved2: [u32; 12],
    pub sw_reserved: FpxSwBytes,
}

/// Second part of an XSAVE image.
#[doc(alias = "_header")]
#[doc(alias = "xstate_header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct XstateHeader {
    /// Components that are not in their initial state.
    pub xfeatures: u64,
    pub reserved1: [u64; 2],
    pub reserved2: [u64; 5],
}

/// Fixed start of an XSAVE image.
#[doc(alias = "_xstate")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Xstate {
    pub fpstate: Fpstate,
    pub xstate_hdr: XstateHeader,
}
