//! `shmctl`: looking at segments, changing, locking and removing them.
//!
//! Mirrors: ipc/shm.c (`ksys_shmctl`), Linux 6.18.
//! Differs: nothing is ever swapped, so `SHM_LOCK` only sets the flag.
//! Locking: as in the parent module.

use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_IPC_LOCK;
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT};
use acrida_uapi::resource::RLIMIT_MEMLOCK;
use acrida_uapi::shm::{
    SHM_DEST, SHM_INFO, SHM_LOCK, SHM_LOCKED, SHM_STAT, SHM_STAT_ANY, SHM_UNLOCK, SHMMIN, ShmInfo, Shmid64Ds, Shminfo64,
};

use super::{Shmid, destroy};
use crate::abi::SysResult;
use crate::ipc::util::{IpcState, S_IRUGO, now};
use crate::{current, kernel};

#[doc(alias = "ksys_shmctl")]
pub fn sys_shmctl(id: i32, command: i32, buf: UserAddr) -> SysResult {
    if command < 0 || id < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command {
        IPC_INFO => limits(buf),
        SHM_INFO => usage(buf),
        IPC_STAT | SHM_STAT | SHM_STAT_ANY => stat(id, command, buf),
        IPC_SET => {
            let new: Shmid64Ds = buf.read()?;
            kernel().ipc.shm.change(id, |mut segment| {
                segment.state.perm.update(&new.shm_perm)?;
                segment.state.body.ctim = now();
                Ok(())
            })?;
            Ok(0)
        }
        IPC_RMID => remove(id),
        SHM_LOCK | SHM_UNLOCK => lock(id, command),
        _ => Err(Errno::EINVAL.into()),
    }
}

#[doc(alias = "shmctl_ipc_info")]
fn limits(buf: UserAddr) -> SysResult {
    let sysctl = &kernel().sysctl;
    let shmmni = sysctl.shmmni.get();
    let info = Shminfo64 {
        shmmax: sysctl.shmmax.get(),
        shmmin: SHMMIN,
        shmmni,
        shmseg: shmmni,
        shmall: sysctl.shmall.get(),
        ..Shminfo64::default()
    };
    buf.write(&info)?;
    Ok(kernel().ipc.shm.in_use().1)
}

#[doc(alias = "shmctl_shm_info")]
fn usage(buf: UserAddr) -> SysResult {
    let ipc = &kernel().ipc;
    let (used_ids, max_index) = ipc.shm.in_use();
    let shm_rss = ipc.shm.all().iter().map(|object| object.lock().body.resident()).sum();
    let shm_tot = ipc.shm_tot.load(Ordering::Relaxed);
    buf.write(&ShmInfo { used_ids: used_ids as i32, shm_tot, shm_rss, ..ShmInfo::default() })?;
    Ok(max_index)
}

#[doc(alias = "shmctl_stat")]
fn stat(id: i32, command: i32, buf: UserAddr) -> SysResult {
    let by_id = command == IPC_STAT;
    let segments = &kernel().ipc.shm;
    let segment = if by_id { segments.find(id)? } else { segments.find_index(id)? };
    let found = {
        let state = segment.lock();
        if command != SHM_STAT_ANY {
            state.perm.check(S_IRUGO)?;
        }
        state.perm.check_alive()?;
        to_user(&state)
    };
    buf.write(&found)?;
    Ok(if by_id { 0 } else { segment.id as usize })
}

fn to_user(state: &IpcState<Shmid>) -> Shmid64Ds {
    let segment = &state.body;
    Shmid64Ds {
        shm_perm: state.perm.to_user(),
        shm_segsz: segment.segsz,
        shm_atime: segment.atim,
        shm_dtime: segment.dtim,
        shm_ctime: segment.ctim,
        shm_cpid: segment.cprid.cast_signed(),
        shm_lpid: segment.lprid.cast_signed(),
        shm_nattch: segment.nattch,
        ..Shmid64Ds::default()
    }
}

/// Removes the segment, or marks it to go with its last area.
#[doc(alias = "do_shm_rmid")]
fn remove(id: i32) -> SysResult {
    let kernel = kernel();
    kernel.ipc.shm.change(id, |mut segment| {
        if segment.state.body.nattch > 0 {
            segment.state.perm.mode |= SHM_DEST;
            segment.make_private();
        } else {
            destroy(kernel, segment);
        }
        Ok(())
    })?;
    Ok(0)
}

#[doc(alias = "shmctl_do_lock")]
fn lock(id: i32, command: i32) -> SysResult {
    let segment = kernel().ipc.shm.find(id)?;
    let mut state = segment.lock();
    state.perm.check_alive()?;
    let cred = current().cred();
    if !cred.capable(CAP_IPC_LOCK) {
        let owner = cred.euid == state.perm.uid || cred.euid == state.perm.cuid;
        if !owner || command == SHM_LOCK && current().process.rlimit(RLIMIT_MEMLOCK as usize).rlim_cur == 0 {
            return Err(Errno::EPERM.into());
        }
    }
    state.perm.mode = if command == SHM_LOCK { state.perm.mode | SHM_LOCKED } else { state.perm.mode & !SHM_LOCKED };
    Ok(0)
}
