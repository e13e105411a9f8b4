//! The slave: the end that programs take for a terminal.
//!
//! Mirrors: drivers/tty/n_tty.c (`n_tty_read`, `n_tty_write`, `n_tty_poll`), drivers/tty/tty_io.c
//! (`hung_up_tty_fops`), Linux 6.18.
//! Locking: as in `pty`; guest memory is touched without the lock.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::ioctl::TIOCSPGRP;
use acrida_uapi::siginfo::POLL_IN;
use acrida_uapi::signal::{SIGTTIN, SIGTTOU};
use acrida_uapi::termios::TOSTOP;

use crate::abi::SysResult;
use crate::drivers::tty::n_tty::{N_TTY_BUF_SIZE, News};
use crate::drivers::tty::pty::Pty;
use crate::drivers::tty::tty_io::write_in_chunks;
use crate::drivers::tty::tty_ioctl;
use crate::drivers::tty::tty_jobctrl::{End, check_change};
use crate::fs::fasync::{self, FasyncQueues};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;

/// `VTIME`'s unit.
const TENTH_NS: u64 = 100_000_000;
/// One open slave.
pub struct Slave {
    pty: Arc<Pty>,
    /// The pair's hang-ups when it was opened.
    hangups: u32,
}

/// What a look at the input found.
enum Found {
    Bytes(Vec<u8>),
    HungUp,
}

impl Slave {
    /// Over a pair that counts it already.
    pub fn new(pty: Arc<Pty>, hangups: u32) -> Slave {
        Slave { pty, hangups }
    }

    /// Takes input if there is any, and lets the next typed bytes in.
    fn try_take(&self, room: usize) -> Option<Found> {
        let mut state = self.pty.lock();
        if state.is_hung_up(self.hangups) {
            return Some(Found::HungUp);
        }
        if !state.ntty.has_input(1) {
            return None;
        }
        let bytes = state.ntty.take(room.min(N_TTY_BUF_SIZE));
        let mut news = News::default();
        state.move_input(&mut news);
        drop(state);
        self.pty.tell_master();
        for &signo in &news.signals {
            self.pty.signal_foreground(signo);
        }
        Some(Found::Bytes(bytes))
    }

    /// Waits for input until `deadline`.
    fn wait_take(&self, room: usize, deadline: Option<u64>) -> Result<Found, WaitError> {
        let options = WaitOptions::interruptible("n_tty_read").until(deadline);
        self.pty.slave_wait.wait_event(options, || self.try_take(room))
    }

    /// Whether lines are wanted; else the bytes and tenths of a second that end a read.
    fn manner(&self) -> Option<(usize, u64)> {
        let state = self.pty.lock();
        (!state.ntty.by_lines()).then(|| state.ntty.min_and_time())
    }

    fn read_some(&self, to: &mut IovIter<'_>, blocking: Blocking) -> SysResult {
        let manner = self.manner();
        let (min, time) = manner.unwrap_or((1, 0));
        let after = |tenths: u64| Some(platform().now(ClockId::Monotonic) + tenths * TENTH_NS);
        // Without a minimum the time runs from the start, with one from each byte on.
        let mut deadline = if min == 0 { after(time) } else { None };
        let mut done = 0;
        loop {
            let found = match self.try_take(to.count()) {
                Some(found) => found,
                None if min == 0 && time == 0 => break,
                None if blocking == Blocking::No && done == 0 => return Err(Errno::EAGAIN.into()),
                None if blocking == Blocking::No => break,
                None => match self.wait_take(to.count(), deadline) {
                    Ok(found) => found,
                    Err(WaitError::TimedOut) => break,
                    Err(WaitError::Interrupted) if done > 0 => break,
                    Err(WaitError::Interrupted) => return Err(Restart::ERESTARTSYS.into()),
                },
            };
            let Found::Bytes(bytes) = found else { break };
            let copied = to.copy_to(&bytes);
            done += copied;
            if copied < bytes.len() && done == 0 {
                return Err(Errno::EFAULT.into());
            }
            if manner.is_none() || copied < bytes.len() || done >= min.max(1) || to.count() == 0 {
                break;
            }
            if time > 0 {
                deadline = after(time);
            }
        }
        Ok(done)
    }

    /// Shows what fits; `Some(0)` never: waits are the caller's.
    fn try_show(&self, bytes: &[u8]) -> Result<Option<usize>, Errno> {
        let mut state = self.pty.lock();
        if state.is_hung_up(self.hangups) {
            return Err(Errno::EIO);
        }
        let mut shown = 0;
        while shown < bytes.len() && state.has_room_for_slave() {
            state.ntty.output(bytes[shown]);
            shown += 1;
        }
        drop(state);
        if shown == 0 {
            return Ok(None);
        }
        self.pty.tell_master();
        self.pty.fasync_master.kill(POLL_IN);
        Ok(Some(shown))
    }

    fn show(&self, bytes: &[u8], blocking: Blocking) -> SysResult {
        if blocking == Blocking::No {
            return Ok(self.try_show(bytes)?.ok_or(Errno::EAGAIN)?);
        }
        let options = WaitOptions::interruptible("n_tty_write");
        match self.pty.slave_wait.wait_event(options, || self.try_show(bytes).transpose()) {
            Ok(shown) => Ok(shown?),
            Err(_) => Err(Restart::ERESTARTSYS.into()),
        }
    }
}

impl Drop for Slave {
    #[doc(alias = "tty_release")]
    fn drop(&mut self) {
        self.pty.slave_gone();
    }
}

impl FileOperations for Slave {
    #[doc(alias = "n_tty_read")]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if self.pty.lock().is_hung_up(self.hangups) {
            return Ok(0);
        }
        check_change(&self.pty.as_tty(), SIGTTIN)?;
        if to.count() == 0 {
            return Ok(0);
        }
        self.read_some(to, Blocking::of(file, to))
    }

    #[doc(alias = "n_tty_write")]
    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let (hung_up, stops) = {
            let state = self.pty.lock();
            (state.is_hung_up(self.hangups), state.ntty.lflag(TOSTOP))
        };
        if hung_up {
            return Err(Errno::EIO.into());
        }
        if stops {
            check_change(&self.pty.as_tty(), SIGTTOU)?;
        }
        let blocking = Blocking::of(file, from);
        write_in_chunks(from, |chunk| self.show(chunk, blocking))
    }

    #[doc(alias = "n_tty_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.pty.slave_wait);
        let state = self.pty.lock();
        if state.is_hung_up(self.hangups) {
            return Some(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDNORM | EPOLLWRNORM);
        }
        let (min, time) = state.ntty.min_and_time();
        let mut events = 0;
        if state.ntty.has_input(if time == 0 { min } else { 1 }) {
            events |= EPOLLIN | EPOLLRDNORM;
        }
        if state.has_room_for_slave() {
            events |= EPOLLOUT | EPOLLWRNORM;
        }
        Some(events)
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "tty_fasync")]
    fn fasync(&self, _file: &File) -> FasyncQueues<'_> {
        [Some(&self.pty.fasync_slave), None]
    }

    fn release(&self, file: &File) {
        fasync::release(file);
    }

    #[doc(alias = "tty_ioctl")]
    fn ioctl(&self, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        if self.pty.lock().is_hung_up(self.hangups) {
            return Err(Error::from(if cmd == TIOCSPGRP { Errno::ENOTTY } else { Errno::EIO }));
        }
        tty_ioctl::ioctl(&self.pty, End::Terminal, file, cmd, arg)
    }
}
