//! Vectors of guest buffers: copied in, checked, capped.
//!
//! Mirrors: lib/iov_iter.c (`import_iovec`), Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::uio::{Iovec, MAX_RW_COUNT, UIO_FASTIOV, UIO_MAXIOV};

use crate::fs::user_array::UserArray;

/// End of the addresses that Linux lets a program name on x86-64, which is above our guests' memory.
#[doc(alias = "TASK_SIZE_MAX")]
const USER_END: u64 = 0x7fff_ffff_f000;

/// Whether Linux would take `[addr, addr + len)` for user memory; a copy decides what is really there.
pub fn access_ok(addr: UserAddr, len: usize) -> Result<(), Errno> {
    match addr.0.checked_add(len as u64) {
        Some(end) if end <= USER_END => Ok(()),
        _ => Err(Errno::EFAULT),
    }
}

/// An imported vector: no length is negative, and together they are at most `MAX_RW_COUNT`.
pub type IovecArray = UserArray<Iovec, UIO_FASTIOV>;

/// Copies `count` segments in; lengths beyond `MAX_RW_COUNT` in all are cut off.
///
/// # Errors
/// `EINVAL` for too many segments or a negative length, `EFAULT` for an address outside user memory.
pub fn import_iovec(vector: UserAddr, count: usize) -> Result<IovecArray, Errno> {
    if count > UIO_MAXIOV {
        return Err(Errno::EINVAL);
    }
    let mut segments = IovecArray::read(vector, count)?;
    limit(&mut segments)?;
    Ok(segments)
}

/// Checks every segment, and cuts the sum of their lengths.
fn limit(segments: &mut [Iovec]) -> Result<(), Errno> {
    if segments.iter().any(|segment| segment.iov_len.cast_signed() < 0) {
        return Err(Errno::EINVAL);
    }
    let mut room = MAX_RW_COUNT as u64;
    for segment in segments {
        access_ok(UserAddr(segment.iov_base), segment.iov_len as usize)?;
        segment.iov_len = segment.iov_len.min(room);
        room -= segment.iov_len;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(iov_base: u64, iov_len: u64) -> Iovec {
        Iovec { iov_base, iov_len }
    }

    #[test]
    fn the_sum_is_cut_at_the_largest_transfer() {
        let most = MAX_RW_COUNT as u64;
        let mut segments = [segment(0, most - 1), segment(0, 5), segment(0, 5)];
        assert_eq!(limit(&mut segments), Ok(()));
        assert_eq!(segments.map(|s| s.iov_len), [most - 1, 1, 0]);
    }

    #[test]
    fn a_negative_length_counts_before_a_bad_address() {
        assert_eq!(limit(&mut [segment(u64::MAX, 1), segment(0, u64::MAX)]), Err(Errno::EINVAL));
        assert_eq!(limit(&mut [segment(u64::MAX - 4, 1)]), Err(Errno::EFAULT));
        assert_eq!(limit(&mut [segment(USER_END, 0)]), Ok(()));
    }
}
