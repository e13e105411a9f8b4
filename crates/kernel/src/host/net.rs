//! Host calls behind internet sockets.

use acrida_kcore::host::{Arg, HostFd};
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::socket::{MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_NONBLOCK};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

/// Longest address and option the host is asked about.
const MAX_ADDR: usize = 128;

fn call(nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno> {
    platform().host().call(nr, args)
}

/// A non-blocking, close-on-exec socket.
pub fn socket(family: u16, kind: u32, protocol: i32) -> Result<HostFd, Errno> {
    let kind = kind | SOCK_CLOEXEC | SOCK_NONBLOCK;
    call(nr::socket, &mut [Arg::Val(family.into()), Arg::Val(kind.into()), Arg::Val(protocol as u64)]).map(|fd| HostFd(fd as i32))
}

pub fn bind(fd: HostFd, addr: &[u8]) -> Result<(), Errno> {
    call(nr::bind, &mut [Arg::Fd(fd), Arg::InLen(addr)]).map(|_| ())
}

pub fn connect(fd: HostFd, addr: &[u8]) -> Result<(), Errno> {
    call(nr::connect, &mut [Arg::Fd(fd), Arg::InLen(addr)]).map(|_| ())
}

pub fn listen(fd: HostFd, backlog: i32) -> Result<(), Errno> {
    call(nr::listen, &mut [Arg::Fd(fd), Arg::Val(backlog as u64)]).map(|_| ())
}

pub fn accept(fd: HostFd) -> Result<HostFd, Errno> {
    let flags = u64::from(SOCK_CLOEXEC | SOCK_NONBLOCK);
    call(nr::accept4, &mut [Arg::Fd(fd), Arg::Null, Arg::Null, Arg::Val(flags)]).map(|fd| HostFd(fd as i32))
}

/// `getsockname` or `getpeername`.
pub fn name(nr: u32, fd: HostFd) -> Result<Vec<u8>, Errno> {
    let mut addr = [0u8; MAX_ADDR];
    let mut len = MAX_ADDR as u32;
    call(nr, &mut [Arg::Fd(fd), Arg::Out(&mut addr), Arg::Out(len.as_mut_bytes())])?;
    Ok(addr[..(len as usize).min(MAX_ADDR)].to_vec())
}

/// Sends a guest buffer.
pub fn send_user(fd: HostFd, at: UserAddr, len: usize, flags: u32, name: Option<&[u8]>) -> Result<usize, Errno> {
    let flags = Arg::Val((flags | MSG_DONTWAIT).into());
    match name {
        Some(name) => call(nr::sendto, &mut [Arg::Fd(fd), Arg::User(at, len), Arg::Val(len as u64), flags, Arg::InLen(name)]),
        None => call(nr::sendto, &mut [Arg::Fd(fd), Arg::User(at, len), Arg::Val(len as u64), flags, Arg::Null, Arg::Null]),
    }
}

/// Sends a kernel buffer.
pub fn send(fd: HostFd, bytes: &[u8], flags: u32, name: Option<&[u8]>) -> Result<usize, Errno> {
    let flags = Arg::Val((flags | MSG_DONTWAIT).into());
    match name {
        Some(name) => call(nr::sendto, &mut [Arg::Fd(fd), Arg::InLen(bytes), flags, Arg::InLen(name)]),
        None => call(nr::sendto, &mut [Arg::Fd(fd), Arg::InLen(bytes), flags, Arg::Null, Arg::Null]),
    }
}

/// Receives into a kernel buffer; the length and the sender.
pub fn receive(fd: HostFd, buf: &mut [u8], flags: u32) -> Result<(usize, Vec<u8>), Errno> {
    let mut addr = [0u8; MAX_ADDR];
    let mut len = MAX_ADDR as u32;
    let flags = Arg::Val((flags | MSG_DONTWAIT).into());
    let got = call(nr::recvfrom, &mut [Arg::Fd(fd), Arg::OutLen(buf), flags, Arg::Out(&mut addr), Arg::Out(len.as_mut_bytes())])?;
    Ok((got, addr[..(len as usize).min(MAX_ADDR)].to_vec()))
}

/// Receives into a guest buffer.
pub fn receive_user(fd: HostFd, at: UserAddr, room: usize, flags: u32) -> Result<(usize, Vec<u8>), Errno> {
    let mut addr = [0u8; MAX_ADDR];
    let mut len = MAX_ADDR as u32;
    let flags = Arg::Val((flags | MSG_DONTWAIT).into());
    let args =
        &mut [Arg::Fd(fd), Arg::User(at, room), Arg::Val(room as u64), flags, Arg::Out(&mut addr), Arg::Out(len.as_mut_bytes())];
    let got = call(nr::recvfrom, args)?;
    Ok((got, addr[..(len as usize).min(MAX_ADDR)].to_vec()))
}

pub fn shutdown(fd: HostFd, how: i32) -> Result<(), Errno> {
    call(nr::shutdown, &mut [Arg::Fd(fd), Arg::Val(how as u64)]).map(|_| ())
}

pub fn set_option(fd: HostFd, level: i32, name: i32, value: &[u8]) -> Result<(), Errno> {
    call(nr::setsockopt, &mut [Arg::Fd(fd), Arg::Val(level as u64), Arg::Val(name as u64), Arg::InLen(value)]).map(|_| ())
}

/// At most `room` bytes of an option's value.
pub fn get_option(fd: HostFd, level: i32, name: i32, room: usize) -> Result<Vec<u8>, Errno> {
    let mut value = vec![0u8; room];
    let mut len = room as u32;
    let args =
        &mut [Arg::Fd(fd), Arg::Val(level as u64), Arg::Val(name as u64), Arg::Out(&mut value), Arg::Out(len.as_mut_bytes())];
    call(nr::getsockopt, args)?;
    value.truncate(len as usize);
    Ok(value)
}
