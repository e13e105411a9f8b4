//! Path look-up: from bytes to a place in the tree.
//!
//! Mirrors: fs/namei.c (`link_path_walk`, `path_lookupat`), Linux 6.1.
//! Differs: one mode of walking (with references); a symbolic link's text is put in front of what is left of the path.
//! Locking: none of its own; a component's answer may be outdated at once, as on Linux.

pub mod create;
pub mod may;
pub mod remove;
pub mod rename;

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::limits::{MAXSYMLINKS, NAME_MAX, PATH_MAX};
use acrida_uapi::mount::MsFlags;
use bitflags::bitflags;

use crate::abi::UserPath;
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::inode::{Kstat, Link, MAY_EXEC};
use crate::fs::namespace::follow_mounts;
use crate::kernel::cred::Cred;
use crate::current;

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

/// A walk in progress.
#[doc(alias = "nameidata")]
pub struct Walk {
    root: Path,
    at: Path,
    stat: Option<Kstat>,
    flags: Lookup,
    links: usize,
    cred: Arc<Cred>,
}

impl Walk {
    /// Stands where `name` starts.
    #[doc(alias = "path_init")]
    pub fn start(dfd: i32, name: &[u8], flags: Lookup) -> Result<Walk, Error> {
        Walk::start_as(dfd, name, flags, current().cred())
    }

    /// The same with somebody's credentials (`access` walks with the real ids).
    pub fn start_as(dfd: i32, name: &[u8], flags: Lookup, cred: Arc<Cred>) -> Result<Walk, Error> {
        let task = current();
        let scoped = flags.intersects(Lookup::BENEATH | Lookup::IN_ROOT);
        let absolute = name.first() == Some(&b'/');
        if absolute && flags.contains(Lookup::BENEATH) {
            return Err(Errno::EXDEV.into());
        }
        let fs = task.fs();
        let root = fs.root();
        let at = if absolute && !scoped {
            root.clone()
        } else if dfd == AT_FDCWD {
            fs.pwd()
        } else {
            let file = task.files().get_any(dfd)?;
            let path = crate::fs::anon_inodes::path_of(&file);
            if !name.is_empty() && !path.inode().is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
            path
        };
        let root = if scoped { at.clone() } else { root };
        Ok(Walk { root, at, stat: None, flags, links: 0, cred })
    }

    /// Stands at a path, for the kernel's own look-ups (boot): `root` is the root, no task is needed.
    pub fn from(root: Path, cred: Arc<Cred>) -> Walk {
        Walk { at: root.clone(), root, stat: None, flags: Lookup::FOLLOW, links: 0, cred }
    }

    pub fn cred(&self) -> &Arc<Cred> {
        &self.cred
    }

    fn enter(&mut self, to: Path) -> Result<(), Error> {
        if self.flags.contains(Lookup::NO_XDEV) && !Arc::ptr_eq(&to.mnt, &self.at.mnt) {
            return Err(Errno::EXDEV.into());
        }
        self.at = to;
        Ok(())
    }

    #[doc(alias = "follow_dotdot")]
    fn dot_dot(&mut self) -> Result<(), Error> {
        self.stat = None;
        let mut up = self.at.clone();
        loop {
            if up == self.root {
                if self.flags.contains(Lookup::BENEATH) {
                    return Err(Errno::EXDEV.into());
                }
                break;
            }
            if Arc::ptr_eq(&up.dentry, &up.mnt.root) {
                let Some(place) = up.mnt.place() else { break };
                up = place;
                continue;
            }
            match up.dentry.parent() {
                Some(parent) => up.dentry = parent,
                None => break,
            }
            break;
        }
        self.enter(follow_mounts(up))
    }

    fn may_lookup(&self) -> Result<(), Error> {
        let inode = self.at.inode();
        if !inode.is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        inode.permission(&self.at.dentry, &self.cred, MAY_EXEC)
    }

    /// Steps to `name` without following a link; `false` when there is nothing of that name.
    fn step(&mut self, name: &[u8]) -> Result<bool, Error> {
        match lookup_child(&self.at.dentry, name)? {
            Some((dentry, stat)) => {
                let to = follow_mounts(Path { mnt: self.at.mnt.clone(), dentry });
                self.stat = if Arc::ptr_eq(&to.mnt, &self.at.mnt) { stat } else { None };
                self.enter(to)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Follows the link `self.at` (found in `dir`); gives the text that must be walked now.
    #[doc(alias = "pick_link")]
    fn follow(&mut self, dir: Path) -> Result<Vec<u8>, Error> {
        self.links += 1;
        if self.links > MAXSYMLINKS || self.flags.contains(Lookup::NO_SYMLINKS) {
            return Err(Errno::ELOOP.into());
        }
        if self.at.mnt.flags().contains(MsFlags::MS_NOSYMFOLLOW) {
            return Err(Errno::ELOOP.into());
        }
        let link = self.at.inode().get_link(&self.at.dentry)?;
        self.stat = None;
        match link {
            Link::Jump(to) => {
                if self.flags.contains(Lookup::NO_MAGICLINKS) {
                    return Err(Errno::ELOOP.into());
                }
                if self.flags.intersects(Lookup::BENEATH | Lookup::IN_ROOT) {
                    return Err(Errno::EXDEV.into());
                }
                self.enter(to)?;
                Ok(Vec::new())
            }
            Link::Text(text) => {
                if text.is_empty() {
                    return Err(Errno::ENOENT.into());
                }
                self.at = dir;
                if text[0] == b'/' {
                    if self.flags.contains(Lookup::BENEATH) {
                        return Err(Errno::EXDEV.into());
                    }
                    self.enter(self.root.clone())?;
                }
                Ok(text)
            }
        }
    }

    /// Walks all but the last component of `name`.
    #[doc(alias = "link_path_walk")]
    fn to_parent(&mut self, name: &[u8]) -> Result<(Last, bool), Error> {
        let mut text = Cow::Borrowed(name);
        let mut pos = 0;
        loop {
            let skipped = text[pos..].iter().position(|&b| b != b'/');
            let Some(skipped) = skipped else { return Ok((Last::Root, pos < text.len())) };
            pos += skipped;
            self.may_lookup()?;
            let end = text[pos..].iter().position(|&b| b == b'/').map_or(text.len(), |len| pos + len);
            let component = &text[pos..end];
            if text[end..].iter().all(|&b| b == b'/') {
                let last = match component {
                    b"." => Last::Dot,
                    b".." => Last::DotDot,
                    name => Last::Name(name.to_vec()),
                };
                return Ok((last, end < text.len()));
            }
            let dir = self.at.clone();
            match component {
                b"." => {}
                b".." => self.dot_dot()?,
                name => {
                    if !self.step(name)? {
                        return Err(Errno::ENOENT.into());
                    }
                }
            }
            pos = end;
            if self.at.inode().is_symlink() {
                let mut link = self.follow(dir)?;
                if !link.is_empty() {
                    link.extend_from_slice(&text[end..]);
                    (text, pos) = (Cow::Owned(link), 0);
                    continue;
                }
            }
            if !self.at.inode().is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
        }
    }

    /// Walks to the end of `name`.
    #[doc(alias = "path_lookupat")]
    pub fn to_end(mut self, name: &[u8]) -> Result<Found, Error> {
        let mut text = name.to_vec();
        let mut must_be_dir = self.flags.contains(Lookup::DIRECTORY);
        loop {
            let (last, slashes) = self.to_parent(&text)?;
            must_be_dir |= slashes && last != Last::Root;
            let dir = self.at.clone();
            match last {
                Last::Dot | Last::Root => {}
                Last::DotDot => self.dot_dot()?,
                Last::Name(name) => {
                    if !self.step(&name)? {
                        return Err(Errno::ENOENT.into());
                    }
                }
            }
            let follow = self.flags.contains(Lookup::FOLLOW) || must_be_dir;
            if !(follow && self.at.inode().is_symlink()) {
                break;
            }
            text = self.follow(dir)?;
            if text.is_empty() {
                break;
            }
        }
        if must_be_dir && !self.at.inode().is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        Ok(Found { path: self.at, stat: self.stat })
    }

    /// Walks to the parent of `name`'s last component; a link there is not followed.
    #[doc(alias = "path_parentat")]
    pub fn to_last(mut self, name: &[u8]) -> Result<Parent, Error> {
        let (last, slashes) = self.to_parent(name)?;
        if !self.at.inode().is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        Ok(Parent { path: self.at, last, slashes })
    }

    /// One round of an open: walks to the parent. Links at the end are followed by [`Walk::follow_last`].
    pub fn open_parent(&mut self, name: &[u8]) -> Result<(Last, bool), Error> {
        self.to_parent(name)
    }

    /// Where the walk stands.
    pub fn at(&self) -> &Path {
        &self.at
    }

    /// Steps to the last component: what is there, or `None`. The walk stands at it afterwards.
    pub fn step_last(&mut self, last: &Last) -> Result<bool, Error> {
        match last {
            Last::Dot | Last::Root => Ok(true),
            Last::DotDot => self.dot_dot().map(|()| true),
            Last::Name(name) => self.step(name),
        }
    }

    /// Follows the link where the walk stands; the text to walk next (empty: already there).
    pub fn follow_last(&mut self, dir: Path) -> Result<Vec<u8>, Error> {
        self.follow(dir)
    }
}

/// The child `name` of a directory, with its attributes if they were read; a name longer than 255 bytes is refused.
#[doc(alias = "lookup_one_len")]
pub fn lookup_child(dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<(Arc<Dentry>, Option<Kstat>)>, Error> {
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    loop {
        if let Some(child) = dir.child(name) {
            match dir.inode().revalidate(&child) {
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
