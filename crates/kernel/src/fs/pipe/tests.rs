//! Dialogues over a pipe, under the orders of events that many seeds give.

extern crate std;

use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeMap;

use acrida_platform_sim::{Sim, run};

use super::ring::Joint;
use super::*;
use crate::fs::iov_iter::IovIter;
use crate::fs::read_write::Blocking;

/// Bytes that are written in one piece; a page.
const PIPE_BUF: usize = acrida_kcore::frame::PAGE_SIZE;
const SEEDS: u64 = 200;

fn ends() -> (Arc<Pipe>, PipeEnd, PipeEnd) {
    let pipe = Pipe::new(None);
    let (reader, writer) = (PipeEnd::attach(&pipe, Access::Read), PipeEnd::attach(&pipe, Access::Write));
    (pipe, reader, writer)
}

fn read(end: &PipeEnd, len: usize) -> Result<Vec<u8>, acrida_uapi::errno::Error> {
    let mut bytes = vec![0; len];
    let got = end.pipe().read(&mut IovIter::kernel_out(&mut bytes), Blocking::Yes)?;
    bytes.truncate(got);
    Ok(bytes)
}

fn write(end: &PipeEnd, bytes: &[u8]) -> SysResult {
    end.pipe().write(&mut IovIter::kernel_in(bytes), Joint::Open, Blocking::Yes)
}

/// A reader that notes what it reads until the end of the file.
fn note_reads(sim: &Sim, end: &PipeEnd) {
    loop {
        let bytes = read(end, 100).expect("nobody interrupts");
        sim.note(format!("read {:?}", core::str::from_utf8(&bytes).expect("text")));
        if bytes.is_empty() {
            return;
        }
    }
}

#[test]
fn a_reader_sleeps_until_bytes_come_and_until_the_last_writer_leaves() {
    let log = run(1, |sim| {
        let (_, reader, writer) = ends();
        let other = sim.spawn("reader", move |sim| note_reads(sim, &reader));
        sim.sleep(1);
        sim.note("write one");
        assert_eq!(write(&writer, b"one"), Ok(3));
        sim.sleep(1);
        sim.note("write two");
        assert_eq!(write(&writer, b"two"), Ok(3));
        sim.sleep(1);
        sim.note("close");
        drop(writer);
        sim.join(other);
    });
    let dialogue = [
        "main: write one",
        "reader: read \"one\"",
        "main: write two",
        "reader: read \"two\"",
        "main: close",
        "reader: read \"\"",
    ];
    assert_eq!(log, dialogue);
}

#[test]
fn a_writer_of_a_full_pipe_goes_on_as_room_comes() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let (pipe, reader, writer) = ends();
            let all = pipe.size() * 2 + 1;
            let other = sim.spawn("writer", move |_| assert_eq!(write(&writer, &vec![7; all]), Ok(all)));
            let mut got = 0;
            loop {
                match read(&reader, 5000).expect("nobody interrupts").len() {
                    0 => break,
                    bytes => got += bytes,
                }
            }
            assert_eq!(got, all);
            sim.join(other);
        });
    }
}

#[test]
fn an_interrupted_reader_leaves_the_bytes_to_the_others() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let (pipe, reader, writer) = ends();
            let second = PipeEnd::attach(&pipe, Access::Read);
            let got = Arc::new(AtomicUsize::new(0));
            let reads = |end: PipeEnd| {
                let got = got.clone();
                move |_: &Sim| {
                    // Interrupted, the byte, or the end when the byte was the other's and the writer has left.
                    if let Ok(bytes) = read(&end, 2) {
                        got.fetch_add(bytes.len(), Ordering::Relaxed);
                    }
                }
            };
            let interrupted = sim.spawn("interrupted", reads(reader));
            let other = sim.spawn("other", reads(second));
            sim.sleep(1);
            let wake = sim.spawn("writer", move |_| assert_eq!(write(&writer, b"x"), Ok(1)));
            sim.interrupt(&interrupted);
            [interrupted, other, wake].into_iter().for_each(|thread| sim.join(thread));
            assert_eq!(got.load(Ordering::Relaxed), 1);
        });
    }
}

#[test]
fn writes_of_up_to_pipe_buf_bytes_are_never_torn() {
    const WRITERS: u8 = 3;
    const EACH: usize = 12;
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let (pipe, reader, first) = ends();
            let writers: Vec<_> = (0..WRITERS)
                .map(|n| {
                    let end = PipeEnd::attach(&pipe, Access::Write);
                    sim.spawn(&format!("writer {n}"), move |_| {
                        for turn in 0..EACH {
                            // The length tells how far the writer is, every byte who it was.
                            let len = PIPE_BUF - turn;
                            assert_eq!(write(&end, &vec![n; len]), Ok(len));
                        }
                    })
                })
                .collect();
            drop(first);
            let mut bytes = Vec::new();
            loop {
                let more = read(&reader, 3000).expect("nobody interrupts");
                if more.is_empty() {
                    break;
                }
                bytes.extend(more);
            }
            let mut turns = BTreeMap::new();
            let mut rest = &bytes[..];
            while let Some(&who) = rest.first() {
                let turn: &mut usize = turns.entry(who).or_default();
                let (message, after) = rest.split_at(PIPE_BUF - *turn);
                assert!(message.iter().all(|&byte| byte == who), "a torn write of writer {who}");
                *turn += 1;
                rest = after;
            }
            assert!(turns.len() == usize::from(WRITERS) && turns.values().all(|&turn| turn == EACH));
            writers.into_iter().for_each(|writer| sim.join(writer));
        });
    }
}

#[test]
fn the_ends_of_a_fifo_wait_for_each_other() {
    for seed in 0..SEEDS {
        run(seed, |sim| {
            let pipe = Pipe::new(None);
            let opened = |access| {
                let pipe = pipe.clone();
                move |_: &Sim| drop(pipe.open_fifo(access, Blocking::Yes).expect("nobody interrupts"))
            };
            let threads = [sim.spawn("reader", opened(Access::Read)), sim.spawn("writer", opened(Access::Write))];
            threads.into_iter().for_each(|thread| sim.join(thread));
            let state = pipe.lock();
            assert_eq!((state.readers, state.writers), (0, 0));
        });
    }
}
