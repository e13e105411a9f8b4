//! Receiving messages with boundaries.
//!
//! Mirrors: net/unix/af_unix.c (`__unix_dgram_recvmsg`), net/core/datagram.c (`__skb_try_recv_datagram`), Linux 6.18.
//! Locking: the socket's state, over the copy to the guest; senders are woken, and files let go, after it.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{MSG_OOB, MSG_PEEK, MSG_TRUNC};

use super::stream_recv::{backward, forward};
use super::{Kind, Message, Phase, RCV, UnixSock};
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;
use crate::net::core::sock::Timeout;
use crate::net::scm::Sender;
use crate::net::socket::{Receive, Received};

/// What a receiver got, and the message if it was taken.
struct Taken {
    got: Received,
    creds: Option<Sender>,
    from: Option<Arc<UnixSock>>,
    message: Option<Message>,
    /// Who becomes writable by the room it leaves.
    relays: Vec<Weak<UnixSock>>,
    result: Result<(), Errno>,
}

impl UnixSock {
    pub(super) fn dgram_recv(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        if self.kind == Kind::Seqpacket && self.lock().phase != Phase::Established {
            return Err(Errno::ENOTCONN.into());
        }
        if receive.flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let look = || {
            if let Err(errno) = self.common.take_error() {
                return Some(Err(errno.into()));
            }
            if let Some(taken) = self.take_message(to, receive) {
                return Some(Ok(Some(taken)));
            }
            // The end is told at once, but by a datagram socket only to those who would wait.
            let ended = self.shut() & RCV != 0 && (self.kind == Kind::Seqpacket || receive.blocking == Blocking::Yes);
            ended.then_some(Ok(None))
        };
        let queue = || (&*self.wait, WaitOptions::interruptible("skb_wait_for_more_packets").exclusive());
        let taken = self.common.wait_until(Timeout::Receive, receive.blocking, queue, look)?;
        let Some(Taken { mut got, creds, from, message, relays, result }) = taken else {
            return Ok(Received::default());
        };
        if let Some(mut message) = message {
            got.travelled = message.files.take();
            drop(message);
            self.room_made(relays);
        }
        result?;
        if let Some(sender) = from {
            got.name = sender.sender_name();
        }
        self.unpack(&mut got, creds);
        Ok(got)
    }

    /// The next message, if there is one: copied out, and taken off the queue unless it is only looked at.
    fn take_message(&self, to: &mut IovIter<'_>, receive: Receive) -> Option<Taken> {
        let flags = receive.flags;
        let peek = flags & MSG_PEEK != 0;
        let mut state = self.lock();
        let mut skip = if peek { self.common.peek_off.load(Ordering::Relaxed).max(0) as usize } else { 0 };
        let mut index = 0;
        // A peek offset counts over messages; one that lies behind them all finds nothing.
        while skip > 0 {
            let len = state.queue.get(index)?.skb.len();
            if skip < len {
                break;
            }
            skip -= len;
            index += 1;
        }
        let message = state.queue.get(index)?;
        let (len, room) = (message.skb.len() - skip, to.count());
        let size = len.min(room);
        let mut got = Received::default();
        let from = receive.wants_name.then(|| message.sender.clone());
        let creds = message.creds.clone();
        let option = self.common.stamps.load(Ordering::Relaxed);
        if option != 0 {
            // A message that was sent before anybody asked is told the time of its arrival.
            got.scm.stamp = Some((if message.stamp == 0 { self.common.stamp() } else { message.stamp }, option));
        }
        let copied = message.skb.copy_to(to, skip, size);
        got.flags = if len > room { MSG_TRUNC } else { 0 };
        got.len = if flags & MSG_TRUNC != 0 { len } else { size };
        // A message that cannot be delivered is lost, as on Linux.
        let result = if copied < size { Err(Errno::EFAULT) } else { Ok(()) };
        if peek {
            if result.is_ok() {
                got.scm.files = message.files.as_ref().map(|files| files.peek()).unwrap_or_default();
                forward(self, size);
            }
            return Some(Taken { got, creds, from, message: None, relays: Vec::new(), result });
        }
        backward(self, message.skb.len());
        let message = state.pop();
        let relays = core::mem::take(&mut state.relays);
        drop(state);
        Some(Taken { got, creds, from, message, relays, result })
    }
}
