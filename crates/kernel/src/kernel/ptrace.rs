//! Who may look into another process.
//!
//! Mirrors: kernel/ptrace.c (`ptrace_may_access`), security/commoncap.c (`cap_ptrace_access_check`), Linux 6.18.
//! Differs: nothing is traced here; other calls ask by the same rule.
//! Locking: none.

use core::sync::atomic::Ordering;

use acrida_uapi::capability::CAP_SYS_PTRACE;

use crate::Task;
use crate::kernel::cred::Cred;

/// `SUID_DUMP_USER`: the owner may look into the process.
pub const DUMP_USER: u32 = 1;

/// Which of the caller's ids and capabilities count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// Those of a look at a file of /proc.
    #[doc(alias = "PTRACE_MODE_FSCREDS")]
    File,
    /// Those of a call that names the process.
    #[doc(alias = "PTRACE_MODE_REALCREDS")]
    Real,
}

/// Whether `task` may look into `target`.
#[doc(alias = "ptrace_may_access")]
pub fn may_access(task: &Task, target: &Task, mode: AccessMode) -> bool {
    let dumpable = target.process.dumpable.load(Ordering::Relaxed) == DUMP_USER;
    task.process.tgid == target.process.tgid || is_allowed(&task.cred(), &target.cred(), dumpable, mode)
}

/// The rule itself, for tasks of different processes.
pub fn is_allowed(mine: &Cred, theirs: &Cred, dumpable: bool, mode: AccessMode) -> bool {
    if mine.capable(CAP_SYS_PTRACE) {
        return true;
    }
    let (uid, gid, caps) = match mode {
        AccessMode::File => (mine.fsuid, mine.fsgid, mine.cap_effective),
        AccessMode::Real => (mine.uid, mine.gid, mine.cap_permitted),
    };
    let same_uid = [theirs.uid, theirs.euid, theirs.suid].iter().all(|&other| other == uid);
    let same_gid = [theirs.gid, theirs.egid, theirs.sgid].iter().all(|&other| other == gid);
    same_uid && same_gid && dumpable && theirs.cap_permitted & !caps == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: u32) -> Cred {
        Cred { cap_permitted: 0, cap_effective: 0, uid, suid: uid, euid: uid, fsuid: uid, ..Cred::of_root() }
    }

    #[test]
    fn one_looks_into_ones_own_kind() {
        let may = |mine: &Cred, theirs: &Cred| is_allowed(mine, theirs, true, AccessMode::File);
        let (me, other) = (user(5), user(6));
        assert!(may(&me, &me));
        assert!(!is_allowed(&me, &me, false, AccessMode::File), "a program that changed its user hides");
        assert!(!may(&me, &other));
        assert!(!may(&me, &Cred { suid: 0, ..me.clone() }), "all three ids count");
        assert!(!may(&user(0), &Cred::of_root()), "nor into somebody with more power");
        let tracer = Cred { cap_effective: 1 << CAP_SYS_PTRACE, ..user(7) };
        assert!(is_allowed(&tracer, &Cred::of_root(), false, AccessMode::Real));
    }

    #[test]
    fn files_and_calls_look_at_different_ids() {
        let (theirs, mine) = (user(5), Cred { fsuid: 6, ..user(5) });
        assert_eq!([AccessMode::File, AccessMode::Real].map(|mode| is_allowed(&mine, &theirs, true, mode)), [false, true]);
    }
}
