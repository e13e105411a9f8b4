//! Descriptors the world was started with: standard input, output and error.
//!
//! Mirrors: nothing in Linux.
//! Differs: their open file descriptions are shared with the programs outside (a shell, `tee`), so status flags are kept
//! on our side only, and the position is the host's.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{F_GETFL, SEEK_CUR};
use acrida_uapi::poll::{POLLERR, POLLHUP, POLLIN, POLLOUT};
use acrida_uapi::stat::{S_IFDIR, S_IFMT, S_IFREG};

use crate::abi::SysResult;
use crate::drivers::tty::host_tty::{self, HostTty};
use crate::fs::attr::{Iattr, Kstat, Owner};
use crate::fs::dcache::Dentry;
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::hostfs::file::{self, HOST_POSITION};
use crate::fs::hostfs::handle::HostHandle;
use crate::fs::hostfs::inode::Spot;
use crate::fs::hostfs::watch;
use crate::fs::inode::{Inode, InodeCommon, Path};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;
use crate::host;
use crate::host::io::{Blocking, Direction};
use crate::mm::{MapBacking, MmapRequest};

/// An open file over a descriptor that came from outside; takes it over.
pub fn wrap_inherited(fd: HostFd) -> Result<FileRef, Error> {
    let flags = host::fs::fcntl(fd, F_GETFL, 0)? as u32;
    let handle = Arc::new(HostHandle::new(fd));
    let stat = host::fs::statx(fd, b"")?;
    let name = host::fs::readlinkat(HostFd::CWD, &host::fs::fd_path(fd, b"")).unwrap_or_default();
    let inode = inode_of(&handle)?;
    let seekable = matches!(stat.mode & S_IFMT, S_IFREG | S_IFDIR) && host::fs::lseek(fd, 0, SEEK_CUR).is_ok();
    let path = Path { mnt: crate::kernel().anon_mount.clone(), dentry: Dentry::anonymous(&name, inode) };
    Ok(File::of_path(Arc::new(Inherited { handle, seekable, tty: host_tty::of_device(stat.rdev) }), flags, path))
}

/// The inode behind a descriptor that came from outside.
fn inode_of(handle: &Arc<HostHandle>) -> Result<Arc<dyn Inode>, Error> {
    let stat = host::fs::statx(handle.fd(), b"")?;
    let owner = Owner { mode: stat.mode, uid: stat.uid, gid: stat.gid };
    Ok(Arc::new(InheritedInode { common: InodeCommon::new(stat.dev, stat.ino), handle: handle.clone(), owner }))
}

/// The inode of the terminal `name` of the host with this device number.
pub fn inode_of_terminal(name: &[u8], device: u32) -> Result<Arc<dyn Inode>, Error> {
    use acrida_uapi::fcntl::{O_NOCTTY, O_RDWR};
    let fd = host::fs::openat(HostFd::CWD, name, O_RDWR | O_NOCTTY, 0)?;
    let handle = Arc::new(HostHandle::new(fd));
    if host::fs::statx(fd, b"")?.rdev != device {
        return Err(Errno::ENODEV.into());
    }
    inode_of(&handle)
}

/// The inode of an inherited descriptor, known only through it.
struct InheritedInode {
    common: InodeCommon,
    handle: Arc<HostHandle>,
    owner: Owner,
}

impl InheritedInode {
    fn spot(&self) -> Spot {
        Spot::of_handle(self.handle.clone())
    }
}

impl Inode for InheritedInode {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        self.owner
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(host::fs::statx(self.handle.fd(), b"")?)
    }

    fn checks_itself(&self) -> bool {
        true
    }

    fn setattr(&self, _dentry: &Dentry, attr: &Iattr) -> Result<(), Error> {
        Ok(self.spot().set_attributes(self.kind(), attr)?)
    }

    fn getxattr(&self, _dentry: &Dentry, name: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(host::xattr::get(&self.spot().path(), name)?)
    }

    fn setxattr(&self, _dentry: &Dentry, name: &[u8], value: &[u8], flags: u32) -> Result<(), Error> {
        Ok(host::xattr::set(&self.spot().path(), name, value, flags)?)
    }

    fn listxattr(&self, _dentry: &Dentry) -> Result<Vec<u8>, Error> {
        Ok(host::xattr::list(&self.spot().path())?)
    }

    fn removexattr(&self, _dentry: &Dentry, name: &[u8]) -> Result<(), Error> {
        Ok(host::xattr::remove(&self.spot().path(), name)?)
    }

    /// A fresh open of the same object, as through /proc/self/fd.
    fn open(&self, _path: &Path, flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let path = host::fs::fd_path(self.handle.fd(), b"");
        let fd = host::fs::openat_blocking(HostFd::CWD, &path, file::host_flags(flags))?;
        let seekable = matches!(self.owner.mode & S_IFMT, S_IFREG | S_IFDIR);
        let tty = host::fs::statx(fd, b"").ok().and_then(|stat| host_tty::of_device(stat.rdev));
        Ok(Arc::new(Inherited { handle: Arc::new(HostHandle::new(fd)), seekable, tty }))
    }
}

/// An open file over an inherited descriptor.
pub struct Inherited {
    handle: Arc<HostHandle>,
    seekable: bool,
    /// Set when it is the world's terminal.
    tty: Option<Arc<HostTty>>,
}

impl Inherited {
    /// Over the world's terminal.
    pub fn terminal(handle: Arc<HostHandle>, tty: Arc<HostTty>) -> Inherited {
        Inherited { handle, seekable: false, tty: Some(tty) }
    }

    /// Our file may be non-blocking while the shared description is not.
    fn check_ready(&self, file: &File, wanted: u16) -> Result<(), Errno> {
        if self.seekable || !file.nonblocking() {
            return Ok(());
        }
        let now = watch::poll_now(self.handle.fd(), wanted | POLLERR | POLLHUP);
        if now == 0 { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    fn blocking(&self) -> Blocking {
        if self.seekable { Blocking::Never } else { Blocking::Interruptible }
    }
}

impl FileOperations for Inherited {
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        if let Some(tty) = &self.tty {
            tty.check_read()?;
        }
        self.check_ready(file, POLLIN)?;
        file::transfer(self.handle.fd(), to, Direction::Read, pos, self.seekable, self.blocking())
    }

    fn write(&self, file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        if let Some(tty) = &self.tty {
            tty.check_write()?;
        }
        self.check_ready(file, POLLOUT)?;
        file::transfer(self.handle.fd(), from, Direction::Write, pos, self.seekable, self.blocking())
    }

    fn llseek(&self, _file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        Ok(host::fs::lseek(self.handle.fd(), offset, file::seek_number(whence))?)
    }

    fn start_pos(&self) -> u64 {
        HOST_POSITION
    }

    fn seekable(&self) -> bool {
        self.seekable
    }

    fn can_odirect(&self) -> bool {
        self.seekable
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        (!self.seekable).then(|| file::poll(self.handle.fd(), table))
    }

    fn can_poll(&self) -> bool {
        !self.seekable
    }

    fn ioctl(&self, file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        if let Some(answer) = self.tty.as_ref().and_then(|tty| tty.ioctl(file, cmd, arg)) {
            return answer;
        }
        Ok(host::io::ioctl(self.handle.fd(), cmd, arg, self.blocking()).map_err(file::restart)?)
    }

    fn mmap(&self, _file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        if !self.seekable {
            return Err(Errno::ENODEV.into());
        }
        Ok(MapBacking::Host(self.handle.fd(), request.offset))
    }

    fn fsync(&self, _file: &FileRef, datasync: bool) -> Result<(), Error> {
        let nr = if datasync { acrida_uapi::nr::fdatasync } else { acrida_uapi::nr::fsync };
        Ok(host::fs::sync_call(nr, self.handle.fd())?)
    }

    fn fallocate(&self, _file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        Ok(host::fs::fallocate(self.handle.fd(), mode, offset, len)?)
    }

    fn truncate(&self, _file: &FileRef, len: u64) -> Result<(), Error> {
        Ok(host::fs::ftruncate(self.handle.fd(), len)?)
    }

    fn iterate(&self, _file: &FileRef, ctx: &mut crate::fs::readdir::DirContext<'_>) -> Result<(), Error> {
        super::dir::iterate(self.handle.fd(), ctx)
    }

    fn stat(&self, _file: &File) -> Result<Kstat, Error> {
        Ok(host::fs::statx(self.handle.fd(), b"")?)
    }

    fn link_name(&self, file: &File) -> Option<String> {
        let path = file.path.as_ref()?;
        Some(String::from_utf8_lossy(&path.dentry.name()).into_owned())
    }

    fn host_fd(&self) -> Option<HostFd> {
        Some(self.handle.fd())
    }
}
