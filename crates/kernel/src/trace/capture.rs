//! What a call's pointers name, as far as a line of a trace shows it.
//!
//! Mirrors: nothing in Linux; `strace` does it from outside.
//! Differs from the handlers' own reading: nothing here fails; a bad pointer is shown as its number.

use acrida_kcore::uaccess::UserAddr;
use acrida_trace_format::ring::{DATA_MAX, Record, capture};
use acrida_uapi::nr;

use crate::abi::ArgKind;

/// Bytes of a buffer that are shown.
const BUFFER: usize = 48;
/// Strings of an argument vector that are shown, and bytes of each.
const ELEMENTS: usize = 24;
const ELEMENT: usize = 64;

/// Before the call: paths, buffers to be written out, the arguments of a program.
pub fn inputs(record: &mut Record, kinds: &[(&str, ArgKind)]) {
    for (n, &(_, kind)) in kinds.iter().enumerate() {
        let addr = UserAddr(record.args[n]);
        match kind {
            ArgKind::Path => string(record, n, addr),
            ArgKind::BufIn => bytes(record, n, addr, record.args.get(n + 1).copied().unwrap_or(0)),
            _ => {}
        }
    }
    match record.number {
        nr::execve => elements(record, 1),
        nr::execveat => elements(record, 2),
        _ => {}
    }
}

/// After the call: buffers that were filled, descriptors and statuses that were written.
pub fn outputs(record: &mut Record, kinds: &[(&str, ArgKind)]) {
    let Ok(len) = u64::try_from(record.result) else { return };
    // Their bytes mean nothing as text.
    if !matches!(record.number, nr::getdents | nr::getdents64) {
        for (n, &(_, kind)) in kinds.iter().enumerate() {
            if kind == ArgKind::BufOut && len > 0 {
                bytes(record, n, UserAddr(record.args[n]), len);
            }
        }
    }
    match record.number {
        nr::pipe | nr::pipe2 => words(record, 0, 2),
        nr::socketpair => words(record, 3, 2),
        nr::wait4 if len > 0 => words(record, 1, 1),
        _ => {}
    }
}

fn string(record: &mut Record, arg: usize, addr: UserAddr) {
    if let Ok(text) = addr.read_cstr_start(DATA_MAX / 2) {
        record.capture(arg as u8, capture::STRING, &text.bytes, !text.is_whole);
    }
}

fn bytes(record: &mut Record, arg: usize, addr: UserAddr, len: u64) {
    let mut buffer = [0; BUFFER];
    let shown = len.min(BUFFER as u64) as usize;
    if addr.read_bytes(&mut buffer[..shown]).is_ok() {
        record.capture(arg as u8, capture::BYTES, &buffer[..shown], len > BUFFER as u64);
    }
}

fn words(record: &mut Record, arg: usize, count: usize) {
    let mut buffer = [0; 8];
    let buffer = &mut buffer[..4 * count];
    if record.args[arg] != 0 && UserAddr(record.args[arg]).read_bytes(buffer).is_ok() {
        record.capture(arg as u8, capture::WORDS, buffer, false);
    }
}

fn elements(record: &mut Record, arg: usize) {
    let list = UserAddr(record.args[arg]);
    if list.is_null() {
        return;
    }
    for n in 0..=ELEMENTS as u64 {
        let Ok(element) = list.add(8 * n).read::<u64>() else { return };
        if element == 0 {
            return;
        }
        if n == ELEMENTS as u64 {
            record.capture(arg as u8, capture::ELEMENT, b"", true);
            return;
        }
        let Ok(text) = UserAddr(element).read_cstr_start(ELEMENT) else { return };
        record.capture(arg as u8, capture::ELEMENT, &text.bytes, !text.is_whole);
    }
}
