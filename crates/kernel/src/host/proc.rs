//! The host's /proc: what it knows about the world's host processes and the machine.
//!
//! Mirrors: nothing in Linux.
//! Differs: its texts are read whole. What the host asks a caller's ids for is read with the ids the world was started
//! with: who may ask was decided by the world's own rules before.

use alloc::format;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::O_RDONLY;
use acrida_uapi::nr;

use crate::fs::hostfs::handle::HostHandle;
use crate::host::io::{Blocking, Buffer, Direction};
use crate::host::{fs, io, set_fs_ids};
use crate::kernel::task::try_current;

/// Longest text that is read: more is cut off.
const MAX_TEXT: usize = 16 << 20;

/// Opens something in the host's tree by its absolute path.
pub fn open(path: &[u8], flags: u32) -> Result<HostHandle, Errno> {
    Ok(HostHandle::new(fs::openat(HostFd::CWD, path, flags, 0)?))
}

/// The bytes of an open file from `pos` on, as many as come.
pub fn pread(fd: HostFd, buf: &mut [u8], pos: u64) -> Result<usize, Errno> {
    io::transfer(fd, Direction::Read, Buffer::Out(buf), Some(pos), Blocking::Never)
}

pub fn pwrite(fd: HostFd, buf: &[u8], pos: u64) -> Result<usize, Errno> {
    io::transfer(fd, Direction::Write, Buffer::In(buf), Some(pos), Blocking::Never)
}

/// The whole text of a file.
pub fn read_file(path: &[u8]) -> Result<Vec<u8>, Errno> {
    let handle = open(path, O_RDONLY)?;
    let mut text = Vec::new();
    while text.len() < MAX_TEXT {
        let at = text.len();
        text.resize(at + (at / 2).max(4096), 0);
        let read = io::transfer(handle.fd(), Direction::Read, Buffer::Out(&mut text[at..]), None, Blocking::Never)?;
        text.truncate(at + read);
        if read == 0 {
            break;
        }
    }
    Ok(text)
}

/// Runs `body` with the file-system ids the world was started with.
pub fn as_world<R>(body: impl FnOnce() -> R) -> R {
    let host = platform().host();
    // Neither call can fail.
    let id = |nr| host.call(nr, &mut []).unwrap_or(0) as u32;
    let (uid, gid) = (id(nr::getuid), id(nr::getgid));
    match try_current().map(|task| task.cred()) {
        Some(cred) if (cred.fsuid, cred.fsgid) != (uid, gid) => {
            set_fs_ids(uid, gid);
            let result = body();
            set_fs_ids(cred.fsuid, cred.fsgid);
            result
        }
        _ => body(),
    }
}

/// A host thread, by the numbers of its process and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostTask {
    pub pid: u32,
    /// `None`: the process as a whole.
    pub tid: Option<u32>,
}

impl HostTask {
    /// The text of one of its files; `None` when it is gone.
    pub fn read(self, name: &str) -> Option<Vec<u8>> {
        let HostTask { pid, tid } = self;
        if pid == 0 {
            return None;
        }
        let path = match tid {
            Some(tid) => format!("/proc/{pid}/task/{tid}/{name}"),
            None => format!("/proc/{pid}/{name}"),
        };
        as_world(|| read_file(path.as_bytes())).ok()
    }

    pub fn stat(self) -> Option<HostStat> {
        HostStat::parse(&self.read("stat")?)
    }

    pub fn status(self) -> HostStatus {
        HostStatus::new(self.read("status").unwrap_or_default())
    }
}

/// What the host's `stat` line tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStat {
    pub state: u8,
    pub minflt: u64,
    pub majflt: u64,
    /// In clock ticks.
    pub utime: u64,
    pub stime: u64,
    pub priority: i64,
    pub nice: i64,
    pub processor: u64,
    pub rt_priority: u64,
    pub policy: u64,
    pub delayacct_blkio_ticks: u64,
    pub guest_time: u64,
}

impl HostStat {
    fn parse(line: &[u8]) -> Option<HostStat> {
        // The name may hold blanks and brackets: fields are counted from behind it.
        let end = line.iter().rposition(|&byte| byte == b')')?;
        let text = core::str::from_utf8(&line[end + 1..]).ok()?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        const FIRST: usize = 3;
        let field = |number: usize| fields.get(number - FIRST).copied().unwrap_or("0");
        let unsigned = |number| field(number).parse().unwrap_or(0);
        let signed = |number| field(number).parse().unwrap_or(0);
        Some(HostStat {
            state: *field(3).as_bytes().first()?,
            minflt: unsigned(10),
            majflt: unsigned(12),
            utime: unsigned(14),
            stime: unsigned(15),
            priority: signed(18),
            nice: signed(19),
            processor: unsigned(39),
            rt_priority: unsigned(40),
            policy: unsigned(41),
            delayacct_blkio_ticks: unsigned(42),
            guest_time: unsigned(43),
        })
    }
}

/// The host's `status`.
#[derive(Default)]
pub struct HostStatus(Vec<u8>);

impl HostStatus {
    pub fn new(text: Vec<u8>) -> HostStatus {
        HostStatus(text)
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split_inclusive(|&byte| byte == b'\n')
    }

    /// The number behind `key:`, or 0.
    pub fn number(&self, key: &str) -> u64 {
        let value = |line: &[u8]| {
            let rest = line.strip_prefix(key.as_bytes())?.strip_prefix(b":")?;
            core::str::from_utf8(rest).ok()?.split_ascii_whitespace().next()?.parse().ok()
        };
        self.lines().find_map(value).unwrap_or(0)
    }

    /// The lines from the first that starts with one of `keys` on.
    pub fn tail_from(&self, keys: &[&str]) -> &[u8] {
        let mut at = 0;
        for line in self.lines() {
            if keys.iter().any(|key| line.starts_with(key.as_bytes())) {
                return &self.0[at..];
            }
            at += line.len();
        }
        &[]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &[u8] = b"7844 (a ) R b) S 7840 7840 1100 0 -1 4194304 99 1 7 3 11 12 0 0 20 -5 1 0 431486 3133440 412 \
        18446744073709551615 1 2 3 0 0 0 0 0 0 0 0 0 17 1 50 2 9 8 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn a_stat_line_is_read_behind_the_name() {
        let stat = HostStat::parse(STAT).unwrap();
        let expected = HostStat {
            state: b'S',
            minflt: 99,
            majflt: 7,
            utime: 11,
            stime: 12,
            priority: 20,
            nice: -5,
            processor: 1,
            rt_priority: 50,
            policy: 2,
            delayacct_blkio_ticks: 9,
            guest_time: 8,
        };
        assert_eq!(stat, expected);
    }

    #[test]
    fn status_lines_are_found_by_name() {
        let status = HostStatus::new(b"Name:\tx\nVmRSS:\t    1752 kB\nCpus_allowed:\t3\nfoo:\t1\n".to_vec());
        assert_eq!(status.number("VmRSS"), 1752);
        assert_eq!(status.number("Vm"), 0);
        assert_eq!(status.tail_from(&["Speculation", "Cpus_allowed"]), b"Cpus_allowed:\t3\nfoo:\t1\n");
    }
}
