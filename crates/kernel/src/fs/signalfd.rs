//! signalfd: signals that are read from a file.
//!
//! Mirrors: fs/signalfd.c, Linux 6.18.
//! Differs: nothing but the names. A file belongs to no process: whoever reads or polls it means their own signals.
//! Locking: `wanted` is a leaf; the reader's `Process::sighand` while a signal is taken.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::EPOLLIN;
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::O_RDWR;
use acrida_uapi::siginfo::{SigInfo, SiginfoLayout};
use acrida_uapi::signal::{SIGKILL, SIGSTOP, SigSet};
use acrida_uapi::signalfd::{SFD_CLOEXEC, SFD_NONBLOCK, SignalfdSiginfo};
use zerocopy::IntoBytes;

use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::{Blocking, fdget};
use crate::kernel::signal::{Queued, dequeue};
use crate::kernel::task::Task;

/// Private data of a signalfd.
#[doc(alias = "signalfd_ctx")]
struct Signalfd {
    /// Signals that can be read from it.
    wanted: SpinLock<SigSet>,
}

/// Takes one of `wanted` that is pending for the caller.
fn take(task: &Task, wanted: SigSet) -> Option<Queued> {
    let mut sighand = task.process.sighand.lock();
    dequeue(task, &mut sighand, Some(wanted))
}

/// The record that a program reads.
#[doc(alias = "signalfd_copyinfo")]
fn record(info: &SigInfo) -> SignalfdSiginfo {
    let head = SignalfdSiginfo {
        ssi_signo: info.si_signo.cast_unsigned(),
        ssi_errno: info.si_errno,
        ssi_code: info.si_code,
        ..SignalfdSiginfo::default()
    };
    let with_sender = SignalfdSiginfo { ssi_pid: info.si_pid().cast_unsigned(), ssi_uid: info.si_uid(), ..head };
    let at = SignalfdSiginfo { ssi_addr: info.si_addr(), ..head };
    match info.layout() {
        SiginfoLayout::Kill => with_sender,
        SiginfoLayout::Rt => with_value(with_sender, info),
        SiginfoLayout::Timer => with_value(
            SignalfdSiginfo { ssi_tid: info.si_tid().cast_unsigned(), ssi_overrun: info.si_overrun().cast_unsigned(), ..head },
            info,
        ),
        SiginfoLayout::Poll => SignalfdSiginfo { ssi_band: info.si_band() as u32, ssi_fd: info.si_fd(), ..head },
        SiginfoLayout::Fault | SiginfoLayout::FaultBnderr | SiginfoLayout::FaultPkuerr | SiginfoLayout::FaultPerfEvent => at,
        SiginfoLayout::FaultMceerr => SignalfdSiginfo { ssi_addr_lsb: info.si_addr_lsb(), ..at },
        SiginfoLayout::Chld => SignalfdSiginfo {
            ssi_status: info.si_status(),
            ssi_utime: info.si_utime().cast_unsigned(),
            ssi_stime: info.si_stime().cast_unsigned(),
            ..with_sender
        },
        SiginfoLayout::Sys => SignalfdSiginfo {
            ssi_call_addr: info.si_call_addr(),
            ssi_syscall: info.si_syscall(),
            ssi_arch: info.si_arch(),
            ..head
        },
    }
}

/// The value as pointer and as number: two views of one union.
fn with_value(record: SignalfdSiginfo, info: &SigInfo) -> SignalfdSiginfo {
    SignalfdSiginfo { ssi_ptr: info.si_value(), ssi_int: info.si_value() as i32, ..record }
}

impl Signalfd {
    fn wanted(&self) -> SigSet {
        *self.wanted.lock()
    }

    /// The next signal; only the first of a call may be waited for.
    #[doc(alias = "signalfd_dequeue")]
    fn dequeue(&self, task: &Task, blocking: Blocking) -> Result<Queued, Error> {
        match (take(task, self.wanted()), blocking) {
            (Some(queued), _) => Ok(queued),
            (None, Blocking::No) => Err(Errno::EAGAIN.into()),
            (None, Blocking::Yes) => {
                let queue = task.process.sighand.lock().signalfd.clone();
                let options = WaitOptions::interruptible("signalfd_dequeue");
                // The mask may be changed while somebody waits.
                queue.wait_event(options, || take(task, self.wanted())).map_err(|_| Restart::ERESTARTSYS.into())
            }
        }
    }

    fn read_one(&self, task: &Task, to: &mut IovIter<'_>, blocking: Blocking) -> Result<(), Error> {
        let queued = self.dequeue(task, blocking)?;
        let record = record(&queued.info);
        // A signal that cannot be copied is lost, as on Linux.
        if to.copy_to(record.as_bytes()) < size_of::<SignalfdSiginfo>() {
            return Err(Errno::EFAULT.into());
        }
        Ok(())
    }
}

impl FileOperations for Signalfd {
    #[doc(alias = "signalfd_read_iter")]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let count = to.count() / size_of::<SignalfdSiginfo>();
        if count == 0 {
            return Err(Errno::EINVAL.into());
        }
        let task = current();
        self.read_one(task, to, Blocking::of(file, to))?;
        let more = (1..count).take_while(|_| self.read_one(task, to, Blocking::No).is_ok()).count();
        Ok((1 + more) * size_of::<SignalfdSiginfo>())
    }

    fn can_nowait(&self) -> bool {
        true
    }

    /// Seeks succeed and do nothing.
    #[doc(alias = "noop_llseek")]
    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    /// About the signals of whoever asks.
    #[doc(alias = "signalfd_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        let task = current();
        if table.wants_queues() {
            let queue = task.process.sighand.lock().signalfd.clone();
            table.poll_wait(&queue);
        }
        let wanted = self.wanted();
        let sighand = task.process.sighand.lock();
        let pending = task.signals.lock().pending.set().union(sighand.shared.set());
        Some(if pending.intersection(wanted).is_empty() { 0 } else { EPOLLIN })
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "signalfd_show_fdinfo")]
    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "sigmask:\t{:016x}", self.wanted().bits());
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(String::from("anon_inode:[signalfd]"))
    }
}

/// A new file for `mask`, or another mask for the one behind `fd`.
#[doc(alias = "do_signalfd4")]
fn make_or_change(fd: Fd, mask: SigSet, flags: Flags) -> SysResult {
    if flags.0 & !(SFD_CLOEXEC | SFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let wanted = mask.difference(SigSet::of(&[SIGKILL, SIGSTOP]));
    if fd.0 == -1 {
        let ops = Arc::new(Signalfd { wanted: SpinLock::new(wanted) });
        let file = File::anon(ops, O_RDWR | flags.0 & SFD_NONBLOCK);
        return Ok(current().files().install(file, flags.0 & SFD_CLOEXEC != 0)? as usize);
    }
    let file = fdget(fd)?;
    let signalfd = file.private::<Signalfd>().ok_or(Errno::EINVAL)?;
    *signalfd.wanted.lock() = wanted;
    let queue = current().process.sighand.lock().signalfd.clone();
    queue.wake_all(0);
    Ok(fd.0 as usize)
}

/// `signalfd4(ufd, user_mask, sizemask, flags)`.
pub fn sys_signalfd4(fd: Fd, mask: UserAddr, size: usize, flags: Flags) -> SysResult {
    if size != SigSet::SIZE {
        return Err(Errno::EINVAL.into());
    }
    make_or_change(fd, mask.read()?, flags)
}

/// `signalfd(ufd, user_mask, sizemask)`.
pub fn sys_signalfd(fd: Fd, mask: UserAddr, size: usize) -> SysResult {
    sys_signalfd4(fd, mask, size, Flags(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use acrida_uapi::siginfo::{CLD_EXITED, SI_QUEUE, SI_USER};
    use acrida_uapi::signal::{SIGCHLD, SIGRTMIN, SIGTERM};

    #[test]
    fn each_kind_of_signal_has_its_fields() {
        let kill = record(&SigInfo::kill(SIGTERM, SI_USER, 7, 1000));
        assert_eq!((kill.ssi_pid, kill.ssi_uid, kill.ssi_ptr), (7, 1000, 0));
        let queued = record(&SigInfo::rt(SIGRTMIN, SI_QUEUE, 7, 0, 0x1_0000_0002));
        assert_eq!((queued.ssi_int, queued.ssi_ptr), (2, 0x1_0000_0002));
        let child = record(&SigInfo::chld(CLD_EXITED, 9, 0, 3, 4, 5));
        assert_eq!((child.ssi_signo, child.ssi_pid, child.ssi_status), (SIGCHLD as u32, 9, 3));
        assert_eq!((child.ssi_utime, child.ssi_stime), (4, 5));
    }
}
