//! What a thread leaves behind in words: its robust futexes, and the word that tells of its end.
//!
//! Mirrors: kernel/futex/core.c (`exit_robust_list`, `handle_futex_death`), kernel/fork.c (`mm_release`), Linux 6.18.
//! Differs: the host's own list serves the kernel; the guest's is walked here. A waiter on a PI word is woken too, as it
//! sleeps on the word like any other.
//! Locking: none.

use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::futex::{FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, ROBUST_LIST_LIMIT, RobustListHead};

use crate::abi::SysResult;
use crate::kernel::task::Task;
use crate::{current, host};

/// In the address of an entry: its futex is a PI one.
const PI: u64 = 1;

/// An entry of a list, as found in a pointer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    at: u64,
    is_pi: bool,
}

impl Entry {
    #[doc(alias = "fetch_robust_entry")]
    fn from_pointer(pointer: u64) -> Entry {
        Entry { at: pointer & !PI, is_pi: pointer & PI != 0 }
    }

    fn word(self, offset: i64) -> UserAddr {
        UserAddr(self.at.wrapping_add_signed(offset))
    }
}

/// How the dying thread is connected with a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    InList,
    /// It was locking or unlocking it when it died.
    Pending,
}

/// The task leaves its memory, at exit or exec: locks it holds are marked, and whoever waits for its end is woken.
pub fn mm_release(task: &Task) {
    exit_robust_list(task);
    let word = UserAddr(task.clear_child_tid.swap(0, Ordering::Relaxed));
    if !word.is_null() && task.mm().is_shared() && word.write(&0u32).is_ok() {
        // As on Linux the word may be bad, and nobody may wait.
        let _ = host::futex::wake(word, 0, 1);
    }
}

/// Marks every robust futex the task holds, and wakes one waiter each.
pub fn exit_robust_list(task: &Task) {
    let head_at = task.robust_list.swap(0, Ordering::Relaxed);
    if head_at != 0 {
        // A broken list ends the walk; its owner cannot be told.
        let _ = walk(task.tid(), head_at);
    }
}

fn walk(tid: u32, head_at: u64) -> Result<(), Errno> {
    let head: RobustListHead = UserAddr(head_at).read()?;
    let pending = Entry::from_pointer(head.list_op_pending);
    let mut entry = Entry::from_pointer(head.list.next);
    let mut left = ROBUST_LIST_LIMIT;
    while entry.at != head_at && left > 0 {
        // Read before the word is given away: its new owner may reuse the entry.
        let next = UserAddr(entry.at).read::<u64>();
        if entry.at != pending.at {
            futex_death(tid, entry.word(head.futex_offset), entry, Held::InList)?;
        }
        entry = Entry::from_pointer(next?);
        left -= 1;
    }
    if pending.at != 0 {
        futex_death(tid, pending.word(head.futex_offset), pending, Held::Pending)?;
    }
    Ok(())
}

/// The dead owner's mark, if the word is its.
#[doc(alias = "handle_futex_death")]
fn futex_death(tid: u32, word: UserAddr, entry: Entry, held: Held) -> Result<(), Errno> {
    super::aligned(word)?;
    loop {
        let seen: u32 = word.read()?;
        let owner = seen & FUTEX_TID_MASK;
        if held == Held::Pending && !entry.is_pi && owner == 0 {
            // It had unlocked the word and not yet woken anybody.
            host::futex::wake(word, 0, 1)?;
            return Ok(());
        }
        if owner != tid {
            return Ok(());
        }
        let left = seen & FUTEX_WAITERS | FUTEX_OWNER_DIED;
        if platform().user_cmpxchg(word, seen, left)? != seen {
            continue;
        }
        if seen & FUTEX_WAITERS != 0 {
            host::futex::wake(word, 0, 1)?;
        }
        return Ok(());
    }
}

/// `set_robust_list(head, len)`.
pub fn sys_set_robust_list(head: UserAddr, len: usize) -> SysResult {
    if len != size_of::<RobustListHead>() {
        return Err(Errno::EINVAL.into());
    }
    current().robust_list.store(head.0, Ordering::Relaxed);
    Ok(0)
}

/// `get_robust_list(pid, head_ptr, len_ptr)`.
pub fn sys_get_robust_list(pid: i32, head: UserAddr, len: UserAddr) -> SysResult {
    let me = current();
    let list = if pid == 0 {
        me.robust_list.load(Ordering::Relaxed)
    } else {
        let tid = u32::try_from(pid).map_err(|_| Errno::ESRCH)?;
        let task = me.kernel.pids.task(tid).ok_or(Errno::ESRCH)?;
        let (mine, theirs) = (me.cred(), task.cred());
        let same_user = [theirs.uid, theirs.euid, theirs.suid].iter().all(|&id| id == mine.uid);
        let may_look = task.process.tgid == me.process.tgid || same_user || mine.capable(acrida_uapi::capability::CAP_SYS_PTRACE);
        if !may_look {
            return Err(Errno::EPERM.into());
        }
        task.robust_list.load(Ordering::Relaxed)
    };
    len.write(&size_of::<RobustListHead>())?;
    head.write(&list)?;
    Ok(0)
}

/// `set_tid_address(tidptr)`: the caller's thread number.
pub fn sys_set_tid_address(word: UserAddr) -> SysResult {
    let me = current();
    me.clear_child_tid.store(word.0, Ordering::Relaxed);
    Ok(me.tid() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_bit_of_an_entry_says_pi() {
        assert_eq!(Entry::from_pointer(0x1001), Entry { at: 0x1000, is_pi: true });
        assert_eq!(Entry::from_pointer(0x1000), Entry { at: 0x1000, is_pi: false });
        assert_eq!(Entry { at: 0x1000, is_pi: false }.word(-32), UserAddr(0xfe0));
    }
}
