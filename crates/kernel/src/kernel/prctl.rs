//! `prctl`: what a task may set and ask about itself.
//!
//! Mirrors: kernel/sys.c (`prctl`), security/commoncap.c (`cap_task_prctl`), Linux 6.18.
//! Differs: numbers that the host keeps for its thread or its memory are asked of it.
//! What Linux can be built without (names of anonymous areas, seccomp) or what is the kernel's own way in is refused.
//! Locking: none of its own.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::*;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::prctl::*;
use acrida_uapi::signal::valid_signal;
use zerocopy::IntoBytes;

use crate::abi::SysResult;
use crate::kernel::cred::Cred;
use crate::kernel::lend::own_host_process;
use crate::{Task, current, host};

/// `TASK_COMM_LEN` without its NUL.
const COMM_MAX: usize = 15;

/// The name of the calling task, cut to what a name may have.
#[doc(alias = "set_task_comm")]
pub fn set_comm(name: &[u8]) {
    let end = name.iter().position(|&b| b == 0).unwrap_or(name.len()).min(COMM_MAX);
    let name: Vec<u8> = name[..end].to_vec();
    host::set_thread_name(&name);
    *current().comm.lock() = name;
}

fn zero(rest: &[u64]) -> Result<(), Errno> {
    if rest.iter().any(|&value| value != 0) { Err(Errno::EINVAL) } else { Ok(()) }
}

pub fn sys_prctl(option: i32, a2: u64, a3: u64, a4: u64, a5: u64) -> SysResult {
    let me = current();
    if let Some(result) = cap_task_prctl(me, option, [a2, a3, a4, a5]) {
        return result;
    }
    let process = &me.process;
    match option {
        PR_SET_PDEATHSIG => {
            if a2 > 64 || (a2 != 0 && !valid_signal(a2 as i32)) {
                return Err(Errno::EINVAL.into());
            }
            me.pdeath_signal.store(a2 as i32, Ordering::Relaxed);
        }
        PR_GET_PDEATHSIG => UserAddr(a2).write(&me.pdeath_signal.load(Ordering::Relaxed))?,
        PR_GET_DUMPABLE => return Ok(process.dumpable.load(Ordering::Relaxed) as usize),
        PR_SET_DUMPABLE => {
            if a2 > 1 {
                return Err(Errno::EINVAL.into());
            }
            process.dumpable.store(a2 as u32, Ordering::Relaxed);
        }
        PR_SET_NAME => set_comm(&UserAddr(a2).read_cstr_start(COMM_MAX)?.bytes),
        PR_GET_NAME => {
            let mut name = [0u8; COMM_MAX + 1];
            let comm = me.comm.lock().clone();
            name[..comm.len()].copy_from_slice(&comm);
            UserAddr(a2).write_bytes(&name)?;
        }
        PR_SET_CHILD_SUBREAPER => process.is_subreaper.store(a2 != 0, Ordering::Relaxed),
        PR_GET_CHILD_SUBREAPER => {
            UserAddr(a2).write(&i32::from(process.is_subreaper.load(Ordering::Relaxed)))?;
        }
        PR_SET_NO_NEW_PRIVS => {
            zero(&[a3, a4, a5])?;
            if a2 != 1 {
                return Err(Errno::EINVAL.into());
            }
            edit_cred(|cred| cred.no_new_privs = true);
        }
        PR_GET_NO_NEW_PRIVS => {
            zero(&[a2, a3, a4, a5])?;
            return Ok(usize::from(me.cred().no_new_privs));
        }
        PR_GET_SECCOMP => return Ok(0),
        PR_GET_IO_FLUSHER | PR_SET_IO_FLUSHER | PR_SET_MM if !me.cred().capable(CAP_SYS_RESOURCE) => {
            // Linux looks at the arguments of the second first.
            zero(&[if option == PR_SET_MM { a5 } else { 0 }])?;
            return Err(Errno::EPERM.into());
        }
        PR_GET_TIMERSLACK
        | PR_SET_TIMERSLACK
        | PR_GET_THP_DISABLE
        | PR_SET_THP_DISABLE
        | PR_MCE_KILL
        | PR_MCE_KILL_GET
        | PR_GET_IO_FLUSHER
        | PR_SET_IO_FLUSHER
        | PR_GET_SPECULATION_CTRL => {
            own_host_process()?;
            return Ok(host::prctl(option, [a2, a3, a4, a5])?);
        }
        PR_GET_TID_ADDRESS => UserAddr(a2).write(&me.clear_child_tid.load(Ordering::Relaxed))?,
        // The kernel, too, reads the time stamp counter in this thread.
        PR_SET_TSC if a2 == PR_TSC_ENABLE => {}
        PR_GET_TSC => UserAddr(a2).write(&(PR_TSC_ENABLE as i32))?,
        PR_GET_TIMING => return Ok(PR_TIMING_STATISTICAL as usize),
        PR_SET_TIMING if a2 == PR_TIMING_STATISTICAL => {}
        PR_GET_MDWE | PR_GET_MEMORY_MERGE => zero(&[a2, a3, a4, a5])?,
        // Nothing may be refused that is not watched.
        PR_SET_MDWE => zero(&[a2, a3, a4, a5])?,
        PR_GET_AUXV => {
            zero(&[a4, a5])?;
            return get_auxv(me, UserAddr(a2), a3);
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}

/// The auxiliary vector that the program was started with, as far as there is room; its whole length.
#[doc(alias = "prctl_get_auxv")]
fn get_auxv(task: &Task, at: UserAddr, room: u64) -> SysResult {
    /// `AT_VECTOR_SIZE` of x86-64, in words.
    const WORDS: usize = 56;
    let mut words = task.mm().program.lock().auxv.clone();
    words.resize(WORDS, 0);
    let bytes = words.as_bytes();
    at.write_bytes(&bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))])?;
    Ok(bytes.len())
}

/// The part that is about capabilities; `None`: another part's.
fn cap_task_prctl(me: &Task, option: i32, [a2, a3, a4, a5]: [u64; 4]) -> Option<SysResult> {
    let cred = me.cred();
    let done = |result: Result<(), Errno>| Some(result.map(|()| 0).map_err(Error::from));
    match option {
        PR_GET_KEEPCAPS => Some(Ok(usize::from(cred.securebits & SECBIT_KEEP_CAPS != 0))),
        PR_SET_KEEPCAPS => done(set_keepcaps(&cred, a2)),
        PR_GET_SECUREBITS => Some(Ok(cred.securebits as usize)),
        PR_SET_SECUREBITS => done(set_securebits(&cred, a2)),
        PR_CAPBSET_READ if a2 > u64::from(CAP_LAST_CAP) => Some(Err(Errno::EINVAL.into())),
        PR_CAPBSET_READ => Some(Ok(usize::from(cred.cap_bset & 1 << a2 != 0))),
        PR_CAPBSET_DROP if !cred.capable(CAP_SETPCAP) => Some(Err(Errno::EPERM.into())),
        PR_CAPBSET_DROP if a2 > u64::from(CAP_LAST_CAP) => Some(Err(Errno::EINVAL.into())),
        PR_CAPBSET_DROP => {
            edit_cred(|cred| cred.cap_bset &= !(1 << a2));
            Some(Ok(0))
        }
        PR_CAP_AMBIENT if a4 != 0 || a5 != 0 => Some(Err(Errno::EINVAL.into())),
        PR_CAP_AMBIENT => Some(cap_ambient(&cred, a2, a3)),
        _ => None,
    }
}

fn edit_cred(edit: impl FnOnce(&mut Cred)) {
    let mut slot = current().cred.lock();
    let mut cred = (**slot).clone();
    edit(&mut cred);
    *slot = Arc::new(cred);
}

fn set_keepcaps(cred: &Cred, keep: u64) -> Result<(), Errno> {
    if keep > 1 {
        return Err(Errno::EINVAL);
    }
    if cred.securebits & SECBIT_KEEP_CAPS_LOCKED != 0 {
        return Err(Errno::EPERM);
    }
    let bit = if keep == 1 { SECBIT_KEEP_CAPS } else { 0 };
    edit_cred(|cred| cred.securebits = cred.securebits & !SECBIT_KEEP_CAPS | bit);
    Ok(())
}

fn set_securebits(cred: &Cred, wanted: u64) -> Result<(), Errno> {
    let wanted = u32::try_from(wanted).map_err(|_| Errno::EPERM)?;
    let (locks, changed) = (cred.securebits & SECURE_ALL_LOCKS, cred.securebits ^ wanted);
    let is_locked = changed & (locks >> 1) != 0 || locks & !wanted != 0;
    if is_locked || wanted & !(SECURE_ALL_BITS | SECURE_ALL_LOCKS) != 0 {
        return Err(Errno::EPERM);
    }
    let free = SECURE_ALL_UNPRIVILEGED | SECURE_ALL_UNPRIVILEGED << 1;
    // Without the right not even nothing may be changed.
    if !cred.capable(CAP_SETPCAP) && (changed == 0 || changed & !free != 0) {
        return Err(Errno::EPERM);
    }
    edit_cred(|cred| cred.securebits = wanted);
    Ok(())
}

fn cap_ambient(cred: &Cred, op: u64, cap: u64) -> SysResult {
    const IS_SET: u64 = 1;
    const RAISE: u64 = 2;
    const LOWER: u64 = 3;
    const CLEAR_ALL: u64 = 4;
    if op == CLEAR_ALL {
        zero(&[cap])?;
        edit_cred(|cred| cred.cap_ambient = 0);
        return Ok(0);
    }
    if cap > u64::from(CAP_LAST_CAP) {
        return Err(Errno::EINVAL.into());
    }
    let bit = 1 << cap;
    match op {
        IS_SET => return Ok(usize::from(cred.cap_ambient & bit != 0)),
        RAISE if cred.cap_permitted & cred.cap_inheritable & bit == 0 => return Err(Errno::EPERM.into()),
        RAISE if cred.securebits & SECBIT_NO_CAP_AMBIENT_RAISE != 0 => return Err(Errno::EPERM.into()),
        RAISE => edit_cred(|cred| cred.cap_ambient |= bit),
        LOWER => edit_cred(|cred| cred.cap_ambient &= !bit),
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}
