//! An address space: its areas, its fixed points, and what /proc tells about it.
//!
//! Mirrors: include/linux/mm_types.h (`mm_struct`), kernel/fork.c (`dup_mm`), fs/exec.c, Linux 6.18.
//! Differs: shared by host threads, and by host processes that share their memory; the host copies pages at its own fork, we
//! copy the areas.
//! Locking: `state` is Linux's `mmap_lock`: held over every host call that changes mappings, so that tree and host agree.
//! Files are asked (`FileOperations::mmap`) before it is taken, and let go after it is dropped.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use acrida_kcore::platform::platform;
use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_kcore::uaccess::TASK_SIZE;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Errno;
use acrida_uapi::mman::{MADV_DOFORK, MADV_DONTFORK, MAP_NORESERVE, MAP_PRIVATE};

use super::brk::Brk;
use super::layout::{Layout, Randomize};
use super::truncate::Cut;
use super::vma::{Backing, VmFlags, Vma, page_start};
use super::vma_tree::VmaTree;
use crate::fs::hostfs::window::FileWindows;

/// Most of the stack that is mapped at once; more is added by faults.
const STACK_AT_ONCE: u64 = 8 << 20;
/// What a fresh stack counts as, and the least it has.
#[doc(alias = "stack_expand")]
const STACK_COUNTED: u64 = 132 << 10;

/// What exec decides about the new address space.
#[derive(Clone, Copy, Debug)]
pub struct ExecLayout {
    /// Soft `RLIMIT_STACK`, in bytes.
    pub stack_limit: u64,
    pub randomize: Randomize,
}

/// Where the program's parts are, for /proc/PID/stat, `prctl(PR_SET_MM)` and /proc/PID/{cmdline,environ,auxv}.
#[derive(Clone, Debug, Default)]
pub struct ProgramLayout {
    pub start_code: u64,
    pub end_code: u64,
    pub start_data: u64,
    pub end_data: u64,
    /// The stack pointer the program started with.
    pub start_stack: u64,
    pub arg_start: u64,
    pub arg_end: u64,
    pub env_start: u64,
    pub env_end: u64,
    /// Pairs of the auxiliary vector, with its AT_NULL.
    #[doc(alias = "saved_auxv")]
    pub auxv: Vec<u64>,
}

/// What is under the lock.
#[derive(Clone, Default)]
pub struct MmState {
    pub areas: VmaTree,
    /// Somebody was killed while he held the lock, perhaps amid a change of the areas: nobody goes through them to free them.
    may_be_torn: bool,
    pub layout: Layout,
    pub brk: Brk,
    /// Bytes of the stack that are mapped but count for nothing yet (Linux would grow it there).
    pub stack_uncounted: u64,
    /// Flags of every new area (`mlockall(MCL_FUTURE)`).
    #[doc(alias = "def_flags")]
    pub default_flags: VmFlags,
    /// What was cut off files by others, whose pages the host still shows.
    pub cuts: Vec<Cut>,
}

/// The memory of a guest process, or of several.
#[doc(alias = "mm_struct")]
pub struct MmStruct {
    state: SpinLock<MmState>,
    /// Tasks that run in it; see [`MmUser`].
    #[doc(alias = "mm_users")]
    users: AtomicU32,
    pub program: SpinLock<ProgramLayout>,
    /// Beside the guest's memory: exec leaves them.
    pub file_windows: FileWindows,
    /// Where those wait who have cut a file.
    pub cuts_applied: WaitQueueHead,
    /// Largest `total_vm` so far, in bytes.
    #[doc(alias = "hiwater_vm")]
    peak: AtomicU64,
}

impl MmState {
    /// Bytes that count against `RLIMIT_AS`.
    pub fn total_vm(&self) -> u64 {
        self.areas.totals().total.saturating_sub(self.stack_uncounted)
    }
}

/// A task's use of an address space. When the last one is given up, the areas let their files go; references to the
/// [`MmStruct`] itself only keep its description.
pub struct MmUser(Arc<MmStruct>);

impl MmUser {
    /// The first user of an address space with nothing in it.
    pub fn new() -> MmUser {
        MmUser(Arc::new(MmStruct {
            state: SpinLock::default(),
            users: AtomicU32::new(1),
            program: SpinLock::default(),
            file_windows: FileWindows::default(),
            cuts_applied: WaitQueueHead::new(),
            peak: AtomicU64::new(0),
        }))
    }

    pub fn mm(&self) -> &Arc<MmStruct> {
        &self.0
    }
}

impl Clone for MmUser {
    #[doc(alias = "mmget")]
    fn clone(&self) -> Self {
        self.0.users.fetch_add(1, Ordering::Relaxed);
        MmUser(self.0.clone())
    }
}

impl Drop for MmUser {
    #[doc(alias = "mmput")]
    fn drop(&mut self) {
        if self.0.users.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.forget(MmState::default());
        }
    }
}

impl MmStruct {
    /// Whether more than one task runs in it.
    pub fn is_shared(&self) -> bool {
        self.users.load(Ordering::Acquire) > 1
    }

    pub fn lock(&self) -> SpinLockGuard<'_, MmState> {
        self.state.lock_or_repair(|state| state.may_be_torn = true)
    }

    /// Makes `child` a copy of this address space and forks the host process, which copies the pages: `fork` runs under the
    /// lock, so that both copies are of the same moment.
    #[doc(alias = "dup_mm")]
    pub fn copy_to<R>(&self, child: &MmStruct, fork: impl FnOnce() -> R) -> R {
        let mut state = self.lock();
        // The child's pages are those that the host shows now.
        let cuts = state.take_cuts();
        let copy = copy_for_child(&state);
        child.peak.store(copy.total_vm(), Ordering::Relaxed);
        // The lock of an address space that nobody uses yet.
        *child.lock() = copy;
        child.program.lock().clone_from(&self.program.lock());
        let forked = fork();
        drop(state);
        self.have_applied(cuts);
        forked
    }

    /// Forks the host process, which gets nothing of the guest's memory, under the lock: no other fork may happen while the
    /// memory is left out.
    pub fn fork_without_memory<R>(&self, fork: impl FnOnce() -> R) -> R {
        let state = self.lock();
        let all = |advice| crate::host::mm::madvise(0, TASK_SIZE as usize, advice);
        // `ENOMEM` only says that the range has holes.
        let _ = all(MADV_DONTFORK);
        let result = fork();
        if !matches!(all(MADV_DOFORK), Ok(()) | Err(Errno::ENOMEM)) {
            // It ends at a device's memory, which takes only the first of the two.
            for (start, vma) in state.areas.iter() {
                let _ = crate::host::mm::madvise(start, (vma.end - start) as usize, MADV_DOFORK);
            }
        }
        for (start, vma) in state.areas.iter().filter(|(_, vma)| vma.flags.contains(VmFlags::DONTCOPY)) {
            super::host_map::apply_flags(&(start..vma.end), vma.flags);
        }
        result
    }

    /// Empties an address space with one user, on the host too, and chooses the fixed points of the new program.
    #[doc(alias = "exec_mmap")]
    pub fn exec_reset(&self, exec: ExecLayout) -> Result<(), Errno> {
        platform().host().munmap(0, TASK_SIZE as usize)?;
        self.forget(MmState { layout: Layout::pick(exec.stack_limit, exec.randomize), ..MmState::default() });
        *self.program.lock() = ProgramLayout::default();
        self.peak.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Forgets every area: files and pages are given back.
    #[doc(alias = "exit_mmap")]
    fn forget(&self, new: MmState) {
        let old = core::mem::replace(&mut *self.lock(), new);
        if old.may_be_torn {
            core::mem::forget(old);
        } else {
            release(old.areas.into_iter());
        }
    }

    /// Maps the stack; gives the first address behind it. `flags` may add `EXEC`.
    #[doc(alias = "setup_arg_pages")]
    pub fn map_stack(&self, stack_limit: u64, extra: VmFlags) -> Result<u64, Errno> {
        let mut state = self.lock();
        let end = state.layout.stack_top;
        let len = page_start(stack_limit.clamp(STACK_COUNTED, STACK_AT_ONCE));
        let start = end - len;
        let flags = VmFlags::READ | VmFlags::WRITE | VmFlags::MAY | VmFlags::GROWSDOWN | VmFlags::ACCOUNT | extra;
        platform().host().mmap(acrida_kcore::host::MapRequest {
            addr: start,
            len: len as usize,
            prot: flags.prot(),
            flags: (MAP_PRIVATE | MAP_NORESERVE) as u32,
            fd: None,
            offset: 0,
        })?;
        state.areas.insert(start, Vma { end, flags, backing: Backing::Anonymous });
        state.stack_uncounted = len - STACK_COUNTED.min(len);
        self.note_peak(&state);
        Ok(end)
    }

    /// Remembers the largest size; call after areas were added.
    pub fn note_peak(&self, state: &MmState) {
        self.peak.fetch_max(state.total_vm(), Ordering::Relaxed);
    }

    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

#[doc(alias = "dup_mmap")]
fn copy_for_child(state: &MmState) -> MmState {
    let mut child = MmState { default_flags: VmFlags::empty(), may_be_torn: false, ..state.clone() };
    let left_out: Vec<_> =
        state.areas.iter().filter(|(_, vma)| vma.flags.contains(VmFlags::DONTCOPY)).map(|(start, vma)| start..vma.end).collect();
    for range in left_out {
        // The parent's areas keep the files.
        child.areas.remove(range);
    }
    // Memory locks are not inherited.
    if child.areas.totals().locked != 0 {
        child.areas.update(0..TASK_SIZE, |_, vma| vma.flags.remove(VmFlags::LOCKED | VmFlags::LOCKONFAULT));
    }
    child
}

/// Lets the files of removed areas go; call without the lock.
pub fn release(areas: impl Iterator<Item = (u64, Vma)>) {
    areas.for_each(drop);
}
