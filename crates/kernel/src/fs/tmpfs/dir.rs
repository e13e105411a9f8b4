//! Directories of tmpfs.
//!
//! Mirrors: mm/shmem.c (`shmem_dir_inode_operations`), fs/libfs.c (`simple_offset`), Linux 6.18.
//! Differs: entries are in the directory itself, by name and by the order of their making; the newest is read first.
//! Locking: `TmpFs::tree` around what touches two directories; then entries, two directories by address, or a removed child's
//! before its parent's and not together; then limits and attributes.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use acrida_kcore::sync::{SpinLock, lock_pair};
use acrida_uapi::dirent::mode_to_dt;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{RENAME_EXCHANGE, RENAME_WHITEOUT};
use acrida_uapi::stat::{S_IFCHR, S_IFDIR, S_IFMT};

use crate::fs::attr::Owner;
use crate::fs::dcache::Dentry;
use crate::fs::hostfs::HostInode;
use crate::fs::inode::{Inode, Rename};
use crate::fs::readdir::DirContext;
use crate::fs::tmpfs::file::RegularFile;
use crate::fs::tmpfs::inode::{Body, TmpInode};

/// What one entry adds to the size of its directory.
#[doc(alias = "BOGO_DIRENT_SIZE")]
const ENTRY_SIZE: u64 = 20;
/// Positions 0 and 1 are `.` and `..`, 2 stands before the newest entry.
const FIRST_COOKIE: u64 = 3;
/// Positions from here on are entries that show through from below.
const BELOW: u64 = 1 << 62;

struct Entry {
    inode: Arc<TmpInode>,
    cookie: u64,
}

/// Entries by name, and names by cookie.
#[derive(Default)]
struct Entries {
    by_name: BTreeMap<Arc<[u8]>, Entry>,
    by_cookie: BTreeMap<u64, Arc<[u8]>>,
    made: u64,
    /// Removed: nothing may be made in it.
    dead: bool,
}

impl Entries {
    fn insert(&mut self, name: &[u8], inode: Arc<TmpInode>) {
        let cookie = FIRST_COOKIE + self.made;
        self.made += 1;
        let name: Arc<[u8]> = name.into();
        self.by_cookie.insert(cookie, name.clone());
        self.by_name.insert(name, Entry { inode, cookie });
    }

    fn remove(&mut self, name: &[u8]) -> Option<Arc<TmpInode>> {
        let entry = self.by_name.remove(name)?;
        self.by_cookie.remove(&entry.cookie);
        Some(entry.inode)
    }

    /// Puts another inode behind an existing name.
    fn swap(&mut self, name: &[u8], inode: Arc<TmpInode>) {
        if let Some(entry) = self.by_name.get_mut(name) {
            entry.inode = inode;
        }
    }
}

/// The content of a directory.
#[derive(Default)]
pub struct Directory {
    entries: SpinLock<Entries>,
    /// The host's directory that shows through (the root of devfs).
    below: Option<Arc<HostInode>>,
}

impl Directory {
    pub fn over(below: Option<Arc<HostInode>>) -> Directory {
        Directory { below, ..Directory::default() }
    }

    pub fn below(&self) -> Option<&Arc<HostInode>> {
        self.below.as_ref()
    }

    pub fn get(&self, name: &[u8]) -> Option<Arc<TmpInode>> {
        self.entries.lock().by_name.get(name).map(|entry| entry.inode.clone())
    }

    /// Whether `name` is `inode`.
    pub fn holds(&self, name: &[u8], inode: &TmpInode) -> bool {
        self.entries.lock().by_name.get(name).is_some_and(|entry| core::ptr::eq(Arc::as_ptr(&entry.inode), inode))
    }

    /// Whether the directory was removed.
    #[doc(alias = "IS_DEADDIR")]
    pub fn is_dead(&self) -> bool {
        self.entries.lock().dead
    }

    /// As `st_size` shows it.
    pub fn size(&self) -> u64 {
        self.entries.lock().by_name.len() as u64 * ENTRY_SIZE
    }

    /// The newest entry older than `pos`.
    fn before(&self, pos: u64) -> Option<(u64, Arc<[u8]>, u64, u32)> {
        let entries = self.entries.lock();
        let (&cookie, name) = entries.by_cookie.range(..pos).next_back()?;
        let inode = &entries.by_name.get(name)?.inode;
        Some((cookie, name.clone(), inode.common().ino, inode.owner().mode))
    }

    /// Emits what is behind the dots.
    pub fn iterate(&self, dentry: &Dentry, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        if ctx.pos < BELOW && !self.iterate_own(ctx) {
            return Ok(());
        }
        let Some(below) = &self.below else { return Ok(()) };
        let names = below.list(dentry)?;
        let first = ctx.pos.saturating_sub(BELOW) as usize;
        for (index, (name, ino, kind)) in names.into_iter().enumerate().skip(first) {
            let shadowed = self.entries.lock().by_name.contains_key(&*name);
            if !shadowed && !ctx.emit(&name, ino, kind, BELOW + index as u64 + 1) {
                break;
            }
        }
        Ok(())
    }

    /// Emits the entries of this directory alone; `false` when not all fitted.
    fn iterate_own(&self, ctx: &mut DirContext<'_>) -> bool {
        let mut pos = if ctx.pos < FIRST_COOKIE { BELOW } else { ctx.pos };
        while let Some((cookie, name, ino, mode)) = self.before(pos) {
            // The position behind the oldest entry is its own cookie: nothing is older.
            if !ctx.emit(&name, ino, mode_to_dt(mode), cookie) {
                return false;
            }
            pos = cookie;
        }
        true
    }
}

fn is_dir(inode: &TmpInode) -> bool {
    inode.kind() == S_IFDIR
}

impl TmpInode {
    fn add_links(&self, step: i32) {
        self.attr.update(|attr| attr.nlink = attr.nlink.saturating_add_signed(step));
    }

    /// Makes `name` in this directory, for the caller.
    #[doc(alias = "shmem_mknod")]
    pub(super) fn make(&self, name: &[u8], mode: u32, body: Body) -> Result<Arc<TmpInode>, Errno> {
        self.make_owned(name, self.new_owner(mode), body)
    }

    /// Makes `name` in this directory with the given owner.
    pub(super) fn make_owned(&self, name: &[u8], owner: Owner, body: Body) -> Result<Arc<TmpInode>, Errno> {
        let mut entries = self.directory()?.entries.lock();
        if entries.dead {
            return Err(Errno::ENOENT);
        }
        if entries.by_name.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        let nlink = if owner.mode & S_IFMT == S_IFDIR { 2 } else { 1 };
        let inode = TmpInode::new(&self.fs, owner, nlink, body)?;
        entries.insert(name, inode.clone());
        drop(entries);
        if is_dir(&inode) {
            self.add_links(1);
        }
        self.modified();
        Ok(inode)
    }

    #[doc(alias = "shmem_link")]
    pub(super) fn make_link(&self, name: &[u8], old: &Dentry) -> Result<(), Errno> {
        let inode = old.inode().clone();
        let target = TmpInode::of(old)?;
        if !Arc::ptr_eq(&target.fs, &self.fs) {
            return Err(Errno::EXDEV);
        }
        let strong = self.fs_inode(&inode)?;
        let mut entries = self.directory()?.entries.lock();
        if entries.dead {
            return Err(Errno::ENOENT);
        }
        if entries.by_name.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        target.attr.try_update(|attr| {
            if attr.nlink == 0 && !target.regular().is_some_and(RegularFile::take_linkable) {
                return Err(Errno::ENOENT);
            }
            attr.nlink += 1;
            Ok(())
        })?;
        entries.insert(name, strong);
        drop(entries);
        target.changed();
        self.modified();
        Ok(())
    }

    /// The inode as our own type, by reference count.
    fn fs_inode(&self, inode: &Arc<dyn Inode>) -> Result<Arc<TmpInode>, Errno> {
        let any: Arc<dyn core::any::Any + Send + Sync> = inode.clone();
        any.downcast::<TmpInode>().map_err(|_| Errno::EXDEV)
    }

    /// Takes the entry of a non-directory out.
    #[doc(alias = "shmem_unlink")]
    pub(super) fn remove(&self, victim: &Dentry) -> Result<(), Errno> {
        let inode = TmpInode::of(victim)?;
        let name = victim.name();
        let directory = self.directory()?;
        let mut entries = directory.entries.lock();
        if !entries.by_name.get(&*name).is_some_and(|entry| core::ptr::eq(Arc::as_ptr(&entry.inode), inode)) {
            return Err(Errno::ENOENT);
        }
        let removed = entries.remove(&name);
        drop(entries);
        inode.add_links(-1);
        inode.changed();
        self.modified();
        drop(removed);
        Ok(())
    }

    #[doc(alias = "shmem_rmdir")]
    pub(super) fn remove_dir(&self, victim: &Dentry) -> Result<(), Errno> {
        let inode = TmpInode::of(victim)?;
        let _tree = self.fs.tree.lock();
        inode.die()?;
        let removed = self.directory()?.entries.lock().remove(&victim.name());
        inode.attr.update(|attr| attr.nlink = 0);
        inode.changed();
        self.add_links(-1);
        self.modified();
        drop(removed);
        Ok(())
    }

    /// Marks a directory dead; `ENOTEMPTY` when it has entries.
    fn die(&self) -> Result<(), Errno> {
        let mut entries = self.directory()?.entries.lock();
        if !entries.by_name.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        entries.dead = true;
        Ok(())
    }

    /// The directories of a rename, locked.
    #[doc(alias = "shmem_rename2")]
    pub(super) fn move_entry(&self, how: &Rename<'_>) -> Result<(), Errno> {
        let to = TmpInode::of(how.new_dir)?;
        if !Arc::ptr_eq(&to.fs, &self.fs) {
            return Err(Errno::EXDEV);
        }
        let moved = self.fs_inode(how.old.inode())?;
        let replaced = how.victim.map(|dentry| self.fs_inode(dentry.inode())).transpose()?;
        let _tree = self.fs.tree.lock();
        if how.flags & RENAME_EXCHANGE == 0
            && let Some(victim) = &replaced
        {
            match (is_dir(&moved), is_dir(victim)) {
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                (true, true) => victim.die()?,
                (false, false) => {}
            }
        }
        let old_name = how.old.name();
        self.change_entries(to, how, &moved, replaced.as_ref(), &old_name)?;
        self.count_links(to, &moved, replaced.as_ref(), how.flags);
        moved.changed();
        self.modified();
        to.modified();
        Ok(())
    }

    fn change_entries(
        &self,
        to: &TmpInode,
        how: &Rename<'_>,
        moved: &Arc<TmpInode>,
        replaced: Option<&Arc<TmpInode>>,
        old_name: &[u8],
    ) -> Result<(), Errno> {
        let whiteout = match how.flags & RENAME_WHITEOUT != 0 {
            true => Some(TmpInode::new(&self.fs, self.new_owner(S_IFCHR), 1, Body::Special(0))?),
            false => None,
        };
        let (mut from, mut other) = lock_pair(&self.directory()?.entries, &to.directory()?.entries);
        let target = other.as_deref().unwrap_or(&from);
        if target.dead || !from.by_name.get(old_name).is_some_and(|entry| Arc::ptr_eq(&entry.inode, moved)) {
            return Err(Errno::ENOENT);
        }
        let there = target.by_name.get(how.new_name).map(|entry| &entry.inode);
        if there.map(Arc::as_ptr) != replaced.map(Arc::as_ptr) {
            // Somebody changed the name since the look-up; the caller's checks were for another object.
            return Err(Errno::EBUSY);
        }
        let target = other.as_deref_mut();
        match replaced {
            Some(victim) if how.flags & RENAME_EXCHANGE != 0 => {
                from.swap(old_name, victim.clone());
                target.unwrap_or(&mut from).swap(how.new_name, moved.clone());
            }
            _ => {
                from.remove(old_name);
                if let Some(whiteout) = whiteout {
                    from.insert(old_name, whiteout);
                }
                let target = target.unwrap_or(&mut from);
                target.remove(how.new_name);
                target.insert(how.new_name, moved.clone());
            }
        }
        Ok(())
    }

    /// Link counts after a rename from this directory to `to`.
    fn count_links(&self, to: &TmpInode, moved: &TmpInode, replaced: Option<&Arc<TmpInode>>, flags: u32) {
        let exchanged = flags & RENAME_EXCHANGE != 0;
        if is_dir(moved) {
            self.add_links(-1);
            to.add_links(1);
        }
        let Some(other) = replaced else { return };
        if exchanged {
            if is_dir(other) {
                to.add_links(-1);
                self.add_links(1);
            }
        } else if is_dir(other) {
            other.attr.update(|attr| attr.nlink = 0);
            to.add_links(-1);
        } else {
            other.add_links(-1);
        }
        other.changed();
    }
}
