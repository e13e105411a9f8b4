//! Changing who a task is.
//!
//! Mirrors: kernel/sys.c (setuid and its family), kernel/groups.c, kernel/capability.c, Linux 6.18.
//! Differs: after a change the host thread's file-system ids follow, so that host files are checked as the right user.
//! Locking: the new credentials replace the old under the task's `cred` lock.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::{CAP_LAST_CAP, CAP_SETGID, CAP_SETPCAP, CAP_SETUID, UserCapDataStruct, UserCapHeaderStruct};
use acrida_uapi::errno::Errno;
use acrida_uapi::prctl::{SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP};

use crate::abi::SysResult;
use crate::kernel::cred::Cred;
use crate::{current, host, kernel};

/// "No change" in setres*id.
const KEEP: u32 = u32::MAX;
const NGROUPS_MAX: usize = 65536;
/// Capabilities of file access, which follow the file-system uid.
const FS_CAPS: u64 = 0x0800_021f;
const ALL_CAPS: u64 = (1 << (CAP_LAST_CAP + 1)) - 1;

/// Makes `new` the caller's credentials.
pub fn commit_creds(mut new: Cred, old: &Cred) {
    fix_caps(&mut new, old);
    let me = current();
    if (new.fsuid, new.fsgid) != (old.fsuid, old.fsgid) {
        host::set_fs_ids(new.fsuid, new.fsgid);
    }
    if new.groups != old.groups {
        host::set_groups(&new.groups);
    }
    if (new.euid, new.egid, new.fsuid, new.fsgid) != (old.euid, old.egid, old.fsuid, old.fsgid) {
        me.process.dumpable.store(0, Ordering::Relaxed);
        me.pdeath_signal.store(0, Ordering::Relaxed);
    }
    me.process.uid.store(new.uid, Ordering::Relaxed);
    *me.cred.lock() = Arc::new(new);
}

/// What a change of uids does to capabilities.
#[doc(alias = "cap_task_fix_setuid")]
fn fix_caps(new: &mut Cred, old: &Cred) {
    if new.securebits & SECBIT_NO_SETUID_FIXUP != 0 {
        return;
    }
    let root = |c: &Cred| c.uid == 0 || c.euid == 0 || c.suid == 0;
    if root(old) && !root(new) {
        if new.securebits & SECBIT_KEEP_CAPS == 0 {
            new.cap_permitted = 0;
            new.cap_effective = 0;
        }
        new.cap_ambient = 0;
    }
    if old.euid == 0 && new.euid != 0 {
        new.cap_effective = 0;
    }
    if old.euid != 0 && new.euid == 0 {
        new.cap_effective = new.cap_permitted;
    }
    if old.fsuid == 0 && new.fsuid != 0 {
        new.cap_effective &= !FS_CAPS;
    }
    if old.fsuid != 0 && new.fsuid == 0 {
        new.cap_effective |= new.cap_permitted & FS_CAPS;
    }
}

fn change(edit: impl FnOnce(&mut Cred, &Cred) -> Result<(), Errno>) -> SysResult {
    let old = current().cred();
    let mut new = (*old).clone();
    edit(&mut new, &old)?;
    commit_creds(new, &old);
    Ok(0)
}

pub fn sys_getuid() -> SysResult {
    Ok(current().cred().uid as usize)
}
pub fn sys_geteuid() -> SysResult {
    Ok(current().cred().euid as usize)
}
pub fn sys_getgid() -> SysResult {
    Ok(current().cred().gid as usize)
}
pub fn sys_getegid() -> SysResult {
    Ok(current().cred().egid as usize)
}

pub fn sys_setuid(uid: u32) -> SysResult {
    if uid == KEEP {
        return Err(Errno::EINVAL.into());
    }
    change(|new, old| {
        if old.capable(CAP_SETUID) {
            new.uid = uid;
            new.suid = uid;
        } else if uid != old.uid && uid != old.suid {
            return Err(Errno::EPERM);
        }
        new.euid = uid;
        new.fsuid = uid;
        Ok(())
    })
}

pub fn sys_setgid(gid: u32) -> SysResult {
    if gid == KEEP {
        return Err(Errno::EINVAL.into());
    }
    change(|new, old| {
        if old.capable(CAP_SETGID) {
            new.gid = gid;
            new.sgid = gid;
        } else if gid != old.gid && gid != old.sgid {
            return Err(Errno::EPERM);
        }
        new.egid = gid;
        new.fsgid = gid;
        Ok(())
    })
}

pub fn sys_setreuid(ruid: u32, euid: u32) -> SysResult {
    change(|new, old| {
        let free = old.capable(CAP_SETUID);
        if ruid != KEEP {
            if !free && ruid != old.uid && ruid != old.euid {
                return Err(Errno::EPERM);
            }
            new.uid = ruid;
        }
        if euid != KEEP {
            if !free && ![old.uid, old.euid, old.suid].contains(&euid) {
                return Err(Errno::EPERM);
            }
            new.euid = euid;
        }
        if ruid != KEEP || (euid != KEEP && euid != old.uid) {
            new.suid = new.euid;
        }
        new.fsuid = new.euid;
        Ok(())
    })
}

pub fn sys_setregid(rgid: u32, egid: u32) -> SysResult {
    change(|new, old| {
        let free = old.capable(CAP_SETGID);
        if rgid != KEEP {
            if !free && rgid != old.gid && rgid != old.egid {
                return Err(Errno::EPERM);
            }
            new.gid = rgid;
        }
        if egid != KEEP {
            if !free && ![old.gid, old.egid, old.sgid].contains(&egid) {
                return Err(Errno::EPERM);
            }
            new.egid = egid;
        }
        if rgid != KEEP || (egid != KEEP && egid != old.gid) {
            new.sgid = new.egid;
        }
        new.fsgid = new.egid;
        Ok(())
    })
}

pub fn sys_setresuid(ruid: u32, euid: u32, suid: u32) -> SysResult {
    change(|new, old| {
        let allowed = |id: u32| id == KEEP || [old.uid, old.euid, old.suid].contains(&id);
        if !old.capable(CAP_SETUID) && ![ruid, euid, suid].into_iter().all(allowed) {
            return Err(Errno::EPERM);
        }
        for (field, id) in [(&mut new.uid, ruid), (&mut new.euid, euid), (&mut new.suid, suid)] {
            if id != KEEP {
                *field = id;
            }
        }
        new.fsuid = new.euid;
        Ok(())
    })
}

pub fn sys_setresgid(rgid: u32, egid: u32, sgid: u32) -> SysResult {
    change(|new, old| {
        let allowed = |id: u32| id == KEEP || [old.gid, old.egid, old.sgid].contains(&id);
        if !old.capable(CAP_SETGID) && ![rgid, egid, sgid].into_iter().all(allowed) {
            return Err(Errno::EPERM);
        }
        for (field, id) in [(&mut new.gid, rgid), (&mut new.egid, egid), (&mut new.sgid, sgid)] {
            if id != KEEP {
                *field = id;
            }
        }
        new.fsgid = new.egid;
        Ok(())
    })
}

fn write_three(ids: [u32; 3], to: [UserAddr; 3]) -> SysResult {
    for (id, at) in ids.iter().zip(to) {
        at.write(id)?;
    }
    Ok(0)
}

pub fn sys_getresuid(ruid: UserAddr, euid: UserAddr, suid: UserAddr) -> SysResult {
    let cred = current().cred();
    write_three([cred.uid, cred.euid, cred.suid], [ruid, euid, suid])
}

pub fn sys_getresgid(rgid: UserAddr, egid: UserAddr, sgid: UserAddr) -> SysResult {
    let cred = current().cred();
    write_three([cred.gid, cred.egid, cred.sgid], [rgid, egid, sgid])
}

/// Answers the old id whether it changed or not.
pub fn sys_setfsuid(uid: u32) -> SysResult {
    let old = current().cred();
    let allowed = old.capable(CAP_SETUID) || [old.uid, old.euid, old.suid, old.fsuid].contains(&uid);
    if uid != KEEP && allowed {
        commit_creds(Cred { fsuid: uid, ..(*old).clone() }, &old);
    }
    Ok(old.fsuid as usize)
}

pub fn sys_setfsgid(gid: u32) -> SysResult {
    let old = current().cred();
    let allowed = old.capable(CAP_SETGID) || [old.gid, old.egid, old.sgid, old.fsgid].contains(&gid);
    if gid != KEEP && allowed {
        commit_creds(Cred { fsgid: gid, ..(*old).clone() }, &old);
    }
    Ok(old.fsgid as usize)
}

pub fn sys_getgroups(size: i32, list: UserAddr) -> SysResult {
    if size < 0 {
        return Err(Errno::EINVAL.into());
    }
    let cred = current().cred();
    if size > 0 {
        if cred.groups.len() > size as usize {
            return Err(Errno::EINVAL.into());
        }
        list.write_bytes(zerocopy::IntoBytes::as_bytes(&cred.groups[..]))?;
    }
    Ok(cred.groups.len())
}

pub fn sys_setgroups(size: i32, list: UserAddr) -> SysResult {
    let old = current().cred();
    if !old.capable(CAP_SETGID) {
        return Err(Errno::EPERM.into());
    }
    if !(0..=NGROUPS_MAX as i32).contains(&size) {
        return Err(Errno::EINVAL.into());
    }
    let mut groups: Vec<u32> = vec![0; size as usize];
    list.read_bytes(zerocopy::IntoBytes::as_mut_bytes(&mut groups[..]))?;
    if groups.contains(&KEEP) {
        return Err(Errno::EINVAL.into());
    }
    groups.sort_unstable();
    commit_creds(Cred { groups, ..(*old).clone() }, &old);
    Ok(0)
}

const CAP_V1: u32 = 0x1998_0330;
const CAP_V2: u32 = 0x2007_1026;
const CAP_V3: u32 = 0x2008_0522;

/// How many 32-bit words a header's version has; writes the right version back for an unknown one.
fn cap_words(header: UserAddr) -> Result<(UserCapHeaderStruct, usize), Errno> {
    let mut read: UserCapHeaderStruct = header.read()?;
    let words = match read.version {
        CAP_V1 => 1,
        CAP_V2 | CAP_V3 => 2,
        _ => {
            read.version = CAP_V3;
            header.write(&read)?;
            return Err(Errno::EINVAL);
        }
    };
    Ok((read, words))
}

pub fn sys_capget(header: UserAddr, data: UserAddr) -> SysResult {
    let (head, words) = match cap_words(header) {
        // Asking for the version is no error.
        Err(Errno::EINVAL) if data.is_null() => return Ok(0),
        other => other?,
    };
    if head.pid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let cred = match head.pid {
        0 => current().cred(),
        pid => kernel().pids.task(pid as u32).ok_or(Errno::ESRCH)?.cred(),
    };
    if data.is_null() {
        return Ok(0);
    }
    for word in 0..words {
        let part = |set: u64| (set >> (32 * word)) as u32;
        let entry = UserCapDataStruct {
            effective: part(cred.cap_effective),
            permitted: part(cred.cap_permitted),
            inheritable: part(cred.cap_inheritable),
        };
        data.add((word * size_of::<UserCapDataStruct>()) as u64).write(&entry)?;
    }
    Ok(0)
}

pub fn sys_capset(header: UserAddr, data: UserAddr) -> SysResult {
    let (head, words) = cap_words(header)?;
    if head.pid != 0 && head.pid as u32 != current().tid() {
        return Err(Errno::EPERM.into());
    }
    let (mut effective, mut permitted, mut inheritable) = (0, 0, 0);
    for word in 0..words {
        let entry: UserCapDataStruct = data.add((word * size_of::<UserCapDataStruct>()) as u64).read()?;
        effective |= u64::from(entry.effective) << (32 * word);
        permitted |= u64::from(entry.permitted) << (32 * word);
        inheritable |= u64::from(entry.inheritable) << (32 * word);
    }
    let (effective, permitted, inheritable) = (effective & ALL_CAPS, permitted & ALL_CAPS, inheritable & ALL_CAPS);
    change(|new, old| {
        let too_much = inheritable & !(old.cap_inheritable | old.cap_permitted) != 0 && !old.capable(CAP_SETPCAP);
        let beyond_bset = inheritable & !(old.cap_inheritable | old.cap_bset) != 0;
        if too_much || beyond_bset || permitted & !old.cap_permitted != 0 || effective & !permitted != 0 {
            return Err(Errno::EPERM);
        }
        new.cap_effective = effective;
        new.cap_permitted = permitted;
        new.cap_inheritable = inheritable;
        new.cap_ambient &= permitted & inheritable;
        Ok(())
    })
}
