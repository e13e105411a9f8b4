//! The socket layer: a file in front of a protocol.
//!
//! Mirrors: net/socket.c, include/linux/net.h (`proto_ops`), Linux 6.1.
//! Differs: a protocol is a trait object that owns its `sock`; addresses cross as bytes.
//! Locking: none of its own.

mod calls;
mod msg;
mod options;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::{O_NONBLOCK, O_RDWR};
use acrida_uapi::ioctl::{FIONREAD, TIOCOUTQ};
use acrida_uapi::socket::{MSG_DONTWAIT, SOCK_NONBLOCK};
use acrida_uapi::stat::S_IFSOCK;

use crate::abi::SysResult;
use crate::fs::attr::Kstat;
use crate::fs::file::{File, FileOperations};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::kernel;
use crate::net::scm::Scm;

pub use calls::*;

/// Longest address any family has.
pub const MAX_ADDR: usize = 128;

/// Asks of `sendmsg`.
pub struct Send<'a> {
    pub name: Option<&'a [u8]>,
    pub scm: Scm,
    /// `MSG_*`.
    pub flags: u32,
    pub nonblock: bool,
}

/// Asks of `recvmsg`.
#[derive(Clone, Copy)]
pub struct Receive {
    pub flags: u32,
    pub nonblock: bool,
}

/// What `recvmsg` got.
#[derive(Default)]
pub struct Received {
    pub len: usize,
    /// The sender's address; empty: none is told.
    pub name: Vec<u8>,
    pub scm: Scm,
    /// `MSG_TRUNC`, `MSG_EOR`...
    pub flags: u32,
}

/// Options and errors that every socket has.
#[derive(Debug)]
#[doc(alias = "sock")]
pub struct SockCommon {
    pub sndbuf: AtomicU32,
    pub rcvbuf: AtomicU32,
    /// Nanoseconds; 0: for ever.
    pub rcvtimeo: AtomicU64,
    pub sndtimeo: AtomicU64,
    pub rcvlowat: AtomicU32,
    pub passcred: AtomicBool,
    /// One bit per boolean option that is only remembered, by its `SO_` number.
    pub remembered: AtomicU64,
    pub linger: AtomicU64,
    pub priority: AtomicU32,
    pub peek_off: AtomicI32,
    /// Pending error; reading it clears it.
    #[doc(alias = "sk_err")]
    pub err: AtomicI32,
}

/// Linux's `wmem_default` and `rmem_default`.
const BUF_DEFAULT: u32 = 212_992;

impl Default for SockCommon {
    fn default() -> Self {
        SockCommon {
            sndbuf: AtomicU32::new(BUF_DEFAULT),
            rcvbuf: AtomicU32::new(BUF_DEFAULT),
            rcvtimeo: AtomicU64::new(0),
            sndtimeo: AtomicU64::new(0),
            rcvlowat: AtomicU32::new(1),
            passcred: AtomicBool::new(false),
            remembered: AtomicU64::new(0),
            linger: AtomicU64::new(0),
            priority: AtomicU32::new(0),
            peek_off: AtomicI32::new(-1),
            err: AtomicI32::new(0),
        }
    }
}

impl SockCommon {
    /// The pending error, once.
    #[doc(alias = "sock_error")]
    pub fn take_error(&self) -> Result<(), Errno> {
        match self.err.swap(0, Ordering::SeqCst) {
            0 => Ok(()),
            raw => Err(Errno::from_raw(raw).unwrap_or(Errno::EIO)),
        }
    }

    /// When a wait must end, and what an interrupted one answers.
    fn deadline(timeout: &AtomicU64) -> (Option<u64>, Error) {
        match timeout.load(Ordering::Relaxed) {
            0 => (None, Restart::ERESTARTSYS.into()),
            ns => (Some(platform().now(ClockId::Monotonic) + ns), Errno::EINTR.into()),
        }
    }

    pub fn receive_deadline(&self) -> (Option<u64>, Error) {
        Self::deadline(&self.rcvtimeo)
    }

    pub fn send_deadline(&self) -> (Option<u64>, Error) {
        Self::deadline(&self.sndtimeo)
    }
}

/// What a protocol does; defaults are Linux's `sock_no_*`.
#[doc(alias = "proto_ops")]
pub trait ProtoOps: core::any::Any + core::marker::Send + Sync {
    fn common(&self) -> &SockCommon;
    /// `AF_*`, `SOCK_*`, protocol.
    fn kind(&self) -> (u16, u32, i32);
    fn bind(&self, addr: &[u8]) -> Result<(), Error>;
    fn connect(&self, addr: &[u8], nonblock: bool) -> Result<(), Error>;
    fn listen(&self, backlog: i32) -> Result<(), Error> {
        let _ = backlog;
        Err(Errno::EOPNOTSUPP.into())
    }
    /// A connected socket and its peer's address.
    fn accept(&self, nonblock: bool) -> Result<Box<dyn ProtoOps>, Error> {
        let _ = nonblock;
        Err(Errno::EOPNOTSUPP.into())
    }
    /// Own name, or the peer's.
    fn name(&self, of: End) -> Result<Vec<u8>, Error>;
    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult;
    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error>;
    fn shutdown(&self, how: i32) -> Result<(), Error>;
    fn poll(&self, table: &mut PollTable<'_>) -> u32;
    /// Bytes that can be read, and bytes sent but not yet taken.
    fn queued(&self) -> (usize, usize);
    fn is_listening(&self) -> bool {
        false
    }
    /// `SO_PEERCRED`.
    fn peer_cred(&self) -> Option<acrida_uapi::socket::Ucred> {
        None
    }
    /// Options of other levels, or all of them where the protocol keeps its own; `None`: the socket layer answers.
    fn set_option(&self, level: i32, name: i32, value: &[u8]) -> Option<Result<(), Error>> {
        let _ = (level, name, value);
        None
    }
    fn get_option(&self, level: i32, name: i32, room: usize) -> Option<Result<Vec<u8>, Error>> {
        let _ = (level, name, room);
        None
    }
    fn release(&self);
}

/// Whose name `getsockname` and `getpeername` want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Own,
    Peer,
}

/// The file in front.
pub struct Socket {
    pub proto: Box<dyn ProtoOps>,
    ino: u64,
}

impl Socket {
    /// A socket file; `flags` may have `SOCK_NONBLOCK`.
    pub fn file(proto: Box<dyn ProtoOps>, flags: u32) -> Arc<File> {
        let nonblock = if flags & SOCK_NONBLOCK != 0 { O_NONBLOCK } else { 0 };
        let ino = kernel().next_ino();
        File::anon(Box::new(Socket { proto, ino }), O_RDWR | nonblock)
    }
}

impl FileOperations for Socket {
    fn read(&self, file: &Arc<File>, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if to.count() == 0 {
            return Ok(0);
        }
        let receive = Receive { flags: 0, nonblock: file.nonblocking() || to.nowait() };
        Ok(self.proto.recvmsg(to, receive)?.len)
    }

    fn write(&self, file: &Arc<File>, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let nonblock = file.nonblocking() || from.nowait();
        self.proto.sendmsg(from, Send { name: None, scm: Scm::default(), flags: 0, nonblock })
    }

    fn can_nowait(&self) -> bool {
        true
    }

    fn poll(&self, _file: &Arc<File>, table: &mut PollTable<'_>) -> Option<u32> {
        Some(self.proto.poll(table))
    }

    fn can_poll(&self) -> bool {
        true
    }

    fn ioctl(&self, _file: &Arc<File>, cmd: u32, arg: u64) -> SysResult {
        let (readable, unsent) = self.proto.queued();
        let value = match cmd {
            FIONREAD if self.proto.is_listening() => return Err(Errno::EINVAL.into()),
            FIONREAD => readable,
            TIOCOUTQ => unsent,
            _ => return Err(Errno::ENOTTY.into()),
        };
        acrida_kcore::uaccess::UserAddr(arg).write(&(value as i32))?;
        Ok(0)
    }

    fn release(&self, _file: &File) {
        self.proto.release();
    }

    fn stat(&self, _file: &File) -> Result<Kstat, Error> {
        Ok(Kstat { ino: self.ino, nlink: 1, mode: S_IFSOCK | 0o777, blksize: 4096, dev: SOCKFS_DEV, ..Kstat::default() })
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(format!("socket:[{}]", self.ino))
    }
}

/// Device number of sockfs.
const SOCKFS_DEV: u32 = 8;

/// Whether a call on `file` with `flags` may sleep.
fn nonblocking(file: &File, flags: u32) -> bool {
    file.nonblocking() || flags & MSG_DONTWAIT != 0
}
