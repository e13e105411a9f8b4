//! dnotify: a signal to a file's owner when something happens in its directory (`F_NOTIFY`).
//!
//! Mirrors: fs/notify/dnotify/dnotify.c, Linux 6.18.
//! Differs: each open directory that asks has a mark of its own, where Linux chains them behind one mark of the inode.
//! Locking: `Dnotify::watches` is a leaf but for the list of the inode's marks.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{DN_ACCESS, DN_ATTRIB, DN_CREATE, DN_DELETE, DN_MODIFY, DN_MULTISHOT, DN_RENAME};
use acrida_uapi::inotify::{IN_ACCESS, IN_ATTRIB, IN_CREATE, IN_DELETE, IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO, IN_ONESHOT};
use acrida_uapi::siginfo::POLL_MSG;

use super::mark::{Event, FS_RENAME, Group, Mark};
use crate::abi::Fd;
use crate::fs::fasync::send_sigio;
use crate::fs::fcntl::set_owner_if_none;
use crate::fs::fdtable::FilesStruct;
use crate::fs::file::{File, FileRef, WeakFile};
use crate::{current, kernel};

/// An open directory that asked.
#[doc(alias = "dnotify_struct")]
struct Watch {
    file: WeakFile,
    /// The table it was asked through: any close of the file there ends it.
    files: Weak<FilesStruct>,
}

/// The watches asked for through one table of descriptors.
#[derive(Default)]
pub struct Dnotify {
    watches: SpinLock<Vec<Arc<Watch>>>,
    /// Lets a close cost one load while there are none.
    len: AtomicUsize,
}

impl Dnotify {
    fn remove(&self, which: impl Fn(&Watch) -> bool) -> Option<Arc<Watch>> {
        let mut watches = self.watches.lock();
        let at = watches.iter().position(|watch| which(watch))?;
        let removed = watches.swap_remove(at);
        self.len.store(watches.len(), Ordering::Relaxed);
        Some(removed)
    }

    /// A descriptor of `file` was closed, or the program takes its question back.
    #[doc(alias = "dnotify_flush")]
    #[inline]
    pub fn flush(&self, file: &File) {
        if self.len.load(Ordering::Relaxed) != 0 {
            self.forget(file);
        }
    }

    #[cold]
    fn forget(&self, file: &File) {
        let watch = self.remove(|watch| core::ptr::eq(watch.file.as_ptr(), file));
        if let (Some(watch), Some(path)) = (watch, &file.path)
            && let Some(mark) = path.inode().common().marks.of(&watch)
        {
            detach(&mark);
        }
    }
}

fn detach(mark: &Arc<Mark>) {
    mark.end();
    mark.inode.common().marks.remove(mark);
}

/// Adds a watch with events `mask`, or these events to the watch there is.
#[doc(alias = "attach_dn")]
fn attach(files: &Arc<FilesStruct>, file: &FileRef, fd: Fd, mask: u32) -> Result<(), Errno> {
    let path = file.path.as_ref().filter(|path| path.inode().is_dir()).ok_or(Errno::ENOTDIR)?;
    let marks = &path.inode().common().marks;
    let mut watches = files.dnotify.watches.lock();
    let known = watches.iter().find(|watch| core::ptr::eq(watch.file.as_ptr(), FileRef::as_ptr(file)));
    if let Some(mark) = known.and_then(|watch| marks.of(watch)) {
        mark.set_id(fd.0);
        // Once asked to go on, it goes on.
        mark.set_mask((mark.mask() | mask) & !IN_ONESHOT | mark.mask() & mask & IN_ONESHOT);
        return Ok(());
    }
    let watch = Arc::new(Watch { file: FileRef::downgrade(file), files: Arc::downgrade(files) });
    let group: Weak<Watch> = Arc::downgrade(&watch);
    marks.insert(&Mark::new(group, fd.0, path, mask));
    watches.push(watch);
    files.dnotify.len.store(watches.len(), Ordering::Relaxed);
    Ok(())
}

impl Group for Watch {
    #[doc(alias = "dnotify_handle_event")]
    fn handle(&self, id: i32, _event: &Event<'_>) {
        if let Some(file) = self.file.upgrade() {
            send_sigio(&file, id, POLL_MSG);
        }
    }

    fn destroy(&self, mark: &Arc<Mark>) {
        if let Some(files) = self.files.upgrade() {
            files.dnotify.remove(|watch| core::ptr::eq(watch, self));
        }
        detach(mark);
    }
}

/// A mark's mask for `F_NOTIFY`'s argument.
#[doc(alias = "convert_arg")]
fn mark_mask(arg: u32) -> u32 {
    const EVENTS: [(u32, u32); 6] = [
        (DN_ACCESS, IN_ACCESS),
        (DN_MODIFY, IN_MODIFY),
        (DN_CREATE, IN_CREATE | IN_MOVED_TO),
        (DN_DELETE, IN_DELETE | IN_MOVED_FROM),
        (DN_RENAME, FS_RENAME),
        (DN_ATTRIB, IN_ATTRIB),
    ];
    let once = if arg & DN_MULTISHOT == 0 { IN_ONESHOT } else { 0 };
    EVENTS.iter().filter(|(asked, _)| arg & asked != 0).fold(once, |mask, (_, events)| mask | events)
}

/// `F_NOTIFY`.
///
/// # Errors
/// `EINVAL` where the administrator switched it off, `ENOTDIR`, and `ESRCH` as `F_SETOWN` has it.
#[doc(alias = "fcntl_dirnotify")]
pub fn dirnotify(fd: Fd, file: &FileRef, arg: u32) -> Result<(), Errno> {
    let files = current().files();
    if kernel().sysctl.dir_notify_enable.get() == 0 {
        return Err(Errno::EINVAL);
    }
    if arg & !DN_MULTISHOT == 0 {
        files.dnotify.flush(file);
        return Ok(());
    }
    attach(&files, file, fd, mark_mask(arg))?;
    set_owner_if_none(file)?;
    // The descriptor may have been closed meanwhile by another thread, which then found nothing to take away.
    if !files.get_any(fd.0).is_ok_and(|now| FileRef::ptr_eq(&now, file)) {
        files.dnotify.flush(file);
    }
    Ok(())
}
