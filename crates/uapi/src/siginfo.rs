//! What accompanies a signal: `siginfo_t`, its codes, and `sigevent`.
//!
//! Mirrors `include/uapi/asm-generic/siginfo.h` and the layout choice of `kernel/signal.c` (v6.18).
//!
//! Linux's union is a block of words here, with one constructor and one accessor per arm: the block is
//! always fully initialised, so nothing of the kernel's memory can leak through it.

use crate::signal::{SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGPOLL, SIGSEGV, SIGSYS, SIGTRAP};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// si_code of signals sent by somebody; above 0 they are the kernel's own.
pub const SI_USER: i32 = 0;
pub const SI_KERNEL: i32 = 0x80;
pub const SI_QUEUE: i32 = -1;
pub const SI_TIMER: i32 = -2;
pub const SI_MESGQ: i32 = -3;
pub const SI_ASYNCIO: i32 = -4;
pub const SI_SIGIO: i32 = -5;
pub const SI_TKILL: i32 = -6;
pub const SI_DETHREAD: i32 = -7;
pub const SI_ASYNCNL: i32 = -60;

// si_code per signal.
pub const ILL_ILLOPC: i32 = 1;
pub const ILL_ILLOPN: i32 = 2;
pub const ILL_ILLADR: i32 = 3;
pub const ILL_ILLTRP: i32 = 4;
pub const ILL_PRVOPC: i32 = 5;
pub const ILL_PRVREG: i32 = 6;
pub const ILL_COPROC: i32 = 7;
pub const ILL_BADSTK: i32 = 8;
pub const FPE_INTDIV: i32 = 1;
pub const FPE_INTOVF: i32 = 2;
pub const FPE_FLTDIV: i32 = 3;
pub const FPE_FLTOVF: i32 = 4;
pub const FPE_FLTUND: i32 = 5;
pub const FPE_FLTRES: i32 = 6;
pub const FPE_FLTINV: i32 = 7;
pub const FPE_FLTSUB: i32 = 8;
pub const FPE_FLTUNK: i32 = 14;
pub const FPE_CONDTRAP: i32 = 15;
pub const SEGV_MAPERR: i32 = 1;
pub const SEGV_ACCERR: i32 = 2;
pub const SEGV_BNDERR: i32 = 3;
pub const SEGV_PKUERR: i32 = 4;
pub const SEGV_ACCADI: i32 = 5;
pub const SEGV_ADIDERR: i32 = 6;
pub const SEGV_ADIPERR: i32 = 7;
pub const SEGV_MTEAERR: i32 = 8;
pub const SEGV_MTESERR: i32 = 9;
pub const SEGV_CPERR: i32 = 10;
pub const BUS_ADRALN: i32 = 1;
pub const BUS_ADRERR: i32 = 2;
pub const BUS_OBJERR: i32 = 3;
pub const BUS_MCEERR_AR: i32 = 4;
pub const BUS_MCEERR_AO: i32 = 5;
pub const TRAP_BRKPT: i32 = 1;
pub const TRAP_TRACE: i32 = 2;
pub const TRAP_BRANCH: i32 = 3;
pub const TRAP_HWBKPT: i32 = 4;
pub const TRAP_UNK: i32 = 5;
pub const TRAP_PERF: i32 = 6;
pub const CLD_EXITED: i32 = 1;
pub const CLD_KILLED: i32 = 2;
pub const CLD_DUMPED: i32 = 3;
pub const CLD_TRAPPED: i32 = 4;
pub const CLD_STOPPED: i32 = 5;
pub const CLD_CONTINUED: i32 = 6;
pub const POLL_IN: i32 = 1;
pub const POLL_OUT: i32 = 2;
pub const POLL_MSG: i32 = 3;
pub const POLL_ERR: i32 = 4;
pub const POLL_PRI: i32 = 5;
pub const POLL_HUP: i32 = 6;
pub const SYS_SECCOMP: i32 = 1;
pub const SYS_USER_DISPATCH: i32 = 2;

// How a sigevent notifies.
pub const SIGEV_SIGNAL: i32 = 0;
pub const SIGEV_NONE: i32 = 1;
pub const SIGEV_THREAD: i32 = 2;
pub const SIGEV_THREAD_ID: i32 = 4;

/// Which arm of the union holds the details.
#[doc(alias = "siginfo_layout")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum SiginfoLayout {
    Kill,
    Timer,
    Poll,
    Fault,
    FaultMceerr,
    FaultBnderr,
    FaultPkuerr,
    FaultPerfEvent,
    Chld,
    Rt,
    Sys,
}

/// The kernel's 128-byte `siginfo_t`.
#[doc(alias = "siginfo_t")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SigInfo {
    pub si_signo: i32,
    pub si_errno: i32,
    /// `SI_*`, or a code of the signal.
    pub si_code: i32,
    pub _pad0: u32,
    fields: [u64; 14],
}

const fn pair(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

impl SigInfo {
    /// Bytes in it.
    pub const SIZE: usize = 128;

    const fn with(signo: i32, code: i32, words: [u64; 4]) -> SigInfo {
        let mut fields = [0; 14];
        fields[0] = words[0];
        fields[1] = words[1];
        fields[2] = words[2];
        fields[3] = words[3];
        SigInfo { si_signo: signo, si_errno: 0, si_code: code, _pad0: 0, fields }
    }

    /// Sent by `kill`, `tgkill` or the kernel itself ([`SI_USER`], [`SI_TKILL`], [`SI_KERNEL`]).
    pub const fn kill(signo: i32, code: i32, pid: i32, uid: u32) -> SigInfo {
        SigInfo::with(signo, code, [pair(pid as u32, uid), 0, 0, 0])
    }

    /// From the kernel, with no sender and no details.
    #[doc(alias = "SEND_SIG_PRIV")]
    pub const fn kernel(signo: i32) -> SigInfo {
        SigInfo::kill(signo, SI_KERNEL, 0, 0)
    }

    /// Queued with a value: `sigqueue`, `mq_notify`, asynchronous I/O.
    pub const fn rt(signo: i32, code: i32, pid: i32, uid: u32, value: u64) -> SigInfo {
        SigInfo::with(signo, code, [pair(pid as u32, uid), value, 0, 0])
    }

    /// Expiry of POSIX timer `tid`.
    pub const fn timer(signo: i32, tid: i32, overrun: i32, value: u64) -> SigInfo {
        SigInfo::with(signo, SI_TIMER, [pair(tid as u32, overrun as u32), value, 0, 0])
    }

    /// A child changed state. Times are in clock ticks (1/100 s).
    pub const fn chld(code: i32, pid: i32, uid: u32, status: i32, utime: i64, stime: i64) -> SigInfo {
        SigInfo::with(SIGCHLD, code, [pair(pid as u32, uid), status as u32 as u64, utime as u64, stime as u64])
    }

    /// A fault at `addr`.
    pub const fn fault(signo: i32, code: i32, addr: u64) -> SigInfo {
        SigInfo::with(signo, code, [addr, 0, 0, 0])
    }

    /// `SIGBUS` for a broken page; `addr_lsb` is log2 of the lost range's size.
    pub const fn fault_mceerr(code: i32, addr: u64, addr_lsb: u16) -> SigInfo {
        SigInfo::with(SIGBUS, code, [addr, addr_lsb as u64, 0, 0])
    }

    /// `SIGSEGV` because of a protection key.
    pub const fn fault_pkuerr(addr: u64, pkey: u32) -> SigInfo {
        SigInfo::with(SIGSEGV, SEGV_PKUERR, [addr, 0, pkey as u64, 0])
    }

    /// I/O became possible on `fd`; `band` is a mask of `POLL*` events.
    pub const fn poll(signo: i32, code: i32, band: i64, fd: i32) -> SigInfo {
        SigInfo::with(signo, code, [band as u64, fd as u32 as u64, 0, 0])
    }

    /// `SIGSYS`: system call `nr` of architecture `arch` at `call_addr` was intercepted.
    pub const fn sys(code: i32, call_addr: u64, nr: i32, arch: u32) -> SigInfo {
        SigInfo::with(SIGSYS, code, [call_addr, pair(nr as u32, arch), 0, 0])
    }

    const fn low(&self, word: usize) -> u32 {
        self.fields[word] as u32
    }

    const fn high(&self, word: usize) -> u32 {
        (self.fields[word] >> 32) as u32
    }

    /// Sender or child (`kill`, `rt`, `chld`).
    pub const fn si_pid(&self) -> i32 {
        self.low(0) as i32
    }

    /// Real user of sender or child (`kill`, `rt`, `chld`).
    pub const fn si_uid(&self) -> u32 {
        self.high(0)
    }

    /// Exit code or signal (`chld`).
    pub const fn si_status(&self) -> i32 {
        self.low(1) as i32
    }

    /// User time in clock ticks (`chld`).
    pub const fn si_utime(&self) -> i64 {
        self.fields[2] as i64
    }

    /// System time in clock ticks (`chld`).
    pub const fn si_stime(&self) -> i64 {
        self.fields[3] as i64
    }

    /// The value queued with the signal (`rt`, `timer`).
    #[doc(alias = "si_ptr")]
    #[doc(alias = "si_int")]
    pub const fn si_value(&self) -> u64 {
        self.fields[1]
    }

    /// POSIX timer (`timer`).
    pub const fn si_tid(&self) -> i32 {
        self.low(0) as i32
    }

    /// Missed expiries (`timer`).
    pub const fn si_overrun(&self) -> i32 {
        self.high(0) as i32
    }

    /// Stores the count of missed expiries: it is only known when the signal is dequeued.
    pub const fn set_si_overrun(&mut self, overrun: i32) {
        self.fields[0] = pair(self.low(0), overrun as u32);
    }

    /// Faulting address (`fault`).
    pub const fn si_addr(&self) -> u64 {
        self.fields[0]
    }

    /// log2 of the lost range (`fault_mceerr`).
    pub const fn si_addr_lsb(&self) -> u16 {
        self.fields[1] as u16
    }

    /// Protection key (`fault_pkuerr`).
    pub const fn si_pkey(&self) -> u32 {
        self.low(2)
    }

    /// Events (`poll`).
    pub const fn si_band(&self) -> i64 {
        self.fields[0] as i64
    }

    /// Descriptor (`poll`).
    pub const fn si_fd(&self) -> i32 {
        self.low(1) as i32
    }

    /// Address behind the intercepted instruction (`sys`).
    pub const fn si_call_addr(&self) -> u64 {
        self.fields[0]
    }

    /// Number of the intercepted call (`sys`).
    pub const fn si_syscall(&self) -> i32 {
        self.low(1) as i32
    }

    /// `AUDIT_ARCH_*` of the intercepted call (`sys`).
    pub const fn si_arch(&self) -> u32 {
        self.high(1)
    }

    /// Whether a user process made it up (only such may be sent to others with `rt_sigqueueinfo`).
    #[doc(alias = "SI_FROMUSER")]
    pub const fn is_from_user(&self) -> bool {
        self.si_code <= 0
    }

    /// Which details are filled in, by signal and code.
    #[doc(alias = "siginfo_layout")]
    pub const fn layout(&self) -> SiginfoLayout {
        match self.si_code {
            SI_TIMER => SiginfoLayout::Timer,
            SI_SIGIO => SiginfoLayout::Poll,
            ..SI_USER => SiginfoLayout::Rt,
            SI_USER | SI_KERNEL.. => SiginfoLayout::Kill,
            code => match (self.si_signo, code) {
                (SIGBUS, BUS_MCEERR_AR..=BUS_MCEERR_AO) => SiginfoLayout::FaultMceerr,
                (SIGSEGV, SEGV_BNDERR) => SiginfoLayout::FaultBnderr,
                (SIGSEGV, SEGV_PKUERR) => SiginfoLayout::FaultPkuerr,
                (SIGTRAP, TRAP_PERF) => SiginfoLayout::FaultPerfEvent,
                (SIGILL, ..=11)
                | (SIGFPE, ..=15)
                | (SIGSEGV, ..=SEGV_CPERR)
                | (SIGBUS, ..=BUS_MCEERR_AO)
                | (SIGTRAP, ..=TRAP_PERF) => SiginfoLayout::Fault,
                (SIGCHLD, ..=CLD_CONTINUED) => SiginfoLayout::Chld,
                (SIGPOLL, ..=POLL_HUP) => SiginfoLayout::Poll,
                (SIGSYS, ..=SYS_USER_DISPATCH) => SiginfoLayout::Sys,
                // F_SETSIG can route readiness to any signal.
                (_, ..=POLL_HUP) => SiginfoLayout::Poll,
                _ => SiginfoLayout::Kill,
            },
        }
    }
}

impl Default for SigInfo {
    fn default() -> SigInfo {
        SigInfo::kill(0, 0, 0, 0)
    }
}

/// How `timer_create` and `mq_notify` tell the caller.
#[doc(alias = "sigevent")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Sigevent {
    /// Handed to the handler as `si_value`.
    pub sigev_value: u64,
    pub sigev_signo: i32,
    /// `SIGEV_*`.
    pub sigev_notify: i32,
    /// The thread, with [`SIGEV_THREAD_ID`].
    #[doc(alias = "sigev_notify_thread_id")]
    pub tid: i32,
    pub _pad: [u32; 11],
}
