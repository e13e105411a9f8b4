//! devpts: the names of the slaves, and /dev/ptmx that makes pairs.
//!
//! Mirrors: fs/devpts/inode.c, drivers/tty/pty.c (`ptmx_open`), Linux 6.18.
//! Differs: the terminal the command was started on is shown under the number it has on the host, so that `ttyname` finds
//! it; no pair of ours gets that number.
//! Locking: `DevPts::slaves` and a node's attributes are leaf locks.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::dirent::DT_CHR;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IFCHR, S_IFDIR, new_decode_dev, new_encode_dev};
use acrida_uapi::statfs::{DEVPTS_SUPER_MAGIC, Statfs};
use zerocopy::FromZeros;

use crate::drivers::tty::host_tty::HostTty;
use crate::drivers::tty::master::Master;
use crate::drivers::tty::pty::{Pty, slave_index, slave_rdev};
use crate::fs::attr::current_time;
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::hostfs::inherited;
use crate::fs::inode::{Iattr, Inode, InodeCommon, Kstat, Looked, Mount, Owner};
use crate::fs::libfs::{dir_llseek, owner_of, simple_setattr};
use crate::fs::namespace::follow_mounts;
use crate::fs::readdir::DirContext;
use crate::fs::super_block::{FileSystemType, Instance, SuperBlock, anon_dev};
use crate::kernel::state::Kernel;
use crate::{current, kernel};

/// `mount -t devpts`; every mount is an instance of its own.
pub const DEVPTS: FileSystemType = FileSystemType { name: "devpts", needs_device: false, mount: |_, data| mount(data) };

const ROOT_INO: u64 = 1;
const PTMX_INO: u64 = 2;
const FIRST_SLAVE_INO: u64 = 3;
const PTMX_RDEV: u32 = new_encode_dev(5, 2);

#[doc(alias = "pts_mount_opts")]
#[derive(Clone, Debug)]
struct Options {
    uid: Option<u32>,
    gid: Option<u32>,
    mode: u32,
    ptmxmode: u32,
    max: u32,
}

impl Options {
    #[doc(alias = "parse_mount_options")]
    fn parse(data: &[u8]) -> Result<Options, Errno> {
        let mut options = Options { uid: None, gid: None, mode: 0o600, ptmxmode: 0, max: 1 << 20 };
        let text = core::str::from_utf8(data).map_err(|_| Errno::EINVAL)?;
        for item in text.split(',').filter(|item| !item.is_empty()) {
            let (name, value) = item.split_once('=').unwrap_or((item, ""));
            let number = |radix| u32::from_str_radix(value, radix).map_err(|_| Errno::EINVAL);
            match name {
                "uid" => options.uid = Some(number(10)?),
                "gid" => options.gid = Some(number(10)?),
                "mode" => options.mode = number(8)? & 0o7777,
                "ptmxmode" => options.ptmxmode = number(8)? & 0o7777,
                "max" => options.max = number(10)?,
                "newinstance" => {}
                _ => return Err(Errno::EINVAL),
            }
        }
        Ok(options)
    }
}

/// One instance.
#[doc(alias = "pts_fs_info")]
pub struct DevPts {
    dev: u32,
    options: Options,
    slaves: SpinLock<BTreeMap<u32, Arc<dyn Inode>>>,
    ptmx: Arc<dyn Inode>,
}

/// A new instance with `options`, as in `mount -o`.
pub fn mount(options: &[u8]) -> Result<Instance, Error> {
    let options = Options::parse(options)?;
    let dev = anon_dev();
    let ptmx = Arc::new(Node::new(dev, PTMX_INO, S_IFCHR | options.ptmxmode, (0, 0), PTMX_RDEV, None));
    let fs = Arc::new(DevPts { dev, options, slaves: SpinLock::default(), ptmx });
    let root = Arc::new(Root { common: InodeCommon::new(dev, ROOT_INO), fs: fs.clone() });
    Ok(Instance { sb: fs, root: Dentry::root(root) })
}

impl DevPts {
    /// A new pair with the lowest free number.
    #[doc(alias = "devpts_new_index")]
    fn new_pair(&self) -> Result<Arc<Pty>, Errno> {
        let cred = current().cred();
        let mut slaves = self.slaves.lock();
        let index = (0..self.options.max).find(|index| !slaves.contains_key(index)).ok_or(Errno::ENOSPC)?;
        let pty = Pty::new(index, kernel());
        let ids = (self.options.uid.unwrap_or(cred.fsuid), self.options.gid.unwrap_or(cred.fsgid));
        let ino = FIRST_SLAVE_INO + u64::from(index);
        let node = Node::new(self.dev, ino, S_IFCHR | self.options.mode, ids, slave_rdev(index), Some(pty.clone()));
        slaves.insert(index, Arc::new(node));
        Ok(pty)
    }

    /// The slave's name goes.
    #[doc(alias = "devpts_pty_kill")]
    pub fn forget(&self, index: u32) {
        let gone = self.slaves.lock().remove(&index);
        drop(gone);
    }

    fn find(&self, name: &[u8]) -> Option<Arc<dyn Inode>> {
        if name == b"ptmx" {
            return Some(self.ptmx.clone());
        }
        let text = core::str::from_utf8(name).ok()?;
        let index: u32 = text.parse().ok()?;
        // One name each: no "+1", no "01".
        (format!("{index}") == text).then(|| self.slaves.lock().get(&index).cloned())?
    }
}

impl SuperBlock for DevPts {
    fn type_name(&self) -> &'static str {
        "devpts"
    }

    fn statfs(&self, _dentry: &Dentry) -> Result<Statfs, Error> {
        let mut out = Statfs::new_zeroed();
        (out.f_type, out.f_bsize, out.f_namelen) = (DEVPTS_SUPER_MAGIC, 4096, 255);
        Ok(out)
    }

    fn show_options(&self, out: &mut String) {
        if let Some(gid) = self.options.gid {
            *out += &format!(",gid={gid}");
        }
        *out += &format!(",mode={:03o},ptmxmode={:03o}", self.options.mode, self.options.ptmxmode);
    }
}

fn instance_at(mount: &Arc<Mount>) -> Option<Arc<DevPts>> {
    let any: Arc<dyn core::any::Any + Send + Sync> = mount.sb.clone();
    any.downcast().ok()
}

/// The instance a ptmx node belongs to: its own, or the one mounted at `pts` beside it.
#[doc(alias = "devpts_acquire")]
fn instance_of(ptmx: &Path) -> Option<(Arc<DevPts>, Arc<Mount>)> {
    if let Some(own) = instance_at(&ptmx.mnt) {
        return Some((own, ptmx.mnt.clone()));
    }
    let dentry = ptmx.dentry.parent()?.child(b"pts")?;
    let at = follow_mounts(Path { mnt: ptmx.mnt.clone(), dentry });
    Some((instance_at(&at.mnt)?, at.mnt))
}

/// /dev/ptmx: a new pair, seen from its master.
#[doc(alias = "ptmx_open")]
pub fn open_ptmx(path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
    let (devpts, mount) = instance_of(path).ok_or(Errno::ENODEV)?;
    let pty = devpts.new_pair()?;
    Ok(Arc::new(Master::new(pty, devpts, mount)))
}

/// Where the slave `index` is seen.
pub fn slave_path(mount: &Arc<Mount>, devpts: &DevPts, index: u32) -> Option<Path> {
    let inode = devpts.slaves.lock().get(&index).cloned()?;
    let dentry = mount.root.add_made(format!("{index}").as_bytes(), inode);
    Some(Path { mnt: mount.clone(), dentry })
}

/// Shows the command's terminal in /dev/pts, if it is a pseudo-terminal of the host.
pub fn show_host_tty(kernel: &Kernel, tty: &HostTty) {
    let (major, minor) = new_decode_dev(tty.device());
    let Some(index) = slave_index(major, minor) else { return };
    let name = format!("/dev/pts/{index}");
    let Ok(inode) = inherited::inode_of_terminal(name.as_bytes(), tty.device()) else { return };
    kernel.mounts.for_each(|mount| {
        if let Some(devpts) = instance_at(mount) {
            devpts.slaves.lock().insert(index, inode.clone());
        }
    });
}

/// A device node: a slave, or ptmx.
struct Node {
    common: InodeCommon,
    attr: SpinLock<Kstat>,
    pty: Option<Arc<Pty>>,
}

impl Node {
    fn new(dev: u32, ino: u64, mode: u32, (uid, gid): (u32, u32), rdev: u32, pty: Option<Arc<Pty>>) -> Node {
        let now = current_time();
        let times = Kstat { atime: now, mtime: now, ctime: now, ..Kstat::default() };
        let attr = Kstat { dev, ino, nlink: 1, mode, uid, gid, rdev, blksize: 1024, ..times };
        Node { common: InodeCommon::new(dev, ino), attr: SpinLock::new(attr), pty }
    }
}

impl Inode for Node {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        owner_of(&self.attr)
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(*self.attr.lock())
    }

    fn setattr(&self, _dentry: &Dentry, change: &Iattr) -> Result<(), Error> {
        // A device has no size to set.
        simple_setattr(&self.attr, &Iattr { size: None, ..*change });
        Ok(())
    }

    fn open(&self, path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        match &self.pty {
            Some(pty) => pty.open_slave(flags),
            None => open_ptmx(path, flags),
        }
    }
}

/// The directory.
struct Root {
    common: InodeCommon,
    fs: Arc<DevPts>,
}

impl Inode for Root {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        Owner { mode: S_IFDIR | 0o755, uid: 0, gid: 0 }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        let (common, now) = (&self.common, current_time());
        let times = Kstat { atime: now, mtime: now, ctime: now, ..Kstat::default() };
        Ok(Kstat { dev: common.dev, ino: common.ino, nlink: 2, mode: S_IFDIR | 0o755, blksize: 1024, ..times })
    }

    fn lookup(&self, _dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        Ok(self.fs.find(name).map(Looked::from))
    }

    fn revalidate(&self, child: &Dentry, _name: &[u8], _now: u64) -> Revalidated {
        match self.fs.find(&child.name()) {
            Some(inode) if Arc::ptr_eq(&inode, child.inode()) => Revalidated::Valid(None),
            _ => Revalidated::Stale,
        }
    }

    fn open(&self, _path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        Ok(Arc::new(Listing(self.fs.clone())))
    }
}

/// The open directory. Positions: `.`, `..`, ptmx, then a slave's number and [`Listing::FIRST`].
struct Listing(Arc<DevPts>);

impl Listing {
    const FIRST: u64 = 3;
}

impl FileOperations for Listing {
    fn read(&self, _file: &FileRef, _to: &mut crate::fs::iov_iter::IovIter<'_>, _pos: &mut u64) -> crate::abi::SysResult {
        Err(Errno::EISDIR.into())
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        dir_llseek(file, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn iterate(&self, _file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        use acrida_uapi::dirent::DT_DIR;
        let fixed: [(&[u8], u64, u8); 3] = [(b".", ROOT_INO, DT_DIR), (b"..", ROOT_INO, DT_DIR), (b"ptmx", PTMX_INO, DT_CHR)];
        for (at, (name, ino, kind)) in (0u64..).zip(fixed) {
            if ctx.pos == at && !ctx.emit(name, ino, kind, at + 1) {
                return Ok(());
            }
        }
        let from = u32::try_from(ctx.pos.saturating_sub(Self::FIRST)).unwrap_or(u32::MAX);
        let indices: Vec<u32> = self.0.slaves.lock().range(from..).map(|(&index, _)| index).collect();
        for index in indices {
            let next = Self::FIRST + u64::from(index) + 1;
            if !ctx.emit(format!("{index}").as_bytes(), FIRST_SLAVE_INO + u64::from(index), DT_CHR, next) {
                break;
            }
        }
        Ok(())
    }
}
