//! One function as instructions.
//!
//! x86 has no marks between instructions; they are found by decoding from a known first byte. The result is believed
//! only if it ends exactly where the function ends, contains nothing undefined, and if the function's own branches land
//! on instructions. The one exception is code that jumps over a `lock` prefix when there is only one thread.

use alloc::vec::Vec;
use core::ops::Range;

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};

use super::Text;
use super::code_map::{Ending, Extent};

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To the next instruction, always: it may run in a stub.
    Next,
    /// Somewhere else, perhaps also to the next.
    Branch,
    /// Never to the next.
    Stop,
    /// Into the kernel.
    Syscall,
}

/// An instruction; `at` is its offset in the text.
#[derive(Clone, Copy, Debug)]
pub struct Insn {
    pub at: u32,
    pub len: u8,
    pub flow: Flow,
    /// Does nothing, used to fill space.
    pub filler: bool,
}

impl Insn {
    pub fn end(&self) -> u32 {
        self.at + u32::from(self.len)
    }
}

/// A decoded function.
pub struct Function {
    pub insns: Vec<Insn>,
    /// Offsets in the text that its branches, calls and address computations name; sorted.
    targets: Vec<u32>,
    /// It can be entered where no byte of the text shows it: by a jump table or an exception.
    pub hidden_entries: bool,
}

impl Function {
    /// Decodes an extent; `None` if the result cannot be believed.
    pub fn decode(text: &Text<'_>, extent: &Extent) -> Option<Self> {
        let bytes = text.bytes.get(extent.range.start as usize..extent.range.end as usize)?;
        let ip = text.vaddr.wrapping_add(u64::from(extent.range.start));
        let mut decoder = Decoder::with_ip(64, bytes, ip, DecoderOptions::NONE);
        let mut function =
            Function { insns: Vec::with_capacity(bytes.len() / 4), targets: Vec::new(), hidden_entries: extent.landing_pads };
        let mut locks = Vec::new();
        let mut insn = Instruction::default();
        while decoder.can_decode() {
            let at = extent.range.start + decoder.position() as u32;
            decoder.decode_out(&mut insn);
            if insn.is_invalid() {
                return None;
            }
            if insn.has_lock_prefix() {
                locks.push(at + 1);
            }
            if let Some(target) = named_address(&insn) {
                let offset = target.wrapping_sub(text.vaddr);
                if offset < text.bytes.len() as u64 {
                    function.targets.push(offset as u32);
                }
            }
            function.hidden_entries |= insn.flow_control() == FlowControl::IndirectBranch && !leaves_by_pointer(&insn);
            function.insns.push(Insn { at, len: insn.len() as u8, flow: flow(&insn), filler: is_filler(&insn) });
        }
        function.targets.sort_unstable();
        function.targets.dedup();
        let agrees = |target: &u32| {
            !extent.range.contains(target) || function.index_of(*target).is_some() || locks.binary_search(target).is_ok()
        };
        function.targets.iter().all(agrees).then_some(function)
    }

    /// Index of the instruction that starts at an offset.
    pub fn index_of(&self, at: u32) -> Option<usize> {
        self.insns.binary_search_by_key(&at, |insn| insn.at).ok()
    }

    /// Whether control can leave it at its end; trailing filler does not count.
    pub fn ending(&self) -> Ending {
        match self.insns.iter().rfind(|insn| !insn.filler) {
            Some(insn) if insn.flow == Flow::Stop => Ending::Stops,
            _ => Ending::FallsThrough,
        }
    }

    /// Whether the instruction that contains an offset goes anywhere but to the next one.
    pub fn branches_at(&self, at: u32) -> bool {
        let next = self.insns.partition_point(|insn| insn.at <= at);
        next.checked_sub(1).is_some_and(|index| self.insns[index].flow != Flow::Next)
    }

    /// Whether the function names an address in a range.
    pub fn targets_into(&self, range: &Range<u32>) -> bool {
        let next = self.targets.partition_point(|&target| target < range.start);
        self.targets.get(next).is_some_and(|&target| target < range.end)
    }
}

/// The address an instruction may cause control to go to: a branch target, or a computed address.
fn named_address(insn: &Instruction) -> Option<u64> {
    let near = matches!(insn.op0_kind(), OpKind::NearBranch64 | OpKind::NearBranch32 | OpKind::NearBranch16);
    if near {
        return Some(insn.near_branch_target());
    }
    let lea = insn.mnemonic() == Mnemonic::Lea && insn.is_ip_rel_memory_operand();
    lea.then(|| insn.ip_rel_memory_address())
}

/// `jmp *name(%rip)`: a call through the global offset table in tail position, not a jump table.
fn leaves_by_pointer(insn: &Instruction) -> bool {
    insn.op0_kind() == OpKind::Memory && insn.memory_base() == Register::RIP
}

fn flow(insn: &Instruction) -> Flow {
    if insn.code() == Code::Syscall {
        return Flow::Syscall;
    }
    match insn.flow_control() {
        FlowControl::Next if insn.mnemonic() == Mnemonic::Hlt => Flow::Stop,
        FlowControl::Next => Flow::Next,
        FlowControl::UnconditionalBranch | FlowControl::IndirectBranch | FlowControl::Return | FlowControl::Exception => {
            Flow::Stop
        }
        _ => Flow::Branch,
    }
}

/// Whether the instruction is one that assemblers and linkers fill gaps with.
pub fn is_filler(insn: &Instruction) -> bool {
    matches!(insn.mnemonic(), Mnemonic::Nop | Mnemonic::Int3)
}
