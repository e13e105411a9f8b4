//! Readiness of a local socket.
//!
//! Mirrors: net/unix/af_unix.c (`unix_poll`, `unix_dgram_poll`), Linux 6.18.
//! Locking: the socket's state, then, alone, its peer's.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_uapi::epoll::*;

use super::{BOTH, Kind, Phase, RCV, State, UnixSock};
use crate::fs::poll::PollTable;

const WRITABLE: u32 = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;

impl State {
    /// Room in this queue is to make `sock` writable.
    #[doc(alias = "unix_dgram_peer_wake_connect")]
    pub(super) fn relay_to(&mut self, sock: &Arc<UnixSock>) {
        if !self.relays.iter().any(|relay| core::ptr::eq(relay.as_ptr(), Arc::as_ptr(sock))) {
            self.relays.push(Arc::downgrade(sock));
        }
    }
}

impl UnixSock {
    /// There is room in the queue, or no queue any more: tells those who sleep and those who poll.
    #[doc(alias = "unix_dgram_peer_wake_relay")]
    pub(super) fn room_made(&self, relays: Vec<Weak<UnixSock>>) {
        self.peer_wait.wake_one(WRITABLE);
        for sock in relays.iter().filter_map(Weak::upgrade) {
            sock.wait.wake_one(WRITABLE);
        }
    }

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
        let room = phase != Phase::Listen && self.common.writable() && !peer.is_some_and(|peer| self.must_wait_for(&peer));
        if room {
            return mask | WRITABLE;
        }
        self.common.note_no_space();
        mask
    }

    /// Whether the peer's queue is full; if so, room there will wake this socket's own queue.
    #[doc(alias = "unix_dgram_peer_wake_me")]
    fn must_wait_for(self: &Arc<Self>, peer: &Arc<UnixSock>) -> bool {
        let mut theirs = peer.lock();
        let full = !theirs.dead && !theirs.is_peer(self) && theirs.dgram_full();
        if full {
            theirs.relay_to(self);
        }
        full
    }
}
