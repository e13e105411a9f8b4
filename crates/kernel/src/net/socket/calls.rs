//! The socket calls.
//!
//! Mirrors: net/socket.c (`__sys_socket` and its family), Linux 6.18.
//! Locking: none of its own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::*;

use super::{End, MAX_ADDR, ProtoOps, Socket, blocking};
use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::fdtable::Reserved;
use crate::fs::file::File;
use crate::fs::read_write::fdget;
use crate::net::{host_socket, netlink, unix};

pub use super::msg::{sys_recvfrom, sys_recvmmsg, sys_recvmsg, sys_sendmmsg, sys_sendmsg, sys_sendto};
pub use super::options::{sys_getsockopt, sys_setsockopt};

/// The socket behind a file, or `ENOTSOCK`. Each call asks once: the answer costs a call through the file's table.
#[doc(alias = "sock_from_file")]
#[inline]
pub(super) fn socket_of(file: &File) -> Result<&Socket, Errno> {
    file.private::<Socket>().ok_or(Errno::ENOTSOCK)
}

/// An address from the guest.
#[doc(alias = "move_addr_to_kernel")]
pub(super) fn read_addr(at: UserAddr, len: i32) -> Result<Vec<u8>, Errno> {
    if len < 0 || len as usize > MAX_ADDR {
        return Err(Errno::EINVAL);
    }
    let mut addr = alloc::vec![0u8; len as usize];
    at.read_bytes(&mut addr)?;
    Ok(addr)
}

/// An address to the guest, cut to the room it has; its true length goes to `len_at`.
#[doc(alias = "move_addr_to_user")]
pub(super) fn write_addr(addr: &[u8], at: UserAddr, len_at: UserAddr) -> Result<(), Errno> {
    let room: i32 = len_at.read()?;
    if room < 0 {
        return Err(Errno::EINVAL);
    }
    at.write_bytes(&addr[..addr.len().min(room as usize)])?;
    len_at.write(&(addr.len() as i32))
}

fn create(family: i32, kind: u32, protocol: i32) -> Result<Box<dyn ProtoOps>, Error> {
    match known(family, kind)? {
        AF_UNIX => unix::create(kind, protocol),
        AF_NETLINK => netlink::create(kind, protocol),
        family @ (AF_INET | AF_INET6) => host_socket::create(family, kind, protocol),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}

/// What is checked of a socket before its family is asked; the family.
fn known(family: i32, kind: u32) -> Result<u16, Errno> {
    /// Families Linux has numbers for.
    const NPROTO: u16 = 46;
    let family = u16::try_from(family).ok().filter(|&family| family < NPROTO).ok_or(Errno::EAFNOSUPPORT)?;
    if kind > SOCK_PACKET { Err(Errno::EINVAL) } else { Ok(family) }
}

fn split(kind: u32) -> Result<(u32, u32), Errno> {
    let flags = kind & !SOCK_TYPE_MASK;
    if flags & !(SOCK_CLOEXEC | SOCK_NONBLOCK) != 0 { Err(Errno::EINVAL) } else { Ok((kind & SOCK_TYPE_MASK, flags)) }
}

pub fn sys_socket(family: i32, kind: u32, protocol: i32) -> SysResult {
    let (kind, flags) = split(kind)?;
    let file = Socket::file(create(family, kind, protocol)?, flags);
    Ok(current().files().install(file, flags & SOCK_CLOEXEC != 0)? as usize)
}

pub fn sys_socketpair(family: i32, kind: u32, protocol: i32, fds: UserAddr) -> SysResult {
    let (kind, flags) = split(kind)?;
    let table = current().files();
    let numbers = [table.reserve()?, table.reserve()?];
    fds.write(&numbers.each_ref().map(Reserved::fd))?;
    if known(family, kind)? != AF_UNIX {
        // No other family has pairs, but it may have other complaints.
        return create(family, kind, protocol).and(Err(Errno::EOPNOTSUPP.into()));
    }
    for (number, proto) in numbers.into_iter().zip(unix::pair(kind, protocol)?) {
        number.publish(Socket::file(proto, flags), flags & SOCK_CLOEXEC != 0);
    }
    Ok(0)
}

pub fn sys_bind(fd: Fd, addr: UserAddr, len: i32) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    socket.proto().bind(&read_addr(addr, len)?)?;
    Ok(0)
}

pub fn sys_listen(fd: Fd, backlog: i32) -> SysResult {
    const SOMAXCONN: u32 = 4096;
    let file = fdget(fd)?;
    socket_of(&file)?.proto().listen((backlog as u32).min(SOMAXCONN) as i32)?;
    Ok(0)
}

pub fn sys_accept(fd: Fd, addr: UserAddr, len: UserAddr) -> SysResult {
    sys_accept4(fd, addr, len, Flags(0))
}

pub fn sys_accept4(fd: Fd, addr: UserAddr, len: UserAddr, flags: Flags) -> SysResult {
    let file = fdget(fd)?;
    if flags.0 & !(SOCK_CLOEXEC | SOCK_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    // A connection that could have no number stays in the queue.
    let number = current().files().reserve()?;
    let new = socket_of(&file)?.proto().accept(blocking(&file, 0))?;
    let new = Socket::file(new, flags.0);
    if !addr.is_null() {
        let name = socket_of(&new)?.proto().name(End::Peer).map_err(|_| Errno::ECONNABORTED)?;
        write_addr(&name, addr, len)?;
    }
    Ok(number.publish(new, flags.0 & SOCK_CLOEXEC != 0) as usize)
}

pub fn sys_connect(fd: Fd, addr: UserAddr, len: i32) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    let successor = socket.proto().connect(&read_addr(addr, len)?, blocking(&file, 0))?;
    if let Some(successor) = successor {
        socket.hand_over(&file, successor)?;
    }
    Ok(0)
}

pub fn sys_getsockname(fd: Fd, addr: UserAddr, len: UserAddr) -> SysResult {
    let file = fdget(fd)?;
    write_addr(&socket_of(&file)?.proto().name(End::Own)?, addr, len)?;
    Ok(0)
}

pub fn sys_getpeername(fd: Fd, addr: UserAddr, len: UserAddr) -> SysResult {
    let file = fdget(fd)?;
    write_addr(&socket_of(&file)?.proto().name(End::Peer)?, addr, len)?;
    Ok(0)
}

pub fn sys_shutdown(fd: Fd, how: i32) -> SysResult {
    let file = fdget(fd)?;
    socket_of(&file)?.proto().shutdown(how)?;
    Ok(0)
}
