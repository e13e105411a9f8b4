//! What /proc/PID tells about an address space: `maps`, `smaps`, `statm`, the memory lines of `status`.
//!
//! Mirrors: fs/proc/task_mmu.c, Linux 6.18.
//! Differs: which pages are present is the host's knowledge; only sizes are told from here.
//! Locking: `MmStruct`'s lock while a line is made; paths are looked up after it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::mm_struct::MmStruct;
use super::vma::{Backing, PAGE_SIZE, VmFlags};
use crate::fs::file::FileRef;

/// One line of `maps`, before its path is known.
pub struct MapsEntry {
    pub start: u64,
    pub end: u64,
    pub flags: VmFlags,
    /// Byte offset in the file or object; 0 for anonymous memory.
    pub offset: u64,
    pub what: MapsObject,
}

/// What stands behind a line.
pub enum MapsObject {
    Anonymous,
    Heap,
    Stack,
    Vdso,
    /// Where patched texts call the kernel.
    Stubs,
    /// `/dev/zero (deleted)`, as Linux shows anonymous shared memory, with its inode number.
    Shared(u64),
    File(FileRef),
}

/// Sizes in bytes, as /proc/PID/status and statm show them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MmSizes {
    #[doc(alias = "VmPeak")]
    pub peak: u64,
    #[doc(alias = "VmSize")]
    pub size: u64,
    #[doc(alias = "VmLck")]
    pub locked: u64,
    #[doc(alias = "VmData")]
    pub data: u64,
    #[doc(alias = "VmStk")]
    pub stack: u64,
    /// The program's own text.
    #[doc(alias = "VmExe")]
    pub text: u64,
    /// Other text.
    #[doc(alias = "VmLib")]
    pub lib: u64,
}

impl MmStruct {
    /// Every area in order, then the vdso.
    #[doc(alias = "show_map_vma")]
    pub fn maps(&self) -> Vec<MapsEntry> {
        let state = self.lock();
        let stack = state.layout.stack_top.wrapping_sub(1);
        let brk = state.brk;
        let mut out: Vec<MapsEntry> = state
            .areas
            .iter()
            .map(|(start, vma)| {
                let what = match &vma.backing {
                    Backing::File { file, .. } => MapsObject::File(file.file().clone()),
                    Backing::Shared(object, _) => MapsObject::Shared(object.ino),
                    Backing::Stubs(_) => MapsObject::Stubs,
                    Backing::Anonymous if (start..vma.end).contains(&stack) => MapsObject::Stack,
                    Backing::Anonymous if start < brk.end && vma.end > brk.start => MapsObject::Heap,
                    Backing::Anonymous => MapsObject::Anonymous,
                };
                let offset = if matches!(vma.backing, Backing::Anonymous | Backing::Stubs(_)) { 0 } else { vma.offset(start) };
                MapsEntry { start, end: vma.end, flags: vma.flags, offset, what }
            })
            .collect();
        drop(state);
        let vdso = acrida_kcore::platform::platform().vdso_base();
        if vdso != 0 {
            let flags = VmFlags::READ | VmFlags::EXEC | VmFlags::MAYREAD | VmFlags::MAYEXEC;
            let end = vdso + 2 * PAGE_SIZE;
            out.push(MapsEntry { start: vdso, end, flags, offset: 0, what: MapsObject::Vdso });
        }
        out
    }

    pub fn sizes(&self) -> MmSizes {
        let (start_code, end_code) = {
            let program = self.program.lock();
            (program.start_code, program.end_code)
        };
        let state = self.lock();
        let totals = state.areas.totals();
        let text = end_code.next_multiple_of(PAGE_SIZE).saturating_sub(super::vma::page_start(start_code));
        MmSizes {
            peak: self.peak().max(state.total_vm()),
            size: state.total_vm(),
            locked: totals.locked,
            data: totals.data,
            stack: totals.stack.saturating_sub(state.stack_uncounted),
            text: text.min(totals.exec),
            lib: totals.exec.saturating_sub(text),
        }
    }
}

impl MapsEntry {
    /// `rwxp`.
    pub fn rights(&self) -> [u8; 4] {
        let show = |flag, letter| if self.flags.contains(flag) { letter } else { b'-' };
        let sharing = if self.flags.contains(VmFlags::SHARED) { b's' } else { b'p' };
        [show(VmFlags::READ, b'r'), show(VmFlags::WRITE, b'w'), show(VmFlags::EXEC, b'x'), sharing]
    }

    /// The line up to the name, which starts at column 73 when there is one. `dev` is major and minor.
    #[doc(alias = "show_vma_header_prefix")]
    pub fn header(&self, dev: (u32, u32), ino: u64) -> String {
        let mut line = String::new();
        let rights = self.rights().map(char::from);
        let _ = write!(line, "{:08x}-{:08x} ", self.start, self.end);
        line.extend(rights);
        let _ = write!(line, " {:08x} {:02x}:{:02x} {} ", self.offset, dev.0, dev.1, ino);
        line
    }

    /// The name of what is no file.
    #[doc(alias = "arch_vma_name")]
    pub fn name(&self) -> Option<&'static str> {
        match self.what {
            MapsObject::Anonymous | MapsObject::File(_) => None,
            MapsObject::Heap => Some("[heap]"),
            MapsObject::Stack => Some("[stack]"),
            MapsObject::Vdso => Some("[vdso]"),
            MapsObject::Stubs => Some("[acrida]"),
            MapsObject::Shared(_) => Some("/dev/zero (deleted)"),
        }
    }

    /// The two-letter words of smaps' `VmFlags:` line.
    #[doc(alias = "show_smap_vma_flags")]
    pub fn flag_words(&self) -> String {
        const WORDS: [(VmFlags, &str); 19] = [
            (VmFlags::READ, "rd"),
            (VmFlags::WRITE, "wr"),
            (VmFlags::EXEC, "ex"),
            (VmFlags::SHARED, "sh"),
            (VmFlags::MAYREAD, "mr"),
            (VmFlags::MAYWRITE, "mw"),
            (VmFlags::MAYEXEC, "me"),
            (VmFlags::GROWSDOWN, "gd"),
            (VmFlags::LOCKED, "lo"),
            (VmFlags::SEQ_READ, "sr"),
            (VmFlags::RAND_READ, "rr"),
            (VmFlags::DONTCOPY, "dc"),
            (VmFlags::ACCOUNT, "ac"),
            (VmFlags::NORESERVE, "nr"),
            (VmFlags::HUGETLB, "ht"),
            (VmFlags::WIPEONFORK, "wf"),
            (VmFlags::DONTDUMP, "dd"),
            (VmFlags::HUGEPAGE, "hg"),
            (VmFlags::MERGEABLE, "mg"),
        ];
        let mut out = String::new();
        for (flag, word) in WORDS {
            if self.flags.contains(flag) {
                out.push_str(word);
                out.push(' ');
            }
        }
        out
    }
}
