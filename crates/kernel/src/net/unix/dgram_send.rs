//! Sending messages with boundaries.
//!
//! Mirrors: net/unix/af_unix.c (`unix_dgram_connect`, `unix_dgram_sendmsg`), Linux 6.18.
//! Locking: the state of one socket at a time.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::AF_UNSPEC;

use super::message::Message;
use super::names::Found;
use super::stream_send::Luggage;
use super::{Kind, Phase, RCV, UnixSock};
use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;
use crate::fs::splice::PageSlice;
use crate::kernel;
use crate::net::core::skbuff::{Layout, MAX_ALLOC, MAX_SKB_FRAGS, SkBuff};
use crate::net::core::sock::Timeout;
use crate::net::host_socket::HostSocket;
use crate::net::socket::{ProtoOps, Send};

/// What became of one try to queue a message.
enum Try {
    Queued,
    /// The target's file is closed.
    Dead,
}

impl UnixSock {
    /// Records the peer; an unspecified address forgets it.
    #[doc(alias = "unix_dgram_connect")]
    pub(super) fn dgram_connect(self: &Arc<Self>, addr: &[u8]) -> Result<Option<HostSocket>, Error> {
        if addr.len() < 2 {
            return Err(Errno::EINVAL.into());
        }
        if addr[..2] == AF_UNSPEC.to_ne_bytes() {
            self.change_peer(None);
            return Ok(None);
        }
        self.check_addr(addr)?;
        if self.common.wants_creds() {
            self.autobind()?;
        }
        loop {
            let other = match self.find_other(addr)? {
                Found::Ours(other) => other,
                Found::Host(place) => return self.connect_to_host(&place, Blocking::Yes).map(Some),
            };
            let state = other.lock();
            if state.dead {
                continue;
            }
            if state.peer.is_some() && !state.is_peer(self) {
                return Err(Errno::EPERM.into());
            }
            drop(state);
            self.change_peer(Some(other));
            return Ok(None);
        }
    }

    fn change_peer(self: &Arc<Self>, new: Option<Arc<UnixSock>>) {
        let mut state = self.lock();
        state.phase = if new.is_some() { Phase::Established } else { Phase::Closed };
        let same = new.as_ref().is_some_and(|new| state.is_peer(new));
        let old = core::mem::replace(&mut state.peer, new);
        drop(state);
        if let Some(old) = old.filter(|_| !same) {
            self.wait.wake_all(acrida_uapi::epoll::EPOLLOUT);
            self.disconnected_from(&old);
        }
    }

    /// What the old peer sent is thrown away, and it is told.
    #[doc(alias = "unix_dgram_disconnected")]
    fn disconnected_from(self: &Arc<Self>, old: &Arc<UnixSock>) {
        let mut state = self.lock();
        let queue = core::mem::take(&mut state.queue);
        state.taken += queue.len() as u64;
        let relays = core::mem::take(&mut state.relays);
        drop(state);
        if queue.is_empty() {
            return;
        }
        drop(queue);
        self.peer_wait.wake_all(0);
        self.room_made(relays);
        let theirs = old.lock();
        if !theirs.dead && theirs.is_peer(self) {
            old.common.set_error(Errno::ECONNRESET);
            drop(theirs);
            old.wait.wake_all(acrida_uapi::epoll::EPOLLERR);
        }
    }

    /// Whom `name` names, where that must be known before there is a message: it may be a socket of the host.
    fn early_target(&self, name: Option<&[u8]>) -> Option<Found> {
        // What is wrong with the name is told in its turn.
        name.filter(|_| kernel().unix.reaches_host()).and_then(|name| self.find_other(name).ok())
    }

    fn dgram_target(&self, name: Option<&[u8]>) -> Result<Arc<UnixSock>, Error> {
        match name {
            Some(name) => match self.find_other(name)? {
                Found::Ours(other) => Ok(other),
                // It was looked for before, and has come since then.
                Found::Host(_) => Err(Errno::ECONNREFUSED.into()),
            },
            None => self.lock().peer.clone().ok_or(Errno::ENOTCONN.into()),
        }
    }

    pub(super) fn dgram_send(self: &Arc<Self>, from: &mut IovIter<'_>, mut send: Send<'_>) -> SysResult {
        let target = match self.early_target(send.name) {
            Some(Found::Host(place)) => {
                // A socket of the host for this one message.
                return self.connect_to_host(&place, Blocking::Yes)?.sendmsg(from, Send { name: None, ..send });
            }
            Some(Found::Ours(other)) => Some(other),
            None => None,
        };
        let len = from.count();
        let layout = Layout::of(len, MAX_ALLOC);
        self.dgram_prepare(len, &send, layout.truesize())?;
        let unreserve = |_: &Errno| self.unreserve(layout.truesize());
        let luggage = Luggage::pack(&mut send).inspect_err(unreserve)?;
        let skb = SkBuff::copy_from(from, layout).inspect_err(unreserve)?;
        self.dgram_queue(skb, luggage, &send, target)
    }

    /// Queues pages by reference, as one message; the bytes taken.
    pub(super) fn dgram_send_pages(self: &Arc<Self>, slices: &[PageSlice], send: &Send<'_>) -> SysResult {
        let skb = SkBuff::of_pages(&slices[..slices.len().min(MAX_SKB_FRAGS)]);
        self.dgram_prepare(skb.len(), send, skb.truesize())?;
        self.dgram_queue(skb, Luggage::NONE, send, None)
    }

    /// Everything that is checked before the bytes are looked at; charges the message.
    fn dgram_prepare(self: &Arc<Self>, len: usize, send: &Send<'_>, truesize: usize) -> Result<(), Error> {
        if let Some(name) = send.name {
            self.check_addr(name)?;
        }
        if self.common.wants_creds() {
            self.autobind()?;
        }
        if len > (self.common.sndbuf.load(Ordering::Relaxed) as usize).saturating_sub(32) {
            return Err(Errno::EMSGSIZE.into());
        }
        self.reserve(truesize, send.blocking)
    }

    /// Queues a charged message, at `target` if that was found already.
    fn dgram_queue(
        self: &Arc<Self>,
        skb: SkBuff,
        luggage: Luggage,
        send: &Send<'_>,
        mut target: Option<Arc<UnixSock>>,
    ) -> SysResult {
        let len = skb.len();
        let mut message =
            Some(Message { skb, consumed: 0, files: luggage.files, creds: luggage.creds, stamp: 0, sender: self.clone() });
        loop {
            let target = match target.take() {
                Some(target) => target,
                None => self.dgram_target(send.name)?,
            };
            if let Some(filter) = target.common.filter.get()
                && let Some(message) = &mut message
                && !filter.admit(&mut message.skb)
            {
                // Whoever sends is not told.
                return Ok(len);
            }
            let queue = || (&*target.peer_wait, WaitOptions::interruptible("unix_wait_for_peer").exclusive());
            let look = || self.try_queue(&target, &mut message);
            match self.common.wait_until(Timeout::Send, send.blocking, queue, look)? {
                Try::Queued => {
                    target.data_ready();
                    return Ok(len);
                }
                Try::Dead => self.forget_dead(&target, send)?,
            }
        }
    }

    /// `None`: the queue is full.
    fn try_queue(self: &Arc<Self>, target: &Arc<UnixSock>, message: &mut Option<Message>) -> Option<Result<Try, Error>> {
        let mut state = target.lock();
        let mine = state.is_peer(self);
        if state.peer.is_some() && !mine {
            return Some(Err(Errno::EPERM.into()));
        }
        if state.dead {
            return Some(Ok(Try::Dead));
        }
        if target.shut() & RCV != 0 {
            return Some(Err(Errno::EPIPE.into()));
        }
        if let Some(message) = message
            && message.files.is_some()
            && !target.common.passrights.load(Ordering::Relaxed)
        {
            return Some(Err(Errno::EPERM.into()));
        }
        if !mine && state.dgram_full() && !Arc::ptr_eq(target, self) {
            self.common.note_no_space();
            state.relay_to(self);
            return None;
        }
        if let Some(mut message) = message.take() {
            message.creds = self.add_creds(message.creds.take(), target);
            message.stamp = target.common.stamp();
            let with_files = message.files.is_some();
            state.queue.push_back(message);
            if with_files {
                crate::kernel().unix.collector.message_queued(target);
            }
        }
        Some(Ok(Try::Queued))
    }

    /// The target's file is closed: a connected datagram socket forgets it. `Ok`: look the name up again.
    fn forget_dead(self: &Arc<Self>, target: &Arc<UnixSock>, send: &Send<'_>) -> Result<(), Error> {
        if self.kind == Kind::Seqpacket {
            return Err(Errno::EPIPE.into());
        }
        let mut state = self.lock();
        if state.is_peer(target) {
            state.phase = Phase::Closed;
            let old = state.peer.take();
            drop(state);
            drop(old);
            self.disconnected_from(target);
            return Err(Errno::ECONNREFUSED.into());
        }
        if send.name.is_some() { Ok(()) } else { Err(Errno::ECONNRESET.into()) }
    }
}
