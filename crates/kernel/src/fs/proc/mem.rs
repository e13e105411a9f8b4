//! The memory of a process: /proc/PID/mem, and what other files read of it.
//!
//! Mirrors: fs/proc/base.c (`mem_rw`), Linux 6.18.
//! Differs: the caller's own memory is copied; another's is reached through the host's file of the same name, and only
//! below the kernel's line.
//! Locking: `File::pos`.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::uaccess::{TASK_SIZE, UserAddr, copy_from_user};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_ACCMODE, O_RDONLY, O_RDWR};

use crate::abi::SysResult;
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::iov_iter::IovIter;
use crate::fs::proc::subject::{Subject, Target};
use crate::host::proc as host_proc;
use crate::kernel::task::try_current;

/// Bytes moved at once.
const CHUNK: usize = 64 << 10;

fn open_host(target: &Target, flags: u32) -> Result<HostHandle, Errno> {
    let host_pid = target.process.host_pid();
    let path = alloc::format!("/proc/{host_pid}/mem");
    host_proc::as_world(|| host_proc::open(path.as_bytes(), flags))
}

/// The bytes at `addr` in the task's memory, as many of `len` as can be read.
#[doc(alias = "access_remote_vm")]
pub fn read_memory(target: &Target, addr: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    if target.mm().is_none() || !UserAddr(addr).access_ok(len) {
        return Vec::new();
    }
    let read = if try_current().is_some_and(|task| task.process.tgid == target.process.tgid) {
        len - copy_from_user(&mut bytes, UserAddr(addr))
    } else {
        open_host(target, O_RDONLY).and_then(|mem| host_proc::pread(mem.fd(), &mut bytes, addr)).unwrap_or(0)
    };
    bytes.truncate(read);
    bytes
}

/// /proc/PID/mem. Keeps the host's file, and with it the right to look, from the open on.
struct MemFile {
    subject: Subject,
    host: HostHandle,
}

pub fn open(subject: &Subject, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    let target = subject.get()?;
    target.check_access()?;
    target.mm().ok_or(Errno::ESRCH)?;
    let flags = if flags & O_ACCMODE == O_RDONLY { O_RDONLY } else { O_RDWR };
    Ok(Arc::new(MemFile { subject: subject.clone(), host: open_host(&target, flags)? }))
}

impl MemFile {
    /// Moves bytes piece by piece; `EIO` when not even the first could be.
    fn transfer(
        &self,
        iter: &mut IovIter<'_>,
        pos: &mut u64,
        mut step: impl FnMut(&HostHandle, &mut IovIter<'_>, &mut [u8], u64) -> Result<usize, Errno>,
    ) -> SysResult {
        // The host may take its time to end a process that has ended for us.
        if self.subject.get().ok().and_then(|target| target.mm()).is_none() {
            return Ok(0);
        }
        let mut buf = vec![0; iter.count().min(CHUNK)];
        let mut done = 0;
        while iter.count() > 0 {
            let room = usize::try_from(TASK_SIZE.saturating_sub(*pos)).unwrap_or(0);
            let len = iter.count().min(buf.len()).min(room);
            let moved = if len == 0 { Err(Errno::EIO) } else { step(&self.host, iter, &mut buf[..len], *pos) };
            match moved {
                Ok(0) => break,
                Ok(moved) => {
                    done += moved;
                    *pos += moved as u64;
                    if moved < len {
                        break;
                    }
                }
                Err(errno) if done == 0 => return Err(errno.into()),
                Err(_) => break,
            }
        }
        Ok(done)
    }
}

impl FileOperations for MemFile {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        self.transfer(to, pos, |host, to, buf, at| {
            let read = host_proc::pread(host.fd(), buf, at)?;
            match to.copy_to(&buf[..read]) {
                0 if read > 0 => Err(Errno::EFAULT),
                copied => Ok(copied),
            }
        })
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        self.transfer(from, pos, |host, from, buf, at| {
            let len = from.copy_from(buf);
            if len == 0 {
                return Err(Errno::EFAULT);
            }
            host_proc::pwrite(host.fd(), &buf[..len], at)
        })
    }

    /// Every number is an address, and sums wrap.
    #[doc(alias = "mem_lseek")]
    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        let mut pos = file.pos.lock();
        *pos = match whence {
            Whence::Set => offset.cast_unsigned(),
            Whence::Cur => pos.wrapping_add_signed(offset),
            _ => return Err(Errno::EINVAL.into()),
        };
        Ok(*pos)
    }

    fn truncate(&self, _file: &FileRef, _len: u64) -> Result<(), Error> {
        Ok(())
    }

    fn seekable(&self) -> bool {
        true
    }
}

/// Physical pages are nobody's business.
pub fn open_pagemap(_subject: &Subject, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    Err(Errno::EPERM.into())
}
