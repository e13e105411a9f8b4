//! What `execve` must know about a file before it touches an address space, and where a text calls the kernel.
//!
//! Mirrors the deciding halves of Linux 6.6 `fs/exec.c`, `fs/binfmt_elf.c` and `fs/binfmt_script.c`. Linux maps while it
//! parses, so a bad program header found late kills the caller; here a file becomes a complete [`Plan`] first and every
//! refusal is an ordinary errno. The crate maps nothing, opens nothing and knows no address space: bytes in, plans out.
//!
//! ```text
//!             probe()                      StackSpec::build()
//!   Source ───────────► Image::Elf(Plan) ───────────────────► bytes below the stack top, rsp
//!      ▲                Image::Script(Script)
//!      └── interpreter ◄────┘ │
//!          opened by the caller, then probe() or plan() again
//! ```
//!
//! The other half, [`patch`], finds the `syscall` instructions of a text and prepares jumps in their place.
//!
//! Locking: none; nothing here is shared.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod binfmt_elf;
pub mod binfmt_script;
mod error;
pub mod patch;
mod source;

pub use binfmt_elf::plan::{Backing, Kind, Mapping, Plan, Prot, Role, Segment, plan};
pub use binfmt_elf::stack::{StackImage, StackSpec, arg_limit};
pub use binfmt_script::Script;
pub use error::Error;
pub use source::{Source, read_exact_at};

/// Bytes of a file that decide its format.
#[doc(alias = "BINPRM_BUF_SIZE")]
pub const HEAD_LEN: usize = 256;

/// Page size of the only architecture served.
pub const PAGE_SIZE: u64 = 4096;

/// How often an interpreter may itself be a script before `execve` says ELOOP; the caller counts.
pub const MAX_SCRIPT_DEPTH: usize = 5;

/// A file that can be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Image {
    Elf(Plan),
    Script(Script),
}

/// Finds the format of a file and parses it; addresses stay below `task_size`.
///
/// # Errors
/// `NoExec` for a file of no known format, otherwise those of [`plan`] and [`Script::parse`].
#[doc(alias = "search_binary_handler")]
pub fn probe(source: &dyn Source, task_size: u64) -> Result<Image, Error> {
    let mut head = [0u8; HEAD_LEN];
    source::read_some_at(source, 0, &mut head)?;
    if head.starts_with(b"#!") {
        return Script::parse(&head).map(Image::Script);
    }
    plan(source, Role::Program, task_size).map(Image::Elf)
}
