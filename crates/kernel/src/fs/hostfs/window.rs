//! Windows on host files: small reads without a host call.
//!
//! Mirrors: nothing in Linux; the page cache that mm/filemap.c reads from is the host's, and a window shows it.
//! A file that is read often in small pieces gets a read-only shared mapping of the part around its position, in the
//! address space of the reader. What lies in the window is the file's content of the moment, whoever changes it. What the window does
//! not tell is where the file ends. Whoever shrinks a file zeroes the rest of its last page and takes the pages behind it away:
//! ```text
//!   [ page | page | page | page ..........]  as the host told the size when the window was opened
//!   [ page | data 000000 ]                   shrunk: behind the page is a fault
//! ```
//! So a read is served here only inside the size that the host told, and only after a look at a witness: the first byte of the
//! page behind it, which is there or not, or, where no page follows, its own last byte, which must not be zero. Whatever has no
//! such witness is asked of the host.
//! Differs from a read by the host: it does not set the access time. The reads around it do (the first ones, and the one that
//! meets the end), and so does one after each change of the content through us; a file system that notes every access
//! gets no windows.
//! Locking: a place's lock is a leaf, below the task's slot for its `MmStruct`. A reader only tries it, and asks the host if it is
//! taken; who closes windows waits for it.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::frame::PAGE_SIZE;
use acrida_kcore::host::{FILE_WINDOW_SIZE, FILE_WINDOWS, HostFd};
use acrida_kcore::platform::platform;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::fcntl::{O_DIRECT, SEEK_CUR};
use acrida_uapi::statfs::{BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, ST_NOATIME, ST_RELATIME, TMPFS_MAGIC};

use super::file::HOST_POSITION;
use crate::current;
use crate::fs::file::{File, FileRef};
use crate::fs::iov_iter::IovIter;
use crate::host;
use crate::kernel::task::try_current;

/// Larger reads are the host's: the copy is what they cost.
const SMALL: usize = 16 << 10;
/// Small reads before a window is worth its price, which is that of five host calls.
const WORTH_IT: u32 = 8;
/// Reads from a window that pay for it and for the faults on its pages.
const PAID: u32 = 32;
/// Doublings of [`WORTH_IT`]. Reads at random in a file with more parts than places throw out windows before they have
/// paid: they took three times as long as the host's own, now 1.2 times.
const MOST_PATIENT: u32 = 8;
/// In place of a file's number: it can have no windows.
const NEVER: u64 = u64::MAX;

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// What one window shows.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    /// Number of the open file; 0: nothing.
    file: u64,
    start: u64,
    /// Where the part known to be inside the file ends.
    end: u64,
    /// The inode's, when the host was asked last.
    version: u32,
    /// Reads that it served.
    served: u32,
}

/// What a window that was opened has taken the place of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, or the window itself.
    Nothing,
    Paid,
    Unpaid,
}

/// The windows of an address space. A part of a file has one place where it can be, so nothing is searched.
#[derive(Default)]
pub struct FileWindows {
    places: [SpinLock<Window>; FILE_WINDOWS],
    mapped: AtomicU32,
}

/// What an open file knows about its windows.
#[derive(Debug, Default)]
pub struct Windowed {
    /// 0 before its first window.
    number: AtomicU64,
    /// Small reads that the host served since the last window was opened.
    small_reads: AtomicU32,
    /// How often [`WORTH_IT`] is doubled for this file.
    patience: AtomicU32,
}

/// One read of a file at a place.
#[derive(Clone, Copy)]
struct Wanted {
    pos: u64,
    len: usize,
    to: UserAddr,
}

impl Wanted {
    /// Where the window with these bytes starts in the file, if one window can hold them.
    fn window_start(self) -> Option<u64> {
        let start = self.pos - self.pos % FILE_WINDOW_SIZE;
        (self.pos + self.len as u64 <= start + FILE_WINDOW_SIZE).then_some(start)
    }
}

fn place(number: u64, start: u64) -> usize {
    (number.wrapping_add(start / FILE_WINDOW_SIZE) % FILE_WINDOWS as u64) as usize
}

impl FileWindows {
    /// Serves a read from a window; whether it did.
    #[inline]
    fn read(&self, number: u64, version: u32, wanted: Wanted) -> bool {
        let Some(start) = wanted.window_start() else { return false };
        let index = place(number, start);
        let Some(mut window) = self.places[index].try_lock() else { return false };
        if window.file != number || window.start != start || wanted.pos + wanted.len as u64 > window.end {
            return false;
        }
        if window.version != version {
            // The host notes the access, once.
            window.version = version;
            return false;
        }
        let end = wanted.pos + wanted.len as u64;
        let next_page = end.next_multiple_of(PAGE_SIZE as u64);
        let has_next = next_page < window.end;
        let [at, witness] = [wanted.pos, if has_next { next_page } else { end - 1 }].map(|pos| (pos - start) as usize);
        let seen = platform().host().copy_file_window(index, at, wanted.to, wanted.len, witness);
        let is_served = seen.is_some_and(|byte| has_next || byte != 0);
        window.served = window.served.saturating_add(is_served.into());
        is_served
    }

    /// Opens the window with the bytes of `wanted`, in place of what is there; `None` when it cannot show them.
    fn open(&self, number: u64, fd: HostFd, version: u32, wanted: Wanted) -> Option<Before> {
        let start = wanted.window_start()?;
        let stat = host::fs::statx(fd, b"").ok()?;
        let end = stat.size.min(start + FILE_WINDOW_SIZE);
        if wanted.pos + wanted.len as u64 > end {
            return None;
        }
        let index = place(number, start);
        let mut window = self.places[index].try_lock()?;
        if window.file == number && window.start == start {
            *window = Window { end, version, ..*window };
            return Some(Before::Nothing);
        }
        let old = core::mem::take(&mut *window);
        if platform().host().map_file_window(index, fd, start).is_err() {
            self.mapped.fetch_sub(u32::from(old.file != 0), Ordering::Relaxed);
            return None;
        }
        self.mapped.fetch_add(u32::from(old.file == 0), Ordering::Relaxed);
        *window = Window { file: number, start, end, version, served: 0 };
        Some(match old {
            Window { file: 0, .. } => Before::Nothing,
            Window { served, .. } if served < PAID => Before::Unpaid,
            _ => Before::Paid,
        })
    }

    /// Closes every window of a file.
    fn close(&self, number: u64) {
        if self.mapped.load(Ordering::Relaxed) == 0 {
            return;
        }
        for (index, place) in self.places.iter().enumerate() {
            let mut window = place.lock();
            if window.file == number {
                *window = Window::default();
                platform().host().unmap_file_window(index);
                self.mapped.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// Whether a window shows exactly what the host would read, beyond what this file deals with: the file's pages are the ones that
/// are mapped (so no overlayfs, where a file may move to another layer), reads are not kept from seeing half a write (so no
/// XFS), and not every access is noted.
fn can_have_windows(file: &File, fd: HostFd) -> bool {
    let Ok(fs) = host::fs::fstatfs(fd) else { return false };
    file.flags() & O_DIRECT == 0
        && matches!(fs.f_type, EXT4_SUPER_MAGIC | BTRFS_SUPER_MAGIC | TMPFS_MAGIC)
        && fs.f_flags & (ST_RELATIME | ST_NOATIME) != 0
}

impl Windowed {
    /// Serves a small read of one guest range from a window; the bytes read, or `None`: ask the host.
    #[inline(always)]
    pub fn read(&self, fd: HostFd, file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> Option<usize> {
        let number = self.number.load(Ordering::Relaxed);
        if number == NEVER || to.flags() != 0 {
            return None;
        }
        let (addr, len) = to.only_user_segment().filter(|&(_, len)| (1..=SMALL).contains(&len))?;
        let wanted = Wanted { pos: *pos, len, to: addr };
        let hit = number != 0
            && *pos != HOST_POSITION
            && file.flags() & O_DIRECT == 0
            && current().mm.lock().mm().file_windows.read(number, version(file), wanted);
        if !hit {
            return self.missed(fd, file, wanted, pos);
        }
        to.advance(len);
        *pos += len as u64;
        Some(len)
    }

    /// Counts a small read that no window served, and opens a window if it was one too many. The position comes home then.
    #[cold]
    #[inline(never)]
    fn missed(&self, fd: HostFd, file: &FileRef, mut wanted: Wanted, pos: &mut u64) -> Option<usize> {
        // Lost counts do no harm.
        let count = self.small_reads.load(Ordering::Relaxed) + 1;
        let patience = self.patience.load(Ordering::Relaxed);
        let is_worth_it = count >= WORTH_IT << patience;
        self.small_reads.store(if is_worth_it { 0 } else { count }, Ordering::Relaxed);
        if !is_worth_it {
            return None;
        }
        let number = self.number(file, fd)?;
        if wanted.pos == HOST_POSITION {
            wanted.pos = host::fs::lseek(fd, 0, SEEK_CUR).ok()?;
        }
        if let Some(before) = current().mm().file_windows.open(number, fd, version(file), wanted) {
            *pos = wanted.pos;
            let patience = match before {
                Before::Nothing => patience,
                Before::Paid => patience.saturating_sub(1),
                Before::Unpaid => (patience + 1).min(MOST_PATIENT),
            };
            self.patience.store(patience, Ordering::Relaxed);
        }
        // This one is still the host's: it notes the access.
        None
    }

    /// The file's number, given out at the first call; `None` when it can have no windows.
    pub fn number(&self, file: &File, fd: HostFd) -> Option<u64> {
        if self.number.load(Ordering::Relaxed) == 0 {
            let number = if can_have_windows(file, fd) { NEXT_NUMBER.fetch_add(1, Ordering::Relaxed) } else { NEVER };
            // Another thread may have been faster.
            let _ = self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        }
        Some(self.number.load(Ordering::Relaxed)).filter(|&number| number != NEVER)
    }

    /// A descriptor of the file was closed: nothing of the file is held in the calling process any longer.
    pub fn closed(&self) {
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 && number != NEVER {
            let Some(task) = try_current() else { return };
            task.mm().file_windows.close(number);
        }
    }
}

fn version(file: &File) -> u32 {
    file.inode_common().version()
}
