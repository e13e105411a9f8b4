//! Netlink sockets: the host's, and what this kernel itself has to say.
//!
//! Mirrors: net/netlink/af_netlink.c, Linux 6.18, in role.
//! Differs: everything but this kernel's own notices is asked of the host.
//! Locking: `NetlinkSocket::notices` is a leaf.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::EPOLLIN;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{AF_NETLINK, MSG_PEEK};

use crate::abi::SysResult;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;
use crate::net::core::sock::{SockCommon, Timeout};
use crate::net::host_socket::HostSocket;
use crate::net::socket::{End, ProtoOps, Receive, Received, Send};

/// A netlink socket.
#[doc(alias = "netlink_sock")]
pub struct NetlinkSocket {
    host: HostSocket,
    /// What this kernel itself sends; comes before what the host has.
    notices: SpinLock<VecDeque<Vec<u8>>>,
}

/// A socket of `protocol`.
///
/// # Errors
/// The host's.
#[doc(alias = "netlink_create")]
pub fn create(kind: u32, protocol: i32) -> Result<Box<dyn ProtoOps>, Error> {
    Ok(Box::new(NetlinkSocket { host: HostSocket::create(AF_NETLINK, kind, protocol)?, notices: SpinLock::default() }))
}

impl NetlinkSocket {
    /// Puts a message of this kernel's own into the socket.
    #[doc(alias = "netlink_sendskb")]
    pub fn post(&self, notice: &[u8]) {
        self.notices.lock().push_back(notice.to_vec());
        self.host.watch().wake_all(EPOLLIN);
    }

    /// This kernel's oldest notice.
    fn notice(&self, flags: u32) -> Option<Vec<u8>> {
        let mut notices = self.notices.lock();
        if flags & MSG_PEEK != 0 { notices.front().cloned() } else { notices.pop_front() }
    }
}

impl ProtoOps for NetlinkSocket {
    fn common(&self) -> &SockCommon {
        self.host.common()
    }

    fn kind(&self) -> (u16, u32, i32) {
        self.host.kind()
    }

    fn bind(&self, addr: &[u8]) -> Result<(), Error> {
        self.host.bind(addr)
    }

    fn connect(&self, addr: &[u8], blocking: Blocking) -> Result<Option<Box<dyn ProtoOps>>, Error> {
        self.host.connect(addr, blocking)
    }

    fn name(&self, of: End) -> Result<Vec<u8>, Error> {
        self.host.name(of)
    }

    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult {
        self.host.sendmsg(from, send)
    }

    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        let look = || {
            if let Some(notice) = self.notice(receive.flags) {
                return Some(Ok(Received { len: to.copy_to(&notice), ..Received::default() }));
            }
            match self.host.recvmsg(to, Receive { blocking: Blocking::No, ..receive }) {
                Err(error) if error == Errno::EAGAIN => None,
                other => Some(other),
            }
        };
        let queue = || (self.host.watch(), WaitOptions::interruptible("skb_wait_for_more_packets"));
        self.common().wait_until(Timeout::Receive, receive.blocking, queue, look)
    }

    fn shutdown(&self, how: i32) -> Result<(), Error> {
        self.host.shutdown(how)
    }

    fn poll(&self, table: &mut PollTable<'_>) -> u32 {
        let told = self.host.poll(table);
        // Behind the registration: a notice that comes later wakes.
        let noticed = if self.notices.lock().is_empty() { 0 } else { EPOLLIN };
        told | noticed
    }

    fn unread(&self) -> Result<i32, Errno> {
        self.host.unread()
    }

    fn unsent(&self) -> Result<i32, Errno> {
        self.host.unsent()
    }

    fn set_option(&self, level: i32, name: i32, value: UserAddr, len: usize) -> Option<Result<(), Error>> {
        self.host.set_option(level, name, value, len)
    }

    fn get_option(&self, level: i32, name: i32, room: usize) -> Option<Result<Vec<u8>, Error>> {
        self.host.get_option(level, name, room)
    }

    fn release(&self) {
        self.host.release();
    }
}
