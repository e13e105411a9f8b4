//! Host calls that move bytes, between a host file and guest or kernel memory.
//!
//! Mirrors: nothing in Linux.
//! Differs: `position` is `None` for the descriptor's own; calls marked blocking end with `EINTR` at a signal.

use acrida_kcore::host::{Arg, HostFd};
use acrida_kcore::platform::platform;
use acrida_kcore::thread;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{O_CLOEXEC, O_NONBLOCK};
use acrida_uapi::nr;
use acrida_uapi::poll::Pollfd;
use acrida_uapi::uio::Iovec;
use zerocopy::{FromBytes, IntoBytes};

/// Whether the call may block for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    Never,
    Interruptible,
}

/// Bytes in guest or kernel memory.
pub enum Buffer<'a> {
    User(UserAddr, usize),
    Out(&'a mut [u8]),
    In(&'a [u8]),
    /// Byte offset in the physical-memory window, length.
    Window(u64, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Read,
    Write,
}

fn run(blocking: Blocking, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno> {
    let host = platform().host();
    match blocking {
        Blocking::Never => host.call(nr, args),
        Blocking::Interruptible => {
            // Seen as asleep: how long the call takes is the host's affair.
            let me = thread::current();
            me.set_wchan("host_io");
            let result = host.call_blocking(nr, args);
            me.set_wchan("");
            result
        }
    }
}

/// Reads or writes one buffer; gives the bytes moved.
#[inline(always)]
pub fn transfer(
    fd: HostFd,
    direction: Direction,
    buffer: Buffer<'_>,
    position: Option<u64>,
    blocking: Blocking,
) -> Result<usize, Errno> {
    let nr = match (direction, position) {
        (Direction::Read, None) => nr::read,
        (Direction::Read, Some(_)) => nr::pread64,
        (Direction::Write, None) => nr::write,
        (Direction::Write, Some(_)) => nr::pwrite64,
    };
    let at = position.unwrap_or(0);
    match buffer {
        Buffer::User(addr, len) if blocking == Blocking::Never => platform().host().transfer(nr, fd, addr, len, at),
        Buffer::User(addr, len) => {
            run(blocking, nr, &mut [Arg::Fd(fd), Arg::User(addr, len), Arg::Val(len as u64), Arg::Val(at)])
        }
        Buffer::Out(bytes) => run(blocking, nr, &mut [Arg::Fd(fd), Arg::OutLen(bytes), Arg::Val(at)]),
        Buffer::In(bytes) => run(blocking, nr, &mut [Arg::Fd(fd), Arg::InLen(bytes), Arg::Val(at)]),
        Buffer::Window(offset, len) => {
            run(blocking, nr, &mut [Arg::Fd(fd), Arg::Window(offset, len), Arg::Val(len as u64), Arg::Val(at)])
        }
    }
}

/// Reads or writes several guest ranges in one call with `RWF_*` flags; each must lie in guest space (`EFAULT`).
pub fn transfer_vec(
    fd: HostFd,
    direction: Direction,
    segments: &[Iovec],
    position: Option<u64>,
    blocking: Blocking,
    flags: u32,
) -> Result<usize, Errno> {
    if !segments.iter().all(|s| UserAddr(s.iov_base).access_ok(s.iov_len as usize)) {
        return Err(Errno::EFAULT);
    }
    let nr = match direction {
        Direction::Read => nr::preadv2,
        Direction::Write => nr::pwritev2,
    };
    // Position -1 is the descriptor's own.
    let (low, high) = (position.unwrap_or(u64::MAX), 0);
    let mut args = [
        Arg::Fd(fd),
        Arg::In(segments.as_bytes()),
        Arg::Val(segments.len() as u64),
        Arg::Val(low),
        Arg::Val(high),
        Arg::Val(flags.into()),
    ];
    run(blocking, nr, &mut args)
}

/// The events among `events` that hold now.
pub fn poll_now(fd: HostFd, events: u16) -> u16 {
    let mut poll = Pollfd { fd: fd.0, events, revents: 0 };
    let args = &mut [Arg::Out(poll.as_mut_bytes()), Arg::Val(1), Arg::Val(0)];
    match platform().host().call(nr::poll, args) {
        Ok(_) => poll.revents,
        Err(_) => 0,
    }
}

/// Reads what is there; for a descriptor that does not block.
pub fn read_now(fd: HostFd, buf: &mut [u8]) -> Result<usize, Errno> {
    platform().host().call(nr::read, &mut [Arg::Fd(fd), Arg::OutLen(buf)])
}

/// Waits until any of `fds` has an event, at most `millis` (negative: for ever); how many have.
pub fn poll(fds: &mut [Pollfd], millis: i32) -> Result<usize, Errno> {
    let count = fds.len() as u64;
    let args = &mut [Arg::Out(fds.as_mut_bytes()), Arg::Val(count), Arg::Val(i64::from(millis).cast_unsigned())];
    platform().host().call_blocking(nr::poll, args)
}

/// A pipe whose ends never block.
pub fn pipe() -> Result<[HostFd; 2], Errno> {
    let mut fds = [0i32; 2];
    platform().host().call(nr::pipe2, &mut [Arg::Out(fds.as_mut_bytes()), Arg::Val((O_CLOEXEC | O_NONBLOCK).into())])?;
    Ok(fds.map(HostFd))
}

/// `ioctl` whose argument is a number or a guest address; the host copies what its command says.
pub fn ioctl(fd: HostFd, cmd: u32, arg: u64, blocking: Blocking) -> Result<usize, Errno> {
    run(blocking, nr::ioctl, &mut [Arg::Fd(fd), Arg::Val(cmd.into()), Arg::User(UserAddr(arg), 0)])
}

/// Copies between host files; gives the bytes copied.
pub fn copy_file_range(from: HostFd, from_pos: u64, to: HostFd, to_pos: u64, len: usize) -> Result<usize, Errno> {
    let (mut from_pos, mut to_pos) = (from_pos.to_ne_bytes(), to_pos.to_ne_bytes());
    let args =
        &mut [Arg::Fd(from), Arg::Out(&mut from_pos), Arg::Fd(to), Arg::Out(&mut to_pos), Arg::Val(len as u64), Arg::Val(0)];
    platform().host().call(nr::copy_file_range, args)
}

const EPOLL_EVENT_SIZE: usize = 12;

/// A new epoll set of the host.
pub fn epoll_create() -> Result<HostFd, Errno> {
    const EPOLL_CLOEXEC: u64 = 0x8_0000;
    platform().host().call(nr::epoll_create1, &mut [Arg::Val(EPOLL_CLOEXEC)]).map(|fd| HostFd(fd as i32))
}

/// Watches everything about `fd`, edge-triggered; its number is the event's data.
pub fn epoll_add(set: HostFd, fd: HostFd) -> Result<(), Errno> {
    const EPOLL_CTL_ADD: u64 = 1;
    /// Every event there is, and ET.
    const EVENTS: u32 = 0x8000_27c7;
    let mut event = [0u8; EPOLL_EVENT_SIZE];
    event[..4].copy_from_slice(&EVENTS.to_ne_bytes());
    event[4..].copy_from_slice(&(fd.0 as u64).to_ne_bytes());
    let args = &mut [Arg::Fd(set), Arg::Val(EPOLL_CTL_ADD), Arg::Fd(fd), Arg::In(&event)];
    platform().host().call(nr::epoll_ctl, args).map(|_| ())
}

/// Takes the events that there are: pairs of mask and data.
pub fn epoll_now<const N: usize>(set: HostFd, events: &mut [(u32, u64); N]) -> Result<usize, Errno> {
    let mut raw = [[0u8; EPOLL_EVENT_SIZE]; N];
    let args = &mut [Arg::Fd(set), Arg::Out(raw.as_mut_bytes()), Arg::Val(N as u64), Arg::Val(0)];
    let count = platform().host().call(nr::epoll_wait, args)?;
    for (event, raw) in events.iter_mut().zip(&raw[..count]) {
        let (mask, data) = raw.split_at(4);
        *event =
            (u32::from_ne_bytes(mask.try_into().unwrap_or_default()), u64::from_ne_bytes(data.try_into().unwrap_or_default()));
    }
    Ok(count)
}

/// An `ioctl` that answers a number.
/// An `ioctl` on an object that the host reads and writes.
pub fn ioctl_object(fd: HostFd, cmd: u32, object: &mut [u8]) -> Result<(), Errno> {
    platform().host().call(nr::ioctl, &mut [Arg::Fd(fd), Arg::Val(cmd.into()), Arg::Out(object)]).map(drop)
}

pub fn ioctl_int(fd: HostFd, cmd: u32) -> Result<i32, Errno> {
    ioctl_get(fd, cmd)
}

/// An `ioctl` that answers a `T`: the caller says that `cmd` writes one.
pub fn ioctl_get<T: FromBytes + IntoBytes>(fd: HostFd, cmd: u32) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    platform().host().call(nr::ioctl, &mut [Arg::Fd(fd), Arg::Val(cmd.into()), Arg::Out(value.as_mut_bytes())])?;
    Ok(value)
}
