//! Reading little-endian and DWARF-encoded values out of a slice that may lie.

/// Pointer formats and bases of `.eh_frame`, from the Linux Standard Base.
const FORMAT: u8 = 0x0f;
const BASE: u8 = 0x70;
const PCREL: u8 = 0x10;
const DATAREL: u8 = 0x30;
/// The encoding of a pointer that is not there.
pub const OMITTED: u8 = 0xff;

/// A position in a slice that starts at address `vaddr`. Every read past the end is `None`.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    vaddr: u64,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at an absolute address.
    pub fn at_vaddr(bytes: &'a [u8], vaddr: u64, target: u64) -> Option<Self> {
        let at = usize::try_from(target.checked_sub(vaddr)?).ok()?;
        (at <= bytes.len()).then_some(Self { bytes, vaddr, at })
    }

    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, vaddr: 0, at }
    }

    /// Address of the next byte.
    pub fn vaddr(&self) -> u64 {
        self.vaddr.wrapping_add(self.at as u64)
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub fn skip(&mut self, len: usize) -> Option<()> {
        self.at = self.at.checked_add(len).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let from = self.at;
        self.skip(N)?;
        self.bytes.get(from..self.at)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// LEB128; the value is cut to 64 bits, good enough for signed ones that are only skipped.
    pub fn leb128(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Bytes up to a NUL, which is consumed.
    pub fn c_string(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let len = rest.iter().position(|&byte| byte == 0)?;
        self.at += len + 1;
        Some(&rest[..len])
    }

    /// A pointer's stored value, before its base is added.
    pub fn raw_pointer(&mut self, encoding: u8) -> Option<u64> {
        match encoding & FORMAT {
            0x00 | 0x04 | 0x0c => self.u64(),
            0x02 => self.u16().map(u64::from),
            0x03 => self.u32().map(u64::from),
            0x0a => self.u16().map(|value| value as i16 as i64 as u64),
            0x0b => self.i32().map(|value| i64::from(value) as u64),
            _ => None,
        }
    }

    /// A pointer; `data` is the base of the data-relative form.
    #[doc(alias = "DW_EH_PE")]
    pub fn pointer(&mut self, encoding: u8, data: u64) -> Option<u64> {
        let here = self.vaddr();
        let raw = self.raw_pointer(encoding)?;
        match encoding & BASE {
            0 => Some(raw),
            PCREL => Some(here.wrapping_add(raw)),
            DATAREL => Some(data.wrapping_add(raw)),
            _ => None,
        }
    }
}
