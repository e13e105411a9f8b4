//! The host's futexes on guest words.
//!
//! Mirrors: nothing in Linux.
//! Differs: as `host`. Every address is checked to be the guest's.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::futex::{FUTEX_WAIT_BITSET, FUTEX_WAKE};
use acrida_uapi::nr;
use acrida_uapi::time::Timespec;
use zerocopy::IntoBytes;

/// Bytes of a futex word.
const WORD: usize = 4;

/// Sleeps while the word is `value`, until `deadline` on the clock that `flags` name (`FUTEX_PRIVATE_FLAG`,
/// `FUTEX_CLOCK_REALTIME`). A signal ends it with `EINTR`.
pub fn wait(word: UserAddr, flags: u32, value: u32, deadline: Option<&Timespec>, bitset: u32) -> Result<usize, Errno> {
    let op = FUTEX_WAIT_BITSET | flags;
    let timeout = deadline.map_or(Arg::Null, |time| Arg::In(time.as_bytes()));
    let args =
        &mut [Arg::User(word, WORD), Arg::Val(op.into()), Arg::Val(value.into()), timeout, Arg::Null, Arg::Val(bitset.into())];
    platform().host().call_blocking(nr::futex, args)
}

/// Wakes up to `count` sleepers on the word.
pub fn wake(word: UserAddr, flags: u32, count: u32) -> Result<usize, Errno> {
    operation(word, FUTEX_WAKE | flags, count, [0, 0], UserAddr::NULL)
}

/// An operation that does not sleep: `values` are the call's fourth and sixth argument.
pub fn operation(word: UserAddr, op: u32, value: u32, values: [u64; 2], second: UserAddr) -> Result<usize, Errno> {
    let second = if second.is_null() { Arg::Null } else { Arg::User(second, WORD) };
    let args = &mut [
        Arg::User(word, WORD),
        Arg::Val(op.into()),
        Arg::Val(value.into()),
        Arg::Val(values[0]),
        second,
        Arg::Val(values[1]),
    ];
    platform().host().call(nr::futex, args)
}
