//! splice from a file into a pipe.
//!
//! Mirrors: fs/splice.c (`splice_file_to_pipe`), Linux 6.18.

use alloc::sync::Arc;

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::errno::{Errno, Error};

use super::can_splice_read;
use super::pages::next_slice;
use crate::abi::SysResult;
use crate::fs::file::File;
use crate::fs::pipe::Pipe;
use crate::fs::pipe::ring::{Joint, PipeBuffer};
use crate::fs::read_write::Blocking;

/// Waits for a free slot if `blocking`, then fills what is free now; waits for the file's first bytes if `input` says so.
pub fn splice(file: &Arc<File>, pos: &mut u64, pipe: &Pipe, len: usize, blocking: Blocking, input: Blocking) -> SysResult {
    if !can_splice_read(file) {
        return Err(Errno::EINVAL.into());
    }
    let mut state = pipe.lock_writable(blocking)?;
    let mut done = 0;
    let result = loop {
        if done == len || state.ring.is_full() {
            break Ok(());
        }
        state.show();
        let fresh = || state.ring.fresh_page().map_err(Error::from);
        // A stream is waited for once, if at all.
        let wait = if done == 0 && !file.nonblocking() { input } else { Blocking::No };
        match next_slice(file, pos, len - done, wait, fresh) {
            Ok(Some(mut run)) => {
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
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(state);
    if done > 0 {
        pipe.tell_readers();
        return Ok(done);
    }
    result.map(|()| 0)
}
