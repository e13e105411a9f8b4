//! Descriptor tables.
//!
//! Mirrors: fs/file.c, include/linux/fdtable.h, Linux 6.18.
//! Differs: the array of files is kcore's `LightTable`: look-up takes no lock, and no reference either while one thread alone uses the
//! table. Numbers are handed out under the table's lock.
//! Locking: one leaf lock per table; nothing is dropped under it.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::light::{Light, LightTable, TableGuard, View};
use acrida_kcore::thread::Thread;
use acrida_klib::bitmap::Bitmap;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::resource::RLIMIT_NOFILE;

use crate::current;
use crate::fs::file::{File, FileRef};
use crate::fs::notify::dnotify::Dnotify;

/// Linux's `sysctl_nr_open`.
pub const NR_OPEN: u32 = 1_048_576;

/// A descriptor table; shared with `CLONE_FILES`.
#[doc(alias = "files_struct")]
pub struct FilesStruct {
    table: LightTable<File, Numbers>,
    /// Tasks that work with the table. References of those who only look at it (/proc, a call that sleeps) are not among them.
    #[doc(alias = "count")]
    users: AtomicU32,
    /// Never used twice: POSIX locks belong to it.
    id: u64,
    pub dnotify: Dnotify,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The descriptors of a table without their files.
#[derive(Clone, Default)]
struct Numbers {
    /// Bit per descriptor: in use, or promised.
    open: Bitmap,
    /// Bit per descriptor: close on exec.
    cloexec: Bitmap,
    /// No descriptor below this one is free.
    next: usize,
    /// Descriptors that are promised and have no file yet.
    reserved: usize,
}

impl Numbers {
    #[doc(alias = "put_unused_fd")]
    fn give_back(&mut self, fd: usize) {
        self.open.clear(fd);
        self.next = self.next.min(fd);
        self.reserved -= 1;
    }

    fn find_free(&mut self, from: usize, limit: usize) -> Result<usize, Errno> {
        let fd = self.open.find_next_zero_bit(from.max(self.next));
        if fd >= limit {
            return Err(Errno::EMFILE);
        }
        if from <= self.next {
            self.next = fd + 1;
        }
        Ok(fd)
    }
}

type Guard<'a> = TableGuard<'a, File, Numbers>;

/// Puts `file` behind a number; gives what was there.
fn set(table: &mut Guard<'_>, fd: usize, file: FileRef, cloexec: bool) -> Option<FileRef> {
    table.open.set(fd);
    table.cloexec.assign(fd, cloexec);
    table.grow(fd);
    table.replace(fd, Some(file))
}

fn take(table: &mut Guard<'_>, fd: usize) -> Option<FileRef> {
    let file = table.replace(fd, None)?;
    table.open.clear(fd);
    table.cloexec.clear(fd);
    table.next = table.next.min(fd);
    Some(file)
}

/// The open descriptors among `first..=last`.
fn open_among(table: View<'_, File, Numbers>, first: usize, last: usize) -> impl Iterator<Item = (usize, &FileRef)> {
    let after = |fd: usize| table.state.open.find_next_bit(fd + 1);
    let numbers = core::iter::successors(table.state.open.find_next_bit(first), move |&fd| after(fd));
    numbers.take_while(move |&fd| fd <= last).filter_map(move |fd| Some((fd, table.get(fd)?)))
}

/// A descriptor's place in a table.
#[inline]
fn place(fd: i32) -> usize {
    fd.cast_unsigned() as usize
}

impl Default for FilesStruct {
    fn default() -> Self {
        FilesStruct::with(LightTable::shared(Numbers::default()))
    }
}

/// The caller's soft limit of descriptors.
pub fn nofile_limit() -> usize {
    current().process.rlimit(RLIMIT_NOFILE as usize).rlim_cur.min(u64::from(NR_OPEN)) as usize
}

impl FilesStruct {
    fn with(table: LightTable<File, Numbers>) -> FilesStruct {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        FilesStruct { table, users: AtomicU32::new(1), id, dnotify: Dnotify::default() }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// A copy with the same open files, for `thread` alone; what is promised to callers of this table is free in the new one.
    #[doc(alias = "dup_fd")]
    pub fn copy(&self, thread: &Thread) -> Arc<FilesStruct> {
        let mut copy = FilesStruct::with(LightTable::shared(Numbers::default()));
        let mut own = copy.table.lock();
        self.table.read(|table| {
            *own = table.state.clone();
            for fd in table.state.open.iter() {
                match table.get(fd) {
                    Some(file) => drop(set(&mut own, fd, file.clone(), table.state.cloexec.test(fd))),
                    None => own.give_back(fd),
                }
            }
        });
        drop(own);
        copy.table.give_to(thread);
        Arc::new(copy)
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
    pub fn get_any(&self, fd: i32) -> Result<FileRef, Errno> {
        self.table.get(place(fd)).ok_or(Errno::EBADF)
    }

    /// The file behind `fd`; `EBADF` also for `O_PATH` files.
    #[inline]
    #[doc(alias = "fget")]
    pub fn get(&self, fd: i32) -> Result<FileRef, Errno> {
        let file = self.get_any(fd)?;
        if file.is_path() { Err(Errno::EBADF) } else { Ok(file) }
    }

    /// Runs `look` with the files behind `fds`; `EBADF` as [`FilesStruct::get`]. While nobody else can change the table it
    /// takes no references to the files.
    ///
    /// `look` must neither sleep nor come back to the table.
    #[inline]
    #[doc(alias = "fdget")]
    pub fn with_files<const N: usize, R>(&self, fds: [i32; N], look: impl FnOnce([&FileRef; N]) -> R) -> Result<R, Errno> {
        if self.table.is_mine() {
            return self.table.read(|table| {
                let files = fds.map(|fd| table.get(place(fd)).filter(|file| !file.is_path()));
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
        self.table.light(place(fd)).ok_or(Errno::EBADF)
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
        self.table.read(|table| table.capacity())
    }

    /// Which of the descriptors `64 * index ..` are open or promised, bit by bit.
    #[doc(alias = "open_fds")]
    pub fn open_word(&self, index: usize) -> u64 {
        self.table.read(|table| table.state.open.word(index))
    }

    /// The first descriptor with a file from `from` on.
    #[doc(alias = "fget_task_next")]
    pub fn next_open(&self, from: usize) -> Option<usize> {
        self.table.read(|table| Some(open_among(table, from, usize::MAX).next()?.0))
    }

    /// How many descriptors are open or promised.
    #[doc(alias = "proc_readfd_count")]
    pub fn count_open(&self) -> usize {
        self.table.read(|table| table.state.open.weight())
    }

    /// Puts `file` at the lowest free descriptor from `from` on; `EMFILE` at the limit.
    #[doc(alias = "get_unused_fd_flags")]
    pub fn install_from(&self, from: u32, file: FileRef, cloexec: bool) -> Result<u32, Errno> {
        let limit = nofile_limit();
        let mut table = self.table.lock();
        let fd = table.find_free(from as usize, limit)?;
        let old = set(&mut table, fd, file, cloexec);
        debug_assert!(old.is_none(), "a free descriptor held a file");
        Ok(fd as u32)
    }

    /// Puts `file` at the lowest free descriptor.
    #[doc(alias = "fd_install")]
    pub fn install(&self, file: FileRef, cloexec: bool) -> Result<u32, Errno> {
        self.install_from(0, file, cloexec)
    }

    /// Promises the lowest free descriptor, so that its number can be told before there is a file; `EMFILE` at the limit.
    #[doc(alias = "get_unused_fd_flags")]
    pub fn reserve(self: &Arc<Self>) -> Result<Reserved, Errno> {
        let limit = nofile_limit();
        let mut table = self.table.lock();
        let fd = table.find_free(0, limit)?;
        table.open.set(fd);
        table.reserved += 1;
        drop(table);
        Ok(Reserved { files: self.clone(), fd, is_published: false })
    }

    /// Puts `file` at `fd`, whatever was there; gives what was there. `EBUSY` for a number that is promised.
    #[doc(alias = "do_dup2")]
    pub fn replace(&self, fd: u32, file: FileRef, cloexec: bool) -> Result<Option<FileRef>, Errno> {
        if fd as usize >= nofile_limit() {
            return Err(Errno::EBADF);
        }
        let fd = fd as usize;
        let mut table = self.table.lock();
        if table.view().get(fd).is_none() && table.open.test(fd) {
            return Err(Errno::EBUSY);
        }
        Ok(set(&mut table, fd, file, cloexec))
    }

    /// Takes `fd` out of the table.
    #[doc(alias = "close_fd_get_file")]
    pub fn take(&self, fd: i32) -> Result<FileRef, Errno> {
        take(&mut self.table.lock(), place(fd)).ok_or(Errno::EBADF)
    }

    pub fn cloexec(&self, fd: i32) -> Result<bool, Errno> {
        self.table.read(|table| {
            table.get(place(fd)).ok_or(Errno::EBADF)?;
            Ok(table.state.cloexec.test(place(fd)))
        })
    }

    pub fn set_cloexec(&self, fd: i32, on: bool) -> Result<(), Errno> {
        let mut table = self.table.lock();
        table.view().get(place(fd)).ok_or(Errno::EBADF)?;
        table.cloexec.assign(place(fd), on);
        Ok(())
    }

    /// Takes out what exec must close.
    #[doc(alias = "do_close_on_exec")]
    pub fn take_cloexec(&self) -> Vec<FileRef> {
        let mut table = self.table.lock();
        let marked: Vec<usize> = table.cloexec.iter().collect();
        marked.into_iter().filter_map(|fd| take(&mut table, fd)).collect()
    }

    /// Takes out a range of descriptors (everything: at exit).
    #[doc(alias = "__close_range")]
    pub fn take_all(&self, first: u32, last: u32) -> Vec<FileRef> {
        let mut table = self.table.lock();
        let open: Vec<usize> = open_among(table.view(), first as usize, last as usize).map(|(fd, _)| fd).collect();
        open.into_iter().filter_map(|fd| take(&mut table, fd)).collect()
    }

    /// Marks a range close-on-exec.
    pub fn set_cloexec_range(&self, first: u32, last: u32) {
        let mut table = self.table.lock();
        let open: Vec<usize> = open_among(table.view(), first as usize, last as usize).map(|(fd, _)| fd).collect();
        for fd in open {
            table.cloexec.set(fd);
        }
    }

    /// Open descriptors in order, with their files and close-on-exec flags.
    pub fn snapshot(&self) -> Vec<(u32, FileRef, bool)> {
        self.table.read(|table| {
            let entry = |(fd, file): (usize, &FileRef)| (fd as u32, file.clone(), table.state.cloexec.test(fd));
            open_among(table, 0, usize::MAX).map(entry).collect()
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
    pub fn publish(mut self, file: FileRef, cloexec: bool) -> i32 {
        let mut table = self.files.table.lock();
        let old = set(&mut table, self.fd, file, cloexec);
        debug_assert!(old.is_none(), "a promised descriptor held a file");
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
pub struct OwnTable<'a>(Option<View<'a, File, Numbers>>);

impl<'a> OwnTable<'a> {
    /// The file behind `fd` if it is that very one: a way to it that costs no reference.
    #[inline]
    pub fn same(self, fd: i32, file: *const File) -> Option<&'a FileRef> {
        let found = self.0?.get(place(fd))?;
        core::ptr::eq(FileRef::as_ptr(found), file).then_some(found)
    }
}

/// Runs `look` with the file behind `fd` and with the caller's table, if that is its own; as [`FilesStruct::with_files`].
#[inline]
pub fn with_file_and_table<R>(fd: i32, look: impl FnOnce(&FileRef, OwnTable<'_>) -> R) -> Result<R, Errno> {
    current().files.read(|files| match files.table.is_mine() {
        true => files.table.read(|table| match table.get(place(fd)) {
            Some(file) if !file.is_path() => Ok(look(file, OwnTable(Some(table)))),
            _ => Err(Errno::EBADF),
        }),
        false => files.with_files([fd], |[file]| look(file, OwnTable(None))),
    })
}

/// [`FilesStruct::with_files`] for the calling task.
#[inline]
pub fn with_files<const N: usize, R>(fds: [i32; N], look: impl FnOnce([&FileRef; N]) -> R) -> Result<R, Errno> {
    current().files.read(|files| files.with_files(fds, look))
}

/// `close` of one descriptor's file: flush, give up POSIX locks of this table, drop.
pub fn filp_close(file: FileRef, files: &FilesStruct) -> Result<(), Error> {
    filp_flush(&file, files)
}

/// What a `close` does before the reference goes.
pub fn filp_flush(file: &FileRef, files: &FilesStruct) -> Result<(), Error> {
    let result = file.ops.flush(file);
    files.dnotify.flush(file);
    if !file.is_path()
        && let Some(locks) = file.inode_common().locks.get()
    {
        locks.table_closed(files);
    }
    result
}
