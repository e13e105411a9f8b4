//! Patched texts kept from one world to the next, in a directory of the user's that the command chose.
//!
//! Mirrors: nothing in Linux.
//! Differs: one file per version of a guest's file. It has a header page, the text's pages, the stubs' pages and the
//! positions in the stubs, and is mapped as it is: a text that is known costs one host mapping, and its pages are shared
//! by all worlds of the user. The directory is the user's alone, belongs to one build of the kernel and to one boot of
//! the host (device numbers), and is emptied by the command. A file gets its name when it is complete.
//! Locking: none; of two that store the same text the later one wins, and both are right.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::host::HostFd;
use acrida_loader::patch::{Rewind, Stubs};
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::{O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY};
use acrida_uapi::resource::RLIMIT_FSIZE;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use super::TextImage;
use super::cache::Key;
use super::image::{Home, Shape};
use crate::current;
use crate::fs::hostfs::handle::HostHandle;
use crate::host::{fs, proc};
use crate::mm::vma::PAGE_SIZE;

const MAGIC: u64 = u64::from_le_bytes(*b"acridaT1");
/// A text whose look-through is shorter is not worth a file.
const WORTHWHILE: u64 = 64 << 10;
/// Smallest file without any call site that is remembered as such.
const WORTHWHILE_WITHOUT: u64 = 1 << 20;

/// The header page's beginning.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Header {
    magic: u64,
    /// 0: the file has no call site to patch, and nothing follows.
    text_len: u64,
    stubs_len: u64,
    in_file: u64,
    text_start: u64,
    distance: u64,
    rewinds: u64,
    key: [u64; 7],
}

/// One [`Rewind`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Entry {
    from: i64,
    len: u32,
    to: u32,
}

/// What is known about a file.
pub enum Known {
    Image(TextImage),
    /// No call sites.
    Plain,
}

/// The directory of one user, kernel build and boot.
pub struct Store {
    dir: HostHandle,
}

impl Store {
    /// `None` when there is no such directory: then every world looks for itself.
    pub fn open(path: &[u8]) -> Option<Store> {
        let dir = fs::openat(HostFd::CWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0).ok()?;
        Some(Store { dir: HostHandle::new(dir) })
    }

    /// What an earlier look at this version of a file has found.
    pub fn load(&self, key: &Key) -> Option<Known> {
        let fd = proc::as_world(|| fs::openat(self.dir.fd(), name(key).as_bytes(), O_RDONLY | O_NOFOLLOW, 0)).ok()?;
        let file = HostHandle::new(fd);
        let mut header = Header::new_zeroed();
        read_exact(&file, header.as_mut_bytes(), 0)?;
        if header.magic != MAGIC || header.key != key.words() {
            return None;
        }
        if header.text_len == 0 {
            return Some(Known::Plain);
        }
        let table = PAGE_SIZE.checked_add(header.text_len)?.checked_add(header.stubs_len)?;
        let bytes = header.rewinds.checked_mul(size_of::<Entry>() as u64)?;
        // Shorter than it says: nobody may find that out by a fault.
        if fs::statx(file.fd(), b"").ok()?.size != table.checked_add(bytes)? {
            return None;
        }
        let mut entries = vec![Entry::new_zeroed(); usize::try_from(header.rewinds).ok()?];
        read_exact(&file, entries.as_mut_bytes(), table)?;
        let rewinds = entries.iter().map(|entry| Rewind { from: entry.from, len: entry.len, to: entry.to }).collect();
        let shape = Shape {
            in_file: header.in_file..header.in_file.checked_add(header.text_len)?,
            stubs_len: header.stubs_len,
            distance: header.distance,
            text_start: header.text_start,
        };
        Some(Known::Image(TextImage::new(shape, Home::File { file, text: PAGE_SIZE }, Stubs { rewinds, ..Stubs::default() })))
    }

    /// Keeps an image, or that a file of `size` bytes has none.
    pub fn save(&self, key: &Key, image: Option<&TextImage>, size: u64) -> Result<(), Errno> {
        let worthwhile = image.map_or(size >= WORTHWHILE_WITHOUT, |image| image.text_len() >= WORTHWHILE);
        let len = image.map_or(0, |image| image.text_len() + image.stubs_len()) + (1 << 20);
        // The guest must not hear of a file that it did not write.
        if !worthwhile || current().process.rlimit(RLIMIT_FSIZE as usize).rlim_cur < len {
            return Ok(());
        }
        proc::as_world(|| {
            let hidden = format!(
                ".{}-{:x}",
                name(key),
                acrida_kcore::thread::current().host_tid.load(core::sync::atomic::Ordering::Relaxed)
            );
            let fd = fs::openat(self.dir.fd(), hidden.as_bytes(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)?;
            let file = HostHandle::new(fd);
            let done = write_image(&file, key, image)
                .and_then(|()| fs::renameat2(self.dir.fd(), hidden.as_bytes(), self.dir.fd(), name(key).as_bytes(), 0));
            if done.is_err() {
                // It cannot be helped if it stays: the command removes it one day.
                let _ = fs::unlinkat(self.dir.fd(), hidden.as_bytes(), 0);
            }
            done
        })
    }
}

/// The file's name for a version: the words of the key.
fn name(key: &Key) -> String {
    let words: Vec<String> = key.words().iter().map(|word| format!("{word:x}")).collect();
    words.join("-")
}

fn write_image(file: &HostHandle, key: &Key, image: Option<&TextImage>) -> Result<(), Errno> {
    let mut header = Header { magic: MAGIC, key: key.words(), ..Header::new_zeroed() };
    let Some(image) = image else { return write_all(file, header.as_bytes(), 0) };
    let entries: Vec<Entry> = image.rewinds().iter().map(|at| Entry { from: at.from, len: at.len, to: at.to }).collect();
    header.text_len = image.text_len();
    header.stubs_len = image.stubs_len();
    header.in_file = image.in_file().start;
    header.text_start = image.text_start();
    header.distance = image.distance();
    header.rewinds = entries.len() as u64;
    write_all(file, header.as_bytes(), 0)?;
    let pages = image.bytes().ok_or(Errno::EINVAL)?;
    write_all(file, &pages, PAGE_SIZE)?;
    write_all(file, entries.as_bytes(), PAGE_SIZE + pages.len() as u64)
}

fn read_exact(file: &HostHandle, mut buf: &mut [u8], mut at: u64) -> Option<()> {
    while !buf.is_empty() {
        let read = proc::pread(file.fd(), buf, at).ok().filter(|&read| read > 0)?;
        buf = &mut buf[read..];
        at += read as u64;
    }
    Some(())
}

fn write_all(file: &HostHandle, mut bytes: &[u8], mut at: u64) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = proc::pwrite(file.fd(), bytes, at)?;
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}
