//! `mq_open`, `mq_unlink`, `mq_timedsend`, `mq_timedreceive`, `mq_getsetattr`.
//!
//! Mirrors: ipc/mqueue.c (`do_mq_open` and its like), Linux 6.18.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY};
use acrida_uapi::mqueue::{MQ_PRIO_MAX, MqAttr};
use acrida_uapi::stat::S_IALLUGO;
use acrida_uapi::time::Timespec;

use super::file::MqFile;
use super::inode::MqRoot;
use super::internal;
use super::queue::MqMessage;
use crate::abi::{Fd, Flags, Mode, SysResult, UserPath};
use crate::current;
use crate::fs::dcache::{Dentry, Path};
use crate::fs::file::{File, FileRef};
use crate::fs::inode::{Inode, MAY_READ, MAY_WRITE};
use crate::fs::namei::may::{Victim, may_create, may_delete};
use crate::fs::namei::{getname, lookup_child, lookup_locked};
use crate::fs::read_write::Blocking;

/// What a descriptor of a queue stands for.
pub struct OpenQueue(FileRef);

impl OpenQueue {
    pub fn file(&self) -> &FileRef {
        &self.0
    }

    fn open(&self) -> &MqFile {
        self.0.private::<MqFile>().unwrap_or_else(|| unreachable!("checked when it was looked up"))
    }

    pub fn queue(&self) -> &super::queue::Queue {
        self.open().queue()
    }
}

/// The queue behind a descriptor; `EBADF` when it is none.
pub fn queue_file(fd: i32) -> Result<OpenQueue, Errno> {
    let file = current().files().get(fd)?;
    if file.private::<MqFile>().is_none() {
        return Err(Errno::EBADF);
    }
    Ok(OpenQueue(file))
}

/// A name as the calls take it: one component.
#[doc(alias = "lookup_noperm_common")]
fn queue_name(name: UserPath) -> Result<Vec<u8>, Errno> {
    let name = getname(name)?;
    if name.contains(&b'/') || name == b"." || name == b".." {
        return Err(Errno::EACCES);
    }
    Ok(name)
}

pub fn sys_mq_open(name: UserPath, flags: Flags, mode: Mode, attr: UserAddr) -> SysResult {
    let attr: Option<MqAttr> = attr.read_opt()?;
    let name = queue_name(name)?;
    let internal = internal()?;
    let root = &internal.instance.root;
    let dentry = loop {
        match open_or_make(root, &name, flags.0, mode.0, attr) {
            // Somebody made it in between.
            Err(error) if error == Errno::EEXIST && flags.0 & O_EXCL == 0 => {}
            result => break result?,
        }
    };
    let path = Path { mnt: internal.mnt.clone(), dentry };
    let ops = path.inode().open(&path, flags.0)?;
    let file = File::of_path(ops, flags.0 & !(O_CREAT | O_EXCL), path);
    Ok(current().files().install(file, true)? as usize)
}

#[doc(alias = "prepare_open")]
fn open_or_make(root: &Arc<Dentry>, name: &[u8], flags: u32, mode: u32, attr: Option<MqAttr>) -> Result<Arc<Dentry>, Error> {
    if let Some((dentry, _)) = lookup_child(root, name)? {
        if flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL {
            return Err(Errno::EEXIST.into());
        }
        let right = match flags & O_ACCMODE {
            O_ACCMODE => return Err(Errno::EINVAL.into()),
            O_RDONLY => MAY_READ,
            O_WRONLY => MAY_WRITE,
            _ => MAY_READ | MAY_WRITE,
        };
        dentry.inode().permission(&dentry, &current().cred(), right)?;
        return Ok(dentry);
    }
    if flags & O_CREAT == 0 {
        return Err(Errno::ENOENT.into());
    }
    may_create(root)?;
    let directory = root.inode().downcast_ref::<MqRoot>().ok_or(Errno::ENOENT)?;
    let mode = mode & S_IALLUGO & !current().fs().umask();
    let inode: Arc<dyn Inode> = directory.make(name, mode, attr)?;
    Ok(root.add_made(name, inode))
}

pub fn sys_mq_unlink(name: UserPath) -> SysResult {
    let name = queue_name(name)?;
    let root = &internal()?.instance.root;
    let _removal = root.begin_removal();
    let (victim, _) = lookup_locked(root, &name)?.ok_or(Errno::ENOENT)?;
    may_delete(root, &victim, Victim::Other)?;
    root.inode().unlink(root, &victim)?;
    root.removed(&victim);
    Ok(0)
}

/// A point in real time as one in monotonic time.
#[doc(alias = "prepare_timeout")]
fn deadline(timeout: UserAddr) -> Result<Option<u64>, Errno> {
    let Some(time) = timeout.read_opt::<Timespec>()? else { return Ok(None) };
    if !time.is_valid() {
        return Err(Errno::EINVAL);
    }
    let left = time.to_nanos().saturating_sub_unsigned(platform().now(ClockId::Realtime));
    Ok(Some(platform().now(ClockId::Monotonic).saturating_add(u64::try_from(left).unwrap_or(0))))
}

fn blocking(file: &File) -> Blocking {
    if file.nonblocking() { Blocking::No } else { Blocking::Yes }
}

pub fn sys_mq_timedsend(fd: Fd, msg: UserAddr, len: usize, priority: u32, timeout: UserAddr) -> SysResult {
    let deadline = deadline(timeout)?;
    if priority >= MQ_PRIO_MAX {
        return Err(Errno::EINVAL.into());
    }
    let open = queue_file(fd.0)?;
    if !open.file().writable() {
        return Err(Errno::EBADF.into());
    }
    let queue = open.queue();
    if len as u64 > queue.msgsize {
        return Err(Errno::EMSGSIZE.into());
    }
    let mut text = vec![0; len];
    msg.read_bytes(&mut text)?;
    queue.send(MqMessage { priority, text }, blocking(open.file()), deadline)?;
    open.open().0.changed();
    Ok(0)
}

pub fn sys_mq_timedreceive(fd: Fd, msg: UserAddr, len: usize, priority: UserAddr, timeout: UserAddr) -> SysResult {
    let deadline = deadline(timeout)?;
    let open = queue_file(fd.0)?;
    if !open.file().readable() {
        return Err(Errno::EBADF.into());
    }
    let queue = open.queue();
    if (len as u64) < queue.msgsize {
        return Err(Errno::EMSGSIZE.into());
    }
    let message = queue.receive(blocking(open.file()), deadline)?;
    open.open().0.changed();
    priority.write_opt(&message.priority)?;
    msg.write_bytes(&message.text)?;
    Ok(message.text.len())
}

pub fn sys_mq_getsetattr(fd: Fd, new: UserAddr, old: UserAddr) -> SysResult {
    let new: Option<MqAttr> = new.read_opt()?;
    let nonblock = i64::from(O_NONBLOCK);
    if new.is_some_and(|new| new.mq_flags & !nonblock != 0) {
        return Err(Errno::EINVAL.into());
    }
    let open = queue_file(fd.0)?;
    let (file, queue) = (open.file(), open.queue());
    let was = MqAttr {
        mq_flags: i64::from(file.flags() & O_NONBLOCK),
        mq_maxmsg: queue.maxmsg as i64,
        mq_msgsize: queue.msgsize as i64,
        mq_curmsgs: queue.count() as i64,
        ..MqAttr::default()
    };
    if let Some(new) = new {
        file.note_flags(O_NONBLOCK, if new.mq_flags & nonblock != 0 { O_NONBLOCK } else { 0 });
    }
    old.write_opt(&was)?;
    Ok(0)
}
