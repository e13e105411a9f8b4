//! Who made an object, whose it is, and what others may do with it.
//!
//! Mirrors: ipc/util.c (`ipcperms`, `ipc_update_perm`), include/linux/ipc.h (`kern_ipc_perm`), Linux 6.18.
//! Locking: the object's lock.

use acrida_uapi::capability::{CAP_IPC_OWNER, CAP_SYS_ADMIN};
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::Ipc64Perm;

use super::INDEX_BITS;
use crate::current;
use crate::kernel::cred::Cred;

/// `rwx` of owner, group and others.
const S_IRWXUGO: u32 = 0o777;
/// The right to change an object.
pub const S_IWUGO: u32 = 0o222;
/// The right to look at an object.
pub const S_IRUGO: u32 = 0o444;

/// Who made an object, whose it is, and what others may do with it.
#[doc(alias = "kern_ipc_perm")]
#[derive(Clone, Copy, Debug)]
pub struct IpcPerm {
    pub id: i32,
    pub key: i32,
    pub uid: u32,
    pub gid: u32,
    pub cuid: u32,
    pub cgid: u32,
    /// Permission bits, and for shared memory `SHM_DEST` and `SHM_LOCKED`.
    pub mode: u32,
    pub(super) deleted: bool,
}

impl IpcPerm {
    /// The caller's, with the bits of `mode` that are permissions.
    pub(super) fn new(id: i32, key: i32, mode: u32) -> IpcPerm {
        IpcPerm::owned_by(&current().cred(), id, key, mode)
    }

    pub(super) fn owned_by(cred: &Cred, id: i32, key: i32, mode: u32) -> IpcPerm {
        let (uid, gid) = (cred.euid, cred.egid);
        IpcPerm { id, key, uid, gid, cuid: uid, cgid: gid, mode: mode & S_IRWXUGO, deleted: false }
    }

    /// Whether the caller has the rights that any triple of `flag` names.
    #[doc(alias = "ipcperms")]
    pub fn check(&self, flag: u32) -> Result<(), Errno> {
        current().cred.read(|cred| self.check_for(cred, flag))
    }

    fn check_for(&self, cred: &Cred, flag: u32) -> Result<(), Errno> {
        let requested = flag >> 6 | flag >> 3 | flag;
        let granted = if cred.euid == self.cuid || cred.euid == self.uid {
            self.mode >> 6
        } else if cred.in_group(self.cgid) || cred.in_group(self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        if requested & !granted & 0o7 == 0 || cred.capable(CAP_IPC_OWNER) { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// Whether the caller may change or remove the object: its maker, its owner, or the administrator.
    #[doc(alias = "ipcctl_obtain_check")]
    pub fn check_owner(&self) -> Result<(), Errno> {
        let cred = current().cred();
        let owner = cred.euid == self.cuid || cred.euid == self.uid || cred.capable(CAP_SYS_ADMIN);
        if owner { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// `EIDRM` once the object is removed.
    #[doc(alias = "ipc_valid_object")]
    pub fn check_alive(&self) -> Result<(), Errno> {
        if self.deleted { Err(Errno::EIDRM) } else { Ok(()) }
    }

    /// Takes owner and mode of an `IPC_SET`.
    #[doc(alias = "ipc_update_perm")]
    pub fn update(&mut self, new: &Ipc64Perm) -> Result<(), Errno> {
        if new.uid == u32::MAX || new.gid == u32::MAX {
            return Err(Errno::EINVAL);
        }
        self.uid = new.uid;
        self.gid = new.gid;
        self.mode = self.mode & !S_IRWXUGO | new.mode & S_IRWXUGO;
        Ok(())
    }

    /// As `IPC_STAT` gives it.
    #[doc(alias = "kernel_to_ipc64_perm")]
    pub fn to_user(self) -> Ipc64Perm {
        let IpcPerm { id, key, uid, gid, cuid, cgid, mode, .. } = self;
        Ipc64Perm { key, uid, gid, cuid, cgid, mode, seq: (id >> INDEX_BITS) as u16, ..Ipc64Perm::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn perm(mode: u32) -> IpcPerm {
        IpcPerm { id: 0, key: 1, uid: 10, gid: 20, cuid: 11, cgid: 21, mode, deleted: false }
    }

    fn user(uid: u32, gid: u32) -> Cred {
        Cred { euid: uid, fsgid: gid, cap_effective: 0, ..Cred::of_root() }
    }

    #[test]
    fn owner_and_maker_are_judged_alike() {
        for uid in [10, 11] {
            assert_eq!(perm(0o600).check_for(&user(uid, 1), 0o600), Ok(()));
            assert_eq!(perm(0o066).check_for(&user(uid, 20), 0o400), Err(Errno::EACCES));
        }
        assert_eq!(perm(0o040).check_for(&user(1, 21), 0o444), Ok(()));
        assert_eq!(perm(0o640).check_for(&user(1, 1), 0o004), Err(Errno::EACCES));
        assert_eq!(perm(0).check_for(&user(1, 1), 0), Ok(()));
    }
}
