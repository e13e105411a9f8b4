//! The boot block: what the command tells the kernel before the first process starts.
//!
//! It stands at the start of the arena object. The lists follow it at [`LISTS_OFFSET`]: NUL-terminated strings, one list
//! after the other, in the order of [`Lists`].

use alloc::vec::Vec;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const MAGIC: u64 = u64::from_le_bytes(*b"acridaW1");
/// Where the strings start in the arena object.
pub const LISTS_OFFSET: u64 = 4096;
/// Where the trace ring starts.
pub const TRACE_OFFSET: u64 = 128 << 20;
/// Room for the strings.
pub const LISTS_MAX: u64 = TRACE_OFFSET - LISTS_OFFSET;

/// Bits of [`BootBlock::flags`].
pub mod flags {
    /// Every call is recorded in the trace ring.
    pub const TRACE: u64 = 1;
    /// Calls are counted and timed.
    pub const STATS: u64 = 2;
    /// Panic on purpose when the guest makes the call `acrida_panic` (number 0xac1d): for tests.
    pub const DEBUG_PANIC: u64 = 8;
    /// Do not patch call sites.
    pub const NO_PATCH: u64 = 16;
    /// Enter through seccomp instead of Syscall User Dispatch.
    pub const SECCOMP: u64 = 32;
    /// The world goes on after its first process.
    pub const LINGER: u64 = 64;
    /// Say nothing that is not a failure.
    pub const QUIET: u64 = 128;
}

/// Fixed part of the boot block.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct BootBlock {
    pub magic: u64,
    pub flags: u64,
    pub physmem_fd: i32,
    pub control_fd: i32,
    pub supervisor_pid: u32,
    pub uid: u32,
    pub gid: u32,
    pub umask: u32,
    pub lists_len: u64,
    /// Signals that the first process ignores, and that it blocks; bit 0 is signal 1.
    pub ignored: u64,
    pub blocked: u64,
    /// Set by the kernel: length of the panic report at [`PANIC_OFFSET`], once it is complete.
    pub panic_len: u64,
}

/// Where a panic report is left (at most [`PANIC_MAX`] bytes).
pub const PANIC_OFFSET: u64 = 2048;
pub const PANIC_MAX: u64 = 2048;

/// The lists of strings behind the block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    pub argv: Vec<Vec<u8>>,
    pub envp: Vec<Vec<u8>>,
    /// `TYPE:[SOURCE:]PATH[:ro]`, in order.
    pub mounts: Vec<Vec<u8>>,
    /// Current directory, then others that come to be needed: `NAME=VALUE`.
    pub options: Vec<Vec<u8>>,
}

impl Lists {
    /// Bytes as they stand in the arena object: per list a little-endian u64 count, then the strings with their NULs.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for list in [&self.argv, &self.envp, &self.mounts, &self.options] {
            out.extend_from_slice(&(list.len() as u64).to_le_bytes());
            for string in list {
                out.extend_from_slice(string);
                out.push(0);
            }
        }
        out
    }

    /// Reads what [`Lists::encode`] wrote; `None` when it is cut short.
    pub fn decode(mut bytes: &[u8]) -> Option<Lists> {
        let mut next_list = || -> Option<Vec<Vec<u8>>> {
            let (count, rest) = bytes.split_first_chunk::<8>()?;
            bytes = rest;
            let mut list = Vec::new();
            for _ in 0..u64::from_le_bytes(*count) {
                let nul = bytes.iter().position(|&b| b == 0)?;
                list.push(bytes[..nul].to_vec());
                bytes = &bytes[nul + 1..];
            }
            Some(list)
        };
        Some(Lists { argv: next_list()?, envp: next_list()?, mounts: next_list()?, options: next_list()? })
    }

    /// The values of all `NAME=VALUE` among the options.
    pub fn options(&self, name: &str) -> Vec<Vec<u8>> {
        let value = |option: &Vec<u8>| option.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
        self.options.iter().filter_map(value).collect()
    }

    /// The value of `NAME=VALUE` among the options.
    pub fn option(&self, name: &str) -> Option<&[u8]> {
        self.options.iter().find_map(|o| o.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn lists_survive_the_trip_and_cuts_are_seen() {
        let lists = Lists {
            argv: vec![b"sh".to_vec(), vec![]],
            envp: vec![],
            mounts: vec![b"tmpfs:/x".to_vec()],
            options: vec![b"cwd=/".to_vec()],
        };
        let bytes = lists.encode();
        assert_eq!(Lists::decode(&bytes).as_ref(), Some(&lists));
        assert_eq!(lists.option("cwd"), Some(&b"/"[..]));
        for cut in 0..bytes.len() {
            assert_eq!(Lists::decode(&bytes[..cut]), None);
        }
    }
}
