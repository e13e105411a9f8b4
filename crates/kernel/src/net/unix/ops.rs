//! The socket layer's calls on a local socket.
//!
//! Mirrors: net/unix/af_unix.c (`unix_stream_ops`, `unix_dgram_ops`, `unix_seqpacket_ops`), Linux 6.1.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::*;
use core::sync::atomic::Ordering;

use super::names::Address;
use super::{BOTH, Kind, Phase, RCV, SEND, UnixSock, UnixSocket};
use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::net::scm::own_ucred;
use crate::net::socket::{End, ProtoOps, Receive, Received, Send, SockCommon};

impl UnixSock {
    /// Sleeps on the socket until `look` gives an answer.
    pub(super) fn wait_until<R>(
        &self,
        nonblock: bool,
        (deadline, interrupted): (Option<u64>, Error),
        mut look: impl FnMut() -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        if let Some(result) = look() {
            return result;
        }
        if nonblock {
            return Err(Errno::EAGAIN.into());
        }
        let options = WaitOptions::interruptible("unix_wait").until(deadline);
        match self.wait.wait_event(options, look) {
            Ok(result) => result,
            Err(acrida_kcore::wait::WaitError::TimedOut) => Err(Errno::EAGAIN.into()),
            Err(acrida_kcore::wait::WaitError::Interrupted) => Err(interrupted),
        }
    }

    /// Where another socket's queue is asked for room: sleeps on *that* socket's wait queue.
    pub(super) fn name_bytes(&self) -> Vec<u8> {
        self.lock().name.as_ref().map_or_else(|| Address::Unnamed.encode(), |name| name.to_vec())
    }
}

impl ProtoOps for UnixSocket {
    fn common(&self) -> &SockCommon {
        &self.0.common
    }

    fn kind(&self) -> (u16, u32, i32) {
        let kind = match self.0.kind {
            Kind::Stream => SOCK_STREAM,
            Kind::Dgram => SOCK_DGRAM,
            Kind::Seqpacket => SOCK_SEQPACKET,
        };
        (AF_UNIX, kind, 0)
    }

    fn bind(&self, addr: &[u8]) -> Result<(), Error> {
        self.0.bind(addr)
    }

    fn connect(&self, addr: &[u8], nonblock: bool) -> Result<(), Error> {
        match self.0.kind {
            Kind::Dgram => self.0.dgram_connect(addr),
            _ => self.0.stream_connect(addr, nonblock),
        }
    }

    #[doc(alias = "unix_listen")]
    fn listen(&self, backlog: i32) -> Result<(), Error> {
        if self.0.kind == Kind::Dgram {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let cred = own_ucred();
        let mut state = self.0.lock();
        if state.name.is_none() || state.phase == Phase::Established {
            return Err(Errno::EINVAL.into());
        }
        let grew = backlog as usize > state.backlog;
        state.backlog = backlog as usize;
        state.phase = Phase::Listen;
        state.peer_cred = Some(cred);
        drop(state);
        if grew {
            self.0.wait.wake_all(EPOLLOUT);
        }
        Ok(())
    }

    #[doc(alias = "unix_accept")]
    fn accept(&self, nonblock: bool) -> Result<Box<dyn ProtoOps>, Error> {
        let sock = &self.0;
        if sock.kind == Kind::Dgram {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if sock.lock().phase != Phase::Listen {
            return Err(Errno::EINVAL.into());
        }
        let new = sock.wait_until(nonblock, sock.common.receive_deadline(), || {
            if let Some(new) = sock.lock().pending.pop_front() {
                return Some(Ok(new));
            }
            // A listener that was shut down answers EINVAL.
            (sock.shut() & RCV != 0).then_some(Err(Errno::EINVAL.into()))
        })?;
        // Somebody may wait for room in the backlog.
        sock.wait.wake_all(EPOLLOUT);
        Ok(Box::new(UnixSocket(new)))
    }

    #[doc(alias = "unix_getname")]
    fn name(&self, of: End) -> Result<Vec<u8>, Error> {
        match of {
            End::Own => Ok(self.0.name_bytes()),
            End::Peer => {
                let peer = self.0.lock().peer.clone().ok_or(Errno::ENOTCONN)?;
                Ok(peer.name_bytes())
            }
        }
    }

    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult {
        if send.flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match self.0.kind {
            Kind::Stream => self.0.stream_send(from, send),
            Kind::Dgram => self.0.dgram_send(from, send),
            Kind::Seqpacket => {
                self.0.common.take_error()?;
                if self.0.lock().phase != Phase::Established {
                    return Err(Errno::ENOTCONN.into());
                }
                self.0.dgram_send(from, Send { name: None, ..send })
            }
        }
    }

    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        if receive.flags & MSG_OOB != 0 {
            let errno = if self.0.kind == Kind::Stream { Errno::EINVAL } else { Errno::EOPNOTSUPP };
            return Err(errno.into());
        }
        match self.0.kind {
            Kind::Stream => self.0.stream_recv(to, receive),
            Kind::Seqpacket if self.0.lock().phase != Phase::Established => Err(Errno::ENOTCONN.into()),
            _ => self.0.dgram_recv(to, receive),
        }
    }

    #[doc(alias = "unix_shutdown")]
    fn shutdown(&self, how: i32) -> Result<(), Error> {
        let halves = match how {
            SHUT_RD => RCV,
            SHUT_WR => SEND,
            SHUT_RDWR => BOTH,
            _ => return Err(Errno::EINVAL.into()),
        };
        self.0.shut_down(halves);
        if self.0.kind != Kind::Dgram {
            let peer = self.0.lock().peer.clone();
            if let Some(peer) = peer {
                // My receiving half is the peer's sending half.
                let theirs = (if halves & RCV != 0 { SEND } else { 0 }) | (if halves & SEND != 0 { RCV } else { 0 });
                peer.shut_down(theirs);
            }
        }
        Ok(())
    }

    #[doc(alias = "unix_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> u32 {
        let sock = &self.0;
        table.poll_wait(&sock.wait);
        let shut = sock.shut();
        let mut mask = 0;
        if sock.common.err.load(Ordering::SeqCst) != 0 {
            mask |= EPOLLERR;
        }
        if shut == BOTH {
            mask |= EPOLLHUP;
        }
        if shut & RCV != 0 {
            mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
        }
        let state = sock.lock();
        if !state.queue.is_empty() || !state.pending.is_empty() {
            mask |= EPOLLIN | EPOLLRDNORM;
        }
        if sock.kind != Kind::Dgram && state.phase == Phase::Closed {
            mask |= EPOLLHUP;
        }
        let listening = state.phase == Phase::Listen;
        let peer = state.peer.clone();
        drop(state);
        let peer_full = sock.kind == Kind::Dgram && peer.is_some_and(|peer| {
            let queued_back = peer.lock().peer.as_ref().is_some_and(|p| Arc::ptr_eq(p, sock));
            if !queued_back && peer.dgram_full() {
                table.poll_wait(&peer.wait);
                return true;
            }
            false
        });
        if !listening && !peer_full && sock.writable() {
            mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
        }
        mask
    }

    fn queued(&self) -> (usize, usize) {
        let state = self.0.lock();
        let readable = match self.0.kind {
            Kind::Dgram => state.queue.front().map_or(0, |skb| skb.data.len()),
            _ => state.queue.iter().map(|skb| skb.data.len() - skb.pos).sum(),
        };
        (readable, self.0.wmem.load(Ordering::SeqCst))
    }

    fn is_listening(&self) -> bool {
        self.0.lock().phase == Phase::Listen
    }

    fn peer_cred(&self) -> Option<Ucred> {
        self.0.lock().peer_cred
    }

    fn release(&self) {
        self.0.release();
    }
}
