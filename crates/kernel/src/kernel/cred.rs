//! Who a task is.
//!
//! Mirrors: include/linux/cred.h, kernel/cred.c, Linux 6.18.
//! Differs: the real, effective and saved ids are ours alone; only the file-system ids are also set on the host thread
//! (`setfsuid`), so that the host checks host files as the right user while the world keeps its power over its processes.

use alloc::vec::Vec;

use acrida_uapi::capability::CAP_LAST_CAP;

/// Credentials; replaced as a whole, never changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cred {
    pub uid: u32,
    pub gid: u32,
    pub suid: u32,
    pub sgid: u32,
    pub euid: u32,
    pub egid: u32,
    pub fsuid: u32,
    pub fsgid: u32,
    pub groups: Vec<u32>,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub cap_bset: u64,
    pub cap_ambient: u64,
    pub securebits: u32,
    pub no_new_privs: bool,
}

impl Cred {
    /// Somebody with these ids, without capabilities or further groups.
    pub fn plain(uid: u32, gid: u32) -> Cred {
        Cred {
            uid,
            gid,
            suid: uid,
            sgid: gid,
            euid: uid,
            egid: gid,
            fsuid: uid,
            fsgid: gid,
            groups: Vec::new(),
            cap_inheritable: 0,
            cap_permitted: 0,
            cap_effective: 0,
            cap_bset: 0,
            cap_ambient: 0,
            securebits: 0,
            no_new_privs: false,
        }
    }

    /// The superuser with every capability: the kernel's own work.
    #[doc(alias = "init_cred")]
    pub fn of_root() -> Cred {
        let all = (1 << (CAP_LAST_CAP + 1)) - 1;
        Cred {
            uid: 0,
            gid: 0,
            suid: 0,
            sgid: 0,
            euid: 0,
            egid: 0,
            fsuid: 0,
            fsgid: 0,
            groups: Vec::new(),
            cap_inheritable: 0,
            cap_permitted: all,
            cap_effective: all,
            cap_bset: all,
            cap_ambient: 0,
            securebits: 0,
            no_new_privs: false,
        }
    }

    /// Whether the task may use `capability` (`CAP_*`).
    pub fn capable(&self, capability: u32) -> bool {
        self.cap_effective & (1 << capability) != 0
    }

    #[doc(alias = "in_group_p")]
    pub fn in_group(&self, gid: u32) -> bool {
        self.fsgid == gid || self.groups.contains(&gid)
    }
}
