//! Receiving from a stream.
//!
//! Mirrors: net/unix/af_unix.c (`unix_stream_read_generic`), Linux 6.18.
//! Locking: the socket's state, over the copy to the guest.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::wait::WaitOptions;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{MSG_OOB, MSG_PEEK, MSG_WAITALL};

use super::message::Spent;
use super::oob::Next;
use super::{Phase, RCV, State, UnixSock};
use crate::fs::iov_iter::IovIter;
use crate::net::core::sock::Timeout;
use crate::net::scm::Sender;
use crate::net::socket::{Receive, Received};

/// One call's progress.
struct Reading<'a, 'b> {
    to: &'a mut IovIter<'b>,
    flags: u32,
    /// Whose name to tell; `None` if nobody asks.
    from: Option<Arc<UnixSock>>,
    wants_name: bool,
    got: Received,
    /// Who wrote what was read so far, once somebody asks.
    creds: Option<Option<Sender>>,
    done: Spent,
}

/// Where one look at the queue left a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The queue has nothing more for this call.
    Empty,
    /// The call is complete.
    End,
}

impl Reading<'_, '_> {
    fn peeks(&self) -> bool {
        self.flags & MSG_PEEK != 0
    }

    /// Copies out of the queue until the buffer is full, the queue empty, or a message forbids to go on.
    fn read_queue(&mut self, sock: &UnixSock, state: &mut State) -> Result<Step, Errno> {
        let asks = sock.common.wants_creds();
        let peek = self.peeks();
        let mut skip = if peek { sock.common.peek_off.load(Ordering::Relaxed).max(0) as usize } else { 0 };
        let mut index = 0;
        loop {
            match state.pass_oob(index, peek, self.got.len, sock.oob_inline(), &mut self.done) {
                Next::At(at) => index = at,
                Next::Nothing => return Ok(Step::Empty),
                Next::Stop => return Ok(Step::End),
            }
            let Some(message) = state.queue.get_mut(index) else {
                return Ok(Step::Empty);
            };
            if skip > 0 && skip >= message.left() {
                skip -= message.left();
                index += 1;
                continue;
            }
            if asks {
                // What two processes wrote is not glued together.
                match &self.creds {
                    Some(creds) if *creds != message.creds => return Ok(Step::End),
                    _ => self.creds = Some(message.creds.clone()),
                }
            }
            if self.wants_name && self.from.is_none() {
                self.from = Some(message.sender.clone());
            }
            let chunk = (message.left() - skip).min(self.to.count());
            if message.skb.copy_to(self.to, message.consumed + skip, chunk) < chunk {
                return if self.got.len > 0 { Ok(Step::End) } else { Err(Errno::EFAULT) };
            }
            self.got.len += chunk;
            let has_files = message.files.is_some();
            if peek {
                if let Some(files) = &message.files {
                    self.got.scm.files.extend(files.peek());
                }
                forward(sock, chunk);
                if has_files {
                    return Ok(Step::End);
                }
                skip = 0;
                index += 1;
                if index == state.queue.len() || self.to.count() == 0 {
                    return Ok(Step::End);
                }
                continue;
            }
            message.consumed += chunk;
            if has_files {
                self.got.travelled = message.files.take();
            }
            let rest = message.left();
            backward(sock, chunk);
            if rest > 0 {
                return Ok(Step::End);
            }
            self.done.add(state.pop());
            if self.got.travelled.is_some() || self.to.count() == 0 {
                return Ok(Step::End);
            }
        }
    }
}

/// A peek moves the place where the next one starts.
#[doc(alias = "sk_peek_offset_fwd")]
pub(super) fn forward(sock: &UnixSock, bytes: usize) {
    let offset = &sock.common.peek_off;
    if offset.load(Ordering::Relaxed) >= 0 {
        offset.fetch_add(bytes as i32, Ordering::Relaxed);
    }
}

/// What was read moves it back.
#[doc(alias = "sk_peek_offset_bwd")]
#[inline]
pub(super) fn backward(sock: &UnixSock, bytes: usize) {
    let offset = &sock.common.peek_off;
    let now = offset.load(Ordering::Relaxed);
    if now > 0 {
        offset.store((now - bytes as i32).max(0), Ordering::Relaxed);
    }
}

impl UnixSock {
    pub(super) fn stream_recv(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        let room = to.count();
        let wants_name = receive.wants_name;
        let mut reading = Reading {
            to,
            flags: receive.flags,
            from: None,
            wants_name,
            got: Received::default(),
            creds: None,
            done: Spent::default(),
        };
        let target = self.common.receive_target(receive.flags & MSG_WAITALL != 0, room);
        let look = || {
            let mut state = self.lock();
            if state.phase != Phase::Established {
                return Some(Err(Errno::EINVAL.into()));
            }
            if receive.flags & MSG_OOB != 0 {
                return Some(Ok(Step::Empty));
            }
            let step = reading.read_queue(self, &mut state);
            drop(state);
            reading.done.clear();
            match step {
                Err(errno) => return Some(Err(errno.into())),
                Ok(Step::End) => return Some(Ok(Step::End)),
                Ok(Step::Empty) => {}
            }
            if reading.got.len >= target {
                return Some(Ok(Step::End));
            }
            if let Err(errno) = self.common.take_error() {
                return Some(Err(errno.into()));
            }
            (self.shut() & RCV != 0).then_some(Ok(Step::End))
        };
        let queue = || (&*self.wait, WaitOptions::interruptible("unix_stream_data_wait"));
        let result = self.common.wait_until(Timeout::Receive, receive.blocking, queue, look);
        match result {
            Ok(_) if receive.flags & MSG_OOB != 0 => {
                return self.receive_oob(reading.to, receive.flags);
            }
            Err(error) if reading.got.len == 0 => return Err(error),
            _ => {}
        }
        let Reading { mut got, creds, from, .. } = reading;
        if let Some(sender) = from {
            got.name = sender.sender_name();
        }
        if self.tells_left.load(Ordering::Relaxed) {
            got.left = Some(i32::try_from(self.lock().queued()).unwrap_or(i32::MAX));
        }
        self.unpack(&mut got, creds.flatten());
        Ok(got)
    }

    /// Finishes what a receiver got, without the lock.
    pub(super) fn unpack(&self, got: &mut Received, creds: Option<Sender>) {
        if let Some(files) = got.travelled.take() {
            got.scm.files.extend(files.detach());
        } else if !got.scm.files.is_empty() {
            crate::kernel().unix.collector.files_peek(&got.scm.files);
        }
        if self.common.wants_creds() {
            got.scm.creds = Some(creds.unwrap_or_else(Sender::nobody));
            got.scm.wants_ucred = self.common.passcred.load(Ordering::Relaxed);
            got.scm.wants_pidfd = self.common.passpidfd.load(Ordering::Relaxed);
        }
    }
}
