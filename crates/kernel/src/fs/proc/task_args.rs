//! /proc/PID/{cmdline,environ,auxv}.
//!
//! Mirrors: fs/proc/base.c (`get_mm_cmdline`, `environ_read`, `auxv_read`), Linux 6.18.
//! Differs: at most [`MAX_BYTES`] are shown.
//! Locking: `MmStruct::program` for a copy of the places.

use acrida_uapi::errno::Error;

use crate::fs::proc::mem::read_memory;
use crate::fs::proc::seq_file::SeqFile;
use crate::fs::proc::subject::Target;

/// As much as exec takes.
const MAX_BYTES: u64 = 6 << 20;
/// How far a program may move its title into its environment.
const MAX_TITLE: u64 = 4096;

fn bytes(target: &Target, start: u64, end: u64) -> alloc::vec::Vec<u8> {
    let len = end.saturating_sub(start).min(MAX_BYTES);
    read_memory(target, start, len as usize)
}

/// The arguments, each ended by NUL. A program that wrote a longer title over them has overwritten the last NUL.
pub fn cmdline(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Ok(()) };
    let (start, end, env_end) = {
        let program = mm.program.lock();
        (program.arg_start, program.arg_end, program.env_end)
    };
    let args = bytes(target, start, end);
    match args.last() {
        None => {}
        Some(0) => out.put(&args),
        Some(_) => {
            let title = bytes(target, start, env_end.max(end).min(start + MAX_TITLE));
            let len = title.iter().position(|&byte| byte == 0).map_or(title.len(), |nul| nul + 1);
            out.put(&title[..len]);
        }
    }
    Ok(())
}

pub fn environ(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Ok(()) };
    let (start, end) = {
        let program = mm.program.lock();
        (program.env_start, program.env_end)
    };
    out.put(&bytes(target, start, end));
    Ok(())
}

pub fn auxv(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let Some(mm) = target.mm() else { return Ok(()) };
    for word in &mm.program.lock().auxv {
        out.put(&word.to_ne_bytes());
    }
    Ok(())
}
