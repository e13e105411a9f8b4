//! Files and directories of the host's /proc that are shown as they are, to be read only.
//!
//! Mirrors: nothing in Linux.
//! Differs: what a file says was read at one moment, from its beginning; see `seq_file`.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_uapi::dirent::DT_DIR;
use acrida_uapi::errno::Error;
use acrida_uapi::fcntl::{O_DIRECTORY, O_RDONLY};
use acrida_uapi::stat::{S_IFDIR, S_IFMT, S_IFREG, S_IWUGO};

use crate::fs::file::FileOperations;
use crate::fs::inode::Link;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::seq_file::TextFile;
use crate::host;

/// Inode numbers of the host's files: far above ours.
const HOST_INO: u64 = 1 << 62;

/// An object of the host's /proc.
pub struct HostEntry {
    /// On the host.
    path: Vec<u8>,
    mode: u32,
    owner: (u32, u32),
    nlink: u32,
    size: u64,
}

/// The entry at `path` of the host, with its inode number, if there is one.
pub fn find(path: Vec<u8>) -> Option<(HostEntry, u64)> {
    let stat = host::fs::statx(HostFd::CWD, &path).ok()?;
    let mode = if stat.mode & S_IFMT == S_IFREG { stat.mode & !S_IWUGO } else { stat.mode };
    Some((HostEntry { path, mode, owner: (stat.uid, stat.gid), nlink: stat.nlink, size: stat.size }, HOST_INO | stat.ino))
}

/// The inode for `path` of the host, if there is such an object.
pub fn make(path: Vec<u8>, dev: u32) -> Option<ProcRef> {
    let (entry, ino) = find(path)?;
    Some(entry.inode(dev, ino))
}

/// Names in the host's directory `path`, and whether they are directories.
pub fn names(path: &[u8]) -> BTreeSet<(Vec<u8>, bool)> {
    let mut names = BTreeSet::new();
    let Ok(dir) = host::proc::open(path, O_RDONLY | O_DIRECTORY) else { return names };
    let mut buf = alloc::vec![0; 32 << 10];
    while let Ok(len @ 1..) = host::fs::getdents64(dir.fd(), &mut buf) {
        let mut records = &buf[..len];
        while let Some((name, kind, rest)) = split_record(records) {
            if name != b"." && name != b".." {
                names.insert((name.to_vec(), kind == DT_DIR));
            }
            records = rest;
        }
    }
    names
}

/// The first `linux_dirent64` of `records`: name, kind, what follows.
fn split_record(records: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    const HEAD: usize = 19;
    let len = usize::from(u16::from_ne_bytes([*records.get(16)?, *records.get(17)?]));
    let (record, rest) = records.split_at_checked(len)?;
    let name = record.get(HEAD..)?;
    let end = name.iter().position(|&byte| byte == 0)?;
    Some((&name[..end], record[HEAD - 1], rest))
}

impl Node for HostEntry {
    fn mode(&self) -> u32 {
        self.mode
    }

    fn ids(&self) -> (u32, u32) {
        self.owner
    }

    fn nlink(&self) -> u32 {
        self.nlink
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        Ok(make([&self.path[..], b"/", name].concat(), dev))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        for (index, (name, is_dir)) in names(&self.path).into_iter().enumerate().skip(from as usize) {
            let next = index as u64 + 1;
            let mode = if is_dir { S_IFDIR } else { S_IFREG };
            if !emit(Entry { name: &name, ino: HOST_INO | next, mode, next }) {
                break;
            }
        }
        Ok(())
    }

    fn link(&self) -> Result<Link, Error> {
        Ok(Link::Text(host::fs::readlinkat(HostFd::CWD, &self.path)?))
    }

    fn open(&self, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let path = self.path.clone();
        // The host says here and now whether the caller may.
        drop(host::proc::open(&path, O_RDONLY)?);
        Ok(Arc::new(
            TextFile::new(Box::new(move |out| {
                out.put(&host::proc::read_file(&path)?);
                Ok(())
            }))
            .global(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_split() {
        let mut records = alloc::vec![0u8; 24];
        records[16] = 24;
        records[18] = DT_DIR;
        records[19..22].copy_from_slice(b"abc");
        let (name, kind, rest) = split_record(&records).unwrap();
        assert_eq!((name, kind, rest.len()), (&b"abc"[..], DT_DIR, 0));
        assert!(split_record(&records[..20]).is_none());
        assert!(split_record(&[]).is_none());
    }
}
