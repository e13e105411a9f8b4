//! System V shared memory: `shmget`, and the life of a segment.
//!
//! A segment is a file of the internal tmpfs, so its pages are the same in every process that attaches. Attaching maps
//! the file through a file of its own ([`ShmFile`]), whose areas are counted: `nattch` is the number of areas, which fork
//! and every cut of an area raise and every unmapping, exit and death lower.
//!
//! ```text
//!   shmget ──► in the table ──IPC_RMID, nattch 0───────────────► destroyed
//!                   │                                                ▲
//!                   └──IPC_RMID, nattch > 0──► SHM_DEST ──nattch 0───┘   (no key any more)
//! ```
//!
//! Mirrors: ipc/shm.c, Linux 6.18.
//! Differs: there are no huge pages (`SHM_HUGETLB` is `ENOMEM`, as on a host that has reserved none).
//! Locking: an area is counted under the lock of its address space, before `IpcIds::table`, before the segment's lock.

mod attach;
mod ctl;

pub use attach::{ShmFile, sys_shmat, sys_shmdt};
pub use ctl::sys_shmctl;

use alloc::format;
use core::sync::atomic::Ordering;

use acrida_uapi::errno::Errno;
use acrida_uapi::shm::{SHM_DEST, SHM_HUGETLB, SHM_NORESERVE, SHMMIN};

use super::util::{Changing, IpcParams};
use crate::abi::{Flags, SysResult};
use crate::fs::file::FileRef;
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::tmpfs::inode::TmpInode;
use crate::fs::tmpfs::memfd::{UnnamedFile, unnamed_file};
use crate::kernel::state::Kernel;
use crate::kernel::task::{Pid, Task, try_current};
use crate::mm::vma::PAGE_SIZE;
use crate::{current, host, kernel};

/// A segment.
#[doc(alias = "shmid_kernel")]
pub struct Shmid {
    /// Its pages.
    pub file: FileRef,
    /// Bytes, as asked for.
    pub segsz: u64,
    /// Areas that map it, and calls that are about to.
    pub nattch: u64,
    pub atim: i64,
    pub dtim: i64,
    pub ctim: i64,
    pub cprid: Pid,
    pub lprid: Pid,
    /// The task that made it, while it lives.
    creator: Option<Pid>,
}

impl Shmid {
    fn pages(&self) -> u64 {
        self.segsz.div_ceil(PAGE_SIZE)
    }

    /// Pages that hold data.
    #[doc(alias = "shm_add_rss_swap")]
    fn resident(&self) -> u64 {
        let inode = self.file.inode().and_then(|inode| inode.downcast_ref::<TmpInode>());
        inode.and_then(TmpInode::regular).map_or(0, |content| content.pages())
    }

    /// The caller attached or detached it.
    fn touched_by_caller(&mut self) {
        if let Some(task) = try_current() {
            self.lprid = task.process.tgid;
        }
    }
}

pub fn sys_shmget(key: i32, size: u64, flags: Flags) -> SysResult {
    let kernel = kernel();
    let params = IpcParams { key, flags: flags.0, limit: kernel.sysctl.shmmni.get() };
    let suits = |segment: &Shmid| {
        if segment.segsz < size { Err(Errno::EINVAL) } else { Ok(()) }
    };
    let charge = |segment: &Shmid| {
        kernel.ipc.shm_tot.fetch_add(segment.pages(), Ordering::Relaxed);
    };
    let id = kernel.ipc.shm.get_or_create(params, suits, |id| new_segment(kernel, key, size, flags.0, id), charge)?;
    Ok(id as usize)
}

#[doc(alias = "newseg")]
fn new_segment(kernel: &Kernel, key: i32, size: u64, flags: u32, id: i32) -> Result<Shmid, Errno> {
    if !(SHMMIN..=kernel.sysctl.shmmax.get()).contains(&size) {
        return Err(Errno::EINVAL);
    }
    let pages = size.checked_next_multiple_of(PAGE_SIZE).ok_or(Errno::ENOSPC)? / PAGE_SIZE;
    let limit = kernel.sysctl.shmall.get();
    let fits = |total: u64| total.checked_add(pages).filter(|&total| total <= limit);
    if fits(kernel.ipc.shm_tot.load(Ordering::Relaxed)).is_none() {
        return Err(Errno::ENOSPC);
    }
    if flags & SHM_HUGETLB != 0 {
        return Err(Errno::ENOMEM);
    }
    if size <= i64::MAX as u64 && flags & SHM_NORESERVE == 0 && pages > reservable_pages() {
        return Err(Errno::ENOMEM);
    }
    let name = format!("SYSV{key:08x}");
    // The number lets `lsof` and its kin find the segment of an area.
    let new = UnnamedFile { name: name.as_bytes(), size, mode: 0o777, seals: 0, ino: Some(id as u64) };
    // Longer than a file can be.
    let file = unnamed_file(&new).map_err(|_| Errno::EINVAL)?;
    Ok(Shmid {
        file,
        segsz: size,
        nattch: 0,
        atim: 0,
        dtim: 0,
        ctim: super::util::now(),
        cprid: current().process.tgid,
        lprid: 0,
        creator: Some(current().tid()),
    })
}

/// What one object may reserve: all memory there is.
#[doc(alias = "__vm_enough_memory")]
fn reservable_pages() -> u64 {
    let info = host::sysinfo();
    (info.totalram + info.totalswap) * u64::from(info.mem_unit) / PAGE_SIZE
}

/// Whether nobody needs the segment any more.
#[doc(alias = "shm_may_destroy")]
fn is_unneeded(kernel: &Kernel, mode: u32, segment: &Shmid) -> bool {
    segment.nattch == 0 && (mode & SHM_DEST != 0 || kernel.sysctl.shm_rmid_forced.get() != 0)
}

/// The pages go with the last who holds the object.
#[doc(alias = "shm_destroy")]
fn destroy(kernel: &Kernel, mut segment: Changing<'_, Shmid>) {
    kernel.ipc.shm_tot.fetch_sub(segment.state.body.pages(), Ordering::Relaxed);
    segment.remove();
}

/// Destroys the segment if nobody needs it.
fn destroy_unneeded(kernel: &Kernel, id: i32) {
    kernel.ipc.shm.change_any(id, |segment| {
        if is_unneeded(kernel, segment.state.perm.mode, &segment.state.body) {
            destroy(kernel, segment);
        }
    });
}

/// The segments that the ending task has made are nobody's; with `shm_rmid_forced` they go with it.
pub fn exit_shm(task: &Task) {
    let kernel = &task.kernel;
    if kernel.ipc.shm.in_use().0 == 0 {
        return;
    }
    for object in kernel.ipc.shm.all() {
        let mut segment = object.lock();
        if segment.body.creator != Some(task.tid()) {
            continue;
        }
        segment.body.creator = None;
        drop(segment);
        if kernel.sysctl.shm_rmid_forced.get() != 0 {
            destroy_unneeded(kernel, object.id);
        }
    }
}

/// `shm_rmid_forced` was set: what has neither maker nor user goes.
#[doc(alias = "shm_destroy_orphaned")]
pub fn destroy_orphans() {
    let kernel = kernel();
    for object in kernel.ipc.shm.all() {
        let orphan = object.lock().body.creator.is_none();
        if orphan {
            destroy_unneeded(kernel, object.id);
        }
    }
}

/// Rows of /proc/sysvipc/shm.
#[doc(alias = "sysvipc_shm_proc_show")]
pub fn show(out: &mut SeqFile) {
    for object in kernel().ipc.shm.all() {
        let state = object.lock();
        let (perm, segment) = (&state.perm, &state.body);
        seq_printf!(
            out,
            "{:10} {:10}  {:4o} {:21} {:5} {:5}  {:5} {:5} {:5} {:5} {:5} {:10} {:10} {:10} {:21} {:21}\n",
            perm.key,
            perm.id,
            perm.mode,
            segment.segsz,
            segment.cprid,
            segment.lprid,
            segment.nattch,
            perm.uid,
            perm.gid,
            perm.cuid,
            perm.cgid,
            segment.atim,
            segment.dtim,
            segment.ctim,
            segment.resident() * PAGE_SIZE,
            0,
        );
    }
}
