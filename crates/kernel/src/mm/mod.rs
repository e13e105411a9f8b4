//! Guest memory: which addresses a process has, what stands behind them, and the calls that change that.
//!
//! Mirrors: mm/, Linux 6.18 and newer where the calls differ.
//!
//! In Linux a process's memory is an `mm_struct`: a tree of areas (VMAs), each a range of addresses with rights and a
//! backing, and page tables that are filled from them on faults. Here the host keeps the page tables. We keep the areas:
//! every address is chosen by us, every error is found by us in Linux's order, and only then the host is told, always
//! with a fixed address.
//!
//! ```text
//! 0x7c00_0000_0000  TASK_SIZE: above it page window, kernel, arena, windows on host files, vdso
//!    [stack]        grows down, below a random offset
//!    (gap)          room for the stack's limit
//!    mmap_base      areas are placed downwards from here
//!    ...
//!    [heap]         brk: upwards behind the program
//!    program        0x5555_5555_4000 and up for position-independent ones
//!    0x1_0000       mmap_min_addr
//! ```
//!
//! * `vma`, `vma_tree`: areas and the tree of one address space; no host call in them.
//! * `layout`: where stack, heap and mappings lie.
//! * `mm_struct`: the address space as an object: made, copied by fork, emptied by exec, counted.
//! * `mmap`, `munmap`, `brk`, `mprotect`, `mremap`, `madvise`: the calls.
//!
//! A page that the host does not map (the end of a tmpfs file, a stack that wants to grow) faults, and `fault` decides.

pub mod arch_prctl;
pub mod brk;
pub mod fadvise;
pub mod fault;
pub mod host_map;
pub mod layout;
pub mod madvise;
pub mod mempolicy;
pub mod mlock;
pub mod mm_struct;
pub mod mmap;
pub mod mprotect;
pub mod mremap;
pub mod mseal;
pub mod msync;
pub mod munmap;
pub mod patch;
pub mod pieces;
pub mod process_vm;
pub mod remap_file_pages;
pub mod task_mmu;
pub mod truncate;
pub mod vma;
pub mod vma_tree;

pub use fault::{FaultAction, handle_fault};
pub use mm_struct::{ExecLayout, MmStruct, MmUser, ProgramLayout};
pub use mmap::{KernelMapping, MapBacking, MmapRequest, Placement};
pub use pieces::Piece;
pub use task_mmu::{MapsEntry, MapsObject, MmSizes};
pub use truncate::unmap_mapping_range;
pub use vma::{VmFlags, Vma};
