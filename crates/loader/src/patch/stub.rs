//! Patches and stubs for chosen sites.
//!
//! The stub area starts with the entry's address and holds one stub per site, each at a multiple of 16. All references
//! inside it and to the text are relative, so text and stubs may be moved together.

use alloc::vec::Vec;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Register};

use super::{JUMP_LEN, Method, SYSCALL, Site};

/// Bytes of the slot with the entry's address, at the start of the stub area.
pub const ENTRY_SLOT_LEN: usize = 8;
const STUB_ALIGN: usize = 16;
/// What is between stubs, and what is left of a replaced instruction: nobody executes it.
const INT3: u8 = 0xcc;
const NOP: u8 = 0x90;
/// `jmp rel32`, `jmp rel8`, `lea disp32(%rip),%rcx`, `jmp *disp32(%rip)`.
const JMP: u8 = 0xe9;
const JMP_SHORT: u8 = 0xeb;
const LEA_RCX: [u8; 3] = [0x48, 0x8d, 0x0d];
const JMP_SLOT: [u8; 2] = [0xff, 0x25];
/// Longest x86 instruction.
const INSN_MAX: usize = 15;

/// Where things will be. Text and stubs may both be moved by the same bias afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub text_vaddr: u64,
    pub stub_vaddr: u64,
    /// Address of the kernel's entry, absolute.
    pub entry: u64,
}

/// Bytes to write into the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Offset in the text.
    pub at: u32,
    bytes: [u8; INSN_MAX],
    len: u8,
}

impl Patch {
    fn new(at: u32, len: usize) -> Self {
        Self { at, bytes: [NOP; INSN_MAX], len: len as u8 }
    }

    /// What to write.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// From a position, relative to the start of the text, up to the next entry's: continue at `to`, an offset in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewind {
    pub from: i64,
    pub len: u32,
    pub to: u32,
}

/// Everything to write for the sites of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stubs {
    /// The stub area, for `stub_vaddr`.
    pub bytes: Vec<u8>,
    /// In the order of their sites. A padding site has two, the padding first: it must be whole before the site jumps there.
    pub patches: Vec<Patch>,
    /// Sites that will not trap any more.
    pub patched: Vec<Site>,
    /// Sorted by `from`.
    pub rewinds: Vec<Rewind>,
}

impl Stubs {
    /// The offset in the text where a thread would be without the patches, given the position of its instruction
    /// pointer relative to the start of the text; `None` if that is neither in a stub nor in used padding.
    ///
    /// The registers fit as they are: what the stub has executed lies before that offset, and `rcx` is lost in a
    /// `syscall` anyway.
    pub fn rewind(&self, position: i64) -> Option<u32> {
        let next = self.rewinds.partition_point(|rewind| rewind.from <= position);
        let found = self.rewinds.get(next.checked_sub(1)?)?;
        (position < found.from + i64::from(found.len)).then_some(found.to)
    }

    /// The site whose stub makes the kernel return to an offset in the text.
    pub fn site_before(&self, return_at: u32) -> Option<Site> {
        let at = return_at.checked_sub(SYSCALL.len() as u32)?;
        self.patched.binary_search_by_key(&at, |site| site.at).ok().map(|index| self.patched[index])
    }
}

/// Builds the stubs for `sites` and writes the patches into `text`.
pub fn apply(text: &mut [u8], sites: &[Site], layout: &Layout) -> Stubs {
    let stubs = build(text, sites, layout);
    for patch in &stubs.patches {
        let at = patch.at as usize;
        text[at..at + patch.bytes().len()].copy_from_slice(patch.bytes());
    }
    stubs
}

/// Builds the stubs for `sites` without writing; for text that other threads may be running.
///
/// `sites` must be what [`analyse`](super::analyse) said about the same bytes. A site that is no `syscall` here, or whose
/// stub is out of reach, is left out.
pub fn build(text: &[u8], sites: &[Site], layout: &Layout) -> Stubs {
    let mut area = Area {
        text,
        layout,
        distance: layout.stub_vaddr.wrapping_sub(layout.text_vaddr) as i64,
        out: Stubs { bytes: layout.entry.to_le_bytes().to_vec(), ..Stubs::default() },
    };
    for site in sites {
        let before = (area.out.bytes.len(), area.out.patches.len(), area.out.rewinds.len());
        if area.add(site).is_none() {
            area.out.bytes.truncate(before.0);
            area.out.patches.truncate(before.1);
            area.out.rewinds.truncate(before.2);
        }
    }
    area.out.rewinds.sort_unstable_by_key(|rewind| rewind.from);
    area.out
}

struct Area<'a> {
    text: &'a [u8],
    layout: &'a Layout,
    /// From the start of the text to the start of the stub area.
    distance: i64,
    out: Stubs,
}

impl Area<'_> {
    fn add(&mut self, site: &Site) -> Option<()> {
        let at = site.at as usize;
        if self.text.get(at..)?.get(..SYSCALL.len())? != SYSCALL {
            return None;
        }
        let stub_at = self.out.bytes.len().next_multiple_of(STUB_ALIGN);
        match site.method {
            Method::Trap(_) => return None,
            Method::Instruction { start, len } => {
                let mut patch = Patch::new(start, usize::from(len));
                self.put_jump(&mut patch, stub_at)?;
                self.start_stub(stub_at);
                self.relocate(start, len, site.at)?;
                self.out.patches.push(patch);
            }
            Method::Padding { slot } => {
                self.text.get(slot as usize..)?.get(..JUMP_LEN as usize)?;
                let mut jump = Patch::new(slot, JUMP_LEN as usize);
                self.put_jump(&mut jump, stub_at)?;
                let mut short = Patch::new(site.at, SYSCALL.len());
                let distance = i64::from(slot) - i64::from(site.at) - SYSCALL.len() as i64;
                short.bytes[..2].copy_from_slice(&[JMP_SHORT, i8::try_from(distance).ok()? as u8]);
                self.start_stub(stub_at);
                self.out.patches.extend([jump, short]);
                self.out.rewinds.push(Rewind { from: i64::from(slot), len: JUMP_LEN, to: site.at });
            }
        }
        self.finish_stub(site)
    }

    fn start_stub(&mut self, stub_at: usize) {
        self.out.bytes.resize(stub_at, INT3);
    }

    /// Position of the end of the stub area, relative to the text.
    fn here(&self) -> i64 {
        self.distance.wrapping_add(self.out.bytes.len() as i64)
    }

    fn put_jump(&self, patch: &mut Patch, stub_at: usize) -> Option<()> {
        let from = i64::from(patch.at) + i64::from(JUMP_LEN);
        let distance = self.distance.checked_add(stub_at as i64)?.checked_sub(from)?;
        let distance = i32::try_from(distance).ok()?;
        *patch.bytes.get_mut(..usize::from(patch.len))?.first_mut()? = JMP;
        patch.bytes.get_mut(1..5)?.copy_from_slice(&distance.to_le_bytes());
        (u32::from(patch.len) >= JUMP_LEN).then_some(())
    }

    /// Copies the instructions from `start` to `end` so that they do the same here.
    fn relocate(&mut self, start: u32, len: u8, end: u32) -> Option<()> {
        let code = self.text.get(start as usize..end as usize)?;
        let ip = self.layout.text_vaddr.wrapping_add(u64::from(start));
        let mut decoder = Decoder::with_ip(64, code, ip, DecoderOptions::NONE);
        let mut insn = Instruction::default();
        while decoder.can_decode() {
            let from = decoder.position();
            decoder.decode_out(&mut insn);
            let first = from == 0;
            if insn.is_invalid() || insn.flow_control() != FlowControl::Next || (first && insn.len() != usize::from(len)) {
                return None;
            }
            let here = self.here();
            let mut bytes = [0u8; INSN_MAX];
            let bytes = bytes.get_mut(..insn.len())?;
            bytes.copy_from_slice(code.get(from..from + insn.len())?);
            if insn.is_ip_rel_memory_operand() {
                let moved = here.checked_sub(i64::from(start) + from as i64)?;
                let at = decoder.get_constant_offsets(&insn).displacement_offset();
                relocate_operand(&insn, bytes, at, moved)?;
            }
            self.out.rewinds.push(Rewind { from: here, len: insn.len() as u32, to: start + from as u32 });
            self.out.bytes.extend_from_slice(bytes);
        }
        Some(())
    }

    /// The return address and the jump into the kernel.
    fn finish_stub(&mut self, site: &Site) -> Option<()> {
        let here = self.here();
        let lea_end = here.checked_add(LEA_RCX.len() as i64 + 4)?;
        let return_at = i64::from(site.at) + SYSCALL.len() as i64;
        self.out.bytes.extend_from_slice(&LEA_RCX);
        self.out.bytes.extend_from_slice(&i32::try_from(return_at.checked_sub(lea_end)?).ok()?.to_le_bytes());
        self.out.bytes.extend_from_slice(&JMP_SLOT);
        let jump_end = self.out.bytes.len() + 4;
        self.out.bytes.extend_from_slice(&i32::try_from(-(jump_end as i64)).ok()?.to_le_bytes());
        self.out.rewinds.push(Rewind { from: here, len: (self.here() - here) as u32, to: site.at });
        self.out.patched.push(*site);
        Some(())
    }
}

/// Corrects a RIP-relative operand of an instruction that moves by `moved` bytes.
fn relocate_operand(insn: &Instruction, bytes: &mut [u8], at: usize, moved: i64) -> Option<()> {
    // The 32-bit form wraps at 4 GiB and cannot be moved in general.
    if insn.memory_base() != Register::RIP {
        return None;
    }
    let field = bytes.get_mut(at..)?.get_mut(..4)?;
    let old = i32::from_le_bytes(field.try_into().ok()?);
    let new = i32::try_from(i64::from(old).checked_sub(moved)?).ok()?;
    field.copy_from_slice(&new.to_le_bytes());
    Some(())
}
