//! splice from a pipe into a file.
//!
//! Mirrors: fs/splice.c (`splice_from_pipe`, `iter_file_splice_write`), Linux 6.18.
//! Differs: where the file has no room, it is waited for without the pipe's lock, so others can use the pipe meanwhile.

use acrida_uapi::epoll::EPOLLOUT;
use acrida_uapi::errno::Errno;

use super::pages::{PageSlice, put_slice};
use crate::abi::SysResult;
use crate::fs::file::FileRef;
use crate::fs::pipe::{Pipe, State};
use crate::fs::read_write::Blocking;
use crate::fs::select::wait_ready;

/// How much to take, and how.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    pub len: usize,
    pub blocking: Blocking,
}

/// Waits for something to take, then takes what is there now, at most `how.len` bytes.
pub fn splice(pipe: &Pipe, file: &FileRef, pos: &mut u64, how: Drain) -> SysResult {
    drain(pipe, file, how, "iter_file_splice_write", |state, left| {
        let Some(first) = state.ring.first() else { return Ok(0) };
        let slice = PageSlice { len: first.len().min(left), ..first.slice.clone() };
        put_slice(file, &slice, pos, Blocking::No)
    })
}

/// Waits for something in the pipe, then takes what is there now in steps, at most `how.len` bytes. `put` gives bytes of the pipe
/// to `file`, at most as many as it is told, and says how many; it must not sleep.
#[doc(alias = "splice_from_pipe_feed")]
pub fn drain(
    pipe: &Pipe,
    file: &FileRef,
    how: Drain,
    wchan: &'static str,
    mut put: impl FnMut(&State, usize) -> SysResult,
) -> SysResult {
    let mut done = 0;
    loop {
        let mut state = if done == 0 { pipe.lock_readable(how.blocking)? } else { pipe.lock() };
        let mut freed = false;
        let mut result = loop {
            if done == how.len || state.ring.is_empty() {
                break Ok(());
            }
            state.show();
            match put(&state, how.len - done) {
                Ok(0) => break Ok(()),
                Ok(taken) => {
                    done += taken;
                    freed |= consume(&mut state, taken);
                }
                Err(error) => break Err(error),
            }
        };
        drop(state);
        if freed {
            pipe.tell_writers();
        }
        if result.as_ref().is_err_and(|error| *error == Errno::EAGAIN) && !file.nonblocking() {
            result = wait_ready(file, EPOLLOUT, wchan);
            if result.is_ok() {
                continue;
            }
        }
        return if done > 0 { Ok(done) } else { result.map(|()| 0) };
    }
}

/// Takes bytes off the pipe; whether a slot is free now.
fn consume(state: &mut State, mut bytes: usize) -> bool {
    let mut freed = false;
    while let Some(first) = state.ring.first().filter(|_| bytes > 0) {
        let step = first.len().min(bytes);
        freed |= state.ring.consume(step);
        bytes -= step;
    }
    freed
}
