//! Sockets between processes of one world.
//!
//! Linux: a `unix_sock` has a receive queue of `sk_buff`s; a send puts one on the *peer's* queue and charges it to the
//! sender until it is read. A listener queues half-made peers. A name is an inode of a file system or an entry in a hash
//! table. Descriptors travel as references to open files; sockets among them are counted, so that a collector finds those
//! that only messages nobody can receive still hold.
//!
//! ```text
//!   send ──► [room in sndbuf?] ──► peer.queue ──► recv: bytes, files, credentials
//!                ▲                                  │ uncharge, wake the sender (EPOLLOUT)
//!                └──────────────────────────────────┘
//! ```
//!
//! - [`connect`]: listeners, connections, `accept`
//! - [`stream_send`], [`stream_recv`], [`oob`]: bytes without boundaries, and the urgent one among them
//! - [`dgram_send`], [`dgram_recv`]: messages with boundaries (also those of sequenced packets)
//! - [`message`]: what lies on a queue
//! - [`names`]: paths, abstract and automatic names
//! - [`release`]: `shutdown` and the end
//! - [`garbage`]: descriptors in flight that reach only each other
//! - [`ops`], [`poll`]: what the socket layer calls
//! - [`proc`]: /proc/net/unix
//!
//! Mirrors: net/unix/af_unix.c, include/net/af_unix.h, Linux 6.18.
//! Differs: a socket that connects to one of the host gives its place to a host socket ([`super::host_socket`]). One lock,
//! `state`, stands for Linux's `unix_state_lock`, the queue's lock and `iolock`: a receiver holds it while it copies.
//! Locking: `state` of one socket at a time; only a connecting one's is tried under its listener's. The collector's lock is
//! taken outside it. Files are let go outside both.

mod connect;
mod dgram_recv;
mod dgram_send;
mod garbage;
mod message;
mod names;
mod oob;
mod ops;
mod poll;
mod proc;
mod release;
mod stream_recv;
mod stream_send;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::siginfo::POLL_IN;
use acrida_uapi::socket::{AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM};

pub use message::Files;
pub use names::UnixTable;
pub use proc::show;

use crate::fs::inode::Path;
use crate::net::core::sock::SockCommon;
use crate::net::scm::PeerCred;
use crate::net::socket::ProtoOps;
use garbage::Flight;
use message::Message;
use names::Key;

/// Messages a datagram socket queues (`net.unix.max_dgram_qlen`).
const MAX_DGRAM_QLEN: usize = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Dgram,
    Seqpacket,
}

impl Kind {
    /// `SOCK_*`.
    fn number(self) -> u32 {
        match self {
            Kind::Stream => SOCK_STREAM,
            Kind::Dgram => SOCK_DGRAM,
            Kind::Seqpacket => SOCK_SEQPACKET,
        }
    }
}

/// Halves that are shut.
#[doc(alias = "RCV_SHUTDOWN")]
const RCV: u32 = 1;
#[doc(alias = "SEND_SHUTDOWN")]
const SEND: u32 = 2;
#[doc(alias = "SHUTDOWN_MASK")]
const BOTH: u32 = 3;

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
    queue: VecDeque<Message>,
    /// Messages that ever left the front of the queue: a message's number is this plus its index.
    taken: u64,
    /// Number of the message whose only byte is urgent.
    #[doc(alias = "oob_skb")]
    oob: Option<u64>,
    peer: Option<Arc<UnixSock>>,
    /// Address bytes as `getsockname` tells them.
    name: Option<Arc<Vec<u8>>>,
    key: Option<Key>,
    /// The socket's inode, kept while it is bound so that its number is not used again.
    path: Option<Path>,
    /// A listener's not yet accepted sockets.
    pending: VecDeque<Arc<UnixSock>>,
    backlog: usize,
    peer_cred: Option<PeerCred>,
    /// Sockets connected to this one that found its queue full: room here makes them writable.
    #[doc(alias = "peer_wake")]
    relays: Vec<Weak<UnixSock>>,
    /// The file is closed.
    dead: bool,
}

/// A local socket.
#[doc(alias = "unix_sock")]
pub struct UnixSock {
    kind: Kind,
    common: SockCommon,
    state: SpinLock<State>,
    /// A socket gets one name.
    #[doc(alias = "bindlock")]
    binding: SpinLock<()>,
    /// Receivers, senders that wait for memory, polls.
    #[doc(alias = "sk_wq")]
    wait: Arc<WaitQueueHead>,
    /// Others who sleep until there is room in this socket's queue: connecting sockets, senders of datagrams.
    peer_wait: Arc<WaitQueueHead>,
    shutdown: AtomicU32,
    /// A receiver is told how much it could read next.
    #[doc(alias = "recvmsg_inq")]
    tells_left: AtomicBool,
    /// Whether messages carry it.
    flight: Flight,
}

impl UnixSock {
    #[doc(alias = "unix_create1")]
    fn new(kind: Kind) -> Arc<UnixSock> {
        Arc::new(UnixSock {
            kind,
            common: SockCommon::default(),
            state: SpinLock::default(),
            binding: SpinLock::default(),
            wait: Arc::default(),
            peer_wait: Arc::default(),
            shutdown: AtomicU32::new(0),
            tells_left: AtomicBool::new(false),
            flight: Flight::none(),
        })
    }

    #[doc(alias = "unix_state_lock")]
    #[inline]
    fn lock(&self) -> SpinLockGuard<'_, State> {
        self.state.lock()
    }

    #[inline]
    fn shut(&self) -> u32 {
        self.shutdown.load(Ordering::SeqCst)
    }

    /// There is something to receive.
    #[doc(alias = "sk_data_ready")]
    #[inline]
    fn data_ready(&self) {
        self.wait.wake_one(EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND);
        self.common.fasync.kill(POLL_IN);
    }

    /// Everybody must look again.
    #[doc(alias = "sk_state_change")]
    fn state_change(&self) {
        self.wait.wake_all(0);
    }
}

impl State {
    /// Whether nobody else may queue anything now.
    #[doc(alias = "unix_recvq_full")]
    fn dgram_full(&self) -> bool {
        self.queue.len() > MAX_DGRAM_QLEN
    }

    /// Bytes queued.
    #[doc(alias = "inq_len")]
    fn queued(&self) -> usize {
        self.queue.iter().map(Message::left).sum()
    }

    #[doc(alias = "unix_our_peer")]
    fn is_peer(&self, other: &Arc<UnixSock>) -> bool {
        self.peer.as_ref().is_some_and(|peer| Arc::ptr_eq(peer, other))
    }

    /// Takes the oldest message out.
    #[doc(alias = "skb_unlink")]
    fn pop(&mut self) -> Option<Message> {
        let message = self.queue.pop_front()?;
        if self.oob == Some(self.taken) {
            self.oob = None;
        }
        self.taken += 1;
        Some(message)
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
    let cred = PeerCred::of_current();
    for (one, other) in [(&a, &b), (&b, &a)] {
        let mut state = one.lock();
        state.peer = Some(other.clone());
        state.phase = Phase::Established;
        state.peer_cred = Some(cred.clone());
    }
    Ok([Box::new(UnixSocket(a)), Box::new(UnixSocket(b))])
}
