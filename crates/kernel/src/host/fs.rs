//! Host calls about files: each with the sizes of what it hands over.
//!
//! Mirrors: nothing in Linux.
//! Differs: names are NUL-terminated on the way; results are `Kstat`, bytes or nothing.

use alloc::vec::Vec;
use core::ffi::CStr;

use acrida_kcore::host::{Arg, HostFd};
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, O_CLOEXEC};
use acrida_uapi::nr;
use acrida_uapi::stat::{STATX_BASIC_STATS, STATX_BTIME, STATX_DIOALIGN, Statx, StatxTimestamp, new_encode_dev};
use acrida_uapi::statfs::Statfs;
use acrida_uapi::time::Timespec;
use zerocopy::{FromZeros, IntoBytes};

use crate::fs::attr::Kstat;

/// Names shorter than this need no heap: most are, and heap memory costs 40 ns to get and give back.
const SHORT: usize = 64;

/// A name or path with its NUL.
pub enum CName {
    Short([u8; SHORT]),
    Long(Vec<u8>),
}

impl CName {
    #[inline]
    pub fn new(name: &[u8]) -> CName {
        if name.len() < SHORT {
            let mut bytes = [0; SHORT];
            bytes[..name.len()].copy_from_slice(name);
            return CName::Short(bytes);
        }
        let mut bytes = Vec::with_capacity(name.len() + 1);
        bytes.extend_from_slice(name);
        bytes.push(0);
        CName::Long(bytes)
    }

    pub fn as_cstr(&self) -> &CStr {
        let bytes = match self {
            CName::Short(bytes) => &bytes[..],
            CName::Long(bytes) => bytes,
        };
        // A name with a NUL inside ends there, as it would for any C program.
        CStr::from_bytes_until_nul(bytes).unwrap_or(c"")
    }
}

fn call(nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno> {
    platform().host().call(nr, args)
}

fn fd_of(raw: usize) -> HostFd {
    HostFd(raw as i32)
}

/// `O_CLOEXEC` is always added. Not for objects whose open can block.
pub fn openat(dir: HostFd, name: &[u8], flags: u32, mode: u32) -> Result<HostFd, Errno> {
    let name = CName::new(name);
    let flags = u64::from(flags | O_CLOEXEC);
    call(nr::openat, &mut [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(flags), Arg::Val(mode.into())]).map(fd_of)
}

/// `openat` of what may block: a signal ends it with `EINTR`.
pub fn openat_blocking(dir: HostFd, name: &[u8], flags: u32) -> Result<HostFd, Errno> {
    let name = CName::new(name);
    let mut args = [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val((flags | O_CLOEXEC).into()), Arg::Val(0)];
    platform().host().call_blocking(nr::openat, &mut args).map(fd_of)
}

fn timespec(time: StatxTimestamp) -> Timespec {
    Timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec.into() }
}

/// Attributes of `name` in `dir`, not following a symbolic link; of `dir` itself when `name` is empty.
pub fn statx(dir: HostFd, name: &[u8]) -> Result<Kstat, Errno> {
    let mut x = Statx::new_zeroed();
    // The host looks at the name twice for AT_EMPTY_PATH (40 ns).
    let flags = if name.is_empty() { AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH } else { AT_SYMLINK_NOFOLLOW };
    let name = CName::new(name);
    let mask = STATX_BASIC_STATS | STATX_BTIME | STATX_DIOALIGN;
    let mut args =
        [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(flags.into()), Arg::Val(mask.into()), Arg::Out(x.as_mut_bytes())];
    call(nr::statx, &mut args)?;
    Ok(Kstat {
        dev: new_encode_dev(x.stx_dev_major, x.stx_dev_minor),
        ino: x.stx_ino,
        nlink: x.stx_nlink,
        mode: x.stx_mode.into(),
        uid: x.stx_uid,
        gid: x.stx_gid,
        rdev: new_encode_dev(x.stx_rdev_major, x.stx_rdev_minor),
        size: x.stx_size,
        blksize: x.stx_blksize,
        blocks: x.stx_blocks,
        atime: timespec(x.stx_atime),
        mtime: timespec(x.stx_mtime),
        ctime: timespec(x.stx_ctime),
        btime: timespec(x.stx_btime),
        extra_mask: x.stx_mask & (STATX_BTIME | STATX_DIOALIGN),
        attributes: x.stx_attributes,
        attributes_mask: x.stx_attributes_mask,
        dio_mem_align: x.stx_dio_mem_align,
        dio_offset_align: x.stx_dio_offset_align,
    })
}

/// The text of the link `name` in `dir` (of `dir` itself when `name` is empty).
pub fn readlinkat(dir: HostFd, name: &[u8]) -> Result<Vec<u8>, Errno> {
    let name = CName::new(name);
    let mut text = alloc::vec![0; 4096];
    let len = call(nr::readlinkat, &mut [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::OutLen(&mut text)])?;
    text.truncate(len);
    Ok(text)
}

pub fn mkdirat(dir: HostFd, name: &[u8], mode: u32) -> Result<(), Errno> {
    let name = CName::new(name);
    call(nr::mkdirat, &mut [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(mode.into())]).map(drop)
}

pub fn mknodat(dir: HostFd, name: &[u8], mode: u32, rdev: u32) -> Result<(), Errno> {
    let name = CName::new(name);
    let mut args = [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(mode.into()), Arg::Val(rdev.into())];
    call(nr::mknodat, &mut args).map(drop)
}

pub fn symlinkat(target: &[u8], dir: HostFd, name: &[u8]) -> Result<(), Errno> {
    let (target, name) = (CName::new(target), CName::new(name));
    call(nr::symlinkat, &mut [Arg::Str(target.as_cstr()), Arg::Fd(dir), Arg::Str(name.as_cstr())]).map(drop)
}

/// `flags`: `AT_*` for the old name.
pub fn linkat(old_dir: HostFd, old: &[u8], dir: HostFd, name: &[u8], flags: u32) -> Result<(), Errno> {
    let (old, name) = (CName::new(old), CName::new(name));
    let mut args = [Arg::Fd(old_dir), Arg::Str(old.as_cstr()), Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(flags.into())];
    call(nr::linkat, &mut args).map(drop)
}

/// `flags`: 0 or `AT_REMOVEDIR`.
pub fn unlinkat(dir: HostFd, name: &[u8], flags: u32) -> Result<(), Errno> {
    let name = CName::new(name);
    call(nr::unlinkat, &mut [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(flags.into())]).map(drop)
}

pub fn renameat2(old_dir: HostFd, old: &[u8], dir: HostFd, name: &[u8], flags: u32) -> Result<(), Errno> {
    let (old, name) = (CName::new(old), CName::new(name));
    let mut args = [Arg::Fd(old_dir), Arg::Str(old.as_cstr()), Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(flags.into())];
    call(nr::renameat2, &mut args).map(drop)
}

/// Follows symbolic links: for names known to be none, and for /proc/self/fd.
pub fn fchmodat(dir: HostFd, name: &[u8], mode: u32) -> Result<(), Errno> {
    let name = CName::new(name);
    call(nr::fchmodat, &mut [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(mode.into())]).map(drop)
}

/// An id of `u32::MAX` stays. An empty name means `dir` itself.
pub fn fchownat(dir: HostFd, name: &[u8], uid: u32, gid: u32) -> Result<(), Errno> {
    let name = CName::new(name);
    let flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    let mut args = [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(uid.into()), Arg::Val(gid.into()), Arg::Val(flags.into())];
    call(nr::fchownat, &mut args).map(drop)
}

/// `times`: access, modification; `UTIME_NOW` and `UTIME_OMIT` mean what they say. An empty name means `dir` itself.
pub fn utimensat(dir: HostFd, name: &[u8], times: &[Timespec; 2]) -> Result<(), Errno> {
    let name = CName::new(name);
    let flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    let mut args = [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::In(times.as_bytes()), Arg::Val(flags.into())];
    call(nr::utimensat, &mut args).map(drop)
}

/// Follows symbolic links.
pub fn truncate(path: &[u8], len: u64) -> Result<(), Errno> {
    let path = CName::new(path);
    call(nr::truncate, &mut [Arg::Str(path.as_cstr()), Arg::Val(len)]).map(drop)
}

pub fn ftruncate(fd: HostFd, len: u64) -> Result<(), Errno> {
    call(nr::ftruncate, &mut [Arg::Fd(fd), Arg::Val(len)]).map(drop)
}

pub fn fallocate(fd: HostFd, mode: u32, offset: u64, len: u64) -> Result<(), Errno> {
    call(nr::fallocate, &mut [Arg::Fd(fd), Arg::Val(mode.into()), Arg::Val(offset), Arg::Val(len)]).map(drop)
}

/// Whether the caller's file-system ids may do `mask` to `dir`/`name` (to `dir` itself when `name` is empty).
pub fn faccessat(dir: HostFd, name: &[u8], mask: u32) -> Result<(), Errno> {
    use acrida_uapi::fcntl::AT_EACCESS;
    let name = CName::new(name);
    let flags = AT_EACCESS | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
    let mut args = [Arg::Fd(dir), Arg::Str(name.as_cstr()), Arg::Val(mask.into()), Arg::Val(flags.into())];
    call(nr::faccessat2, &mut args).map(drop)
}

pub fn lseek(fd: HostFd, offset: i64, whence: u32) -> Result<u64, Errno> {
    let result = call(nr::lseek, &mut [Arg::Fd(fd), Arg::Val(offset.cast_unsigned()), Arg::Val(whence.into())])?;
    Ok(result as u64)
}

/// Records of `linux_dirent64` from the descriptor's position on.
pub fn getdents64(fd: HostFd, buf: &mut [u8]) -> Result<usize, Errno> {
    call(nr::getdents64, &mut [Arg::Fd(fd), Arg::OutLen(buf)])
}

/// The same, straight into guest memory.
pub fn getdents64_user(fd: HostFd, addr: UserAddr, len: usize) -> Result<usize, Errno> {
    call(nr::getdents64, &mut [Arg::Fd(fd), Arg::User(addr, len), Arg::Val(len as u64)])
}

pub fn fstatfs(fd: HostFd) -> Result<Statfs, Errno> {
    let mut buf = Statfs::new_zeroed();
    call(nr::fstatfs, &mut [Arg::Fd(fd), Arg::Out(buf.as_mut_bytes())])?;
    Ok(buf)
}

/// One of `fsync`, `fdatasync`, `syncfs`.
pub fn sync_call(nr: u32, fd: HostFd) -> Result<(), Errno> {
    call(nr, &mut [Arg::Fd(fd)]).map(drop)
}

pub fn sync() {
    // The call has no error.
    let _ = call(nr::sync, &mut []);
}

pub fn sync_file_range(fd: HostFd, offset: u64, len: u64, flags: u32) -> Result<(), Errno> {
    call(nr::sync_file_range, &mut [Arg::Fd(fd), Arg::Val(offset), Arg::Val(len), Arg::Val(flags.into())]).map(drop)
}

/// `fcntl` with a plain argument.
pub fn fcntl(fd: HostFd, cmd: u32, arg: u64) -> Result<usize, Errno> {
    call(nr::fcntl, &mut [Arg::Fd(fd), Arg::Val(cmd.into()), Arg::Val(arg)])
}

/// A path that names what `fd` is, followed by `name` in it if there is one.
pub fn fd_path(fd: HostFd, name: &[u8]) -> Vec<u8> {
    let mut path = alloc::format!("/proc/self/fd/{}", fd.0).into_bytes();
    if !name.is_empty() {
        path.push(b'/');
        path.extend_from_slice(name);
    }
    path
}

pub fn fadvise(fd: HostFd, offset: i64, len: i64, advice: i32) -> Result<(), Errno> {
    let mut args =
        [Arg::Fd(fd), Arg::Val(offset.cast_unsigned()), Arg::Val(len.cast_unsigned()), Arg::Val(advice.cast_unsigned().into())];
    call(nr::fadvise64, &mut args).map(drop)
}

pub fn readahead(fd: HostFd, offset: i64, count: usize) -> Result<(), Errno> {
    call(nr::readahead, &mut [Arg::Fd(fd), Arg::Val(offset.cast_unsigned()), Arg::Val(count as u64)]).map(drop)
}

/// Takes back a file of the command's own, by its absolute path on the host.
pub fn remove_own(path: &[u8]) {
    // It may be gone already.
    let _ = unlinkat(HostFd::CWD, path, 0);
}
