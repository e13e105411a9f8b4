//! `shutdown`, and the end of a socket.
//!
//! Mirrors: net/unix/af_unix.c (`unix_shutdown`, `unix_release_sock`), Linux 6.18.
//! Locking: the socket's state; queues and peers are let go and told after it.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::siginfo::{POLL_HUP, POLL_IN};
use acrida_uapi::socket::{SHUT_RD, SHUT_RDWR, SHUT_WR};

use super::{BOTH, Kind, Message, Phase, RCV, SEND, State, UnixSock};

/// Whether a connection goes with its file or was never accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    File,
    #[doc(alias = "embrion")]
    Embryo,
}

impl State {
    /// Whether closing now loses something that the peer sent: a byte that was read out of turn is not lost.
    fn has_unread(&self, kind: Kind) -> bool {
        match kind {
            Kind::Stream => self.queue.iter().any(|message| message.left() > 0),
            _ => !self.queue.is_empty(),
        }
    }
}

impl UnixSock {
    #[doc(alias = "unix_shutdown")]
    pub(super) fn shut_down(&self, how: i32) -> Result<(), Error> {
        let halves = match how {
            SHUT_RD => RCV,
            SHUT_WR => SEND,
            SHUT_RDWR => BOTH,
            _ => return Err(Errno::EINVAL.into()),
        };
        let peer = {
            let state = self.lock();
            self.shutdown.fetch_or(halves, Ordering::SeqCst);
            state.peer.clone()
        };
        self.state_change();
        if let Some(peer) = peer.filter(|_| self.kind != Kind::Dgram) {
            // My receiving half is the peer's sending half.
            let theirs = (if halves & RCV != 0 { SEND } else { 0 }) | (if halves & SEND != 0 { RCV } else { 0 });
            peer.shutdown.fetch_or(theirs, Ordering::SeqCst);
            peer.state_change();
            match theirs {
                BOTH => peer.common.fasync.kill(POLL_HUP),
                RCV => peer.common.fasync.kill(POLL_IN),
                _ => {}
            }
        }
        Ok(())
    }

    /// The end of the socket's file.
    pub(super) fn release(self: &Arc<Self>) {
        self.release_as(End::File);
        crate::kernel().unix.collector.schedule();
    }

    #[doc(alias = "unix_release_sock")]
    fn release_as(self: &Arc<Self>, end: End) {
        let mut state = self.lock();
        state.dead = true;
        state.phase = Phase::Closed;
        state.oob = None;
        self.shutdown.store(BOTH, Ordering::SeqCst);
        let unread = state.has_unread(self.kind) || end == End::Embryo;
        let (peer, key, path) = (state.peer.take(), state.key.take(), state.path.take());
        let (queue, pending) = (core::mem::take(&mut state.queue), core::mem::take(&mut state.pending));
        let relays = core::mem::take(&mut state.relays);
        drop(state);
        if let Some(key) = key {
            crate::kernel().unix.unbind(&key, self);
        }
        drop(path);
        self.peer_wait.wake_all(0);
        self.room_made(relays);
        self.state_change();
        if let Some(peer) = peer.filter(|_| self.kind != Kind::Dgram) {
            peer.shutdown.store(BOTH, Ordering::SeqCst);
            // The peer hears of bytes that will never be read.
            if unread {
                peer.common.set_error(Errno::ECONNRESET);
            }
            peer.state_change();
            peer.common.fasync.kill(POLL_HUP);
        }
        queue.into_iter().for_each(|message: Message| drop(message));
        pending.iter().for_each(|embryo| embryo.release_as(End::Embryo));
    }
}
