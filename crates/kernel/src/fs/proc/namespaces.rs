//! /proc/PID/ns.
//!
//! Mirrors: fs/proc/namespaces.c, fs/nsfs.c, Linux 6.18.
//! Differs: a world has one namespace of each kind, with the numbers of Linux's first ones. They can be compared and
//! opened; there is none to enter.

use alloc::sync::Arc;

use acrida_uapi::errno::Error;
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFREG};

use crate::fs::attr::{Kstat, Owner};
use crate::fs::dcache::{Dentry, Path};
use crate::fs::file::FileOperations;
use crate::fs::inode::{Inode, InodeCommon, Link};
use crate::fs::proc::base::owner;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::subject::Subject;

/// File name, kind in the link's text, number.
static KINDS: &[(&str, &str, u64)] = &[
    ("net", "net", 0xeffffff9),
    ("uts", "uts", 0xeffffffe),
    ("ipc", "ipc", 0xefffffff),
    ("pid", "pid", 0xeffffffc),
    ("pid_for_children", "pid", 0xeffffffc),
    ("user", "user", 0xeffffffd),
    ("mnt", "mnt", 0xeffffff8),
    ("cgroup", "cgroup", 0xeffffffb),
    ("time", "time", 0xeffffffa),
    ("time_for_children", "time", 0xeffffffa),
];

/// /proc/PID/ns.
pub struct NsDir {
    subject: Subject,
    row: usize,
}

impl NsDir {
    pub fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
        let ino = subject.ino(row, 0);
        NsDir { subject, row }.inode(dev, ino)
    }

    fn ino(&self, index: usize) -> u64 {
        self.subject.ino(self.row, index as u32 + 1)
    }
}

impl Node for NsDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o511
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let Some(index) = KINDS.iter().position(|(kind, ..)| kind.as_bytes() == name) else { return Ok(None) };
        Ok(Some(NsLink { subject: self.subject.clone(), index }.inode(dev, self.ino(index))))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        for (index, (name, ..)) in KINDS.iter().enumerate().skip(from as usize) {
            let entry = Entry { name: name.as_bytes(), ino: self.ino(index), mode: S_IFLNK, next: index as u64 + 1 };
            if !emit(entry) {
                break;
            }
        }
        Ok(())
    }
}

struct NsLink {
    subject: Subject,
    index: usize,
}

impl Node for NsLink {
    fn mode(&self) -> u32 {
        S_IFLNK | 0o777
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    fn link(&self) -> Result<Link, Error> {
        self.subject.get()?.check_access()?;
        let (_, kind, number) = KINDS[self.index];
        let name = alloc::format!("{kind}:[{number}]");
        let inode = Arc::new(NsInode(InodeCommon::new(4, number)));
        Ok(Link::Jump(Path { mnt: crate::kernel().anon_mount.clone(), dentry: Dentry::anonymous(name.as_bytes(), inode) }))
    }
}

/// A namespace as a file.
struct NsInode(InodeCommon);

struct NsFile;

impl FileOperations for NsFile {}

impl Inode for NsInode {
    fn common(&self) -> &InodeCommon {
        &self.0
    }

    fn owner(&self) -> Owner {
        Owner { mode: S_IFREG | 0o444, uid: 0, gid: 0 }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(Kstat { dev: self.0.dev, ino: self.0.ino, nlink: 1, mode: S_IFREG | 0o444, blksize: 4096, ..Kstat::default() })
    }

    fn open(&self, _path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        Ok(Arc::new(NsFile))
    }
}
