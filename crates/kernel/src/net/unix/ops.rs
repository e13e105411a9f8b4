//! The socket layer's calls on a local socket.
//!
//! Mirrors: net/unix/af_unix.c (`unix_stream_ops`, `unix_dgram_ops`, `unix_seqpacket_ops`), Linux 6.18.
//! Locking: the socket's state for one look.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_NET_ADMIN;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_PATH;
use acrida_uapi::socket::*;

use super::names::Address;
use super::{Kind, Message, Phase, UnixSock, UnixSocket};
use crate::abi::SysResult;
use crate::current;
use crate::fs::file::File;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;
use crate::fs::splice::PageSlice;
use crate::net::core::sock::SockCommon;
use crate::net::scm::PeerCred;
use crate::net::socket::{End, ProtoOps, Receive, Received, Send};

impl UnixSock {
    /// The name as `getsockname` tells it.
    pub fn name_bytes(&self) -> Vec<u8> {
        self.lock().name.as_ref().map_or_else(|| Address::Unnamed.encode(), |name| name.to_vec())
    }

    /// The name as a receiver is told it: nothing if there is none.
    #[doc(alias = "unix_copy_addr")]
    pub fn sender_name(&self) -> Vec<u8> {
        self.lock().name.as_ref().map(|name| name.to_vec()).unwrap_or_default()
    }
}

impl ProtoOps for UnixSocket {
    fn common(&self) -> &SockCommon {
        &self.0.common
    }

    fn kind(&self) -> (u16, u32, i32) {
        (AF_UNIX, self.0.kind.number(), 0)
    }

    fn bind(&self, addr: &[u8]) -> Result<(), Error> {
        self.0.bind(addr)
    }

    fn connect(&self, addr: &[u8], blocking: Blocking) -> Result<Option<Box<dyn ProtoOps>>, Error> {
        let successor = match self.0.kind {
            Kind::Dgram => self.0.dgram_connect(addr)?,
            _ => self.0.stream_connect(addr, blocking)?,
        };
        Ok(successor.map(|host| Box::new(host) as Box<dyn ProtoOps>))
    }

    fn listen(&self, backlog: i32) -> Result<(), Error> {
        self.0.listen(usize::try_from(backlog).unwrap_or(0))
    }

    fn accept(&self, blocking: Blocking) -> Result<Box<dyn ProtoOps>, Error> {
        Ok(Box::new(UnixSocket(self.0.accept(blocking)?)))
    }

    #[doc(alias = "unix_getname")]
    fn name(&self, of: End) -> Result<Vec<u8>, Error> {
        match of {
            End::Own => Ok(self.0.name_bytes()),
            End::Peer => {
                let peer = self.0.lock().peer.clone().ok_or(Errno::ENOTCONN)?;
                Ok(peer.name_bytes())
            }
        }
    }

    fn sendmsg(&self, from: &mut IovIter<'_>, mut send: Send<'_>) -> SysResult {
        if self.0.kind == Kind::Stream {
            return self.0.stream_send(from, send);
        }
        self.check_seqpacket(&mut send)?;
        if send.flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP.into());
        }
        self.0.dgram_send(from, send)
    }

    fn send_pages(&self, slices: &[PageSlice], mut send: Send<'_>) -> SysResult {
        if self.0.kind == Kind::Stream {
            return self.0.stream_send_pages(slices, &send);
        }
        self.check_seqpacket(&mut send)?;
        self.0.dgram_send_pages(slices, &send)
    }

    fn can_send_pages(&self) -> bool {
        true
    }

    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        match self.0.kind {
            Kind::Stream => self.0.stream_recv(to, receive),
            _ => self.0.dgram_recv(to, receive),
        }
    }

    fn shutdown(&self, how: i32) -> Result<(), Error> {
        self.0.shut_down(how)
    }

    fn poll(&self, table: &mut PollTable<'_>) -> u32 {
        self.0.poll(table)
    }

    #[doc(alias = "unix_inq_len")]
    fn unread(&self) -> Result<i32, Errno> {
        let state = self.0.lock();
        let readable = match self.0.kind {
            _ if state.phase == Phase::Listen => return Err(Errno::EINVAL),
            Kind::Dgram => state.queue.front().map_or(0, Message::left),
            _ => state.queued(),
        };
        Ok(i32::try_from(readable).unwrap_or(i32::MAX))
    }

    #[doc(alias = "unix_outq_len")]
    fn unsent(&self) -> Result<i32, Errno> {
        Ok(i32::try_from(self.0.common.wmem.load(Ordering::SeqCst)).unwrap_or(i32::MAX))
    }

    #[doc(alias = "unix_open_file")]
    fn bound_file(&self) -> Result<u32, Error> {
        if !current().cred().capable(CAP_NET_ADMIN) {
            return Err(Errno::EPERM.into());
        }
        let path = self.0.lock().path.clone().ok_or(Errno::ENOENT)?;
        let ops = path.inode().open_path(&path)?;
        Ok(current().files().install(File::of_path(ops, O_PATH, path), true)?)
    }

    #[doc(alias = "unix_setsockopt")]
    fn set_option(&self, level: i32, name: i32, value: UserAddr, len: usize) -> Option<Result<(), Error>> {
        (level == SOL_SOCKET && name == SO_INQ && self.0.kind == Kind::Stream).then(|| {
            if len != size_of::<i32>() {
                return Err(Errno::EINVAL.into());
            }
            let tells = match value.read::<i32>()? {
                0 => false,
                1 => true,
                _ => return Err(Errno::EINVAL.into()),
            };
            self.0.tells_left.store(tells, Ordering::Relaxed);
            Ok(())
        })
    }

    fn at_mark(&self) -> Option<bool> {
        (self.0.kind == Kind::Stream).then(|| self.0.at_mark())
    }

    fn is_listening(&self) -> bool {
        self.0.lock().phase == Phase::Listen
    }

    fn peer_cred(&self) -> Option<PeerCred> {
        self.0.lock().peer_cred.clone()
    }

    fn release(&self) {
        self.0.release();
    }
}

impl UnixSocket {
    /// A sequenced packet goes to the connection's peer, whatever name the call gives.
    #[doc(alias = "unix_seqpacket_sendmsg")]
    fn check_seqpacket(&self, send: &mut Send<'_>) -> Result<(), Error> {
        if self.0.kind == Kind::Seqpacket {
            self.0.common.take_error()?;
            if self.0.lock().phase != Phase::Established {
                return Err(Errno::ENOTCONN.into());
            }
            send.name = None;
        }
        Ok(())
    }
}
