//! `semctl`: looking at sets, setting values, changing and removing.
//!
//! Mirrors: ipc/sem.c (`ksys_semctl`), Linux 6.18.
//! Locking: the set's lock; sleepers are woken, and the guest is copied to, without it.

use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT};
use acrida_uapi::sem::{
    GETALL, GETNCNT, GETPID, GETVAL, GETZCNT, SEM_INFO, SEM_STAT, SEM_STAT_ANY, SEMAEM, SEMOPM, SEMVMX, SETALL, SETVAL,
    Semid64Ds, Seminfo,
};
use zerocopy::IntoBytes;

use super::queue::wake_all;
use crate::abi::SysResult;
use crate::ipc::util::{S_IRUGO, S_IWUGO, now};
use crate::{current, kernel};

/// What Linux says a `sem_undo` takes.
const SEMUSZ: i32 = 20;

#[doc(alias = "ksys_semctl")]
pub fn sys_semctl(id: i32, num: i32, command: i32, arg: u64) -> SysResult {
    if id < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command {
        IPC_INFO | SEM_INFO => info(command, UserAddr(arg)),
        IPC_STAT | SEM_STAT | SEM_STAT_ANY => stat(id, command, UserAddr(arg)),
        GETALL => get_all(id, UserAddr(arg)),
        SETALL => set_all(id, UserAddr(arg)),
        GETVAL | GETPID | GETNCNT | GETZCNT => get(id, num, command),
        SETVAL => set_value(id, num, arg as i32),
        IPC_SET => {
            let new: Semid64Ds = UserAddr(arg).read()?;
            kernel().ipc.sem.change(id, |mut set| {
                set.state.perm.update(&new.sem_perm)?;
                set.state.body.ctime = now();
                Ok(())
            })?;
            Ok(0)
        }
        IPC_RMID => {
            super::remove(kernel(), id)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

#[doc(alias = "semctl_info")]
fn info(command: i32, buf: UserAddr) -> SysResult {
    let (sysctl, ipc) = (&kernel().sysctl, &kernel().ipc);
    let (in_use, max_index) = ipc.sem.in_use();
    let (semmni, semmsl) = (sysctl.semmni.get() as i32, sysctl.semmsl.get() as i32);
    let semmns = sysctl.semmns.get() as i32;
    let (semusz, semaem) = match command {
        SEM_INFO => (in_use as i32, ipc.used_sems.load(Ordering::Relaxed) as i32),
        _ => (SEMUSZ, SEMAEM),
    };
    buf.write(&Seminfo {
        semmap: semmns,
        semmni,
        semmns,
        semmnu: semmns,
        semmsl,
        semopm: sysctl.semopm.get() as i32,
        semume: SEMOPM,
        semusz,
        semvmx: SEMVMX,
        semaem,
    })?;
    Ok(max_index)
}

#[doc(alias = "semctl_stat")]
fn stat(id: i32, command: i32, buf: UserAddr) -> SysResult {
    let by_id = command == IPC_STAT;
    let sets = &kernel().ipc.sem;
    let set = if by_id { sets.find(id)? } else { sets.find_index(id)? };
    let found = {
        let state = set.lock();
        if command != SEM_STAT_ANY {
            state.perm.check(S_IRUGO)?;
        }
        state.perm.check_alive()?;
        Semid64Ds {
            sem_perm: state.perm.to_user(),
            sem_otime: state.body.otime,
            sem_ctime: state.body.ctime,
            sem_nsems: state.body.sems.len() as u64,
            ..Semid64Ds::default()
        }
    };
    buf.write(&found)?;
    Ok(if by_id { 0 } else { set.id as usize })
}

fn get_all(id: i32, values: UserAddr) -> SysResult {
    let set = kernel().ipc.sem.find(id)?;
    let found: Vec<u16> = {
        let state = set.lock();
        state.perm.check(S_IRUGO)?;
        state.perm.check_alive()?;
        state.body.sems.iter().map(|sem| sem.val as u16).collect()
    };
    values.write_bytes(found.as_bytes())?;
    Ok(0)
}

fn set_all(id: i32, values: UserAddr) -> SysResult {
    let set = kernel().ipc.sem.find(id)?;
    let count = {
        let state = set.lock();
        state.perm.check(S_IWUGO)?;
        state.perm.check_alive()?;
        state.body.sems.len()
    };
    let mut new = vec![0u16; count];
    values.read_bytes(new.as_mut_bytes())?;
    if new.iter().any(|&value| i32::from(value) > SEMVMX) {
        return Err(Errno::ERANGE.into());
    }
    let mut woken = Vec::new();
    {
        let mut state = set.lock();
        state.perm.check_alive()?;
        let array = &mut state.body;
        for (sem, value) in array.sems.iter_mut().zip(new) {
            sem.val = value.into();
            sem.pid = current().process.tgid;
        }
        // Nobody's past operations count any more.
        array.undos.values_mut().for_each(|adjustments| adjustments.fill(0));
        array.ctime = now();
        array.smart_update(None, false, &mut woken);
    }
    wake_all(&woken);
    Ok(0)
}

fn get(id: i32, num: i32, command: i32) -> SysResult {
    let set = kernel().ipc.sem.find(id)?;
    let state = set.lock();
    state.perm.check(S_IRUGO)?;
    let index = usize::try_from(num).ok().filter(|&num| num < state.body.sems.len()).ok_or(Errno::EINVAL)?;
    state.perm.check_alive()?;
    let sem = &state.body.sems[index];
    Ok(match command {
        GETVAL => sem.val as usize,
        GETPID => sem.pid as usize,
        _ => state.body.count_waiting(index as u16, command == GETZCNT),
    })
}

#[doc(alias = "semctl_setval")]
fn set_value(id: i32, num: i32, value: i32) -> SysResult {
    if !(0..=SEMVMX).contains(&value) {
        return Err(Errno::ERANGE.into());
    }
    let set = kernel().ipc.sem.find(id)?;
    let mut woken = Vec::new();
    {
        let mut state = set.lock();
        let index = usize::try_from(num).ok().filter(|&num| num < state.body.sems.len()).ok_or(Errno::EINVAL)?;
        state.perm.check(S_IWUGO)?;
        state.perm.check_alive()?;
        let array = &mut state.body;
        array.undos.values_mut().for_each(|adjustments| adjustments[index] = 0);
        array.sems[index].val = value;
        array.sems[index].pid = current().process.tgid;
        array.ctime = now();
        array.smart_update(None, false, &mut woken);
    }
    wake_all(&woken);
    Ok(0)
}
