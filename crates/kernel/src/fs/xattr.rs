//! Extended attributes for the guest.
//!
//! Mirrors: fs/xattr.c, Linux 6.18.
//! Differs: the `*xattrat` calls are served through the same functions.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::limits::{XATTR_LIST_MAX, XATTR_NAME_MAX, XATTR_SIZE_MAX};
use acrida_uapi::stat::{S_IFDIR, S_IFREG, S_ISVTX};
use acrida_uapi::xattr::{XATTR_CREATE, XATTR_REPLACE};
use alloc::vec::Vec;

use crate::abi::{Fd, Flags, SysResult, UserPath};
use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::attr::owner_or_capable;
use crate::fs::dcache::Path;
use crate::fs::inode::{MAY_READ, MAY_WRITE};
use crate::fs::namei::user_path_at;
use crate::fs::notify::fsnotify;

fn read_name(name: UserAddr) -> Result<Vec<u8>, Errno> {
    let name = name.read_cstr(XATTR_NAME_MAX + 1, Errno::ERANGE)?;
    if name.is_empty() { Err(Errno::ERANGE) } else { Ok(name) }
}

/// Who may touch which name space.
#[doc(alias = "xattr_permission")]
fn may_use(path: &Path, name: &[u8], mask: u32) -> Result<(), Error> {
    let writes = mask & MAY_WRITE != 0;
    if writes {
        path.mnt.want_write()?;
    }
    let inode = path.inode();
    let cred = current().cred();
    let refused = |errno| Err(Error::from(if writes { Errno::EPERM } else { errno }));
    // Also on the host's files: this capability is ours, the host thread may still have it.
    if name.starts_with(b"trusted.") {
        return if cred.capable(CAP_SYS_ADMIN) { Ok(()) } else { refused(Errno::ENODATA) };
    }
    if inode.checks_itself() || name.starts_with(b"security.") || name.starts_with(b"system.") {
        return Ok(());
    }
    if name.starts_with(b"user.") {
        if !matches!(inode.kind(), S_IFREG | S_IFDIR) {
            return refused(Errno::ENODATA);
        }
        let owner = inode.owner();
        if inode.is_dir() && owner.mode & S_ISVTX != 0 && writes && !owner_or_capable(&cred, owner) {
            return Err(Errno::EPERM.into());
        }
    }
    inode.permission(&path.dentry, &cred, mask)
}

/// What `setxattr` gets besides the place; read before the place is looked for.
struct Change {
    name: Vec<u8>,
    value: Vec<u8>,
    flags: u32,
}

impl Change {
    #[doc(alias = "setxattr_copy")]
    fn read(name: UserAddr, value: UserAddr, size: usize, flags: u32) -> Result<Change, Errno> {
        if flags & !(XATTR_CREATE | XATTR_REPLACE) != 0 {
            return Err(Errno::EINVAL);
        }
        let name = read_name(name)?;
        if size > XATTR_SIZE_MAX {
            return Err(Errno::E2BIG);
        }
        let mut bytes = alloc::vec![0; size];
        value.read_bytes(&mut bytes)?;
        Ok(Change { name, value: bytes, flags })
    }

    fn make(&self, path: &Path) -> SysResult {
        may_use(path, &self.name, MAY_WRITE)?;
        path.inode().setxattr(&path.dentry, &self.name, &self.value, self.flags)?;
        fsnotify::xattr(&path.dentry);
        Ok(0)
    }
}

/// Hands `bytes` out; a size of 0 asks for the length.
fn give(bytes: &[u8], out: UserAddr, size: usize) -> SysResult {
    if size != 0 {
        if bytes.len() > size {
            return Err(Errno::ERANGE.into());
        }
        out.write_bytes(bytes)?;
    }
    Ok(bytes.len())
}

fn get(path: &Path, name: &[u8], value: UserAddr, size: usize) -> SysResult {
    may_use(path, name, MAY_READ)?;
    give(&path.inode().getxattr(&path.dentry, name)?, value, size.min(XATTR_SIZE_MAX))
}

fn list(path: &Path, out: UserAddr, size: usize) -> SysResult {
    let mut names = path.inode().listxattr(&path.dentry)?;
    if !current().cred().capable(CAP_SYS_ADMIN) {
        let shown = names.split_inclusive(|&b| b == 0).filter(|name| !name.starts_with(b"trusted."));
        names = shown.flatten().copied().collect();
    }
    give(&names, out, size.min(XATTR_LIST_MAX))
}

fn remove(path: &Path, name: &[u8]) -> SysResult {
    may_use(path, name, MAY_WRITE)?;
    path.inode().removexattr(&path.dentry, name)?;
    fsnotify::xattr(&path.dentry);
    Ok(0)
}

fn followed(path: UserPath) -> Result<Path, Error> {
    Ok(user_path_at(AT_FDCWD, path, 0)?.path)
}

fn not_followed(path: UserPath) -> Result<Path, Error> {
    Ok(user_path_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)?.path)
}

fn opened(fd: Fd) -> Result<Path, Error> {
    Ok(path_of(&current().files().get(fd.0)?))
}

pub fn sys_setxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize, flags: Flags) -> SysResult {
    let change = Change::read(name, value, size, flags.0)?;
    change.make(&followed(path)?)
}

pub fn sys_lsetxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize, flags: Flags) -> SysResult {
    let change = Change::read(name, value, size, flags.0)?;
    change.make(&not_followed(path)?)
}

pub fn sys_fsetxattr(fd: Fd, name: UserAddr, value: UserAddr, size: usize, flags: Flags) -> SysResult {
    let change = Change::read(name, value, size, flags.0)?;
    change.make(&opened(fd)?)
}

pub fn sys_getxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize) -> SysResult {
    let name = read_name(name)?;
    get(&followed(path)?, &name, value, size)
}

pub fn sys_lgetxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize) -> SysResult {
    let name = read_name(name)?;
    get(&not_followed(path)?, &name, value, size)
}

pub fn sys_fgetxattr(fd: Fd, name: UserAddr, value: UserAddr, size: usize) -> SysResult {
    let name = read_name(name)?;
    get(&opened(fd)?, &name, value, size)
}

pub fn sys_listxattr(path: UserPath, out: UserAddr, size: usize) -> SysResult {
    list(&followed(path)?, out, size)
}

pub fn sys_llistxattr(path: UserPath, out: UserAddr, size: usize) -> SysResult {
    list(&not_followed(path)?, out, size)
}

pub fn sys_flistxattr(fd: Fd, out: UserAddr, size: usize) -> SysResult {
    list(&opened(fd)?, out, size)
}

pub fn sys_removexattr(path: UserPath, name: UserAddr) -> SysResult {
    let name = read_name(name)?;
    remove(&followed(path)?, &name)
}

pub fn sys_lremovexattr(path: UserPath, name: UserAddr) -> SysResult {
    let name = read_name(name)?;
    remove(&not_followed(path)?, &name)
}

pub fn sys_fremovexattr(fd: Fd, name: UserAddr) -> SysResult {
    let name = read_name(name)?;
    remove(&opened(fd)?, &name)
}
