//! Connections: listeners, their queue of half-made peers, `accept`.
//!
//! Mirrors: net/unix/af_unix.c (`unix_listen`, `unix_stream_connect`, `unix_accept`), Linux 6.18.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};

use super::{Kind, Limit, Phase, RCV, UnixSock};
use crate::net::scm::PeerCred;

/// What became of one try to queue a connection.
enum Try {
    Queued(Option<PeerCred>),
    /// The listener died between look-up and lock: look again.
    Gone,
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
    pub(super) fn stream_connect(self: &Arc<Self>, addr: &[u8], nonblock: bool) -> Result<(), Error> {
        self.check_addr(addr)?;
        if self.common.wants_creds() {
            self.autobind()?;
        }
        let deadline = || self.common.send_deadline();
        loop {
            let listener = self.find_other(addr)?;
            let embryo = UnixSock::new(self.kind);
            let options = WaitOptions::interruptible("unix_wait_for_peer").exclusive();
            let tried = UnixSock::wait_until(&listener.peer_wait, options, Limit::new(nonblock, &deadline), || {
                self.try_connect(&listener, &embryo)
            })?;
            let Try::Queued(their_cred) = tried else {
                continue;
            };
            let mut state = self.lock();
            // The listener may have gone already, and the embryo with it.
            state.peer = Some(embryo);
            state.phase = Phase::Established;
            state.peer_cred = their_cred;
            drop(state);
            listener.data_ready();
            return Ok(());
        }
    }

    /// `None`: the backlog is full.
    fn try_connect(self: &Arc<Self>, listener: &Arc<UnixSock>, embryo: &Arc<UnixSock>) -> Option<Result<Try, Error>> {
        let own = if Arc::ptr_eq(self, listener) { None } else { Some(self.lock().phase) };
        let mut state = listener.lock();
        if state.dead {
            return Some(Ok(Try::Gone));
        }
        if state.phase != Phase::Listen || listener.shut() & RCV != 0 {
            return Some(Err(Errno::ECONNREFUSED.into()));
        }
        if state.pending.len() > state.backlog {
            return None;
        }
        match own.unwrap_or(state.phase) {
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
            new.name = state.name.clone();
        }
        let (ours, theirs) = (&embryo.common, &listener.common);
        ours.passcred.store(theirs.passcred.load(Ordering::Relaxed), Ordering::Relaxed);
        ours.passpidfd.store(theirs.passpidfd.load(Ordering::Relaxed), Ordering::Relaxed);
        ours.passrights.store(theirs.passrights.load(Ordering::Relaxed), Ordering::Relaxed);
        state.pending.push_back(embryo.clone());
        Some(Ok(Try::Queued(state.peer_cred.clone())))
    }

    #[doc(alias = "unix_accept")]
    pub(super) fn accept(&self, nonblock: bool) -> Result<Arc<UnixSock>, Error> {
        if self.kind == Kind::Dgram {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if self.lock().phase != Phase::Listen {
            return Err(Errno::EINVAL.into());
        }
        let deadline = || self.common.receive_deadline();
        let options = WaitOptions::interruptible("skb_wait_for_more_packets").exclusive();
        let new = UnixSock::wait_until(&self.wait, options, Limit::new(nonblock, &deadline), || {
            if let Some(new) = self.lock().pending.pop_front() {
                return Some(Ok(new));
            }
            // A listener that was shut down answers EINVAL, but only to those who would wait.
            (!nonblock && self.shut() & RCV != 0).then_some(Err(Errno::EINVAL.into()))
        })?;
        // Somebody may wait for room in the backlog.
        self.peer_wait.wake_one(0);
        Ok(new)
    }
}
