//! read, write, lseek and their relatives.
//!
//! Mirrors: fs/read_write.c, Linux 6.18.
//! Differs: a file says by `seekable` what Linux keeps in `FMODE_LSEEK`, `FMODE_PREAD` and `FMODE_PWRITE`, and by
//! `atomic_pos` whether its position is locked; the flags of preadv2 travel in the [`IovIter`].
//! Locking: `File::pos` is held over a read or write that moves it; nothing else is, so a call may block.

use acrida_kcore::light::Light;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET};
use acrida_uapi::uio::{MAX_RW_COUNT, RWF_APPEND, RWF_DSYNC, RWF_HIPRI, RWF_NOAPPEND, RWF_NOWAIT, RWF_SYNC};

use crate::abi::{BufIn, BufOut, Fd, Flags, SysResult};
use crate::current;
use crate::fs::file::{File, FileRef, Whence};
use crate::fs::hostfs::HOST_POSITION;
use crate::fs::iov_iter::IovIter;
use crate::fs::iovec::{access_ok, import_iovec};
use crate::fs::notify::fsnotify;

/// Which way the bytes go, seen from the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Read,
    Write,
}

/// Whether a call may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocking {
    Yes,
    No,
}

impl Blocking {
    /// What the file's `O_NONBLOCK` and the call's `RWF_NOWAIT` say.
    #[inline]
    pub fn of(file: &File, iter: &IovIter<'_>) -> Blocking {
        if file.nonblocking() || iter.nowait() { Blocking::No } else { Blocking::Yes }
    }
}

/// The open file behind `fd` for the length of a call, or `EBADF` (also for `O_PATH` files).
#[inline(always)]
pub fn fdget(fd: Fd) -> Result<Light<File>, Errno> {
    current().files.read(|files| files.light(fd.0))
}

impl Direction {
    fn check_mode(self, file: &File) -> Result<(), Errno> {
        let allowed = match self {
            Direction::Read => file.readable(),
            Direction::Write => file.writable(),
        };
        if allowed { Ok(()) } else { Err(Errno::EBADF) }
    }

    #[inline(always)]
    fn transfer(self, file: &FileRef, iter: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let done = match self {
            Direction::Read => file.ops.read(file, iter, pos),
            Direction::Write => file.ops.write(file, iter, pos),
        }?;
        if done > 0 {
            match self {
                Direction::Read => fsnotify::access(file),
                Direction::Write => fsnotify::modify(file),
            }
        }
        Ok(done)
    }

    /// Transfers at the file's own position, which moves; a stream has none.
    #[inline(always)]
    fn at_file_position(self, file: &FileRef, iter: &mut IovIter<'_>) -> SysResult {
        if let Some(mut pos) = file.position_elsewhere {
            self.transfer(file, iter, &mut pos)
        } else if file.ops.atomic_pos() {
            let mut pos = file.pos.lock();
            verify_area(*pos, iter.count())?;
            self.transfer(file, iter, &mut pos)
        } else {
            self.transfer(file, iter, &mut 0)
        }
    }

    /// Transfers at `pos`; the file's own position stays.
    #[inline(always)]
    fn at(self, file: &FileRef, iter: &mut IovIter<'_>, mut pos: u64) -> SysResult {
        verify_area(pos, iter.count())?;
        self.transfer(file, iter, &mut pos)
    }
}

/// `EINVAL` where a transfer at `pos` would leave the range of positions; the host judges the positions that it keeps.
#[inline(always)]
#[doc(alias = "rw_verify_area")]
pub fn verify_area(pos: u64, len: usize) -> Result<(), Errno> {
    let in_range = pos.checked_add(len as u64).is_some_and(|end| end <= i64::MAX as u64);
    if in_range || pos == HOST_POSITION { Ok(()) } else { Err(Errno::EINVAL) }
}

/// One guest buffer, checked as `vfs_read` does.
#[inline]
fn single(buf: UserAddr, count: usize) -> Result<IovIter<'static>, Errno> {
    access_ok(buf, count)?;
    Ok(IovIter::user(buf, count.min(MAX_RW_COUNT)))
}

// Inlined, as everything on this way: after a host call the processor has forgotten where returns lead (the host kernel sees to
// that), and each costs 8 ns.
#[inline(always)]
fn simple(direction: Direction, fd: Fd, buf: UserAddr, count: usize) -> SysResult {
    let file = fdget(fd)?;
    direction.check_mode(&file)?;
    direction.at_file_position(&file, &mut single(buf, count)?)
}

#[inline]
#[doc(alias = "ksys_read")]
pub fn sys_read(fd: Fd, buf: BufOut, count: usize) -> SysResult {
    simple(Direction::Read, fd, buf.0, count)
}

#[inline]
#[doc(alias = "ksys_write")]
pub fn sys_write(fd: Fd, buf: BufIn, count: usize) -> SysResult {
    simple(Direction::Write, fd, buf.0, count)
}

/// The file behind `fd`, if it can be read or written at a position of the caller's.
#[inline(always)]
fn fdget_seekable(fd: Fd) -> Result<Light<File>, Errno> {
    let file = fdget(fd)?;
    if file.ops.seekable() { Ok(file) } else { Err(Errno::ESPIPE) }
}

fn position(pos: i64) -> Result<u64, Errno> {
    u64::try_from(pos).map_err(|_| Errno::EINVAL)
}

#[inline(always)]
fn simple_at(direction: Direction, fd: Fd, buf: UserAddr, count: usize, pos: i64) -> SysResult {
    let pos = position(pos)?;
    let file = fdget_seekable(fd)?;
    direction.check_mode(&file)?;
    direction.at(&file, &mut single(buf, count)?, pos)
}

#[inline]
pub fn sys_pread64(fd: Fd, buf: BufOut, count: usize, pos: i64) -> SysResult {
    simple_at(Direction::Read, fd, buf.0, count, pos)
}

#[inline]
pub fn sys_pwrite64(fd: Fd, buf: BufIn, count: usize, pos: i64) -> SysResult {
    simple_at(Direction::Write, fd, buf.0, count, pos)
}

/// Where a vector call reads or writes.
#[derive(Clone, Copy)]
enum Place {
    FilePosition,
    At(u64),
}

/// Checks the flags of one call against what the file can do.
#[doc(alias = "kiocb_set_rw_flags")]
fn check_rwf(file: &File, flags: u32) -> Result<(), Errno> {
    const PLAIN: u32 = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_NOAPPEND;
    // No file of ours can write atomically or bypass its cache.
    if flags & !(PLAIN | RWF_NOWAIT) != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    if flags & RWF_APPEND != 0 && flags & RWF_NOAPPEND != 0 {
        return Err(Errno::EINVAL);
    }
    if flags & RWF_NOWAIT != 0 && !file.ops.can_nowait() {
        return Err(Errno::EOPNOTSUPP);
    }
    Ok(())
}

#[doc(alias = "do_readv")]
#[doc(alias = "do_preadv")]
#[doc(alias = "do_writev")]
#[doc(alias = "do_pwritev")]
fn vector(direction: Direction, fd: Fd, iov: (UserAddr, usize), place: Place, flags: u32) -> SysResult {
    let file = match place {
        Place::FilePosition => fdget(fd)?,
        Place::At(_) => fdget_seekable(fd)?,
    };
    direction.check_mode(&file)?;
    let segments = import_iovec(iov.0, iov.1)?;
    let mut iter = IovIter::user_vec(&segments);
    if iter.count() == 0 {
        return Ok(0);
    }
    check_rwf(&file, flags)?;
    iter.set_flags(flags);
    match place {
        Place::FilePosition => direction.at_file_position(&file, &mut iter),
        Place::At(pos) => direction.at(&file, &mut iter, pos),
    }
}

pub fn sys_readv(fd: Fd, iov: UserAddr, count: usize) -> SysResult {
    vector(Direction::Read, fd, (iov, count), Place::FilePosition, 0)
}

pub fn sys_writev(fd: Fd, iov: UserAddr, count: usize) -> SysResult {
    vector(Direction::Write, fd, (iov, count), Place::FilePosition, 0)
}

pub fn sys_preadv(fd: Fd, iov: UserAddr, count: usize, pos: i64) -> SysResult {
    vector(Direction::Read, fd, (iov, count), Place::At(position(pos)?), 0)
}

pub fn sys_pwritev(fd: Fd, iov: UserAddr, count: usize, pos: i64) -> SysResult {
    vector(Direction::Write, fd, (iov, count), Place::At(position(pos)?), 0)
}

/// The place that preadv2 and pwritev2 mean: -1 is the file's own position.
fn place(pos: i64) -> Result<Place, Errno> {
    if pos == -1 { Ok(Place::FilePosition) } else { position(pos).map(Place::At) }
}

/// The high half of the position has no use on a 64-bit machine.
pub fn sys_preadv2(fd: Fd, iov: UserAddr, count: usize, pos: i64, _pos_high: u64, flags: Flags) -> SysResult {
    vector(Direction::Read, fd, (iov, count), place(pos)?, flags.0)
}

pub fn sys_pwritev2(fd: Fd, iov: UserAddr, count: usize, pos: i64, _pos_high: u64, flags: Flags) -> SysResult {
    vector(Direction::Write, fd, (iov, count), place(pos)?, flags.0)
}

/// Moves the position; the file itself takes the position's lock.
#[doc(alias = "ksys_lseek")]
pub fn sys_lseek(fd: Fd, offset: i64, whence: u32) -> SysResult {
    let file = fdget(fd)?;
    let whence = match whence {
        SEEK_SET => Whence::Set,
        SEEK_CUR => Whence::Cur,
        SEEK_END => Whence::End,
        SEEK_DATA => Whence::Data,
        SEEK_HOLE => Whence::Hole,
        _ => return Err(Errno::EINVAL.into()),
    };
    Ok(file.ops.llseek(&file, offset, whence)? as usize)
}
