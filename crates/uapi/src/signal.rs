//! Signal numbers, signal sets, actions and alternate stacks.
//!
//! Mirrors `include/uapi/{asm-generic,linux}/signal.h` and `arch/x86/include/uapi/asm/signal.h` (v6.18).
//!
//! Signal numbers are `i32` as in `kill(pid, int sig)`; what a guest passes must go through
//! [`valid_signal`] before it meets a [`SigSet`].

use core::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const SIGHUP: i32 = 1;
pub const SIGINT: i32 = 2;
pub const SIGQUIT: i32 = 3;
pub const SIGILL: i32 = 4;
pub const SIGTRAP: i32 = 5;
pub const SIGABRT: i32 = 6;
pub const SIGIOT: i32 = 6;
pub const SIGBUS: i32 = 7;
pub const SIGFPE: i32 = 8;
pub const SIGKILL: i32 = 9;
pub const SIGUSR1: i32 = 10;
pub const SIGSEGV: i32 = 11;
pub const SIGUSR2: i32 = 12;
pub const SIGPIPE: i32 = 13;
pub const SIGALRM: i32 = 14;
pub const SIGTERM: i32 = 15;
pub const SIGSTKFLT: i32 = 16;
pub const SIGCHLD: i32 = 17;
pub const SIGCONT: i32 = 18;
pub const SIGSTOP: i32 = 19;
pub const SIGTSTP: i32 = 20;
pub const SIGTTIN: i32 = 21;
pub const SIGTTOU: i32 = 22;
pub const SIGURG: i32 = 23;
pub const SIGXCPU: i32 = 24;
pub const SIGXFSZ: i32 = 25;
pub const SIGVTALRM: i32 = 26;
pub const SIGPROF: i32 = 27;
pub const SIGWINCH: i32 = 28;
pub const SIGIO: i32 = 29;
pub const SIGPOLL: i32 = 29;
pub const SIGPWR: i32 = 30;
pub const SIGSYS: i32 = 31;
/// First real-time signal, as the kernel sees it (libc keeps the first few for itself).
pub const SIGRTMIN: i32 = 32;
/// Last signal.
pub const SIGRTMAX: i32 = 64;
/// Number of signals.
pub const _NSIG: usize = 64;

// How sigprocmask combines sets.
pub const SIG_BLOCK: i32 = 0;
pub const SIG_UNBLOCK: i32 = 1;
pub const SIG_SETMASK: i32 = 2;

// Handlers that are no addresses.
pub const SIG_DFL: u64 = 0;
pub const SIG_IGN: u64 = 1;
/// What old libcs return for a failed `signal()`.
pub const SIG_ERR: u64 = u64::MAX;

// Action flags.
pub const SA_NOCLDSTOP: u64 = 0x0000_0001;
pub const SA_NOCLDWAIT: u64 = 0x0000_0002;
pub const SA_SIGINFO: u64 = 0x0000_0004;
pub const SA_UNSUPPORTED: u64 = 0x0400;
pub const SA_EXPOSE_TAGBITS: u64 = 0x0800;
pub const SA_RESTORER: u64 = 0x0400_0000;
pub const SA_ONSTACK: u64 = 0x0800_0000;
pub const SA_RESTART: u64 = 0x1000_0000;
pub const SA_NODEFER: u64 = 0x4000_0000;
pub const SA_NOMASK: u64 = 0x4000_0000;
pub const SA_RESETHAND: u64 = 0x8000_0000;
pub const SA_ONESHOT: u64 = 0x8000_0000;

// Alternate stack flags.
pub const SS_ONSTACK: u32 = 0x1;
pub const SS_DISABLE: u32 = 0x2;
pub const SS_AUTODISARM: u32 = 0x8000_0000;
pub const SS_FLAG_BITS: u32 = 0x8000_0000;
/// Least size of an alternate stack that `sigaltstack` accepts, in bytes.
pub const MINSIGSTKSZ: u64 = 2048;
/// A comfortable size of an alternate stack.
pub const SIGSTKSZ: u64 = 8192;

/// Whether `sig` is a signal number (0, the null signal of `kill`, is not).
pub const fn valid_signal(sig: i32) -> bool {
    sig >= 1 && sig <= SIGRTMAX
}

/// Linux's name of a classic signal, or `None` for real-time signals and non-signals.
pub const fn signal_name(sig: i32) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    if sig >= 1 && sig < SIGRTMIN { Some(NAMES[sig as usize - 1]) } else { None }
}

/// A set of signals: bit `n - 1` stands for signal `n`, as in the kernel's own `sigset_t`.
#[doc(alias = "sigset_t")]
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SigSet(u64);

impl SigSet {
    /// Size that every `rt_sig*` call insists on.
    pub const SIZE: usize = 8;
    /// No signal.
    pub const EMPTY: SigSet = SigSet(0);
    /// Every signal.
    pub const FULL: SigSet = SigSet(u64::MAX);
    /// The two that can be neither blocked, caught nor ignored.
    pub const UNBLOCKABLE: SigSet = SigSet::of(&[SIGKILL, SIGSTOP]);
    /// Those that come from an instruction of the thread itself and are delivered first.
    #[doc(alias = "SYNCHRONOUS_MASK")]
    pub const SYNCHRONOUS: SigSet = SigSet::of(&[SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS]);
    /// Those that stop the process by default.
    #[doc(alias = "SIG_KERNEL_STOP_MASK")]
    pub const STOP: SigSet = SigSet::of(&[SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]);
    /// Those whose default is to do nothing.
    #[doc(alias = "SIG_KERNEL_IGNORE_MASK")]
    pub const IGNORE: SigSet = SigSet::of(&[SIGCONT, SIGCHLD, SIGWINCH, SIGURG]);
    /// Those whose default is to dump core.
    #[doc(alias = "SIG_KERNEL_COREDUMP_MASK")]
    pub const COREDUMP: SigSet =
        SigSet::of(&[SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ]);

    /// The set with these bits.
    pub const fn from_bits(bits: u64) -> SigSet {
        SigSet(bits)
    }

    /// The set of these signals. Panics if one is not valid.
    pub const fn of(signals: &[i32]) -> SigSet {
        let mut bits = 0;
        let mut i = 0;
        while i < signals.len() {
            bits |= SigSet::bit(signals[i]);
            i += 1;
        }
        SigSet(bits)
    }

    const fn bit(sig: i32) -> u64 {
        assert!(valid_signal(sig), "no such signal");
        1 << (sig - 1)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no signal is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Puts `sig` in. Panics if it is no valid signal.
    #[doc(alias = "sigaddset")]
    pub const fn add(&mut self, sig: i32) {
        self.0 |= SigSet::bit(sig);
    }

    /// Takes `sig` out. Panics if it is no valid signal.
    #[doc(alias = "sigdelset")]
    pub const fn del(&mut self, sig: i32) {
        self.0 &= !SigSet::bit(sig);
    }

    /// Whether `sig` is in the set; a number that is no signal is in none.
    #[doc(alias = "sigismember")]
    pub const fn has(self, sig: i32) -> bool {
        valid_signal(sig) && self.0 & SigSet::bit(sig) != 0
    }

    /// The signals in either set.
    #[doc(alias = "sigorsets")]
    pub const fn union(self, other: SigSet) -> SigSet {
        SigSet(self.0 | other.0)
    }

    /// The signals in both sets.
    #[doc(alias = "sigandsets")]
    pub const fn intersection(self, other: SigSet) -> SigSet {
        SigSet(self.0 & other.0)
    }

    /// The signals of this set that are not in the other.
    #[doc(alias = "sigandnsets")]
    pub const fn difference(self, other: SigSet) -> SigSet {
        SigSet(self.0 & !other.0)
    }

    /// The lowest signal in the set.
    pub const fn first(self) -> Option<i32> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() as i32 + 1) }
    }

    /// The signals in rising order.
    pub fn iter(self) -> impl Iterator<Item = i32> {
        let mut rest = self;
        core::iter::from_fn(move || {
            let sig = rest.first()?;
            rest.del(sig);
            Some(sig)
        })
    }
}

impl BitOr for SigSet {
    type Output = SigSet;
    fn bitor(self, other: SigSet) -> SigSet {
        self.union(other)
    }
}

impl BitOrAssign for SigSet {
    fn bitor_assign(&mut self, other: SigSet) {
        *self = self.union(other);
    }
}

impl BitAnd for SigSet {
    type Output = SigSet;
    fn bitand(self, other: SigSet) -> SigSet {
        self.intersection(other)
    }
}

impl BitAndAssign for SigSet {
    fn bitand_assign(&mut self, other: SigSet) {
        *self = self.intersection(other);
    }
}

impl Not for SigSet {
    type Output = SigSet;
    fn not(self) -> SigSet {
        SigSet(!self.0)
    }
}

impl core::fmt::Debug for SigSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The argument of `rt_sigaction` (not libc's `struct sigaction`, whose order differs).
#[doc(alias = "kernel_sigaction")]
#[doc(alias = "sigaction")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct KernelSigaction {
    /// [`SIG_DFL`], [`SIG_IGN`] or the handler's address.
    pub sa_handler: u64,
    /// `SA_*`.
    pub sa_flags: u64,
    /// Where the handler returns to; it must be given on x86-64 ([`SA_RESTORER`]).
    pub sa_restorer: u64,
    /// Blocked while the handler runs.
    pub sa_mask: SigSet,
}

/// The argument of `sigaltstack`.
#[doc(alias = "sigaltstack")]
#[doc(alias = "stack_t")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StackT {
    /// Lowest address.
    pub ss_sp: u64,
    /// `SS_*`.
    pub ss_flags: u32,
    pub _pad0: u32,
    /// Bytes.
    pub ss_size: u64,
}
