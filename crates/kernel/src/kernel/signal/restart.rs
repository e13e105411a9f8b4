//! What becomes of a call that a signal interrupted.
//!
//! Mirrors: arch/x86/kernel/signal.c (`handle_signal`, `arch_do_signal_or_restart`), Linux 6.18.
//! Differs: the reason is a value of its own, kept in the task; `rax` never holds it.

use acrida_kcore::regs::PtRegs;
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::nr;
use acrida_uapi::signal::SA_RESTART;

/// Bytes of the `syscall` instruction, which `rip` stands behind.
const SYSCALL_LEN: u64 = 2;

/// How the registers are set before the guest (or its handler) goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The call has failed with `EINTR`.
    Eintr,
    /// The same call is made again.
    Again,
    /// `restart_syscall` is made in its place.
    Continue,
}

/// What follows from the reason and from the flags of the handler that is about to run, if any.
pub const fn resolve(restart: Restart, handler_flags: Option<u64>) -> Resolution {
    match (restart, handler_flags) {
        (Restart::ERESTART_RESTARTBLOCK, None) => Resolution::Continue,
        (_, None) | (Restart::ERESTARTNOINTR, Some(_)) => Resolution::Again,
        (Restart::ERESTARTSYS, Some(flags)) if flags & SA_RESTART != 0 => Resolution::Again,
        (_, Some(_)) => Resolution::Eintr,
    }
}

/// Sets the registers accordingly.
pub fn apply(resolution: Resolution, regs: &mut PtRegs) {
    match resolution {
        Resolution::Eintr => {
            regs.rax = Errno::EINTR.to_return() as u64;
            return;
        }
        Resolution::Again => regs.rax = regs.orig_rax,
        Resolution::Continue => regs.rax = u64::from(nr::restart_syscall),
    }
    regs.rip = regs.rip.wrapping_sub(SYSCALL_LEN);
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::errno::Restart::*;

    #[test]
    fn without_a_handler_the_call_goes_on() {
        assert_eq!(resolve(ERESTARTSYS, None), Resolution::Again);
        assert_eq!(resolve(ERESTARTNOINTR, None), Resolution::Again);
        assert_eq!(resolve(ERESTARTNOHAND, None), Resolution::Again);
        assert_eq!(resolve(ERESTART_RESTARTBLOCK, None), Resolution::Continue);
    }

    #[test]
    fn with_a_handler_the_reason_and_sa_restart_decide() {
        for flags in [0, SA_RESTART] {
            assert_eq!(resolve(ERESTARTNOINTR, Some(flags)), Resolution::Again);
            assert_eq!(resolve(ERESTARTNOHAND, Some(flags)), Resolution::Eintr);
            assert_eq!(resolve(ERESTART_RESTARTBLOCK, Some(flags)), Resolution::Eintr);
        }
        assert_eq!(resolve(ERESTARTSYS, Some(0)), Resolution::Eintr);
        assert_eq!(resolve(ERESTARTSYS, Some(SA_RESTART)), Resolution::Again);
    }

    #[test]
    fn registers() {
        let before = PtRegs { rax: 77, orig_rax: 35, rip: 0x1002, ..PtRegs::default() };
        let after = |resolution| {
            let mut regs = before;
            apply(resolution, &mut regs);
            (regs.rax as i64, regs.rip)
        };
        assert_eq!(after(Resolution::Eintr), (-4, 0x1002));
        assert_eq!(after(Resolution::Again), (35, 0x1000));
        assert_eq!(after(Resolution::Continue), (219, 0x1000));
    }
}
