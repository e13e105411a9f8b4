//! vmsplice: guest memory into a pipe, and a pipe into guest memory.
//!
//! Mirrors: fs/splice.c (`vmsplice_to_pipe`, `vmsplice_to_user`), Linux 6.18.
//! Differs: the bytes are copied; a program that changes them before they are read is not seen doing so.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};

use super::{SPLICE_F_ALL, blocking, pipe_of};
use crate::abi::{Fd, Flags, SysResult};
use crate::fs::iov_iter::IovIter;
use crate::fs::iovec::import_iovec;
use crate::fs::pipe::Pipe;
use crate::fs::pipe::ring::Joint;
use crate::fs::read_write::{Blocking, fdget};

pub fn sys_vmsplice(fd: Fd, iov: UserAddr, count: usize, flags: Flags) -> SysResult {
    if flags.0 & !SPLICE_F_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = fdget(fd)?;
    if !file.readable() && !file.writable() {
        return Err(Errno::EBADF.into());
    }
    let segments = import_iovec(iov, count)?;
    let mut iter = IovIter::user_vec(&segments);
    if iter.count() == 0 {
        return Ok(0);
    }
    let pipe = pipe_of(&file).ok_or(Errno::EBADF)?;
    let blocking = blocking(flags.0, &[]);
    if file.writable() { to_pipe(pipe, &mut iter, blocking) } else { pipe.read(&mut iter, blocking) }
}

/// Waits for a free slot, then fills what is free now; each piece of a page takes a slot of its own.
#[doc(alias = "vmsplice_to_pipe")]
fn to_pipe(pipe: &Pipe, from: &mut IovIter<'_>, blocking: Blocking) -> SysResult {
    let mut state = pipe.lock_writable(blocking)?;
    let mut done = 0;
    let result = loop {
        let Some((addr, len)) = from.user_segment().filter(|_| !state.ring.is_full()) else { break Ok(()) };
        let piece = len.min(PAGE_SIZE - addr.0 as usize % PAGE_SIZE);
        match state.ring.append(&mut IovIter::user(addr, piece), Joint::Closed) {
            Ok(bytes) => {
                done += bytes;
                from.advance(bytes);
            }
            Err(errno) => break Err(Error::from(errno)),
        }
    };
    drop(state);
    if done > 0 {
        pipe.tell_readers();
        return Ok(done);
    }
    result.map(|()| 0)
}
