//! Statistics of file systems.
//!
//! Mirrors: fs/statfs.c, Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Error;
use acrida_uapi::fcntl::AT_FDCWD;
use acrida_uapi::mount::MsFlags;
use acrida_uapi::statfs::{
    ST_NOATIME, ST_NODEV, ST_NODIRATIME, ST_NOEXEC, ST_NOSUID, ST_NOSYMFOLLOW, ST_RDONLY, ST_RELATIME, ST_VALID, Statfs,
};

use crate::abi::{Fd, SysResult, UserPath};
use crate::current;
use crate::fs::anon_inodes::path_of;
use crate::fs::dcache::Path;
use crate::fs::namei::user_path_at;

const FLAGS: [(MsFlags, i64); 8] = [
    (MsFlags::MS_RDONLY, ST_RDONLY),
    (MsFlags::MS_NOSUID, ST_NOSUID),
    (MsFlags::MS_NODEV, ST_NODEV),
    (MsFlags::MS_NOEXEC, ST_NOEXEC),
    (MsFlags::MS_NOATIME, ST_NOATIME),
    (MsFlags::MS_NODIRATIME, ST_NODIRATIME),
    (MsFlags::MS_RELATIME, ST_RELATIME),
    (MsFlags::MS_NOSYMFOLLOW, ST_NOSYMFOLLOW),
];

#[doc(alias = "vfs_statfs")]
fn statfs(path: &Path) -> Result<Statfs, Error> {
    let mut out = path.mnt.sb.statfs(&path.dentry)?;
    if out.f_frsize == 0 {
        out.f_frsize = out.f_bsize;
    }
    out.f_flags |= ST_VALID;
    let mount = path.mnt.flags();
    for (flag, shown) in FLAGS {
        if mount.contains(flag) {
            out.f_flags |= shown;
        }
    }
    Ok(out)
}

pub fn sys_statfs(path: UserPath, buf: UserAddr) -> SysResult {
    let path = user_path_at(AT_FDCWD, path, 0)?.path;
    buf.write(&statfs(&path)?)?;
    Ok(0)
}

pub fn sys_fstatfs(fd: Fd, buf: UserAddr) -> SysResult {
    let file = current().files().get_any(fd.0)?;
    buf.write(&statfs(&path_of(&file))?)?;
    Ok(0)
}
