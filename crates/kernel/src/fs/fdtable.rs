//! Descriptor tables.
//!
//! Mirrors: fs/file.c, include/linux/fdtable.h, Linux 6.18.
//! Differs: look-up takes the table's lock and a reference only when several threads share the table (`SoloLock`).
//! Locking: one leaf lock per table; nothing is dropped under it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::solo::{Light, SoloLock};
use acrida_kcore::thread::Thread;
use acrida_klib::bitmap::Bitmap;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::resource::RLIMIT_NOFILE;

use crate::current;
use crate::fs::file::File;
use crate::fs::notify::dnotify::Dnotify;

/// Linux's `sysctl_nr_open`.
pub const NR_OPEN: u32 = 1_048_576;

/// A descriptor table; shared with `CLONE_FILES`.
#[doc(alias = "files_struct")]
pub struct FilesStruct {
    table: SoloLock<Table>,
    /// Tasks that work with the table. References of those who only look at it (/proc, a call that sleeps) are not among them.
    #[doc(alias = "count")]
    users: AtomicU32,
    /// Never used twice: POSIX locks belong to it.
    id: u64,
    pub dnotify: Dnotify,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Default)]
pub(crate) struct Table {
    files: Vec<Option<Arc<File>>>,
    /// Bit per descriptor: in use, or promised.
    open: Bitmap,
    /// Bit per descriptor: close on exec.
    cloexec: Bitmap,
    /// No descriptor below this one is free.
    next: usize,
    /// Descriptors that are promised and have no file yet.
    reserved: usize,
}

impl Table {
    fn reserve(&mut self, limit: usize) -> Result<usize, Errno> {
        let fd = self.find_free(0, limit)?;
        self.open.set(fd);
        self.reserved += 1;
        Ok(fd)
    }

    #[doc(alias = "put_unused_fd")]
    fn give_back(&mut self, fd: usize) {
        self.open.clear(fd);
        self.next = self.next.min(fd);
        self.reserved -= 1;
    }

    /// The same open files; what is promised to callers of the old table is free in the new one.
    fn copy(&self) -> Table {
        let mut table = self.clone();
        if table.reserved != 0 {
            for fd in 0..table.files.len() {
                let is_promised = table.files[fd].is_none() && table.open.test(fd);
                if is_promised {
                    table.give_back(fd);
                }
            }
        }
        table
    }

    fn grow(&mut self, fd: usize) {
        if fd >= self.files.len() {
            self.files.resize((fd + 1).next_multiple_of(64), None);
        }
    }

    fn find_free(&mut self, from: usize, limit: usize) -> Result<usize, Errno> {
        let fd = self.open.find_next_zero_bit(from.max(self.next));
        if fd >= limit {
            return Err(Errno::EMFILE);
        }
        self.grow(fd);
        if from <= self.next {
            self.next = fd + 1;
        }
        Ok(fd)
    }

    fn set(&mut self, fd: usize, file: Arc<File>, cloexec: bool) -> Option<Arc<File>> {
        self.open.set(fd);
        self.cloexec.assign(fd, cloexec);
        self.files[fd].replace(file)
    }

    fn take(&mut self, fd: usize) -> Option<Arc<File>> {
        let file = self.files.get_mut(fd)?.take()?;
        self.open.clear(fd);
        self.cloexec.clear(fd);
        self.next = self.next.min(fd);
        Some(file)
    }
}

impl Default for FilesStruct {
    fn default() -> Self {
        FilesStruct::with(SoloLock::shared(Table::default()))
    }
}

/// The caller's soft limit of descriptors.
pub fn nofile_limit() -> usize {
    current().process.rlimit(RLIMIT_NOFILE as usize).rlim_cur.min(u64::from(NR_OPEN)) as usize
}

impl FilesStruct {
    fn with(table: SoloLock<Table>) -> FilesStruct {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        FilesStruct { table, users: AtomicU32::new(1), id, dnotify: Dnotify::default() }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// A copy with the same open files, for `thread` alone.
    #[doc(alias = "dup_fd")]
    pub fn copy(&self, thread: &Thread) -> Arc<FilesStruct> {
        let table = self.table.read(Table::copy);
        Arc::new(FilesStruct::with(SoloLock::owned_by(thread, table)))
    }

    /// Other threads than the caller will use the table too (`CLONE_FILES`).
    pub fn share(&self) {
        self.table.share();
    }

    /// Counts another task among the users of a shared table, until its [`FilesStruct::put`].
    pub fn add_user(&self) {
        self.users.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether other tasks than the caller use the table.
    pub fn is_shared(&self) -> bool {
        self.users.load(Ordering::Acquire) > 1
    }

    /// A task gives the table up; the last one closes its files.
    #[doc(alias = "put_files_struct")]
    pub fn put(&self) {
        if self.users.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        for file in self.take_all(0, u32::MAX) {
            // Nobody is left to hear of an error.
            let _ = filp_close(file, self);
        }
        // Whoever still looks at the table may be the one to free it.
        self.table.share();
    }

    /// The caller is the table's only user from now on.
    pub fn adopt(&self) {
        self.table.adopt();
    }

    /// The table's only user was killed; somebody else closes its files.
    pub fn forfeit(&self, dead: &Thread) {
        self.table.forfeit(dead);
    }

    /// The file behind `fd`, or `EBADF`.
    #[inline]
    #[doc(alias = "fget_raw")]
    pub fn get_any(&self, fd: i32) -> Result<Arc<File>, Errno> {
        self.table.read(|table| table.files.get(fd as u32 as usize).and_then(Option::as_ref).cloned()).ok_or(Errno::EBADF)
    }

    /// The file behind `fd`; `EBADF` also for `O_PATH` files.
    #[inline]
    #[doc(alias = "fget")]
    pub fn get(&self, fd: i32) -> Result<Arc<File>, Errno> {
        let file = self.get_any(fd)?;
        if file.is_path() { Err(Errno::EBADF) } else { Ok(file) }
    }

    /// Runs `look` with the files behind `fds`; `EBADF` as [`FilesStruct::get`]. While nobody else can change the table it
    /// takes no references to the files.
    ///
    /// `look` must neither sleep nor come back to the table.
    #[inline]
    #[doc(alias = "fdget")]
    pub fn with_files<const N: usize, R>(&self, fds: [i32; N], look: impl FnOnce([&Arc<File>; N]) -> R) -> Result<R, Errno> {
        if self.table.is_mine() {
            return self.table.read(|table| {
                let files =
                    fds.map(|fd| table.files.get(fd as u32 as usize).and_then(Option::as_ref).filter(|file| !file.is_path()));
                if files.iter().any(Option::is_none) {
                    return Err(Errno::EBADF);
                }
                Ok(look(files.map(|file| file.unwrap_or_else(|| unreachable!("just looked at")))))
            });
        }
        let files = fds.map(|fd| self.get(fd));
        let result = match files.iter().all(Result::is_ok) {
            true => Ok(look(core::array::from_fn(|n| files[n].as_ref().unwrap_or_else(|_| unreachable!("just looked at"))))),
            false => Err(Errno::EBADF),
        };
        result
    }

    /// The file behind `fd`, or `EBADF`, for use within one call: not counted where the caller is the table's only user.
    #[inline]
    #[doc(alias = "fdget_raw")]
    pub fn light_any(&self, fd: i32) -> Result<Light<File>, Errno> {
        self.table.light(|table| table.files.get(fd as u32 as usize)?.as_ref()).ok_or(Errno::EBADF)
    }

    /// The same; `EBADF` also for `O_PATH` files.
    #[inline]
    #[doc(alias = "fdget")]
    pub fn light(&self, fd: i32) -> Result<Light<File>, Errno> {
        let file = self.light_any(fd)?;
        if file.is_path() { Err(Errno::EBADF) } else { Ok(file) }
    }

    /// Descriptors below this number have a place in the table (`max_fds`).
    pub fn capacity(&self) -> usize {
        /// Linux keeps a first table of this length in the structure itself.
        const NR_OPEN_DEFAULT: usize = 64;
        self.table.read(|table| table.files.len()).max(NR_OPEN_DEFAULT)
    }

    /// Which of the descriptors `64 * index ..` are open or promised, bit by bit.
    #[doc(alias = "open_fds")]
    pub fn open_word(&self, index: usize) -> u64 {
        self.table.read(|table| table.open.word(index))
    }

    /// The first descriptor with a file from `from` on.
    #[doc(alias = "fget_task_next")]
    pub fn next_open(&self, from: usize) -> Option<usize> {
        self.table.read(|table| (from..table.files.len()).find(|&fd| table.files[fd].is_some()))
    }

    /// How many descriptors are open or promised.
    #[doc(alias = "proc_readfd_count")]
    pub fn count_open(&self) -> usize {
        self.table.read(|table| table.open.weight())
    }

    /// Puts `file` at the lowest free descriptor from `from` on; `EMFILE` at the limit.
    #[doc(alias = "get_unused_fd_flags")]
    pub fn install_from(&self, from: u32, file: Arc<File>, cloexec: bool) -> Result<u32, Errno> {
        let limit = nofile_limit();
        let mut table = self.table.lock();
        let fd = table.find_free(from as usize, limit)?;
        let old = table.set(fd, file, cloexec);
        debug_assert!(old.is_none(), "a free descriptor held a file");
        Ok(fd as u32)
    }

    /// Puts `file` at the lowest free descriptor.
    #[doc(alias = "fd_install")]
    pub fn install(&self, file: Arc<File>, cloexec: bool) -> Result<u32, Errno> {
        self.install_from(0, file, cloexec)
    }

    /// Promises the lowest free descriptor, so that its number can be told before there is a file; `EMFILE` at the limit.
    #[doc(alias = "get_unused_fd_flags")]
    pub fn reserve(self: &Arc<Self>) -> Result<Reserved, Errno> {
        let limit = nofile_limit();
        let fd = self.table.lock().reserve(limit)?;
        Ok(Reserved { files: self.clone(), fd, is_published: false })
    }

    /// Puts `file` at `fd`, whatever was there; gives what was there. `EBUSY` for a number that is promised.
    #[doc(alias = "do_dup2")]
    pub fn replace(&self, fd: u32, file: Arc<File>, cloexec: bool) -> Result<Option<Arc<File>>, Errno> {
        if fd as usize >= nofile_limit() {
            return Err(Errno::EBADF);
        }
        let mut table = self.table.lock();
        table.grow(fd as usize);
        if table.files[fd as usize].is_none() && table.open.test(fd as usize) {
            return Err(Errno::EBUSY);
        }
        Ok(table.set(fd as usize, file, cloexec))
    }

    /// Takes `fd` out of the table.
    #[doc(alias = "close_fd_get_file")]
    pub fn take(&self, fd: i32) -> Result<Arc<File>, Errno> {
        self.table.lock().take(fd as u32 as usize).ok_or(Errno::EBADF)
    }

    pub fn cloexec(&self, fd: i32) -> Result<bool, Errno> {
        let fd = fd as u32 as usize;
        self.table.read(|table| {
            table.files.get(fd).and_then(Option::as_ref).ok_or(Errno::EBADF)?;
            Ok(table.cloexec.test(fd))
        })
    }

    pub fn set_cloexec(&self, fd: i32, on: bool) -> Result<(), Errno> {
        let mut table = self.table.lock();
        let fd = fd as u32 as usize;
        table.files.get(fd).and_then(Option::as_ref).ok_or(Errno::EBADF)?;
        table.cloexec.assign(fd, on);
        Ok(())
    }

    /// Takes out what exec must close.
    #[doc(alias = "do_close_on_exec")]
    pub fn take_cloexec(&self) -> Vec<Arc<File>> {
        let mut table = self.table.lock();
        let marked: Vec<usize> = table.cloexec.iter().collect();
        marked.into_iter().filter_map(|fd| table.take(fd)).collect()
    }

    /// Takes out a range of descriptors (everything: at exit).
    #[doc(alias = "__close_range")]
    pub fn take_all(&self, first: u32, last: u32) -> Vec<Arc<File>> {
        let mut table = self.table.lock();
        let end = (last as usize).saturating_add(1).min(table.files.len());
        (first as usize..end).filter_map(|fd| table.take(fd)).collect()
    }

    /// Marks a range close-on-exec.
    pub fn set_cloexec_range(&self, first: u32, last: u32) {
        let mut table = self.table.lock();
        let end = (last as usize).saturating_add(1).min(table.files.len());
        for fd in first as usize..end {
            if table.files[fd].is_some() {
                table.cloexec.set(fd);
            }
        }
    }

    /// Open descriptors in order, with their files and close-on-exec flags.
    pub fn snapshot(&self) -> Vec<(u32, Arc<File>, bool)> {
        self.table.read(|table| {
            let entry = |(fd, file): (usize, &Option<Arc<File>>)| Some((fd as u32, file.clone()?, table.cloexec.test(fd)));
            table.files.iter().enumerate().filter_map(entry).collect()
        })
    }
}

/// A descriptor that nobody else can get and that does not work yet; free again unless it is published.
#[must_use]
pub struct Reserved {
    files: Arc<FilesStruct>,
    fd: usize,
    is_published: bool,
}

impl Reserved {
    pub fn fd(&self) -> i32 {
        self.fd as i32
    }

    /// Puts the file behind the number.
    #[doc(alias = "fd_install")]
    pub fn publish(mut self, file: Arc<File>, cloexec: bool) -> i32 {
        let mut table = self.files.table.lock();
        table.set(self.fd, file, cloexec);
        table.reserved -= 1;
        drop(table);
        self.is_published = true;
        self.fd()
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if !self.is_published {
            self.files.table.lock().give_back(self.fd);
        }
    }
}

/// A table that nobody but the caller can change while it looks; or none.
#[derive(Clone, Copy, Default)]
pub struct OwnTable<'a>(Option<&'a Table>);

impl<'a> OwnTable<'a> {
    /// The file behind `fd` if it is that very one: a way to it that costs no reference.
    #[inline]
    pub fn same(self, fd: i32, file: *const File) -> Option<&'a Arc<File>> {
        let found = self.0?.files.get(fd as u32 as usize)?.as_ref()?;
        core::ptr::eq(Arc::as_ptr(found), file).then_some(found)
    }
}

/// Runs `look` with the file behind `fd` and with the caller's table, if that is its own; as [`FilesStruct::with_files`].
#[inline]
pub fn with_file_and_table<R>(fd: i32, look: impl FnOnce(&Arc<File>, OwnTable<'_>) -> R) -> Result<R, Errno> {
    current().files.read(|files| match files.table.is_mine() {
        true => files.table.read(|table| match table.files.get(fd as u32 as usize) {
            Some(Some(file)) if !file.is_path() => Ok(look(file, OwnTable(Some(table)))),
            _ => Err(Errno::EBADF),
        }),
        false => files.with_files([fd], |[file]| look(file, OwnTable(None))),
    })
}

/// [`FilesStruct::with_files`] for the calling task.
#[inline]
pub fn with_files<const N: usize, R>(fds: [i32; N], look: impl FnOnce([&Arc<File>; N]) -> R) -> Result<R, Errno> {
    current().files.read(|files| files.with_files(fds, look))
}

/// `close` of one descriptor's file: flush, give up POSIX locks of this table, drop.
pub fn filp_close(file: Arc<File>, files: &FilesStruct) -> Result<(), Error> {
    filp_flush(&file, files)
}

/// What a `close` does before the reference goes.
pub fn filp_flush(file: &Arc<File>, files: &FilesStruct) -> Result<(), Error> {
    let result = file.ops.flush(file);
    files.dnotify.flush(file);
    if !file.is_path()
        && let Some(locks) = file.inode_common().locks.get()
    {
        locks.table_closed(files);
    }
    result
}
