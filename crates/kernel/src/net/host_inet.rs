//! Internet and netlink sockets on the host, until this kernel has protocols of its own.
//!
//! Mirrors: nothing in Linux.
//! Differs: the host socket never blocks; sleeping is ours, on the watched descriptor's queue, so a signal ends it and the
//! guest's `O_NONBLOCK` stays ours. Ancillary data does not cross.
//! Locking: none of its own.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::ioctl::{FIONREAD, TIOCOUTQ};
use acrida_uapi::nr;
use acrida_uapi::signal::SIGPIPE;
use acrida_uapi::socket::{MSG_NOSIGNAL, MSG_TRUNC, MSG_WAITALL, SO_ERROR, SOCK_STREAM, SOL_SOCKET};

use crate::abi::SysResult;
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::watch::watch;
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::host;
use crate::kernel::signal::send_sig_self;
use crate::net::core::sock::SockCommon;
use crate::net::socket::{End, ProtoOps, Receive, Received, Send};

/// Most bytes that cross in one piece when the guest's buffer is not one range.
const BOUNCE: usize = 64 << 10;

/// A socket of the host.
pub struct HostSocket {
    handle: HostHandle,
    family: u16,
    kind: u32,
    protocol: i32,
    common: SockCommon,
    /// What this kernel itself sends to a netlink socket; comes before what the host has.
    notices: SpinLock<VecDeque<Vec<u8>>>,
}

/// A host socket of `family`.
pub fn create(family: u16, kind: u32, protocol: i32) -> Result<Box<dyn ProtoOps>, Error> {
    let fd = host::net::socket(family, kind, protocol)?;
    Ok(Box::new(HostSocket::new(fd, family, kind, protocol)))
}

impl HostSocket {
    fn new(fd: HostFd, family: u16, kind: u32, protocol: i32) -> Self {
        HostSocket {
            handle: HostHandle::new(fd),
            family,
            kind,
            protocol,
            common: SockCommon::default(),
            notices: SpinLock::default(),
        }
    }

    fn fd(&self) -> HostFd {
        self.handle.fd()
    }

    /// Puts a message of this kernel's own into the socket.
    #[doc(alias = "netlink_sendskb")]
    pub fn post(&self, notice: &[u8]) {
        self.notices.lock().push_back(notice.to_vec());
        watch(self.fd()).wake_all(EPOLLIN);
    }

    /// Tries until the host does not answer `EAGAIN` any more.
    fn until<R>(
        &self,
        nonblock: bool,
        (deadline, interrupted): (Option<u64>, Error),
        mut attempt: impl FnMut() -> Result<R, Errno>,
    ) -> Result<R, Error> {
        let mut look = || match attempt() {
            Err(Errno::EAGAIN) => None,
            other => Some(other.map_err(Error::from)),
        };
        if let Some(result) = look() {
            return result;
        }
        if nonblock {
            return Err(Errno::EAGAIN.into());
        }
        let options = WaitOptions::interruptible("sk_wait_data").until(deadline);
        match watch(self.fd()).wait_event(options, look) {
            Ok(result) => result,
            Err(WaitError::TimedOut) => Err(Errno::EAGAIN.into()),
            Err(WaitError::Interrupted) => Err(interrupted),
        }
    }
}

impl ProtoOps for HostSocket {
    fn common(&self) -> &SockCommon {
        &self.common
    }

    fn kind(&self) -> (u16, u32, i32) {
        (self.family, self.kind, self.protocol)
    }

    fn bind(&self, addr: &[u8]) -> Result<(), Error> {
        Ok(host::net::bind(self.fd(), addr)?)
    }

    fn connect(&self, addr: &[u8], nonblock: bool) -> Result<(), Error> {
        match host::net::connect(self.fd(), addr) {
            Err(Errno::EINPROGRESS) if !nonblock => {}
            other => return Ok(other?),
        }
        self.until(false, self.common.send_deadline(), || {
            let now = host::io::poll_now(self.fd(), (EPOLLOUT | EPOLLERR | EPOLLHUP) as u16);
            if now == 0 {
                return Err(Errno::EAGAIN);
            }
            let error = host::net::get_option(self.fd(), SOL_SOCKET, SO_ERROR, 4)?;
            match i32::from_ne_bytes(error.try_into().unwrap_or_default()) {
                0 => Ok(()),
                raw => Err(Errno::from_raw(raw).unwrap_or(Errno::EIO)),
            }
        })
    }

    fn listen(&self, backlog: i32) -> Result<(), Error> {
        Ok(host::net::listen(self.fd(), backlog)?)
    }

    fn accept(&self, nonblock: bool) -> Result<Box<dyn ProtoOps>, Error> {
        let fd = self.until(nonblock, self.common.receive_deadline(), || host::net::accept(self.fd()))?;
        Ok(Box::new(HostSocket::new(fd, self.family, self.kind, self.protocol)))
    }

    fn name(&self, of: End) -> Result<Vec<u8>, Error> {
        let nr = if of == End::Own { nr::getsockname } else { nr::getpeername };
        Ok(host::net::name(nr, self.fd())?)
    }

    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult {
        let total = from.count();
        let flags = send.flags | MSG_NOSIGNAL;
        let mut sent = 0;
        // Bytes taken from the guest but not yet sent, when they are not one guest range.
        let mut bounce: Vec<u8> = Vec::new();
        loop {
            let direct = if bounce.is_empty() { from.user_segment().filter(|&(_, len)| len == from.count()) } else { None };
            if direct.is_none() && bounce.is_empty() {
                bounce.resize(from.count().min(if self.kind == SOCK_STREAM { BOUNCE } else { usize::MAX }), 0);
                if from.copy_from(&mut bounce) < bounce.len() {
                    return if sent > 0 { Ok(sent) } else { Err(Errno::EFAULT.into()) };
                }
            }
            let piece = self.until(send.nonblock, self.common.send_deadline(), || match direct {
                Some((at, len)) => host::net::send_user(self.fd(), at, len, flags, send.name),
                None => host::net::send(self.fd(), &bounce, flags, send.name),
            });
            match piece {
                Ok(len) => {
                    match direct {
                        Some(_) => from.advance(len),
                        None => drop(bounce.drain(..len)),
                    }
                    sent += len;
                    if self.kind != SOCK_STREAM || sent >= total || send.nonblock {
                        return Ok(sent);
                    }
                }
                Err(_) if sent > 0 => return Ok(sent),
                Err(error) => {
                    if error == Error::Errno(Errno::EPIPE) && send.flags & MSG_NOSIGNAL == 0 {
                        send_sig_self(SIGPIPE);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn recvmsg(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Received, Error> {
        let flags = receive.flags & !MSG_WAITALL;
        let mut got = Received::default();
        loop {
            let piece = self.until(receive.nonblock, self.common.receive_deadline(), || match to.user_segment() {
                _ if !self.notices.lock().is_empty() => {
                    let notice = self.notices.lock().pop_front().unwrap_or_default();
                    Ok((to.copy_to(&notice), Vec::new()))
                }
                Some((at, room)) if room == to.count() => {
                    let (len, name) = host::net::receive_user(self.fd(), at, room, flags)?;
                    to.advance(len);
                    Ok((len, name))
                }
                _ => {
                    let mut bytes = vec![0; to.count().min(BOUNCE)];
                    let (len, name) = host::net::receive(self.fd(), &mut bytes, flags)?;
                    let len_in_buffer = len.min(bytes.len());
                    if to.copy_to(&bytes[..len_in_buffer]) < len_in_buffer {
                        return Err(Errno::EFAULT);
                    }
                    Ok((len, name))
                }
            });
            match piece {
                Ok((len, name)) => {
                    got.len += len;
                    got.name = name;
                    let more = receive.flags & MSG_WAITALL != 0 && self.kind == SOCK_STREAM && len > 0 && to.count() > 0;
                    if !more {
                        break;
                    }
                }
                Err(_) if got.len > 0 => break,
                Err(error) => return Err(error),
            }
        }
        if flags & MSG_TRUNC != 0 && to.count() == 0 && self.kind != SOCK_STREAM {
            got.flags |= MSG_TRUNC;
        }
        Ok(got)
    }

    fn shutdown(&self, how: i32) -> Result<(), Error> {
        Ok(host::net::shutdown(self.fd(), how)?)
    }

    fn poll(&self, table: &mut PollTable<'_>) -> u32 {
        table.poll_wait(&watch(self.fd()));
        let noticed = if self.notices.lock().is_empty() { 0 } else { EPOLLIN };
        noticed | host::io::poll_now(self.fd(), (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | 0x3c0) as u16) as u32
    }

    fn queued(&self) -> (usize, usize) {
        let ask = |cmd| host::io::ioctl_int(self.fd(), cmd).unwrap_or(0) as usize;
        (ask(FIONREAD), ask(TIOCOUTQ))
    }

    fn set_option(&self, level: i32, name: i32, value: &[u8]) -> Option<Result<(), Error>> {
        Some(host::net::set_option(self.fd(), level, name, value).map_err(Error::from))
    }

    fn get_option(&self, level: i32, name: i32, room: usize) -> Option<Result<Vec<u8>, Error>> {
        Some(host::net::get_option(self.fd(), level, name, room).map_err(Error::from))
    }

    fn release(&self) {}
}
