//! Signals that were sent and not yet taken.
//!
//! Mirrors: include/linux/signal_types.h (`struct sigpending`), kernel/signal.c (`next_signal`, `collect_signal`), Linux 6.18.
//! Differs: the queue holds values; a signal without an entry (too many were queued) has only its bit.
//! Locking: under `Process::sighand`.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use acrida_uapi::siginfo::{SI_USER, SigInfo};
use acrida_uapi::signal::SigSet;

use crate::kernel::time::posix_timers::PosixTimer;

/// One sent signal.
#[doc(alias = "sigqueue")]
#[derive(Clone)]
pub struct Queued {
    pub info: SigInfo,
    /// The timer that sent it; told when the signal is taken.
    pub timer: Option<Arc<PosixTimer>>,
}

impl From<SigInfo> for Queued {
    fn from(info: SigInfo) -> Self {
        Queued { info, timer: None }
    }
}

/// Signals pending for a task or a process, in the order of their sending.
#[doc(alias = "sigpending")]
#[derive(Default)]
pub struct SigPending {
    set: SigSet,
    queue: VecDeque<Queued>,
}

impl SigPending {
    /// Which signals are pending.
    pub fn set(&self) -> SigSet {
        self.set
    }

    /// Entries queued now, against `RLIMIT_SIGPENDING`.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Appends an entry.
    pub fn push(&mut self, queued: Queued) {
        self.set.add(queued.info.si_signo);
        self.queue.push_back(queued);
    }

    /// Makes a signal pending without saying who sent it.
    pub fn mark(&mut self, signo: i32) {
        self.set.add(signo);
    }

    /// The signal that is taken next unless it is in `blocked`: faults of the thread first, then by number.
    #[doc(alias = "next_signal")]
    pub fn next(&self, blocked: SigSet) -> Option<i32> {
        let ready = self.set.difference(blocked);
        ready.intersection(SigSet::SYNCHRONOUS).first().or_else(|| ready.first())
    }

    /// Takes the oldest entry of the signal that [`SigPending::next`] names.
    #[doc(alias = "dequeue_signal")]
    pub fn dequeue(&mut self, blocked: SigSet) -> Option<Queued> {
        let signo = self.next(blocked)?;
        let is_ours = |q: &Queued| q.info.si_signo == signo;
        let Some(at) = self.queue.iter().position(is_ours) else {
            self.set.del(signo);
            return Some(SigInfo::kill(signo, SI_USER, 0, 0).into());
        };
        let queued = self.queue.remove(at)?;
        if !self.queue.iter().skip(at).any(is_ours) {
            self.set.del(signo);
        }
        Some(queued)
    }

    /// Takes the oldest entry that came from the kernel for an instruction of the thread itself.
    #[doc(alias = "dequeue_synchronous_signal")]
    pub fn dequeue_synchronous(&mut self, blocked: SigSet) -> Option<Queued> {
        let ready = self.set.difference(blocked).intersection(SigSet::SYNCHRONOUS);
        if ready.is_empty() {
            return None;
        }
        let at = self.queue.iter().position(|q| ready.has(q.info.si_signo) && q.info.si_code > SI_USER)?;
        let queued = self.queue.remove(at)?;
        let signo = queued.info.si_signo;
        if !self.queue.iter().any(|q| q.info.si_signo == signo) {
            self.set.del(signo);
        }
        Some(queued)
    }

    /// Forgets every signal in `mask`.
    #[doc(alias = "flush_sigqueue_mask")]
    pub fn flush(&mut self, mask: SigSet) {
        if self.set.intersection(mask).is_empty() {
            return;
        }
        self.set = self.set.difference(mask);
        self.queue.retain(|q| {
            let stays = !mask.has(q.info.si_signo);
            if !stays && let Some(timer) = &q.timer {
                timer.signal_ignored();
            }
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::siginfo::{SEGV_MAPERR, SI_QUEUE};
    use acrida_uapi::signal::{SIGHUP, SIGRTMIN, SIGSEGV, SIGSTOP, SIGTERM, SIGTSTP};

    fn value(signo: i32, value: u64) -> Queued {
        SigInfo::rt(signo, SI_QUEUE, 1, 0, value).into()
    }

    fn taken(pending: &mut SigPending) -> alloc::vec::Vec<(i32, u64)> {
        core::iter::from_fn(|| pending.dequeue(SigSet::EMPTY)).map(|q| (q.info.si_signo, q.info.si_value())).collect()
    }

    #[test]
    fn lower_numbers_first_and_each_number_in_order() {
        let mut pending = SigPending::default();
        for (signo, v) in [(40, 1), (35, 2), (40, 3), (SIGTERM, 4), (35, 5)] {
            pending.push(value(signo, v));
        }
        assert_eq!(taken(&mut pending), [(SIGTERM, 4), (35, 2), (35, 5), (40, 1), (40, 3)]);
        assert!(pending.is_empty() && pending.len() == 0);
    }

    #[test]
    fn faults_come_before_lower_numbers() {
        let mut pending = SigPending::default();
        pending.push(value(SIGHUP, 1));
        pending.push(SigInfo::fault(SIGSEGV, SEGV_MAPERR, 0x10).into());
        assert_eq!(taken(&mut pending), [(SIGSEGV, 0), (SIGHUP, 1)]);
    }

    #[test]
    fn a_sent_fault_signal_is_not_synchronous() {
        let mut pending = SigPending::default();
        pending.push(SigInfo::kill(SIGSEGV, SI_USER, 5, 0).into());
        assert!(pending.dequeue_synchronous(SigSet::EMPTY).is_none());
        pending.push(SigInfo::fault(SIGSEGV, SEGV_MAPERR, 0x10).into());
        assert_eq!(pending.dequeue_synchronous(SigSet::EMPTY).map(|q| q.info.si_addr()), Some(0x10));
        assert_eq!(pending.next(SigSet::EMPTY), Some(SIGSEGV));
    }

    #[test]
    fn blocked_signals_stay() {
        let mut pending = SigPending::default();
        pending.push(value(SIGTERM, 1));
        pending.push(value(SIGRTMIN, 2));
        let blocked = SigSet::of(&[SIGTERM]);
        assert_eq!(pending.dequeue(blocked).map(|q| q.info.si_signo), Some(SIGRTMIN));
        assert!(pending.dequeue(blocked).is_none());
        assert!(pending.set().has(SIGTERM));
    }

    #[test]
    fn a_mark_is_taken_as_sent_by_nobody() {
        let mut pending = SigPending::default();
        pending.mark(SIGTERM);
        let info = pending.dequeue(SigSet::EMPTY).map(|q| q.info);
        assert_eq!(info, Some(SigInfo::kill(SIGTERM, SI_USER, 0, 0)));
        assert!(pending.is_empty());
    }

    #[test]
    fn flush_forgets_only_the_mask() {
        let mut pending = SigPending::default();
        pending.push(value(SIGTSTP, 1));
        pending.push(value(SIGTERM, 2));
        pending.mark(SIGSTOP);
        pending.flush(SigSet::STOP);
        assert_eq!(taken(&mut pending), [(SIGTERM, 2)]);
    }
}
