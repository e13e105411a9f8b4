//! splice from a file into a pipe.
//!
//! Mirrors: fs/splice.c (`splice_file_to_pipe`), Linux 6.18.
//! Differs: a stream is waited for without the pipe's lock, so others can use the pipe meanwhile.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::epoll::EPOLLIN;
use acrida_uapi::errno::{Errno, Error};

use super::can_splice_read;
use super::pages::next_slice;
use crate::abi::SysResult;
use crate::fs::file::FileRef;
use crate::fs::pipe::ring::{Joint, PipeBuffer};
use crate::fs::pipe::{Locked, Pipe};
use crate::fs::read_write::Blocking;
use crate::fs::select::wait_ready;

/// Waits for a free slot if `blocking`, then fills what is free now; waits for the file's first bytes if `input` says so.
pub fn splice(file: &FileRef, pos: &mut u64, pipe: &Pipe, len: usize, blocking: Blocking, input: Blocking) -> SysResult {
    if !can_splice_read(file) {
        return Err(Errno::EINVAL.into());
    }
    let waits = input == Blocking::Yes && !file.nonblocking();
    loop {
        match fill(pipe.lock_writable(blocking)?, file, pos, len) {
            Err(error) if waits && error == Errno::EAGAIN => wait_ready(file, EPOLLIN, "splice_file_to_pipe")?,
            result => {
                let done = result?;
                if done > 0 {
                    pipe.tell_readers();
                }
                return Ok(done);
            }
        }
    }
}

/// Fills the free slots with what the file has now; an error only if it has nothing.
fn fill(mut state: Locked<'_>, file: &FileRef, pos: &mut u64, len: usize) -> SysResult {
    let mut done = 0;
    while done < len && !state.ring.is_full() {
        state.show();
        let fresh = || state.ring.fresh_page().map_err(Error::from);
        let mut run = match next_slice(file, pos, len - done, Blocking::No, fresh) {
            Ok(Some(run)) => run,
            Err(error) if done == 0 => return Err(error),
            Ok(None) | Err(_) => break,
        };
        let short = run.len < PAGE_SIZE.min(len - done) && run.tail_room() > 0;
        while run.len > 0 && !state.ring.is_full() {
            let slice = run.first_page(run.len);
            run.advance(slice.len);
            done += slice.len;
            state.ring.push(PipeBuffer { slice, joint: Joint::Closed });
        }
        // What found no slot stays in the file.
        *pos -= run.len as u64;
        // A stream that gave less than a page has no more for now.
        if short {
            break;
        }
    }
    Ok(done)
}
