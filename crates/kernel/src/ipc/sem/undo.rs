//! What is taken back when a process ends: `SEM_UNDO`.
//!
//! Tasks made with `CLONE_SYSVSEM` (threads) share one list; when the last of them ends, however it ends, each set that
//! the list knows gets its adjustments added.
//!
//! Mirrors: ipc/sem.c (`sem_undo_list`, `exit_sem`), Linux 6.18.
//! Differs: the adjustments are in the set, under the list's number; the list knows only which sets.
//! Locking: `sets` before the table of sets and a set's lock.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::sync::SpinLock;
use acrida_uapi::errno::Errno;
use acrida_uapi::sem::SEMVMX;

use super::queue::wake_all;
use crate::current;
use crate::kernel::task::Task;

/// Number of an undo list; never used again.
pub type Owner = u64;

static NEXT_OWNER: AtomicU64 = AtomicU64::new(1);

/// The sets in which tasks have something to take back.
#[doc(alias = "sem_undo_list")]
pub struct UndoList {
    pub owner: Owner,
    sets: SpinLock<BTreeSet<i32>>,
}

impl UndoList {
    fn new() -> Arc<UndoList> {
        let owner = NEXT_OWNER.fetch_add(1, Ordering::Relaxed);
        Arc::new(UndoList { owner, sets: SpinLock::default() })
    }
}

impl Task {
    /// The task's list, which is made when it is first needed.
    #[doc(alias = "get_undo_list")]
    pub fn undo_list(&self) -> Arc<UndoList> {
        self.sysvsem.lock().get_or_insert_with(UndoList::new).clone()
    }
}

/// The caller's list, with room for the adjustments of set `id`.
#[doc(alias = "find_alloc_undo")]
pub fn prepare(id: i32) -> Result<Owner, Errno> {
    let list = current().undo_list();
    let mut sets = list.sets.lock();
    if sets.contains(&id) {
        return Ok(list.owner);
    }
    let set = current().kernel.ipc.sem.find(id)?;
    let mut state = set.lock();
    state.perm.check_alive()?;
    let count = state.body.sems.len();
    state.body.undos.insert(list.owner, vec![0; count].into());
    sets.insert(id);
    Ok(list.owner)
}

/// The task leaves its list; the last one takes everything back.
pub fn exit_sem(task: &Task) {
    let Some(list) = task.sysvsem.lock().take().and_then(Arc::into_inner) else { return };
    for id in list.sets.into_inner() {
        // Removed sets have nothing left to adjust.
        let Ok(set) = task.kernel.ipc.sem.find(id) else { continue };
        let mut state = set.lock();
        let array = &mut state.body;
        let Some(adjustments) = array.undos.remove(&list.owner) else { continue };
        for (sem, adjustment) in array.sems.iter_mut().zip(adjustments).filter(|(_, adjustment)| *adjustment != 0) {
            // A value out of range is brought back into it: nobody is there to be told.
            sem.val = (sem.val + i32::from(adjustment)).clamp(0, SEMVMX);
            sem.pid = task.process.tgid;
        }
        let mut woken = Vec::new();
        array.smart_update(None, true, &mut woken);
        drop(state);
        wake_all(&woken);
    }
}
