//! A pseudo-terminal: two ends and the line discipline between them.
//!
//! Mirrors: drivers/tty/pty.c, drivers/tty/tty_io.c (`__tty_hangup`), Linux 6.18.
//! Differs: both ends are one object; what Linux passes through flip buffers and a work queue moves at once.
//! Locking: `state` is taken alone; its guard is dropped before anybody is told.

use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_NOCTTY;
use acrida_uapi::ioctl::{TIOCPKT_FLUSHREAD, TIOCPKT_START, TIOCPKT_STOP};
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::signal::{SIGCONT, SIGHUP};
use acrida_uapi::stat::new_encode_dev;
use acrida_uapi::termios::Winsize;

use crate::current;
use crate::drivers::tty::n_tty::{NTty, News};
use crate::drivers::tty::slave::Slave;
use crate::drivers::tty::tty_jobctrl::{self, Tty, kill_pgrp};
use crate::fs::fasync::FasyncQueue;
use crate::fs::file::{ControllingTty, FileOperations};
use crate::kernel::signal;
use crate::kernel::state::Kernel;
use crate::kernel::task::Pid;

/// Bytes on the way in one direction before a writer must wait.
pub const LIMIT: usize = 12 * 1024;
/// First major number of the slaves, and how many minors each has.
const UNIX98_PTY_SLAVE_MAJOR: u32 = 136;
const MINORS: u32 = 256;

/// Device number of the slave `index`.
pub fn slave_rdev(index: u32) -> u32 {
    new_encode_dev(UNIX98_PTY_SLAVE_MAJOR + index / MINORS, index % MINORS)
}

/// The slave a device number names.
pub fn slave_index(major: u32, minor: u32) -> Option<u32> {
    let block = major.checked_sub(UNIX98_PTY_SLAVE_MAJOR).filter(|&block| block < 8)?;
    Some(block * MINORS + minor)
}

/// Everything that changes.
pub struct State {
    pub ntty: NTty,
    /// Written by the master, not yet taken by the line discipline.
    waiting: VecDeque<u8>,
    pub winsize: Winsize,
    /// `TIOCPKT`: reads of the master begin with a byte that tells what happened; here what happened.
    pub packet: bool,
    pub pktstatus: u8,
    /// `TIOCSPTLCK`: the slave cannot be opened.
    pub locked: bool,
    /// `TIOCEXCL`: no further opens.
    pub exclusive: bool,
    master_open: bool,
    slaves: u32,
    /// The last slave was closed and none opened since.
    #[doc(alias = "TTY_OTHER_CLOSED")]
    slave_closed: bool,
    /// Files opened before the last of so many hang-ups are dead.
    hangups: u32,
    session: Pid,
    pgrp: Pid,
}

/// A pseudo-terminal.
#[doc(alias = "tty_struct")]
pub struct Pty {
    pub index: u32,
    state: SpinLock<State>,
    pub slave_wait: Arc<WaitQueueHead>,
    pub master_wait: Arc<WaitQueueHead>,
    pub fasync_slave: FasyncQueue,
    pub fasync_master: FasyncQueue,
    kernel: Weak<Kernel>,
}

impl State {
    /// Whether a slave opened at `hangups` is dead.
    #[doc(alias = "tty_hung_up_p")]
    pub fn is_hung_up(&self, hangups: u32) -> bool {
        self.hangups != hangups
    }

    pub fn slave_is_closed(&self) -> bool {
        self.slave_closed
    }

    /// Notes what a master in packet mode must be told.
    pub fn note_packet(&mut self, set: u8, clear: u8) {
        if self.packet {
            self.pktstatus = self.pktstatus & !clear | set;
        }
    }

    /// Gives the line discipline what it has room for.
    #[doc(alias = "flush_to_ldisc")]
    pub fn move_input(&mut self, news: &mut News) {
        let stopped = self.ntty.stopped;
        while self.ntty.has_room() {
            let Some(byte) = self.waiting.pop_front() else { break };
            self.ntty.receive(byte, news);
        }
        if news.flushed {
            self.note_packet(TIOCPKT_FLUSHREAD, 0);
        }
        match (stopped, self.ntty.stopped) {
            (false, true) => self.note_packet(TIOCPKT_STOP, TIOCPKT_START),
            (true, false) => self.note_packet(TIOCPKT_START, TIOCPKT_STOP),
            _ => {}
        }
    }

    /// Takes what the master typed; gives the bytes taken.
    pub fn feed(&mut self, bytes: &[u8], news: &mut News) -> usize {
        let taken = bytes.len().min(LIMIT.saturating_sub(self.waiting.len()));
        self.waiting.extend(&bytes[..taken]);
        self.move_input(news);
        taken
    }

    pub fn has_room_for_master(&self) -> bool {
        self.waiting.len() < LIMIT
    }

    pub fn has_room_for_slave(&self) -> bool {
        !self.ntty.output_is_stopped() && self.ntty.out.len() < LIMIT
    }

    /// Throws away what was typed and not read.
    pub fn flush_input(&mut self) {
        self.waiting.clear();
        self.ntty.flush_input();
    }
}

impl Pty {
    /// A new pair; its master is open, its slave locked.
    #[doc(alias = "pty_unix98_install")]
    pub fn new(index: u32, kernel: &Arc<Kernel>) -> Arc<Pty> {
        Arc::new(Pty {
            index,
            state: SpinLock::new(State {
                ntty: NTty::default(),
                waiting: VecDeque::new(),
                winsize: Winsize::default(),
                packet: false,
                pktstatus: 0,
                locked: true,
                exclusive: false,
                master_open: true,
                slaves: 0,
                slave_closed: false,
                hangups: 0,
                session: 0,
                pgrp: 0,
            }),
            slave_wait: Arc::new(WaitQueueHead::new()),
            master_wait: Arc::new(WaitQueueHead::new()),
            fasync_slave: FasyncQueue::new(),
            fasync_master: FasyncQueue::new(),
            kernel: Arc::downgrade(kernel),
        })
    }

    pub fn lock(&self) -> acrida_kcore::sync::SpinLockGuard<'_, State> {
        self.state.lock()
    }

    pub fn as_tty(self: &Arc<Self>) -> Tty {
        self.clone()
    }

    /// There is something for the slave's users: input, room, or a hang-up.
    pub fn tell_slave(&self) {
        self.slave_wait.wake_all(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
    }

    /// There is something for the master's users.
    pub fn tell_master(&self) {
        self.master_wait.wake_all(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLPRI);
    }

    /// Sends a signal to the foreground group.
    pub fn signal_foreground(&self, signo: i32) {
        let pgrp = self.lock().pgrp;
        if let Some(kernel) = self.kernel.upgrade() {
            kill_pgrp(&kernel, pgrp, signo);
        }
    }

    /// Acts on what typed bytes called for, and tells both ends.
    pub fn announce(&self, news: &News) {
        self.announce_to_slave(news, EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM);
    }

    /// [`Pty::announce`] when there are no other `events` for the slave's users.
    pub fn announce_to_slave(&self, news: &News, events: u32) {
        for &signo in &news.signals {
            self.signal_foreground(signo);
        }
        if events != 0 {
            self.slave_wait.wake_all(events);
        }
        self.tell_master();
    }

    /// Opens the slave.
    ///
    /// # Errors
    /// `EIO` while it is locked and when the master is gone, `EBUSY` when somebody wants it alone.
    #[doc(alias = "pty_open")]
    pub fn open_slave(self: &Arc<Self>, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let is_admin = current().cred().capable(CAP_SYS_ADMIN);
        let mut state = self.lock();
        if state.locked || !state.master_open {
            return Err(Errno::EIO.into());
        }
        if state.exclusive && !is_admin {
            return Err(Errno::EBUSY.into());
        }
        state.slaves += 1;
        state.slave_closed = false;
        let hangups = state.hangups;
        drop(state);
        let slave = Slave::new(self.clone(), hangups);
        let reads = flags & acrida_uapi::fcntl::O_ACCMODE != acrida_uapi::fcntl::O_WRONLY;
        if flags & O_NOCTTY == 0 && reads {
            tty_jobctrl::opened(&self.as_tty());
        }
        Ok(Arc::new(slave))
    }

    /// One open slave less.
    pub fn slave_gone(&self) {
        let mut state = self.lock();
        state.slaves -= 1;
        if state.slaves > 0 {
            return;
        }
        state.slave_closed = true;
        state.exclusive = false;
        drop(state);
        self.master_wait.wake_all(EPOLLIN | EPOLLHUP | EPOLLERR);
    }

    /// The master was closed: whoever has the slave loses it.
    #[doc(alias = "pty_close")]
    pub fn master_gone(&self) {
        self.lock().master_open = false;
        self.hang_up();
    }

    /// Every open slave is dead from now on; the session loses its terminal and its leader is told.
    #[doc(alias = "__tty_hangup")]
    pub fn hang_up(&self) {
        let mut state = self.lock();
        state.hangups += 1;
        state.flush_input();
        let session = core::mem::take(&mut state.session);
        let pgrp = core::mem::take(&mut state.pgrp);
        drop(state);
        if let Some(kernel) = self.kernel.upgrade()
            && session != 0
        {
            tty_jobctrl::clear_session(&kernel, session);
            if let Some(leader) = kernel.pids.process(session) {
                // The foreground hears of it when the leader ends.
                leader.relations.lock().lost_pgrp = pgrp;
                for signo in [SIGHUP, SIGCONT] {
                    signal::send_to_process(SigInfo::kernel(signo), &leader);
                }
            }
        }
        self.slave_wait.wake_all(EPOLLIN | EPOLLOUT | EPOLLHUP | EPOLLERR);
        self.tell_master();
    }
}

impl ControllingTty for Pty {
    fn foreground_pgrp(&self) -> u32 {
        self.lock().pgrp
    }

    fn set_foreground_pgrp(&self, pgrp: u32) {
        self.lock().pgrp = pgrp;
    }

    fn session(&self) -> u32 {
        self.lock().session
    }

    fn set_session(&self, session: u32) {
        self.lock().session = session;
    }

    fn device_number(&self) -> u64 {
        slave_rdev(self.index).into()
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        // The session has it already; a lock keeps only newcomers out.
        self.open_slave(flags | O_NOCTTY)
    }
}
