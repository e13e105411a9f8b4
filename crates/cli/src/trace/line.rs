//! One record as one line, in strace's manner.

use std::fmt::Write;

use acrida_trace_format::ring::{Capture, Record, capture, kind, restart};

use super::decode;
use crate::calls::{self, ArgType, Call};

const AT_FDCWD: i32 = -100;

/// The line for `record`, with its newline; times count from `start_ns`.
pub fn line(record: &Record, start_ns: u64) -> String {
    let since = record.start_ns.saturating_sub(start_ns);
    let mut out = String::with_capacity(128);
    match record.pid == record.tid {
        true => write!(out, "{:<7}", record.pid),
        false => write!(out, "{:<7}", format!("{}/{}", record.pid, record.tid)),
    }
    .expect("a String takes everything");
    let _ = write!(out, " {:>4}.{:06} ", since / 1_000_000_000, since / 1000 % 1_000_000);
    match record.kind {
        kind::CALL | kind::CALL_NO_RETURN => call(record, &mut out),
        kind::SIGNAL => signal(record, &mut out),
        kind::EXIT => {
            let _ = write!(out, "+++ {} +++", decode::wait_status(record.result as i32));
        }
        kind::STOPPED => {
            let _ = write!(out, "--- stopped by {} ---", decode::signal(i64::from(record.number)));
        }
        other => {
            let _ = write!(out, "??? record of kind {other}");
        }
    }
    out.push('\n');
    out
}

fn call(record: &Record, out: &mut String) {
    let number = record.number as usize;
    let known = calls::by_number(number);
    let _ = write!(out, "{}(", calls::name(number));
    match known {
        Some(call) => {
            for n in 0..call.args.len().min(6) {
                out.push_str(if n > 0 { ", " } else { "" });
                out.push_str(&argument(record, call, n));
            }
        }
        None => {
            let args: Vec<String> = record.args.iter().map(|arg| format!("{arg:#x}")).collect();
            out.push_str(&args.join(", "));
        }
    }
    out.push_str(") = ");
    if record.kind == kind::CALL_NO_RETURN {
        out.push('?');
        return;
    }
    out.push_str(&result(record, known));
    let _ = write!(out, " <{}.{:06}>", record.duration_ns / 1_000_000_000, record.duration_ns / 1000 % 1_000_000);
}

fn result(record: &Record, call: Option<&Call>) -> String {
    match record.result {
        restart::ERESTARTSYS => "? ERESTARTSYS (to be restarted if SA_RESTART is set)".to_string(),
        restart::ERESTARTNOINTR => "? ERESTARTNOINTR (to be restarted)".to_string(),
        restart::ERESTARTNOHAND => "? ERESTARTNOHAND (to be restarted if no handler runs)".to_string(),
        restart::ERESTART_RESTARTBLOCK => "? ERESTART_RESTARTBLOCK (interrupted by signal)".to_string(),
        error @ -4095..0 => format!("-1 {}", decode::errno(-error as i32)),
        value => match call.map(|call| call.name) {
            // Their results are addresses.
            Some("mmap" | "brk" | "mremap") => format!("{value:#x}"),
            Some("umask") => format!("0{value:03o}"),
            _ => value.to_string(),
        },
    }
}

fn argument(record: &Record, call: &Call, n: usize) -> String {
    let (name, ty) = call.args[n];
    let value = record.args[n];
    if let Some(text) = captured(record, n) {
        return text;
    }
    if let Some(text) = decode::special(call.name, name, value) {
        return text;
    }
    match ty {
        ArgType::DirFd if value as i32 == AT_FDCWD => "AT_FDCWD".to_string(),
        ArgType::Fd | ArgType::DirFd | ArgType::Int32 => (value as i32).to_string(),
        ArgType::Int64 => (value as i64).to_string(),
        ArgType::Uint32 => (value as u32).to_string(),
        ArgType::Uint64 => value.to_string(),
        ArgType::Signo => decode::signal(i64::from(value as i32)),
        ArgType::Mode => format!("0{:03o}", value as u32),
        ArgType::Flags if value == 0 => "0".to_string(),
        ArgType::Flags => format!("{:#x}", value as u32),
        ArgType::Path | ArgType::BufIn | ArgType::BufOut | ArgType::Addr if value == 0 => "NULL".to_string(),
        ArgType::Path | ArgType::BufIn | ArgType::BufOut | ArgType::Addr => format!("{value:#x}"),
    }
}

/// What the argument pointed to, if the kernel looked.
fn captured(record: &Record, n: usize) -> Option<String> {
    let pieces: Vec<Capture<'_>> = record.captures().filter(|piece| usize::from(piece.arg) == n).collect();
    let first = pieces.first()?;
    Some(match first.what {
        capture::STRING | capture::BYTES => decode::quoted(first.bytes, first.cut),
        capture::WORDS => {
            let words = first.bytes.chunks_exact(4).map(|w| i32::from_le_bytes([w[0], w[1], w[2], w[3]]));
            let words: Vec<String> =
                words.map(|word| if first.bytes.len() == 4 { decode::wait_status(word) } else { word.to_string() }).collect();
            format!("[{}]", words.join(", "))
        }
        _ => {
            let show = |piece: &Capture<'_>| {
                if piece.cut && piece.bytes.is_empty() { "...".to_string() } else { decode::quoted(piece.bytes, piece.cut) }
            };
            format!("[{}]", pieces.iter().map(show).collect::<Vec<_>>().join(", "))
        }
    })
}

fn signal(record: &Record, out: &mut String) {
    let code = record.args[0] as i64 as i32;
    let _ = write!(out, "--- {} {{si_code={}", decode::signal(i64::from(record.number)), si_code(code));
    // Faults carry an address, what is sent a sender, and a child's news the child.
    match (code, record.number) {
        (1.., 4 | 5 | 7 | 8 | 11) => {
            let _ = write!(out, ", si_addr={:#x}", record.args[1]);
        }
        (0x80, _) => {}
        _ => {
            let _ = write!(out, ", si_pid={}, si_uid={}", record.args[1] as u32, record.args[1] >> 32);
        }
    }
    out.push_str("} ---");
}

fn si_code(code: i32) -> String {
    match code {
        0 => "SI_USER".to_string(),
        0x80 => "SI_KERNEL".to_string(),
        -1 => "SI_QUEUE".to_string(),
        -2 => "SI_TIMER".to_string(),
        -6 => "SI_TKILL".to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u32, args: [u64; 6], result: i64) -> Record {
        let mut record = Record::new(kind::CALL);
        record.number = number;
        record.pid = 2;
        record.tid = 2;
        record.start_ns = 1_001_500_000;
        record.duration_ns = 12_000;
        record.args = args;
        record.result = result;
        record
    }

    #[test]
    fn lines_look_like_straces() {
        let mut open = record(257, [u64::MAX - 99, 0x1000, 0o2_000_000, 0, 0, 0], -2);
        open.capture(1, capture::STRING, b"/etc/nothing", false);
        assert_eq!(
            line(&open, 1_000_000_000),
            "2          0.001500 openat(AT_FDCWD, \"/etc/nothing\", O_RDONLY|O_CLOEXEC, 0000) = -1 ENOENT (No such file or directory) <0.000012>\n"
        );
        let mut pipe = record(293, [0x1000, 0, 0, 0, 0, 0], 0);
        pipe.capture(0, capture::WORDS, &[3, 0, 0, 0, 4, 0, 0, 0], false);
        assert_eq!(line(&pipe, 1_000_000_000), "2          0.001500 pipe2([3, 4], 0) = 0 <0.000012>\n");
        let mut exit = record(231, [7, 0, 0, 0, 0, 0], 0);
        exit.kind = kind::CALL_NO_RETURN;
        assert_eq!(line(&exit, 1_000_000_000), "2          0.001500 exit_group(7) = ?\n");
    }

    #[test]
    fn events() {
        let mut int = record(2, [0, 5, 0, 0, 0, 0], 0);
        int.kind = kind::SIGNAL;
        assert_eq!(line(&int, 0), "2          1.001500 --- SIGINT {si_code=SI_USER, si_pid=5, si_uid=0} ---\n");
        let mut end = record(0, [0; 6], 0x300);
        end.kind = kind::EXIT;
        assert_eq!(line(&end, 0), "2          1.001500 +++ exited with 3 +++\n");
    }
}
