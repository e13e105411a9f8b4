//! /proc/sys.
//!
//! Mirrors: fs/proc/proc_sysctl.c, kernel/utsname_sysctl.c, Linux 6.18.
//! Differs: our numbers and texts first; what only the host has is shown read-only.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFDIR, S_IFREG};

use crate::fs::file::FileOperations;
use crate::fs::proc::host_files;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::seq_file::{SeqFile, StoreFn, TextFile, seq_printf};
use crate::fs::proc::sysctl_text::{self, TextSysctl};
use crate::kernel;
use crate::kernel::cred::Cred;
use crate::kernel::sysctl::{SYSCTLS, Sysctl};

/// The number of /proc/sys itself; ours are numbered from there.
pub const SYS_INO: u64 = 1 << 61;

/// What our tables have at a path.
#[derive(Clone, Copy)]
enum Leaf {
    Number(&'static Sysctl),
    Text(&'static TextSysctl),
}

impl Leaf {
    fn mode(self) -> u32 {
        match self {
            Leaf::Number(sysctl) => sysctl.mode,
            Leaf::Text(text) => text.mode,
        }
    }
}

/// Every file of ours, with its path.
fn leaves() -> impl Iterator<Item = (&'static str, Leaf)> {
    let numbers = SYSCTLS.iter().filter(|sysctl| !sysctl.path.is_empty()).map(|sysctl| (sysctl.path, Leaf::Number(sysctl)));
    numbers.chain(sysctl_text::TEXTS.iter().map(|text| (text.path, Leaf::Text(text))))
}

/// Ids of processes outside, and what the world has no say in.
static HIDDEN: &[&str] = &["kernel/ns_last_pid", "kernel/cad_pid", "kernel/ftrace_enabled"];

/// A directory; `prefix` is its path below /proc/sys with a slash at its end (empty for /proc/sys).
pub struct SysDir {
    prefix: Vec<u8>,
}

impl SysDir {
    pub fn root(dev: u32) -> ProcRef {
        SysDir { prefix: Vec::new() }.inode(dev, SYS_INO)
    }

    fn host_path(&self, name: &[u8]) -> Vec<u8> {
        [b"/proc/sys/", &self.prefix[..], name].concat()
    }

    /// What of ours lies below: the rest of its path and what it is.
    fn below(&self) -> impl Iterator<Item = (usize, &'static [u8], Leaf)> {
        let inside = |(index, (path, leaf)): (usize, (&'static str, Leaf))| {
            path.as_bytes().strip_prefix(&self.prefix[..]).map(|rest| (index, rest, leaf))
        };
        leaves().enumerate().filter_map(inside)
    }
}

/// Inode numbers of directories follow from their paths.
fn dir_ino(prefix: &[u8]) -> u64 {
    let hash = prefix.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    SYS_INO | (hash >> 8 & 0xffff_ffff) << 16
}

fn file_ino(index: usize) -> u64 {
    SYS_INO + 1 + index as u64
}

impl Node for SysDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    fn nlink(&self) -> u32 {
        1
    }

    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        check(self.mode(), cred, mask)
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let mut is_dir = false;
        for (index, rest, leaf) in self.below() {
            if rest == name {
                return Ok(Some(SysFile(leaf).inode(dev, file_ino(index))));
            }
            is_dir |= rest.strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'/'));
        }
        let path = [&self.prefix[..], name].concat();
        if HIDDEN.iter().any(|hidden| hidden.as_bytes() == path) {
            return Ok(None);
        }
        let host = host_files::find(self.host_path(name));
        match host {
            Some((entry, ino)) if !is_dir && entry.mode() & S_IFDIR == 0 => Ok(Some(entry.inode(dev, ino))),
            None if !is_dir => Ok(None),
            // A directory of the host's may hold something of ours further down, or not: both are shown by one kind.
            _ => {
                let prefix = [&path[..], b"/"].concat();
                let ino = dir_ino(&prefix);
                Ok(Some(SysDir { prefix }.inode(dev, ino)))
            }
        }
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        let mut entries: BTreeMap<Vec<u8>, (u32, u64)> = BTreeMap::new();
        for (name, is_dir) in host_files::names(&self.host_path(b"")) {
            let path = [&self.prefix[..], &name].concat();
            if HIDDEN.iter().any(|hidden| hidden.as_bytes() == path) {
                continue;
            }
            let place = if is_dir { (S_IFDIR, dir_ino(&[&path[..], b"/"].concat())) } else { (S_IFREG, SYS_INO) };
            entries.insert(name, place);
        }
        for (index, rest, _) in self.below() {
            match rest.iter().position(|&byte| byte == b'/') {
                Some(end) => {
                    let ino = dir_ino(&[&self.prefix[..], &rest[..=end]].concat());
                    entries.insert(rest[..end].to_vec(), (S_IFDIR, ino));
                }
                None => {
                    entries.insert(rest.to_vec(), (S_IFREG, file_ino(index)));
                }
            }
        }
        for (index, (name, (mode, ino))) in entries.iter().enumerate().skip(from as usize) {
            if !emit(Entry { name, ino: *ino, mode: *mode, next: index as u64 + 1 }) {
                break;
            }
        }
        Ok(())
    }
}

/// A file of ours.
struct SysFile(Leaf);

/// Root is judged by the owner's bits: no capability helps.
#[doc(alias = "sysctl_perm")]
fn check(mode: u32, cred: &Cred, mask: u32) -> Result<(), Errno> {
    let bits = if cred.euid == 0 {
        mode >> 6
    } else if cred.in_group(0) {
        mode >> 3
    } else {
        mode
    };
    if mask & !bits & 7 == 0 { Ok(()) } else { Err(Errno::EACCES) }
}

impl Node for SysFile {
    fn mode(&self) -> u32 {
        S_IFREG | self.0.mode()
    }

    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        check(self.0.mode(), cred, mask)
    }

    fn open(&self, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let file = match self.0 {
            Leaf::Number(sysctl) => TextFile::with(
                Some(Box::new(|out| {
                    seq_printf!(out, "{}\n", sysctl.get(&kernel().sysctl));
                    Ok(())
                })),
                Some(Box::new(|bytes| store_number(sysctl, bytes))),
            ),
            Leaf::Text(text) => TextFile::with(
                Some(Box::new(|out: &mut SeqFile| (text.show)(out))),
                text.store.map(|store| Box::new(store) as StoreFn),
            ),
        };
        Ok(Arc::new(file.global()))
    }
}

/// Nothing written changes nothing.
fn store_number(sysctl: &Sysctl, bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Ok(());
    }
    Ok(sysctl.set(&kernel().sysctl, parse_number(bytes)?)?)
}

/// The first word as a number.
pub fn parse_number(bytes: &[u8]) -> Result<u64, Errno> {
    parse_numbers(bytes)?.first().copied().ok_or(Errno::EINVAL)
}

/// Words as numbers: decimal, `0x` or `0` in front.
pub fn parse_numbers(bytes: &[u8]) -> Result<Vec<u64>, Errno> {
    let text = core::str::from_utf8(bytes).map_err(|_| Errno::EINVAL)?;
    let number = |word: &str| {
        let (radix, digits) = match word.strip_prefix("0x") {
            Some(hex) => (16, hex),
            None if word.len() > 1 && word.starts_with('0') => (8, &word[1..]),
            None => (10, word),
        };
        if digits.starts_with('+') { Err(Errno::EINVAL) } else { u64::from_str_radix(digits, radix).map_err(|_| Errno::EINVAL) }
    };
    text.trim_end_matches('\0').split_ascii_whitespace().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_words() {
        assert_eq!(parse_numbers(b"250\t32000 0x10 010\n"), Ok(alloc::vec![250, 32000, 16, 8]));
        assert_eq!(parse_number(b"18446744073692774399\n"), Ok(18446744073692774399));
        assert_eq!(parse_number(b" \n"), Err(Errno::EINVAL));
        assert_eq!(parse_number(b"-1"), Err(Errno::EINVAL));
        assert_eq!(parse_number(b"12a"), Err(Errno::EINVAL));
    }

    #[test]
    fn no_path_is_taken_twice_or_lies_below_a_file() {
        let paths: Vec<&str> = leaves().map(|(path, _)| path).collect();
        for (index, path) in paths.iter().enumerate() {
            for other in paths.iter().skip(index + 1) {
                assert_ne!(path, other);
                assert!(!other.starts_with(&alloc::format!("{path}/")));
            }
        }
    }
}
