//! The end of a child process, which comes in time or is made.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exit(ExitStatus),
    /// It was killed at its limit.
    TimedOut,
}

/// Waits for the end of `child`, which leads a process group of its own, or for the limit; in either case nothing of the
/// group is left.
///
/// # Errors
/// When the host refuses to wait.
pub fn wait(mut child: Child, limit: Duration) -> io::Result<Ended> {
    let pid = Pid::from_child(&child);
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    let end = Instant::now() + limit;
    let ready = loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    // The leader is not reaped yet, so its number cannot have been given to another group.
    let _ = kill_process_group(pid, Signal::KILL);
    let status = child.wait()?;
    Ok(if ready == 0 { Ended::TimedOut } else { Ended::Exit(status) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    fn shell(script: &str) -> Child {
        Command::new("sh").args(["-c", script]).process_group(0).spawn().expect("a shell")
    }

    #[test]
    fn an_end_in_time_and_one_that_is_made() {
        let ended = wait(shell("exit 3"), Duration::from_secs(60)).expect("waited");
        assert!(matches!(ended, Ended::Exit(status) if status.code() == Some(3)));
        let ended = wait(shell("exec cat /dev/zero > /dev/null"), Duration::from_millis(20)).expect("waited");
        assert_eq!(ended, Ended::TimedOut);
    }
}
