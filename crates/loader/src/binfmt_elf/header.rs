//! ELF structures as they lie in an x86-64 file.
//!
//! Linux: `include/uapi/linux/elf.h`. Read by value (a file offset promises no alignment), never by reference.

use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{Error, Source, read_exact_at};

pub const ET_EXEC: u16 = 2;
pub const ET_DYN: u16 = 3;
pub const EM_X86_64: u16 = 62;
pub const PT_LOAD: u32 = 1;
pub const PT_DYNAMIC: u32 = 2;
pub const PT_INTERP: u32 = 3;
pub const PT_GNU_EH_FRAME: u32 = 0x6474_e550;
pub const PT_GNU_STACK: u32 = 0x6474_e551;
pub const PF_X: u32 = 1;
pub const PF_W: u32 = 2;
pub const PF_R: u32 = 4;

/// Most bytes of program headers Linux reads.
const PHDRS_MAX: usize = 65_536;

#[doc(alias = "elf64_hdr")]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Ehdr {
    pub e_ident: [u8; 16],
    pub e_type: u16,
    pub e_machine: u16,
    pub e_version: u32,
    pub e_entry: u64,
    pub e_phoff: u64,
    pub e_shoff: u64,
    pub e_flags: u32,
    pub e_ehsize: u16,
    pub e_phentsize: u16,
    pub e_phnum: u16,
    pub e_shentsize: u16,
    pub e_shnum: u16,
    pub e_shstrndx: u16,
}

#[doc(alias = "elf64_phdr")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Phdr {
    pub p_type: u32,
    pub p_flags: u32,
    pub p_offset: u64,
    pub p_vaddr: u64,
    pub p_paddr: u64,
    pub p_filesz: u64,
    pub p_memsz: u64,
    pub p_align: u64,
}

const _: () = assert!(size_of::<Ehdr>() == 64 && size_of::<Phdr>() == 56);

impl Ehdr {
    /// Reads and checks the file header.
    ///
    /// # Errors
    /// [`Error::NoExec`] for everything that is not a 64-bit little-endian x86-64 program or shared object. Linux looks
    /// at the machine only and takes the class for granted; a 32-bit header with this machine is x32, not served here.
    pub fn read(source: &dyn Source) -> Result<Self, Error> {
        let mut bytes = [0u8; size_of::<Ehdr>()];
        read_exact_at(source, 0, &mut bytes).map_err(|error| match error {
            Error::Io => Error::NoExec,
            other => other,
        })?;
        let header = Ehdr::read_from_bytes(&bytes).map_err(|_| Error::NoExec)?;
        let known = header.e_ident.starts_with(b"\x7fELF\x02\x01")
            && matches!(header.e_type, ET_EXEC | ET_DYN)
            && header.e_machine == EM_X86_64;
        if known { Ok(header) } else { Err(Error::NoExec) }
    }

    /// Reads the program headers.
    ///
    /// # Errors
    /// [`Error::NoExec`] for a table that is empty, too large, of another entry size or not wholly in the file.
    #[doc(alias = "load_elf_phdrs")]
    pub fn read_phdrs(&self, source: &dyn Source) -> Result<Vec<Phdr>, Error> {
        let count = usize::from(self.e_phnum);
        let len = count * size_of::<Phdr>();
        if usize::from(self.e_phentsize) != size_of::<Phdr>() || count == 0 || len > PHDRS_MAX {
            return Err(Error::NoExec);
        }
        let mut bytes = alloc::vec![0u8; len];
        read_exact_at(source, self.e_phoff, &mut bytes).map_err(|_| Error::NoExec)?;
        bytes.chunks_exact(size_of::<Phdr>()).map(|chunk| Phdr::read_from_bytes(chunk).map_err(|_| Error::NoExec)).collect()
    }
}
