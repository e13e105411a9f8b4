//! Sending on a stream.
//!
//! Mirrors: net/unix/af_unix.c (`unix_stream_sendmsg`), net/core/sock.c (`sock_alloc_send_pskb`), Linux 6.18.
//! Locking: the state of one socket at a time; the bytes are copied in before the receiver's is taken.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::signal::SIGPIPE;
use acrida_uapi::socket::{MSG_NOSIGNAL, MSG_OOB};

use super::message::{Files, Message};
use super::{Phase, RCV, SEND, State, UnixSock};
use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;
use crate::fs::splice::PageSlice;
use crate::kernel::signal::send_sig_self;
use crate::net::core::skbuff::{Layout, MAX_HEAD, MAX_SKB_FRAGS, RUN, SkBuff};
use crate::net::core::sock::Timeout;
use crate::net::scm::Sender;
use crate::net::socket::Send;

/// Fails with `EPIPE`, and SIGPIPE unless the call asked for none.
#[cold]
pub(super) fn broken_pipe(flags: u32) -> Error {
    if flags & MSG_NOSIGNAL == 0 {
        send_sig_self(SIGPIPE);
    }
    Errno::EPIPE.into()
}

/// What travels with the first piece of a message, and with all of them.
pub(super) struct Luggage {
    pub files: Option<Files>,
    pub creds: Option<Sender>,
}

impl Luggage {
    pub const NONE: Luggage = Luggage { files: None, creds: None };

    /// Takes what the caller wants to send along; a second call finds no files.
    ///
    /// # Errors
    /// `ETOOMANYREFS`.
    #[doc(alias = "unix_scm_to_skb")]
    #[inline]
    pub fn pack(send: &mut Send<'_>) -> Result<Luggage, Errno> {
        Ok(Luggage { files: Files::attach(core::mem::take(&mut send.scm.files))?, creds: send.scm.creds.clone() })
    }
}

impl UnixSock {
    /// Waits until `bytes` can be charged.
    ///
    /// # Errors
    /// The pending error, `EPIPE` (without a signal) when the sending half is shut, `EAGAIN`.
    #[doc(alias = "sock_alloc_send_pskb")]
    #[inline]
    pub(super) fn reserve(&self, bytes: usize, blocking: Blocking) -> Result<(), Error> {
        let look = || {
            if let Err(errno) = self.common.take_error() {
                return Some(Err(errno.into()));
            }
            if self.shut() & SEND != 0 {
                return Some(Err(Errno::EPIPE.into()));
            }
            self.common.charge(bytes).then_some(Ok(()))
        };
        let queue = || (&*self.wait, WaitOptions::interruptible("sock_wait_for_wmem"));
        self.common.wait_until(Timeout::Send, blocking, queue, look)
    }

    /// Gives a reservation back that became no message.
    pub(super) fn unreserve(&self, bytes: usize) {
        self.common.wmem.fetch_sub(bytes, Ordering::SeqCst);
        self.wait.wake_one(acrida_uapi::epoll::EPOLLOUT);
    }

    /// Says who sends, if either end wants to know and nothing was said.
    #[doc(alias = "unix_maybe_add_creds")]
    #[inline]
    pub(super) fn add_creds(&self, creds: Option<Sender>, other: &UnixSock) -> Option<Sender> {
        let wanted = self.common.wants_creds() || other.common.wants_creds() || other.common.file().is_none();
        creds.or_else(|| wanted.then(Sender::current))
    }

    /// The peer of a connection, or why nothing can be sent.
    fn stream_peer(&self, send: &Send<'_>) -> Result<Arc<UnixSock>, Error> {
        let state = self.lock();
        if send.name.is_some() {
            let errno = if state.phase == Phase::Established { Errno::EISCONN } else { Errno::EOPNOTSUPP };
            return Err(errno.into());
        }
        state.peer.clone().ok_or(Errno::ENOTCONN.into())
    }

    pub(super) fn stream_send(self: &Arc<Self>, from: &mut IovIter<'_>, mut send: Send<'_>) -> SysResult {
        let urgent = send.flags & MSG_OOB != 0;
        let mut left = from.count();
        if urgent {
            left = left.checked_sub(1).ok_or(Errno::EOPNOTSUPP)?;
        }
        let peer = self.stream_peer(&send)?;
        if self.shut() & SEND != 0 {
            return Err(broken_pipe(send.flags));
        }
        let mut sent = 0;
        let result = loop {
            if left == 0 {
                break Ok(());
            }
            match self.send_piece(&peer, from, left, &mut send, sent) {
                Ok(piece) => {
                    sent += piece;
                    left -= piece;
                }
                Err(error) => break Err(error),
            }
        };
        let result = match result {
            Ok(()) if urgent => self.queue_oob(&peer, from, &mut send).map(|()| sent += 1),
            other => other,
        };
        if sent > 0 { Ok(sent) } else { result.map(|()| 0) }
    }

    /// One buffer of the next bytes.
    #[inline]
    fn send_piece(
        self: &Arc<Self>,
        peer: &Arc<UnixSock>,
        from: &mut IovIter<'_>,
        left: usize,
        send: &mut Send<'_>,
        sent: usize,
    ) -> Result<usize, Error> {
        // At least two pieces in the buffer keep both sides busy.
        let half = (self.common.sndbuf.load(Ordering::Relaxed) as usize / 2).saturating_sub(64);
        let len = left.min(half).min(MAX_HEAD + RUN);
        let layout = Layout::of(len, MAX_HEAD);
        self.reserve(layout.truesize(), send.blocking)?;
        let unreserve = |_: &Errno| self.unreserve(layout.truesize());
        let luggage = Luggage::pack(send).inspect_err(unreserve)?;
        let skb = SkBuff::copy_from(from, layout).inspect_err(unreserve)?;
        self.queue_piece(peer, skb, luggage, |_| {}).map_err(|errno| match errno {
            Errno::EPIPE if sent == 0 => broken_pipe(send.flags),
            other => other.into(),
        })?;
        Ok(len)
    }

    /// Puts a charged buffer on the peer's queue; `mark` sees the queue before it is told.
    #[inline]
    pub(super) fn queue_piece(
        self: &Arc<Self>,
        peer: &Arc<UnixSock>,
        skb: SkBuff,
        luggage: Luggage,
        mark: impl FnOnce(&mut State),
    ) -> Result<(), Errno> {
        let creds = self.add_creds(luggage.creds, peer);
        let message = Message { skb, consumed: 0, files: luggage.files, creds, stamp: 0, sender: self.clone() };
        let mut state = peer.lock();
        let refused = if state.dead || peer.shut() & RCV != 0 {
            Some(Errno::EPIPE)
        } else if message.files.is_some() && !peer.common.passrights.load(Ordering::Relaxed) {
            Some(Errno::EPERM)
        } else {
            None
        };
        if let Some(errno) = refused {
            drop(state);
            drop(message);
            return Err(errno);
        }
        mark(&mut state);
        let with_files = message.files.is_some();
        state.queue.push_back(message);
        drop(state);
        if with_files {
            crate::kernel().unix.collector.message_queued(peer);
        }
        peer.data_ready();
        Ok(())
    }

    /// Queues pages by reference; the bytes taken.
    #[doc(alias = "MSG_SPLICE_PAGES")]
    pub(super) fn stream_send_pages(self: &Arc<Self>, slices: &[PageSlice], send: &Send<'_>) -> SysResult {
        let peer = self.stream_peer(send)?;
        if self.shut() & SEND != 0 {
            return Err(broken_pipe(send.flags));
        }
        let mut sent = 0;
        for batch in slices.chunks(MAX_SKB_FRAGS) {
            let skb = SkBuff::of_pages(batch);
            let len = skb.len();
            let queued = self.reserve(skb.truesize(), send.blocking).and_then(|()| {
                self.queue_piece(&peer, skb, Luggage::NONE, |_| {}).map_err(|errno| match errno {
                    Errno::EPIPE if sent == 0 => broken_pipe(send.flags),
                    other => other.into(),
                })
            });
            match queued {
                Ok(()) => sent += len,
                Err(_) if sent > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}
