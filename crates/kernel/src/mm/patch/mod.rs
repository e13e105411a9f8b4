//! Guest texts whose system calls jump to the kernel instead of trapping.
//!
//! Mirrors: nothing in Linux; the finding and rewriting of call sites is in `acrida_loader::patch`.
//!
//! A `syscall` instruction in guest text traps (more than a microsecond). When an executable file is mapped privately,
//! the mapping shows a *patched image* of its text instead: pages of the physical-memory object, made once per world and
//! file, in which the call sites that could be proven safe jump to stubs. Stubs lie at a constant distance from the text,
//! right behind the file's last segment:
//!
//! ```text
//!   file      | headers | text      | data | bss |
//!   memory    | headers | image     | data | bss | stubs |
//!                          └── jmp ──────────────►  └── jmp *entry ──► kernel
//! ```
//!
//! ld.so reserves a library's whole span with its first mapping and puts the segments over it; that first mapping is
//! placed so that the stubs fit behind it. If the place is taken nevertheless, the plain file is mapped and traps.
//! /proc/PID/maps shows the file; a guest that reads its text sees the jumps.
//!
//! * `image`: what is made of one file.
//! * `cache`: the world's images.
//! * `store`: images kept for the next world.
//! * `place`: images and stubs in an address space.

mod cache;
mod image;
mod place;
mod store;

pub use cache::{Origin, TextImages};
pub use image::{ImagePages, TextImage};
pub use place::{Part, drop_stubs, parts, rewind, stubs_end};

use alloc::sync::Arc;

use acrida_trace_format::boot::flags::NO_PATCH;
use acrida_uapi::mman::{MAP_PRIVATE, MAP_TYPE, PROT_EXEC};

use super::mmap::Wanted;

/// The image to use for a mapping, if there is one.
pub fn image_for(wanted: &Wanted, origin: Origin) -> Option<Arc<TextImage>> {
    let file = wanted.file.as_ref()?;
    let kernel = crate::kernel();
    if wanted.flags & MAP_TYPE != MAP_PRIVATE || kernel.flags & NO_PATCH != 0 {
        return None;
    }
    // Elsewhere an image only makes room for stubs behind a place that we choose.
    if wanted.fixed() && wanted.prot & PROT_EXEC == 0 {
        return None;
    }
    kernel.text_images.get(file, origin)
}
