//! Moving bytes between files without passing them through the program: splice, tee, vmsplice, sendfile.
//!
//! What moves is a [`PageSlice`], a reference to a part of a run of pages: a pipe holds them anyway, tmpfs gives them for its
//! pages and sockets take them. So a change of the file while its bytes are queued changes what the receiver gets, as
//! on Linux. The pages of a host file lie in the host's cache: a reference to them is a place in the file
//! (fs/hostfs/lent.rs). Only what has no pages at all (devices, most of /proc) is read into fresh ones.
//!
//! - [`pages`]: slices out of files and into files
//! - [`file_to_pipe`], [`pipe_to_file`], [`pipe_to_pipe`]: the three cases of splice, and tee
//! - [`to_socket`]: pages into a socket
//! - [`vmsplice`]: guest memory into pipes and back
//! - [`sendfile`]: file to file
//!
//! Mirrors: fs/splice.c, Linux 6.18.
//! Differs: vmsplice copies, since guest memory is not made of pages that can be referred to.
//! Locking: a pipe's lock is held while a file is read into it or written from it, as on Linux, but not while that is waited for:
//! no thread sleeps that holds a lock.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_APPEND, O_NONBLOCK};
use acrida_uapi::uio::{MAX_RW_COUNT, SPLICE_F_GIFT, SPLICE_F_MORE, SPLICE_F_MOVE, SPLICE_F_NONBLOCK};

use crate::abi::{Fd, Flags, SysResult};
use crate::fs::file::{File, FileRef};
use crate::fs::notify::fsnotify;
use crate::fs::pipe::{Pipe, PipeEnd};
use crate::fs::read_write::{Blocking, fdget, verify_area};

pub mod file_to_pipe;
pub mod pages;
pub mod pipe_to_file;
pub mod pipe_to_pipe;
pub mod sendfile;
pub mod to_socket;
pub mod vmsplice;

pub use pages::{PageSlice, Pages};

const SPLICE_F_ALL: u32 = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

/// The pipe that a file is an end of.
#[doc(alias = "get_pipe_info")]
pub fn pipe_of(file: &File) -> Option<&Arc<Pipe>> {
    file.private::<PipeEnd>().map(PipeEnd::pipe)
}

/// Whether bytes can be spliced out of the file; never out of a directory.
fn can_splice_read(file: &File) -> bool {
    file.ops.can_splice_read() && !file.inode().is_some_and(|inode| inode.is_dir())
}

fn blocking(flags: u32, files: &[&File]) -> Blocking {
    let nonblocking = flags & SPLICE_F_NONBLOCK != 0 || files.iter().any(|file| file.flags() & O_NONBLOCK != 0);
    if nonblocking { Blocking::No } else { Blocking::Yes }
}

/// Where a transfer reads or writes a file.
#[derive(Clone, Copy, Debug)]
enum Offset {
    /// At its own position.
    File,
    /// At the one in guest memory, which moves.
    User(UserAddr, u64),
}

impl Offset {
    fn read(addr: UserAddr) -> Result<Offset, Errno> {
        match addr.read_opt::<i64>()? {
            None => Ok(Offset::File),
            Some(pos) => Ok(Offset::User(addr, pos.cast_unsigned())),
        }
    }

    /// Runs `transfer` of `len` bytes at the position, and moves it.
    fn run(self, file: &FileRef, len: usize, transfer: impl FnOnce(&mut u64) -> SysResult) -> SysResult {
        match self {
            Offset::File => at_position(file, transfer),
            Offset::User(addr, mut pos) => {
                self.verify(len)?;
                let done = transfer(&mut pos)?;
                addr.write(&pos)?;
                Ok(done)
            }
        }
    }

    /// `EINVAL` where a transfer of `len` bytes would leave the range of positions.
    fn verify(self, len: usize) -> Result<(), Errno> {
        match self {
            Offset::File => Ok(()),
            Offset::User(_, pos) if pos.cast_signed() < 0 => Err(Errno::EINVAL),
            Offset::User(_, pos) => verify_area(pos, len),
        }
    }

    /// A place of one's own in a file that has none.
    fn check(self, file: &File) -> Result<(), Errno> {
        match self {
            Offset::User(..) if !file.ops.seekable() => Err(Errno::EINVAL),
            _ => Ok(()),
        }
    }
}

/// Runs `transfer` at the file's position, then moves that. As on Linux nothing keeps other users of it away.
fn at_position(file: &FileRef, transfer: impl FnOnce(&mut u64) -> SysResult) -> SysResult {
    let mut pos = File::position(file);
    let done = transfer(&mut pos)?;
    if done > 0 {
        File::set_position(file, pos);
    }
    Ok(done)
}

fn check_modes(input: &File, output: &File) -> Result<(), Errno> {
    if input.readable() && output.writable() { Ok(()) } else { Err(Errno::EBADF) }
}

#[doc(alias = "__do_splice")]
pub fn sys_splice(fd_in: Fd, off_in: UserAddr, fd_out: Fd, off_out: UserAddr, len: usize, flags: Flags) -> SysResult {
    if len == 0 {
        return Ok(0);
    }
    if flags.0 & !SPLICE_F_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (input, output) = (fdget(fd_in)?, fdget(fd_out)?);
    let (from, to) = (pipe_of(&input), pipe_of(&output));
    if from.is_some() && !off_in.is_null() || to.is_some() && !off_out.is_null() {
        return Err(Errno::ESPIPE.into());
    }
    let (off_out, off_in) = (Offset::read(off_out)?, Offset::read(off_in)?);
    check_modes(&input, &output)?;
    let len = len.min(MAX_RW_COUNT);
    let done = match (from, to) {
        (Some(from), Some(to)) => pipe_to_pipe::splice(from, to, len, blocking(flags.0, &[&input, &output])),
        (Some(from), None) => {
            off_out.check(&output)?;
            if output.flags() & O_APPEND != 0 {
                return Err(Errno::EINVAL.into());
            }
            let how = pipe_to_file::Drain { len, blocking: blocking(flags.0, &[&input]) };
            if output.ops.can_take_pages() {
                return to_socket::from_pipe(from, &output, how);
            }
            off_out.run(&output, len, |pos| pipe_to_file::splice(from, &output, pos, how))
        }
        (None, Some(to)) => {
            off_in.check(&input)?;
            off_in.run(&input, len, |pos| {
                file_to_pipe::splice(&input, pos, to, len, blocking(flags.0, &[&output]), blocking(flags.0, &[]))
            })
        }
        (None, None) => Err(Errno::EINVAL.into()),
    }?;
    if done > 0 {
        fsnotify::modify(&output);
        fsnotify::access(&input);
    }
    Ok(done)
}

pub fn sys_tee(fd_in: Fd, fd_out: Fd, len: usize, flags: Flags) -> SysResult {
    if flags.0 & !SPLICE_F_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    if len == 0 {
        return Ok(0);
    }
    let (input, output) = (fdget(fd_in)?, fdget(fd_out)?);
    check_modes(&input, &output)?;
    match (pipe_of(&input), pipe_of(&output)) {
        (Some(from), Some(to)) => pipe_to_pipe::tee(from, to, len.min(MAX_RW_COUNT), blocking(flags.0, &[&input, &output])),
        _ => Err(Error::from(Errno::EINVAL)),
    }
}
