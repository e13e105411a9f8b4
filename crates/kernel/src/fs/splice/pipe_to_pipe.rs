//! splice and tee between two pipes: references move, or are copied.
//!
//! Mirrors: fs/splice.c (`splice_pipe_to_pipe`, `link_pipe`), Linux 6.18.

use acrida_uapi::errno::{Errno, Error};

use crate::abi::SysResult;
use crate::fs::pipe::wait::broken_pipe;
use crate::fs::pipe::{Pipe, State};
use crate::fs::read_write::Blocking;

/// What one pass under both locks did.
#[derive(Clone, Copy, Debug, Default)]
struct Pass {
    bytes: usize,
    /// A slot of the source is free that was not.
    freed: bool,
}

/// Moves buffers from `from` to `to`, whole ones without touching them.
fn move_buffers(from: &mut State, to: &mut State, len: usize) -> Pass {
    let mut pass = Pass::default();
    while pass.bytes < len && !to.ring.is_full() {
        let Some(first) = from.ring.first() else { break };
        let left = len - pass.bytes;
        if first.len() <= left {
            let Some(whole) = from.ring.pop() else { break };
            pass.bytes += whole.len();
            pass.freed = true;
            to.ring.push(whole);
        } else {
            to.ring.push(first.head(left));
            pass.freed |= from.ring.consume(left);
            pass.bytes = len;
        }
    }
    pass
}

/// Gives `to` references to what is in `from`, which keeps it.
#[doc(alias = "link_pipe")]
fn link_buffers(from: &mut State, to: &mut State, len: usize) -> Pass {
    let mut pass = Pass::default();
    for buffer in from.ring.buffers() {
        let take = buffer.len().min(len - pass.bytes);
        if take == 0 || to.ring.is_full() {
            break;
        }
        to.ring.push(buffer.head(take));
        pass.bytes += take;
    }
    pass
}

/// Runs `pass` once there is something in `from` and room in `to`.
fn transfer(from: &Pipe, to: &Pipe, blocking: Blocking, pass: impl Fn(&mut State, &mut State) -> Pass) -> Result<Pass, Error> {
    loop {
        drop(from.lock_readable(blocking)?);
        drop(to.lock_writable(blocking)?);
        let (mut source, mut target) = from.lock_two(to);
        if !target.has_readers() {
            drop((source, target));
            return Err(broken_pipe());
        }
        let done = pass(&mut source, &mut target);
        let ended = source.ring.is_empty() && !source.has_writers();
        drop((source, target));
        if done.bytes > 0 || ended {
            return Ok(done);
        }
        // Somebody else was quicker.
        if blocking == Blocking::No {
            return Err(Errno::EAGAIN.into());
        }
    }
}

fn finish(from: &Pipe, to: &Pipe, pass: Pass) -> SysResult {
    if pass.bytes > 0 {
        to.tell_readers();
    }
    if pass.freed {
        from.tell_writers();
    }
    Ok(pass.bytes)
}

#[doc(alias = "splice_pipe_to_pipe")]
pub fn splice(from: &Pipe, to: &Pipe, len: usize, blocking: Blocking) -> SysResult {
    if core::ptr::eq(from, to) {
        return Err(Errno::EINVAL.into());
    }
    finish(from, to, transfer(from, to, blocking, |source, target| move_buffers(source, target, len))?)
}

#[doc(alias = "do_tee")]
pub fn tee(from: &Pipe, to: &Pipe, len: usize, blocking: Blocking) -> SysResult {
    if core::ptr::eq(from, to) {
        return Err(Errno::EINVAL.into());
    }
    finish(from, to, transfer(from, to, blocking, |source, target| link_buffers(source, target, len))?)
}
