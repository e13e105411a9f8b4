//! Links of /proc that lead to an open file itself, whatever the way there is.
//!
//! Mirrors: fs/proc/fd.c (`tid_fd_update_inode`, `proc_fd_link`), fs/proc/base.c (`map_files_get_link`), Linux 6.18.
//! Locking: what a process has is looked at, never held.

use core::ops::Range;

use acrida_uapi::capability::{CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::S_IFLNK;

use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::file::FileRef;
use crate::fs::inode::Link;
use crate::fs::proc::base::owner;
use crate::fs::proc::fd::file_of;
use crate::fs::proc::inode::Node;
use crate::fs::proc::map_files::file_at;
use crate::fs::proc::subject::{Subject, Target};

/// What of a process leads to the file.
pub enum Hold {
    Descriptor(u32),
    /// What is mapped at just these addresses.
    Area(Range<u64>),
}

impl Hold {
    pub fn file(&self, target: &Target) -> Option<FileRef> {
        match self {
            Hold::Descriptor(fd) => file_of(target, *fd).map(|(file, _)| file),
            Hold::Area(area) => file_at(target, area),
        }
    }

    /// The owner's bits for a file that is open for reading, and for writing.
    fn bits(&self) -> (u32, u32) {
        match self {
            Hold::Descriptor(_) => (0o500, 0o300),
            Hold::Area(_) => (0o400, 0o200),
        }
    }

    /// Where a mapping leads only an administrator may go.
    fn may_follow(&self) -> Result<(), Errno> {
        let cred = current().cred();
        match self {
            Hold::Area(_) if !cred.capable(CAP_SYS_ADMIN) && !cred.capable(CAP_CHECKPOINT_RESTORE) => Err(Errno::EPERM),
            _ => Ok(()),
        }
    }
}

/// /proc/PID/fd/N, /proc/PID/map_files/START-END.
pub struct FileLink {
    pub subject: Subject,
    pub hold: Hold,
}

impl FileLink {
    fn file(&self) -> Option<FileRef> {
        self.hold.file(&self.subject.get().ok()?)
    }
}

impl Node for FileLink {
    /// The owner's bits tell what the file was opened for.
    #[doc(alias = "tid_fd_update_inode")]
    #[doc(alias = "proc_map_files_instantiate")]
    fn mode(&self) -> u32 {
        let (reads, writes) = self.hold.bits();
        let mut mode = S_IFLNK;
        if let Some(file) = self.file() {
            mode |= if file.readable() { reads } else { 0 };
            mode |= if file.writable() { writes } else { 0 };
        }
        mode
    }

    fn ids(&self) -> (u32, u32) {
        owner(&self.subject, S_IFLNK)
    }

    fn size(&self) -> u64 {
        64
    }

    #[doc(alias = "tid_fd_revalidate")]
    #[doc(alias = "map_files_d_revalidate")]
    fn is_live(&self) -> bool {
        self.file().is_some()
    }

    #[doc(alias = "proc_fd_link")]
    #[doc(alias = "proc_map_files_get_link")]
    fn link(&self) -> Result<Link, Error> {
        self.hold.may_follow()?;
        let target = self.subject.get().map_err(|_| Errno::EACCES)?;
        target.check_access()?;
        let file = self.hold.file(&target).ok_or(Errno::ENOENT)?;
        Ok(Link::Jump(path_of(&file)))
    }
}
