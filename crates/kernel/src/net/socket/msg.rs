//! Sending and receiving messages.
//!
//! Mirrors: net/socket.c (`___sys_sendmsg`, `___sys_recvmsg` and their family), Linux 6.18.
//! Locking: none of its own.

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::*;
use acrida_uapi::time::Timespec;
use acrida_uapi::uio::MAX_RW_COUNT;
use zerocopy::IntoBytes;

use super::calls::{read_addr, socket_of, write_addr};
use super::{MAX_ADDR, Receive, Send, Socket, blocking};
use crate::abi::{BufIn, BufOut, Fd, Flags, SysResult};
use crate::fs::file::File;
use crate::fs::iov_iter::IovIter;
use crate::fs::iovec::{IovecArray, import_iovec};
use crate::fs::read_write::fdget;
use crate::net::scm::{ControlWriter, Scm};

const UIO_MAXIOV: u64 = 1024;
/// Most room that is offered for what comes beside a message.
const CONTROL_MAX: usize = 64 << 10;

pub fn sys_sendto(fd: Fd, buf: BufIn, len: usize, flags: Flags, addr: UserAddr, addr_len: i32) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    // An empty address is none.
    let name = if addr.is_null() { None } else { Some(read_addr(addr, addr_len)?).filter(|name| !name.is_empty()) };
    let send = Send { name: name.as_deref(), scm: Scm::default(), flags: flags.0, blocking: blocking(&file, flags.0) };
    socket.proto().sendmsg(&mut IovIter::user(buf.0, len.min(MAX_RW_COUNT as usize)), send)
}

pub fn sys_recvfrom(fd: Fd, buf: BufOut, len: usize, flags: Flags, addr: UserAddr, addr_len: UserAddr) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    let receive = Receive { flags: flags.0, blocking: blocking(&file, flags.0), wants_name: !addr.is_null(), control: 0 };
    let got = socket.proto().recvmsg(&mut IovIter::user(buf.0, len.min(MAX_RW_COUNT as usize)), receive)?;
    if !addr.is_null() {
        write_addr(&got.name, addr, addr_len)?;
    }
    Ok(got.len)
}

pub fn sys_sendmsg(fd: Fd, msg: UserAddr, flags: Flags) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    send_one(&file, socket, msg, flags.0)
}

fn read_header(msg: UserAddr) -> Result<Msghdr, Errno> {
    let mut header: Msghdr = msg.read()?;
    if header.msg_name == 0 {
        header.msg_namelen = 0;
    }
    if header.msg_namelen < 0 {
        return Err(Errno::EINVAL);
    }
    Ok(header)
}

/// Where the bytes of a message are; its name comes first.
fn read_segments(header: &Msghdr) -> Result<IovecArray, Errno> {
    if header.msg_iovlen > UIO_MAXIOV {
        return Err(Errno::EMSGSIZE);
    }
    import_iovec(UserAddr(header.msg_iov), header.msg_iovlen as usize)
}

fn send_one(file: &File, socket: &Socket, msg: UserAddr, flags: u32) -> SysResult {
    let header = read_header(msg)?;
    let name = match UserAddr(header.msg_name) {
        at if at.is_null() || header.msg_namelen == 0 => None,
        at => Some(read_addr(at, header.msg_namelen.min(MAX_ADDR as i32))?),
    };
    let segments = read_segments(&header)?;
    let scm = Scm::from_user(UserAddr(header.msg_control), header.msg_controllen as usize)?;
    let send = Send { name: name.as_deref(), scm, flags, blocking: blocking(file, flags) };
    socket.proto().sendmsg(&mut IovIter::user_vec(&segments), send)
}

pub fn sys_sendmmsg(fd: Fd, vector: UserAddr, count: u32, flags: Flags) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    let mut done = 0;
    for index in 0..u64::from(count).min(UIO_MAXIOV) {
        let at = vector.add(index * size_of::<Mmsghdr>() as u64);
        match send_one(&file, socket, at, flags.0)
            .and_then(|sent| Ok(at.add(size_of::<Msghdr>() as u64).write(&(sent as u32))?))
        {
            Ok(()) => done += 1,
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}

pub fn sys_recvmsg(fd: Fd, msg: UserAddr, flags: Flags) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    receive_one(&file, socket, msg, flags.0).map(|(len, _)| len)
}

/// Bytes received, and `MSG_*`.
fn receive_one(file: &File, socket: &Socket, msg: UserAddr, flags: u32) -> Result<(usize, u32), Error> {
    let header = read_header(msg)?;
    let segments = read_segments(&header)?;
    let receive = Receive {
        flags: flags & !(MSG_CMSG_CLOEXEC | MSG_CMSG_COMPAT),
        blocking: blocking(file, flags),
        wants_name: header.msg_name != 0,
        control: if header.msg_control == 0 { 0 } else { (header.msg_controllen as usize).min(CONTROL_MAX) },
    };
    let mut got = socket.proto().recvmsg(&mut IovIter::user_vec(&segments), receive)?;
    let mut control = ControlWriter::new(UserAddr(header.msg_control), header.msg_controllen as usize);
    if let Some((ns, option)) = got.scm.stamp {
        control.put_stamp(ns, option);
    }
    let creds = got.scm.creds.take();
    if let Some(creds) = creds.as_ref().filter(|_| got.scm.wants_ucred) {
        control.put(SOL_SOCKET, SCM_CREDENTIALS, creds.ucred.as_bytes());
    }
    control.put_raw(&got.control);
    control.put_files(core::mem::take(&mut got.scm.files), flags & MSG_CMSG_CLOEXEC != 0);
    if let Some(creds) = creds.as_ref().filter(|_| got.scm.wants_pidfd) {
        control.put_pidfd(creds);
    }
    if let Some(left) = got.left {
        control.put(SOL_SOCKET, SCM_INQ, left.as_bytes());
    }
    if header.msg_name != 0 {
        let room = header.msg_namelen as usize;
        UserAddr(header.msg_name).write_bytes(&got.name[..got.name.len().min(room)])?;
        msg.add(core::mem::offset_of!(Msghdr, msg_namelen) as u64).write(&(got.name.len() as i32))?;
    }
    let flags = got.flags | control.flags | (flags & MSG_CMSG_CLOEXEC);
    msg.add(core::mem::offset_of!(Msghdr, msg_flags) as u64).write(&flags)?;
    msg.add(core::mem::offset_of!(Msghdr, msg_controllen) as u64).write(&(control.used() as u64))?;
    Ok((got.len, flags))
}

pub fn sys_recvmmsg(fd: Fd, vector: UserAddr, count: u32, flags: Flags, timeout: UserAddr) -> SysResult {
    let limit: Option<Timespec> = timeout.read_opt()?;
    let now = || platform().now(ClockId::Monotonic);
    let end = match limit {
        Some(limit) => Some(now().saturating_add(limit.validated()?.to_nanos().cast_unsigned())),
        None => None,
    };
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    socket.proto().common().take_error()?;
    let mut flags = flags.0;
    let mut done = 0;
    for index in 0..u64::from(count).min(UIO_MAXIOV) {
        let at = vector.add(index * size_of::<Mmsghdr>() as u64);
        let one = receive_one(&file, socket, at, flags & !MSG_WAITFORONE);
        match one.and_then(|(len, told)| Ok(at.add(size_of::<Msghdr>() as u64).write(&(len as u32)).map(|()| told)?)) {
            Ok(told) => {
                done += 1;
                if told & MSG_OOB != 0 {
                    break;
                }
            }
            Err(error) if done == 0 => return Err(error),
            Err(error) => {
                // Told by the next call, as Linux does; running dry is no error.
                if let Error::Errno(errno) = error
                    && errno != Errno::EAGAIN
                {
                    socket.proto().common().err.store(errno.raw(), core::sync::atomic::Ordering::SeqCst);
                }
                break;
            }
        }
        if flags & MSG_WAITFORONE != 0 {
            flags |= MSG_DONTWAIT;
        }
        if end.is_some_and(|end| now() >= end) {
            break;
        }
    }
    if let Some(end) = end.filter(|_| done > 0) {
        // The time left is told.
        let left = end.saturating_sub(now());
        timeout.write(&Timespec::from_nanos(left.cast_signed()))?;
    }
    Ok(done)
}
