//! sendfile: from a file with a position to anything that can be written.
//!
//! Mirrors: fs/read_write.c (`do_sendfile`), fs/splice.c (`splice_direct_to_actor`), Linux 6.18.
//! Differs: slices go straight from file to file, without a pipe in between.

use alloc::sync::Arc;

use acrida_kcore::frame::Extent;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_APPEND;
use acrida_uapi::uio::MAX_RW_COUNT;

use super::pages::{next_slice, put_slice};
use super::{Offset, at_position, blocking, can_splice_read, file_to_pipe, pipe_of, to_socket};
use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::file::FileRef;
use crate::fs::notify::fsnotify;
use crate::fs::read_write::{Blocking, fdget};

pub fn sys_sendfile(fd_out: Fd, fd_in: Fd, offset: UserAddr, count: usize) -> SysResult {
    let place = Offset::read(offset)?;
    let input = fdget(fd_in)?;
    if !input.readable() {
        return Err(Errno::EBADF.into());
    }
    if matches!(place, Offset::User(..)) && !input.ops.seekable() {
        return Err(Errno::ESPIPE.into());
    }
    if count.cast_signed() < 0 {
        return Err(Errno::EINVAL.into());
    }
    place.verify(count)?;
    let output = fdget(fd_out)?;
    if !output.writable() {
        return Err(Errno::EBADF.into());
    }
    let count = count.min(MAX_RW_COUNT);
    let done = match place {
        Offset::File => at_position(&input, |pos| do_sendfile(&input, pos, &output, count)),
        // Told also after an error.
        Offset::User(addr, mut pos) => {
            let result = do_sendfile(&input, &mut pos, &output, count);
            addr.write(&pos)?;
            result
        }
    }?;
    if done > 0 {
        fsnotify::access(&input);
        fsnotify::modify(&output);
    }
    Ok(done)
}

fn do_sendfile(input: &FileRef, pos: &mut u64, output: &FileRef, count: usize) -> SysResult {
    if let Some(pipe) = pipe_of(output) {
        return file_to_pipe::splice(input, pos, pipe, count, blocking(0, &[output]), Blocking::Yes);
    }
    if output.flags() & O_APPEND != 0 || !input.ops.seekable() || !can_splice_read(input) {
        return Err(Errno::EINVAL.into());
    }
    if output.ops.can_take_pages() {
        return to_socket::from_file(input, pos, output, count);
    }
    at_position(output, |out_pos| direct(input, pos, output, out_pos, count))
}

/// Passes `count` bytes on, one slice at a time.
pub fn direct(input: &FileRef, pos: &mut u64, output: &FileRef, out_pos: &mut u64, count: usize) -> SysResult {
    let mut spare: Option<Arc<Extent>> = None;
    pass_on(pos, count, |pos, left| {
        let fresh = || Ok(spare.take().or_else(|| Extent::new(1)).ok_or(Errno::ENOMEM)?);
        let Some(slice) = next_slice(input, pos, left, Blocking::Yes, fresh)? else { return Ok(Passed::default()) };
        let passed = Passed { read: slice.len, taken: put_slice(output, &slice, out_pos, Blocking::Yes)? };
        // A receiver may have kept the page.
        spare = slice.pages.into_own();
        Ok(passed)
    })
}

/// What became of one step's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// 0 at the end of the input.
    pub read: usize,
    pub taken: usize,
}

/// Passes `count` bytes on in steps, which get the position, and move it, and what is left; stops early at the end, at a
/// short write and at a signal. What was read but not taken stays to be read.
#[doc(alias = "splice_direct_to_actor")]
pub fn pass_on(pos: &mut u64, count: usize, mut step: impl FnMut(&mut u64, usize) -> Result<Passed, Error>) -> SysResult {
    let mut done = 0;
    while done < count {
        let before = *pos;
        match step(pos, count - done) {
            Ok(Passed { read, taken }) => {
                done += taken;
                if taken < read || read == 0 {
                    *pos = before + taken as u64;
                    break;
                }
            }
            Err(error) => {
                *pos = before;
                return if done > 0 { Ok(done) } else { Err(error) };
            }
        }
        if current().thread.signal_pending() {
            break;
        }
    }
    Ok(done)
}
