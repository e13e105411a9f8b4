//! The urgent byte of a stream.
//!
//! It travels in a message of its own, in its place among the others; the receiver's state remembers which one it is. A
//! plain read stops before it, the next one skips it (unless it is to be read in line); `MSG_OOB` takes it out of turn and
//! leaves an empty message where it was.
//!
//! Mirrors: net/unix/af_unix.c (`queue_oob`, `unix_stream_recv_urg`, `manage_oob`), Linux 6.18.
//! Locking: the receiver's state, over the copy to the guest.

use alloc::sync::Arc;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{MSG_OOB, MSG_PEEK, SO_OOBINLINE};

use super::message::Spent;
use super::stream_send::{Luggage, broken_pipe};
use super::{State, UnixSock};
use crate::fs::iov_iter::IovIter;
use crate::net::core::skbuff::{Layout, MAX_HEAD, SkBuff};
use crate::net::socket::{Received, Send};

/// Where a receiver goes on after looking for the urgent byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The message at this index.
    At(usize),
    /// Nothing more for now.
    Nothing,
    /// The call ends here.
    Stop,
}

impl State {
    fn number(&self, index: usize) -> u64 {
        self.taken + index as u64
    }

    fn is_oob(&self, index: usize) -> bool {
        self.oob == Some(self.number(index))
    }

    /// Steps over empty messages and the urgent one, as the receiver at `index` must. Messages that are done with go to
    /// `done`.
    #[doc(alias = "manage_oob")]
    pub(super) fn pass_oob(&mut self, mut index: usize, peek: bool, copied: usize, inline: bool, done: &mut Spent) -> Next {
        let Some(message) = self.queue.get(index) else {
            return Next::Nothing;
        };
        if message.left() > 0 && !self.is_oob(index) {
            return Next::At(index);
        }
        if message.left() == 0 {
            if copied > 0 && (self.oob.is_none() || self.is_oob(index)) {
                return Next::Stop;
            }
            if peek {
                index += 1;
            } else {
                done.add(self.pop());
            }
            if index >= self.queue.len() {
                return if copied > 0 { Next::Stop } else { Next::Nothing };
            }
        }
        if !self.is_oob(index) {
            return Next::At(index);
        }
        if copied > 0 {
            return Next::Stop;
        }
        if !peek {
            self.oob = None;
            if !inline {
                done.add(self.pop());
            }
        } else if !inline {
            index += 1;
        }
        if index < self.queue.len() { Next::At(index) } else { Next::Nothing }
    }
}

impl UnixSock {
    pub(super) fn oob_inline(&self) -> bool {
        self.common.remembers(SO_OOBINLINE)
    }

    /// Sends the next byte of `from` as the urgent one.
    pub(super) fn queue_oob(
        self: &Arc<Self>,
        peer: &Arc<UnixSock>,
        from: &mut IovIter<'_>,
        send: &mut Send<'_>,
    ) -> Result<(), Error> {
        let layout = Layout::of(1, MAX_HEAD);
        self.reserve(layout.truesize(), send.blocking)?;
        let unreserve = |_: &Errno| self.unreserve(layout.truesize());
        let luggage = Luggage::pack(send).inspect_err(unreserve)?;
        let skb = SkBuff::copy_from(from, layout).inspect_err(unreserve)?;
        let mark = |state: &mut State| state.oob = Some(state.number(state.queue.len()));
        self.queue_piece(peer, skb, luggage, mark).map_err(|errno| match errno {
            Errno::EPIPE => broken_pipe(send.flags),
            other => other.into(),
        })?;
        peer.common.send_sigurg();
        Ok(())
    }

    /// Takes the urgent byte out of turn.
    #[doc(alias = "unix_stream_recv_urg")]
    pub(super) fn receive_oob(&self, to: &mut IovIter<'_>, flags: u32) -> Result<Received, Error> {
        let mut state = self.lock();
        let number = state.oob.filter(|_| !self.oob_inline()).ok_or(Errno::EINVAL)?;
        let index = (number - state.taken) as usize;
        if flags & MSG_PEEK == 0 {
            state.oob = None;
        }
        let Some(message) = state.queue.get_mut(index) else {
            return Err(Errno::EINVAL.into());
        };
        let room = to.count().min(1);
        let copied = message.skb.copy_to(to, 0, room);
        if flags & MSG_PEEK == 0 {
            message.consumed = message.skb.len();
        }
        if copied < room {
            return Err(Errno::EFAULT.into());
        }
        Ok(Received { len: 1, flags: MSG_OOB, ..Received::default() })
    }

    /// Whether the next byte to read is, or was, the urgent one.
    #[doc(alias = "SIOCATMARK")]
    pub(super) fn at_mark(&self) -> bool {
        let state = self.lock();
        let Some(first) = state.queue.front() else {
            return false;
        };
        state.is_oob(0) || first.left() == 0 && (state.oob.is_none() || state.is_oob(1))
    }
}
