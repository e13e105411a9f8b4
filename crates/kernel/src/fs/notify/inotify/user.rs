//! inotify's system calls and its file.
//!
//! Mirrors: fs/notify/inotify/inotify_user.c, fs/notify/fdinfo.c, Linux 6.18.
//! Differs: fdinfo shows no file handles.
//! Locking: as in the parent module.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;

use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::WaitOptions;
use acrida_uapi::epoll::{EPOLLIN, EPOLLRDNORM};
use acrida_uapi::errno::{Errno, Error, Restart};
use acrida_uapi::fcntl::{AT_FDCWD, O_RDONLY};
use acrida_uapi::inotify::{
    IN_ALL_EVENTS, IN_CLOEXEC, IN_DONT_FOLLOW, IN_EXCL_UNLINK, IN_IGNORED, IN_ISDIR, IN_MASK_ADD, IN_MASK_CREATE, IN_NONBLOCK,
    IN_ONESHOT, IN_ONLYDIR, IN_Q_OVERFLOW, IN_UNMOUNT,
};
use acrida_uapi::ioctl::FIONREAD;

use super::queue::Queued;
use super::{InotifyGroup, USER_MASK};
use crate::abi::{Fd, Flags, SysResult, UserPath};
use crate::current;
use crate::fs::dcache::Path;
use crate::fs::fasync::{self, FasyncQueues};
use crate::fs::file::{File, FileOperations, FileRef, Whence};
use crate::fs::inode::MAY_READ;
use crate::fs::iov_iter::IovIter;
use crate::fs::namei::{self, Lookup, getname};
use crate::fs::notify::mark::Group;
use crate::fs::poll::PollTable;
use crate::fs::read_write::{Blocking, fdget};

/// Every bit that `inotify_add_watch` takes.
const ALL_INOTIFY_BITS: u32 = IN_ALL_EVENTS
    | IN_UNMOUNT
    | IN_Q_OVERFLOW
    | IN_IGNORED
    | IN_ONLYDIR
    | IN_DONT_FOLLOW
    | IN_EXCL_UNLINK
    | IN_MASK_CREATE
    | IN_MASK_ADD
    | IN_ISDIR
    | IN_ONESHOT;
/// Sets the number of the next watch (checkpoint and restore).
const INOTIFY_IOC_SETNEXTWD: u32 = 0x4004_4900;

/// The private data: marks and the file share the group.
struct InotifyFile(Arc<InotifyGroup>);

impl InotifyGroup {
    /// The next event if it fits into `room` bytes, or why not.
    #[doc(alias = "get_one_event")]
    fn take(&self, room: usize) -> Option<Result<Queued, Errno>> {
        let mut queue = self.queue.lock();
        if queue.first()?.size() > room {
            return Some(Err(Errno::EINVAL));
        }
        queue.pop().map(Ok)
    }

    /// Copies events while they fit into `room` bytes; the bytes copied. No event, or an error before the first one, is the caller's to judge.
    fn give(&self, to: &mut IovIter<'_>, room: usize) -> Option<SysResult> {
        let mut done = 0;
        while let Some(event) = self.take(room - done) {
            let record = match event {
                Ok(event) => event.record(),
                Err(_) if done > 0 => break,
                Err(errno) => return Some(Err(errno.into())),
            };
            // An event that cannot be copied is lost, and so is the count of those before it, as on Linux.
            if to.copy_to(&record) < record.len() {
                return Some(Err(Errno::EFAULT.into()));
            }
            done += record.len();
        }
        (done > 0).then_some(Ok(done))
    }
}

impl InotifyGroup {
    /// [`InotifyGroup::give`], waiting for the first event.
    fn read(&self, to: &mut IovIter<'_>, room: usize, blocking: Blocking) -> SysResult {
        match (self.give(to, room), blocking) {
            (Some(result), _) => result,
            (None, Blocking::No) => Err(Errno::EAGAIN.into()),
            (None, Blocking::Yes) => {
                let options = WaitOptions::interruptible("inotify_read");
                self.wait.wait_event(options, || self.give(to, room)).unwrap_or(Err(Restart::ERESTARTSYS.into()))
            }
        }
    }
}

/// Bytes up to the end of the buffer that comes next.
fn segment(to: &mut IovIter<'_>) -> usize {
    to.user_segment().map_or(to.count(), |(_, len)| len)
}

impl FileOperations for InotifyFile {
    #[doc(alias = "inotify_read")]
    fn read(&self, file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        // readv is one read for each segment, as long as they are filled.
        let (mut done, mut room) = (0, segment(to));
        loop {
            let got = match self.0.read(to, room, Blocking::of(file, to)) {
                Ok(got) => got,
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            };
            done += got;
            if got < room || to.count() == 0 {
                return Ok(done);
            }
            room = segment(to);
        }
    }

    /// Seeks succeed and do nothing.
    #[doc(alias = "noop_llseek")]
    fn llseek(&self, _file: &FileRef, _offset: i64, _whence: Whence) -> Result<u64, Error> {
        Ok(0)
    }

    #[doc(alias = "inotify_poll")]
    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.0.wait);
        let empty = self.0.queue.lock().is_empty();
        Some(if empty { 0 } else { EPOLLIN | EPOLLRDNORM })
    }

    fn can_poll(&self) -> bool {
        true
    }

    #[doc(alias = "inotify_ioctl")]
    fn ioctl(&self, _file: &FileRef, cmd: u32, arg: u64) -> SysResult {
        match cmd {
            FIONREAD => {
                let bytes = self.0.queue.lock().bytes();
                UserAddr(arg).write(&i32::try_from(bytes).unwrap_or(i32::MAX))?;
                Ok(0)
            }
            INOTIFY_IOC_SETNEXTWD => {
                let next = i32::try_from(arg).ok().filter(|next| *next >= 1).ok_or(Errno::EINVAL)?;
                self.0.marks.lock().last_wd = next - 1;
                Ok(0)
            }
            _ => Err(Errno::ENOTTY.into()),
        }
    }

    fn fasync(&self, _file: &File) -> FasyncQueues<'_> {
        [Some(&self.0.fasync), None]
    }

    #[doc(alias = "inotify_release")]
    fn release(&self, file: &File) {
        fasync::release(file);
        self.0.shut_down();
    }

    #[doc(alias = "inotify_show_fdinfo")]
    fn show_fdinfo(&self, _file: &File, out: &mut String) {
        // Linux puts new marks in front.
        for (wd, mark) in self.0.marks.lock().by_wd.iter().rev() {
            let common = mark.inode.common();
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "inotify wd:{wd:x} ino:{:x} sdev:{:x} mask:{:x} ignored_mask:0 ",
                common.ino,
                kernel_dev(common.dev),
                mark.mask() & USER_MASK,
            );
        }
    }

    fn link_name(&self, _file: &File) -> Option<String> {
        Some(String::from("anon_inode:inotify"))
    }
}

/// A device number as the kernel keeps it: 20 bits of minor below the major.
#[doc(alias = "MKDEV")]
fn kernel_dev(dev: u32) -> u32 {
    let (major, minor) = (dev >> 8 & 0xfff, dev & 0xff | dev >> 12 & 0xfff00);
    major << 20 | minor
}

/// `inotify_init1(flags)`.
#[doc(alias = "do_inotify_init")]
pub fn sys_inotify_init1(flags: Flags) -> SysResult {
    if flags.0 & !(IN_CLOEXEC | IN_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let task = current();
    let group = InotifyGroup::new(task.cred().euid)?;
    let file = File::anon(Arc::new(InotifyFile(group)), O_RDONLY | flags.0 & IN_NONBLOCK);
    Ok(task.files().install(file, flags.0 & IN_CLOEXEC != 0)? as usize)
}

/// `inotify_init()`.
pub fn sys_inotify_init() -> SysResult {
    sys_inotify_init1(Flags(0))
}

/// The group behind a descriptor.
fn group_of(file: &File) -> Result<&Arc<InotifyGroup>, Errno> {
    file.private::<InotifyFile>().map(|file| &file.0).ok_or(Errno::EINVAL)
}

/// What is to be watched, if the caller may read it.
#[doc(alias = "inotify_find_inode")]
fn find(path: UserPath, mask: u32) -> Result<Path, Error> {
    let mut how = Lookup::empty();
    how.set(Lookup::FOLLOW, mask & IN_DONT_FOLLOW == 0);
    let found = namei::lookup(AT_FDCWD, &getname(path)?, how)?.path;
    if mask & IN_ONLYDIR != 0 && !found.inode().is_dir() {
        return Err(Errno::ENOTDIR.into());
    }
    found.inode().permission(&found.dentry, &current().cred(), MAY_READ)?;
    Ok(found)
}

/// `inotify_add_watch(fd, pathname, mask)`: the number of the watch.
pub fn sys_inotify_add_watch(fd: Fd, path: UserPath, mask: Flags) -> SysResult {
    let mask = mask.0;
    if mask & !ALL_INOTIFY_BITS != 0 || mask == 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = fdget(fd)?;
    if mask & IN_MASK_ADD != 0 && mask & IN_MASK_CREATE != 0 {
        return Err(Errno::EINVAL.into());
    }
    let group = group_of(&file)?;
    let wd = group.watch(&find(path, mask)?, mask)?;
    // Positive.
    Ok(wd as usize)
}

/// `inotify_rm_watch(fd, wd)`.
pub fn sys_inotify_rm_watch(fd: Fd, wd: i32) -> SysResult {
    let file = fdget(fd)?;
    let group = group_of(&file)?;
    let mark = group.marks.lock().by_wd.get(&wd).cloned().ok_or(Errno::EINVAL)?;
    group.destroy(&mark);
    Ok(0)
}
