//! Sockets on the host: internet and netlink sockets, until this kernel has protocols of its own, and connections to the
//! path sockets that the world was given (`--host-socket`).
//!
//! Mirrors: nothing in Linux.
//! Differs: the host socket never blocks; sleeping is ours, on the watched descriptor's queue, so a signal ends it and the
//! guest's `O_NONBLOCK` stays ours. Descriptors and credentials do not cross: sending a descriptor fails with `EPERM`, as to a
//! receiver with `SO_PASSRIGHTS` off; one that the host sends is dropped, which `MSG_CTRUNC` tells. The peer's process is
//! none of this world: its number is 0.
//! Locking: none of its own.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem::offset_of;
use core::sync::atomic::Ordering;

use acrida_kcore::host::{HostFd, MessageBytes};
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::epoll::{EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::ioctl::*;
use acrida_uapi::netif::Ifconf;
use acrida_uapi::nr;
use acrida_uapi::signal::SIGPIPE;
use acrida_uapi::socket::*;
use acrida_uapi::time::Timeval;
use zerocopy::{FromBytes, IntoBytes};

use crate::abi::SysResult;
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::watch::{self, watch, watch_on};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::fs::read_write::Blocking;
use crate::host;
use crate::host::io::Direction;
use crate::host::net::Fetched;
use crate::kernel::signal::send_sig_self;
use crate::net::core::sock::{SockCommon, Timeout};
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
}

/// Longest option value taken in.
const OPTION_MAX: usize = 4096;
/// Bytes of Linux's `ifreq`.
const IFREQ: usize = 40;
/// Calls on an `ifreq` that change nothing.
const INTERFACE_QUERIES: [u32; 11] = [
    SIOCGIFNAME,
    SIOCGIFFLAGS,
    SIOCGIFADDR,
    SIOCGIFDSTADDR,
    SIOCGIFBRDADDR,
    SIOCGIFNETMASK,
    SIOCGIFMETRIC,
    SIOCGIFMTU,
    SIOCGIFHWADDR,
    SIOCGIFINDEX,
    SIOCGIFTXQLEN,
];
/// Options about descriptors and processes: the socket layer answers as for a socket without a peer in this world.
const OF_THIS_WORLD: [i32; 4] = [SO_PASSCRED, SO_PASSPIDFD, SO_PASSRIGHTS, SO_PEERPIDFD];

/// Asks the host about network interfaces, as a socket of `family` does: any will do.
///
/// # Errors
/// `ENOTTY` for what is no such question, `EFAULT`, and the host's.
#[doc(alias = "dev_ioctl")]
pub fn ask_interfaces(family: u16, cmd: u32, arg: UserAddr) -> SysResult {
    if !INTERFACE_QUERIES.contains(&cmd) {
        return Err(Errno::ENOTTY.into());
    }
    let mut request: [u8; IFREQ] = arg.read()?;
    let socket = HostHandle::new(host::net::socket(family, SOCK_DGRAM, 0)?);
    host::io::ioctl_object(socket.fd(), cmd, &mut request)?;
    arg.write(&request)?;
    Ok(0)
}

/// Lists the host's network interfaces that have an address, as a socket of `family` does.
///
/// # Errors
/// `EFAULT`, and the host's.
#[doc(alias = "dev_ifconf")]
pub fn list_interfaces(family: u16, arg: UserAddr) -> SysResult {
    let mut request: Ifconf = arg.read()?;
    let room = usize::try_from(request.ifc_len).unwrap_or(0);
    if !UserAddr(request.ifc_buf).access_ok(room) {
        return Err(Errno::EFAULT.into());
    }
    let socket = HostHandle::new(host::net::socket(family, SOCK_DGRAM, 0)?);
    // The host writes the list itself.
    host::io::ioctl_object(socket.fd(), SIOCGIFCONF, request.as_mut_bytes())?;
    arg.add(offset_of!(Ifconf, ifc_len) as u64).write(&request.ifc_len)?;
    Ok(0)
}

/// A host socket of `family`.
///
/// # Errors
/// The host's.
pub fn create(family: u16, kind: u32, protocol: i32) -> Result<Box<dyn ProtoOps>, Error> {
    Ok(Box::new(HostSocket::create(family, kind, protocol)?))
}

impl HostSocket {
    pub(super) fn create(family: u16, kind: u32, protocol: i32) -> Result<HostSocket, Errno> {
        let fd = host::net::socket(family, kind | SOCK_NONBLOCK, protocol)?;
        Ok(HostSocket::new(fd, family, kind, protocol))
    }

    fn new(fd: HostFd, family: u16, kind: u32, protocol: i32) -> Self {
        HostSocket { handle: HostHandle::new(fd), family, kind, protocol, common: SockCommon::default() }
    }

    /// A socket connected to the host's path socket behind `place` (an `O_PATH` descriptor). Who waits on `queue`, that of the
    /// socket which this one stands in for, goes on waiting.
    ///
    /// # Errors
    /// Those of the host's `connect`; a signal ends the wait as it ends `connect`.
    pub fn connected_to(
        place: HostFd,
        kind: u32,
        like: &SockCommon,
        queue: &Arc<WaitQueueHead>,
        blocking: Blocking,
    ) -> Result<HostSocket, Error> {
        // Sending and receiving never block here whatever the socket's flags.
        let fd = host::net::socket(AF_UNIX, if blocking == Blocking::No { kind | SOCK_NONBLOCK } else { kind }, 0)?;
        let socket = HostSocket::new(fd, AF_UNIX, kind, 0);
        socket.common.take_times(like);
        let path = host::fs::fd_path(place, b"");
        let address = [&AF_UNIX.to_ne_bytes()[..], &path, &[0]].concat();
        if blocking == Blocking::No {
            host::net::connect(fd, &address)?;
        } else {
            host::net::set_option(
                fd,
                SOL_SOCKET,
                SO_SNDTIMEO,
                Timeval::from_nanos(like.sndtimeo.load(Ordering::Relaxed).cast_signed()).as_bytes(),
            )?;
            let (_, interrupted) = like.deadline(Timeout::Send);
            host::net::connect_blocking(fd, &address)
                .map_err(|errno| if errno == Errno::EINTR { interrupted } else { errno.into() })?;
        }
        watch_on(fd, || queue.clone());
        Ok(socket)
    }

    fn fd(&self) -> HostFd {
        self.handle.fd()
    }

    /// The guest's paths are not the host's: a connection to a path socket stays with it.
    fn refuse_paths(&self, errno: Errno) -> Result<(), Errno> {
        if self.family == AF_UNIX { Err(errno) } else { Ok(()) }
    }

    /// Who is at the other end, without a number that would mean somebody else here.
    fn peer(&self) -> Result<Ucred, Errno> {
        let bytes = host::net::get_option(self.fd(), SOL_SOCKET, SO_PEERCRED, size_of::<Ucred>())?;
        let ucred = Ucred::read_from_bytes(&bytes).map_err(|_| Errno::EINVAL)?;
        Ok(Ucred { pid: 0, ..ucred })
    }

    /// The queue of who waits for the host's socket.
    pub fn watch(&self) -> Arc<WaitQueueHead> {
        watch(self.fd())
    }

    /// Tries until the host does not answer `EAGAIN` any more; `EAGAIN` if the call may not wait for that, or not so long.
    fn until<R>(
        &self,
        direction: Direction,
        blocking: Blocking,
        mut attempt: impl FnMut() -> Result<R, Errno>,
    ) -> Result<R, Error> {
        let look = || match attempt() {
            Err(Errno::EAGAIN) => {
                watch::transferred(self.fd(), direction, 1, Err(Errno::EAGAIN));
                None
            }
            other => Some(other.map_err(Error::from)),
        };
        let timeout = match direction {
            Direction::Read => Timeout::Receive,
            Direction::Write => Timeout::Send,
        };
        let queue = || (self.watch(), WaitOptions::interruptible("sk_wait_data"));
        self.common.wait_until(timeout, blocking, queue, look)
    }
}

impl HostSocket {
    /// Sleeps until a peek would see all that is `wanted`, or nothing more comes.
    fn wait_for_all(&self, receive: Receive, wanted: usize) -> Result<(), Error> {
        self.until(Direction::Read, receive.blocking, || {
            let ended = watch::poll_now(self.fd(), (EPOLLRDHUP | EPOLLERR | EPOLLHUP) as u16) != 0;
            let is_all_there = || self.unread().is_ok_and(|unread| unread.cast_unsigned() as usize >= wanted);
            if ended || is_all_there() { Ok(()) } else { Err(Errno::EAGAIN) }
        })
    }

    /// What there is now.
    fn fetch(&self, to: &mut IovIter<'_>, receive: Receive) -> Result<Fetched, Errno> {
        let flags = receive.flags & !MSG_WAITALL;
        // Nothing that comes beside the bytes of a local socket means anything here.
        let control = if self.family == AF_UNIX { 0 } else { receive.control };
        if let Some(pieces) = to.user_segments() {
            let room = to.count();
            let fetched = host::net::recvmsg(self.fd(), MessageBytes::User(pieces), control, flags)?;
            to.advance(fetched.len.min(room));
            return Ok(fetched);
        }
        let mut bytes = vec![0; to.count().min(BOUNCE)];
        let fetched = host::net::recvmsg(self.fd(), MessageBytes::ToFill(&mut bytes), control, flags)?;
        let len = fetched.len.min(bytes.len());
        if to.copy_to(&bytes[..len]) < len { Err(Errno::EFAULT) } else { Ok(fetched) }
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
        self.refuse_paths(Errno::EINVAL)?;
        Ok(host::net::bind(self.fd(), addr)?)
    }

    fn connect(&self, addr: &[u8], blocking: Blocking) -> Result<Option<Box<dyn ProtoOps>>, Error> {
        self.refuse_paths(Errno::EISCONN)?;
        let under_way = match host::net::connect(self.fd(), addr) {
            // A call that was interrupted is made again, and finds its own attempt under way.
            Err(errno @ (Errno::EINPROGRESS | Errno::EALREADY)) if blocking == Blocking::Yes => errno,
            other => return Ok(other.map(|()| None)?),
        };
        let connected = self.until(Direction::Write, blocking, || {
            let now = watch::poll_now(self.fd(), (EPOLLOUT | EPOLLERR | EPOLLHUP) as u16);
            if now == 0 {
                return Err(Errno::EAGAIN);
            }
            let error = host::net::get_option(self.fd(), SOL_SOCKET, SO_ERROR, 4)?;
            match i32::from_ne_bytes(error.try_into().unwrap_or_default()) {
                0 => Ok(None),
                raw => Err(Errno::from_raw(raw).unwrap_or(Errno::EIO)),
            }
        });
        // The attempt goes on behind a call that ran out of time.
        connected.map_err(|error| if error == Errno::EAGAIN { under_way.into() } else { error })
    }

    fn listen(&self, backlog: i32) -> Result<(), Error> {
        Ok(host::net::listen(self.fd(), backlog)?)
    }

    fn accept(&self, blocking: Blocking) -> Result<Box<dyn ProtoOps>, Error> {
        let fd = self.until(Direction::Read, blocking, || host::net::accept(self.fd()))?;
        Ok(Box::new(HostSocket::new(fd, self.family, self.kind, self.protocol)))
    }

    fn name(&self, of: End) -> Result<Vec<u8>, Error> {
        let nr = if of == End::Own { nr::getsockname } else { nr::getpeername };
        Ok(host::net::name(nr, self.fd())?)
    }

    fn sendmsg(&self, from: &mut IovIter<'_>, send: Send<'_>) -> SysResult {
        if self.family == AF_UNIX && !send.scm.files.is_empty() {
            return Err(Errno::EPERM.into());
        }
        if send.name.is_some() {
            self.refuse_paths(Errno::EISCONN)?;
        }
        let total = from.count();
        let flags = send.flags | MSG_NOSIGNAL;
        let name = send.name.unwrap_or_default();
        let mut sent = 0;
        // Bytes taken from the kernel's own memory but not yet sent.
        let mut bounce: Vec<u8> = Vec::new();
        loop {
            let direct = from.user_segments();
            if direct.is_none() && bounce.is_empty() {
                bounce.resize(from.count().min(if self.kind == SOCK_STREAM { BOUNCE } else { usize::MAX }), 0);
                if from.copy_from(&mut bounce) < bounce.len() {
                    return if sent > 0 { Ok(sent) } else { Err(Errno::EFAULT.into()) };
                }
            }
            let piece = self.until(Direction::Write, send.blocking, || {
                let bytes = direct.clone().map_or(MessageBytes::ToSend(&bounce), MessageBytes::User);
                host::net::sendmsg(self.fd(), name, bytes, &send.scm.other, flags)
            });
            match piece {
                Ok(len) => {
                    let asked = if direct.is_some() { from.count() } else { bounce.len() };
                    watch::transferred(self.fd(), Direction::Write, asked, Ok(len));
                    match direct {
                        Some(_) => from.advance(len),
                        None => drop(bounce.drain(..len)),
                    }
                    sent += len;
                    if self.kind != SOCK_STREAM || sent >= total || send.blocking == Blocking::No {
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
        let mut waits_for_all = self.kind == SOCK_STREAM && receive.flags & MSG_WAITALL != 0;
        let mut blocking = receive.blocking;
        let mut no_more = Error::from(Errno::EAGAIN);
        if waits_for_all && receive.flags & MSG_PEEK != 0 {
            // One look at everything: each further look would begin at the same byte.
            waits_for_all = false;
            if let Err(error) = self.wait_for_all(receive, to.count()) {
                (blocking, no_more) = (Blocking::No, error);
            }
        }
        let mut got = Received::default();
        loop {
            let asked = to.count();
            let piece = self.until(Direction::Read, blocking, || self.fetch(to, receive));
            match piece {
                Ok(piece) => {
                    if receive.flags & MSG_PEEK == 0 {
                        watch::transferred(self.fd(), Direction::Read, asked, Ok(piece.len));
                    }
                    let more = waits_for_all && piece.len > 0 && to.count() > 0;
                    got.len += piece.len;
                    got.name = piece.name;
                    got.control.extend(piece.control);
                    got.flags |= piece.flags & (MSG_TRUNC | MSG_CTRUNC | MSG_EOR | MSG_OOB | MSG_ERRQUEUE);
                    if !more {
                        return Ok(got);
                    }
                }
                Err(_) if got.len > 0 => return Ok(got),
                Err(error) => return Err(if error == Errno::EAGAIN { no_more } else { error }),
            }
        }
    }

    fn shutdown(&self, how: i32) -> Result<(), Error> {
        Ok(host::net::shutdown(self.fd(), how)?)
    }

    fn poll(&self, table: &mut PollTable<'_>) -> u32 {
        table.poll_wait(&self.watch());
        watch::poll_now(self.fd(), (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | 0x3c0) as u16) as u32
    }

    fn unread(&self) -> Result<i32, Errno> {
        host::io::ioctl_int(self.fd(), FIONREAD)
    }

    fn unsent(&self) -> Result<i32, Errno> {
        host::io::ioctl_int(self.fd(), TIOCOUTQ)
    }

    fn set_option(&self, level: i32, name: i32, value: UserAddr, len: usize) -> Option<Result<(), Error>> {
        if self.family == AF_UNIX && level == SOL_SOCKET && OF_THIS_WORLD.contains(&name) {
            return None;
        }
        let mut bytes = vec![0; len.min(OPTION_MAX)];
        let set = value.read_bytes(&mut bytes).and_then(|()| host::net::set_option(self.fd(), level, name, &bytes));
        Some(set.map_err(Error::from))
    }

    fn get_option(&self, level: i32, name: i32, room: usize) -> Option<Result<Vec<u8>, Error>> {
        if self.family == AF_UNIX && level == SOL_SOCKET {
            if name == SO_PEERCRED {
                return Some(self.peer().map(|peer| peer.as_bytes().to_vec()).map_err(Error::from));
            }
            if OF_THIS_WORLD.contains(&name) {
                return None;
            }
        }
        Some(host::net::get_option(self.fd(), level, name, room).map_err(Error::from))
    }

    fn release(&self) {}
}
