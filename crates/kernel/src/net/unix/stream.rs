//! Connections: connect, and bytes without boundaries.
//!
//! Mirrors: net/unix/af_unix.c (`unix_stream_connect`, `unix_stream_sendmsg`, `unix_stream_read_generic`), Linux 6.1.

use alloc::sync::Arc;
use alloc::vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::signal::SIGPIPE;
use acrida_uapi::socket::{MSG_NOSIGNAL, MSG_PEEK, MSG_WAITALL, Ucred};
use core::sync::atomic::Ordering;

use super::{Phase, RCV, SEND, Skb, UnixSock};
use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::kernel::signal::send_sig_self;
use crate::net::scm::{Scm, own_ucred};
use crate::net::socket::{Receive, Received, Send};

/// Longest piece of a stream.
const CHUNK_MAX: usize = 32 << 10;

/// Fails with `EPIPE`, and SIGPIPE unless the call asked for none.
pub(super) fn broken_pipe(flags: u32) -> Error {
    if flags & MSG_NOSIGNAL == 0 {
        send_sig_self(SIGPIPE);
    }
    Errno::EPIPE.into()
}

/// Credentials that go with a message: those given, or the sender's when either end wants to know.
pub(super) fn creds_for(sock: &UnixSock, peer: &UnixSock, scm: &mut Scm) -> Option<Ucred> {
    let wanted = sock.common.passcred.load(Ordering::Relaxed) || peer.common.passcred.load(Ordering::Relaxed);
    scm.creds.take().or_else(|| wanted.then(own_ucred))
}

/// What a reader that wants credentials is told when none came.
pub(super) fn creds_told(sock: &UnixSock, creds: Option<Ucred>) -> Option<Ucred> {
    const OVERFLOW_ID: u32 = 65534;
    let nobody = Ucred { pid: 0, uid: OVERFLOW_ID, gid: OVERFLOW_ID };
    sock.common.passcred.load(Ordering::Relaxed).then(|| creds.unwrap_or(nobody))
}

impl UnixSock {
    pub(super) fn stream_connect(self: &Arc<Self>, addr: &[u8], nonblock: bool) -> Result<(), Error> {
        if self.common.passcred.load(Ordering::Relaxed) {
            self.autobind()?;
        }
        let listener = self.find_other(addr)?;
        match self.lock().phase {
            Phase::Closed => {}
            Phase::Established => return Err(Errno::EISCONN.into()),
            Phase::Listen => return Err(Errno::EINVAL.into()),
        }
        let embryo = UnixSock::new(self.kind);
        let my_cred = own_ucred();
        // The listener's side of the connection has the listener's name.
        let their_cred = listener.wait_until(nonblock, self.common.send_deadline(), || {
            let mut state = listener.lock();
            if state.dead || state.phase != Phase::Listen || listener.shut() & RCV != 0 {
                return Some(Err(Errno::ECONNREFUSED.into()));
            }
            if state.pending.len() > state.backlog {
                return None;
            }
            {
                // Nobody else knows the embryo yet.
                let mut new = embryo.lock();
                new.peer = Some(self.clone());
                new.phase = Phase::Established;
                new.peer_cred = Some(my_cred);
                new.name = state.name.clone();
            }
            state.pending.push_back(embryo.clone());
            Some(Ok(state.peer_cred))
        })?;
        {
            let mut state = self.lock();
            state.peer = Some(embryo.clone());
            state.phase = Phase::Established;
            state.peer_cred = their_cred;
        }
        listener.wake_readers();
        Ok(())
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
        let peer = self.stream_peer(&send)?;
        if self.shut() & SEND != 0 {
            return Err(broken_pipe(send.flags));
        }
        let creds = creds_for(self, &peer, &mut send.scm);
        let mut files = core::mem::take(&mut send.scm.files);
        let sndbuf = self.common.sndbuf.load(Ordering::Relaxed) as usize;
        let mut sent = 0;
        while from.count() > 0 {
            let len = from.count().min(sndbuf / 2 - 64).min(CHUNK_MAX);
            let room = self.wait_until(send.nonblock, self.common.send_deadline(), || {
                if self.shut() & SEND != 0 {
                    return Some(Err(broken_pipe(send.flags)));
                }
                self.charge(len).then_some(Ok(()))
            });
            if let Err(error) = room {
                files.drain(..).for_each(crate::fs::file::fput);
                return if sent > 0 { Ok(sent) } else { Err(error) };
            }
            let mut data = vec![0; len];
            let copied = from.copy_from(&mut data);
            let skb = Skb { data, pos: 0, files: core::mem::take(&mut files), creds, sender: self.clone() };
            if copied < len {
                drop(skb);
                return if sent > 0 { Ok(sent) } else { Err(Errno::EFAULT.into()) };
            }
            let mut state = peer.lock();
            if state.dead || peer.shut() & RCV != 0 {
                drop(state);
                drop(skb);
                return if sent > 0 { Ok(sent) } else { Err(broken_pipe(send.flags)) };
            }
            state.queue.push_back(skb);
            drop(state);
            sent += len;
            peer.wake_readers();
        }
        // Descriptors need at least one byte to travel with.
        files.drain(..).for_each(crate::fs::file::fput);
        Ok(sent)
    }

    pub(super) fn stream_recv(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        if self.lock().phase != Phase::Established {
            return Err(Errno::EINVAL.into());
        }
        let want = to.count();
        let low = self.common.rcvlowat.load(Ordering::Relaxed) as usize;
        let target = if receive.flags & MSG_WAITALL != 0 { want } else { low.min(want) };
        let mut got = Received::default();
        let mut creds: Option<Option<Ucred>> = None;
        loop {
            let step = self.wait_until(receive.nonblock, self.common.receive_deadline(), || {
                if want == 0 {
                    return Some(Ok(Step::End));
                }
                match self.read_queue(to, receive.flags, &mut got, &mut creds) {
                    Ok(Step::Empty) => {}
                    other => return Some(other),
                }
                if got.len >= target && got.len > 0 {
                    return Some(Ok(Step::End));
                }
                if let Err(errno) = self.common.take_error() {
                    return Some(Err(errno.into()));
                }
                (self.shut() & RCV != 0).then_some(Ok(Step::End))
            });
            match step {
                Ok(Step::More) if got.len < target => {}
                Ok(_) => break,
                Err(_) if got.len > 0 => break,
                Err(error) => return Err(error),
            }
        }
        got.scm.creds = creds_told(self, creds.flatten());
        Ok(got)
    }

    /// Moves bytes of one writer out of the queue; stops where descriptors were attached.
    fn read_queue(&self, to: &mut IovIter<'_>, flags: u32, got: &mut Received, creds: &mut Option<Option<Ucred>>) -> Result<Step, Error> {
        let peek = flags & MSG_PEEK != 0;
        let mut peeked = if peek { got.len } else { 0 };
        let mut done: vec::Vec<Skb> = vec::Vec::new();
        let mut step = Step::Empty;
        let mut state = self.lock();
        let mut index = 0;
        while let Some(skb) = state.queue.get_mut(index) {
            let left = skb.data.len() - skb.pos;
            if peek && peeked >= left {
                // Shown already by this call.
                peeked -= left;
                index += 1;
                continue;
            }
            if creds.is_some_and(|seen| self.common.passcred.load(Ordering::Relaxed) && seen != skb.creds) {
                step = Step::End;
                break;
            }
            if to.count() == 0 {
                step = Step::End;
                break;
            }
            *creds = Some(skb.creds);
            let from = skb.pos + peeked;
            peeked = 0;
            let len = (skb.data.len() - from).min(to.count());
            let copied = to.copy_to(&skb.data[from..from + len]);
            got.len += copied;
            let attached = !skb.files.is_empty();
            if attached {
                let files = if peek { skb.files.clone() } else { core::mem::take(&mut skb.files) };
                got.scm.files.extend(files);
            }
            step = Step::More;
            if !peek {
                skb.pos += copied;
                if skb.pos == skb.data.len() {
                    done.extend(state.queue.pop_front());
                }
            } else {
                index += 1;
            }
            if copied < len {
                drop(state);
                return if got.len > 0 { Ok(Step::End) } else { Err(Errno::EFAULT.into()) };
            }
            if attached {
                step = Step::End;
                break;
            }
        }
        drop(state);
        // Their senders are told without the lock.
        drop(done);
        Ok(step)
    }
}

/// Where one look at the queue left a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Empty,
    /// Got something; there may be more.
    More,
    /// The call is complete.
    End,
}
