//! Waiting for children: options, id kinds and the status word.
//!
//! Mirrors `include/uapi/linux/wait.h` (v6.18). Linux has no type for the status word: it is made where a task exits
//! or stops, and user space takes it apart with the macros of `<sys/wait.h>`.

pub const WNOHANG: u32 = 0x1;
pub const WUNTRACED: u32 = 0x2;
pub const WSTOPPED: u32 = 0x2;
pub const WEXITED: u32 = 0x4;
pub const WCONTINUED: u32 = 0x8;
pub const WNOWAIT: u32 = 0x100_0000;
pub const __WNOTHREAD: u32 = 0x2000_0000;
pub const __WALL: u32 = 0x4000_0000;
pub const __WCLONE: u32 = 0x8000_0000;

// Kinds of id that waitid takes.
pub const P_ALL: i32 = 0;
pub const P_PID: i32 = 1;
pub const P_PGID: i32 = 2;
pub const P_PIDFD: i32 = 3;

/// A status word as `wait4` stores it.
///
/// `exit_code << 8` after an exit, the signal number (plus 0x80 if a core was dumped) after death by
/// signal, `signal << 8 | 0x7f` for a stop, 0xffff for "continued".
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(transparent)]
pub struct WaitStatus(i32);

impl WaitStatus {
    /// The child called `exit(code)`; only the low byte survives.
    pub const fn exited(code: i32) -> WaitStatus {
        WaitStatus((code & 0xff) << 8)
    }

    /// The child died of `signal`.
    pub const fn signaled(signal: i32, core_dumped: bool) -> WaitStatus {
        WaitStatus(signal & 0x7f | if core_dumped { 0x80 } else { 0 })
    }

    /// The child stopped because of `signal` (for a ptrace event, `signal | event << 8`).
    pub const fn stopped(signal: i32) -> WaitStatus {
        WaitStatus(signal << 8 | 0x7f)
    }

    /// The child was continued by `SIGCONT`.
    pub const fn continued() -> WaitStatus {
        WaitStatus(0xffff)
    }

    /// A status word received from the host.
    pub const fn from_raw(raw: i32) -> WaitStatus {
        WaitStatus(raw)
    }

    /// The word to store.
    pub const fn raw(self) -> i32 {
        self.0
    }

    /// The exit code, if the child exited.
    #[doc(alias = "WIFEXITED")]
    #[doc(alias = "WEXITSTATUS")]
    pub const fn exit_code(self) -> Option<i32> {
        if self.0 & 0x7f == 0 { Some(self.0 >> 8 & 0xff) } else { None }
    }

    /// The signal the child died of.
    #[doc(alias = "WIFSIGNALED")]
    #[doc(alias = "WTERMSIG")]
    pub const fn term_signal(self) -> Option<i32> {
        match self.0 & 0x7f {
            0 | 0x7f => None,
            signal => Some(signal),
        }
    }

    /// The signal that stopped the child.
    #[doc(alias = "WIFSTOPPED")]
    #[doc(alias = "WSTOPSIG")]
    pub const fn stop_signal(self) -> Option<i32> {
        if self.0 & 0xff == 0x7f { Some(self.0 >> 8 & 0xff) } else { None }
    }

    /// Whether the child was continued.
    #[doc(alias = "WIFCONTINUED")]
    pub const fn is_continued(self) -> bool {
        self.0 == 0xffff
    }

    /// Whether the death by signal dumped core.
    #[doc(alias = "WCOREDUMP")]
    pub const fn core_dumped(self) -> bool {
        self.term_signal().is_some() && self.0 & 0x80 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::WaitStatus;

    #[test]
    fn each_status_is_of_one_kind() {
        let exited = WaitStatus::exited(0x1ff);
        assert_eq!((exited.raw(), exited.exit_code(), exited.term_signal()), (0xff00, Some(0xff), None));
        let killed = WaitStatus::signaled(11, true);
        assert_eq!((killed.raw(), killed.term_signal(), killed.exit_code()), (0x8b, Some(11), None));
        assert!(killed.core_dumped());
        let stopped = WaitStatus::stopped(19);
        assert_eq!((stopped.raw(), stopped.stop_signal(), stopped.term_signal()), (0x137f, Some(19), None));
        assert!(WaitStatus::continued().is_continued());
        assert_eq!(WaitStatus::continued().stop_signal(), None);
        assert_eq!(WaitStatus::continued().exit_code(), None);
    }
}
