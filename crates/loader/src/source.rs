//! The bytes of an executable file, wherever they live.
//!
//! Linux reads through `kernel_read`; the kernel implements [`Source`] for an open file, tests for a slice.

use crate::Error;

/// A file readable at any offset.
pub trait Source {
    /// Reads at byte offset `off` and says how many bytes came; 0 at the end of the file. May come short.
    ///
    /// # Errors
    /// [`Error::Source`] with the errno of the read.
    fn read_at(&self, off: u64, buf: &mut [u8]) -> Result<usize, Error>;
}

impl Source for [u8] {
    fn read_at(&self, off: u64, buf: &mut [u8]) -> Result<usize, Error> {
        let tail = usize::try_from(off).ok().and_then(|off| self.get(off..)).unwrap_or(&[]);
        let len = tail.len().min(buf.len());
        buf[..len].copy_from_slice(&tail[..len]);
        Ok(len)
    }
}

impl Source for &[u8] {
    fn read_at(&self, off: u64, buf: &mut [u8]) -> Result<usize, Error> {
        (**self).read_at(off, buf)
    }
}

/// Reads until `buf` is full or the file ends; returns the bytes read.
pub(crate) fn read_some_at(source: &dyn Source, off: u64, buf: &mut [u8]) -> Result<usize, Error> {
    let mut done = 0;
    while done < buf.len() {
        let at = off.checked_add(done as u64).ok_or(Error::Inval)?;
        match source.read_at(at, &mut buf[done..])? {
            0 => break,
            // A source that claims more than it was given must not carry us past the buffer.
            n => done = buf.len().min(done.saturating_add(n)),
        }
    }
    Ok(done)
}

/// Reads all of `buf`.
///
/// # Errors
/// [`Error::Io`] if the file ends first, else what the source says.
#[doc(alias = "elf_read")]
pub fn read_exact_at(source: &dyn Source, off: u64, buf: &mut [u8]) -> Result<(), Error> {
    if read_some_at(source, off, buf)? == buf.len() { Ok(()) } else { Err(Error::Io) }
}
