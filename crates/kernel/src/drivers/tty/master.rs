//! The master: the end where a terminal emulator, or a program that plays one, sits.
//!
//! Mirrors: drivers/tty/pty.c (`ptm_unix98_ops`, `pty_unix98_ioctl`), drivers/tty/n_tty.c for its reads, Linux 6.18.
//! Locking: as in `pty`.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::{EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::fcntl::O_CLOEXEC;
use acrida_uapi::ioctl::{TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCPKT, TIOCPKT_DATA, TIOCSIG, TIOCSPTLCK};
use acrida_uapi::siginfo::POLL_IN;
use acrida_uapi::signal::{SIGINT, SIGQUIT, SIGTSTP};

use crate::abi::SysResult;
use crate::current;
use crate::drivers::tty::devpts::{DevPts, slave_path};
use crate::drivers::tty::n_tty::News;
use crate::drivers::tty::pty::Pty;
use crate::drivers::tty::tty_io::write_in_chunks;
use crate::drivers::tty::tty_ioctl;
use crate::drivers::tty::tty_jobctrl::End;
use crate::fs::fasync::{self, FasyncQueues};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::inode::Mount;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;

/// The open master of a pair.
pub struct Master {
    pty: Arc<Pty>,
    /// Where the slave's name is.
    devpts: Arc<DevPts>,
    mount: Arc<Mount>,
}

impl Master {
    pub fn new(pty: Arc<Pty>, devpts: Arc<DevPts>, mount: Arc<Mount>) -> Master {
        Master { pty, devpts, mount }
    }

    /// What a read finds now; `EIO` when nothing is left and nobody has the slave.
    fn try_take(&self, room: usize) -> Option<Result<Vec<u8>, Errno>> {
        let mut state = self.pty.lock();
        if state.packet && state.pktstatus != 0 {
            return Some(Ok(alloc::vec![core::mem::take(&mut state.pktstatus)]));
        }
        if state.ntty.out.is_empty() {
            return state.slave_is_closed().then_some(Err(Errno::EIO));
        }
        let mut bytes = Vec::new();
        if state.packet {
            bytes.push(TIOCPKT_DATA);
        }
        let count = room.saturating_sub(bytes.len()).min(state.ntty.out.len());
        bytes.extend(state.ntty.out.drain(..count));
        Some(Ok(bytes))
    }

    fn try_type(&self, bytes: &[u8]) -> Option<usize> {
        let mut news = News::default();
        let mut state = self.pty.lock();
        let had_room = state.has_room_for_slave();
        let taken = state.feed(bytes, &mut news);
        // A part of a line is nothing to read yet.
        let input = if state.ntty.has_input(1) { EPOLLIN | EPOLLRDNORM } else { 0 };
        let output = if !had_room && state.has_room_for_slave() { EPOLLOUT | EPOLLWRNORM } else { 0 };
        let echoed = !state.ntty.out.is_empty();
        drop(state);
        self.pty.announce_to_slave(&news, input | output);
        if input != 0 {
            self.pty.fasync_slave.kill(POLL_IN);
        }
        if echoed {
            self.pty.fasync_master.kill(POLL_IN);
        }
        (taken > 0).then_some(taken)
    }

    fn write_chunk(&self, bytes: &[u8], blocking: Blocking) -> SysResult {
        if let Some(taken) = self.try_type(bytes) {
            return Ok(taken);
        }
        if blocking == Blocking::No {
            return Err(Errno::EAGAIN.into());
        }
        let options = WaitOptions::interruptible("pty_write");
        // Who wakes the others from its own condition would wake itself: only the room is looked at here.
        let has_room = || self.pty.lock().has_room_for_master().then_some(());
        self.pty.master_wait.wait_event(options, has_room).map_err(|_| Restart::ERESTARTSYS)?;
        Ok(0)
    }

    /// Opens the slave without a look at its name.
    #[doc(alias = "ptm_open_peer")]
    fn open_peer(&self, flags: u32) -> SysResult {
        let number = current().files().reserve()?;
        let ops = self.pty.open_slave(flags)?;
        let path = slave_path(&self.mount, &self.devpts, self.pty.index).ok_or(Errno::EIO)?;
        Ok(number.publish(File::of_path(ops, flags, path), flags & O_CLOEXEC != 0) as usize)
    }

    fn set_packet_mode(&self, on: i32) {
        let mut state = self.pty.lock();
        if on != 0 && !state.packet {
            state.pktstatus = 0;
        }
        state.packet = on != 0;
    }
}

impl Drop for Master {
    #[doc(alias = "pty_unix98_remove")]
    fn drop(&mut self) {
        self.devpts.forget(self.pty.index);
        self.pty.master_gone();
    }
}

impl FileOperations for Master {
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let room = to.count();
        if room == 0 {
            return Ok(0);
        }
        let bytes = match self.try_take(room) {
            Some(found) => found?,
            None if Blocking::of(file, to) == Blocking::No => return Err(Errno::EAGAIN.into()),
            None => {
                let options = WaitOptions::interruptible("n_tty_read");
                let found = self.pty.master_wait.wait_event(options, || self.try_take(room));
                found.map_err(|_| Restart::ERESTARTSYS)??
            }
        };
        self.pty.tell_slave();
        match to.copy_to(&bytes) {
            0 => Err(Errno::EFAULT.into()),
            copied => Ok(copied),
        }
    }

    #[doc(alias = "pty_write")]
    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let blocking = Blocking::of(file, from);
        write_in_chunks(from, |chunk| self.write_chunk(chunk, blocking))
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.pty.master_wait);
        let state = self.pty.lock();
        let mut events = 0;
        if !state.ntty.out.is_empty() {
            events |= EPOLLIN | EPOLLRDNORM;
        }
        if state.packet && state.pktstatus != 0 {
            events |= EPOLLPRI | EPOLLIN | EPOLLRDNORM;
        }
        if state.slave_is_closed() {
            events |= EPOLLHUP;
        }
        if state.has_room_for_master() {
            events |= EPOLLOUT | EPOLLWRNORM;
        }
        Some(events)
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "tty_fasync")]
    fn fasync(&self, _file: &File) -> FasyncQueues<'_> {
        [Some(&self.pty.fasync_master), None]
    }

    fn release(&self, file: &File) {
        fasync::release(file);
    }

    #[doc(alias = "pty_unix98_ioctl")]
    fn ioctl(&self, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        let user = UserAddr(arg);
        match cmd {
            TIOCSPTLCK => {
                let lock: i32 = user.read()?;
                self.pty.lock().locked = lock != 0;
            }
            TIOCGPTLCK => {
                let locked = self.pty.lock().locked;
                user.write(&i32::from(locked))?;
            }
            TIOCPKT => {
                let on: i32 = user.read()?;
                self.set_packet_mode(on);
            }
            TIOCGPKT => {
                let packet = self.pty.lock().packet;
                user.write(&i32::from(packet))?;
            }
            TIOCGPTN => user.write(&self.pty.index)?,
            TIOCGPTPEER => return self.open_peer(arg as u32),
            TIOCSIG => match arg as i32 {
                signo @ (SIGINT | SIGQUIT | SIGTSTP) => self.pty.signal_foreground(signo),
                _ => return Err(Errno::EINVAL.into()),
            },
            _ => return tty_ioctl::ioctl(&self.pty, End::Master, file, cmd, arg),
        }
        Ok(0)
    }
}
