//! What the file layer tells of.
//!
//! Mirrors: include/linux/fsnotify.h, fs/notify/fsnotify.c, Linux 6.18.
//! Differs: an object whose last name is removed while somebody uses it is told gone when its dentry is, not its inode.
//! Locking: what a name's change is told under, as on Linux, are the names of its directories; everything else is told with no
//! lock held.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, Ordering};

use acrida_uapi::fcntl::O_PATH;
use acrida_uapi::inotify::{
    IN_ACCESS, IN_ATTRIB, IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_ISDIR, IN_MODIFY,
    IN_MOVE_SELF, IN_MOVED_FROM, IN_MOVED_TO, IN_OPEN, IN_UNMOUNT,
};

use super::mark::{Event, FS_RENAME, anybody_watches};
use crate::fs::attr::Iattr;
use crate::fs::dcache::Dentry;
use crate::fs::file::File;
use crate::fs::inode::Inode;
use crate::fs::super_block::SuperBlock;
use crate::kernel;

static NEXT_COOKIE: AtomicU32 = AtomicU32::new(1);

fn dir_flag(inode: &dyn Inode) -> u32 {
    if inode.is_dir() { IN_ISDIR } else { 0 }
}

/// An event of the object itself.
#[doc(alias = "fsnotify_inode")]
fn tell_inode(inode: &dyn Inode, mask: u32) {
    if inode.common().marks.any() {
        inode.common().marks.tell(&Event::plain(mask | dir_flag(inode)));
    }
}

/// An event of a name in a directory.
#[doc(alias = "fsnotify_name")]
fn tell_name(dir: &Dentry, name: &[u8], mask: u32, cookie: u32) {
    dir.inode().common().marks.tell(&Event { mask, cookie, name, unlinked: false });
}

/// An event of an object that also its directory is told of, with the name.
#[doc(alias = "fsnotify_parent")]
fn tell_both(dentry: &Dentry, mask: u32, unlinked: bool) {
    let (name, parent) = dentry.place();
    let mask = mask | dir_flag(&**dentry.inode());
    if let Some(parent) = parent {
        parent.inode().common().marks.tell(&Event { mask, cookie: 0, name: &name, unlinked });
    }
    dentry.inode().common().marks.tell(&Event { unlinked, ..Event::plain(mask) });
}

/// A FIFO is opened and closed like any file, but nobody is told of the bytes that go through it.
#[doc(alias = "fsnotify_file")]
#[cold]
fn tell_file(file: &File, mask: u32) {
    if let Some(path) = &file.path
        && file.flags() & O_PATH == 0
        && !(mask & (IN_ACCESS | IN_MODIFY) != 0 && path.inode().is_fifo())
    {
        tell_both(&path.dentry, mask, path.dentry.is_unhashed());
    }
}

/// It was read from.
#[doc(alias = "fsnotify_access")]
#[inline]
pub fn access(file: &File) {
    if anybody_watches() {
        tell_file(file, IN_ACCESS);
    }
}

/// It was written to.
#[doc(alias = "fsnotify_modify")]
#[inline]
pub fn modify(file: &File) {
    if anybody_watches() {
        tell_file(file, IN_MODIFY);
    }
}

/// It was opened.
#[doc(alias = "fsnotify_open")]
#[inline]
pub fn open(file: &File) {
    if anybody_watches() {
        tell_file(file, IN_OPEN);
    }
}

/// Its last descriptor went.
#[doc(alias = "fsnotify_close")]
#[inline]
pub fn close(file: &File) {
    if anybody_watches() {
        tell_file(file, if file.writable() { IN_CLOSE_WRITE } else { IN_CLOSE_NOWRITE });
    }
}

/// What a new name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewName {
    Directory,
    Other,
}

/// `name` is new in `dir`.
#[doc(alias = "fsnotify_create")]
#[doc(alias = "fsnotify_mkdir")]
#[inline]
pub fn create(dir: &Dentry, name: &[u8], kind: NewName) {
    if anybody_watches() {
        let flag = if kind == NewName::Directory { IN_ISDIR } else { 0 };
        tell_name(dir, name, IN_CREATE | flag, 0);
    }
}

/// `name` is a new name of `old`.
#[doc(alias = "fsnotify_link")]
#[inline]
pub fn link(dir: &Dentry, name: &[u8], old: &Dentry) {
    if anybody_watches() {
        tell_inode(&**old.inode(), IN_ATTRIB);
        tell_name(dir, name, IN_CREATE, 0);
    }
}

/// What `change` means to a watcher.
fn mask_of_change(change: &Iattr) -> u32 {
    let mut mask = 0;
    if change.uid.is_some() || change.gid.is_some() || change.mode.is_some() {
        mask |= IN_ATTRIB;
    }
    if change.size.is_some() {
        mask |= IN_MODIFY;
    }
    // Both times are a utime call, one alone stands for what would have changed it.
    mask | match (change.atime.is_some(), change.mtime.is_some()) {
        (true, true) => IN_ATTRIB,
        (true, false) => IN_ACCESS,
        (false, true) => IN_MODIFY,
        (false, false) => 0,
    }
}

/// Its attributes were changed.
#[doc(alias = "fsnotify_change")]
#[inline]
pub fn change(dentry: &Dentry, change: &Iattr) {
    if anybody_watches() {
        tell_both(dentry, mask_of_change(change), false);
    }
}

/// An extended attribute was changed.
#[doc(alias = "fsnotify_xattr")]
#[inline]
pub fn xattr(dentry: &Dentry) {
    if anybody_watches() {
        tell_both(dentry, IN_ATTRIB, false);
    }
}

/// Whether a removal takes an object's last name, as far as anybody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Stay,
    End,
}

impl Names {
    /// To be asked before `victim` loses its name.
    pub fn without(victim: &Dentry) -> Names {
        let inode = victim.inode();
        let watched = anybody_watches() && inode.common().marks.any();
        let last = watched && (inode.is_dir() || inode.stat(victim).is_ok_and(|stat| stat.nlink <= 1));
        if last { Names::End } else { Names::Stay }
    }
}

/// `victim` was taken out of `dir`.
#[doc(alias = "d_delete_notify")]
#[inline]
pub fn delete(dir: &Dentry, victim: &Arc<Dentry>, names: Names) {
    if anybody_watches() {
        let is_dir = victim.inode().is_dir();
        if !is_dir {
            tell_inode(&**victim.inode(), IN_ATTRIB);
        }
        names_changed(victim, names);
        tell_name(dir, &victim.name(), IN_DELETE | dir_flag(&**victim.inode()), 0);
    }
}

/// Tells the end of an object without a name, now or when nobody uses it any more.
fn names_changed(victim: &Arc<Dentry>, names: Names) {
    match names {
        Names::Stay => {}
        Names::End if Arc::strong_count(victim) == 1 => end(&**victim.inode()),
        Names::End => victim.inode().common().marks.set_nameless(),
    }
}

/// The object is no more.
#[doc(alias = "fsnotify_inoderemove")]
#[cold]
fn end(inode: &dyn Inode) {
    inode.common().marks.tell(&Event::plain(IN_DELETE_SELF));
    inode.common().marks.remove_all();
}

/// A dentry goes: perhaps the last use of an object without a name.
#[inline]
pub fn dentry_gone(inode: &dyn Inode) {
    if anybody_watches() && inode.common().marks.take_nameless() {
        end(inode);
    }
}

/// One object that got another name.
pub struct Move<'a> {
    pub moved: &'a Dentry,
    pub old_dir: &'a Dentry,
    pub old_name: &'a [u8],
    pub new_dir: &'a Dentry,
    pub new_name: &'a [u8],
    /// What stood there before, and whether that was its last name.
    pub target: Option<(&'a Arc<Dentry>, Names)>,
}

/// Tells of a rename.
#[doc(alias = "fsnotify_move")]
#[inline]
pub fn moved(how: &Move<'_>) {
    if anybody_watches() {
        tell_move(how);
    }
}

fn tell_move(how: &Move<'_>) {
    let cookie = NEXT_COOKIE.fetch_add(1, Ordering::Relaxed);
    let inode = &**how.moved.inode();
    let flag = dir_flag(inode);
    if core::ptr::eq(how.old_dir, how.new_dir) {
        tell_name(how.old_dir, how.old_name, FS_RENAME | flag, 0);
    }
    tell_name(how.old_dir, how.old_name, IN_MOVED_FROM | flag, cookie);
    tell_name(how.new_dir, how.new_name, IN_MOVED_TO | flag, cookie);
    if let Some((target, _)) = how.target {
        tell_inode(&**target.inode(), IN_ATTRIB);
    }
    inode.common().marks.tell(&Event::plain(IN_MOVE_SELF));
    if let Some((target, names)) = how.target {
        names_changed(target, names);
    }
}

/// A file system was taken off its last place.
#[doc(alias = "fsnotify_sb_delete")]
pub fn unmounted(sb: &Arc<dyn SuperBlock>) {
    if !anybody_watches() {
        return;
    }
    for mark in kernel().inotify.marks_on(sb) {
        let marks = &mark.inode.common().marks;
        marks.tell(&Event::plain(IN_UNMOUNT));
        marks.remove_all();
    }
}
