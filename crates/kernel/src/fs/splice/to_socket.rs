//! Pages into a socket, by reference: what a queued message holds is the file's page, not a copy of it.
//!
//! Mirrors: fs/splice.c (`splice_to_socket`), Linux 6.18.
//! Differs: sendfile gathers its slices here, without a pipe in between; bytes that have no page are read into fresh
//! ones, many at a time.

use alloc::vec::Vec;

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::errno::Error;

use super::pages::PageSlice;
use super::pipe_to_file::{Drain, drain};
use super::sendfile::{Passed, pass_on};
use crate::abi::SysResult;
use crate::fs::file::FileRef;
use crate::fs::iov_iter::IovIter;
use crate::fs::pipe::Pipe;
use crate::fs::read_write::Blocking;
use crate::net::core::skbuff::{RUN, fresh_run};

/// Slices of one message at most: the slots of a pipe.
const BATCH: usize = 16;

/// The next slices of a file, up to `len` bytes and a message's worth; none at the end.
fn gather(input: &FileRef, pos: &mut u64, len: usize) -> Result<Vec<PageSlice>, Error> {
    let mut slices: Vec<PageSlice> = Vec::with_capacity(BATCH);
    let mut left = len;
    while left > 0 && slices.len() < BATCH {
        if let Some(mut run) = input.ops.page_run(input, *pos, left) {
            while run.len > 0 && slices.len() < BATCH {
                let slice = run.first_page(run.len);
                run.advance(slice.len);
                *pos += slice.len as u64;
                left -= slice.len;
                slices.push(slice);
            }
            continue;
        }
        let run = fresh_run()?;
        let want = left.min(RUN).min((BATCH - slices.len()) * PAGE_SIZE);
        let got = match input.ops.read(input, &mut IovIter::pages(&run, 0, want), pos) {
            Ok(got) => got,
            Err(_) if !slices.is_empty() => break,
            Err(error) => return Err(error),
        };
        let slice = |start: usize| PageSlice::frames(run.clone(), start, PAGE_SIZE.min(got - start));
        slices.extend((0..got).step_by(PAGE_SIZE).map(slice));
        left -= got;
        if got < want {
            break;
        }
    }
    Ok(slices)
}

fn bytes_of(slices: &[PageSlice]) -> usize {
    slices.iter().map(|slice| slice.len).sum()
}

/// Passes `count` bytes of a file on, a message at a time.
pub fn from_file(input: &FileRef, pos: &mut u64, output: &FileRef, count: usize) -> SysResult {
    pass_on(pos, count, |pos, left| {
        let slices = gather(input, pos, left)?;
        match bytes_of(&slices) {
            0 => Ok(Passed::default()),
            read => Ok(Passed { read, taken: output.ops.take_pages(output, &slices, Blocking::Yes)? }),
        }
    })
}

/// Waits for something in the pipe, then sends what is there now, at most `how.len` bytes.
pub fn from_pipe(pipe: &Pipe, output: &FileRef, how: Drain) -> SysResult {
    drain(pipe, output, how, "splice_to_socket", |state, mut left| {
        let mut slices: Vec<PageSlice> = Vec::with_capacity(BATCH);
        for buffer in state.ring.buffers().take(BATCH) {
            let slice = PageSlice { len: buffer.len().min(left), ..buffer.slice.clone() };
            left -= slice.len;
            if slice.len > 0 {
                slices.push(slice);
            }
        }
        output.ops.take_pages(output, &slices, Blocking::No)
    })
}
