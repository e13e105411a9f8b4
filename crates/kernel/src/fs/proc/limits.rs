//! /proc/PID/limits.
//!
//! Mirrors: fs/proc/base.c (`proc_pid_limits`), Linux 6.18.
//! Locking: `Process::rlimits`, for a copy.

use acrida_uapi::errno::Error;
use acrida_uapi::resource::{RLIM_INFINITY, Rlimit64};

use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;

/// Name and unit, by number of the limit.
static NAMES: [(&str, &str); 16] = [
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
];

pub fn limits(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    let limits = *target.process.rlimits.lock();
    show(&limits, out);
    Ok(())
}

fn show(limits: &[Rlimit64; 16], out: &mut SeqFile) {
    out.put(b"Limit                     Soft Limit           Hard Limit           Units     \n");
    for ((name, unit), limit) in NAMES.iter().zip(limits) {
        seq_printf!(out, "{name:<25} ");
        for value in [limit.rlim_cur, limit.rlim_max] {
            match value {
                RLIM_INFINITY => seq_printf!(out, "{:<20} ", "unlimited"),
                value => seq_printf!(out, "{value:<20} "),
            }
        }
        if !unit.is_empty() {
            seq_printf!(out, "{unit:<10}");
        }
        out.put(b"\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_linux_puts_them() {
        let mut limits = [Rlimit64 { rlim_cur: 0, rlim_max: RLIM_INFINITY }; 16];
        limits[3].rlim_cur = 8388608;
        let mut out = SeqFile::new();
        show(&limits, &mut out);
        let text = alloc::string::String::from_utf8(out.into_bytes()).unwrap();
        let lines: alloc::vec::Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 17);
        assert_eq!(lines[4], "Max stack size            8388608              unlimited            bytes     ");
        assert_eq!(lines[14], "Max nice priority         0                    unlimited            ");
    }
}
