//! From program headers to a list of mappings, before anything is mapped.
//!
//! Linux 6.6: `load_elf_binary`, `load_elf_interp`, `elf_load`, `total_mapping_size` in `fs/binfmt_elf.c`. Differences:
//! what Linux finds only after the old address space is gone (and answers with SIGKILL) is an errno here; a bad
//! interpreter is always ELIBBAD up to its segments. As in Linux the order of PT_LOAD entries is the order of mapping,
//! a later one covers an earlier one, and the bss of a segment without PROT_WRITE is not cleared in its last file page.

use alloc::vec::Vec;
use core::ops::Range;

use super::header::{ET_DYN, Ehdr, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD, Phdr};
use crate::{Error, PAGE_SIZE, Source, read_exact_at};

/// Longest interpreter path, with its NUL.
const PATH_MAX: u64 = 4096;

bitflags::bitflags! {
    /// Access rights with the values of `PROT_*`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Prot: u32 {
        const READ = 1;
        const WRITE = 2;
        const EXEC = 4;
    }
}

impl Prot {
    #[doc(alias = "make_prot")]
    fn from_segment_flags(flags: u32) -> Self {
        let mut prot = Prot::empty();
        prot.set(Prot::READ, flags & PF_R != 0);
        prot.set(Prot::WRITE, flags & PF_W != 0);
        prot.set(Prot::EXEC, flags & PF_X != 0);
        prot
    }
}

/// Whether the addresses of a plan are final or relative to a load bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ET_EXEC.
    Fixed,
    /// ET_DYN: add a multiple of [`Plan::align`].
    Relocatable,
}

/// What the file is loaded as; it decides the errno of a malformed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Program,
    Interpreter,
}

/// One PT_LOAD entry, validated, in bytes and without rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub vaddr: u64,
    pub memsz: u64,
    pub filesz: u64,
    pub offset: u64,
    pub prot: Prot,
}

/// What is behind a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Private pages of the file from a page-aligned `offset`; the last `zero_tail` bytes of the mapping are bss and must
    /// be cleared after mapping.
    File { offset: u64, zero_tail: u64 },
    /// Private zero pages.
    Anonymous,
}

/// One `mmap` call: page-aligned address and length, both in bytes, to be made in list order over what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub vaddr: u64,
    pub len: u64,
    pub prot: Prot,
    pub backing: Backing,
}

/// A file that can be loaded. All addresses are unbiased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub kind: Kind,
    pub entry: u64,
    /// Address of the program headers (AT_PHDR); 0, as Linux has it, if no segment contains them.
    pub phdr_vaddr: u64,
    pub phnum: u16,
    /// PT_INTERP without its NUL. Always `None` for [`Role::Interpreter`].
    pub interp: Option<Vec<u8>>,
    /// PT_GNU_STACK asks for an executable stack; without the header the answer on x86-64 is no.
    pub stack_exec: bool,
    pub segments: Vec<Segment>,
    /// The `mmap` calls, in order.
    pub mappings: Vec<Mapping>,
    /// Page-rounded hull of all segments.
    pub span: Range<u64>,
    /// Alignment a load bias needs, in bytes, at least a page.
    pub align: u64,
    /// End of the highest segment; the heap starts at the next page.
    pub brk: u64,
    /// Hull of the executable segments' file parts (`mm->start_code`, `end_code`).
    pub code: Range<u64>,
    /// Start of the last segment and end of the highest file part (`mm->start_data`, `end_data`).
    pub data: Range<u64>,
}

/// Parses an ELF file into what loading it takes; every address stays below `task_size`.
///
/// # Errors
/// `NoExec` (program) or `LibBad` (interpreter) for a header that is not ours, `Inval` for a segment that cannot be
/// mapped, `Io` for an interpreter path outside the file, and what the source says.
#[doc(alias = "load_elf_binary")]
#[doc(alias = "load_elf_interp")]
pub fn plan(source: &dyn Source, role: Role, task_size: u64) -> Result<Plan, Error> {
    let malformed = |error| match (role, error) {
        (Role::Interpreter, Error::NoExec) => Error::LibBad,
        (_, error) => error,
    };
    let header = Ehdr::read(source).map_err(malformed)?;
    let phdrs = header.read_phdrs(source).map_err(malformed)?;
    let interp = match role {
        Role::Program => read_interp(source, &phdrs)?,
        Role::Interpreter => None,
    };
    let stack_exec = phdrs.iter().rev().find(|p| p.p_type == PT_GNU_STACK).is_some_and(|p| p.p_flags & PF_X != 0);

    let loads = || phdrs.iter().filter(|p| p.p_type == PT_LOAD);
    let mut segments = Vec::new();
    let mut mappings = Vec::new();
    for phdr in loads() {
        let segment = Segment::validate(phdr, task_size)?;
        segment.push_mappings(&mut mappings);
        segments.push(segment);
    }
    let span = hull(segments.iter().map(|s| page_start(s.vaddr)..page_align(s.vaddr + s.memsz)));
    if span.is_empty() || span.end > task_size || header.e_entry >= task_size {
        return Err(Error::Inval);
    }
    let executable = segments.iter().filter(|s| s.prot.contains(Prot::EXEC));
    let data_start = segments.iter().map(|s| s.vaddr).max().unwrap_or(0);
    let data_end = segments.iter().map(|s| s.vaddr + s.filesz).max().unwrap_or(0);
    Ok(Plan {
        kind: if header.e_type == ET_DYN { Kind::Relocatable } else { Kind::Fixed },
        entry: header.e_entry,
        phdr_vaddr: phdr_vaddr(header.e_phoff, &segments),
        phnum: header.e_phnum,
        interp,
        stack_exec,
        span,
        align: maximum_alignment(loads()),
        brk: segments.iter().map(|s| s.vaddr + s.memsz).max().unwrap_or(0),
        code: hull(executable.map(|s| s.vaddr..s.vaddr + s.filesz)),
        data: data_start..data_end,
        segments,
        mappings,
    })
}

impl Segment {
    /// Checks one PT_LOAD entry so that no later arithmetic on it can overflow.
    fn validate(phdr: &Phdr, task_size: u64) -> Result<Self, Error> {
        let end = phdr.p_vaddr.checked_add(phdr.p_memsz).ok_or(Error::Inval)?;
        let file_end = phdr.p_offset.checked_add(phdr.p_filesz).ok_or(Error::Inval)?;
        // mmap refuses an offset that is no whole page once the page offset of the address is taken off.
        let congruent = phdr.p_filesz == 0 || phdr.p_vaddr % PAGE_SIZE == phdr.p_offset % PAGE_SIZE;
        let representable = i64::try_from(file_end).is_ok_and(|end| end <= i64::MAX - PAGE_SIZE as i64);
        if phdr.p_filesz > phdr.p_memsz || end > task_size || end > u64::MAX - PAGE_SIZE || !congruent || !representable {
            return Err(Error::Inval);
        }
        Ok(Segment {
            vaddr: phdr.p_vaddr,
            memsz: phdr.p_memsz,
            filesz: phdr.p_filesz,
            offset: phdr.p_offset,
            prot: Prot::from_segment_flags(phdr.p_flags),
        })
    }

    /// The file pages, then zero pages for what of the bss lies beyond them.
    #[doc(alias = "elf_load")]
    #[doc(alias = "elf_map")]
    #[doc(alias = "set_brk")]
    fn push_mappings(&self, out: &mut Vec<Mapping>) {
        let start = page_start(self.vaddr);
        let file_end = self.vaddr + self.filesz;
        let mut bss_start = start;
        if self.filesz > 0 {
            bss_start = page_align(file_end);
            let clears = self.memsz > self.filesz && self.prot.contains(Prot::WRITE);
            out.push(Mapping {
                vaddr: start,
                len: bss_start - start,
                prot: self.prot,
                backing: Backing::File {
                    offset: self.offset - self.vaddr % PAGE_SIZE,
                    zero_tail: if clears { bss_start - file_end } else { 0 },
                },
            });
        }
        let bss_end = page_align(self.vaddr + self.memsz);
        if self.memsz > self.filesz && bss_end > bss_start {
            out.push(Mapping {
                vaddr: bss_start,
                len: bss_end - bss_start,
                // vm_brk_flags: the rest of a bss is data whatever the segment says, executable if it says so.
                prot: Prot::READ | Prot::WRITE | (self.prot & Prot::EXEC),
                backing: Backing::Anonymous,
            });
        }
    }
}

pub(crate) fn page_start(addr: u64) -> u64 {
    addr & !(PAGE_SIZE - 1)
}

/// Rounds up; callers have checked that this cannot overflow.
pub(crate) fn page_align(addr: u64) -> u64 {
    page_start(addr + (PAGE_SIZE - 1))
}

/// Smallest range that covers all, empty for none.
fn hull(ranges: impl Iterator<Item = Range<u64>>) -> Range<u64> {
    ranges.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
}

/// Where the program headers are in memory: in the segment whose file part contains them.
fn phdr_vaddr(phoff: u64, segments: &[Segment]) -> u64 {
    let home = segments.iter().find(|s| s.offset <= phoff && phoff < s.offset + s.filesz);
    home.map_or(0, |s| s.vaddr + (phoff - s.offset))
}

/// Largest `p_align` that is a power of two; others are ignored, as in Linux.
fn maximum_alignment<'a>(loads: impl Iterator<Item = &'a Phdr>) -> u64 {
    let aligns = loads.map(|p| p.p_align).filter(|align| align.is_power_of_two());
    aligns.max().unwrap_or(0).max(PAGE_SIZE)
}

/// The first PT_INTERP, which must end in a NUL.
fn read_interp(source: &dyn Source, phdrs: &[Phdr]) -> Result<Option<Vec<u8>>, Error> {
    let Some(phdr) = phdrs.iter().find(|p| p.p_type == PT_INTERP) else {
        return Ok(None);
    };
    if !(2..=PATH_MAX).contains(&phdr.p_filesz) {
        return Err(Error::NoExec);
    }
    let len = usize::try_from(phdr.p_filesz).map_err(|_| Error::NoExec)?;
    let mut path = alloc::vec![0u8; len];
    read_exact_at(source, phdr.p_offset, &mut path)?;
    if path.last() != Some(&0) {
        return Err(Error::NoExec);
    }
    let end = path.iter().position(|&byte| byte == 0).unwrap_or(len - 1);
    path.truncate(end);
    Ok(Some(path))
}
