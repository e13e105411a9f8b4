//! Messages with boundaries: datagrams, and sequenced packets once connected.
//!
//! Mirrors: net/unix/af_unix.c (`unix_dgram_connect`, `unix_dgram_sendmsg`, `__unix_dgram_recvmsg`), Linux 6.1.

use alloc::sync::Arc;
use alloc::vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{AF_UNSPEC, MSG_EOR, MSG_PEEK, MSG_TRUNC};
use core::sync::atomic::Ordering;

use super::stream::{broken_pipe, creds_for, creds_told};
use super::{Kind, MAX_DGRAM_QLEN, Phase, RCV, SEND, Skb, UnixSock};
use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::net::socket::{Receive, Received, Send};

impl UnixSock {
    /// Records the peer; an unspecified address forgets it.
    pub(super) fn dgram_connect(self: &Arc<Self>, addr: &[u8]) -> Result<(), Error> {
        if addr.len() < 2 {
            return Err(Errno::EINVAL.into());
        }
        if addr[..2] == AF_UNSPEC.to_ne_bytes() {
            let mut state = self.lock();
            state.phase = Phase::Closed;
            let old = state.peer.take();
            drop(state);
            drop(old);
            return Ok(());
        }
        if self.common.passcred.load(Ordering::Relaxed) {
            self.autobind()?;
        }
        let other = self.find_other(addr)?;
        if !self.may_send(&other) {
            return Err(Errno::EPERM.into());
        }
        let mut state = self.lock();
        state.phase = Phase::Established;
        let old = state.peer.replace(other);
        drop(state);
        drop(old);
        Ok(())
    }

    /// A socket with a peer hears only that peer.
    #[doc(alias = "unix_may_send")]
    fn may_send(self: &Arc<Self>, to: &Arc<UnixSock>) -> bool {
        let state = to.lock();
        state.peer.as_ref().is_none_or(|peer| Arc::ptr_eq(peer, self))
    }

    /// Whether strangers must wait for room.
    #[doc(alias = "unix_recvq_full")]
    pub(super) fn dgram_full(&self) -> bool {
        self.lock().queue.len() > MAX_DGRAM_QLEN
    }

    fn dgram_target(self: &Arc<Self>, send: &Send<'_>) -> Result<Arc<UnixSock>, Error> {
        match send.name {
            Some(name) => {
                let other = self.find_other(name)?;
                if self.may_send(&other) { Ok(other) } else { Err(Errno::EPERM.into()) }
            }
            None => self.lock().peer.clone().ok_or(Errno::ENOTCONN.into()),
        }
    }

    pub(super) fn dgram_send(self: &Arc<Self>, from: &mut IovIter<'_>, mut send: Send<'_>) -> SysResult {
        let len = from.count();
        if self.common.passcred.load(Ordering::Relaxed) {
            self.autobind()?;
        }
        let target = self.dgram_target(&send)?;
        if len > (self.common.sndbuf.load(Ordering::Relaxed) as usize).saturating_sub(32) {
            return Err(Errno::EMSGSIZE.into());
        }
        if self.shut() & SEND != 0 {
            return Err(broken_pipe(send.flags));
        }
        self.wait_until(send.nonblock, self.common.send_deadline(), || {
            if let Err(errno) = self.common.take_error() {
                return Some(Err(errno.into()));
            }
            if self.shut() & SEND != 0 {
                return Some(Err(broken_pipe(send.flags)));
            }
            self.charge(len).then_some(Ok(()))
        })?;
        let creds = creds_for(self, &target, &mut send.scm);
        let files = core::mem::take(&mut send.scm.files);
        let mut skb = Some(Skb { data: vec![0; len], pos: 0, files, creds, sender: self.clone() });
        if let Some(skb) = &mut skb
            && from.copy_from(&mut skb.data) < len
        {
            return Err(Errno::EFAULT.into());
        }
        let result = target.wait_until(send.nonblock, self.common.send_deadline(), || {
            let mut state = target.lock();
            if state.dead {
                return Some(Err(Errno::ECONNREFUSED.into()));
            }
            if target.shut() & RCV != 0 {
                return Some(Err(Errno::EPIPE.into()));
            }
            let mine = state.peer.as_ref().is_some_and(|peer| Arc::ptr_eq(peer, self));
            if self.kind == Kind::Dgram && !mine && state.queue.len() > MAX_DGRAM_QLEN && !Arc::ptr_eq(&target, self) {
                return None;
            }
            state.queue.extend(skb.take());
            Some(Ok(len))
        });
        match result {
            Ok(len) => {
                target.wake_readers();
                Ok(len)
            }
            Err(Error::Errno(Errno::ECONNREFUSED)) => Err(self.dead_peer(&target, &send)),
            Err(Error::Errno(Errno::EPIPE)) => Err(broken_pipe(send.flags)),
            Err(error) => Err(error),
        }
    }

    /// The target's file is closed: a connected datagram socket forgets it.
    fn dead_peer(&self, target: &Arc<UnixSock>, send: &Send<'_>) -> Error {
        if self.kind == Kind::Seqpacket {
            return broken_pipe(send.flags);
        }
        let mut state = self.lock();
        let connected = state.peer.as_ref().is_some_and(|peer| Arc::ptr_eq(peer, target));
        let old = if connected { state.peer.take() } else { None };
        drop(state);
        drop(old);
        Errno::ECONNREFUSED.into()
    }

    pub(super) fn dgram_recv(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        let peek = receive.flags & MSG_PEEK != 0;
        let (got, done) = self.wait_until(receive.nonblock, self.common.receive_deadline(), || {
            let mut state = self.lock();
            if let Some(skb) = state.queue.front_mut() {
                let len = skb.data.len().min(to.count());
                let mut got = Received::default();
                if to.copy_to(&skb.data[..len]) < len {
                    // A message that cannot be delivered is lost, as on Linux.
                    let lost = state.queue.pop_front();
                    drop(state);
                    drop(lost);
                    return Some(Err(Errno::EFAULT.into()));
                }
                let whole = skb.data.len();
                got.flags = if whole > len { MSG_TRUNC } else { 0 };
                got.flags |= if self.kind == Kind::Seqpacket { MSG_EOR } else { 0 };
                got.len = if receive.flags & MSG_TRUNC != 0 { whole } else { len };
                got.scm.files = if peek { skb.files.clone() } else { core::mem::take(&mut skb.files) };
                got.scm.creds = creds_told(self, skb.creds);
                let sender = skb.sender.clone();
                let done = if peek { None } else { state.queue.pop_front() };
                drop(state);
                if let Some(name) = sender.lock().name.as_ref() {
                    got.name = name.to_vec();
                }
                return Some(Ok((got, done)));
            }
            drop(state);
            if let Err(errno) = self.common.take_error() {
                return Some(Err(errno.into()));
            }
            (self.shut() & RCV != 0).then(|| Ok((Received::default(), None)))
        })?;
        if done.is_some() {
            drop(done);
            // Room for strangers that wait on this queue.
            self.wait.wake_all(acrida_uapi::epoll::EPOLLOUT);
        }
        Ok(got)
    }
}
