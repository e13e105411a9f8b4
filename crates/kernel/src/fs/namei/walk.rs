//! One walk along a path, component by component.
//!
//! Mirrors: fs/namei.c (`nameidata`, `link_path_walk`, `path_lookupat`), Linux 6.18.
//! Differs: one mode of walking (with references); a symbolic link's text is put in front of what is left of the path. The
//! mount of where the walk stands is counted once, not once a component; the time is asked once.
//! Locking: none of its own; a component's answer may be outdated at once, as on Linux.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::limits::{MAXSYMLINKS, NAME_MAX};
use acrida_uapi::mount::MsFlags;
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFMT};

use super::moves::Moves;
use super::{Found, Last, Lookup, Parent, lookup_child_at, monotonic};
use crate::current;
use crate::fs::dcache::{Dentry, Path};
use crate::fs::inode::{Kstat, Link, MAY_EXEC, Mount};
use crate::fs::namespace::follow_mounts;
use crate::kernel::cred::Cred;

/// What a walk is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Place,
    Attributes,
}

/// What `statx` shows of the mount.
pub struct PlaceInMount {
    pub mnt: Arc<Mount>,
    pub is_root: bool,
}

impl From<Path> for PlaceInMount {
    fn from(path: Path) -> Self {
        PlaceInMount { is_root: path.is_mount_root(), mnt: path.mnt }
    }
}

/// What became of a step to the last component.
pub enum Stepped {
    /// There is no such name.
    Missing,
    /// `.`, `..` or the root: no link can be there.
    Around,
    /// A name; the directory that the walk left.
    Down(Arc<Dentry>),
}

/// A walk in progress.
#[doc(alias = "nameidata")]
pub struct Walk {
    /// Fetched when it is needed first.
    root: Option<Path>,
    /// When a walk began that may not leave `root`.
    #[doc(alias = "LOOKUP_IS_SCOPED")]
    scope: Option<Moves>,
    at: Path,
    stat: Option<Kstat>,
    flags: Lookup,
    links: usize,
    cred: Arc<Cred>,
    /// Monotonic time of the start, ns.
    now: u64,
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
        let scope = scoped.then(Moves::look);
        let absolute = name.first() == Some(&b'/');
        if absolute && flags.contains(Lookup::BENEATH) {
            return Err(Errno::EXDEV.into());
        }
        let at = if absolute && !scoped {
            task.fs.read(|fs| fs.root())
        } else if dfd == AT_FDCWD {
            task.fs.read(|fs| fs.pwd())
        } else {
            let file = task.files().get_any(dfd)?;
            let path = crate::fs::anon_inodes::path_of(&file);
            if !name.is_empty() && !path.inode().is_dir() {
                return Err(Errno::ENOTDIR.into());
            }
            path
        };
        let root = scoped.then(|| at.clone());
        Ok(Walk { root, scope, at, stat: None, flags, links: 0, cred, now: monotonic() })
    }

    /// Stands at a path, for the kernel's own look-ups (boot): `root` is the root, no task is needed.
    pub fn from(root: Path, cred: Arc<Cred>) -> Walk {
        Walk {
            at: root.clone(),
            root: Some(root),
            scope: None,
            stat: None,
            flags: Lookup::FOLLOW,
            links: 0,
            cred,
            now: monotonic(),
        }
    }

    pub fn cred(&self) -> &Arc<Cred> {
        &self.cred
    }

    #[doc(alias = "set_root")]
    fn root(&mut self) -> &Path {
        self.root.get_or_insert_with(|| current().fs.read(|fs| fs.root()))
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
        let up = match self.above()? {
            Some(up) => up,
            None if self.flags.contains(Lookup::BENEATH) => return Err(Errno::EXDEV.into()),
            None => self.at.clone(),
        };
        self.enter(follow_mounts(up))?;
        // The last step may have led out of the root.
        if self.scope.is_some_and(Moves::happened) { Err(Errno::EAGAIN.into()) } else { Ok(()) }
    }

    /// The directory above; `None` at a root.
    fn above(&mut self) -> Result<Option<Path>, Errno> {
        let mut at = self.at.clone();
        while at != *self.root() {
            if at.is_mount_root() {
                let Some(place) = at.mnt.place() else { return Ok(None) };
                at = place;
                continue;
            }
            let Some(parent) = at.dentry.parent() else { return Ok(None) };
            at.dentry = parent;
            // It may have been moved out of the part that the mount shows.
            return if at.is_connected() { Ok(Some(at)) } else { Err(Errno::ENOENT) };
        }
        Ok(None)
    }

    /// Whether the walk may stay where it stands: what it went through may have been moved out of its root.
    #[doc(alias = "complete_walk")]
    pub fn complete(&self) -> Result<(), Errno> {
        match &self.root {
            Some(root) if self.scope.is_some() && !self.at.is_at_or_below(root) => Err(Errno::EXDEV),
            _ => Ok(()),
        }
    }

    fn may_lookup(&self) -> Result<(), Error> {
        let inode = self.at.inode();
        if inode.kind() != S_IFDIR {
            return Err(Errno::ENOTDIR.into());
        }
        inode.permission(&self.at.dentry, &self.cred, MAY_EXEC)
    }

    /// Steps to `name` without following a link; gives the directory it left, `None` when there is nothing of that name.
    fn step(&mut self, name: &[u8]) -> Result<Option<Arc<Dentry>>, Error> {
        let Some((dentry, stat)) = lookup_child_at(&self.at.dentry, name, self.now)? else { return Ok(None) };
        self.stat = stat;
        let mounted = dentry.is_mountpoint();
        // The mount stays as it is: its reference count is everybody's.
        let dir = core::mem::replace(&mut self.at.dentry, dentry);
        if mounted {
            self.enter_mounts()?;
        }
        Ok(Some(dir))
    }

    /// Goes to the top of what is mounted where the walk stands.
    #[doc(alias = "traverse_mounts")]
    fn enter_mounts(&mut self) -> Result<(), Error> {
        while let Some(mount) = self.at.mnt.child_at(&self.at.dentry) {
            if self.flags.contains(Lookup::NO_XDEV) {
                return Err(Errno::EXDEV.into());
            }
            self.stat = None;
            self.at = Path { dentry: mount.root.clone(), mnt: mount };
        }
        Ok(())
    }

    /// Follows the link `self.at`, found in `dir` of the same mount; gives the text that must be walked now.
    #[doc(alias = "pick_link")]
    fn follow(&mut self, dir: Arc<Dentry>) -> Result<Vec<u8>, Error> {
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
                self.at.dentry = dir;
                if text[0] == b'/' {
                    if self.flags.contains(Lookup::BENEATH) {
                        return Err(Errno::EXDEV.into());
                    }
                    let root = self.root().clone();
                    self.enter(root)?;
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
            let dir = match component {
                b"." => None,
                b".." => {
                    self.dot_dot()?;
                    None
                }
                name => Some(self.step(name)?.ok_or(Errno::ENOENT)?),
            };
            pos = end;
            if let Some(dir) = dir
                && self.at.inode().kind() == S_IFLNK
            {
                let mut link = self.follow(dir)?;
                if !link.is_empty() {
                    link.extend_from_slice(&text[end..]);
                    (text, pos) = (Cow::Owned(link), 0);
                }
            }
        }
    }

    /// Walks to the end of `name`.
    #[doc(alias = "path_lookupat")]
    pub fn to_end(mut self, name: &[u8]) -> Result<Found, Error> {
        self.walk(name, Wanted::Place)?;
        Ok(Found { path: self.at, stat: self.stat })
    }

    /// The attributes of what is at the end of `name`, and its mount.
    pub fn to_attributes(mut self, name: &[u8]) -> Result<(Kstat, PlaceInMount), Error> {
        if let Some(stat) = self.walk(name, Wanted::Attributes)? {
            return Ok((stat, PlaceInMount { mnt: self.at.mnt, is_root: false }));
        }
        let stat = match self.stat {
            Some(stat) => stat,
            None => self.at.stat()?,
        };
        Ok((stat, self.at.into()))
    }

    /// Attributes are given only if they are wanted and could be had from the directory, where the walk stands then.
    fn walk(&mut self, name: &[u8], wanted: Wanted) -> Result<Option<Kstat>, Error> {
        let mut text = Cow::Borrowed(name);
        let mut must_be_dir = self.flags.contains(Lookup::DIRECTORY);
        loop {
            let (last, slashes) = self.to_parent(&text)?;
            must_be_dir |= slashes && last != Last::Root;
            if wanted == Wanted::Attributes
                && !must_be_dir
                && let Last::Name(name) = &last
                && let Some(stat) = self.stat_child(name)?
            {
                return Ok(Some(stat));
            }
            let dir = match self.step_last(&last)? {
                Stepped::Missing => return Err(Errno::ENOENT.into()),
                Stepped::Around => break,
                Stepped::Down(dir) => dir,
            };
            let follow = self.flags.contains(Lookup::FOLLOW) || must_be_dir;
            if !follow || self.at.inode().kind() != S_IFLNK {
                break;
            }
            text = Cow::Owned(self.follow(dir)?);
            if text.is_empty() {
                break;
            }
        }
        if must_be_dir && !self.at.inode().is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        self.complete()?;
        Ok(None)
    }

    /// The attributes of `name` in the directory where the walk stands, without a step. What is cached may be a link to follow
    /// or a mount point, and is looked up for nothing.
    fn stat_child(&self, name: &[u8]) -> Result<Option<Kstat>, Error> {
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG.into());
        }
        let dir = &self.at.dentry;
        if dir.child(name).is_some() {
            return Ok(None);
        }
        let stat = dir.inode().stat_child(dir, name)?;
        let is_link = |stat: &Kstat| stat.mode & S_IFMT == S_IFLNK;
        Ok(stat.filter(|stat| !(self.flags.contains(Lookup::FOLLOW) && is_link(stat))))
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

    /// Steps to the last component.
    pub fn step_last(&mut self, last: &Last) -> Result<Stepped, Error> {
        match last {
            Last::Dot | Last::Root => {}
            Last::DotDot => self.dot_dot()?,
            Last::Name(name) => return Ok(self.step(name)?.map_or(Stepped::Missing, Stepped::Down)),
        }
        Ok(Stepped::Around)
    }

    /// Follows the link where the walk stands, found in `dir`; the text to walk next (empty: already there).
    pub fn follow_last(&mut self, dir: Arc<Dentry>) -> Result<Vec<u8>, Error> {
        self.follow(dir)
    }
}
