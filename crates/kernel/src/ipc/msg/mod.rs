//! System V message queues.
//!
//! A sender that finds somebody waiting for its message hands it straight over: the message never enters the queue, and
//! the receiver wakes up with it in hand. Otherwise it is queued, or the sender waits for room.
//!
//! ```text
//!   msgsnd ──► a waiting receiver whose type fits ──► its hands
//!      │ none                                            ▲
//!      └─ room? ─ yes ─► messages ── msgrcv ─────────────┘
//!            └─ no ──► senders (woken when a message leaves)
//! ```
//!
//! - [`send`]: `msgsnd`
//! - [`receive`]: `msgrcv`
//! - [`ctl`]: `msgctl`
//!
//! Mirrors: ipc/msg.c, ipc/msgutil.c, Linux 6.18.
//! Locking: the queue's lock; sleepers are woken without it.

pub mod ctl;
pub mod receive;
pub mod send;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::Errno;

use self::receive::Receiver;
use self::send::Sender;
use super::util::{IpcParams, now};
use crate::abi::{Flags, SysResult};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::kernel;
use crate::kernel::state::Kernel;
use crate::kernel::task::Pid;

/// A message.
#[doc(alias = "msg_msg")]
pub struct Message {
    pub kind: i64,
    pub text: Vec<u8>,
}

/// A queue.
#[doc(alias = "msg_queue")]
pub struct MsgQueue {
    stime: i64,
    rtime: i64,
    ctime: i64,
    /// Bytes in the queue, and how many there may be.
    cbytes: u64,
    qbytes: u64,
    lspid: Pid,
    lrpid: Pid,
    messages: VecDeque<Message>,
    receivers: VecDeque<Arc<Receiver>>,
    senders: VecDeque<Arc<Sender>>,
}

impl MsgQueue {
    fn new(qbytes: u64) -> MsgQueue {
        MsgQueue {
            stime: 0,
            rtime: 0,
            ctime: now(),
            cbytes: 0,
            qbytes,
            lspid: 0,
            lrpid: 0,
            messages: VecDeque::new(),
            receivers: VecDeque::new(),
            senders: VecDeque::new(),
        }
    }

    /// Whether a message of `len` bytes fits now.
    #[doc(alias = "msg_fits_inqueue")]
    fn has_room(&self, len: usize) -> bool {
        len as u64 + self.cbytes <= self.qbytes && 1 + self.messages.len() as u64 <= self.qbytes
    }
}

pub fn sys_msgget(key: i32, flags: Flags) -> SysResult {
    let kernel = kernel();
    let params = IpcParams { key, flags: flags.0, limit: kernel.sysctl.msgmni.get() };
    let new = |_| Ok(MsgQueue::new(kernel.sysctl.msgmnb.get()));
    Ok(kernel.ipc.msg.get_or_create(params, |_| Ok(()), new, |_| ())? as usize)
}

/// Removes the queue with its messages; everybody who waits learns it.
#[doc(alias = "freeque")]
fn remove(kernel: &Kernel, id: i32) -> Result<(), Errno> {
    let (receivers, senders, messages) = kernel.ipc.msg.change(id, |mut queue| {
        queue.remove();
        let body = &mut queue.state.body;
        kernel.ipc.msg_hdrs.fetch_sub(body.messages.len() as u64, Ordering::Relaxed);
        kernel.ipc.msg_bytes.fetch_sub(body.cbytes, Ordering::Relaxed);
        let receivers = core::mem::take(&mut body.receivers);
        for receiver in &receivers {
            receiver.finish(Err(Errno::EIDRM));
        }
        Ok((receivers, core::mem::take(&mut body.senders), core::mem::take(&mut body.messages)))
    })?;
    receivers.iter().for_each(|receiver| receiver.wake());
    senders.iter().for_each(|sender| sender.wake());
    drop(messages);
    Ok(())
}

/// Rows of /proc/sysvipc/msg.
#[doc(alias = "sysvipc_msg_proc_show")]
pub fn show(out: &mut SeqFile) {
    for object in kernel().ipc.msg.all() {
        let state = object.lock();
        let (perm, queue) = (&state.perm, &state.body);
        seq_printf!(
            out,
            "{:10} {:10}  {:4o}  {:10} {:10} {:5} {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10}\n",
            perm.key,
            perm.id,
            perm.mode,
            queue.cbytes,
            queue.messages.len(),
            queue.lspid,
            queue.lrpid,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            queue.stime,
            queue.rtime,
            queue.ctime,
        );
    }
}
