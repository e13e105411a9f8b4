//! Connections: listeners, their queue of half-made peers, `accept`.
//!
//! Mirrors: net/unix/af_unix.c (`unix_listen`, `unix_stream_connect`, `unix_accept`), Linux 6.18.
//! Locking: the listener's state, then the connecting socket's, which is only tried, then the embryo's, which nobody else
//! knows yet.

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};
use alloc::sync::Arc;

use super::names::Found;
use super::{Kind, Phase, RCV, UnixSock};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::read_write::Blocking;
use crate::net::core::sock::Timeout;
use crate::net::host_socket::HostSocket;
use crate::net::scm::PeerCred;

/// What became of one try to connect.
enum Try {
    Connected,
    /// The listener died between look-up and lock: look again.
    Gone,
    /// Somebody else uses the connecting socket just now: at once again.
    Busy,
}

impl UnixSock {
    #[doc(alias = "unix_listen")]
    pub(super) fn listen(&self, backlog: usize) -> Result<(), Error> {
        if self.kind == Kind::Dgram {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let cred = PeerCred::of_current();
        let mut state = self.lock();
        if state.name.is_none() || state.phase == Phase::Established {
            return Err(Errno::EINVAL.into());
        }
        let grew = backlog > state.backlog;
        state.backlog = backlog;
        state.phase = Phase::Listen;
        state.peer_cred = Some(cred);
        drop(state);
        if grew {
            self.peer_wait.wake_all(0);
        }
        Ok(())
    }

    #[doc(alias = "unix_stream_connect")]
    pub(super) fn stream_connect(self: &Arc<Self>, addr: &[u8], blocking: Blocking) -> Result<Option<HostSocket>, Error> {
        self.check_addr(addr)?;
        if self.common.wants_creds() {
            self.autobind()?;
        }
        loop {
            let listener = match self.find_other(addr)? {
                Found::Ours(listener) => listener,
                Found::Host(place) => return self.connect_to_host(&place, blocking).map(Some),
            };
            let embryo = UnixSock::new(self.kind);
            let queue = || (&*listener.peer_wait, WaitOptions::interruptible("unix_wait_for_peer").exclusive());
            let look = || self.try_connect(&listener, &embryo);
            let tried = self.common.wait_until(Timeout::Send, blocking, queue, look)?;
            match tried {
                Try::Connected => {
                    listener.data_ready();
                    return Ok(None);
                }
                Try::Gone => {}
                // Waits for whoever has it.
                Try::Busy => drop(self.lock()),
            }
        }
    }

    /// A socket of the host, connected, to take this one's place.
    pub(super) fn connect_to_host(&self, place: &HostHandle, blocking: Blocking) -> Result<HostSocket, Error> {
        match self.lock().phase {
            Phase::Listen => return Err(Errno::EINVAL.into()),
            Phase::Established if self.kind != Kind::Dgram => return Err(Errno::EISCONN.into()),
            _ => {}
        }
        HostSocket::connected_to(place.fd(), self.kind.number(), &self.common, &self.wait, blocking)
    }

    /// Queues `embryo` on the listener and connects to it, as one step: another thread may be connecting the same socket.
    /// `None`: the backlog is full.
    fn try_connect(self: &Arc<Self>, listener: &Arc<UnixSock>, embryo: &Arc<UnixSock>) -> Option<Result<Try, Error>> {
        let mut theirs = listener.lock();
        if theirs.dead {
            return Some(Ok(Try::Gone));
        }
        if theirs.phase != Phase::Listen || listener.shut() & RCV != 0 {
            return Some(Err(Errno::ECONNREFUSED.into()));
        }
        if theirs.pending.len() > theirs.backlog {
            return None;
        }
        if Arc::ptr_eq(self, listener) {
            return Some(Err(Errno::EINVAL.into()));
        }
        // The second lock of two: only tried, for the listener may be connecting in its turn.
        let Some(mut own) = self.state.try_lock() else {
            return Some(Ok(Try::Busy));
        };
        match own.phase {
            Phase::Closed => {}
            Phase::Established => return Some(Err(Errno::EISCONN.into())),
            Phase::Listen => return Some(Err(Errno::EINVAL.into())),
        }
        {
            // Nobody else knows the embryo yet. It has the listener's name and options.
            let mut new = embryo.lock();
            new.peer = Some(self.clone());
            new.phase = Phase::Established;
            new.peer_cred = Some(PeerCred::of_current());
            new.name = theirs.name.clone();
            new.path = theirs.path.clone();
        }
        embryo.common.inherit(&listener.common);
        theirs.pending.push_back(embryo.clone());
        own.peer = Some(embryo.clone());
        own.phase = Phase::Established;
        own.peer_cred = theirs.peer_cred.clone();
        Some(Ok(Try::Connected))
    }

    #[doc(alias = "unix_accept")]
    pub(super) fn accept(&self, blocking: Blocking) -> Result<Arc<UnixSock>, Error> {
        if self.kind == Kind::Dgram {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if self.lock().phase != Phase::Listen {
            return Err(Errno::EINVAL.into());
        }
        let queue = || (&*self.wait, WaitOptions::interruptible("skb_wait_for_more_packets").exclusive());
        let new = self.common.wait_until(Timeout::Receive, blocking, queue, || {
            if let Some(new) = self.lock().pending.pop_front() {
                return Some(Ok(new));
            }
            // A listener that was shut down answers EINVAL, but only to those who would wait.
            (blocking == Blocking::Yes && self.shut() & RCV != 0).then_some(Err(Errno::EINVAL.into()))
        })?;
        // Somebody may wait for room in the backlog.
        self.peer_wait.wake_one(0);
        Ok(new)
    }
}
