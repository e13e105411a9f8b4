//! ioctl: the commands that every file has, before the file's own.
//!
//! Mirrors: fs/ioctl.c, Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::O_NONBLOCK;
use acrida_uapi::ioctl::{FIGETBSZ, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE};
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFMT, S_IFREG};

use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::fasync::{self, Sigio};
use crate::fs::file::{File, FileRef};
use crate::fs::read_write::fdget;

pub fn sys_ioctl(fd: Fd, cmd: u32, arg: u64) -> SysResult {
    let file = fdget(fd)?;
    let user = UserAddr(arg);
    match cmd {
        FIOCLEX => current().files().set_cloexec(fd.0, true)?,
        FIONCLEX => current().files().set_cloexec(fd.0, false)?,
        FIONBIO => set_nonblocking(&file, user)?,
        FIOASYNC => set_async(fd, &file, user)?,
        FIOQSIZE => return size(&file, user),
        FIGETBSZ => user.write(&i32::try_from(file.ops.stat(&file)?.blksize).map_err(|_| Errno::EINVAL)?)?,
        FIONREAD if is_regular(&file) => user.write(&bytes_left(&file)?)?,
        _ => return file.ops.ioctl(&file, cmd, arg),
    }
    Ok(0)
}

fn is_regular(file: &File) -> bool {
    file.inode().is_some_and(|inode| inode.is_regular())
}

#[doc(alias = "ioctl_fionbio")]
fn set_nonblocking(file: &File, arg: UserAddr) -> Result<(), Error> {
    let on: i32 = arg.read()?;
    file.change_flags(O_NONBLOCK, if on != 0 { O_NONBLOCK } else { 0 })
}

#[doc(alias = "ioctl_fioasync")]
fn set_async(fd: Fd, file: &FileRef, arg: UserAddr) -> Result<(), Errno> {
    let on: i32 = arg.read()?;
    let wanted = if on != 0 { Sigio::On } else { Sigio::Off };
    if wanted != Sigio::of(file.flags()) && fasync::set(file, fd, wanted).is_none() {
        return Err(Errno::ENOTTY);
    }
    Ok(())
}

/// Size of what has one.
fn size(file: &File, arg: UserAddr) -> SysResult {
    let stat = file.ops.stat(file)?;
    if !matches!(stat.mode & S_IFMT, S_IFREG | S_IFDIR | S_IFLNK) {
        return Err(Errno::ENOTTY.into());
    }
    arg.write(&stat.size)?;
    Ok(0)
}

/// Bytes between the position and the end, as the `int` that programs get.
fn bytes_left(file: &FileRef) -> Result<i32, Error> {
    Ok(file.ops.stat(file)?.size.wrapping_sub(File::position(file)) as i32)
}
