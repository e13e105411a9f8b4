//! The vector and x87 state that stays in the registers while the kernel runs.
//!
//! Mirrors: arch/x86/kernel/fpu/signal.c, Linux 6.18.
//! Differs: xmm0-15 of the interrupted guest are in its frame, everything else is live; a signal frame joins both.

use core::arch::asm;
use core::arch::x86_64::__cpuid_count;
use core::sync::atomic::{AtomicUsize, Ordering};

use acrida_kcore::regs::{UserFrame, XsaveArea};

/// Where xmm0-15 lie in the legacy area.
const XMM_OFFSET: usize = 160;
/// Where the XSAVE header lies.
const HEADER_OFFSET: usize = 512;

/// No component is present, and MXCSR masks every exception.
static INITIAL: XsaveArea = {
    let mut bytes = [0; XsaveArea::MAX];
    [bytes[24], bytes[25]] = 0x1f80u16.to_le_bytes();
    XsaveArea(bytes)
};

/// Enabled state components (XCR0), less what does not fit.
pub fn features() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: XCR0 is readable in user mode wherever the host kernel uses XSAVE (every x86-64 with AVX).
    unsafe { asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack)) };
    let amx = 0x6_0000;
    ((u64::from(high) << 32) | u64::from(low)) & !amx
}

/// Bytes of the standard-format area for [`features`].
pub fn size() -> usize {
    // Asked once: CPUID costs a virtual machine tens of microseconds. The same for every process of the world.
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    match SIZE.load(Ordering::Relaxed) {
        0 => {
            let size = measured_size();
            SIZE.store(size, Ordering::Relaxed);
            size
        }
        size => size,
    }
}

fn measured_size() -> usize {
    let mut size = 576;
    let features = features();
    for component in 2..63 {
        if features & (1 << component) != 0 {
            let leaf = __cpuid_count(0xd, component);
            size = size.max((leaf.ebx + leaf.eax) as usize);
        }
    }
    size.min(XsaveArea::MAX)
}

/// The guest's whole state in standard format.
pub fn save(frame: &UserFrame, area: &mut XsaveArea) {
    let mask = features();
    // SAFETY: the area is 64-byte aligned and as large as every enabled component needs.
    unsafe {
        asm!("xsave64 [{}]", in(reg) area.0.as_mut_ptr(), in("eax") mask as u32, in("edx") (mask >> 32) as u32, options(nostack))
    };
    for (index, xmm) in frame.xmm.iter().enumerate() {
        let at = XMM_OFFSET + index * 16;
        area.0[at..at + 8].copy_from_slice(&xmm[0].to_le_bytes());
        area.0[at + 8..at + 16].copy_from_slice(&xmm[1].to_le_bytes());
    }
    // SSE state is present even if the live registers were in their initial state.
    area.0[HEADER_OFFSET] |= 2;
}

/// Loads a state: xmm into the frame, the rest into the registers. Unknown components and reserved bits are cleared
/// first, so that no guest bytes can make the instruction fault.
pub fn restore(frame: &mut UserFrame, area: &mut XsaveArea) {
    let present = u64::from_le_bytes(area.0[HEADER_OFFSET..HEADER_OFFSET + 8].try_into().unwrap_or([0; 8])) & features();
    area.0[HEADER_OFFSET..HEADER_OFFSET + 64].fill(0);
    area.0[HEADER_OFFSET..HEADER_OFFSET + 8].copy_from_slice(&present.to_le_bytes());
    // MXCSR: only the bits that exist.
    let mxcsr = u32::from_le_bytes(area.0[24..28].try_into().unwrap_or([0; 4])) & 0xffff;
    area.0[24..28].copy_from_slice(&mxcsr.to_le_bytes());
    for (index, xmm) in frame.xmm.iter_mut().enumerate() {
        let at = XMM_OFFSET + index * 16;
        let half = |from: usize| u64::from_le_bytes(area.0[from..from + 8].try_into().unwrap_or([0; 8]));
        *xmm = if present & 2 != 0 { [half(at), half(at + 8)] } else { [0, 0] };
    }
    // SAFETY: header and MXCSR were made valid above.
    unsafe { load(area) };
}

/// The initial state, as a signal handler or a new program finds it.
pub fn reset(frame: &mut UserFrame) {
    frame.xmm = [[0; 2]; 16];
    // SAFETY: an empty header, and an MXCSR that exists.
    unsafe { load(&INITIAL) };
}

/// # Safety
/// The header names enabled components only and has no reserved bit, and neither has MXCSR.
unsafe fn load(area: &XsaveArea) {
    let mask = features();
    // SAFETY: aligned area in standard format, valid as the caller says. The compiler's own xmm values are declared
    // clobbered.
    unsafe {
        asm!("xrstor64 [{}]", in(reg) area.0.as_ptr(), in("eax") mask as u32, in("edx") (mask >> 32) as u32,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _, out("xmm6") _,
            out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _, out("xmm12") _, out("xmm13") _,
            out("xmm14") _, out("xmm15") _, options(nostack));
    }
}
