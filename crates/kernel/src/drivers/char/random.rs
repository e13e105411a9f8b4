//! Random numbers by way of a file.
//!
//! Mirrors: drivers/char/random.c, Linux 6.18.
//! Differs: the numbers are the platform's (the host's, or a seeded run's own); there is no pool to add to.

use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::epoll::{EPOLLIN, EPOLLRDNORM};
use acrida_uapi::errno::{Errno, Error};

use crate::abi::SysResult;
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::PollTable;

/// `RNDGETENTCNT`, and what a pool that is ready answers.
const RNDGETENTCNT: u32 = 0x8004_5200;
const POOL_BITS: i32 = 256;
/// Bytes between two looks at the caller's signals.
const STEP: usize = 256;

/// Fills a buffer with random bytes; a signal ends long ones.
#[doc(alias = "get_random_bytes_user")]
pub fn read(to: &mut IovIter<'_>) -> SysResult {
    let mut done = 0;
    let mut chunk = [0; STEP];
    while to.count() > 0 {
        let want = to.count().min(STEP);
        platform().random(&mut chunk[..want]);
        let copied = to.copy_to(&chunk[..want]);
        done += copied;
        if copied < want {
            return if done == 0 { Err(Errno::EFAULT.into()) } else { Ok(done) };
        }
        if done % acrida_kcore::frame::PAGE_SIZE == 0 && acrida_kcore::thread::current().signal_pending() {
            break;
        }
    }
    Ok(done)
}

/// Takes the bytes in, which a pool of our own could be stirred with.
fn write(from: &mut IovIter<'_>) -> SysResult {
    let mut done = 0;
    let mut chunk = [0; STEP];
    while from.count() > 0 {
        let want = from.count().min(STEP);
        let copied = from.copy_from(&mut chunk[..want]);
        done += copied;
        if copied < want {
            return if done == 0 { Err(Errno::EFAULT.into()) } else { Ok(done) };
        }
    }
    Ok(done)
}

fn ioctl(cmd: u32, arg: u64) -> SysResult {
    match cmd {
        RNDGETENTCNT => Ok(UserAddr(arg).write(&POOL_BITS).map(|()| 0)?),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// /dev/random.
pub struct Random;

impl FileOperations for Random {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        read(to)
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        write(from)
    }

    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn atomic_pos(&self) -> bool {
        false
    }

    fn poll(&self, _table: &mut PollTable<'_>) -> Option<u32> {
        Some(EPOLLIN | EPOLLRDNORM)
    }

    fn can_poll(&self) -> bool {
        true
    }

    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        ioctl(cmd, arg)
    }
}

/// /dev/urandom.
pub struct Urandom;

impl FileOperations for Urandom {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        read(to)
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        write(from)
    }

    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    fn seekable(&self) -> bool {
        true
    }

    fn atomic_pos(&self) -> bool {
        false
    }

    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        ioctl(cmd, arg)
    }
}
