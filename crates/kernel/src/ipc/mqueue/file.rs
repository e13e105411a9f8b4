//! Open queues.
//!
//! Mirrors: ipc/mqueue.c (`mqueue_file_operations`), Linux 6.18.
//! Locking: the queue's state for one look.

use alloc::format;
use alloc::sync::Arc;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::siginfo::SIGEV_SIGNAL;

use super::inode::MqInode;
use super::notify::forget;
use super::queue::Queue;
use crate::abi::SysResult;
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::libfs::generic_llseek;
use crate::fs::poll::PollTable;

/// Size of a queue's text.
pub const FILENT_SIZE: u64 = 80;

/// An open queue.
pub struct MqFile(pub Arc<MqInode>);

impl MqFile {
    pub fn queue(&self) -> &Queue {
        &self.0.queue
    }
}

impl FileOperations for MqFile {
    #[doc(alias = "mqueue_read_file")]
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let text = {
            let state = self.queue().state.lock();
            let owner = state.notification.as_ref();
            let how = owner.map_or(0, |owner| owner.how);
            let signo = owner.filter(|owner| owner.how == SIGEV_SIGNAL).map_or(0, |owner| owner.signo);
            let pid = owner.map_or(0, |owner| owner.pid);
            format!("QSIZE:{:<10} NOTIFY:{how:<5} SIGNO:{signo:<5} NOTIFY_PID:{pid:<6}\n", state.qsize)
        };
        let rest = usize::try_from(*pos).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or(&[]);
        if rest.is_empty() || to.count() == 0 {
            return Ok(0);
        }
        let copied = to.copy_to(rest);
        if copied == 0 {
            return Err(Errno::EFAULT.into());
        }
        *pos += copied as u64;
        self.0.accessed();
        Ok(copied)
    }

    #[doc(alias = "default_llseek")]
    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        generic_llseek(&file.pos, offset, whence, FILENT_SIZE)
    }

    fn seekable(&self) -> bool {
        true
    }

    /// Accepted, and shown.
    fn truncate(&self, _file: &FileRef, len: u64) -> Result<(), Error> {
        self.0.set_size(len);
        Ok(())
    }

    #[doc(alias = "mqueue_poll_file")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(self.queue().wait_queue());
        Some(self.queue().events())
    }

    fn can_poll(&self) -> bool {
        true
    }

    /// Whoever is to be told and closes the queue is told no more.
    #[doc(alias = "mqueue_flush_file")]
    fn flush(&self, _file: &FileRef) -> Result<(), Error> {
        forget(self.queue());
        Ok(())
    }
}
