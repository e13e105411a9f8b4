//! `msgsnd`: handing a message over, queueing it, waiting for room.
//!
//! Mirrors: ipc/msg.c (`do_msgsnd`, `pipelined_send`, `ss_wakeup`), Linux 6.18.
//! Locking: the queue's lock; sleepers are woken without it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Restart};
use acrida_uapi::ipc::IPC_NOWAIT;

use super::receive::Receiver;
use super::{Message, MsgQueue};
use crate::abi::{Flags, SysResult};
use crate::ipc::util::{S_IWUGO, now};
use crate::{current, kernel};

/// A sender that waits for room.
#[doc(alias = "msg_sender")]
pub struct Sender {
    len: usize,
    woken: AtomicBool,
    wait: WaitQueueHead,
}

impl Sender {
    fn new(len: usize) -> Arc<Sender> {
        Arc::new(Sender { len, woken: AtomicBool::new(false), wait: WaitQueueHead::new() })
    }

    /// Lets it try again.
    pub fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.wait.wake_all(0);
    }
}

impl MsgQueue {
    /// Takes the senders off that may find room now, to be woken without the lock; the others keep their order.
    #[doc(alias = "ss_wakeup")]
    pub fn senders_with_room(&mut self) -> Vec<Arc<Sender>> {
        if self.senders.is_empty() {
            return Vec::new();
        }
        let senders = core::mem::take(&mut self.senders);
        let (fitting, waiting): (Vec<_>, Vec<_>) = senders.into_iter().partition(|sender| self.has_room(sender.len));
        self.senders = waiting.into();
        fitting
    }

    /// Gives the message to the first receiver that waits for such a one; receivers whose buffer is too small learn it.
    #[doc(alias = "pipelined_send")]
    fn hand_over(&mut self, message: Message, woken: &mut Vec<Arc<Receiver>>) -> Option<Message> {
        let mut message = Some(message);
        while let Some(at) = message.as_ref().and_then(|m| self.receivers.iter().position(|r| r.wanted.matches(m.kind))) {
            let Some(receiver) = self.receivers.remove(at) else { break };
            let fits = message.as_ref().is_some_and(|message| message.text.len() <= receiver.max_len);
            let result = if fits { message.take().ok_or(Errno::E2BIG) } else { Err(Errno::E2BIG) };
            if result.is_ok() {
                self.lrpid = receiver.pid;
                self.rtime = now();
            }
            receiver.finish(result);
            woken.push(receiver);
        }
        message
    }
}

pub fn sys_msgsnd(id: i32, msgp: UserAddr, len: usize, flags: Flags) -> SysResult {
    let kind: i64 = msgp.read()?;
    let kernel = kernel();
    if len as u64 > kernel.sysctl.msgmax.get() || id < 0 || kind < 1 {
        return Err(Errno::EINVAL.into());
    }
    let mut text = vec![0; len];
    msgp.add(size_of::<i64>() as u64).read_bytes(&mut text)?;
    let message = Message { kind, text };
    let object = kernel.ipc.msg.find(id)?;
    let mut state = object.lock();
    loop {
        state.perm.check(S_IWUGO)?;
        state.perm.check_alive()?;
        if state.body.has_room(len) {
            break;
        }
        if flags.0 & IPC_NOWAIT != 0 {
            return Err(Errno::EAGAIN.into());
        }
        let sender = Sender::new(len);
        state.body.senders.push_back(sender.clone());
        drop(state);
        let options = WaitOptions::interruptible("do_msgsnd");
        let woken = sender.wait.wait_event(options, || sender.woken.load(Ordering::Acquire).then_some(()));
        state = object.lock();
        state.perm.check_alive()?;
        state.body.senders.retain(|other| !Arc::ptr_eq(other, &sender));
        if woken.is_err() {
            return Err(Restart::ERESTARTNOHAND.into());
        }
    }
    let queue = &mut state.body;
    queue.lspid = current().process.tgid;
    queue.stime = now();
    let mut woken = Vec::new();
    if let Some(message) = queue.hand_over(message, &mut woken) {
        queue.cbytes += len as u64;
        queue.messages.push_back(message);
        kernel.ipc.msg_bytes.fetch_add(len as u64, Ordering::Relaxed);
        kernel.ipc.msg_hdrs.fetch_add(1, Ordering::Relaxed);
    }
    drop(state);
    woken.iter().for_each(|receiver| receiver.wake());
    Ok(0)
}
