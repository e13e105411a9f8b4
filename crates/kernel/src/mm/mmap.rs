//! New mappings: the `mmap` call, and the mappings that exec makes.
//!
//! Mirrors: mm/mmap.c (`do_mmap`, `mmap_region`, `get_unmapped_area`), arch/x86/kernel/sys_x86_64.c, Linux 6.18; alignment
//! of large anonymous areas as in 6.7.
//! Differs: a file is asked for its pages before the lock is taken, because it takes locks of its own; the checks that
//! come before that in Linux are made twice.
//! Locking: `MmStruct`'s lock, over the host call.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use acrida_kcore::host::HostFd;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::capability::CAP_IPC_LOCK;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mman::*;
use acrida_uapi::resource::{RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK};

use super::host_map::{HostFile, install};
use super::layout::{MMAP_MIN_ADDR, UNMAPPED_BASE};
use super::mlock::lock_pages;
use super::mm_struct::{MmState, MmStruct, release};
use super::patch::{self, Origin, Part, TextImage, drop_stubs};
use super::pieces::Piece;
use super::vma::{AreaFile, Backing, FilePages, PAGE_SHIFT, SharedAnon, VmFlags, Vma, page_align, page_start};
use crate::abi::{Fd, Flags, SysResult};
use crate::current;
use crate::fs::file::{File, FileRef};

/// `vm.max_map_count`.
pub const MAX_MAP_COUNT: usize = 65530;
/// What `MAP_SHARED` silently drops.
const LEGACY_MAP_MASK: u64 = MAP_TYPE
    | MAP_FIXED
    | MAP_ANONYMOUS
    | MAP_DENYWRITE
    | MAP_EXECUTABLE
    | MAP_UNINITIALIZED
    | MAP_GROWSDOWN
    | MAP_LOCKED
    | MAP_NORESERVE
    | MAP_POPULATE
    | MAP_NONBLOCK
    | MAP_STACK
    | MAP_HUGETLB
    | MAP_32BIT
    | MAP_ABOVE4G
    | MAP_HUGE_MASK << MAP_HUGE_SHIFT;
const HUGE_PAGE: u64 = 2 << 20;

/// What a file is asked to map.
#[derive(Clone, Copy, Debug)]
pub struct MmapRequest {
    /// Bytes, a multiple of the page size.
    pub len: usize,
    /// `PROT_*`.
    pub prot: u32,
    /// `MAP_*`.
    pub flags: u32,
    /// Byte offset in the file, a multiple of the page size.
    pub offset: u64,
}

/// What stands behind a file's mapping.
pub enum MapBacking {
    /// A host file, and the byte offset in it.
    Host(HostFd, u64),
    /// Pages of the physical-memory object, in file order. Where a piece is missing (beyond the end of the file) the
    /// mapping has no page: a fault asks the file again, and is SIGBUS if there is still none.
    Window(Vec<Piece>),
    /// Zero pages, as of /dev/zero.
    Anonymous,
}

/// Where the kernel wants a mapping of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Exactly here, over what is there.
    Fixed(u64),
    /// Exactly here, `EEXIST` when something is there.
    FixedNoReplace(u64),
    /// Here if free, else anywhere; 0 for no wish.
    Hint(u64),
}

/// A private mapping made by the kernel for exec and its like.
pub struct KernelMapping {
    pub place: Placement,
    /// Bytes; rounded up to pages.
    pub len: u64,
    /// `PROT_*`.
    pub prot: u64,
    /// The file and the byte offset in it; `None` for zero pages.
    pub file: Option<(FileRef, u64)>,
}

/// A request as `do_mmap` takes it.
pub struct Wanted {
    pub addr: u64,
    pub len: u64,
    pub prot: u64,
    pub flags: u64,
    pub file: Option<FileRef>,
    pub offset: u64,
}

/// A request that has passed every check.
struct Checked {
    range: Range<u64>,
    flags: VmFlags,
}

/// `mmap`: maps pages and gives their address.
#[doc(alias = "mmap")]
pub fn sys_mmap(addr: UserAddr, len: u64, prot: Flags, flags: Flags, fd: Fd, offset: u64) -> SysResult {
    if offset % (1 << PAGE_SHIFT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = u64::from(flags.0);
    let mut len = len;
    let file = if flags & MAP_ANONYMOUS == 0 {
        let file = current().files().get(fd.0)?;
        if flags & MAP_HUGETLB != 0 {
            return Err(Errno::EINVAL.into());
        }
        Some(file)
    } else {
        if flags & MAP_HUGETLB != 0 {
            let page = Some(huge_page_size(flags)).filter(|page| HUGE_PAGES.contains(page)).ok_or(Errno::EINVAL)?;
            len = len.checked_next_multiple_of(page).ok_or(Errno::ENOMEM)?;
        }
        None
    };
    let wanted = Wanted { addr: addr.0, len, prot: prot.0.into(), flags, file, offset };
    Ok(current().mm().do_mmap(&wanted)? as usize)
}

/// The sizes of huge pages that there are.
const HUGE_PAGES: [u64; 2] = [HUGE_PAGE, 1 << 30];

fn huge_page_size(flags: u64) -> u64 {
    match (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK {
        0 => HUGE_PAGE,
        log2 => 1 << log2,
    }
}

impl MmStruct {
    /// Maps something for the kernel itself; gives the address.
    #[doc(alias = "vm_mmap")]
    pub fn mmap_kernel(&self, mapping: &KernelMapping) -> Result<u64, Error> {
        let (addr, fixed) = match mapping.place {
            Placement::Fixed(addr) => (addr, MAP_FIXED),
            Placement::FixedNoReplace(addr) => (addr, MAP_FIXED_NOREPLACE),
            Placement::Hint(addr) => (addr, 0),
        };
        let (file, offset) = match &mapping.file {
            Some((file, offset)) => (Some(file.clone()), *offset),
            None => (None, 0),
        };
        let anonymous = if file.is_none() { MAP_ANONYMOUS } else { 0 };
        let flags = MAP_PRIVATE | fixed | anonymous;
        self.do_mmap(&Wanted { addr, len: mapping.len, prot: mapping.prot, flags, file, offset })
    }

    /// Where `len` bytes are free now, at `wish` if possible; for a caller who is alone in the address space.
    pub fn free_place(&self, wish: u64, len: u64) -> Result<u64, Error> {
        let wanted = Wanted {
            addr: wish,
            len: page_align(len).ok_or(Errno::ENOMEM)?,
            prot: 0,
            flags: MAP_PRIVATE | MAP_ANONYMOUS,
            file: None,
            offset: 0,
        };
        Ok(wanted.check(&mut self.lock(), 0)?.range.start)
    }

    /// Checks, chooses an address, maps; text comes with its system calls patched.
    pub fn do_mmap(&self, wanted: &Wanted) -> Result<u64, Error> {
        self.map_region(wanted, patch::image_for)
    }

    /// As `do_mmap`, but text comes as it is in the file.
    pub fn do_mmap_plain(&self, wanted: &Wanted) -> Result<u64, Error> {
        self.map_region(wanted, |_, _| None)
    }

    #[doc(alias = "mmap_region")]
    fn map_region(&self, wanted: &Wanted, image_for: fn(&Wanted, Origin) -> Option<Arc<TextImage>>) -> Result<u64, Error> {
        if wanted.len == 0 {
            return Err(Errno::EINVAL.into());
        }
        let len = page_align(wanted.len).ok_or(Errno::ENOMEM)?;
        let wanted = Wanted { len, file: wanted.file.clone(), ..*wanted };
        let (backing, host_file) = match &wanted.file {
            None => (anonymous_backing(&wanted), None),
            Some(file) => {
                wanted.check(&mut self.lock(), 0)?;
                ask_file(file, &wanted)?
            }
        };
        let image = image_for(&wanted, if host_file.is_some() { Origin::Host } else { Origin::World });
        let room = image.as_ref().map_or(0, |image| image.stubs_len());
        let mut state = self.lock();
        let Checked { range, flags } = wanted.check(&mut state, room)?;
        let whole = Part { range: range.clone(), backing, host_file };
        let parts = patch::parts(&mut state, whole, flags, image.as_ref());
        for part in &parts {
            install(part.range.clone(), flags, &part.backing, part.host_file, wanted.host_flags())?;
        }
        let mut removed = state.areas.remove(range.clone());
        for Part { range, backing, .. } in parts {
            state.areas.insert(range.start, Vma { end: range.end, flags, backing });
        }
        drop_stubs(&mut state, &mut removed);
        self.note_peak(&state);
        if flags.contains(VmFlags::LOCKED) {
            // Pages that cannot come in now are no error.
            let _ = lock_pages(range.start, len, flags);
        }
        drop(state);
        release(removed.into_iter());
        Ok(range.start)
    }
}

/// The backing of a mapping without file.
fn anonymous_backing(wanted: &Wanted) -> Backing {
    if wanted.flags & MAP_TYPE == MAP_SHARED {
        Backing::Shared(Arc::new(SharedAnon { ino: crate::kernel().next_ino() }), 0)
    } else {
        Backing::Anonymous
    }
}

/// What the file gives to map.
#[doc(alias = "call_mmap")]
fn ask_file(file: &FileRef, wanted: &Wanted) -> Result<(Backing, Option<HostFile>), Error> {
    let request =
        MmapRequest { len: wanted.len as usize, prot: wanted.prot as u32, flags: wanted.flags as u32, offset: wanted.offset };
    let (pages, host_file) = match file.ops.mmap(file, &request)? {
        MapBacking::Host(fd, offset) => (FilePages::Host, Some((fd, offset))),
        MapBacking::Window(pieces) => (FilePages::Window(Arc::new(pieces)), None),
        MapBacking::Anonymous if wanted.flags & MAP_TYPE == MAP_PRIVATE => (FilePages::Zero, None),
        MapBacking::Anonymous => return Ok((anonymous_backing(&Wanted { flags: MAP_SHARED, file: None, ..*wanted }), None)),
    };
    Ok((Backing::File { file: AreaFile::new(file), offset: wanted.offset, pages }, host_file))
}

impl Wanted {
    pub fn fixed(&self) -> bool {
        self.flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0
    }

    /// `MAP_*` bits the host gets besides sharing and place.
    fn host_flags(&self) -> u64 {
        let passed = MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_HUGETLB | MAP_HUGE_MASK << MAP_HUGE_SHIFT;
        let droppable = if self.flags & MAP_TYPE == MAP_DROPPABLE { MAP_DROPPABLE } else { 0 };
        self.flags & passed | droppable
    }

    /// Every check that needs no file, in Linux's order. A place that we choose has `room` more bytes free behind it.
    fn check(&self, state: &mut MmState, room: u64) -> Result<Checked, Errno> {
        if state.areas.len() > MAX_MAP_COUNT {
            return Err(Errno::ENOMEM);
        }
        let start = self.unmapped_area(state, room)?;
        let range = start..start + self.len;
        if self.flags & MAP_FIXED_NOREPLACE != 0 && !state.areas.is_free(range.clone()) {
            return Err(Errno::EEXIST);
        }
        let mut flags = VmFlags::from_prot(self.prot) | VmFlags::MAY | state.default_flags;
        flags.set(VmFlags::GROWSDOWN, self.flags & MAP_GROWSDOWN != 0);
        flags.set(VmFlags::NORESERVE, self.flags & MAP_NORESERVE != 0);
        flags.set(VmFlags::HUGETLB, self.flags & MAP_HUGETLB != 0);
        if self.flags & MAP_LOCKED != 0 {
            check_can_lock()?;
            flags |= VmFlags::LOCKED;
        }
        if flags.contains(VmFlags::LOCKED) {
            check_lock_limit(state, self.len).map_err(|_| Errno::EAGAIN)?;
        }
        let flags = match &self.file {
            Some(file) => self.file_flags(file, flags)?,
            None => self.anonymous_flags(flags)?,
        }
        .accounted();
        if state.areas.overlapping(range.clone()).any(|(_, vma)| vma.flags.contains(VmFlags::SEALED)) {
            return Err(Errno::EPERM);
        }
        let covered = state.areas.covered_bytes(range.clone());
        let vma = Vma { end: range.end, flags, ..Vma::default() };
        check_limits(state, range.start, &vma, covered)?;
        Ok(Checked { range, flags })
    }

    fn file_flags(&self, file: &File, mut flags: VmFlags) -> Result<VmFlags, Errno> {
        // The largest file there is.
        if self.len > i64::MAX as u64 || self.offset > i64::MAX as u64 - self.len {
            return Err(Errno::EOVERFLOW);
        }
        let sharing = self.flags & MAP_TYPE;
        if sharing == MAP_SHARED_VALIDATE && self.flags & !(LEGACY_MAP_MASK | MAP_FIXED_NOREPLACE) != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        match sharing {
            MAP_SHARED | MAP_SHARED_VALIDATE => {
                if flags.contains(VmFlags::WRITE) && !file.writable() {
                    return Err(Errno::EACCES);
                }
                flags |= VmFlags::SHARED;
                if !file.writable() || file.ops.forbids_shared_writes(file) {
                    flags -= VmFlags::MAYWRITE;
                }
            }
            MAP_PRIVATE => {}
            _ => return Err(Errno::EINVAL),
        }
        if !file.readable() {
            return Err(Errno::EACCES);
        }
        if flags.contains(VmFlags::GROWSDOWN) {
            return Err(Errno::EINVAL);
        }
        Ok(flags)
    }

    fn anonymous_flags(&self, flags: VmFlags) -> Result<VmFlags, Errno> {
        match self.flags & MAP_TYPE {
            MAP_SHARED if flags.contains(VmFlags::GROWSDOWN) => Err(Errno::EINVAL),
            MAP_SHARED => Ok(flags | VmFlags::SHARED),
            MAP_DROPPABLE if self.flags & (MAP_LOCKED | MAP_HUGETLB) != 0 => Err(Errno::EINVAL),
            MAP_DROPPABLE => Ok(flags | VmFlags::WIPEONFORK | VmFlags::DONTDUMP | VmFlags::NORESERVE),
            MAP_PRIVATE => Ok(flags),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The address: the caller's, or a free one.
    #[doc(alias = "get_unmapped_area")]
    fn unmapped_area(&self, state: &mut MmState, room: u64) -> Result<u64, Errno> {
        if self.len > TASK_SIZE {
            return Err(Errno::ENOMEM);
        }
        if self.fixed() {
            if self.addr > TASK_SIZE - self.len {
                return Err(Errno::ENOMEM);
            }
            return if self.addr == page_start(self.addr) { Ok(self.addr) } else { Err(Errno::EINVAL) };
        }
        let mut align = 1 << PAGE_SHIFT;
        if self.flags & MAP_HUGETLB != 0 {
            align = huge_page_size(self.flags);
        } else if self.file.is_none() && self.len % HUGE_PAGE == 0 {
            align = HUGE_PAGE;
        }
        find_area(state, self.addr, self.len + room, align, self.flags)
    }
}

/// A free place for `len` bytes: at `hint` if that is free, else as high as possible.
pub fn find_area(state: &mut MmState, hint: u64, len: u64, align: u64, flags: u64) -> Result<u64, Errno> {
    const LOW: Range<u64> = 0x4000_0000..0x8000_0000;
    // The caller's length may have got room for a guard.
    let last = TASK_SIZE.checked_sub(len).ok_or(Errno::ENOMEM)?;
    let mut hint = page_start(hint);
    if hint != 0 {
        hint = hint.max(MMAP_MIN_ADDR);
        let low_enough = flags & MAP_32BIT == 0 || hint <= LOW.end.saturating_sub(len);
        let aligned = flags & MAP_HUGETLB == 0 || hint % align == 0;
        if low_enough && aligned && hint <= last && state.areas.is_placeable(hint..hint + len) {
            return Ok(hint);
        }
    }
    if flags & MAP_32BIT != 0 {
        return state.areas.find_hole_up(len, LOW, 1 << PAGE_SHIFT).ok_or(Errno::ENOMEM);
    }
    let base = state.layout.mmap_base;
    if let Some(at) = state.areas.find_hole_down(len, MMAP_MIN_ADDR..base, align) {
        return Ok(at);
    }
    state.areas.find_hole_up(len, UNMAPPED_BASE..TASK_SIZE, align).ok_or(Errno::ENOMEM)
}

/// Whether the address space may get `vma` at `start`, `covered` bytes of which are there already.
#[doc(alias = "may_expand_vm")]
pub fn check_limits(state: &MmState, start: u64, vma: &Vma, covered: u64) -> Result<(), Errno> {
    let process = &current().process;
    let bytes = (vma.end - start).saturating_sub(covered);
    if state.total_vm().saturating_add(bytes) > page_start(process.rlimit(RLIMIT_AS as usize).rlim_cur) {
        return Err(Errno::ENOMEM);
    }
    if vma.is_data() { check_data_limit(state, bytes) } else { Ok(()) }
}

/// Whether `bytes` more may be private and writable.
pub fn check_data_limit(state: &MmState, bytes: u64) -> Result<(), Errno> {
    let limit = current().process.rlimit(RLIMIT_DATA as usize);
    let data = page_start(state.areas.totals().data.saturating_add(bytes));
    // A soft limit of 0 alone is taken for a mistake.
    let allowed = data <= page_start(limit.rlim_cur) || limit.rlim_cur == 0 && data <= page_start(limit.rlim_max);
    if allowed { Ok(()) } else { Err(Errno::ENOMEM) }
}

/// Whether the caller may lock memory at all.
#[doc(alias = "can_do_mlock")]
pub fn check_can_lock() -> Result<(), Errno> {
    let allowed = current().process.rlimit(RLIMIT_MEMLOCK as usize).rlim_cur != 0 || current().cred().capable(CAP_IPC_LOCK);
    if allowed { Ok(()) } else { Err(Errno::EPERM) }
}

/// Whether `bytes` more may be locked; callers differ in the errno.
#[doc(alias = "mlock_future_ok")]
pub fn check_lock_limit(state: &MmState, bytes: u64) -> Result<(), Errno> {
    let limit = page_start(current().process.rlimit(RLIMIT_MEMLOCK as usize).rlim_cur);
    let locked = state.areas.totals().locked.saturating_add(bytes);
    if locked > limit && !current().cred().capable(CAP_IPC_LOCK) { Err(Errno::ENOMEM) } else { Ok(()) }
}
