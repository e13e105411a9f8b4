//! Socket options at `SOL_SOCKET`.
//!
//! Mirrors: net/core/sock.c (`sk_setsockopt`, `sk_getsockopt`), Linux 6.18.
//! Differs: options without effect on local sockets are remembered and told.

use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::{CAP_NET_ADMIN, CAP_NET_RAW};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::filter::{SKF_AD_MAX, SockFprog};
use acrida_uapi::socket::*;
use acrida_uapi::time::Timeval;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use super::ProtoOps;
use super::calls::socket_of;
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::read_write::fdget;
use crate::kernel::pidfd;
use crate::net::core::filter::Filter;
use crate::net::core::sock::SockCommon;

/// Linux's `wmem_max` and `rmem_max`, and the smallest buffers.
const BUF_MAX: u32 = 4 << 20;
const SNDBUF_MIN: u32 = 4608;
const RCVBUF_MIN: u32 = 2304;

/// Longest option value taken in.
const OPTION_MAX: usize = 4096;

/// Boolean options that are only remembered.
const REMEMBERED: [i32; 12] = [
    SO_LOCK_FILTER,
    SO_DEBUG,
    SO_REUSEADDR,
    SO_DONTROUTE,
    SO_BROADCAST,
    SO_KEEPALIVE,
    SO_OOBINLINE,
    SO_NO_CHECK,
    SO_REUSEPORT,
    SO_PASSSEC,
    SO_RXQ_OVFL,
    SO_ZEROCOPY,
];

// `SockCommon::remembered` has a bit for each.
const _: () = {
    let mut n = 0;
    while n < REMEMBERED.len() {
        assert!(REMEMBERED[n] >= 0 && REMEMBERED[n] < u64::BITS as i32);
        n += 1;
    }
};

pub fn sys_setsockopt(fd: Fd, level: i32, name: i32, value: UserAddr, len: i32) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    if len < 0 {
        return Err(Errno::EINVAL.into());
    }
    let len = len.cast_unsigned() as usize;
    if let Some(result) = socket.proto().set_option(level, name, value, len) {
        result?;
        return remember_timeouts(socket.proto(), level, name, value, len);
    }
    if level != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP.into());
    }
    set(socket.proto(), name, value, len)?;
    Ok(0)
}

/// Sleeping is ours even where the protocol keeps its own options.
fn remember_timeouts(proto: &dyn ProtoOps, level: i32, name: i32, value: UserAddr, len: usize) -> SysResult {
    if level == SOL_SOCKET && matches!(name, SO_RCVTIMEO | SO_SNDTIMEO | SO_RCVTIMEO_NEW | SO_SNDTIMEO_NEW) {
        set(proto, name, value, len)?;
    }
    Ok(0)
}

fn read_timeval(value: UserAddr, len: usize) -> Result<u64, Errno> {
    if len < size_of::<Timeval>() {
        return Err(Errno::EINVAL);
    }
    let time: Timeval = value.read()?;
    let span = time.to_timespec().ok_or(Errno::EDOM)?;
    // A time that is over already still has a name.
    Ok(if span.tv_sec < 0 { 1 } else { span.to_nanos().cast_unsigned() })
}

#[doc(alias = "SOCK_FILTER_LOCKED")]
fn check_filter_lock(common: &SockCommon) -> Result<(), Errno> {
    if common.remembers(SO_LOCK_FILTER) { Err(Errno::EPERM) } else { Ok(()) }
}

fn read_filter(common: &SockCommon, value: UserAddr, len: usize) -> Result<Filter, Errno> {
    if len != size_of::<SockFprog>() {
        return Err(Errno::EINVAL);
    }
    let program: SockFprog = value.read()?;
    check_filter_lock(common)?;
    Filter::from_user(&program)
}

/// Why there is no program of `bpf(2)` behind a descriptor: that call is refused, so there is never one.
#[doc(alias = "bpf_prog_get_type")]
fn refuse_bpf(common: &SockCommon, fd: i32, len: usize) -> Errno {
    let refusal = || {
        if len != size_of::<i32>() {
            return Err(Errno::EINVAL);
        }
        check_filter_lock(common)?;
        current().files().get(fd).map(drop)
    };
    refusal().err().unwrap_or(Errno::EINVAL)
}

fn is_inet(proto: &dyn ProtoOps) -> bool {
    matches!(proto.kind().0, AF_INET | AF_INET6)
}

fn set(proto: &dyn ProtoOps, name: i32, value: UserAddr, len: usize) -> Result<(), Error> {
    let common = proto.common();
    if len < size_of::<i32>() {
        return Err(Errno::EINVAL.into());
    }
    let number: i32 = value.read()?;
    let admin = || current().cred().capable(CAP_NET_ADMIN);
    let doubled = |max: u32, min: u32| number.cast_unsigned().min(max).saturating_mul(2).max(min);
    // A forced size may be any, but not negative.
    let forced = |min: u32| number.max(0).cast_unsigned().min(i32::MAX.cast_unsigned() / 2).saturating_mul(2).max(min);
    match name {
        SO_TYPE | SO_PROTOCOL | SO_DOMAIN | SO_ERROR => return Err(Errno::ENOPROTOOPT.into()),
        SO_SNDBUF => {
            common.buf_lock.fetch_or(SOCK_SNDBUF_LOCK, Ordering::Relaxed);
            common.sndbuf.store(doubled(BUF_MAX, SNDBUF_MIN), Ordering::Relaxed);
        }
        SO_RCVBUF => {
            common.buf_lock.fetch_or(SOCK_RCVBUF_LOCK, Ordering::Relaxed);
            common.rcvbuf.store(doubled(BUF_MAX, RCVBUF_MIN), Ordering::Relaxed);
        }
        SO_SNDBUFFORCE | SO_RCVBUFFORCE if !admin() => return Err(Errno::EPERM.into()),
        SO_SNDBUFFORCE => common.sndbuf.store(forced(SNDBUF_MIN), Ordering::Relaxed),
        SO_RCVBUFFORCE => common.rcvbuf.store(forced(RCVBUF_MIN), Ordering::Relaxed),
        SO_RCVTIMEO | SO_RCVTIMEO_NEW => common.rcvtimeo.store(read_timeval(value, len)?, Ordering::Relaxed),
        SO_SNDTIMEO | SO_SNDTIMEO_NEW => common.sndtimeo.store(read_timeval(value, len)?, Ordering::Relaxed),
        SO_RCVLOWAT => common.rcvlowat.store(if number < 0 { i32::MAX as u32 } else { number.max(1) as u32 }, Ordering::Relaxed),
        SO_PASSCRED => common.passcred.store(number != 0, Ordering::Relaxed),
        SO_DEBUG if number != 0 && !admin() => return Err(Errno::EACCES.into()),
        SO_PRIORITY if !(0..=6).contains(&number) && !admin() && !current().cred().capable(CAP_NET_RAW) => {
            return Err(Errno::EPERM.into());
        }
        SO_PRIORITY => common.priority.store(number as u32, Ordering::Relaxed),
        SO_PEEK_OFF => common.peek_off.store(number, Ordering::Relaxed),
        SO_LINGER => {
            if len < size_of::<Linger>() {
                return Err(Errno::EINVAL.into());
            }
            let linger: Linger = value.read()?;
            let seconds = match linger.l_onoff {
                0 => common.linger.load(Ordering::Relaxed) & u64::from(u32::MAX),
                _ => 1 << 32 | u64::from(linger.l_linger.cast_unsigned()),
            };
            common.linger.store(seconds, Ordering::Relaxed);
        }
        SO_BUSY_POLL if number < 0 => return Err(Errno::EINVAL.into()),
        SO_BUSY_POLL => common.busy_poll.store(number.cast_unsigned(), Ordering::Relaxed),
        SO_ATTACH_FILTER => common.filter.attach(read_filter(common, value, len)?),
        SO_ATTACH_REUSEPORT_CBPF => {
            read_filter(common, value, len)?;
            // No local socket shares its name.
            return Err(Errno::EINVAL.into());
        }
        SO_ATTACH_BPF | SO_ATTACH_REUSEPORT_EBPF => return Err(refuse_bpf(common, number, len).into()),
        SO_DETACH_REUSEPORT_BPF => return Err(Errno::EINVAL.into()),
        // The lock is for good.
        SO_LOCK_FILTER if number == 0 => check_filter_lock(common)?,
        SO_DETACH_FILTER => {
            check_filter_lock(common)?;
            common.filter.detach()?;
        }
        SO_PASSPIDFD => common.passpidfd.store(number != 0, Ordering::Relaxed),
        SO_TIMESTAMP | SO_TIMESTAMP_NEW | SO_TIMESTAMPNS | SO_TIMESTAMPNS_NEW => {
            common.stamps.store(if number == 0 { 0 } else { name }, Ordering::Relaxed);
        }
        SO_PASSRIGHTS => common.passrights.store(number != 0, Ordering::Relaxed),
        SO_BUF_LOCK if number & !(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK) != 0 => {
            return Err(Errno::EINVAL.into());
        }
        SO_BUF_LOCK => common.buf_lock.store(number, Ordering::Relaxed),
        SO_MARK if !admin() => return Err(Errno::EPERM.into()),
        SO_MARK => common.mark.store(number.cast_unsigned(), Ordering::Relaxed),
        // Only internet sockets share ports or send without copying.
        SO_ZEROCOPY => return Err(Errno::EOPNOTSUPP.into()),
        SO_REUSEPORT if number != 0 && !is_inet(proto) => return Err(Errno::EOPNOTSUPP.into()),
        _ if REMEMBERED.contains(&name) => {
            let bit = 1u64 << name;
            match number {
                0 => common.remembered.fetch_and(!bit, Ordering::Relaxed),
                _ => common.remembered.fetch_or(bit, Ordering::Relaxed),
            };
        }
        _ => return Err(Errno::ENOPROTOOPT.into()),
    }
    Ok(())
}

pub fn sys_getsockopt(fd: Fd, level: i32, name: i32, value: UserAddr, len_at: UserAddr) -> SysResult {
    let file = fdget(fd)?;
    let socket = socket_of(&file)?;
    let len: i32 = len_at.read()?;
    if len < 0 {
        return Err(Errno::EINVAL.into());
    }
    let answer = match socket.proto().get_option(level, name, (len as usize).min(OPTION_MAX)) {
        Some(answer) => answer?,
        None if level != SOL_SOCKET => return Err(Errno::EOPNOTSUPP.into()),
        None if name == SO_PEERPIDFD => return tell_peer_pidfd(socket.proto(), value, len as usize, len_at),
        None if name == SO_GET_FILTER => return tell_filter(socket.proto().common(), value, len as usize, len_at),
        None => get(socket.proto(), name)?,
    };
    if name == SO_PEERGROUPS && level == SOL_SOCKET && answer.len() > len as usize {
        // The caller is told how much room it needs.
        len_at.write(&(answer.len() as i32))?;
        return Err(Errno::ERANGE.into());
    }
    tell(&answer, value, len as usize, len_at)?;
    Ok(0)
}

/// Writes as much of the answer as there is room for, and how much that is.
fn tell(answer: &[u8], value: UserAddr, room: usize, len_at: UserAddr) -> Result<(), Errno> {
    let len = answer.len().min(room);
    value.write_bytes(&answer[..len])?;
    len_at.write(&(len as i32))
}

/// A descriptor of the peer's process, which works once its number was told.
fn tell_peer_pidfd(proto: &dyn ProtoOps, value: UserAddr, room: usize, len_at: UserAddr) -> SysResult {
    let peer = proto.peer_cred().ok_or(Errno::ENODATA)?;
    let (number, file) = pidfd::prepare(&peer.process)?;
    tell(number.fd().as_bytes(), value, room, len_at)?;
    number.publish(file, true);
    Ok(0)
}

/// Writes the program of a socket's filter; lengths are in instructions.
#[doc(alias = "sk_get_filter")]
fn tell_filter(common: &SockCommon, value: UserAddr, room: usize, len_at: UserAddr) -> SysResult {
    let filter = common.filter.get();
    let given = filter.as_ref().map_or(&[][..], |filter| filter.given());
    if room > 0 && room < given.len() {
        return Err(Errno::EINVAL.into());
    }
    if room > 0 {
        value.write_bytes(given.as_bytes())?;
    }
    len_at.write(&(given.len() as i32))?;
    Ok(0)
}

/// The counters of `SO_MEMINFO`: charges and limits for receiving and sending.
#[doc(alias = "sk_get_meminfo")]
fn memory(proto: &dyn ProtoOps) -> [u32; 9] {
    let common = proto.common();
    let sent = common.wmem.load(Ordering::SeqCst) as u32;
    let limits = (common.rcvbuf.load(Ordering::Relaxed), common.sndbuf.load(Ordering::Relaxed));
    [0, limits.0, sent, limits.1, 0, 0, 0, 0, 0]
}

/// A number that no other socket of the world has now.
fn cookie(proto: &dyn ProtoOps) -> u64 {
    core::ptr::from_ref(proto.common()).addr() as u64
}

fn timeval(ns: u64) -> Vec<u8> {
    Timeval::from_nanos(ns.cast_signed()).as_bytes().to_vec()
}

fn get(proto: &dyn ProtoOps, name: i32) -> Result<Vec<u8>, Error> {
    let common = proto.common();
    let (family, kind, protocol) = proto.kind();
    let number = match name {
        SO_TYPE => kind as i32,
        SO_DOMAIN => family.into(),
        SO_PROTOCOL => protocol,
        SO_ERROR => common.err.swap(0, Ordering::SeqCst),
        SO_ACCEPTCONN => proto.is_listening().into(),
        SO_SNDBUF => common.sndbuf.load(Ordering::Relaxed) as i32,
        SO_RCVBUF => common.rcvbuf.load(Ordering::Relaxed) as i32,
        SO_RCVLOWAT => common.rcvlowat.load(Ordering::Relaxed) as i32,
        SO_SNDLOWAT => 1,
        SO_PASSCRED => common.passcred.load(Ordering::Relaxed).into(),
        SO_PRIORITY => common.priority.load(Ordering::Relaxed) as i32,
        SO_PEEK_OFF => common.peek_off.load(Ordering::Relaxed),
        SO_RCVTIMEO | SO_RCVTIMEO_NEW => {
            return Ok(timeval(common.rcvtimeo.load(Ordering::Relaxed)));
        }
        SO_SNDTIMEO | SO_SNDTIMEO_NEW => {
            return Ok(timeval(common.sndtimeo.load(Ordering::Relaxed)));
        }
        SO_LINGER => {
            let bits = common.linger.load(Ordering::Relaxed);
            let linger = Linger { l_onoff: (bits >> 32) as i32, l_linger: bits as u32 as i32 };
            return Ok(linger.as_bytes().to_vec());
        }
        SO_PEERCRED => {
            let unknown = Ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
            let peer = proto.peer_cred().map_or(unknown, |peer| peer.ucred());
            return Ok(peer.as_bytes().to_vec());
        }
        SO_PEERGROUPS => {
            let peer = proto.peer_cred().ok_or(Errno::ENODATA)?;
            return Ok(peer.cred.groups.as_bytes().to_vec());
        }
        SO_MEMINFO => return Ok(memory(proto).as_bytes().to_vec()),
        SO_COOKIE => return Ok(cookie(proto).as_bytes().to_vec()),
        SO_PASSPIDFD => common.passpidfd.load(Ordering::Relaxed).into(),
        // The new way of telling microseconds is told apart from the old one, not from the one of nanoseconds.
        SO_TIMESTAMP_NEW => matches!(common.stamps.load(Ordering::Relaxed), SO_TIMESTAMP_NEW | SO_TIMESTAMPNS_NEW).into(),
        SO_TIMESTAMP | SO_TIMESTAMPNS | SO_TIMESTAMPNS_NEW => i32::from(common.stamps.load(Ordering::Relaxed) == name),
        SO_PASSRIGHTS => common.passrights.load(Ordering::Relaxed).into(),
        SO_BUF_LOCK => common.buf_lock.load(Ordering::Relaxed),
        SO_MARK => common.mark.load(Ordering::Relaxed).cast_signed(),
        SO_BUSY_POLL => common.busy_poll.load(Ordering::Relaxed).cast_signed(),
        SO_BINDTOIFINDEX => 0,
        SO_BPF_EXTENSIONS => SKF_AD_MAX,
        _ if REMEMBERED.contains(&name) => i32::from(common.remembered.load(Ordering::Relaxed) & (1 << name) != 0),
        _ => return Err(Errno::ENOPROTOOPT.into()),
    };
    Ok(number.as_bytes().to_vec())
}
