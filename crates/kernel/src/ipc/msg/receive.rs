//! `msgrcv`: choosing a message, waiting for one.
//!
//! Mirrors: ipc/msg.c (`do_msgrcv`, `find_msg`, `convert_mode`), Linux 6.18.
//! Locking: the queue's lock, then `Receiver::result`; senders are woken without them.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::ipc::IPC_NOWAIT;
use acrida_uapi::msg::{MSG_COPY, MSG_EXCEPT, MSG_NOERROR};

use super::{Message, MsgQueue};
use crate::abi::{Flags, SysResult};
use crate::ipc::util::{IpcObject, S_IRUGO, now};
use crate::kernel::task::Pid;
use crate::{current, kernel};

/// Which message a receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Any,
    /// The message at this place, to be copied.
    #[doc(alias = "SEARCH_NUMBER")]
    Number(i64),
    Equal(i64),
    NotEqual(i64),
    /// The lowest type up to this one.
    LessEqual(i64),
}

impl Wanted {
    #[doc(alias = "convert_mode")]
    fn parse(kind: i64, flags: u32) -> Wanted {
        match kind {
            _ if flags & MSG_COPY != 0 => Wanted::Number(kind),
            0 => Wanted::Any,
            // There is nothing as far above zero.
            ..0 => Wanted::LessEqual(kind.checked_neg().unwrap_or(i64::MAX)),
            _ if flags & MSG_EXCEPT != 0 => Wanted::NotEqual(kind),
            _ => Wanted::Equal(kind),
        }
    }

    #[doc(alias = "testmsg")]
    pub fn matches(self, kind: i64) -> bool {
        match self {
            Wanted::Any | Wanted::Number(_) => true,
            Wanted::Equal(wanted) => kind == wanted,
            Wanted::NotEqual(wanted) => kind != wanted,
            Wanted::LessEqual(most) => kind <= most,
        }
    }
}

/// A receiver that waits for a message.
#[doc(alias = "msg_receiver")]
pub struct Receiver {
    pub wanted: Wanted,
    /// Longest message it can take.
    pub max_len: usize,
    pub pid: Pid,
    result: SpinLock<Option<Result<Message, Errno>>>,
    wait: WaitQueueHead,
}

impl Receiver {
    /// Ends its wait; it has been taken off the queue.
    pub fn finish(&self, result: Result<Message, Errno>) {
        *self.result.lock() = Some(result);
    }

    pub fn wake(&self) {
        self.wait.wake_all(0);
    }
}

impl MsgQueue {
    #[doc(alias = "find_msg")]
    fn position(&self, wanted: Wanted) -> Option<usize> {
        match wanted {
            Wanted::Number(number) => usize::try_from(number).ok().filter(|&at| at < self.messages.len()),
            Wanted::LessEqual(most) => {
                let fitting = self.messages.iter().enumerate().filter(|(_, message)| message.kind <= most);
                // The first of the lowest type.
                fitting.min_by_key(|(at, message)| (message.kind, *at)).map(|(at, _)| at)
            }
            _ => self.messages.iter().position(|message| wanted.matches(message.kind)),
        }
    }
}

/// A `msgrcv` with its arguments.
struct Receive {
    id: i32,
    len: usize,
    wanted: Wanted,
    flags: u32,
}

pub fn sys_msgrcv(id: i32, msgp: UserAddr, len: usize, kind: i64, flags: Flags) -> SysResult {
    let flags = flags.0;
    if id < 0 || len > isize::MAX as usize {
        return Err(Errno::EINVAL.into());
    }
    if flags & MSG_COPY != 0 && (flags & MSG_EXCEPT != 0 || flags & IPC_NOWAIT == 0) {
        return Err(Errno::EINVAL.into());
    }
    let message = Receive { id, len, wanted: Wanted::parse(kind, flags), flags }.run()?;
    msgp.write(&message.kind)?;
    let taken = message.text.len().min(len);
    msgp.add(size_of::<i64>() as u64).write_bytes(&message.text[..taken])?;
    Ok(taken)
}

impl Receive {
    fn run(&self) -> Result<Message, Error> {
        let object = kernel().ipc.msg.find(self.id)?;
        loop {
            let receiver = match self.attempt(&object)? {
                Attempt::Message(message) => return Ok(message),
                Attempt::Waits(receiver) => receiver,
            };
            match self.wait(&object, &receiver) {
                // The queue's settings changed: look again.
                Some(Err(Errno::EAGAIN)) => {}
                Some(result) => return Ok(result?),
                None => return Err(Restart::ERESTARTNOHAND.into()),
            }
        }
    }

    fn attempt(&self, object: &IpcObject<MsgQueue>) -> Result<Attempt, Errno> {
        let mut state = object.lock();
        state.perm.check(S_IRUGO)?;
        state.perm.check_alive()?;
        let queue = &mut state.body;
        let noerror = self.flags & MSG_NOERROR != 0;
        let Some(at) = queue.position(self.wanted) else {
            if self.flags & IPC_NOWAIT != 0 {
                return Err(Errno::ENOMSG);
            }
            let receiver = Arc::new(Receiver {
                wanted: self.wanted,
                max_len: if noerror { usize::MAX } else { self.len },
                pid: current().process.tgid,
                result: SpinLock::new(None),
                wait: WaitQueueHead::new(),
            });
            queue.receivers.push_back(receiver.clone());
            return Ok(Attempt::Waits(receiver));
        };
        let len = queue.messages[at].text.len();
        if self.len < len && !noerror {
            return Err(Errno::E2BIG);
        }
        if self.flags & MSG_COPY != 0 {
            // A copy is never shortened.
            return if self.len < len { Err(Errno::EINVAL) } else { Ok(Attempt::Message(queue.messages[at].copy())) };
        }
        let message = queue.messages.remove(at).ok_or(Errno::ENOMSG)?;
        queue.cbytes -= len as u64;
        queue.rtime = now();
        queue.lrpid = current().process.tgid;
        let ipc = &kernel().ipc;
        ipc.msg_bytes.fetch_sub(len as u64, Ordering::Relaxed);
        ipc.msg_hdrs.fetch_sub(1, Ordering::Relaxed);
        let senders = queue.senders_with_room();
        drop(state);
        senders.iter().for_each(|sender| sender.wake());
        Ok(Attempt::Message(message))
    }

    /// Sleeps until somebody ends the wait; `None`: a signal did.
    fn wait(&self, object: &IpcObject<MsgQueue>, receiver: &Arc<Receiver>) -> Option<Result<Message, Errno>> {
        let options = WaitOptions::interruptible("do_msgrcv");
        let result = receiver.wait.wait_event(options, || receiver.result.lock().take());
        result.ok().or_else(|| {
            let mut state = object.lock();
            state.body.receivers.retain(|other| !Arc::ptr_eq(other, receiver));
            // A sender may have been faster than the signal.
            receiver.result.lock().take()
        })
    }
}

/// What a look at the queue gave.
enum Attempt {
    Message(Message),
    /// None yet: the receiver stands in the queue.
    Waits(Arc<Receiver>),
}

impl Message {
    #[doc(alias = "copy_msg")]
    fn copy(&self) -> Message {
        Message { kind: self.kind, text: self.text.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_says_what_is_wanted() {
        assert_eq!(Wanted::parse(0, MSG_EXCEPT), Wanted::Any);
        assert_eq!(Wanted::parse(-5, MSG_EXCEPT), Wanted::LessEqual(5));
        assert_eq!(Wanted::parse(i64::MIN, 0), Wanted::LessEqual(i64::MAX));
        assert_eq!(Wanted::parse(3, MSG_EXCEPT), Wanted::NotEqual(3));
        assert_eq!(Wanted::parse(-1, MSG_COPY), Wanted::Number(-1));
    }
}
