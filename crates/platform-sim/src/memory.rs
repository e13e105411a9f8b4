//! The guest memory of one world: one array, at one address.
//!
//! Mirrors: nothing in Linux.
//! Differs: all threads of a world see the same memory, whatever process they are taken for.

use acrida_kcore::uaccess::UserAddr;

/// Where guest memory begins; everything below and behind it faults.
pub const USER_BASE: u64 = 0x10_0000;

/// Guest memory that was handed out.
#[derive(Default)]
pub struct Memory {
    bytes: Vec<u8>,
}

impl Memory {
    /// Zeroed bytes more, a multiple of 16; what is handed out next follows them.
    pub fn alloc(&mut self, len: usize) -> UserAddr {
        let at = self.bytes.len();
        self.bytes.resize((at + len).next_multiple_of(16), 0);
        UserAddr(USER_BASE + at as u64)
    }

    /// As many of `len` bytes at `addr` as there are.
    fn part(&mut self, addr: UserAddr, len: usize) -> &mut [u8] {
        let Some(start) = addr.0.checked_sub(USER_BASE).and_then(|start| usize::try_from(start).ok()) else {
            return &mut [];
        };
        let end = start.saturating_add(len).min(self.bytes.len());
        self.bytes.get_mut(start..end).unwrap_or_default()
    }

    /// Gives the bytes not copied.
    pub fn read(&mut self, dst: &mut [u8], src: UserAddr) -> usize {
        let from = self.part(src, dst.len());
        dst[..from.len()].copy_from_slice(from);
        let copied = from.len();
        dst.len() - copied
    }

    /// Gives the bytes not copied.
    pub fn write(&mut self, dst: UserAddr, src: &[u8]) -> usize {
        let to = self.part(dst, src.len());
        let copied = to.len();
        to.copy_from_slice(&src[..copied]);
        src.len() - copied
    }
}
