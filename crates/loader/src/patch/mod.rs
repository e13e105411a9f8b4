//! Where a text calls the kernel, and how each call can jump to ours instead of trapping.
//!
//! Linux has no twin; the nearest is the alternatives patching of `arch/x86/kernel/alternative.c`. There the kernel
//! rewrites its own text with the compiler's help. Here the text is a guest's, and everything must be proven from bytes:
//! what is not proven stays as it is and traps, slow but right.
//!
//! A `syscall` is two bytes, a jump to anywhere useful five. So one of these is done for each site:
//! ```text
//!   Instruction                                  Padding
//!   b8 27 00 00 00  mov $39,%eax                 31 c0   xor %eax,%eax
//!   0f 05           syscall                      0f 05   syscall
//!        ▼                                            ▼
//!   e9 .. .. .. ..  jmp stub                     31 c0   xor %eax,%eax
//!   0f 05           syscall (kept, traps)        eb ..   jmp padding ──► e9 .. .. .. .. jmp stub
//!
//!   stub:  mov $39,%eax            the replaced instruction and all others before the syscall
//!          lea return(%rip),%rcx   what the syscall instruction would leave in rcx
//!          jmp *entry(%rip)        the kernel's entry, in the first eight bytes of the stub area
//! ```
//! Neither touches flags, stack or red zone. Because `0f 05` stays in the first form, code that jumps straight to it
//! keeps working. The stub area has a constant distance from the text and moves with it.
//!
//! # What is proven before a byte changes
//! - The site is an instruction: the function that contains it (found through the unwind tables or the symbols) decodes
//!   linearly from its first byte to its last, and its own branches land on instructions ([`function`]).
//! - Nobody jumps between the replaced instruction and the `syscall`, nor into used padding: not this function, not a
//!   neighbour by a short branch, not any four bytes of the text that could be the distance of a long one ([`branches`]).
//! - Functions with ways in that bytes do not show (jump tables, landing pads) get only changes that lie inside one
//!   instruction, where no way can lead.
//!
//! A thread can be interrupted inside a stub. [`Stubs::rewind`] translates such an address to the original instruction
//! that has the same effect from there on, with the registers as they are.

mod branches;
mod code_map;
mod cursor;
mod function;
mod gopclntab;
mod object;
mod padding;
mod scan;
mod select;
mod stub;
mod unwind;

pub use object::TextFile;
pub use select::analyse;
pub use stub::{ENTRY_SLOT_LEN, Layout, Patch, Rewind, Stubs, apply, build};
pub use unwind::Unwind;

/// The two bytes.
pub const SYSCALL: [u8; 2] = [0x0f, 0x05];

/// Length of `jmp rel32`.
pub const JUMP_LEN: u32 = 5;

/// One executable segment and what is known about it. All addresses are the file's, without load bias.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    pub bytes: &'a [u8],
    pub vaddr: u64,
    /// The segment with the unwind tables.
    pub unwind: Option<Unwind<'a>>,
    /// Functions known from a symbol table, in any order.
    pub symbols: &'a [Symbol],
}

/// A function from a symbol table; `len` 0 means that only its start is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub vaddr: u64,
    pub len: u64,
}

/// One `0f 05` that is, or may be, a `syscall` instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site {
    /// Byte offset in the text.
    pub at: u32,
    pub method: Method,
}

/// What can be done about a site. Offsets are bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Replace the instruction of `len` bytes at `start` by a jump; what lies between it and the site runs in the stub.
    Instruction { start: u32, len: u8 },
    /// Replace the site by a two-byte jump to five bytes of padding at `slot`.
    Padding { slot: u32 },
    /// Leave it alone.
    Trap(Why),
}

/// Why a site is left trapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Why {
    /// No unwind table entry and no symbol covers it; it may not even be an instruction.
    UnknownFunction,
    /// Its function does not decode into instructions that its branches agree with.
    UnsoundFunction,
    /// No instruction before it can be replaced, no padding is near.
    NoRoom,
    /// A return trampoline for signals that unwinders recognise by its bytes, having no table for it.
    SignalReturn,
}
