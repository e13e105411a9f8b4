//! Attaching and detaching segments: `shmat`, `shmdt`, and the counted areas.
//!
//! Mirrors: ipc/shm.c (`do_shmat`, `ksys_shmdt`, `shm_vm_ops`), Linux 6.18.
//! Locking: the segment's lock, under the caller's `MmStruct` where areas are counted; the mapping itself is made without it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{O_RDONLY, O_RDWR};
use acrida_uapi::mman::{MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE};
use acrida_uapi::shm::{SHM_EXEC, SHM_RDONLY, SHM_REMAP, SHM_RND, SHMLBA};

use super::{Shmid, destroy_unneeded, is_unneeded};
use crate::abi::{Flags, SysResult};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::ipc::util::{IpcObject, now};
use crate::kernel::state::Kernel;
use crate::mm::mm_struct::{MmState, release};
use crate::mm::mmap::Wanted;
use crate::mm::munmap::unmap_locked;
use crate::mm::vma::{Backing, Vma, page_align, page_start};
use crate::mm::{MapBacking, MmapRequest};
use crate::{current, kernel};

/// The file behind the areas of one `shmat`.
#[doc(alias = "shm_file_data")]
pub struct ShmFile {
    kernel: Arc<Kernel>,
    segment: Arc<IpcObject<Shmid>>,
    /// The segment's own file.
    base: FileRef,
}

impl FileOperations for ShmFile {
    #[doc(alias = "shm_mmap")]
    fn mmap(&self, _file: &FileRef, request: &MmapRequest) -> Result<MapBacking, Error> {
        self.base.ops.mmap(&self.base, request)
    }

    fn counts_areas(&self) -> bool {
        true
    }

    #[doc(alias = "shm_open")]
    fn area_opened(&self, _file: &File) {
        let mut state = self.segment.lock();
        state.body.atim = now();
        state.body.touched_by_caller();
        state.body.nattch += 1;
    }

    #[doc(alias = "shm_close")]
    fn area_closed(&self, _file: &File) {
        let mut state = self.segment.lock();
        state.body.dtim = now();
        state.body.touched_by_caller();
        state.body.nattch -= 1;
        let unneeded = is_unneeded(&self.kernel, state.perm.mode, &state.body);
        drop(state);
        if unneeded {
            destroy_unneeded(&self.kernel, self.segment.id);
        }
    }

    #[doc(alias = "shm_fsync")]
    fn fsync(&self, _file: &FileRef, _datasync: bool) -> Result<(), Error> {
        Ok(())
    }

    #[doc(alias = "shm_fallocate")]
    fn fallocate(&self, _file: &FileRef, mode: u32, offset: u64, len: u64) -> Result<(), Error> {
        self.base.ops.fallocate(&self.base, mode, offset, len)
    }
}

/// What a caller of `shmat` wants.
struct Attach {
    /// 0: anywhere.
    addr: u64,
    remap: bool,
    prot: u64,
    /// Rights on the segment.
    access: u32,
    open_flags: u32,
}

impl Attach {
    fn parse(addr: u64, flags: u32) -> Result<Attach, Errno> {
        let remap = flags & SHM_REMAP != 0;
        let rounded = match addr % SHMLBA {
            0 => addr,
            past if flags & SHM_RND != 0 => addr - past,
            _ => return Err(Errno::EINVAL),
        };
        // Rounding down to nowhere is refused when something would be replaced there.
        if rounded == 0 && remap {
            return Err(Errno::EINVAL);
        }
        let exec = flags & SHM_EXEC != 0;
        let (prot, access, open_flags) = match flags & SHM_RDONLY {
            0 => (PROT_READ | PROT_WRITE, 0o666, O_RDWR),
            _ => (PROT_READ, 0o444, O_RDONLY),
        };
        Ok(Attach {
            addr: rounded,
            remap,
            prot: if exec { prot | PROT_EXEC } else { prot },
            access: if exec { access | 0o111 } else { access },
            open_flags,
        })
    }

    fn map_flags(&self) -> u64 {
        match (self.addr, self.remap) {
            (0, _) => MAP_SHARED,
            (_, true) => MAP_SHARED | MAP_FIXED,
            (_, false) => MAP_SHARED | MAP_FIXED_NOREPLACE,
        }
    }
}

#[doc(alias = "do_shmat")]
pub fn sys_shmat(id: i32, addr: UserAddr, flags: Flags) -> SysResult {
    let kernel = kernel();
    if id < 0 {
        return Err(Errno::EINVAL.into());
    }
    let attach = Attach::parse(addr.0, flags.0)?;
    let segment = kernel.ipc.shm.find(id)?;
    let (base, len) = {
        let mut state = segment.lock();
        state.perm.check(attach.access)?;
        state.perm.check_alive()?;
        // Kept while it is being mapped.
        state.body.nattch += 1;
        (state.body.file.clone(), state.body.segsz)
    };
    let path = base.path.clone();
    let ops: Arc<dyn FileOperations> = Arc::new(ShmFile { kernel: kernel.clone(), segment: segment.clone(), base });
    let file = match path {
        Some(path) => File::of_path(ops, attach.open_flags, path),
        None => File::anon(ops, attach.open_flags),
    };
    let wraps = attach.addr.checked_add(len).is_none();
    let wanted = Wanted { addr: attach.addr, len, prot: attach.prot, flags: attach.map_flags(), file: Some(file), offset: 0 };
    let mapped = match current().mm().do_mmap(&wanted) {
        _ if wraps && !attach.remap => Err(Errno::EINVAL.into()),
        Err(error) if error == Errno::EEXIST => Err(Errno::EINVAL.into()),
        other => other,
    };
    drop(wanted);
    segment.lock().body.nattch -= 1;
    destroy_unneeded(kernel, id);
    Ok(mapped? as usize)
}

/// Whether the area at `start` is what a `shmat` put at `addr`, or a part of it; `file` if it must be that one.
fn is_attached(addr: u64, start: u64, vma: &Vma, same: Option<&FileRef>) -> Option<FileRef> {
    let Backing::File { file, offset, .. } = &vma.backing else {
        return None;
    };
    let file = file.file();
    let fits = file.private::<ShmFile>().is_some() && start.wrapping_sub(addr) == *offset;
    (fits && same.is_none_or(|same| FileRef::ptr_eq(same, file))).then(|| file.clone())
}

/// Takes every area away that is left of the `shmat` at `addr`.
#[doc(alias = "ksys_shmdt")]
pub fn sys_shmdt(addr: UserAddr) -> SysResult {
    let addr = addr.0;
    if addr != page_start(addr) {
        return Err(Errno::EINVAL.into());
    }
    let mm = current().mm();
    let mut state = mm.lock();
    let removed = detach(&mut state, addr);
    drop(state);
    release(removed?.into_iter());
    Ok(0)
}

fn detach(state: &mut MmState, addr: u64) -> Result<Vec<(u64, Vma)>, Errno> {
    let mut behind = state.areas.overlapping(addr..u64::MAX);
    let found = behind.find_map(|(start, vma)| Some((start..vma.end, is_attached(addr, start, vma, None)?)));
    let (first, file) = found.ok_or(Errno::EINVAL)?;
    let len = file.private::<ShmFile>().map_or(0, |shm| shm.segment.lock().body.segsz);
    let end = addr + page_align(len).unwrap_or(0);
    let rest =
        behind.take_while(|(_, vma)| vma.end <= end).filter(|(start, vma)| is_attached(addr, *start, vma, Some(&file)).is_some());
    let mut ranges = alloc::vec![first];
    ranges.extend(rest.map(|(start, vma)| start..vma.end));
    let mut removed = Vec::new();
    for range in ranges {
        removed.extend(unmap_locked(state, range)?);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_rounded_only_if_asked() {
        assert!(matches!(Attach::parse(4097, 0), Err(Errno::EINVAL)));
        assert_eq!(Attach::parse(8191, SHM_RND).map(|attach| attach.addr), Ok(4096));
        assert!(matches!(Attach::parse(5, SHM_RND | SHM_REMAP), Err(Errno::EINVAL)));
        assert!(matches!(Attach::parse(0, SHM_REMAP), Err(Errno::EINVAL)));
    }

    #[test]
    fn rights_follow_the_flags() {
        let attach = Attach::parse(0, SHM_RDONLY | SHM_EXEC).unwrap();
        assert_eq!((attach.prot, attach.access), (PROT_READ | PROT_EXEC, 0o555));
    }
}
