//! Readiness of a local socket.
//!
//! Mirrors: net/unix/af_unix.c (`unix_poll`, `unix_dgram_poll`), Linux 6.18.
//! Differs: a datagram socket whose peer's queue is full registers there itself, instead of a relay to its own queue.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_uapi::epoll::*;

use super::{BOTH, Kind, Phase, RCV, UnixSock};
use crate::fs::poll::PollTable;

const WRITABLE: u32 = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

impl UnixSock {
    pub(super) fn poll(self: &Arc<Self>, table: &mut PollTable<'_>) -> u32 {
        table.poll_wait(&self.wait);
        let mut mask = 0;
        let state = self.lock();
        let shut = self.shut();
        if self.common.err.load(Ordering::SeqCst) != 0 {
            mask |= EPOLLERR;
        }
        if shut == BOTH {
            mask |= EPOLLHUP;
        }
        if shut & RCV != 0 {
            mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
        }
        if !state.queue.is_empty() || !state.pending.is_empty() {
            mask |= EPOLLIN | EPOLLRDNORM;
        }
        if state.oob.is_some() {
            mask |= EPOLLPRI;
        }
        if self.kind != Kind::Dgram && state.phase == Phase::Closed {
            mask |= EPOLLHUP;
        }
        let phase = state.phase;
        let peer = if self.kind == Kind::Stream { None } else { state.peer.clone() };
        drop(state);
        let wanted = self.kind == Kind::Stream || table.key & WRITABLE != 0;
        if !wanted {
            return mask;
        }
        let room = phase != Phase::Listen
            && self.common.writable()
            && !peer.is_some_and(|peer| self.must_wait_for(&peer, table));
        if room {
            return mask | WRITABLE;
        }
        self.common.note_no_space();
        mask
    }

    /// Whether the peer's queue is full, and registers there if so.
    #[doc(alias = "unix_dgram_peer_wake_me")]
    fn must_wait_for(self: &Arc<Self>, peer: &Arc<UnixSock>, table: &mut PollTable<'_>) -> bool {
        let full = || {
            let theirs = peer.lock();
            !theirs.dead && !theirs.is_peer(self) && theirs.dgram_full()
        };
        if !full() {
            return false;
        }
        table.poll_wait(&peer.peer_wait);
        // Room may have come before the registration.
        full()
    }
}
