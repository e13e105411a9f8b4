//! What a process does about each signal, and what a task blocks.
//!
//! Mirrors: include/linux/sched/signal.h (`struct sighand_struct`, the signal part of `signal_struct` and `task_struct`),
//! Linux 6.18.
//! Differs: the shared queue and the group stop are one structure with the reference to the dispositions, under one lock. The
//! dispositions, which processes may share, have a lock of their own.
//! Locking: `Process::sighand` is Linux's `siglock`; `Task::signals` is taken inside it. The task itself may take `signals`
//! alone, to look at its pending signals or to read and change what only it changes: `blocked` and `altstack`. The
//! dispositions' lock is a leaf.

use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::signal::{
    _NSIG, KernelSigaction, SIG_DFL, SIG_IGN, SIGKILL, SIGSTOP, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK, SigSet, StackT,
};

use super::queue::SigPending;
use crate::kernel::task::Process;

/// A stop of all threads: who still has to stop, and what the parent must be told.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupStop {
    /// Threads that have yet to stop.
    #[doc(alias = "group_stop_count")]
    pub count: usize,
    /// The signal that asked for it.
    pub signo: i32,
    /// Counts SIGCONTs, so that one is seen that comes between the look at a stop signal and the stop.
    pub continued: u32,
    /// The parent has yet to hear of a stop or a continuation.
    #[doc(alias = "SIGNAL_CLD_MASK")]
    pub news: Option<ChildNews>,
}

/// What a parent is told of a child that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildNews {
    Stopped,
    Continued,
}

/// What is done about each signal; processes made with `CLONE_SIGHAND` have one between them.
#[doc(alias = "sighand_struct")]
type Actions = SpinLock<[KernelSigaction; _NSIG]>;

/// Dispositions and the queue shared by the threads of a process.
pub struct Sighand {
    actions: Arc<Actions>,
    #[doc(alias = "shared_pending")]
    pub shared: SigPending,
    pub stop: GroupStop,
    /// Where the search for a thread to take the next signal begins.
    #[doc(alias = "curr_target")]
    pub(super) next_target: usize,
    /// Whoever reads or polls a signalfd.
    #[doc(alias = "signalfd_wqh")]
    pub signalfd: Arc<WaitQueueHead>,
}

impl Default for Sighand {
    fn default() -> Self {
        Sighand {
            actions: Arc::new(SpinLock::new([KernelSigaction::default(); _NSIG])),
            shared: SigPending::default(),
            stop: GroupStop::default(),
            next_target: 0,
            signalfd: Arc::new(WaitQueueHead::new()),
        }
    }
}

impl Sighand {
    /// The dispositions, the same or a copy of them, with nothing pending.
    #[doc(alias = "copy_sighand")]
    pub fn for_child(&self, actions: Sharing) -> Sighand {
        let actions = match actions {
            Sharing::Same => self.actions.clone(),
            Sharing::Copy => self.copy_of_actions(),
        };
        Sighand { actions, ..Sighand::default() }
    }

    fn copy_of_actions(&self) -> Arc<Actions> {
        let copy = *self.actions.lock();
        Arc::new(SpinLock::new(copy))
    }

    /// Whether another process has the same dispositions.
    pub fn shares_actions(&self) -> bool {
        Arc::strong_count(&self.actions) > 1
    }

    /// Gives up sharing the dispositions.
    #[doc(alias = "unshare_sighand")]
    fn unshare_actions(&mut self) {
        if self.shares_actions() {
            self.actions = self.copy_of_actions();
        }
    }

    /// What happens on `signo`, a valid signal.
    pub fn action(&self, signo: i32) -> KernelSigaction {
        self.actions.lock()[signo as usize - 1]
    }

    /// Sets what happens on `signo`; what happened before.
    pub fn replace_action(&mut self, signo: i32, action: KernelSigaction) -> KernelSigaction {
        core::mem::replace(&mut self.actions.lock()[signo as usize - 1], action)
    }

    /// Ignores these signals, as far as that can be.
    pub fn ignore(&mut self, signals: SigSet) {
        let mut actions = self.actions.lock();
        for signo in blockable(signals).iter() {
            actions[signo as usize - 1].sa_handler = SIG_IGN;
        }
    }

    /// `signo` has its default action again; the other fields stay.
    pub fn reset_handler(&mut self, signo: i32) {
        self.actions.lock()[signo as usize - 1].sa_handler = SIG_DFL;
    }

    /// Caught signals fall back to their default; ignored ones stay.
    #[doc(alias = "flush_signal_handlers")]
    pub fn flush_handlers(&mut self) {
        for action in self.actions.lock().iter_mut() {
            let handler = if action.sa_handler == SIG_IGN { SIG_IGN } else { SIG_DFL };
            *action = KernelSigaction { sa_handler: handler, ..KernelSigaction::default() };
        }
    }

    /// Whether the action on `signo` is to do nothing.
    #[doc(alias = "sig_handler_ignored")]
    pub fn is_ignored(&self, signo: i32) -> bool {
        match self.action(signo).sa_handler {
            SIG_IGN => true,
            SIG_DFL => SigSet::IGNORE.has(signo),
            _ => false,
        }
    }

    /// Whether `signo` ends the process by default and is neither caught nor ignored.
    #[doc(alias = "sig_fatal")]
    pub fn is_fatal(&self, signo: i32) -> bool {
        let harmless = SigSet::IGNORE.union(SigSet::STOP);
        self.action(signo).sa_handler == SIG_DFL && !harmless.has(signo)
    }
}

/// How a child gets its parent's dispositions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    Same,
    Copy,
}

/// exec's part: caught signals get their default action, ignored ones stay; the alternate stack is gone with the memory.
///
/// Pending signals and the mask stay.
pub fn flush_signal_handlers(process: &Process) {
    let mut sighand = process.sighand.lock();
    sighand.unshare_actions();
    sighand.flush_handlers();
    for task in process.threads.lock().iter() {
        let stack = &mut task.signals.lock().altstack;
        (stack.sp, stack.size) = (0, 0);
    }
}

/// An alternate signal stack.
#[doc(alias = "sas_ss_sp")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AltStack {
    pub sp: u64,
    pub size: u64,
    /// `SS_DISABLE` or `SS_AUTODISARM`.
    pub flags: u32,
}

impl AltStack {
    /// Turned off; the first program's is all zeros, which means the same.
    #[doc(alias = "sas_ss_reset")]
    pub const OFF: AltStack = AltStack { sp: 0, size: 0, flags: SS_DISABLE };

    /// Whether `sp` lies on it, whatever its flags say.
    #[doc(alias = "__on_sig_stack")]
    pub fn contains(&self, sp: u64) -> bool {
        sp > self.sp && sp.wrapping_sub(self.sp) <= self.size
    }

    /// Whether a thread with this stack pointer runs on it.
    #[doc(alias = "on_sig_stack")]
    pub fn is_in_use(&self, sp: u64) -> bool {
        // A stack that disarms itself may be left with a jump, so the pointer says nothing.
        self.flags & SS_AUTODISARM == 0 && self.contains(sp)
    }

    /// `SS_DISABLE`, `SS_ONSTACK` or 0, as `sigaltstack` reports it.
    #[doc(alias = "sas_ss_flags")]
    pub fn state(&self, sp: u64) -> u32 {
        match (self.size, self.is_in_use(sp)) {
            (0, _) => SS_DISABLE,
            (_, true) => SS_ONSTACK,
            (_, false) => 0,
        }
    }

    /// The guest's view in a signal frame.
    pub fn to_frame(self) -> StackT {
        StackT { ss_sp: self.sp, ss_flags: self.flags, _pad0: 0, ss_size: self.size }
    }
}

/// A task's own share of signal state.
#[derive(Default)]
pub struct TaskSignals {
    pub blocked: SigSet,
    /// The mask while `rt_sigtimedwait` has unblocked what it waits for; such signals must not kill.
    pub real_blocked: SigSet,
    pub pending: SigPending,
    pub altstack: AltStack,
    /// The task has yet to take part in the group stop.
    #[doc(alias = "JOBCTL_STOP_PENDING")]
    pub stop_pending: bool,
}

impl TaskSignals {
    /// What a task starts with that nobody here made.
    pub fn blocking(signals: SigSet) -> TaskSignals {
        TaskSignals { blocked: blockable(signals), ..TaskSignals::default() }
    }

    /// What a new task starts with: the mask; the alternate stack too unless it would share the memory it lies in.
    pub fn for_child(&self, shares_vm: bool) -> TaskSignals {
        let altstack = if shares_vm { AltStack::OFF } else { self.altstack };
        TaskSignals { blocked: self.blocked, altstack, ..TaskSignals::default() }
    }
}

/// Signals that are never blocked, caught or ignored, taken out of what a guest asked for.
pub(super) fn blockable(set: SigSet) -> SigSet {
    set.difference(SigSet::of(&[SIGKILL, SIGSTOP]))
}

/// Flags that `rt_sigaction` keeps; the others read back as 0, by which libcs find out what is supported.
#[doc(alias = "UAPI_SA_FLAGS")]
pub(super) const KNOWN_FLAGS: u64 = {
    use acrida_uapi::signal::*;
    SA_NOCLDSTOP
        | SA_NOCLDWAIT
        | SA_SIGINFO
        | SA_ONSTACK
        | SA_RESTART
        | SA_NODEFER
        | SA_RESETHAND
        | SA_EXPOSE_TAGBITS
        | SA_RESTORER
};

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::signal::{SIGCHLD, SIGTERM, SIGTSTP, SIGUSR1};

    #[test]
    fn exec_resets_handlers_and_keeps_ignored_ones() {
        let mut sighand = Sighand::default();
        let handled = |sa_handler| KernelSigaction { sa_handler, ..KernelSigaction::default() };
        sighand.replace_action(SIGUSR1, handled(0x1000));
        sighand.replace_action(SIGTERM, handled(SIG_IGN));
        sighand.flush_handlers();
        assert_eq!(sighand.action(SIGUSR1).sa_handler, SIG_DFL);
        assert_eq!(sighand.action(SIGTERM).sa_handler, SIG_IGN);
    }

    #[test]
    fn default_actions() {
        let mut sighand = Sighand::default();
        assert!(sighand.is_fatal(SIGTERM) && !sighand.is_ignored(SIGTERM));
        assert!(sighand.is_ignored(SIGCHLD) && !sighand.is_fatal(SIGCHLD));
        assert!(!sighand.is_fatal(SIGTSTP) && !sighand.is_ignored(SIGTSTP));
        sighand.replace_action(SIGTERM, KernelSigaction { sa_handler: 0x1000, ..KernelSigaction::default() });
        assert!(!sighand.is_fatal(SIGTERM));
    }

    #[test]
    fn shared_dispositions_are_the_same_until_exec() {
        let mut parent = Sighand::default();
        let mut sharer = parent.for_child(Sharing::Same);
        let copy = parent.for_child(Sharing::Copy);
        parent.replace_action(SIGTERM, KernelSigaction { sa_handler: SIG_IGN, ..KernelSigaction::default() });
        assert_eq!([&sharer, &copy].map(|sighand| sighand.is_ignored(SIGTERM)), [true, false]);
        sharer.unshare_actions();
        sharer.reset_handler(SIGTERM);
        assert!(parent.is_ignored(SIGTERM) && sharer.is_fatal(SIGTERM));
    }

    #[test]
    fn an_alternate_stack_ends_at_its_top() {
        let stack = AltStack { sp: 0x1000, size: 0x1000, flags: 0 };
        assert_eq!(stack.state(0x1000), 0);
        assert_eq!(stack.state(0x1001), SS_ONSTACK);
        assert_eq!(stack.state(0x2000), SS_ONSTACK);
        assert_eq!(stack.state(0x2001), 0);
        assert_eq!(AltStack { flags: SS_AUTODISARM, ..stack }.state(0x1800), 0);
        assert_eq!([AltStack::default(), AltStack::OFF].map(|stack| stack.state(0x1800)), [SS_DISABLE; 2]);
    }
}
