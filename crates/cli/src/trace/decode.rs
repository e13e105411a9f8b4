//! Names for numbers: errnos, signals, and the flags of the calls that everybody looks at.
//!
//! Bits without a name stay visible as a number, so nothing is ever hidden.

use acrida_uapi::errno::Errno;
use acrida_uapi::signal::signal_name;

/// Names of single bits and of multi-bit values under a mask.
struct FlagSet {
    /// A field of several bits with its values, or 0.
    mask: u64,
    values: &'static [(u64, &'static str)],
    bits: &'static [(u64, &'static str)],
    /// What 0 is called when no name stands.
    none: &'static str,
}

const OPEN: FlagSet = FlagSet {
    mask: 3,
    values: &[(0, "O_RDONLY"), (1, "O_WRONLY"), (2, "O_RDWR"), (3, "O_ACCMODE")],
    bits: &[
        (0o20_200_000, "O_TMPFILE"),
        (0o4_010_000, "O_SYNC"),
        (0o100, "O_CREAT"),
        (0o200, "O_EXCL"),
        (0o400, "O_NOCTTY"),
        (0o1000, "O_TRUNC"),
        (0o2000, "O_APPEND"),
        (0o4000, "O_NONBLOCK"),
        (0o10_000, "O_DSYNC"),
        (0o20_000, "O_ASYNC"),
        (0o40_000, "O_DIRECT"),
        (0o100_000, "O_LARGEFILE"),
        (0o200_000, "O_DIRECTORY"),
        (0o400_000, "O_NOFOLLOW"),
        (0o1_000_000, "O_NOATIME"),
        (0o2_000_000, "O_CLOEXEC"),
        (0o10_000_000, "O_PATH"),
    ],
    none: "0",
};

const PROT: FlagSet = FlagSet {
    mask: 0,
    values: &[],
    bits: &[(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC"), (0x0100_0000, "PROT_GROWSDOWN")],
    none: "PROT_NONE",
};

const MAP: FlagSet = FlagSet {
    mask: 3,
    values: &[(0, "0"), (1, "MAP_SHARED"), (2, "MAP_PRIVATE"), (3, "MAP_SHARED_VALIDATE")],
    bits: &[
        (0x10, "MAP_FIXED"),
        (0x20, "MAP_ANONYMOUS"),
        (0x100, "MAP_GROWSDOWN"),
        (0x800, "MAP_DENYWRITE"),
        (0x2000, "MAP_LOCKED"),
        (0x4000, "MAP_NORESERVE"),
        (0x8000, "MAP_POPULATE"),
        (0x1_0000, "MAP_NONBLOCK"),
        (0x2_0000, "MAP_STACK"),
        (0x4_0000, "MAP_HUGETLB"),
        (0x10_0000, "MAP_FIXED_NOREPLACE"),
    ],
    none: "0",
};

const AT: FlagSet = FlagSet {
    mask: 0,
    values: &[],
    bits: &[
        (0x100, "AT_SYMLINK_NOFOLLOW"),
        (0x200, "AT_REMOVEDIR"),
        (0x400, "AT_SYMLINK_FOLLOW"),
        (0x800, "AT_NO_AUTOMOUNT"),
        (0x1000, "AT_EMPTY_PATH"),
        (0x2000, "AT_STATX_FORCE_SYNC"),
        (0x4000, "AT_STATX_DONT_SYNC"),
    ],
    none: "0",
};

const CLONE: FlagSet = FlagSet {
    mask: 0xff,
    values: &[(17, "SIGCHLD")],
    bits: &[
        (0x100, "CLONE_VM"),
        (0x200, "CLONE_FS"),
        (0x400, "CLONE_FILES"),
        (0x800, "CLONE_SIGHAND"),
        (0x1000, "CLONE_PIDFD"),
        (0x4000, "CLONE_VFORK"),
        (0x8000, "CLONE_PARENT"),
        (0x1_0000, "CLONE_THREAD"),
        (0x2_0000, "CLONE_NEWNS"),
        (0x4_0000, "CLONE_SYSVSEM"),
        (0x8_0000, "CLONE_SETTLS"),
        (0x10_0000, "CLONE_PARENT_SETTID"),
        (0x20_0000, "CLONE_CHILD_CLEARTID"),
        (0x40_0000, "CLONE_DETACHED"),
        (0x100_0000, "CLONE_CHILD_SETTID"),
    ],
    none: "0",
};

const ACCESS: FlagSet = FlagSet { mask: 0, values: &[], bits: &[(4, "R_OK"), (2, "W_OK"), (1, "X_OK")], none: "F_OK" };

const WAIT: FlagSet = FlagSet {
    mask: 0,
    values: &[],
    bits: &[
        (1, "WNOHANG"),
        (2, "WUNTRACED"),
        (4, "WEXITED"),
        (8, "WCONTINUED"),
        (0x100_0000, "WNOWAIT"),
        (0x4000_0000, "__WALL"),
    ],
    none: "0",
};

const FCNTL: &[&str] = &[
    "F_DUPFD", "F_GETFD", "F_SETFD", "F_GETFL", "F_SETFL", "F_GETLK", "F_SETLK", "F_SETLKW", "F_SETOWN", "F_GETOWN", "F_SETSIG",
    "F_GETSIG",
];
const SEEK: &[&str] = &["SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"];
const SIG_HOW: &[&str] = &["SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"];

impl FlagSet {
    fn show(&self, value: u64) -> String {
        let mut names: Vec<String> = Vec::new();
        let mut rest = value & !self.mask;
        let field = value & self.mask;
        match self.values.iter().find(|(number, _)| *number == field) {
            Some((_, name)) if self.mask != 0 => names.push((*name).to_string()),
            _ => rest |= field,
        }
        for (bits, name) in self.bits.iter().filter(|(bits, _)| value & bits == *bits) {
            if rest & bits != 0 {
                names.push((*name).to_string());
                rest &= !bits;
            }
        }
        if rest != 0 {
            names.push(format!("{rest:#x}"));
        }
        // A "0" among names says nothing.
        if names.len() > 1 {
            names.retain(|name| name != "0");
        }
        if names.is_empty() { self.none.to_string() } else { names.join("|") }
    }
}

fn nth(names: &[&str], value: u64) -> Option<String> {
    names.get(usize::try_from(value).ok()?).map(|name| (*name).to_string())
}

/// Argument `arg` of `call` in words, where there are any.
pub fn special(call: &str, arg: &str, value: u64) -> Option<String> {
    let low = value & 0xffff_ffff;
    Some(match (call, arg) {
        ("open" | "openat", "flags") | ("pipe2" | "dup3", "flags") => {
            let text = OPEN.show(low);
            // Calls that open nothing take no access mode.
            if matches!(call, "pipe2" | "dup3") {
                let text = text.replace("O_RDONLY|", "");
                return Some(if text == "O_RDONLY" { "0".to_string() } else { text });
            }
            text
        }
        ("mmap" | "mprotect" | "pkey_mprotect", "prot") => PROT.show(low),
        ("mmap", "flags") => MAP.show(low),
        ("clone", "flags") => CLONE.show(value),
        ("access" | "faccessat" | "faccessat2", "mode") => ACCESS.show(low),
        ("wait4" | "waitid", "options") => WAIT.show(low),
        ("fcntl", "cmd") => match low {
            1030 => "F_DUPFD_CLOEXEC".to_string(),
            1031 => "F_SETPIPE_SZ".to_string(),
            1032 => "F_GETPIPE_SZ".to_string(),
            36 => "F_OFD_GETLK".to_string(),
            37 => "F_OFD_SETLK".to_string(),
            38 => "F_OFD_SETLKW".to_string(),
            _ => nth(FCNTL, low)?,
        },
        ("lseek", "whence") => nth(SEEK, low)?,
        ("rt_sigprocmask", "how") => nth(SIG_HOW, low)?,
        (
            "newfstatat" | "statx" | "unlinkat" | "linkat" | "fchownat" | "faccessat2" | "fchmodat2" | "utimensat" | "execveat",
            "flags",
        ) => AT.show(low),
        _ => return None,
    })
}

/// `SIGINT`, `SIGRT_3`, or the number.
pub fn signal(signo: i64) -> String {
    match i32::try_from(signo).ok().and_then(signal_name) {
        Some(name) => name.to_string(),
        None if (32..=64).contains(&signo) => format!("SIGRT_{}", signo - 32),
        None => signo.to_string(),
    }
}

/// The rest of a line after the `-1`: name and meaning.
pub fn errno(number: i32) -> String {
    let name = Errno::from_raw(number).and_then(Errno::name).map_or_else(|| format!("errno {number}"), str::to_string);
    let text = std::io::Error::from_raw_os_error(number).to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => format!("{name} ({text})"),
        None => name,
    }
}

/// A wait status in strace's words.
pub fn wait_status(status: i32) -> String {
    match (status & 0x7f, status >> 8 & 0xff) {
        (0, code) => format!("exited with {code}"),
        (0x7f, _) if status == 0xffff => "continued".to_string(),
        (0x7f, signo) => format!("stopped by {}", signal(i64::from(signo))),
        (signo, _) => format!("killed by {}{}", signal(i64::from(signo)), if status & 0x80 != 0 { " (core dumped)" } else { "" }),
    }
}

/// Bytes as a C string literal.
pub fn quoted(bytes: &[u8], cut: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for (n, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(char::from(byte)),
            // A digit that follows would be read as part of a short octal number.
            _ if bytes.get(n + 1).is_some_and(u8::is_ascii_digit) => out.push_str(&format!("\\{byte:03o}")),
            _ => out.push_str(&format!("\\{byte:o}")),
        }
    }
    out.push('"');
    if cut {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_names_and_unknown_bits_stay() {
        assert_eq!(special("openat", "flags", 0o2_000_000).as_deref(), Some("O_RDONLY|O_CLOEXEC"));
        assert_eq!(special("openat", "flags", 0o1102 | 1 << 30).as_deref(), Some("O_RDWR|O_CREAT|O_TRUNC|0x40000000"));
        assert_eq!(special("mmap", "flags", 0x22).as_deref(), Some("MAP_PRIVATE|MAP_ANONYMOUS"));
        assert_eq!(special("mmap", "prot", 0).as_deref(), Some("PROT_NONE"));
        assert_eq!(special("access", "mode", 0).as_deref(), Some("F_OK"));
        assert_eq!(special("pipe2", "flags", 0o2_000_000).as_deref(), Some("O_CLOEXEC"));
        assert_eq!(special("pipe2", "flags", 0).as_deref(), Some("0"));
        assert_eq!(special("clone", "flags", 0x120_0011).as_deref(), Some("SIGCHLD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID"));
        assert_eq!(special("read", "count", 1), None);
    }

    #[test]
    fn words_for_numbers() {
        assert_eq!(errno(2), "ENOENT (No such file or directory)");
        assert_eq!(signal(2), "SIGINT");
        assert_eq!(signal(34), "SIGRT_2");
        assert_eq!(wait_status(3 << 8), "exited with 3");
        assert_eq!(wait_status(9), "killed by SIGKILL");
        assert_eq!(quoted(b"a\"\n\x011\xff", true), "\"a\\\"\\n\\0011\\377\"...");
    }
}
