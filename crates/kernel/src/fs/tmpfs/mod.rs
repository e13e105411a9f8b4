//! tmpfs: files in memory.
//!
//! In Linux a tmpfs inode's pages live in the page cache and nowhere else, directory entries live in the dcache. Here an
//! inode owns both: its pages are runs of the physical-memory object, which guests map, pipes refer to and the kernel
//! reads and writes; its entries are a tree of its own, and the dcache only remembers what is in use.
//!
//! - [`pages`]: the content of a file: runs of doubling length, so that a large file maps with few areas
//! - [`attributes`]: owner, links and times
//! - [`inode`]: what an inode is
//! - [`dir`]: entries, and every change of them
//! - [`file`]: reading, writing, mapping, holes
//! - [`memfd`]: files without a name, and seals
//! - [`options`]: `size=`, `mode=` and their kin
//!
//! Mirrors: mm/shmem.c, Linux 6.18.
//! Differs: pages are never swapped; a page that a guest touched only through a mapping is not charged;
//! pages that are cut off leave all memory that shows them, but of others a moment later, see `mm/truncate.rs`.
//! Locking: `TmpFs::tree` (changes of two directories) before the entries of a directory (two by address) before limits and an
//! inode's attributes; `RegularFile::writing` before `RegularFile::content` before limits and the queue of who waits for room.
//! Leaves: limits, attributes, xattrs.

mod attributes;
pub mod dir;
pub mod file;
pub mod inode;
pub mod memfd;
pub mod options;
pub mod pages;
mod xattr;

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLOUT, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::S_IFDIR;
use acrida_uapi::statfs::{Statfs, TMPFS_MAGIC};
use zerocopy::FromZeros;

use crate::fs::attr::Owner;
use crate::fs::dcache::Dentry;
use crate::fs::hostfs::HostInode;
use crate::fs::super_block::{FileSystemType, Instance, SuperBlock, anon_dev};
use crate::fs::tmpfs::file::RegularFile;
use crate::fs::tmpfs::inode::TmpInode;
use crate::fs::tmpfs::options::Options;

/// `mount -t tmpfs`.
pub const TMPFS: FileSystemType = FileSystemType { name: "tmpfs", needs_device: false, mount: |_, data| mount(data) };

/// What is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tmpfs,
    Devtmpfs,
    /// Its files can be waited for, and die with whoever opened them.
    Locust,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Tmpfs => "tmpfs",
            Kind::Devtmpfs => "devtmpfs",
            Kind::Locust => "locust",
        }
    }
}

/// One tmpfs.
#[doc(alias = "shmem_sb_info")]
pub struct TmpFs {
    kind: Kind,
    /// Where a locust's writers wait for room.
    room: Option<Arc<WaitQueueHead>>,
    dev: u32,
    options: SpinLock<Options>,
    /// Pages in use.
    used_blocks: AtomicU64,
    used_inodes: AtomicU64,
    next_ino: AtomicU64,
    /// Serialises what changes two directories at once.
    tree: SpinLock<()>,
}

impl TmpFs {
    fn new(kind: Kind, options: Options) -> Arc<TmpFs> {
        Arc::new(TmpFs {
            kind,
            room: (kind == Kind::Locust).then(Arc::default),
            dev: anon_dev(),
            options: SpinLock::new(options),
            used_blocks: AtomicU64::new(0),
            used_inodes: AtomicU64::new(0),
            next_ino: AtomicU64::new(1),
            tree: SpinLock::new(()),
        })
    }

    /// Counts one inode more, or `ENOSPC`.
    fn charge_inode(&self) -> Result<u64, Errno> {
        let limit = self.options.lock().max_inodes;
        let step = |used| (limit == 0 || used < limit).then_some(used + 1);
        self.used_inodes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).map_err(|_| Errno::ENOSPC)?;
        Ok(self.next_ino.fetch_add(1, Ordering::Relaxed))
    }

    fn uncharge_inode(&self) {
        self.used_inodes.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts pages; `false` when they do not fit.
    #[doc(alias = "shmem_inode_acct_blocks")]
    fn charge(&self, pages: u64) -> bool {
        let limit = self.options.lock().max_blocks;
        let step = |used: u64| (limit == 0 || used + pages <= limit).then_some(used + pages);
        self.used_blocks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
    }

    /// Whether so many pages could ever fit.
    fn has_room(&self, pages: u64) -> bool {
        let limit = self.options.lock().max_blocks;
        limit == 0 || pages <= limit
    }

    fn uncharge(&self, pages: u64) {
        if pages == 0 {
            return;
        }
        let before = self.used_blocks.fetch_sub(pages, Ordering::Relaxed);
        // Only what was full can have anybody waiting.
        if let Some(room) = &self.room
            && before >= self.options.lock().max_blocks
        {
            room.wake_all(EPOLLOUT | EPOLLWRNORM);
        }
    }

    /// Whether a page more would fit now.
    fn has_free_page(&self) -> bool {
        let limit = self.options.lock().max_blocks;
        limit == 0 || self.used_blocks.load(Ordering::Relaxed) < limit
    }

    /// Where somebody waits for room, if that is possible here.
    pub fn room(&self) -> Option<&Arc<WaitQueueHead>> {
        self.room.as_ref()
    }

    /// The content of a new regular file.
    fn regular(&self, content: RegularFile) -> RegularFile {
        if self.kind == Kind::Locust { content.watched(Arc::default()) } else { content }
    }
}

/// A new tmpfs with `options`, as in `mount -o`.
pub fn mount(options: &[u8]) -> Result<Instance, Error> {
    new_instance(Kind::Tmpfs, Options::parse(options, &Options::default())?, None)
}

/// A new tmpfs whose root shows the host's directory `below` where it has no entry itself.
pub fn new_instance(kind: Kind, options: Options, below: Option<Arc<HostInode>>) -> Result<Instance, Error> {
    let owner = Owner { mode: S_IFDIR | options.mode, uid: options.uid, gid: options.gid };
    let fs = TmpFs::new(kind, options);
    let root = TmpInode::new_root(&fs, owner, below)?;
    Ok(Instance { sb: fs, root: Dentry::root(root) })
}

impl SuperBlock for TmpFs {
    fn type_name(&self) -> &'static str {
        self.kind.name()
    }

    fn statfs(&self, _dentry: &Dentry) -> Result<Statfs, Error> {
        let options = self.options.lock().clone();
        let (used, inodes) = (self.used_blocks.load(Ordering::Relaxed), self.used_inodes.load(Ordering::Relaxed));
        let free = options.max_blocks.saturating_sub(used);
        Ok(Statfs {
            f_type: TMPFS_MAGIC,
            f_bsize: PAGE_SIZE as i64,
            f_blocks: options.max_blocks,
            f_bfree: free,
            f_bavail: free,
            f_files: options.max_inodes,
            f_ffree: options.max_inodes.saturating_sub(inodes),
            f_fsid: [self.dev.cast_signed(), 0],
            f_namelen: 255,
            ..Statfs::new_zeroed()
        })
    }

    fn reconfigure(&self, data: &[u8]) -> Result<(), Error> {
        let mut options = self.options.lock();
        let new = Options::parse(data, &options)?;
        let too_small = new.max_blocks != 0 && new.max_blocks < self.used_blocks.load(Ordering::Relaxed);
        if too_small || new.max_inodes != 0 && new.max_inodes < self.used_inodes.load(Ordering::Relaxed) {
            return Err(Errno::EINVAL.into());
        }
        *options = new;
        Ok(())
    }

    fn show_options(&self, out: &mut String) {
        let options = self.options.lock();
        if options.max_blocks != options::default_blocks() {
            *out += &format!(",size={}k", options.max_blocks * (PAGE_SIZE as u64 / 1024));
        }
        if options.mode != 0o1777 {
            *out += &format!(",mode={:03o}", options.mode);
        }
    }
}
