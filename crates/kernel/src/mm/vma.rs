//! One area of an address space.
//!
//! Mirrors: include/linux/mm_types.h (`vm_area_struct`), include/linux/mm.h (`VM_*`), Linux 6.18.
//! Differs: the host faults pages in, so an area only remembers what stands behind it: nothing, an anonymous object that
//! the host shares between relatives, or a file. Pages of our own files are pieces of the physical-memory object; an area
//! keeps its pieces alive, so truncation never hands a mapped page to somebody else.
//! Locking: areas are values in the tree of `MmStruct`, under its lock.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::mman::{PROT_EXEC, PROT_READ, PROT_WRITE};

use super::patch::TextImage;
use super::pieces::Piece;
use crate::fs::file::{File, FileRef};

pub const PAGE_SIZE: u64 = acrida_uapi::mman::PAGE_SIZE as u64;
pub const PAGE_SHIFT: u32 = acrida_uapi::mman::PAGE_SHIFT;

/// Rounds down to a page.
pub const fn page_start(addr: u64) -> u64 {
    addr & !(PAGE_SIZE - 1)
}

/// Rounds up to a page, or `None` when that wraps.
#[doc(alias = "PAGE_ALIGN")]
pub const fn page_align(addr: u64) -> Option<u64> {
    match addr.checked_add(PAGE_SIZE - 1) {
        Some(sum) => Some(page_start(sum)),
        None => None,
    }
}

bitflags::bitflags! {
    /// What an area allows and how it behaves; Linux's bits, where Linux has the flag.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct VmFlags: u64 {
        const READ = 0x1;
        const WRITE = 0x2;
        const EXEC = 0x4;
        /// Mapped with `MAP_SHARED`. Linux's `VM_MAYSHARE`: its `VM_SHARED` is off for files not open for writing.
        const SHARED = 0x8;
        const MAYREAD = 0x10;
        const MAYWRITE = 0x20;
        const MAYEXEC = 0x40;
        const GROWSDOWN = 0x100;
        const LOCKED = 0x2000;
        const SEQ_READ = 0x8000;
        const RAND_READ = 0x1_0000;
        const DONTCOPY = 0x2_0000;
        const LOCKONFAULT = 0x8_0000;
        /// Counts as committed memory; stays when the right to write goes.
        const ACCOUNT = 0x10_0000;
        const NORESERVE = 0x20_0000;
        const HUGETLB = 0x40_0000;
        const WIPEONFORK = 0x200_0000;
        const DONTDUMP = 0x400_0000;
        const HUGEPAGE = 0x2000_0000;
        const NOHUGEPAGE = 0x4000_0000;
        const MERGEABLE = 0x8000_0000;
        const SEALED = 1 << 42;

        const RIGHTS = 0x7;
        const MAY = 0x70;
    }
}

impl VmFlags {
    /// `PROT_*` as flags; other bits are dropped.
    #[doc(alias = "calc_vm_prot_bits")]
    pub fn from_prot(prot: u64) -> VmFlags {
        VmFlags::from_bits_truncate(prot & (PROT_READ | PROT_WRITE | PROT_EXEC))
    }

    /// With `ACCOUNT` if pages may be written that nothing else holds.
    #[doc(alias = "accountable_mapping")]
    pub fn accounted(self) -> VmFlags {
        let decides = VmFlags::NORESERVE | VmFlags::SHARED | VmFlags::WRITE | VmFlags::HUGETLB;
        if self & decides == VmFlags::WRITE { self | VmFlags::ACCOUNT } else { self }
    }

    /// The rights as `PROT_*`.
    pub fn prot(self) -> u32 {
        (self & VmFlags::RIGHTS).bits() as u32
    }
}

/// Identity of an anonymous shared object (the host holds its pages).
#[derive(Debug)]
pub struct SharedAnon {
    pub ino: u64,
}

/// Where the pages of a file area come from.
#[derive(Clone)]
pub enum FilePages {
    /// The host's file: it answers every fault.
    Host,
    /// Pieces of the physical-memory object, in file order; bytes without a piece are not mapped.
    Window(Arc<Vec<Piece>>),
    /// The file's text with its system calls patched.
    Patched(Arc<TextImage>),
    /// Zero pages (/dev/zero).
    Zero,
}

/// The file behind one area. Each clone is another area's: files that count their areas are told of it.
pub struct AreaFile {
    file: FileRef,
    counted: bool,
}

impl AreaFile {
    pub fn new(file: &FileRef) -> AreaFile {
        let area = AreaFile { file: file.clone(), counted: file.ops.counts_areas() };
        area.tell(File::area_opened);
        area
    }

    /// The file, for somebody who is no area.
    pub fn file(&self) -> &FileRef {
        &self.file
    }

    fn tell(&self, change: fn(&File)) {
        if self.counted {
            change(&self.file);
        }
    }
}

impl Clone for AreaFile {
    #[doc(alias = "vm_ops_open")]
    fn clone(&self) -> Self {
        let area = AreaFile { file: self.file.clone(), counted: self.counted };
        area.tell(File::area_opened);
        area
    }
}

impl Drop for AreaFile {
    #[doc(alias = "vm_ops_close")]
    fn drop(&mut self) {
        self.tell(File::area_closed);
    }
}

/// What stands behind an area.
#[derive(Clone, Default)]
pub enum Backing {
    #[default]
    Anonymous,
    /// `MAP_SHARED | MAP_ANONYMOUS`: the object and the byte offset in it.
    Shared(Arc<SharedAnon>, u64),
    /// The file and the byte offset in it.
    File { file: AreaFile, offset: u64, pages: FilePages },
    /// What patched texts jump to; no mapping of the guest's.
    Stubs(Arc<TextImage>),
}

impl Backing {
    /// The same thing `bytes` further on.
    #[must_use]
    pub fn advance(self, bytes: u64) -> Backing {
        match self {
            Backing::Anonymous => Backing::Anonymous,
            Backing::Shared(object, offset) => Backing::Shared(object, offset + bytes),
            Backing::File { file, offset, pages } => Backing::File { file, offset: offset + bytes, pages },
            // Never cut: the guest does not know the area.
            Backing::Stubs(image) => Backing::Stubs(image),
        }
    }

    /// Whether `next` goes on where this ends after `len` bytes.
    fn continues(&self, len: u64, next: &Backing) -> bool {
        match (self, next) {
            (Backing::Anonymous, Backing::Anonymous) => true,
            (Backing::Shared(a, at), Backing::Shared(b, next_at)) => Arc::ptr_eq(a, b) && at + len == *next_at,
            (
                Backing::File { file, offset, pages },
                Backing::File { file: next_file, offset: next_offset, pages: next_pages },
            ) => {
                !file.counted
                    && FileRef::ptr_eq(&file.file, &next_file.file)
                    && offset + len == *next_offset
                    && pages.same(next_pages)
            }
            _ => false,
        }
    }
}

impl FilePages {
    fn same(&self, other: &FilePages) -> bool {
        match (self, other) {
            (FilePages::Host, FilePages::Host) | (FilePages::Zero, FilePages::Zero) => true,
            (FilePages::Window(a), FilePages::Window(b)) => Arc::ptr_eq(a, b),
            (FilePages::Patched(a), FilePages::Patched(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A range of addresses with one set of rights and one backing. Its start is its key in the tree.
#[doc(alias = "vm_area_struct")]
#[derive(Clone, Default)]
pub struct Vma {
    /// First address behind it.
    pub end: u64,
    pub flags: VmFlags,
    pub backing: Backing,
}

impl Vma {
    pub fn file(&self) -> Option<&FileRef> {
        match &self.backing {
            Backing::File { file, .. } => Some(file.file()),
            _ => None,
        }
    }

    /// Byte offset of the area's start in its file or object; an anonymous area's own address, as in Linux.
    #[doc(alias = "vm_pgoff")]
    pub fn offset(&self, start: u64) -> u64 {
        match &self.backing {
            Backing::Anonymous | Backing::Stubs(_) => start,
            Backing::Shared(_, offset) | Backing::File { offset, .. } => *offset,
        }
    }

    pub fn is_shared(&self) -> bool {
        self.flags.contains(VmFlags::SHARED)
    }

    /// Counts against `RLIMIT_DATA`.
    #[doc(alias = "is_data_mapping")]
    pub fn is_data(&self) -> bool {
        self.flags & (VmFlags::WRITE | VmFlags::SHARED | VmFlags::GROWSDOWN) == VmFlags::WRITE
    }

    /// Whether `next`, which starts where this one ends, is more of the same.
    #[doc(alias = "can_vma_merge_after")]
    pub fn can_merge(&self, start: u64, next: &Vma) -> bool {
        self.flags == next.flags && self.backing.continues(self.end - start, &next.backing)
    }
}
