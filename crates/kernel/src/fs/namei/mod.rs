//! Path look-up: from bytes to a place in the tree.
//!
//! - [`walk`]: component by component; the rest starts walks
//! - [`create`], [`remove`], [`rename`]: the calls that change names
//! - [`may`]: whether they may
//! - [`moves`]: whether the tree changed meanwhile
//!
//! Mirrors: fs/namei.c, Linux 6.18.
//! Locking: a component's answer may be outdated at once, as on Linux; what changes names holds those of the directory
//! (`Dentry::lock_names`) from the look-up on.

pub mod create;
pub mod may;
pub mod moves;
pub mod remove;
pub mod rename;
pub mod walk;

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::limits::{NAME_MAX, PATH_MAX};
use bitflags::bitflags;

use crate::abi::UserPath;
use crate::fs::dcache::{Dentry, Path, Removals, Revalidated};
use crate::fs::inode::Kstat;

pub use walk::{PlaceInMount, Stepped, Walk};

bitflags! {
    /// How a path is looked up.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Lookup: u32 {
        /// Follow a symbolic link at the end.
        const FOLLOW = 1 << 0;
        /// The end must be a directory.
        const DIRECTORY = 1 << 1;
        /// An empty path means the starting point.
        const EMPTY = 1 << 2;
        const NO_SYMLINKS = 1 << 3;
        const NO_MAGICLINKS = 1 << 4;
        const NO_XDEV = 1 << 5;
        const BENEATH = 1 << 6;
        const IN_ROOT = 1 << 7;
    }
}

/// What a look-up found.
#[derive(Clone)]
pub struct Found {
    pub path: Path,
    /// Attributes, when this very look-up read them.
    pub stat: Option<Kstat>,
}

impl Found {
    /// The attributes.
    pub fn stat(&self) -> Result<Kstat, Error> {
        match self.stat {
            Some(stat) => Ok(stat),
            None => self.path.stat(),
        }
    }
}

/// The last component of a path whose parent was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    Name(Vec<u8>),
    Dot,
    DotDot,
    /// The path was nothing but slashes.
    Root,
}

/// The parent of a path, and what is asked of it.
pub struct Parent {
    pub path: Path,
    pub last: Last,
    /// Slashes stood behind the last component.
    pub slashes: bool,
}

/// A path from guest memory; `ENOENT` for the empty one.
pub fn getname(path: UserPath) -> Result<Vec<u8>, Errno> {
    let name = getname_empty(path)?;
    if name.is_empty() { Err(Errno::ENOENT) } else { Ok(name) }
}

/// A path from guest memory that may be empty.
#[doc(alias = "getname_flags")]
pub fn getname_empty(path: UserPath) -> Result<Vec<u8>, Errno> {
    path.0.read_cstr(PATH_MAX, Errno::ENAMETOOLONG)
}

fn monotonic() -> u64 {
    platform().now(ClockId::MonotonicCoarse)
}

/// A child, and its attributes if they were read.
type Child = (Arc<Dentry>, Option<Kstat>);

/// The child `name` of a directory; a name longer than 255 bytes is refused.
#[doc(alias = "lookup_one_len")]
pub fn lookup_child(dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Child>, Error> {
    lookup_child_at(dir, name, monotonic())
}

/// [`lookup_child`] by somebody who knows the time.
fn lookup_child_at(dir: &Arc<Dentry>, name: &[u8], now: u64) -> Result<Option<Child>, Error> {
    let removals = dir.removals();
    if let Some(child) = dir.child(name)
        && let Revalidated::Valid(stat) = dir.inode().revalidate(&child, name, now)
    {
        return Ok(Some((child, stat)));
    }
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    if !removals.is_one_begun()
        && let Some(answer) = lookup_slow(dir, name, now, removals)?
    {
        return Ok(answer);
    }
    let _names = dir.lock_names();
    lookup_locked_at(dir, name, now)
}

/// [`lookup_child`] by the holder of the directory's names, who is about to change this one.
#[doc(alias = "lookup_one_qstr_excl")]
pub fn lookup_locked(dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Child>, Error> {
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    lookup_locked_at(dir, name, monotonic())
}

fn lookup_locked_at(dir: &Arc<Dentry>, name: &[u8], now: u64) -> Result<Option<Child>, Error> {
    loop {
        if let Some(answer) = lookup_slow(dir, name, now, dir.removals())? {
            return Ok(answer);
        }
    }
}

/// Asks the directory itself; `None` when a name went from it since `removals` was read, perhaps this one: the answer is worth
/// nothing.
#[doc(alias = "__lookup_slow")]
fn lookup_slow(dir: &Arc<Dentry>, name: &[u8], now: u64, mut removals: Removals) -> Result<Option<Option<Child>>, Error> {
    if let Some(child) = dir.child(name) {
        match dir.inode().revalidate(&child, name, now) {
            Revalidated::Valid(stat) => return Ok(Some(Some((child, stat)))),
            Revalidated::Stale => match dir.drop_stale(&child, removals) {
                Some(now) => removals = now,
                None => return Ok(None),
            },
        }
    }
    let Some(looked) = dir.inode().lookup(dir, name)? else { return Ok(Some(None)) };
    Ok(dir.add(name, looked.inode, removals).map(|dentry| Some((dentry, looked.stat))))
}

/// Looks `name` up from descriptor `dfd` (or `AT_FDCWD`).
#[doc(alias = "filename_lookup")]
pub fn lookup(dfd: i32, name: &[u8], flags: Lookup) -> Result<Found, Error> {
    if name.is_empty() && !flags.contains(Lookup::EMPTY) {
        return Err(Errno::ENOENT.into());
    }
    Walk::start(dfd, name, flags)?.to_end(name)
}

/// Looks up the parent of `name`.
#[doc(alias = "filename_parentat")]
pub fn lookup_parent(dfd: i32, name: &[u8]) -> Result<Parent, Error> {
    if name.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    Walk::start(dfd, name, Lookup::default())?.to_last(name)
}

/// A path argument of an `*at` call: `AT_EMPTY_PATH` and `AT_SYMLINK_NOFOLLOW` in `at_flags` mean what they say.
#[doc(alias = "user_path_at_empty")]
pub fn user_path_at(dfd: i32, path: UserPath, at_flags: u32) -> Result<Found, Error> {
    use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
    let mut flags = Lookup::empty();
    flags.set(Lookup::FOLLOW, at_flags & AT_SYMLINK_NOFOLLOW == 0);
    flags.set(Lookup::EMPTY, at_flags & AT_EMPTY_PATH != 0);
    let name = getname_empty(path)?;
    lookup(dfd, &name, flags)
}
