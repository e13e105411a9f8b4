//! The terminal the command was started on, as the controlling terminal of the first session.
//!
//! Mirrors: nothing in Linux.
//! Differs: the host knows one session and one foreground group, the command's; which group of the world is in the
//! foreground is the world's affair. Modes and sizes are the host's. Signals that the host's line discipline sends reach
//! every host process and are dropped in those outside the group (`kernel/signal/host.rs`).
//! Locking: the caller's relations for one look.

use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicU32, Ordering};

use acrida_kcore::host::HostFd;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_NOCTTY, O_RDWR};
use acrida_uapi::ioctl::{
    TCFLSH, TCGETS, TCSBRK, TCSBRKP, TCSETA, TCSETAF, TCSETAW, TCSETS, TCSETS2, TCSETSF, TCSETSF2, TCSETSW, TCSETSW2, TCXONC,
    TIOCGDEV, TIOCSBRK, TIOCSTI,
};
use acrida_uapi::signal::{SIGTTIN, SIGTTOU};
use acrida_uapi::termios::{TOSTOP, Termios};

use crate::abi::SysResult;
use crate::drivers::tty::tty_jobctrl::{self, End, Tty};
use crate::fs::file::{ControllingTty, File, FileOperations};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::inherited::Inherited;
use crate::host;
use crate::kernel::state::Kernel;
use crate::kernel::task::Process;

/// The host's terminal.
pub struct HostTty {
    handle: Arc<HostHandle>,
    device: u32,
    session: AtomicU32,
    kernel: Weak<Kernel>,
}

impl HostTty {
    /// The command's controlling terminal, if it has one.
    fn find(kernel: &Arc<Kernel>) -> Option<Arc<HostTty>> {
        let fd = host::fs::openat(HostFd::CWD, b"/dev/tty", O_RDWR | O_NOCTTY, 0).ok()?;
        let handle = Arc::new(HostHandle::new(fd));
        let device: u32 = host::io::ioctl_get(fd, TIOCGDEV).ok()?;
        Some(Arc::new(HostTty { handle, device, session: AtomicU32::new(0), kernel: Arc::downgrade(kernel) }))
    }

    /// Encoded device number.
    pub fn device(&self) -> u32 {
        self.device
    }

    pub fn handle(&self) -> &Arc<HostHandle> {
        &self.handle
    }

    fn as_tty(self: &Arc<Self>) -> Tty {
        self.clone()
    }

    fn stops_background_output(&self) -> bool {
        host::io::ioctl_get::<Termios>(self.handle.fd(), TCGETS).is_ok_and(|modes| modes.c_lflag & TOSTOP != 0)
    }

    /// Before a read.
    pub fn check_read(self: &Arc<Self>) -> Result<(), Error> {
        tty_jobctrl::check_change(&self.as_tty(), SIGTTIN)
    }

    /// Before a write: only `TOSTOP` keeps the background from it.
    pub fn check_write(self: &Arc<Self>) -> Result<(), Error> {
        let pgrp = crate::current().process.relations.lock().pgrp;
        if pgrp == self.foreground_pgrp() || !self.stops_background_output() {
            return Ok(());
        }
        tty_jobctrl::check_change(&self.as_tty(), SIGTTOU)
    }

    /// The part of an ioctl that is the world's; `None`: pass it to the host.
    pub fn ioctl(self: &Arc<Self>, file: &File, cmd: u32, arg: u64) -> Option<SysResult> {
        let tty = self.as_tty();
        match cmd {
            TCSETS | TCSETSW | TCSETSF | TCSETS2 | TCSETSW2 | TCSETSF2 | TCSETA | TCSETAW | TCSETAF | TCSBRK | TCSBRKP
            | TCXONC | TCFLSH | TIOCSBRK => tty_jobctrl::check_change(&tty, SIGTTOU).err().map(Err),
            // Input nobody typed would reach the programs outside.
            TIOCSTI => Some(Err(Errno::EIO.into())),
            _ => tty_jobctrl::ioctl(&tty, End::Terminal, file, cmd, arg),
        }
    }
}

impl ControllingTty for HostTty {
    fn foreground_pgrp(&self) -> u32 {
        self.kernel.upgrade().map_or(0, |kernel| kernel.host_tty_pgrp.load(Ordering::Relaxed))
    }

    fn set_foreground_pgrp(&self, pgrp: u32) {
        if let Some(kernel) = self.kernel.upgrade() {
            kernel.host_tty_pgrp.store(pgrp, Ordering::Relaxed);
        }
    }

    fn session(&self) -> u32 {
        self.session.load(Ordering::Relaxed)
    }

    fn set_session(&self, session: u32) {
        self.session.store(session, Ordering::Relaxed);
    }

    fn device_number(&self) -> u64 {
        self.device.into()
    }

    fn open(self: Arc<Self>, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        Ok(Arc::new(Inherited::terminal(self.handle.clone(), self)))
    }
}

/// The terminal of a file with this device number, if it is the caller's.
pub fn of_device(rdev: u32) -> Option<Arc<HostTty>> {
    let tty = crate::current().process.relations.lock().tty.clone()?;
    let any: Arc<dyn core::any::Any + Send + Sync> = tty;
    any.downcast::<HostTty>().ok().filter(|tty| tty.device == rdev)
}

/// Makes the command's terminal that of the first process's session.
pub fn give_to_first(kernel: &Arc<Kernel>, process: &Process) {
    let Some(tty) = HostTty::find(kernel) else { return };
    tty.set_session(process.tgid);
    tty.set_foreground_pgrp(process.tgid);
    super::devpts::show_host_tty(kernel, &tty);
    process.relations.lock().tty = Some(tty);
}
