//! Mount options of tmpfs.
//!
//! Mirrors: mm/shmem.c (`shmem_parse_one`), Linux 6.18.
//! Differs: NUMA and huge-page options are accepted and have no effect.

use acrida_kcore::frame::PAGE_SIZE;
use acrida_uapi::errno::Errno;

use crate::host;

/// What a tmpfs was mounted with; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Pages.
    pub max_blocks: u64,
    pub max_inodes: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

fn total_pages() -> u64 {
    let info = host::sysinfo();
    info.totalram * u64::from(info.mem_unit) / PAGE_SIZE as u64
}

/// Half of the memory.
#[doc(alias = "shmem_default_max_blocks")]
pub fn default_blocks() -> u64 {
    total_pages() / 2
}

impl Default for Options {
    fn default() -> Self {
        Options { max_blocks: default_blocks(), max_inodes: default_blocks(), mode: 0o1777, uid: 0, gid: 0 }
    }
}

impl Options {
    /// Applies `text` (`size=1m,mode=700`) to `base`.
    ///
    /// # Errors
    /// `EINVAL` for what is not known or makes no sense.
    pub fn parse(text: &[u8], base: &Options) -> Result<Options, Errno> {
        let mut options = base.clone();
        for option in text.split(|&b| b == b',').filter(|option| !option.is_empty()) {
            let mut halves = option.splitn(2, |&b| b == b'=');
            let (key, value) = (halves.next().unwrap_or(b""), halves.next().unwrap_or(b""));
            match key {
                b"size" => options.max_blocks = size(value, total_pages)?,
                b"nr_blocks" => options.max_blocks = memparse(value)?,
                b"nr_inodes" => options.max_inodes = memparse(value)?,
                b"mode" => options.mode = number(value, 8)? as u32 & 0o7777,
                b"uid" => options.uid = u32::try_from(number(value, 10)?).map_err(|_| Errno::EINVAL)?,
                b"gid" => options.gid = u32::try_from(number(value, 10)?).map_err(|_| Errno::EINVAL)?,
                b"huge" | b"mpol" | b"inode32" | b"inode64" | b"noswap" => {}
                _ => return Err(Errno::EINVAL),
            }
        }
        Ok(options)
    }
}

fn number(digits: &[u8], radix: u32) -> Result<u64, Errno> {
    let text = core::str::from_utf8(digits).map_err(|_| Errno::EINVAL)?;
    u64::from_str_radix(text, radix).map_err(|_| Errno::EINVAL)
}

/// A number with an optional suffix k, m, g or t.
fn memparse(text: &[u8]) -> Result<u64, Errno> {
    let (digits, shift) = match text.split_last() {
        Some((b'k' | b'K', digits)) => (digits, 10),
        Some((b'm' | b'M', digits)) => (digits, 20),
        Some((b'g' | b'G', digits)) => (digits, 30),
        Some((b't' | b'T', digits)) => (digits, 40),
        _ => (text, 0),
    };
    number(digits, 10)?.checked_mul(1 << shift).ok_or(Errno::EINVAL)
}

/// Bytes or a percentage of the memory, in pages, rounded up.
fn size(text: &[u8], total_pages: impl Fn() -> u64) -> Result<u64, Errno> {
    match text.split_last() {
        Some((b'%', digits)) => Ok(number(digits, 10)?.saturating_mul(total_pages()) / 100),
        _ => Ok(memparse(text)?.div_ceil(PAGE_SIZE as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Options = Options { max_blocks: 10, max_inodes: 20, mode: 0o1777, uid: 0, gid: 0 };

    #[test]
    fn options_change_only_what_they_name() {
        let parsed = Options::parse(b"size=4097,mode=700,uid=5", &BASE);
        assert_eq!(parsed, Ok(Options { max_blocks: 2, mode: 0o700, uid: 5, ..BASE }));
        assert_eq!(Options::parse(b"", &BASE), Ok(BASE));
        assert_eq!(Options::parse(b"nr_inodes=2k,huge=never", &BASE), Ok(Options { max_inodes: 2048, ..BASE }));
    }

    #[test]
    fn sizes_take_suffixes_and_percentages() {
        assert_eq!(size(b"1m", || 0), Ok(256));
        assert_eq!(size(b"50%", || 1000), Ok(500));
        assert_eq!(size(b"1x", || 0), Err(Errno::EINVAL));
        assert_eq!(size(b"", || 0), Err(Errno::EINVAL));
    }

    #[test]
    fn unknown_options_are_refused() {
        assert_eq!(Options::parse(b"colour=red", &BASE), Err(Errno::EINVAL));
    }
}
