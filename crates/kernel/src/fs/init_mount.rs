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

/// Our own file systems that cover a directory of the host: empty in every world, and gone with it.
const COVERS: [(&[u8], &[u8], MsFlags); 3] = [
    // Device nodes work there, as on hosts that mount it without restrictions.
    (b"/dev/shm", b"", MsFlags::empty()),
    (b"/tmp", b"", RESTRICTED),
    (b"/run", b"mode=755", RESTRICTED),
];

const RESTRICTED: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// The directory of every world's own that hides the host's `path`.
pub fn covered_by(path: &[u8]) -> Option<&'static str> {
    let below = |place: &[u8]| path.strip_prefix(place).is_some_and(|rest| rest.first() == Some(&b'/'));
    COVERS.iter().find(|cover| below(cover.0)).and_then(|cover| core::str::from_utf8(cover.0).ok())
}

/// See [`MountNamespace::new_world`].
pub fn build<'a>(mounts: &'a [Vec<u8>], sockets: &'a [Vec<u8>]) -> Result<Arc<MountNamespace>, Refused<'a>> {
    let host = HostFs::new().map_err(|error| Refused { mount: b"the host's files", error: error.into() })?;
    let builder = Builder { tree: MountNamespace::with_root(host, b"host"), cred: Arc::new(Cred::of_root()) };
    // What is of the host is found while nothing of ours covers it. A socket that is made later can be found only where
    // the host's tree shows.
    let sockets: Vec<(&[u8], Path)> = sockets.iter().filter_map(|at| Some((&at[..], builder.find(at).ok()?))).collect();
    let wanted = |spec: &'a Vec<u8>| builder.wanted(spec).map_err(|error| Refused { mount: spec, error });
    let wanted: Vec<Wanted<'_>> = mounts.iter().map(wanted).collect::<Result<_, _>>()?;
    builder.our_own().map_err(|error| Refused { mount: b"what every world has", error })?;
    for (spec, wanted) in mounts.iter().zip(wanted) {
        builder.add(wanted).map_err(|error| Refused { mount: spec, error })?;
    }
    for (at, socket) in sockets {
        builder.show(at, socket).map_err(|error| Refused { mount: at, error })?;
    }
    Ok(builder.tree)
}

/// A mount that the user asked for: `TYPE:[SOURCE:]PATH[:ro]`.
struct Wanted<'a> {
    source: &'a [u8],
    at: &'a [u8],
    flags: MsFlags,
    what: What<'a>,
}

/// What is mounted.
enum What<'a> {
    /// `host`: a part of the host's tree, also one that the world's own file systems cover.
    Host(Path),
    /// `bind`: a part of the world's tree.
    Bind,
    /// A file system's name.
    Kind(&'a [u8]),
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
            Error::Errno(Errno::ENOENT) => write!(f, "{mount}: no such file or directory; make it first"),
            Error::Errno(Errno::ENOTDIR) => write!(f, "{mount}: a directory goes on a directory, a file on a file"),
            Error::Errno(Errno::EINVAL) => write!(f, "{mount}: write it as TYPE:[SOURCE:]PATH[:ro], the paths from the root"),
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

    /// Lets a socket of the host be seen at its place although a file system of ours covers it.
    fn show(&self, at: &[u8], socket: Path) -> Result<(), Error> {
        if self.find(at).is_ok_and(|found| Arc::ptr_eq(&found.dentry, &socket.dentry)) {
            return Ok(());
        }
        self.attach_part(socket, at, at, MsFlags::empty())
    }

    /// Mounts a part of a tree; its place is made where a file system of ours lacks it.
    fn attach_part(&self, part: Path, source: &[u8], at: &[u8], flags: MsFlags) -> Result<(), Error> {
        self.make_place(at, part.inode().is_dir())?;
        self.attach(Instance { sb: part.mnt.sb.clone(), root: part.dentry }, source, at, flags)
    }

    /// Makes the names of `at` that are missing in a tmpfs.
    fn make_place(&self, at: &[u8], is_dir: bool) -> Result<(), Error> {
        let names: Vec<&[u8]> = at.split(|&b| b == b'/').filter(|name| !name.is_empty()).collect();
        let mut dir = self.tree.root();
        let mut path = Vec::new();
        for (index, name) in names.iter().enumerate() {
            path.extend_from_slice(b"/");
            path.extend_from_slice(name);
            if self.find(&path).is_err() {
                let ours = dir.inode().downcast_ref::<TmpInode>().ok_or(Errno::ENOENT)?;
                match index + 1 < names.len() || is_dir {
                    true => ours.plant(name, S_IFDIR | 0o755, Body::Directory(Default::default()))?,
                    // Never seen: what goes there covers it.
                    false => ours.plant(name, S_IFSOCK | 0o600, Body::Special(0))?,
                }
            }
            dir = self.find(&path)?;
        }
        Ok(())
    }

    /// What every world has; left out where the host has no such directory.
    fn our_own(&self) -> Result<(), Error> {
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
        }
        if let Ok(proc) = file_system(b"proc") {
            let instance = (proc.mount)(b"proc", b"")?;
            missing_is_fine(self.attach(instance, b"proc", b"/proc", RESTRICTED | MsFlags::MS_NOEXEC))?;
        }
        for (at, options, flags) in COVERS {
            missing_is_fine(self.attach(tmpfs::mount(options)?, b"tmpfs", at, flags))?;
        }
        Ok(())
    }

    fn wanted<'a>(&self, spec: &'a [u8]) -> Result<Wanted<'a>, Error> {
        let mut parts: Vec<&[u8]> = spec.split(|&b| b == b':').collect();
        let mut flags = MsFlags::empty();
        if parts.last() == Some(&&b"ro"[..]) {
            flags |= MsFlags::MS_RDONLY;
            parts.pop();
        }
        let (kind, source, at) = match parts[..] {
            [b"host", at] => (&b"host"[..], at, at),
            [kind, at] => (kind, &b""[..], at),
            [kind, source, at] => (kind, source, at),
            _ => return Err(Errno::EINVAL.into()),
        };
        if !at.starts_with(b"/") {
            return Err(Errno::EINVAL.into());
        }
        let what = match kind {
            b"host" => What::Host(self.find(source)?),
            b"bind" => What::Bind,
            _ => What::Kind(kind),
        };
        Ok(Wanted { source, at, flags, what })
    }

    fn add(&self, Wanted { source, at, flags, what }: Wanted<'_>) -> Result<(), Error> {
        match what {
            What::Host(part) => self.attach_part(part, source, at, flags),
            What::Bind => self.attach_part(self.find(source)?, source, at, flags),
            What::Kind(kind) => {
                let instance = (file_system(kind)?.mount)(source, b"")?;
                self.make_place(at, instance.root.inode().is_dir())?;
                self.attach(instance, source, at, flags)
            }
        }
    }
}
