//! What lies on a receive queue.
//!
//! Mirrors: include/net/af_unix.h (`unix_skb_parms`), net/unix/af_unix.c (`unix_destruct_scm`, `unix_write_space`),
//! Linux 6.18.
//! Differs: the message names its sender by reference; Linux's `skb->sk` counts as memory charged.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_uapi::epoll::{EPOLLOUT, EPOLLWRBAND, EPOLLWRNORM};
use acrida_uapi::errno::Errno;
use acrida_uapi::siginfo::POLL_OUT;

use super::UnixSock;
use crate::fs::file::FileRef;
use crate::kernel;
use crate::net::core::skbuff::SkBuff;
use crate::net::scm::Sender;

/// Files in flight: counted by the collector until they are taken out or dropped.
#[doc(alias = "scm_fp_list")]
pub struct Files(Box<Travellers>);

struct Travellers {
    files: Vec<FileRef>,
    /// For whom they are counted.
    user: u32,
}

impl Files {
    /// Sends files off; `None` when there are none.
    ///
    /// # Errors
    /// `ETOOMANYREFS`.
    #[doc(alias = "unix_attach_fds")]
    #[inline]
    pub fn attach(files: Vec<FileRef>) -> Result<Option<Files>, Errno> {
        if files.is_empty() { Ok(None) } else { Files::depart(files).map(Some) }
    }

    fn depart(files: Vec<FileRef>) -> Result<Files, Errno> {
        let user = kernel().unix.collector.files_travel(&files)?;
        Ok(Files(Box::new(Travellers { files, user })))
    }

    /// They have arrived. Not to be called under a socket's lock.
    #[doc(alias = "unix_detach_fds")]
    pub fn detach(mut self) -> Vec<FileRef> {
        self.leave()
    }

    fn leave(&mut self) -> Vec<FileRef> {
        let files = core::mem::take(&mut self.0.files);
        if !files.is_empty() {
            kernel().unix.collector.files_leave(&files, self.0.user);
        }
        files
    }

    /// Copies of the references, for a receiver that only looks.
    #[doc(alias = "unix_peek_fds")]
    pub fn peek(&self) -> Vec<FileRef> {
        self.0.files.clone()
    }

    pub fn iter(&self) -> impl Iterator<Item = &FileRef> {
        self.0.files.iter()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(self.leave());
    }
}

/// One message, or a piece of a stream.
pub struct Message {
    pub skb: SkBuff,
    /// Bytes already read (streams).
    pub consumed: usize,
    pub files: Option<Files>,
    pub creds: Option<Sender>,
    /// When it was sent, ns of the wall clock; 0: nobody asked.
    #[doc(alias = "tstamp")]
    pub stamp: u64,
    /// Told when the message is gone; and whose name it was.
    pub sender: Arc<UnixSock>,
}

impl Message {
    /// Bytes not yet read.
    #[doc(alias = "unix_skb_len")]
    #[inline]
    pub fn left(&self) -> usize {
        self.skb.len() - self.consumed
    }
}

impl Drop for Message {
    #[doc(alias = "sock_wfree")]
    fn drop(&mut self) {
        let common = &self.sender.common;
        let before = common.wmem.fetch_sub(self.skb.truesize(), Ordering::SeqCst);
        debug_assert!(before >= self.skb.truesize(), "a message charged less than it gives back");
        self.sender.write_space();
    }
}

/// Messages that a receiver is done with: dropped without the lock, because their senders are told.
///
/// The first has a place of its own, so that a read that ends one message, as nearly all do, allocates nothing (190 of 1448
/// instructions of a byte's read).
#[derive(Default)]
pub struct Spent {
    first: Option<Message>,
    others: Vec<Message>,
}

impl Spent {
    pub fn add(&mut self, message: Option<Message>) {
        if self.first.is_none() {
            self.first = message;
        } else {
            self.others.extend(message);
        }
    }

    /// Drops them.
    #[inline]
    pub fn clear(&mut self) {
        self.first = None;
        self.others.clear();
    }
}

impl UnixSock {
    /// Tells whoever waits for room, if there is enough.
    #[doc(alias = "unix_write_space")]
    fn write_space(&self) {
        if self.common.writable() {
            self.wait.wake_one(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
            if self.common.take_no_space() {
                self.common.fasync.kill(POLL_OUT);
            }
        }
    }
}
