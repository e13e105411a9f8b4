//! Host calls behind sockets of the host.

use acrida_kcore::host::{Arg, HostFd, HostMessage, MessageBytes};
use acrida_kcore::platform::platform;
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

/// A close-on-exec socket, with more `SOCK_*` flags in `kind`.
pub fn socket(family: u16, kind: u32, protocol: i32) -> Result<HostFd, Errno> {
    let kind = kind | SOCK_CLOEXEC;
    call(nr::socket, &mut [Arg::Val(family.into()), Arg::Val(kind.into()), Arg::Val(protocol as u64)]).map(|fd| HostFd(fd as i32))
}

pub fn bind(fd: HostFd, addr: &[u8]) -> Result<(), Errno> {
    call(nr::bind, &mut [Arg::Fd(fd), Arg::InLen(addr)]).map(|_| ())
}

pub fn connect(fd: HostFd, addr: &[u8]) -> Result<(), Errno> {
    call(nr::connect, &mut [Arg::Fd(fd), Arg::InLen(addr)]).map(|_| ())
}

/// A blocking socket's `connect`: a signal ends it with `EINTR`.
pub fn connect_blocking(fd: HostFd, addr: &[u8]) -> Result<(), Errno> {
    platform().host().call_blocking(nr::connect, &mut [Arg::Fd(fd), Arg::InLen(addr)]).map(|_| ())
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

/// `sendmsg`, without waiting; the bytes taken. An empty name is none.
pub fn sendmsg(fd: HostFd, name: &[u8], bytes: MessageBytes<'_>, control: &[u8], flags: u32) -> Result<usize, Errno> {
    let mut message = HostMessage::to_send(name, bytes, control)?;
    call(nr::sendmsg, &mut [Arg::Fd(fd), message.as_arg(), Arg::Val((flags | MSG_DONTWAIT).into())])
}

/// What `recvmsg` tells of a message beside its bytes.
pub struct Fetched {
    pub len: usize,
    pub name: Vec<u8>,
    pub control: Vec<u8>,
    /// `MSG_*`.
    pub flags: u32,
}

/// `recvmsg`, without waiting, with `control` bytes of room for what comes beside the bytes.
pub fn recvmsg(fd: HostFd, bytes: MessageBytes<'_>, control: usize, flags: u32) -> Result<Fetched, Errno> {
    let mut name = [0u8; MAX_ADDR];
    let mut control = vec![0u8; control];
    let mut message = HostMessage::to_fill(&mut name, bytes, &mut control)?;
    let len = call(nr::recvmsg, &mut [Arg::Fd(fd), message.as_arg(), Arg::Val((flags | MSG_DONTWAIT).into())])?;
    let (name_len, control_len, flags) = message.filled();
    control.truncate(control_len);
    Ok(Fetched { len, name: name[..name_len.min(MAX_ADDR)].to_vec(), control, flags })
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
