//! /proc/PID/map_files: the files behind the areas of a process, by address.
//!
//! Mirrors: fs/proc/base.c (`proc_map_files_operations`), Linux 6.18.
//! Locking: the areas are copied before anything is done with them.

use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK};

use crate::fs::file::FileRef;
use crate::fs::proc::base::owner;
use crate::fs::proc::file_link::{FileLink, Hold};
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::subject::{Subject, Target};
use crate::mm::MapsObject;

/// Areas that show a file.
fn mapped_files(target: &Target) -> Vec<(Range<u64>, FileRef)> {
    let areas = target.mm().map(|mm| mm.maps()).unwrap_or_default().into_iter();
    let files = areas.filter_map(|entry| match entry.what {
        MapsObject::File(file) => Some((entry.start..entry.end, file)),
        _ => None,
    });
    files.collect()
}

pub fn file_at(target: &Target, area: &Range<u64>) -> Option<FileRef> {
    mapped_files(target).into_iter().find(|(range, _)| range == area).map(|(_, file)| file)
}

/// `start-end`, in hexadecimal digits without zeros in front.
#[doc(alias = "dname_to_vma_addr")]
fn parse(name: &[u8]) -> Option<Range<u64>> {
    let number = |text: &str| {
        let plain = text == "0" || !text.starts_with(['0', '+']);
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

    /// The process, if the caller may look into it.
    fn target(&self) -> Result<Target, Errno> {
        let target = self.subject.get().map_err(|_| Errno::ENOENT)?;
        target.check_access()?;
        Ok(target)
    }

    /// The number of a link's inode: never the directory's own, and nearly always another than its neighbours'.
    fn ino(&self, area: &Range<u64>) -> u64 {
        let page = (area.start >> 12) as u32;
        self.subject.ino(self.row, page.max(1))
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
        let target = self.target()?;
        let Some(area) = parse(name).filter(|area| file_at(&target, area).is_some()) else { return Ok(None) };
        let ino = self.ino(&area);
        Ok(Some(FileLink { subject: self.subject.clone(), hold: Hold::Area(area) }.inode(dev, ino)))
    }

    #[doc(alias = "proc_map_files_readdir")]
    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        let target = self.target()?;
        for (index, (area, _)) in (0..).zip(mapped_files(&target)).skip_while(|(index, _)| *index < from) {
            let name = format!("{:x}-{:x}", area.start, area.end);
            if !emit(Entry { name: name.as_bytes(), ino: self.ino(&area), mode: S_IFLNK, next: index + 1 }) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_zeros_in_front() {
        for name in [&b"55aa1000-55aa3000"[..], b"55AA1000-55aa3000"] {
            assert_eq!(parse(name), Some(0x55aa_1000..0x55aa_3000));
        }
        assert_eq!(parse(b"0-1000"), Some(0..0x1000));
        for name in [&b"055aa1000-55aa3000"[..], b"55aa1000", b"-1000", b"+1000-2000", b"1000-2000-3000", b"00-1000", b"\xff-1"] {
            assert_eq!(parse(name), None, "{name:?}");
        }
    }
}
