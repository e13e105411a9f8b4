//! Where the world's memory lies: the same addresses in every process, known to the command too.
//!
//! Mirrors: Documentation/arch/x86/x86_64/mm.rst in role, Linux 6.18.
//! Locking: none.
//!
//! ```text
//! 0                guest, up to TASK_SIZE
//! 0x7c00_0000_0000 window of page frames
//! 0x7d00_0000_0000 kernel image: constants and text
//! 0x7d00_0800_0000 arena: boot block and trace ring, the image's writable data, heap
//! 0x7d20_0000_0000 windows on host files
//! ```

/// Guest addresses lie below this line; the kernel, the arena and the vdso above it.
pub const TASK_SIZE: u64 = 0x7c00_0000_0000;
/// Where the window of page frames lies.
pub const WINDOW_BASE: u64 = TASK_SIZE;
/// Bytes of the window.
pub const WINDOW_SIZE: u64 = 1 << 40;
/// Where the image is linked to.
pub const IMAGE_BASE: u64 = WINDOW_BASE + WINDOW_SIZE;
/// Where the arena lies: in the same GiB as the image, so that both hang on one page table.
pub const ARENA_BASE: u64 = IMAGE_BASE + (128 << 20);
/// Bytes of the arena; untouched pages cost nothing.
pub const ARENA_SIZE: u64 = 64 << 30;
/// Where the image keeps its writable data in the arena: a large page starts there, which the heap's hottest part lies on too.
pub const DATA_OFFSET: u64 = 256 << 20;
/// Room for that data.
pub const DATA_SIZE: u64 = 64 << 10;
/// Where the heap starts in the arena.
pub const HEAP_OFFSET: u64 = DATA_OFFSET + DATA_SIZE;
/// Bytes of a large page of the host.
pub const LARGE_PAGE: u64 = 2 << 20;
/// Where a process's windows on host files lie: above the arena, where nothing else is.
pub const FILE_WINDOWS_BASE: u64 = 0x7d20_0000_0000;
