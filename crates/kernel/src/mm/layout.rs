//! Where the parts of an address space lie.
//!
//! Mirrors: arch/x86/mm/mmap.c, mm/util.c (`arch_pick_mmap_layout`, `randomize_stack_top`), fs/binfmt_elf.c
//! (`ELF_ET_DYN_BASE`), Linux 6.18.
//! Differs: guest space ends at `TASK_SIZE` of the kernel image, a little below Linux's; random offsets are as wide.

use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::TASK_SIZE;

use super::vma::{PAGE_SHIFT, PAGE_SIZE, page_start};
use super::vma_tree::STACK_GUARD_GAP;

/// Lowest address a mapping may have.
pub const MMAP_MIN_ADDR: u64 = 0x1_0000;
/// Where position-independent programs go without randomisation, as on Linux.
#[doc(alias = "ELF_ET_DYN_BASE")]
pub const PIE_BASE: u64 = 0x5555_5555_4000;
/// First address behind the highest possible stack.
pub const STACK_TOP: u64 = TASK_SIZE - PAGE_SIZE;
/// Where searching starts when nothing is free below `mmap_base`.
#[doc(alias = "TASK_UNMAPPED_BASE")]
pub const UNMAPPED_BASE: u64 = page_start(TASK_SIZE / 3);

const MIN_GAP: u64 = 128 << 20;
const MAX_GAP: u64 = TASK_SIZE / 6 * 5;
/// Pages of random distance above the stack (16 GiB).
const STACK_RANDOM_PAGES: u64 = 1 << 22;
/// `mmap_rnd_bits`: pages of random distance above `mmap_base`.
const MMAP_RANDOM_PAGES: u64 = 1 << 28;
/// Range of the heap's random start.
const BRK_RANDOM_PAGES: u64 = 0x200_0000 >> PAGE_SHIFT;

/// Whether addresses are random (`ADDR_NO_RANDOMIZE`, and deterministic runs, turn it off).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Randomize {
    On,
    #[default]
    Off,
}

impl Randomize {
    /// A random number of bytes below `pages` pages, page-aligned; 0 when off.
    fn bytes(self, pages: u64) -> u64 {
        match self {
            Randomize::Off => 0,
            Randomize::On => {
                let mut raw = [0; 8];
                platform().random(&mut raw);
                (u64::from_le_bytes(raw) % pages) << PAGE_SHIFT
            }
        }
    }

    /// The load bias of a position-independent program.
    pub fn pie_base(self) -> u64 {
        PIE_BASE + self.bytes(MMAP_RANDOM_PAGES)
    }

    #[doc(alias = "arch_randomize_brk")]
    pub fn brk_start(self, program_end: u64) -> u64 {
        program_end + self.bytes(BRK_RANDOM_PAGES)
    }
}

/// Fixed points of one address space.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// First address behind the stack.
    pub stack_top: u64,
    /// Mappings are placed downwards from here.
    pub mmap_base: u64,
    pub randomize: Randomize,
}

impl Layout {
    /// Chooses the points for a program with this stack limit, in bytes.
    #[doc(alias = "arch_pick_mmap_layout")]
    pub fn pick(stack_limit: u64, randomize: Randomize) -> Layout {
        let pad = STACK_GUARD_GAP + if randomize == Randomize::On { STACK_RANDOM_PAGES << PAGE_SHIFT } else { 0 };
        let gap = stack_limit.saturating_add(pad).clamp(MIN_GAP, MAX_GAP);
        let mmap_base = page_start(STACK_TOP - page_start(gap) - randomize.bytes(MMAP_RANDOM_PAGES));
        Layout { stack_top: STACK_TOP - randomize.bytes(STACK_RANDOM_PAGES), mmap_base, randomize }
    }
}
