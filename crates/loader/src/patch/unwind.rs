//! Function ranges out of `.eh_frame_hdr` and `.eh_frame`.
//!
//! Format: Linux Standard Base Core, "Exception Frames". Only what toolchains emit for x86-64 is read: the sorted table
//! with 4-byte entries relative to the header. Anything else yields no functions, and sites then keep trapping.

use alloc::vec::Vec;

use super::cursor::{Cursor, OMITTED};

/// `DW_EH_PE_datarel | DW_EH_PE_sdata4`, the only table form linkers write.
const TABLE_ENCODING: u8 = 0x3b;
const ENTRY_LEN: usize = 8;

/// A segment that holds both tables, at its address, and where in it the header is.
#[derive(Clone, Copy, Debug)]
pub struct Unwind<'a> {
    pub bytes: &'a [u8],
    pub vaddr: u64,
    /// Address of `.eh_frame_hdr` (PT_GNU_EH_FRAME).
    pub header: u64,
}

/// One function, or one of the parts a compiler cut it into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRange {
    pub start: u64,
    pub len: u64,
    /// It has landing pads: exceptions enter it at addresses only its exception table names.
    pub landing_pads: bool,
}

/// What all entries of one common record share.
#[derive(Clone, Copy, Default)]
struct Common {
    pointer: u8,
    lsda: Option<u8>,
    augmented: bool,
}

impl Unwind<'_> {
    fn at(&self, vaddr: u64) -> Option<Cursor<'_>> {
        Cursor::at_vaddr(self.bytes, self.vaddr, vaddr)
    }

    /// All ranges in table order; entries that cannot be read are left out.
    pub fn ranges(&self) -> Vec<FrameRange> {
        self.entries().unwrap_or_default()
    }

    fn entries(&self) -> Option<Vec<FrameRange>> {
        let mut at = self.at(self.header)?;
        let (version, frame, count, table) = (at.u8()?, at.u8()?, at.u8()?, at.u8()?);
        if version != 1 || table != TABLE_ENCODING || count == OMITTED {
            return None;
        }
        if frame != OMITTED {
            at.pointer(frame, self.header)?;
        }
        let count = at.pointer(count, self.header)?;
        let room = at.remaining() / ENTRY_LEN;
        let count = usize::try_from(count).map_or(room, |count| count.min(room));
        let mut common = None;
        let mut ranges = Vec::with_capacity(count);
        for _ in 0..count {
            let _start = at.i32()?;
            let entry = self.header.wrapping_add_signed(i64::from(at.i32()?));
            ranges.extend(self.entry(entry, &mut common));
        }
        Some(ranges)
    }

    /// Reads one frame description entry; `last` remembers the common record of the one before.
    fn entry(&self, vaddr: u64, last: &mut Option<(u64, Common)>) -> Option<FrameRange> {
        let mut at = self.at(vaddr)?;
        // A length of all ones announces the 64-bit form, which x86-64 toolchains do not write.
        at.u32().filter(|&len| len != 0 && len != u32::MAX)?;
        let id_vaddr = at.vaddr();
        let distance = at.u32().filter(|&distance| distance != 0)?;
        let common_vaddr = id_vaddr.checked_sub(u64::from(distance))?;
        let common = match *last {
            Some((vaddr, common)) if vaddr == common_vaddr => common,
            _ => self.common(common_vaddr)?,
        };
        *last = Some((common_vaddr, common));
        let start = at.pointer(common.pointer, self.header)?;
        let len = at.raw_pointer(common.pointer)?;
        let mut landing_pads = false;
        if common.augmented {
            at.leb128()?;
            if let Some(encoding) = common.lsda.filter(|&encoding| encoding != OMITTED) {
                landing_pads = at.raw_pointer(encoding)? != 0;
            }
        }
        Some(FrameRange { start, len, landing_pads })
    }

    /// Reads a common information entry.
    fn common(&self, vaddr: u64) -> Option<Common> {
        let mut at = self.at(vaddr)?;
        at.u32().filter(|&len| len != 0 && len != u32::MAX)?;
        at.u32().filter(|&id| id == 0)?;
        let version = at.u8()?;
        let augmentation = at.c_string()?;
        at.leb128()?;
        at.leb128()?;
        if version == 1 {
            at.u8()?;
        } else {
            at.leb128()?;
        }
        let mut common = Common::default();
        for &letter in augmentation {
            match letter {
                b'z' => {
                    common.augmented = true;
                    at.leb128()?;
                }
                b'R' => common.pointer = at.u8()?,
                b'L' => common.lsda = Some(at.u8()?),
                b'P' => {
                    let encoding = at.u8()?;
                    at.raw_pointer(encoding)?;
                }
                b'S' | b'B' => {}
                _ => return None,
            }
        }
        Some(common)
    }
}
