//! The tree a world starts with.
//!
//! Mirrors: init/do_mounts.c, Linux 6.18.
//! Differs: there is no task yet; look-ups run with root's rights.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mount::MsFlags;
use acrida_uapi::stat::{S_IFDIR, S_IFSOCK};

use crate::drivers::base::devtmpfs;
use crate::drivers::tty::devpts;
use crate::fs::dcache::Path;
use crate::fs::hostfs::HostFs;
use crate::fs::namei::Walk;
use crate::fs::namespace::{Mount, MountNamespace};
use crate::fs::super_block::{Instance, file_system};
use crate::fs::tmpfs;
use crate::fs::tmpfs::inode::{Body, TmpInode};
use crate::ipc::mqueue;
use crate::kernel::cred::Cred;

/// Builds the tree for [`MountNamespace::new_world`].
struct Builder {
    tree: Arc<MountNamespace>,
    cred: Arc<Cred>,
}

/// See [`MountNamespace::new_world`].
pub fn build<'a>(mounts: &'a [Vec<u8>], sockets: &'a [Vec<u8>]) -> Result<Arc<MountNamespace>, Refused<'a>> {
    let host = HostFs::new().map_err(|error| Refused { mount: b"the host's files", error: error.into() })?;
    let builder = Builder { tree: MountNamespace::with_root(host, b"host"), cred: Arc::new(Cred::of_root()) };
    // A socket that is made later can be found only where the host's tree shows.
    let sockets: Vec<(&[u8], Path)> = sockets.iter().filter_map(|at| Some((&at[..], builder.find(at).ok()?))).collect();
    builder.our_own().map_err(|error| Refused { mount: b"what every world has", error })?;
    for mount in mounts {
        builder.add(mount).map_err(|error| Refused { mount, error })?;
    }
    for (at, socket) in sockets {
        builder.show(at, socket).map_err(|error| Refused { mount: at, error })?;
    }
    Ok(builder.tree)
}

/// A mount that could not be made.
pub struct Refused<'a> {
    /// As the user wrote it.
    pub mount: &'a [u8],
    pub error: Error,
}

impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mount = String::from_utf8_lossy(self.mount);
        match self.error {
            Error::Errno(Errno::ENODEV) => write!(f, "{mount}: no such type of file system; `acrida run --help` has them"),
            Error::Errno(Errno::ENOENT) => write!(f, "{mount}: no such file or directory; make the place first"),
            Error::Errno(Errno::ENOTDIR) => write!(f, "{mount}: a directory goes on a directory, a file on a file"),
            Error::Errno(Errno::EINVAL) => write!(f, "{mount}: write it as TYPE:[SOURCE:]PATH[:ro]"),
            Error::Errno(errno) => write!(f, "{mount}: {errno}"),
            Error::Restart(_) => write!(f, "{mount}: interrupted"),
        }
    }
}

impl Builder {
    fn find(&self, path: &[u8]) -> Result<Path, Error> {
        Ok(Walk::from(self.tree.root(), self.cred.clone()).to_end(path)?.path)
    }

    fn attach(&self, instance: Instance, source: &[u8], at: &[u8], flags: MsFlags) -> Result<(), Error> {
        let at = self.find(at)?;
        if at.inode().is_dir() != instance.root.inode().is_dir() {
            return Err(Errno::ENOTDIR.into());
        }
        let mount = Mount::new(instance.sb, instance.root, source, flags | MsFlags::MS_RELATIME);
        Ok(self.tree.attach(&mount, at)?)
    }

    /// Lets an object of the host be seen at its place although a file system of ours covers it.
    fn show(&self, at: &[u8], object: Path) -> Result<(), Error> {
        if self.find(at).is_ok_and(|found| Arc::ptr_eq(&found.dentry, &object.dentry)) {
            return Ok(());
        }
        let names: Vec<&[u8]> = at.split(|&b| b == b'/').filter(|name| !name.is_empty()).collect();
        let mut dir = self.tree.root();
        let mut path = Vec::new();
        for (index, name) in names.iter().enumerate() {
            path.extend_from_slice(b"/");
            path.extend_from_slice(name);
            if self.find(&path).is_err() {
                let ours = dir.inode().downcast_ref::<TmpInode>().ok_or(Errno::ENOENT)?;
                match index + 1 < names.len() || object.inode().is_dir() {
                    true => ours.plant(name, S_IFDIR | 0o755, Body::Directory(Default::default()))?,
                    false => ours.plant(name, S_IFSOCK | 0o600, Body::Special(0))?,
                }
            }
            dir = self.find(&path)?;
        }
        self.attach(Instance { sb: object.mnt.sb.clone(), root: object.dentry }, at, at, MsFlags::empty())
    }

    /// What every world has; left out where the host has no such directory.
    fn our_own(&self) -> Result<(), Error> {
        let restricted = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        let missing_is_fine = |result| match result {
            Err(error) if error == Errno::ENOENT || error == Errno::ENOTDIR => Ok(()),
            other => other,
        };
        if let Ok(dev) = self.find(b"/dev") {
            let dev = devtmpfs::mount(devtmpfs::host_dev(dev.inode(), &dev.dentry))?;
            self.attach(dev, b"devtmpfs", b"/dev", MsFlags::MS_NOSUID)?;
            let pts = devpts::mount(b"gid=5,mode=620,ptmxmode=666")?;
            self.attach(pts, b"devpts", b"/dev/pts", MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC)?;
            self.attach(
                mqueue::instance()?,
                b"mqueue",
                b"/dev/mqueue",
                MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
            )?;
            // Device nodes work there, as on hosts that mount it without restrictions.
            self.attach(tmpfs::mount(b"")?, b"tmpfs", b"/dev/shm", MsFlags::empty())?;
        }
        if let Ok(proc) = file_system(b"proc") {
            let instance = (proc.mount)(b"proc", b"")?;
            missing_is_fine(self.attach(instance, b"proc", b"/proc", restricted | MsFlags::MS_NOEXEC))?;
        }
        missing_is_fine(self.attach(tmpfs::mount(b"")?, b"tmpfs", b"/tmp", restricted))?;
        missing_is_fine(self.attach(tmpfs::mount(b"mode=755")?, b"tmpfs", b"/run", restricted))
    }

    /// `TYPE:[SOURCE:]PATH[:ro]`; TYPE is a file system's name, or `bind` for a part of the tree.
    fn add(&self, spec: &[u8]) -> Result<(), Error> {
        let mut parts: Vec<&[u8]> = spec.split(|&b| b == b':').collect();
        let mut flags = MsFlags::empty();
        if parts.last() == Some(&&b"ro"[..]) {
            flags |= MsFlags::MS_RDONLY;
            parts.pop();
        }
        let (kind, source, at) = match parts[..] {
            [kind, at] => (kind, &b""[..], at),
            [kind, source, at] => (kind, source, at),
            _ => return Err(Errno::EINVAL.into()),
        };
        if kind == b"bind" {
            let from = self.find(source)?;
            let instance = Instance { sb: from.mnt.sb.clone(), root: from.dentry };
            return self.attach(instance, source, at, flags);
        }
        let instance = (file_system(kind)?.mount)(source, b"")?;
        self.attach(instance, source, at, flags)
    }
}
