//! The socket layer: a file in front of a protocol.
//!
//! Mirrors: net/socket.c, include/linux/net.h (`proto_ops`), Linux 6.18.
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

use acrida_kcore::sync::SetOnce;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::epoll::EPOLLIN;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_NONBLOCK, O_RDWR};
use acrida_uapi::ioctl::{FIOGETOWN, FIONREAD, FIOSETOWN, SIOCATMARK, SIOCGIFCONF, SIOCGPGRP, SIOCSPGRP, SIOCUNIXFILE, TIOCOUTQ};
use acrida_uapi::socket::{AF_UNIX, MSG_DONTWAIT, SOCK_NONBLOCK};
use acrida_uapi::stat::S_IFSOCK;

use crate::abi::SysResult;
use crate::fs::anon_inodes::PseudoInode;
use crate::fs::fasync::{self, FasyncQueues};
use crate::fs::fcntl;
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;
use crate::fs::splice::PageSlice;
use crate::net::core::sock::{SockCommon, Timeout};
use crate::net::host_socket;
use crate::net::scm::{PeerCred, Scm};
use crate::net::unix::Files;

pub use calls::*;

/// Longest address any family has.
pub const MAX_ADDR: usize = 128;

/// Asks of `sendmsg`.
pub struct Send<'a> {
    pub name: Option<&'a [u8]>,
    pub scm: Scm,
    /// `MSG_*`.
    pub flags: u32,
    pub blocking: Blocking,
}

/// Asks of `recvmsg`.
#[derive(Clone, Copy)]
pub struct Receive {
    pub flags: u32,
    pub blocking: Blocking,
    /// Whether the sender's address is to be told.
    pub wants_name: bool,
    /// Room for what comes beside the bytes.
    pub control: usize,
}

/// What `recvmsg` got.
#[derive(Default)]
pub struct Received {
    pub len: usize,
    /// The sender's address; empty: none is told.
    pub name: Vec<u8>,
    pub scm: Scm,
    /// Files that came off a queue and are still counted as being in flight.
    pub travelled: Option<Files>,
    /// Bytes that could be read next, if the receiver wants to know (`SO_INQ`).
    #[doc(alias = "msg_inq")]
    pub left: Option<i32>,
    /// What else comes beside the bytes, as the guest sees it.
    pub control: Vec<u8>,
    /// `MSG_TRUNC`, `MSG_EOR`...
    pub flags: u32,
}

/// What a protocol does; defaults are Linux's `sock_no_*`.
#[doc(alias = "proto_ops")]
pub trait ProtoOps: core::any::Any + core::marker::Send + Sync {
    fn common(&self) -> &SockCommon;
    /// `AF_*`, `SOCK_*`, protocol.
    fn kind(&self) -> (u16, u32, i32);
    fn bind(&self, addr: &[u8]) -> Result<(), Error>;
    /// Connects; what is returned takes the socket's place from now on.
    fn connect(&self, addr: &[u8], blocking: Blocking) -> Result<Option<Box<dyn ProtoOps>>, Error>;
    fn listen(&self, backlog: i32) -> Result<(), Error> {
        let _ = backlog;
        Err(Errno::EOPNOTSUPP.into())
    }
    /// A connected socket and its peer's address.
    fn accept(&self, blocking: Blocking) -> Result<Box<dyn ProtoOps>, Error> {
        let _ = blocking;
        Err(Errno::EOPNOTSUPP.into())
    }
    /// Own name, or the peer's.
    fn name(&self, of: End) -> Result<Vec<u8>, Error>;
    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult;
    /// Sends pages by reference; the bytes taken.
    #[doc(alias = "MSG_SPLICE_PAGES")]
    fn send_pages(&self, slices: &[PageSlice], send: Send<'_>) -> SysResult {
        let _ = (slices, send);
        Err(Errno::EOPNOTSUPP.into())
    }
    fn can_send_pages(&self) -> bool {
        false
    }
    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error>;
    fn shutdown(&self, how: i32) -> Result<(), Error>;
    fn poll(&self, table: &mut PollTable<'_>) -> u32;
    /// Bytes that can be read, as `FIONREAD` tells them.
    #[doc(alias = "SIOCINQ")]
    fn unread(&self) -> Result<i32, Errno>;
    /// Bytes sent but not yet taken.
    #[doc(alias = "SIOCOUTQ")]
    fn unsent(&self) -> Result<i32, Errno>;
    /// A descriptor of the file that the socket is bound to.
    fn bound_file(&self) -> Result<u32, Error> {
        Err(Errno::ENOTTY.into())
    }
    /// Whether the next byte is the urgent one; `None`: the protocol knows none.
    fn at_mark(&self) -> Option<bool> {
        None
    }
    fn is_listening(&self) -> bool {
        false
    }
    /// `SO_PEERCRED`.
    fn peer_cred(&self) -> Option<PeerCred> {
        None
    }
    /// Options of other levels, or all of them where the protocol keeps its own; `None`: the socket layer answers.
    fn set_option(&self, level: i32, name: i32, value: UserAddr, len: usize) -> Option<Result<(), Error>> {
        let _ = (level, name, value, len);
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
    first: Box<dyn ProtoOps>,
    /// What took the first one's place.
    successor: SetOnce<Box<dyn ProtoOps>>,
    inode: Arc<PseudoInode>,
}

impl Socket {
    /// A socket file; `flags` may have `SOCK_NONBLOCK`.
    pub fn file(proto: Box<dyn ProtoOps>, flags: u32) -> FileRef {
        let nonblock = if flags & SOCK_NONBLOCK != 0 { O_NONBLOCK } else { 0 };
        let inode = PseudoInode::new(SOCKFS_DEV, S_IFSOCK | 0o777);
        let file = File::anon(Arc::new(Socket { first: proto, successor: SetOnce::new(), inode }), O_RDWR | nonblock);
        if let Some(socket) = file.private::<Socket>() {
            socket.proto().common().set_file(&file);
        }
        file
    }

    #[inline]
    pub fn proto(&self) -> &dyn ProtoOps {
        &**self.successor.get().unwrap_or(&self.first)
    }

    /// Hands the socket over to `successor`; `EISCONN` if somebody did so before.
    fn hand_over(&self, file: &FileRef, successor: Box<dyn ProtoOps>) -> Result<(), Errno> {
        successor.common().set_file(file);
        self.successor.set(successor).map_err(|_| Errno::EISCONN)
    }
}

impl FileOperations for Socket {
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if to.count() == 0 {
            return Ok(0);
        }
        let receive = Receive { flags: 0, blocking: Blocking::of(file, to), wants_name: false, control: 0 };
        Ok(self.proto().recvmsg(to, receive)?.len)
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let blocking = Blocking::of(file, from);
        self.proto().sendmsg(from, Send { name: None, scm: Scm::default(), flags: 0, blocking })
    }

    fn can_nowait(&self) -> bool {
        true
    }

    fn can_splice_read(&self) -> bool {
        true
    }

    fn can_take_pages(&self) -> bool {
        self.proto().can_send_pages()
    }

    #[doc(alias = "splice_to_socket")]
    fn take_pages(&self, file: &FileRef, slices: &[PageSlice], blocking: Blocking) -> SysResult {
        let blocking = if file.nonblocking() { Blocking::No } else { blocking };
        self.proto().send_pages(slices, Send { name: None, scm: Scm::default(), flags: 0, blocking })
    }

    fn sleep_limit(&self, event: u32) -> (Option<u64>, Error) {
        self.proto().common().deadline(if event == EPOLLIN { Timeout::Receive } else { Timeout::Send })
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        Some(self.proto().poll(table))
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "sock_ioctl")]
    fn ioctl(&self, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        let arg = UserAddr(arg);
        let value: i32 = match cmd {
            FIOSETOWN | SIOCSPGRP => {
                return Ok(fcntl::set_owner_of_int(file, arg.read()?).map(|()| 0)?);
            }
            FIOGETOWN | SIOCGPGRP => fcntl::owner_of(file),
            FIONREAD => self.proto().unread()?,
            TIOCOUTQ => self.proto().unsent()?,
            SIOCUNIXFILE if self.proto().kind().0 == AF_UNIX => return Ok(self.proto().bound_file()? as usize),
            SIOCATMARK => self.proto().at_mark().ok_or(Errno::EOPNOTSUPP)?.into(),
            SIOCGIFCONF => return host_socket::list_interfaces(self.proto().kind().0, arg),
            _ => return host_socket::ask_interfaces(self.proto().kind().0, cmd, arg),
        };
        arg.write(&value)?;
        Ok(0)
    }

    #[doc(alias = "sock_fasync")]
    fn fasync(&self, _file: &File) -> FasyncQueues<'_> {
        [Some(&self.proto().common().fasync), None]
    }

    fn release(&self, file: &File) {
        fasync::release(file);
        self.first.release();
        if let Some(successor) = self.successor.get() {
            successor.release();
        }
    }

    fn pseudo_inode(&self) -> Option<&Arc<PseudoInode>> {
        Some(&self.inode)
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(format!("socket:[{}]", self.inode.common().ino))
    }
}

/// Device number of sockfs.
const SOCKFS_DEV: u32 = 8;

/// Whether a call on `file` with `flags` may sleep.
fn blocking(file: &File, flags: u32) -> Blocking {
    if file.nonblocking() || flags & MSG_DONTWAIT != 0 { Blocking::No } else { Blocking::Yes }
}
