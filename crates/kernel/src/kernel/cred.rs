//! Who a task is.
//!
//! Mirrors: include/linux/cred.h, kernel/cred.c, Linux 6.1.
//! Differs: the real, effective and saved ids are ours alone; only the file-system ids are also set on the host thread
//! (`setfsuid`), so that the host checks host files as the right user while the world keeps its power over its processes.

use alloc::vec::Vec;

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
    /// Whether the task may use `capability` (`CAP_*`).
    pub fn capable(&self, capability: u32) -> bool {
        self.cap_effective & (1 << capability) != 0
    }

    #[doc(alias = "in_group_p")]
    pub fn in_group(&self, gid: u32) -> bool {
        self.fsgid == gid || self.groups.contains(&gid)
    }
}
