//! select and pselect6.
//!
//! Mirrors: fs/select.c (`core_sys_select`), Linux 6.18.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::epoll::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::poll::SigsetArgpack;
use zerocopy::IntoBytes;

use super::timeout::{Timeout, TimeoutArg, with_sigmask};
use super::{Round, wait_for_events};
use crate::abi::SysResult;
use crate::current;
use crate::fs::user_array::UserArray;

/// What makes a descriptor a member of the answer: readable, writable, exceptional.
const MEANINGS: [u32; 3] = [
    EPOLLNVAL | EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR,
    EPOLLNVAL | EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR,
    EPOLLNVAL | EPOLLPRI,
];
/// Words of six sets that lie on the stack: 320 descriptors.
const FAST: usize = 30;

/// The three sets that were asked for, then the three answers; `words` words each, bit n of a set is descriptor n.
#[doc(alias = "fd_set_bits")]
struct FdSets {
    bits: UserArray<u64, FAST>,
    words: usize,
}

impl FdSets {
    /// Copies the sets in; a null pointer is an empty set.
    fn read(addrs: [UserAddr; 3], count: usize) -> Result<FdSets, Errno> {
        let words = count.div_ceil(64);
        let mut sets = FdSets { bits: UserArray::zeroed(6 * words), words };
        for (index, addr) in addrs.into_iter().enumerate() {
            if !addr.is_null() {
                addr.read_bytes(sets.bits[index * words..][..words].as_mut_bytes())?;
            }
        }
        sets.clear_from(count);
        Ok(sets)
    }

    /// Forgets what was asked about descriptors from `count` on.
    fn clear_from(&mut self, count: usize) {
        if count % 64 != 0 {
            for set in 0..3 {
                self.bits[(set + 1) * self.words - 1] &= (1 << (count % 64)) - 1;
            }
        }
    }

    fn asked(&self, word: usize) -> [u64; 3] {
        core::array::from_fn(|set| self.bits[set * self.words + word])
    }

    /// Descriptors that are in any of the sets.
    fn all_asked(&self, word: usize) -> u64 {
        self.asked(word).iter().fold(0, |all, bits| all | bits)
    }

    fn answer(&mut self, set: usize, word: usize, bits: u64) {
        self.bits[(3 + set) * self.words + word] = bits;
    }

    fn write_answers(&self, addrs: [UserAddr; 3]) -> Result<(), Errno> {
        for (index, addr) in addrs.into_iter().enumerate() {
            if !addr.is_null() {
                addr.write_bytes(self.bits[(3 + index) * self.words..][..self.words].as_bytes())?;
            }
        }
        Ok(())
    }

    /// One round; how many bits the answers have.
    fn ask_all(&mut self, round: &mut Round<'_>) -> usize {
        let mut ready = 0;
        for word in 0..self.words {
            let asked = self.asked(word);
            let mut answers = [0; 3];
            for bit in bits(self.all_asked(word)) {
                let events = events_of(word * 64 + bit, asked.map(|set| set >> bit & 1 != 0), round);
                for set in 0..3 {
                    if asked[set] >> bit & 1 != 0 && events & MEANINGS[set] != 0 {
                        answers[set] |= 1 << bit;
                        ready += 1;
                        round.stop_registering();
                    }
                }
            }
            for (set, answer) in answers.into_iter().enumerate() {
                self.answer(set, word, answer);
            }
        }
        ready
    }
}

/// Numbers of the bits that are set, from the lowest on.
fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

/// The events of one descriptor, registering for those whose set it is in.
#[doc(alias = "select_poll_one")]
fn events_of(fd: usize, member: [bool; 3], round: &Round<'_>) -> u32 {
    let key = (0..2).filter(|&set| member[set]).fold(MEANINGS[2], |key, set| key | MEANINGS[set]);
    // Closed by another thread since the check, or good for nothing (`O_PATH`): ready, and the next call says EBADF.
    round.events(fd as i32, key).unwrap_or(EPOLLNVAL)
}

/// `EBADF` unless every descriptor in the sets is open.
#[doc(alias = "max_select_fd")]
fn check_open(sets: &FdSets) -> Result<(), Errno> {
    let files = current().files();
    let closed = (0..sets.words).any(|word| sets.all_asked(word) & !files.open_word(word) != 0);
    if closed { Err(Errno::EBADF) } else { Ok(()) }
}

#[doc(alias = "core_sys_select")]
fn do_select(count: i32, addrs: [UserAddr; 3], timeout: Timeout) -> SysResult {
    let count = usize::try_from(count).map_err(|_| Errno::EINVAL)?;
    // Nothing beyond the table can be open, and is not looked at.
    let count = count.min(current().files().capacity());
    let mut sets = FdSets::read(addrs, count)?;
    check_open(&sets)?;
    let ready = wait_for_events(timeout, "do_select", |round| sets.ask_all(round))?;
    sets.write_answers(addrs)?;
    Ok(ready)
}

pub fn sys_select(count: i32, input: UserAddr, output: UserAddr, except: UserAddr, timeout: UserAddr) -> SysResult {
    let arg = TimeoutArg::Timeval(timeout);
    let timeout = arg.read()?;
    arg.finish(timeout, do_select(count, [input, output, except], timeout))
}

pub fn sys_pselect6(
    count: i32,
    input: UserAddr,
    output: UserAddr,
    except: UserAddr,
    timeout: UserAddr,
    sigmask: UserAddr,
) -> SysResult {
    let pack: SigsetArgpack = sigmask.read_opt().map_err(Error::from)?.unwrap_or_default();
    let arg = TimeoutArg::Timespec(timeout);
    let timeout = arg.read()?;
    let size = usize::try_from(pack.size).map_err(|_| Errno::EINVAL)?;
    with_sigmask(UserAddr(pack.p), size, || arg.finish(timeout, do_select(count, [input, output, except], timeout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_from_the_lowest_on() {
        assert_eq!(bits(0).count(), 0);
        assert!(bits(1 << 63 | 0b101).eq([0, 2, 63]));
    }

    #[test]
    fn bits_from_the_count_on_are_not_asked_for() {
        let mut sets = FdSets { bits: UserArray::zeroed(12), words: 2 };
        sets.bits.fill(u64::MAX);
        sets.clear_from(66);
        assert_eq!(sets.asked(0), [u64::MAX; 3]);
        assert_eq!(sets.asked(1), [3; 3]);
        sets.clear_from(128);
        assert_eq!(sets.asked(1), [3; 3]);
    }
}
