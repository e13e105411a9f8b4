//! splice from a pipe into a file.
//!
//! Mirrors: fs/splice.c (`iter_file_splice_write`), Linux 6.18.

use alloc::sync::Arc;

use super::pages::{PageSlice, put_slice};
use crate::abi::SysResult;
use crate::fs::file::File;
use crate::fs::pipe::Pipe;
use crate::fs::read_write::Blocking;

/// How much to take, and how.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    pub len: usize,
    pub blocking: Blocking,
}

/// Waits for something to take, then takes what is there now, at most `how.len` bytes.
pub fn splice(pipe: &Pipe, file: &Arc<File>, pos: &mut u64, how: Drain) -> SysResult {
    let mut state = pipe.lock_readable(how.blocking)?;
    let (mut done, mut freed) = (0, false);
    let result = loop {
        let Some(first) = state.ring.first().filter(|_| done < how.len) else { break Ok(()) };
        let slice = PageSlice { len: first.len().min(how.len - done), ..first.slice.clone() };
        state.show();
        match put_slice(file, &slice, pos) {
            Ok(taken) => {
                done += taken;
                freed |= state.ring.consume(taken);
                if taken < slice.len {
                    break Ok(());
                }
            }
            Err(error) => break Err(error),
        }
    };
    drop(state);
    if freed {
        pipe.tell_writers();
    }
    if done > 0 { Ok(done) } else { result.map(|()| 0) }
}
