//! ioctl: the commands that every file has, before the file's own.
//!
//! Mirrors: fs/ioctl.c, Linux 6.18.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::O_NONBLOCK;
use acrida_uapi::ioctl::{FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX};

use crate::abi::{Fd, SysResult};
use crate::current;
use crate::fs::fasync::{self, Sigio};
use crate::fs::file::File;
use crate::fs::read_write::fdget;

pub fn sys_ioctl(fd: Fd, cmd: u32, arg: u64) -> SysResult {
    let file = fdget(fd)?;
    let user = UserAddr(arg);
    match cmd {
        FIOCLEX => current().files().set_cloexec(fd.0, true)?,
        FIONCLEX => current().files().set_cloexec(fd.0, false)?,
        FIONBIO => set_nonblocking(&file, user)?,
        FIOASYNC => set_async(fd, &file, user)?,
        _ => return file.ops.ioctl(&file, cmd, arg),
    }
    Ok(0)
}

#[doc(alias = "ioctl_fionbio")]
fn set_nonblocking(file: &File, arg: UserAddr) -> Result<(), Errno> {
    let on: i32 = arg.read()?;
    let flag = if on != 0 { O_NONBLOCK } else { 0 };
    file.set_flags(file.flags() & !O_NONBLOCK | flag);
    Ok(())
}

#[doc(alias = "ioctl_fioasync")]
fn set_async(fd: Fd, file: &Arc<File>, arg: UserAddr) -> Result<(), Errno> {
    let on: i32 = arg.read()?;
    let wanted = if on != 0 { Sigio::On } else { Sigio::Off };
    if wanted != Sigio::of(file.flags()) && fasync::set(file, fd, wanted).is_none() {
        return Err(Errno::ENOTTY);
    }
    Ok(())
}
