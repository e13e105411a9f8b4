//! /proc/PID/map_files: the files behind the areas of a process, by address.
//!
//! Mirrors: fs/proc/base.c (`proc_map_files_operations`), Linux 6.18.
//! Locking: the areas are copied before anything is done with them.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_uapi::capability::{CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK};

use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::file::File;
use crate::fs::inode::Link;
use crate::fs::proc::base::owner;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::subject::Subject;
use crate::mm::MapsObject;

/// Areas that show a file.
fn mapped_files(subject: &Subject) -> Vec<(Range<u64>, Arc<File>)> {
    let mm = subject.get().ok().and_then(|target| target.mm());
    let areas = mm.map(|mm| mm.maps()).unwrap_or_default().into_iter();
    let files = areas.filter_map(|entry| match entry.what {
        MapsObject::File(file) => Some((entry.start..entry.end, file)),
        _ => None,
    });
    files.collect()
}

fn file_at(subject: &Subject, area: &Range<u64>) -> Option<Arc<File>> {
    mapped_files(subject).into_iter().find(|(range, _)| range == area).map(|(_, file)| file)
}

/// `start-end`, in hexadecimal digits without zeros in front.
#[doc(alias = "dname_to_vma_addr")]
fn parse(name: &[u8]) -> Option<Range<u64>> {
    let number = |text: &str| {
        let plain = !text.starts_with('0') && !text.starts_with('+') && !text.contains(char::is_uppercase);
        u64::from_str_radix(text, 16).ok().filter(|_| plain)
    };
    let (start, end) = core::str::from_utf8(name).ok()?.split_once('-')?;
    Some(number(start)?..number(end)?)
}

/// The directory.
pub struct MapFilesDir {
    subject: Subject,
    row: usize,
}

impl MapFilesDir {
    pub fn make(subject: Subject, row: usize, dev: u32) -> ProcRef {
        let ino = subject.ino(row, 0);
        MapFilesDir { subject, row }.inode(dev, ino)
    }

    /// The number of a link's inode: one a page, so that areas have different ones.
    fn ino(&self, area: &Range<u64>) -> u64 {
        self.subject.ino(self.row, 1 + (area.start >> 12) as u32)
    }
}

impl Node for MapFilesDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o500
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, self.mode())
    }

    fn is_live(&self) -> bool {
        self.subject.is_live()
    }

    #[doc(alias = "proc_map_files_lookup")]
    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        self.subject.get().map_err(|_| Errno::ENOENT)?.check_access()?;
        let Some(area) = parse(name).filter(|area| file_at(&self.subject, area).is_some()) else { return Ok(None) };
        let ino = self.ino(&area);
        Ok(Some(MapLink { subject: self.subject.clone(), area }.inode(dev, ino)))
    }

    #[doc(alias = "proc_map_files_readdir")]
    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        self.subject.get().map_err(|_| Errno::ENOENT)?.check_access()?;
        for (index, (area, _)) in (0..).zip(mapped_files(&self.subject)).skip_while(|(index, _)| *index < from) {
            let name = format!("{:x}-{:x}", area.start, area.end);
            if !emit(Entry { name: name.as_bytes(), ino: self.ino(&area), mode: S_IFLNK, next: index + 1 }) {
                break;
            }
        }
        Ok(())
    }
}

/// One area's file.
struct MapLink {
    subject: Subject,
    area: Range<u64>,
}

impl Node for MapLink {
    /// The owner's bits tell what the file was opened for.
    #[doc(alias = "proc_map_files_instantiate")]
    fn mode(&self) -> u32 {
        let mut mode = S_IFLNK;
        if let Some(file) = file_at(&self.subject, &self.area) {
            mode |= if file.readable() { 0o400 } else { 0 };
            mode |= if file.writable() { 0o200 } else { 0 };
        }
        mode
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, S_IFLNK)
    }

    fn size(&self) -> u64 {
        64
    }

    #[doc(alias = "map_files_d_revalidate")]
    fn is_live(&self) -> bool {
        file_at(&self.subject, &self.area).is_some()
    }

    /// It leads to the file whatever the way there is, which only an administrator may use.
    #[doc(alias = "proc_map_files_get_link")]
    fn link(&self) -> Result<Link, Error> {
        let cred = current().cred();
        if !cred.capable(CAP_SYS_ADMIN) && !cred.capable(CAP_CHECKPOINT_RESTORE) {
            return Err(Errno::EPERM.into());
        }
        self.subject.get().map_err(|_| Errno::EACCES)?.check_access()?;
        let file = file_at(&self.subject, &self.area).ok_or(Errno::ENOENT)?;
        Ok(Link::Jump(path_of(&file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_one_way() {
        assert_eq!(parse(b"55aa1000-55aa3000"), Some(0x55aa_1000..0x55aa_3000));
        for name in
            [&b"055aa1000-55aa3000"[..], b"55AA1000-55aa3000", b"55aa1000", b"-1000", b"+1000-2000", b"1000-2000-3000", b"\xff-1"]
        {
            assert_eq!(parse(name), None, "{name:?}");
        }
    }
}
