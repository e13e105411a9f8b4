//! A process that is executed instruction by instruction, from outside.
//!
//! It is a descendant of this process, so that the host allows it even where tracing is restricted.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Stopped between two instructions; killed when this is dropped.
pub struct Stepped {
    pid: Pid,
    /// Closed when this is dropped: the watch ends.
    _watched: Sender<()>,
}

impl Stepped {
    /// Stops the process; it is killed after `limit`, so that no wait for it is without end.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn attach(pid: u32, limit: Duration) -> anyhow::Result<Self> {
        let pid = Pid::from_raw(i32::try_from(pid).context("a process number")?);
        ptrace::seize(pid, Options::empty()).context("the host does not let this process trace")?;
        let (watched, watch) = mpsc::channel();
        thread::spawn(move || {
            if watch.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        });
        let stepped = Self { pid, _watched: watched };
        ptrace::interrupt(pid).context("stopping the guest")?;
        stepped.stopped()?;
        Ok(stepped)
    }

    /// Executes one instruction; where the next one is, and `rax`.
    ///
    /// # Errors
    /// When the process has ended.
    pub fn step(&mut self) -> anyhow::Result<(u64, u64)> {
        let mut signal = None;
        loop {
            ptrace::step(self.pid, signal).context("stepping the guest")?;
            match self.stopped()? {
                Signal::SIGTRAP => break,
                // One of the world's own: it is delivered, and the step is made again.
                other => signal = Some(other),
            }
        }
        let registers = ptrace::getregs(self.pid).context("reading the guest's registers")?;
        Ok((registers.rip, registers.rax))
    }

    fn stopped(&self) -> anyhow::Result<Signal> {
        match waitpid(self.pid, Some(WaitPidFlag::__WALL)).context("waiting for the guest")? {
            WaitStatus::Stopped(_, signal) => Ok(signal),
            WaitStatus::PtraceEvent(..) => Ok(Signal::SIGTRAP),
            other => bail!("the guest ended while it was stepped: {other:?}"),
        }
    }
}

impl Drop for Stepped {
    /// Its parent hears of its end only after this process has.
    fn drop(&mut self) {
        if kill(self.pid, Signal::SIGKILL).is_ok() {
            while let Ok(WaitStatus::Stopped(..) | WaitStatus::PtraceEvent(..)) = waitpid(self.pid, Some(WaitPidFlag::__WALL)) {}
        }
    }
}
