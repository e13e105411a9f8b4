//! /proc/PID/fd and /proc/PID/fdinfo.
//!
//! Mirrors: fs/proc/fd.c, Linux 6.18.
//! Locking: a task's descriptor table is looked at, never held.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_CLOEXEC;
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFREG};

use crate::fs::attr::{Owner, generic_permission};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::proc::base::{number, owner};
use crate::fs::proc::file_link::{FileLink, Hold};
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::seq_file::{SeqFile, TextFile, seq_printf};
use crate::fs::proc::subject::{Subject, Target};
use crate::kernel::cred::Cred;
use crate::{current, kernel};

/// Sub-numbers of descriptors' inodes start here, so that none meets its directory's.
const FD_INO: u32 = 1;

/// The open file behind descriptor `fd` of the task, and whether it is closed by exec.
pub fn file_of(target: &Target, fd: u32) -> Option<(FileRef, bool)> {
    let files = target.files()?;
    let fd = fd.cast_signed();
    Some((files.get_any(fd).ok()?, files.cloexec(fd).unwrap_or(false)))
}

fn get_file(subject: &Subject, fd: u32) -> Option<(FileRef, bool)> {
    file_of(&subject.get().ok()?, fd)
}

/// Emits one entry per open descriptor.
#[doc(alias = "proc_readfd_common")]
fn list_fds(subject: &Subject, row: usize, mode: u32, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
    let target = subject.get().map_err(|_| Errno::ENOENT)?;
    let Some(files) = target.files() else { return Ok(()) };
    let mut from = usize::try_from(from).unwrap_or(usize::MAX);
    while let Some(fd) = files.next_open(from) {
        from = fd + 1;
        let fd = fd as u32;
        let name = alloc::format!("{fd}");
        let entry = Entry { name: name.as_bytes(), ino: subject.ino(row, FD_INO + fd), mode, next: u64::from(fd) + 1 };
        if !emit(entry) {
            break;
        }
    }
    Ok(())
}

fn count_fds(subject: &Subject) -> u64 {
    let files = subject.get().ok().and_then(|target| target.files());
    files.map_or(0, |files| files.count_open() as u64)
}

/// A process may always look at its own descriptors.
#[doc(alias = "proc_fd_permission")]
fn permission(subject: &Subject, mode: u32, cred: &Cred, mask: u32) -> Result<(), Errno> {
    let (uid, gid) = owner(subject, mode);
    generic_permission(cred, Owner { mode, uid, gid }, mask)
        .or_else(|errno| if current().process.tgid == subject.tgid { Ok(()) } else { Err(errno) })
}

/// /proc/PID/fd.
pub struct FdDir {
    subject: Subject,
    row: usize,
}

impl FdDir {
    pub fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
        let ino = subject.ino(row, 0);
        FdDir { subject, row }.inode(dev, ino)
    }
}

impl Node for FdDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o500
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn size(&self) -> u64 {
        count_fds(&self.subject)
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        permission(&self.subject, self.mode(), cred, mask)
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let Some(fd) = number(name).filter(|&fd| get_file(&self.subject, fd).is_some()) else { return Ok(None) };
        let ino = self.subject.ino(self.row, FD_INO + fd);
        Ok(Some(FileLink { subject: self.subject.clone(), hold: Hold::Descriptor(fd) }.inode(dev, ino)))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        list_fds(&self.subject, self.row, S_IFLNK, from, emit)
    }
}

/// /proc/PID/fdinfo.
pub struct FdInfoDir {
    subject: Subject,
    row: usize,
}

impl FdInfoDir {
    pub fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
        let ino = subject.ino(row, 0);
        FdInfoDir { subject, row }.inode(dev, ino)
    }
}

impl Node for FdInfoDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    #[doc(alias = "proc_fdinfo_permission")]
    fn permission(&self, cred: &Cred, mask: u32) -> Result<(), Errno> {
        self.subject.get()?.check_access()?;
        permission(&self.subject, self.mode(), cred, mask)
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let Some(fd) = number(name).filter(|&fd| get_file(&self.subject, fd).is_some()) else { return Ok(None) };
        let ino = self.subject.ino(self.row, FD_INO + fd);
        Ok(Some(FdInfo { subject: self.subject.clone(), fd }.inode(dev, ino)))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        list_fds(&self.subject, self.row, S_IFREG, from, emit)
    }
}

struct FdInfo {
    subject: Subject,
    fd: u32,
}

impl Node for FdInfo {
    fn mode(&self) -> u32 {
        S_IFREG | 0o444
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn is_live(&self) -> bool {
        get_file(&self.subject, self.fd).is_some()
    }

    fn open(&self, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        self.subject.get()?.check_access()?;
        let (subject, fd) = (self.subject.clone(), self.fd);
        Ok(Arc::new(TextFile::new(Box::new(move |out| show(&subject.get()?, fd, out)))))
    }
}

/// What every descriptor has to tell.
struct Info {
    pos: u64,
    flags: u32,
    mnt_id: u64,
    ino: u64,
}

impl Info {
    fn of(file: &FileRef, cloexec: bool) -> Info {
        let mount = file.path.as_ref().map_or(&kernel().anon_mount, |path| &path.mnt);
        let ino = match file.inode() {
            Some(inode) => inode.common().ino,
            None => file.ops.stat(file).map_or(0, |stat| stat.ino),
        };
        // A reader that sleeps in the file holds its position; it has not moved then.
        let pos = match file.ops.start_pos() {
            0 => file.pos.try_lock().map_or(0, |pos| *pos),
            _ => file.ops.llseek(file, 0, crate::fs::file::Whence::Cur).unwrap_or(0),
        };
        Info { pos, flags: file.flags() | if cloexec { O_CLOEXEC } else { 0 }, mnt_id: mount.id, ino }
    }

    fn show(&self, out: &mut SeqFile) {
        let Info { pos, flags, mnt_id, ino } = self;
        seq_printf!(out, "pos:\t{pos}\nflags:\t0{flags:o}\nmnt_id:\t{mnt_id}\nino:\t{ino}\n");
    }
}

#[doc(alias = "seq_show")]
fn show(target: &Target, fd: u32, out: &mut SeqFile) -> Result<(), Error> {
    let (file, cloexec) = file_of(target, fd).ok_or(Errno::ENOENT)?;
    Info::of(&file, cloexec).show(out);
    show_locks(target, &file, out);
    let mut more = String::new();
    file.ops.show_fdinfo(&file, &mut more);
    out.put(more.as_bytes());
    Ok(())
}

#[doc(alias = "show_fd_locks")]
fn show_locks(target: &Target, file: &File, out: &mut SeqFile) {
    let Some(files) = target.files() else { return };
    let common = file.inode_common();
    let held = common.locks.get().map(|locks| locks.held()).unwrap_or_default();
    let ours = held.iter().filter(|lock| lock.belongs_to(file, &files));
    for (index, lock) in ours.enumerate() {
        out.put(b"lock:\t");
        out.put(lock.line(index + 1, target.process.tgid, (common.dev, common.ino)).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fdinfo_reads_as_on_linux() {
        let mut out = SeqFile::new();
        Info { pos: 4, flags: 0o2102002, mnt_id: 29, ino: 5 }.show(&mut out);
        assert_eq!(out.into_bytes(), b"pos:\t4\nflags:\t02102002\nmnt_id:\t29\nino:\t5\n");
    }
}
