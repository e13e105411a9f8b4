//! ELF programs and their interpreters.
//!
//! Linux 6.6 `fs/binfmt_elf.c` reads the header, opens PT_INTERP, throws the old address space away and then maps
//! segment after segment. Ours is cut where the side effects start:
//! - [`header`]: the file and program headers as they lie in the file;
//! - [`plan`]: everything that can be refused, and the list of mappings that follows (`load_elf_binary` without mmap);
//! - [`stack`]: the first words a program sees (`create_elf_tables`, and the string copies of `fs/exec.c`).

pub mod header;
pub mod plan;
pub mod stack;
