//! System V semaphores: sets of numbers that operations raise, lower and wait for, several at once or not at all.
//!
//! Who cannot go on stands in a queue; whoever changes a number tries the operations of those who wait, in order, and
//! wakes each whose operation is done. An operation on one semaphore waits at that semaphore, one on several at the set;
//! while one of the latter waits, all that alter wait in one queue, so that none is overtaken.
//!
//! ```text
//!   set ── pending_alter   several semaphores, and with them all that alter
//!    │  └─ pending_const   several, all waiting for zero
//!    ├ semaphore 0 ── pending_alter, pending_const     one operation on this semaphore
//!    └ semaphore 1 ── ...
//! ```
//!
//! - [`queue`]: trying operations, and who is tried next
//! - [`op`]: `semop`, `semtimedop`
//! - [`undo`]: what is taken back when a process ends
//! - [`ctl`]: `semctl`
//!
//! Mirrors: ipc/sem.c, Linux 6.18.
//! Differs: one lock for the set and its semaphores.
//! Locking: `UndoList::sets` before `IpcIds::table` before the set's lock. Sleepers are woken without it.

pub mod ctl;
pub mod op;
pub mod queue;
pub mod undo;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::Errno;

use self::queue::SemQueue;
use super::util::{IpcParams, now};
use crate::abi::{Flags, SysResult};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::kernel;
use crate::kernel::state::Kernel;
use crate::kernel::task::Pid;

/// One semaphore.
#[derive(Default)]
pub struct Sem {
    #[doc(alias = "semval")]
    val: i32,
    /// Who changed it last.
    #[doc(alias = "sempid")]
    pid: Pid,
    pending_alter: VecDeque<Arc<SemQueue>>,
    pending_const: VecDeque<Arc<SemQueue>>,
}

/// A set of semaphores.
#[doc(alias = "sem_array")]
pub struct SemArray {
    sems: Box<[Sem]>,
    otime: i64,
    ctime: i64,
    pending_alter: VecDeque<Arc<SemQueue>>,
    pending_const: VecDeque<Arc<SemQueue>>,
    /// Waiting operations on several semaphores.
    complex_count: usize,
    /// What is added to each semaphore when the owner of an undo list ends.
    #[doc(alias = "semadj")]
    undos: BTreeMap<undo::Owner, Box<[i16]>>,
}

impl SemArray {
    fn new(count: usize) -> SemArray {
        SemArray {
            sems: (0..count).map(|_| Sem::default()).collect(),
            otime: 0,
            ctime: now(),
            pending_alter: VecDeque::new(),
            pending_const: VecDeque::new(),
            complex_count: 0,
            undos: BTreeMap::new(),
        }
    }
}

pub fn sys_semget(key: i32, count: i32, flags: Flags) -> SysResult {
    let kernel = kernel();
    let count = u64::try_from(count).map_err(|_| Errno::EINVAL)?;
    if count > kernel.sysctl.semmsl.get() {
        return Err(Errno::EINVAL.into());
    }
    let params = IpcParams { key, flags: flags.0, limit: kernel.sysctl.semmni.get() };
    let suits = |set: &SemArray| if set.sems.len() < count as usize { Err(Errno::EINVAL) } else { Ok(()) };
    let charge = |set: &SemArray| {
        kernel.ipc.used_sems.fetch_add(set.sems.len() as u64, Ordering::Relaxed);
    };
    let id = kernel.ipc.sem.get_or_create(params, suits, |_| new_array(kernel, count), charge)?;
    Ok(id as usize)
}

#[doc(alias = "newary")]
fn new_array(kernel: &Kernel, count: u64) -> Result<SemArray, Errno> {
    if count == 0 {
        return Err(Errno::EINVAL);
    }
    if kernel.ipc.used_sems.load(Ordering::Relaxed) + count > kernel.sysctl.semmns.get() {
        return Err(Errno::ENOSPC);
    }
    Ok(SemArray::new(count as usize))
}

/// Removes the set; everybody who waits learns it.
#[doc(alias = "freeary")]
fn remove(kernel: &Kernel, id: i32) -> Result<(), Errno> {
    let mut woken = Vec::new();
    kernel.ipc.sem.change(id, |mut set| {
        set.remove();
        let array = &mut set.state.body;
        kernel.ipc.used_sems.fetch_sub(array.sems.len() as u64, Ordering::Relaxed);
        array.undos.clear();
        array.expel(&mut woken);
        Ok(())
    })?;
    queue::wake_all(&woken);
    Ok(())
}

/// Rows of /proc/sysvipc/sem.
#[doc(alias = "sysvipc_sem_proc_show")]
pub fn show(out: &mut SeqFile) {
    for object in kernel().ipc.sem.all() {
        let state = object.lock();
        let (perm, array) = (&state.perm, &state.body);
        seq_printf!(
            out,
            "{:10} {:10}  {:4o} {:10} {:5} {:5} {:5} {:5} {:10} {:10}\n",
            perm.key,
            perm.id,
            perm.mode,
            array.sems.len(),
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            array.otime,
            array.ctime,
        );
    }
}
