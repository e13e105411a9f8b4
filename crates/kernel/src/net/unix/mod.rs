//! Sockets between processes of one world.
//!
//! Linux: a `unix_sock` has a receive queue of `sk_buff`s; a send puts one on the *peer's* queue and charges it to the
//! sender until it is read. A listener queues half-made peers. A name is an inode of a file system or an entry in a hash
//! table. Ours is the same, with messages ([`Skb`]) of owned bytes.
//!
//! ```text
//!   send ──► [room in sndbuf?] ──► peer.queue ──► recv: bytes, files, credentials
//!                ▲                                  │ uncharge, wake the sender (EPOLLOUT)
//!                └──────────────────────────────────┘
//! ```
//!
//! Mirrors: net/unix/af_unix.c, include/net/af_unix.h, Linux 6.1.
//! Differs: host sockets cannot be reached; out-of-band data and the collector of cycles in flight are still missing.
//! Locking: `state` of one socket at a time; nobody takes a second one while holding the first. Files are let go outside.

mod dgram;
mod names;
mod ops;
mod stream;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, Ucred};

pub use names::UnixTable;
use names::Key;

use crate::fs::file::File;
use crate::net::scm::own_ucred;
use crate::net::socket::{ProtoOps, SockCommon};

/// Messages a datagram socket or listener queues by default (`net.unix.max_dgram_qlen`).
const MAX_DGRAM_QLEN: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Dgram,
    Seqpacket,
}

/// Halves that are shut.
#[doc(alias = "RCV_SHUTDOWN")]
const RCV: u32 = 1;
#[doc(alias = "SEND_SHUTDOWN")]
const SEND: u32 = 2;
const BOTH: u32 = 3;

/// One message on a queue, or a piece of a stream.
#[doc(alias = "sk_buff")]
struct Skb {
    data: Vec<u8>,
    /// Bytes already read (streams).
    pos: usize,
    files: Vec<Arc<File>>,
    creds: Option<Ucred>,
    /// The sender: told when the message is gone, and whose name it was.
    sender: Arc<UnixSock>,
}

impl Skb {
    /// What a message costs its sender: the bytes in their slab plus Linux's `sk_buff` and shared info.
    fn truesize(len: usize) -> usize {
        (len + 320).next_power_of_two().max(512) + 256
    }
}

impl Drop for Skb {
    #[doc(alias = "unix_write_space")]
    fn drop(&mut self) {
        self.files.drain(..).for_each(crate::fs::file::fput);
        let before = self.sender.wmem.fetch_sub(Self::truesize(self.data.len()), Ordering::SeqCst);
        debug_assert!(before >= Self::truesize(self.data.len()), "a message charged less than it gives back");
        if self.sender.writable() {
            self.sender.wait.wake_one(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Linux's `TCP_CLOSE`.
    #[default]
    Closed,
    Listen,
    Established,
}

#[derive(Default)]
struct State {
    phase: Phase,
    queue: VecDeque<Skb>,
    peer: Option<Arc<UnixSock>>,
    /// Address bytes as `getsockname` tells them.
    name: Option<Arc<Vec<u8>>>,
    key: Option<Key>,
    /// A listener's not yet accepted sockets.
    pending: VecDeque<Arc<UnixSock>>,
    backlog: usize,
    peer_cred: Option<Ucred>,
    /// The file is closed.
    dead: bool,
}

/// A local socket.
#[doc(alias = "unix_sock")]
pub struct UnixSock {
    kind: Kind,
    common: SockCommon,
    state: SpinLock<State>,
    /// Everybody who waits for this socket.
    wait: Arc<WaitQueueHead>,
    shutdown: AtomicU32,
    /// Bytes charged to this socket as a sender.
    #[doc(alias = "sk_wmem_alloc")]
    wmem: AtomicUsize,
}

impl UnixSock {
    fn new(kind: Kind) -> Arc<UnixSock> {
        Arc::new(UnixSock {
            kind,
            common: SockCommon::default(),
            state: SpinLock::default(),
            wait: Arc::default(),
            shutdown: AtomicU32::new(0),
            wmem: AtomicUsize::new(0),
        })
    }

    fn lock(&self) -> SpinLockGuard<'_, State> {
        self.state.lock()
    }

    fn shut(&self) -> u32 {
        self.shutdown.load(Ordering::SeqCst)
    }

    /// Room for more, in Linux's sense: a quarter of the buffer is in use at most.
    #[doc(alias = "unix_writable")]
    fn writable(&self) -> bool {
        self.wmem.load(Ordering::SeqCst) * 4 <= self.common.sndbuf.load(Ordering::Relaxed) as usize
    }

    /// Charges a message of `len` bytes if the buffer allows it.
    #[doc(alias = "sock_alloc_send_pskb")]
    fn charge(&self, len: usize) -> bool {
        if self.wmem.load(Ordering::SeqCst) >= self.common.sndbuf.load(Ordering::Relaxed) as usize {
            return false;
        }
        self.wmem.fetch_add(Skb::truesize(len), Ordering::SeqCst);
        true
    }

    fn wake_readers(&self) {
        self.wait.wake_one(EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND);
    }

    /// Closes halves of `self` and tells everybody.
    fn shut_down(&self, halves: u32) {
        self.shutdown.fetch_or(halves, Ordering::SeqCst);
        let key = if self.shut() == BOTH { EPOLLHUP } else { 0 };
        self.wait.wake_all(key | EPOLLIN | EPOLLRDNORM | EPOLLRDHUP | EPOLLOUT);
    }

    /// The end of the socket's file.
    #[doc(alias = "unix_release_sock")]
    fn release(self: &Arc<Self>) {
        let (peer, key, queue, pending) = {
            let mut state = self.lock();
            state.dead = true;
            state.phase = Phase::Closed;
            let parts = (state.peer.take(), state.key.take(), core::mem::take(&mut state.queue), core::mem::take(&mut state.pending));
            drop(state);
            parts
        };
        if let Some(key) = key {
            crate::kernel().unix.unbind(&key, self);
        }
        self.shutdown.store(BOTH, Ordering::SeqCst);
        self.wait.wake_all(EPOLLHUP | EPOLLIN | EPOLLOUT);
        if let Some(peer) = peer
            && self.kind != Kind::Dgram
        {
            // The peer hears of bytes that will never be read.
            if !queue.is_empty() {
                peer.common.err.store(Errno::ECONNRESET.raw(), Ordering::SeqCst);
            }
            peer.shut_down(BOTH);
        }
        for embryo in pending {
            let other = embryo.lock().peer.clone();
            if let Some(other) = other {
                other.common.err.store(Errno::ECONNRESET.raw(), Ordering::SeqCst);
            }
            embryo.release();
        }
        drop(queue);
    }

    /// Makes two sockets each other's peers.
    fn join(a: &Arc<UnixSock>, b: &Arc<UnixSock>, phase: Phase) {
        let cred = own_ucred();
        for (one, other) in [(a, b), (b, a)] {
            let mut state = one.lock();
            state.peer = Some(other.clone());
            state.phase = phase;
            state.peer_cred = Some(cred);
        }
    }
}

/// The protocol behind a socket file.
pub struct UnixSocket(Arc<UnixSock>);

fn kind_of(kind: u32, protocol: i32) -> Result<Kind, Error> {
    if protocol != 0 && protocol != i32::from(AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT.into());
    }
    match kind {
        SOCK_STREAM => Ok(Kind::Stream),
        SOCK_DGRAM | SOCK_RAW => Ok(Kind::Dgram),
        SOCK_SEQPACKET => Ok(Kind::Seqpacket),
        _ => Err(Errno::ESOCKTNOSUPPORT.into()),
    }
}

/// A socket without name and peer.
#[doc(alias = "unix_create")]
pub fn create(kind: u32, protocol: i32) -> Result<Box<dyn ProtoOps>, Error> {
    Ok(Box::new(UnixSocket(UnixSock::new(kind_of(kind, protocol)?))))
}

/// Two connected sockets.
#[doc(alias = "unix_socketpair")]
pub fn pair(kind: u32, protocol: i32) -> Result<[Box<dyn ProtoOps>; 2], Error> {
    let kind = kind_of(kind, protocol)?;
    let [a, b] = [UnixSock::new(kind), UnixSock::new(kind)];
    UnixSock::join(&a, &b, Phase::Established);
    Ok([Box::new(UnixSocket(a)), Box::new(UnixSocket(b))])
}
