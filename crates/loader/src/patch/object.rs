//! The text of an ELF file, with everything the analysis can use.
//!
//! For callers that have the file and not yet a mapping; one that has both can fill in a [`Text`] itself.

use alloc::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Symbol, Text, Unwind, gopclntab};
use crate::binfmt_elf::header::{Ehdr, PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_LOAD, Phdr};
use crate::{Error, Source, read_exact_at};

/// Largest part of a file that is read into memory, in bytes.
const PART_MAX: u64 = 1 << 29;
const CHUNK: usize = 1 << 18;

const SHT_SYMTAB: u32 = 2;
const SHT_DYNSYM: u32 = 11;
const STT_NOTYPE: u8 = 0;
const STT_FUNC: u8 = 2;
const STT_GNU_IFUNC: u8 = 10;
const DT_NULL: u64 = 0;
const DT_TEXTREL: u64 = 22;
const DT_FLAGS: u64 = 30;
const DF_TEXTREL: u64 = 4;

#[doc(alias = "elf64_shdr")]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Shdr {
    sh_name: u32,
    sh_type: u32,
    sh_flags: u64,
    sh_addr: u64,
    sh_offset: u64,
    sh_size: u64,
    sh_link: u32,
    sh_info: u32,
    sh_addralign: u64,
    sh_entsize: u64,
}

#[doc(alias = "elf64_sym")]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Sym {
    st_name: u32,
    st_info: u8,
    st_other: u8,
    st_shndx: u16,
    st_value: u64,
    st_size: u64,
}

const _: () = assert!(size_of::<Shdr>() == 64 && size_of::<Sym>() == 24);

/// A segment's file part.
#[derive(Clone, Debug, Default)]
struct Part {
    vaddr: u64,
    bytes: Vec<u8>,
}

/// The executable segment of a file and what describes it.
#[derive(Clone, Debug, Default)]
pub struct TextFile {
    text: Part,
    /// Offset of the text in the file.
    pub offset: u64,
    /// The segment with the unwind tables, and their address.
    unwind: Option<(Part, u64)>,
    symbols: Vec<Symbol>,
}

impl TextFile {
    /// Reads a file; `None` if its text is not one segment that stays as it is in the file.
    ///
    /// # Errors
    /// Those of the header, and [`Error::Io`] if the text is cut off. Missing or odd symbols are no error.
    pub fn read(source: &dyn Source) -> Result<Option<Self>, Error> {
        let header = Ehdr::read(source)?;
        let phdrs = header.read_phdrs(source)?;
        let mut executable = phdrs.iter().filter(|p| p.p_type == PT_LOAD && p.p_flags & PF_X != 0);
        let (Some(text), None) = (executable.next(), executable.next()) else {
            return Ok(None);
        };
        if has_text_relocations(source, &phdrs)? {
            return Ok(None);
        }
        Ok(Some(TextFile {
            text: Part::read(source, text)?,
            offset: text.p_offset,
            unwind: read_unwind(source, &phdrs),
            symbols: read_symbols(source, &header).unwrap_or_default(),
        }))
    }

    /// What [`analyse`](super::analyse) takes.
    pub fn text(&self) -> Text<'_> {
        Text {
            bytes: &self.text.bytes,
            vaddr: self.text.vaddr,
            unwind: self.unwind.as_ref().map(|(part, header)| Unwind { bytes: &part.bytes, vaddr: part.vaddr, header: *header }),
            symbols: &self.symbols,
        }
    }
}

impl Part {
    fn read(source: &dyn Source, phdr: &Phdr) -> Result<Self, Error> {
        Ok(Part { vaddr: phdr.p_vaddr, bytes: read_vec(source, phdr.p_offset, phdr.p_filesz)? })
    }
}

/// Reads `len` bytes, growing as they come, so that a header's lie costs no memory.
fn read_vec(source: &dyn Source, offset: u64, len: u64) -> Result<Vec<u8>, Error> {
    let len = usize::try_from(len.min(PART_MAX + 1)).map_err(|_| Error::Inval)?;
    if len as u64 > PART_MAX {
        return Err(Error::Inval);
    }
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let done = bytes.len();
        bytes.resize(len.min(done + CHUNK), 0);
        let at = offset.checked_add(done as u64).ok_or(Error::Inval)?;
        read_exact_at(source, at, &mut bytes[done..])?;
    }
    Ok(bytes)
}

/// Reads an array of `T`; a rest that is no whole entry is dropped.
fn read_array<T: FromBytes>(source: &dyn Source, offset: u64, len: u64) -> Result<Vec<T>, Error> {
    let bytes = read_vec(source, offset, len)?;
    Ok(bytes.chunks_exact(size_of::<T>()).filter_map(|chunk| T::read_from_bytes(chunk).ok()).collect())
}

/// Whether the dynamic linker will write into the text.
fn has_text_relocations(source: &dyn Source, phdrs: &[Phdr]) -> Result<bool, Error> {
    let Some(dynamic) = phdrs.iter().find(|p| p.p_type == PT_DYNAMIC) else {
        return Ok(false);
    };
    let entries: Vec<[u64; 2]> = read_array(source, dynamic.p_offset, dynamic.p_filesz)?;
    let found = entries
        .iter()
        .take_while(|[tag, _]| *tag != DT_NULL)
        .any(|&[tag, value]| tag == DT_TEXTREL || (tag == DT_FLAGS && value & DF_TEXTREL != 0));
    Ok(found)
}

fn read_unwind(source: &dyn Source, phdrs: &[Phdr]) -> Option<(Part, u64)> {
    let header = phdrs.iter().find(|p| p.p_type == PT_GNU_EH_FRAME)?.p_vaddr;
    let home =
        phdrs.iter().find(|p| p.p_type == PT_LOAD && header.checked_sub(p.p_vaddr).is_some_and(|offset| offset < p.p_filesz))?;
    Part::read(source, home).ok().map(|part| (part, header))
}

/// Functions and other names out of all symbol tables, and Go's function table.
fn read_symbols(source: &dyn Source, header: &Ehdr) -> Result<Vec<Symbol>, Error> {
    if usize::from(header.e_shentsize) != size_of::<Shdr>() {
        return Ok(Vec::new());
    }
    let len = u64::from(header.e_shnum) * size_of::<Shdr>() as u64;
    let sections: Vec<Shdr> = read_array(source, header.e_shoff, len)?;
    let mut symbols = Vec::new();
    for section in sections.iter().filter(|s| matches!(s.sh_type, SHT_SYMTAB | SHT_DYNSYM)) {
        let table: Vec<Sym> = read_array(source, section.sh_offset, section.sh_size)?;
        symbols.extend(table.iter().filter_map(symbol));
    }
    if let Some(section) = find_section(source, header, &sections, b".gopclntab\0") {
        let table = read_vec(source, section.sh_offset, section.sh_size)?;
        symbols.extend(gopclntab::functions(&table).unwrap_or_default());
    }
    Ok(symbols)
}

fn symbol(sym: &Sym) -> Option<Symbol> {
    let kind = sym.st_info & 15;
    let len = if kind == STT_NOTYPE { 0 } else { sym.st_size };
    let wanted = matches!(kind, STT_NOTYPE | STT_FUNC | STT_GNU_IFUNC) && sym.st_shndx != 0;
    wanted.then_some(Symbol { vaddr: sym.st_value, len })
}

/// The section of a name, given with its NUL.
fn find_section<'a>(source: &dyn Source, header: &Ehdr, sections: &'a [Shdr], name: &[u8]) -> Option<&'a Shdr> {
    let names = sections.get(usize::from(header.e_shstrndx))?;
    let names = read_vec(source, names.sh_offset, names.sh_size).ok()?;
    sections.iter().find(|s| names.get(s.sh_name as usize..).is_some_and(|rest| rest.starts_with(name)))
}
