//! Where a process stands, and what it may reach: `access`, `chdir`, `chroot`, `getcwd`, `umask`.
//!
//! Mirrors: fs/open.c, fs/d_path.c (`getcwd`), Linux 6.18.

use alloc::sync::Arc;

use acrida_uapi::capability::CAP_SYS_CHROOT;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW};
use acrida_uapi::limits::PATH_MAX;
use acrida_uapi::mount::MsFlags;
use acrida_uapi::prctl::SECBIT_NO_SETUID_FIXUP;

use crate::abi::{BufOut, DirFd, Fd, Flags, Mode, SysResult, UserPath};
use crate::current;
use crate::fs::d_path::cwd_path;
use crate::fs::dcache::Path;
use crate::fs::inode::{MAY_CHDIR, MAY_EXEC, MAY_WRITE};
use crate::fs::namei::{self, Lookup, Walk};
use crate::kernel::cred::Cred;

/// The caller as its real ids would be.
#[doc(alias = "access_override_creds")]
fn real_credentials() -> Arc<Cred> {
    let own = current().cred();
    let mut cred = (*own).clone();
    (cred.fsuid, cred.fsgid) = (own.uid, own.gid);
    if own.securebits & SECBIT_NO_SETUID_FIXUP == 0 {
        cred.cap_effective = if own.uid == 0 { own.cap_permitted } else { 0 };
    }
    if cred == *own { own } else { Arc::new(cred) }
}

fn do_faccessat(dfd: i32, path: UserPath, mode: u32, flags: u32) -> SysResult {
    if mode & !0o7 != 0 || flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let cred = if flags & AT_EACCESS == 0 { real_credentials() } else { current().cred() };
    let mut lookup = Lookup::empty();
    lookup.set(Lookup::FOLLOW, flags & AT_SYMLINK_NOFOLLOW == 0);
    lookup.set(Lookup::EMPTY, flags & AT_EMPTY_PATH != 0);
    let name = namei::getname_empty(path)?;
    if name.is_empty() && !lookup.contains(Lookup::EMPTY) {
        return Err(Errno::ENOENT.into());
    }
    let found = Walk::start_as(dfd, &name, lookup, cred.clone())?.to_end(&name)?.path;
    let inode = found.inode();
    if mode & MAY_EXEC != 0 && inode.is_regular() && found.mnt.flags().contains(MsFlags::MS_NOEXEC) {
        return Err(Errno::EACCES.into());
    }
    if mode != 0 {
        inode.permission(&found.dentry, &cred, mode)?;
    }
    let special = inode.is_device() || inode.is_fifo() || inode.is_socket();
    if mode & MAY_WRITE != 0 && !special {
        found.mnt.want_write()?;
    }
    Ok(0)
}

pub fn sys_access(path: UserPath, mode: Mode) -> SysResult {
    do_faccessat(AT_FDCWD, path, mode.0, 0)
}

pub fn sys_faccessat(dfd: DirFd, path: UserPath, mode: Mode) -> SysResult {
    do_faccessat(dfd.0, path, mode.0, 0)
}

pub fn sys_faccessat2(dfd: DirFd, path: UserPath, mode: Mode, flags: Flags) -> SysResult {
    do_faccessat(dfd.0, path, mode.0, flags.0)
}

fn enter(path: &Path) -> Result<(), Error> {
    path.inode().permission(&path.dentry, &current().cred(), MAY_EXEC | MAY_CHDIR)
}

/// Changes the current directory to `name`.
pub fn do_chdir(name: &[u8]) -> Result<(), Error> {
    let path = namei::lookup(AT_FDCWD, name, Lookup::FOLLOW | Lookup::DIRECTORY)?.path;
    enter(&path)?;
    current().fs().set_pwd(path);
    Ok(())
}

pub fn sys_chdir(path: UserPath) -> SysResult {
    do_chdir(&namei::getname(path)?)?;
    Ok(0)
}

pub fn sys_fchdir(fd: Fd) -> SysResult {
    let file = current().files().get_any(fd.0)?;
    let path = file.path.clone().ok_or(Errno::ENOTDIR)?;
    if !path.inode().is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    enter(&path)?;
    current().fs().set_pwd(path);
    Ok(0)
}

pub fn sys_chroot(path: UserPath) -> SysResult {
    let path = namei::lookup(AT_FDCWD, &namei::getname(path)?, Lookup::FOLLOW | Lookup::DIRECTORY)?.path;
    enter(&path)?;
    if !current().cred().capable(CAP_SYS_CHROOT) {
        return Err(Errno::EPERM.into());
    }
    current().fs().set_root(path);
    Ok(0)
}

pub fn sys_getcwd(buf: BufOut, size: usize) -> SysResult {
    let fs = current().fs();
    let mut text = cwd_path(&fs.pwd(), &fs.root()).ok_or(Errno::ENOENT)?;
    if text.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    text.push(0);
    if text.len() > size {
        return Err(Errno::ERANGE.into());
    }
    buf.0.write_bytes(&text)?;
    Ok(text.len())
}

pub fn sys_umask(mask: Mode) -> SysResult {
    Ok(current().fs().set_umask(mask.0) as usize)
}
