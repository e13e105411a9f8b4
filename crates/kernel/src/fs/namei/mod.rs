//! Path look-up: from bytes to a place in the tree.
//!
//! - [`walk`]: component by component; the rest starts walks
//! - [`create`], [`remove`], [`rename`]: the calls that change names
//! - [`may`]: whether they may
//!
//! Mirrors: fs/namei.c, Linux 6.1.
//! Locking: none of its own; a component's answer may be outdated at once, as on Linux.

pub mod create;
pub mod may;
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
use crate::fs::dcache::{Dentry, Path, Revalidated};
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

/// The child `name` of a directory, with its attributes if they were read; a name longer than 255 bytes is refused.
#[doc(alias = "lookup_one_len")]
pub fn lookup_child(dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<(Arc<Dentry>, Option<Kstat>)>, Error> {
    lookup_child_at(dir, name, monotonic())
}

/// [`lookup_child`] by somebody who knows the time.
fn lookup_child_at(dir: &Arc<Dentry>, name: &[u8], now: u64) -> Result<Option<(Arc<Dentry>, Option<Kstat>)>, Error> {
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    loop {
        if let Some(child) = dir.child(name) {
            match dir.inode().revalidate(&child, name, now) {
                Revalidated::Valid(stat) => return Ok(Some((child, stat))),
                Revalidated::Stale => child.unhash(),
            }
        }
        let removals = dir.removals();
        let Some(looked) = dir.inode().lookup(dir, name)? else { return Ok(None) };
        if let Some(dentry) = dir.add(name, looked.inode, removals) {
            return Ok(Some((dentry, looked.stat)));
        }
        // A name went from the directory meanwhile, perhaps this one: the answer is worth nothing.
    }
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
