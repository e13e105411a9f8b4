//! What every socket has, whatever its protocol: options, the pending error, memory charged to it, `SIGIO`.
//!
//! Mirrors: include/net/sock.h, net/core/sock.c, Linux 6.18.
//! Differs: a protocol's own socket holds one of these; the file in front is known weakly.
//! Locking: atomics only.

use core::ops::Deref;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SetOnce;
use acrida_kcore::wait::{WaitError, WaitOptions, WaitQueueHead};
use acrida_uapi::errno::{Errno, Error, Restart};

use super::filter::FilterSlot;
use crate::fs::fasync::{self, FasyncQueue};
use crate::fs::file::{FileRef, WeakFile};
use crate::fs::read_write::Blocking;

/// Linux's `wmem_default` and `rmem_default`.
const BUF_DEFAULT: u32 = 212_992;

/// Options, errors and charges that every socket has.
#[doc(alias = "sock")]
pub struct SockCommon {
    pub sndbuf: AtomicU32,
    pub rcvbuf: AtomicU32,
    /// Which of the two the program has set (`SOCK_*BUF_LOCK`).
    #[doc(alias = "sk_userlocks")]
    pub buf_lock: AtomicI32,
    /// Nanoseconds; 0: for ever.
    pub rcvtimeo: AtomicU64,
    pub sndtimeo: AtomicU64,
    pub rcvlowat: AtomicU32,
    pub passcred: AtomicBool,
    pub passpidfd: AtomicBool,
    /// Descriptors may be sent to this socket.
    pub passrights: AtomicBool,
    /// As which option's message a datagram's time is told; 0: it is not.
    #[doc(alias = "SOCK_RCVTSTAMP")]
    pub stamps: AtomicI32,
    /// One bit per boolean option that is only remembered, by its `SO_` number.
    pub remembered: AtomicU64,
    /// Bit 32: on; below: seconds.
    pub linger: AtomicU64,
    pub priority: AtomicU32,
    pub mark: AtomicU32,
    /// Microseconds; kept for who asks.
    pub busy_poll: AtomicU32,
    pub peek_off: AtomicI32,
    #[doc(alias = "sk_filter")]
    pub filter: FilterSlot,
    /// Pending error; reading it clears it.
    #[doc(alias = "sk_err")]
    pub err: AtomicI32,
    /// Bytes charged to this socket as a sender, not yet read by the receiver.
    #[doc(alias = "sk_wmem_alloc")]
    pub wmem: AtomicUsize,
    pub fasync: FasyncQueue,
    /// A sender found no room: the next room is worth a `SIGIO`.
    #[doc(alias = "SOCKWQ_ASYNC_NOSPACE")]
    async_nospace: AtomicBool,
    /// The file in front; unset for a connection that nobody accepted yet.
    file: SetOnce<WeakFile>,
}

/// Which of a socket's options limits a call's sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    #[doc(alias = "SO_RCVTIMEO")]
    Receive,
    #[doc(alias = "SO_SNDTIMEO")]
    Send,
}

impl Default for SockCommon {
    fn default() -> Self {
        SockCommon {
            sndbuf: AtomicU32::new(BUF_DEFAULT),
            rcvbuf: AtomicU32::new(BUF_DEFAULT),
            buf_lock: AtomicI32::new(0),
            rcvtimeo: AtomicU64::new(0),
            sndtimeo: AtomicU64::new(0),
            rcvlowat: AtomicU32::new(1),
            passcred: AtomicBool::new(false),
            passpidfd: AtomicBool::new(false),
            passrights: AtomicBool::new(true),
            stamps: AtomicI32::new(0),
            remembered: AtomicU64::new(0),
            linger: AtomicU64::new(0),
            priority: AtomicU32::new(0),
            mark: AtomicU32::new(0),
            busy_poll: AtomicU32::new(0),
            peek_off: AtomicI32::new(-1),
            filter: FilterSlot::default(),
            err: AtomicI32::new(0),
            wmem: AtomicUsize::new(0),
            fasync: FasyncQueue::new(),
            async_nospace: AtomicBool::new(false),
            file: SetOnce::new(),
        }
    }
}

impl SockCommon {
    /// The pending error, once.
    #[doc(alias = "sock_error")]
    #[inline]
    pub fn take_error(&self) -> Result<(), Errno> {
        if self.err.load(Ordering::SeqCst) == 0 {
            return Ok(());
        }
        match self.err.swap(0, Ordering::SeqCst) {
            0 => Ok(()),
            raw => Err(Errno::from_raw(raw).unwrap_or(Errno::EIO)),
        }
    }

    /// Takes over what a connection has from its listener.
    pub fn inherit(&self, listener: &SockCommon) {
        let options = [
            (&self.passcred, &listener.passcred),
            (&self.passpidfd, &listener.passpidfd),
            (&self.passrights, &listener.passrights),
        ];
        for (own, theirs) in options {
            own.store(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Takes over how long calls may sleep.
    pub fn take_times(&self, other: &SockCommon) {
        for (own, theirs) in [(&self.rcvtimeo, &other.rcvtimeo), (&self.sndtimeo, &other.sndtimeo)] {
            own.store(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    pub fn set_error(&self, errno: Errno) {
        self.err.store(errno.raw(), Ordering::SeqCst);
    }

    /// When a wait must end, and what an interrupted one answers.
    #[doc(alias = "sock_intr_errno")]
    pub fn deadline(&self, timeout: Timeout) -> (Option<u64>, Error) {
        let timeout = match timeout {
            Timeout::Receive => &self.rcvtimeo,
            Timeout::Send => &self.sndtimeo,
        };
        match timeout.load(Ordering::Relaxed) {
            0 => (None, Restart::ERESTARTSYS.into()),
            ns => (Some(platform().now(ClockId::Monotonic).saturating_add(ns)), Errno::EINTR.into()),
        }
    }

    /// Sleeps until `look` gives an answer, on a queue that is asked for only when it comes to that.
    ///
    /// # Errors
    /// `EAGAIN` when the call may not sleep, or not any longer; `EINTR` or a restart when a signal ends the sleep.
    pub fn wait_until<R, Q: Deref<Target = WaitQueueHead>>(
        &self,
        timeout: Timeout,
        blocking: Blocking,
        queue: impl FnOnce() -> (Q, WaitOptions),
        mut look: impl FnMut() -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        if let Some(result) = look() {
            return result;
        }
        if blocking == Blocking::No {
            return Err(Errno::EAGAIN.into());
        }
        let (deadline, interrupted) = self.deadline(timeout);
        let (queue, options) = queue();
        match queue.wait_event(options.until(deadline), look) {
            Ok(result) => result,
            Err(WaitError::TimedOut) => Err(Errno::EAGAIN.into()),
            Err(WaitError::Interrupted) => Err(interrupted),
        }
    }

    /// Bytes a call must get before it returns.
    #[doc(alias = "sock_rcvlowat")]
    pub fn receive_target(&self, waitall: bool, len: usize) -> usize {
        let target = if waitall { len } else { len.min(self.rcvlowat.load(Ordering::Relaxed) as usize) };
        target.max(1)
    }

    /// When a message for this socket is sent, ns of the wall clock; 0: nobody asks.
    #[doc(alias = "net_timestamp")]
    pub fn stamp(&self) -> u64 {
        if self.stamps.load(Ordering::Relaxed) == 0 { 0 } else { platform().now(ClockId::Realtime) }
    }

    pub fn remembers(&self, option: i32) -> bool {
        self.remembered.load(Ordering::Relaxed) & (1 << option) != 0
    }

    /// Whether messages to this socket must say who sent them.
    #[doc(alias = "unix_may_passcred")]
    pub fn wants_creds(&self) -> bool {
        self.passcred.load(Ordering::Relaxed) || self.passpidfd.load(Ordering::Relaxed)
    }

    /// Charges `bytes` if the send buffer is not yet full; otherwise notes that somebody looked for room.
    #[doc(alias = "sock_alloc_send_pskb")]
    #[inline]
    pub fn charge(&self, bytes: usize) -> bool {
        if self.wmem.load(Ordering::SeqCst) >= self.sndbuf.load(Ordering::Relaxed) as usize {
            self.async_nospace.store(true, Ordering::Relaxed);
            return false;
        }
        self.wmem.fetch_add(bytes, Ordering::SeqCst);
        true
    }

    /// Room for more, in Linux's sense: at most a quarter of the buffer is in use.
    #[doc(alias = "unix_writable")]
    #[inline]
    pub fn writable(&self) -> bool {
        self.wmem.load(Ordering::SeqCst) * 4 <= self.sndbuf.load(Ordering::Relaxed) as usize
    }

    /// A poll found no room.
    pub fn note_no_space(&self) {
        self.async_nospace.store(true, Ordering::Relaxed);
    }

    /// Whether somebody found no room since the last time this was asked.
    pub fn take_no_space(&self) -> bool {
        self.async_nospace.load(Ordering::Relaxed) && self.async_nospace.swap(false, Ordering::Relaxed)
    }

    /// Names the file in front, once.
    #[doc(alias = "sock_graft")]
    pub fn set_file(&self, file: &FileRef) {
        // A socket is put behind one file only.
        let _ = self.file.set(FileRef::downgrade(file));
    }

    pub fn file(&self) -> Option<&WeakFile> {
        self.file.get()
    }

    /// Tells the file's owner of urgent data.
    #[doc(alias = "sk_send_sigurg")]
    pub fn send_sigurg(&self) {
        if let Some(file) = self.file.get().and_then(WeakFile::upgrade) {
            fasync::send_sigurg(&file);
        }
    }
}
