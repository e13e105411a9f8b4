//! Processes as files.
//!
//! Mirrors: kernel/fork.c and kernel/pid.c (`pidfd_fops`), Linux 6.18.
//! Locking: the pid table for a look.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{O_NONBLOCK, O_RDWR};
use acrida_uapi::pidfd::PIDFD_NONBLOCK;
use acrida_uapi::poll::{POLLHUP, POLLIN, POLLRDNORM};

use crate::abi::{Fd, Flags, SysResult};
use crate::fs::fdtable::Reserved;
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::poll::PollTable;
use crate::fs::proc::tgid_pidfd_to_process;
use crate::kernel::ptrace::{AccessMode, may_access};
use crate::kernel::task::Process;
use crate::{current, kernel};

/// Private data of a pidfd.
pub struct Pidfd {
    process: Arc<Process>,
}

impl Pidfd {
    /// Whether the number is the process's no more.
    fn is_reaped(&self) -> bool {
        !kernel().pids.process(self.process.tgid).is_some_and(|p| Arc::ptr_eq(&p, &self.process))
    }
}

impl FileOperations for Pidfd {
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.process.wait_pidfd);
        Some(match (self.process.is_dead(), self.is_reaped()) {
            (false, _) => 0,
            (true, false) => u32::from(POLLIN | POLLRDNORM),
            (true, true) => u32::from(POLLIN | POLLRDNORM | POLLHUP),
        })
    }

    fn can_poll(&self) -> bool {
        true
    }

    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        let pid = if self.is_reaped() { -1 } else { i64::from(self.process.tgid) };
        out.push_str(&format!("Pid:\t{pid}\nNSpid:\t{pid}\n"));
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some("anon_inode:[pidfd]".into())
    }
}

/// A file that stands for `process`; `flags` may have `O_NONBLOCK`.
pub fn new_file(process: Arc<Process>, flags: u32) -> FileRef {
    File::anon(Arc::new(Pidfd { process }), O_RDWR | flags)
}

/// A pidfd of `process` and its number in the caller's table, to be published close-on-exec once the number was told.
///
/// # Errors
/// `EMFILE`.
#[doc(alias = "pidfd_prepare")]
pub fn prepare(process: &Arc<Process>) -> Result<(Reserved, FileRef), Errno> {
    Ok((current().files().reserve()?, new_file(process.clone(), 0)))
}

/// The process behind a pidfd and whether it is non-blocking; `EBADF` for anything else.
pub fn process_of(fd: Fd) -> Result<(Arc<Process>, bool), Errno> {
    let file = current().files().get(fd.0)?;
    let pidfd = file.private::<Pidfd>().ok_or(Errno::EBADF)?;
    Ok((pidfd.process.clone(), file.nonblocking()))
}

/// The process that a pidfd, or an open `/proc/PID`, stands for.
#[doc(alias = "pidfd_to_pid")]
pub fn signal_target(fd: Fd) -> Result<Arc<Process>, Errno> {
    let file = current().files().get(fd.0)?;
    match file.private::<Pidfd>() {
        Some(pidfd) => Ok(pidfd.process.clone()),
        None => tgid_pidfd_to_process(&file),
    }
}

pub fn sys_pidfd_open(pid: i32, flags: Flags) -> SysResult {
    if flags.0 & !PIDFD_NONBLOCK != 0 || pid <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let tables = kernel().pids.lock();
    let process = match tables.processes.get(&(pid as u32)) {
        Some(process) => process.clone(),
        None if tables.tasks.contains_key(&(pid as u32)) => return Err(Errno::EINVAL.into()),
        None => return Err(Errno::ESRCH.into()),
    };
    drop(tables);
    let file = new_file(process, flags.0 & O_NONBLOCK);
    Ok(current().files().install(file, true)? as usize)
}

/// Another process's descriptor, duplicated into the caller's table.
pub fn sys_pidfd_getfd(pidfd: Fd, fd: i32, flags: Flags) -> SysResult {
    if flags.0 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (process, _) = process_of(pidfd)?;
    let task = process.threads.lock().first().cloned().ok_or(Errno::ESRCH)?;
    if !may_access(current(), &task, AccessMode::Real) {
        return Err(Errno::EPERM.into());
    }
    let file = task.files().get_any(fd)?;
    Ok(current().files().install(file, true)? as usize)
}
