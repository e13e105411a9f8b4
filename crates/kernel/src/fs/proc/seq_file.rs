//! Files whose text is made when it is read.
//!
//! Mirrors: fs/seq_file.c, Linux 6.18.
//! Differs: the whole text is made at once, and again by each read from position 0; reads in between continue the text
//! they began with, so a reader never sees two halves of different moments.
//! Locking: `TextFile::text` is a leaf lock; nothing is copied to a guest under it.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::epoll::{EPOLLERR, EPOLLIN, EPOLLPRI, EPOLLRDNORM};
use acrida_uapi::errno::{Errno, Error};

use crate::abi::SysResult;
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::iov_iter::IovIter;
use crate::fs::poll::{DEFAULT_POLLMASK, PollTable};

/// Longest text one write may bring.
const MAX_STORE: usize = 128 << 10;

/// Text under construction: bytes, since paths and names need not be UTF-8.
#[derive(Default)]
#[doc(alias = "seq_file")]
pub struct SeqFile(Vec<u8>);

impl SeqFile {
    pub fn new() -> SeqFile {
        SeqFile::default()
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[doc(alias = "seq_write")]
    pub fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends bytes with each one in `special` as a backslash and three octal digits.
    #[doc(alias = "mangle_path")]
    #[doc(alias = "seq_escape")]
    pub fn put_escaped(&mut self, bytes: &[u8], special: &[u8]) {
        for &byte in bytes {
            if special.contains(&byte) {
                let digit = |shift: u8| b'0' + (byte >> shift & 7);
                self.0.extend_from_slice(&[b'\\', digit(6), digit(3), digit(0)]);
            } else {
                self.0.push(byte);
            }
        }
    }

    /// Blanks up to `width` bytes behind `start`, then one more.
    #[doc(alias = "seq_pad")]
    pub fn pad(&mut self, start: usize, width: usize) {
        let end = (start + width).max(self.0.len());
        self.0.resize(end + 1, b' ');
    }
}

impl fmt::Write for SeqFile {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Appends formatted text to a [`SeqFile`]; memory is the only thing that could run out.
macro_rules! seq_printf {
    ($out:expr, $($format:tt)*) => {{
        use core::fmt::Write as _;
        let _ = write!($out, $($format)*);
    }};
}
pub(crate) use seq_printf;

/// Makes the text.
pub type ShowFn = Box<dyn Fn(&mut SeqFile) -> Result<(), Error> + Send + Sync>;
/// Takes what was written.
pub type StoreFn = Box<dyn Fn(&[u8]) -> Result<(), Error> + Send + Sync>;

/// Changes of something that files tell about.
#[derive(Default)]
pub struct Changes {
    count: AtomicU64,
    queue: Arc<WaitQueueHead>,
}

impl Changes {
    /// One more.
    #[doc(alias = "touch_mnt_namespace")]
    pub fn add(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.queue.wake_all(0);
    }
}

/// What an open file has told of them.
struct Watch {
    changes: Arc<Changes>,
    #[doc(alias = "poll_event")]
    seen: AtomicU64,
}

impl Watch {
    /// Whether there were any since the last look.
    fn look(&self, table: &mut PollTable<'_>) -> bool {
        table.poll_wait(&self.changes.queue);
        let now = self.changes.count.load(Ordering::SeqCst);
        self.seen.swap(now, Ordering::SeqCst) != now
    }
}

/// An open file of made text.
pub struct TextFile {
    show: Option<ShowFn>,
    store: Option<StoreFn>,
    /// What a write meets that nobody takes.
    refusal: Errno,
    /// What `poll` answers.
    ready: Option<u32>,
    /// What it answers more when something has changed: `POLLERR | POLLPRI`, once for each opening.
    changes: Option<Watch>,
    text: SpinLock<Option<Arc<[u8]>>>,
}

impl TextFile {
    /// A file that is only read.
    #[doc(alias = "single_open")]
    pub fn new(show: ShowFn) -> TextFile {
        TextFile::with(Some(show), None)
    }

    /// A file that may be read, written, or both.
    pub fn with(show: Option<ShowFn>, store: Option<StoreFn>) -> TextFile {
        TextFile { show, store, refusal: Errno::EINVAL, ready: None, changes: None, text: SpinLock::new(None) }
    }

    /// The manners of files that belong to no process: a write is an I/O error, and `poll` is always satisfied.
    #[doc(alias = "proc_reg_file_ops")]
    pub fn global(self) -> TextFile {
        TextFile { refusal: Errno::EIO, ready: Some(DEFAULT_POLLMASK), ..self }
    }

    /// Can be read at any time, and tells `poll` of changes from now on.
    #[doc(alias = "mounts_poll")]
    pub fn watching(self, changes: &Arc<Changes>) -> TextFile {
        let seen = AtomicU64::new(changes.count.load(Ordering::SeqCst));
        TextFile { ready: Some(EPOLLIN | EPOLLRDNORM), changes: Some(Watch { changes: changes.clone(), seen }), ..self }
    }

    fn text_at(&self, pos: u64) -> Result<Arc<[u8]>, Error> {
        let kept = self.text.lock().clone();
        match kept {
            Some(text) if pos != 0 => Ok(text),
            _ => {
                let show = self.show.as_ref().ok_or(Errno::EINVAL)?;
                let mut out = SeqFile::new();
                show(&mut out)?;
                let text: Arc<[u8]> = out.into_bytes().into();
                let old = self.text.lock().replace(text.clone());
                drop(old);
                Ok(text)
            }
        }
    }
}

impl FileOperations for TextFile {
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        if to.count() == 0 {
            return Ok(0);
        }
        let text = self.text_at(*pos)?;
        let rest = usize::try_from(*pos).ok().and_then(|at| text.get(at..)).unwrap_or(&[]);
        if rest.is_empty() {
            return Ok(0);
        }
        let copied = to.copy_to(rest);
        if copied == 0 {
            return Err(Errno::EFAULT.into());
        }
        *pos += copied as u64;
        Ok(copied)
    }

    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, pos: &mut u64) -> SysResult {
        let store = self.store.as_ref().ok_or(self.refusal)?;
        let mut bytes = alloc::vec![0; from.count().min(MAX_STORE)];
        let copied = from.copy_from(&mut bytes);
        if copied < bytes.len() {
            return Err(Errno::EFAULT.into());
        }
        store(&bytes)?;
        *pos += copied as u64;
        Ok(copied)
    }

    /// Accepted, as a shell's `>` asks for it.
    fn truncate(&self, _file: &FileRef, _len: u64) -> Result<(), Error> {
        Ok(())
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        let news = self.changes.as_ref().is_some_and(|watch| watch.look(table));
        Some(self.ready? | if news { EPOLLERR | EPOLLPRI } else { 0 })
    }

    fn can_poll(&self) -> bool {
        self.ready.is_some()
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        seek(file, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }
}

/// `lseek` of a file without a size.
#[doc(alias = "seq_lseek")]
pub fn seek(file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
    let mut pos = file.pos.lock();
    let base = match whence {
        Whence::Set => 0,
        Whence::Cur => *pos,
        _ => return Err(Errno::EINVAL.into()),
    };
    let new = base.checked_add_signed(offset).filter(|&new| new <= i64::MAX as u64).ok_or(Errno::EINVAL)?;
    *pos = new;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_bytes_become_octal() {
        let mut out = SeqFile::new();
        out.put_escaped(b"/a b\n\\c", b" \t\n\\");
        assert_eq!(out.into_bytes(), b"/a\\040b\\012\\134c");
    }

    #[test]
    fn padding_is_at_least_one_blank() {
        let mut out = SeqFile::new();
        out.put(b"abc");
        out.pad(0, 5);
        out.put(b"|");
        out.pad(0, 2);
        assert_eq!(out.into_bytes(), b"abc   | ");
    }
}
