//! The frame on the guest's stack that a handler runs on, and the way back from it.
//!
//! Mirrors: arch/x86/kernel/signal.c, signal_64.c, fpu/signal.c, Linux 6.18.
//! Differs: the vector state comes from the platform as bytes in XSAVE's standard format, which is also the frame's.
//! Locking: none; only the calling task is concerned.

use core::mem::offset_of;
use core::sync::atomic::Ordering;

use acrida_kcore::platform::platform;
use acrida_kcore::regs::{PtRegs, UserFrame, XsaveArea};
use acrida_kcore::thread::work;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::sigframe::{
    FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, FP_XSTATE_MAGIC2_SIZE, Fpstate, FpxSwBytes, RED_ZONE, RtSigframe, Sigcontext,
    UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS, Ucontext, Xstate, XstateHeader,
};
use acrida_uapi::siginfo::SigInfo;
use acrida_uapi::signal::{KernelSigaction, SA_ONSTACK, SA_RESTORER, SA_SIGINFO, SIGSEGV, SS_AUTODISARM, SigSet};
use zerocopy::{FromBytes, IntoBytes};

use super::mask::set_current_blocked;
use super::send::force_sig;
use super::sighand::AltStack;
use crate::abi::SysResult;
use crate::current;
use crate::kernel::task::Task;

/// First address that no jump can reach: loading it as `rip` faults in the kernel's own text.
pub(super) const CANONICAL_END: u64 = 1 << 47;
/// Flags a handler starts without: direction, resume and single-step.
const CLEARED_FLAGS: u64 = 0x400 | 0x1_0000 | 0x100;
/// Flags a frame may set: what a program can change itself.
#[doc(alias = "FIX_EFLAGS")]
const USER_FLAGS: u64 = 0x4_0000 | 0x800 | 0x400 | 0x100 | 0x80 | 0x40 | 0x10 | 0x4 | 0x1 | 0x1_0000;
/// Components of the legacy area: x87 and SSE.
const XFEATURES_LEGACY: u64 = 3;
const USER_CS: u64 = 0x33;
const USER_SS: u64 = 0x2b;

/// Where the parts of a frame go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    frame: u64,
    fpstate: u64,
}

/// Lays the frame out below `sp`, for a vector state of `xstate_size` bytes.
#[doc(alias = "get_sigframe")]
fn place(sp: u64, xstate_size: u64) -> Place {
    let fpstate = sp.wrapping_sub(xstate_size + FP_XSTATE_MAGIC2_SIZE as u64) & !63;
    // Aligned as at the entry of a called function.
    let frame = (fpstate.wrapping_sub(size_of::<RtSigframe>() as u64) & !15).wrapping_sub(8);
    Place { frame, fpstate }
}

/// Writes the frame for one handler and points the registers at it.
///
/// # Errors
/// `EFAULT` when the stack has no room, or the action has no restorer.
#[doc(alias = "setup_rt_frame")]
pub(super) fn setup(
    task: &Task,
    frame: &mut UserFrame,
    info: &SigInfo,
    action: &KernelSigaction,
    mask: SigSet,
) -> Result<(), Errno> {
    if action.sa_flags & SA_RESTORER == 0 {
        return Err(Errno::EFAULT);
    }
    let altstack = task.signals.lock().altstack;
    let mut sp = frame.regs.rsp.wrapping_sub(RED_ZONE);
    let nested = altstack.is_in_use(sp);
    let entering = action.sa_flags & SA_ONSTACK != 0 && altstack.state(sp) == 0;
    if entering {
        sp = altstack.sp.wrapping_add(altstack.size);
    }
    // A handler never sees an address in a stub of ours.
    frame.regs.rip = crate::mm::patch::rewind(frame.regs.rip);
    let mut area = XsaveArea::zeroed();
    platform().fpu_save(frame, &mut area);
    let xstate = &mut area.0[..platform().fpu_size()];
    let place = place(sp, xstate.len() as u64);
    if (nested || entering) && !altstack.contains(place.frame) {
        return Err(Errno::EFAULT);
    }
    write_xstate(UserAddr(place.fpstate), xstate)?;
    let uc = Ucontext {
        uc_flags: UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
        uc_link: 0,
        uc_stack: altstack.to_frame(),
        uc_mcontext: save_context(task, &frame.regs, mask, place.fpstate),
        uc_sigmask: mask,
    };
    let at = UserAddr(place.frame);
    at.write(&action.sa_restorer)?;
    at.add(offset_of!(RtSigframe, uc) as u64).write(&uc)?;
    if action.sa_flags & SA_SIGINFO != 0 {
        at.add(offset_of!(RtSigframe, info) as u64).write(info)?;
    }
    if altstack.flags & SS_AUTODISARM != 0 {
        task.signals.lock().altstack = AltStack::OFF;
    }
    platform().fpu_reset(frame);
    let regs = &mut frame.regs;
    regs.rdi = info.si_signo as u64;
    regs.rsi = place.frame + offset_of!(RtSigframe, info) as u64;
    regs.rdx = place.frame + offset_of!(RtSigframe, uc) as u64;
    regs.rax = 0;
    regs.rip = action.sa_handler;
    regs.rsp = place.frame;
    regs.eflags &= !CLEARED_FLAGS;
    frame.full_restore = 1;
    Ok(())
}

/// Writes the vector state with the marks that tell its size.
fn write_xstate(at: UserAddr, xstate: &mut [u8]) -> Result<(), Errno> {
    let size = xstate.len() as u32;
    let marks = FpxSwBytes {
        magic1: FP_XSTATE_MAGIC1,
        extended_size: size + FP_XSTATE_MAGIC2_SIZE as u32,
        xfeatures: platform().fpu_features(),
        xstate_size: size,
        padding: [0; 7],
    };
    let from = offset_of!(Fpstate, sw_reserved);
    xstate[from..from + size_of::<FpxSwBytes>()].copy_from_slice(marks.as_bytes());
    at.write_bytes(xstate)?;
    at.add(size.into()).write(&FP_XSTATE_MAGIC2)
}

fn save_context(task: &Task, regs: &PtRegs, mask: SigSet, fpstate: u64) -> Sigcontext {
    let fault = &task.thread.fault;
    Sigcontext {
        r8: regs.r8,
        r9: regs.r9,
        r10: regs.r10,
        r11: regs.r11,
        r12: regs.r12,
        r13: regs.r13,
        r14: regs.r14,
        r15: regs.r15,
        di: regs.rdi,
        si: regs.rsi,
        bp: regs.rbp,
        bx: regs.rbx,
        dx: regs.rdx,
        ax: regs.rax,
        cx: regs.rcx,
        sp: regs.rsp,
        ip: regs.rip,
        flags: regs.eflags,
        cs: regs.cs as u16,
        gs: 0,
        fs: 0,
        ss: regs.ss as u16,
        err: fault.error.load(Ordering::Relaxed),
        trapno: fault.trapno.load(Ordering::Relaxed),
        oldmask: mask.bits(),
        cr2: fault.cr2.load(Ordering::Relaxed),
        fpstate,
        reserved1: [0; 8],
    }
}

/// Returns from a handler: everything of the interrupted code comes back from the frame under the stack pointer.
pub fn sys_rt_sigreturn(frame: &mut UserFrame) -> SysResult {
    let task = current();
    // A call that the handler ended does not go on by itself any more.
    drop(task.restart_block.take());
    if restore(task, frame).is_err() {
        force_sig(SigInfo::kernel(SIGSEGV), task);
        frame.full_restore = 1;
        return Ok(0);
    }
    Ok(frame.regs.rax as usize)
}

fn restore(task: &Task, frame: &mut UserFrame) -> Result<(), Errno> {
    // `ret` has taken the restorer's address.
    let at = UserAddr(frame.regs.rsp.wrapping_sub(size_of::<u64>() as u64));
    let uc: Ucontext = at.add(offset_of!(RtSigframe, uc) as u64).read()?;
    set_current_blocked(task, uc.uc_sigmask);
    restore_xstate(frame, UserAddr(uc.uc_mcontext.fpstate))?;
    restore_context(&mut frame.regs, &uc.uc_mcontext);
    frame.full_restore = 1;
    if frame.regs.rip >= CANONICAL_END {
        // The slow way out finds it before anything jumps there.
        task.thread.set_work(work::SIGPENDING);
    }
    // A stack that is refused now was refused when it was set.
    let _ = super::altstack::set(task, &uc.uc_stack, frame.regs.rsp);
    Ok(())
}

fn restore_context(regs: &mut PtRegs, saved: &Sigcontext) {
    regs.r8 = saved.r8;
    regs.r9 = saved.r9;
    regs.r10 = saved.r10;
    regs.r11 = saved.r11;
    regs.r12 = saved.r12;
    regs.r13 = saved.r13;
    regs.r14 = saved.r14;
    regs.r15 = saved.r15;
    regs.rdi = saved.di;
    regs.rsi = saved.si;
    regs.rbp = saved.bp;
    regs.rbx = saved.bx;
    regs.rdx = saved.dx;
    regs.rax = saved.ax;
    regs.rcx = saved.cx;
    regs.rsp = saved.sp;
    regs.rip = saved.ip;
    regs.eflags = (regs.eflags & !USER_FLAGS) | (saved.flags & USER_FLAGS);
    // The only selectors a 64-bit program can have here; others would fault in the kernel's own text.
    regs.cs = USER_CS;
    regs.ss = USER_SS;
    regs.orig_rax = u64::MAX;
}

/// Reads the vector state back; a frame without the marks has only the legacy part.
#[doc(alias = "fpu__restore_sig")]
fn restore_xstate(frame: &mut UserFrame, at: UserAddr) -> Result<(), Errno> {
    if at.is_null() {
        platform().fpu_reset(frame);
        return Ok(());
    }
    let mut area = XsaveArea::zeroed();
    let state = &mut area.0[..platform().fpu_size().max(size_of::<Xstate>())];
    let legacy: Fpstate = at.read()?;
    match marked_size(at, &legacy.sw_reserved, state.len())? {
        Some(size) => at.read_bytes(&mut state[..size])?,
        None => {
            let present = XstateHeader { xfeatures: XFEATURES_LEGACY, ..XstateHeader::default() };
            state[..size_of::<Fpstate>()].copy_from_slice(legacy.as_bytes());
            state[size_of::<Fpstate>()..size_of::<Xstate>()].copy_from_slice(present.as_bytes());
        }
    }
    if header(state).reserved1 != [0; 2] || legacy.mxcsr & !0xffff != 0 {
        return Err(Errno::EINVAL);
    }
    platform().fpu_restore(frame, &mut area);
    Ok(())
}

fn header(state: &[u8]) -> XstateHeader {
    let from = size_of::<Fpstate>();
    XstateHeader::read_from_prefix(&state[from..]).map(|(header, _)| header).unwrap_or_default()
}

/// How many bytes of extended state lie at `at`, if its marks are good.
#[doc(alias = "check_xstate_in_sigframe")]
fn marked_size(at: UserAddr, marks: &FpxSwBytes, most: usize) -> Result<Option<usize>, Errno> {
    let size = marks.xstate_size as usize;
    let good = marks.magic1 == FP_XSTATE_MAGIC1
        && (size_of::<Xstate>()..=most).contains(&size)
        && marks.xstate_size <= marks.extended_size;
    if !good {
        return Ok(None);
    }
    let magic2: u32 = at.add(size as u64).read()?;
    Ok((magic2 == FP_XSTATE_MAGIC2).then_some(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_aligned_like_a_call_and_fits() {
        for sp in (0x7000_0000u64..0x7000_0100).chain([0x7fff_fff8]) {
            for size in [576, 832, 2696] {
                let Place { frame, fpstate } = place(sp, size);
                assert_eq!((frame + 8) % 16, 0);
                assert_eq!(fpstate % 64, 0);
                assert!(frame + size_of::<RtSigframe>() as u64 <= fpstate);
                assert!(fpstate + size + 4 <= sp);
            }
        }
    }

    #[test]
    fn the_parts_lie_where_programs_expect_them() {
        assert_eq!(offset_of!(RtSigframe, uc), 8);
        assert_eq!(offset_of!(RtSigframe, info), 8 + size_of::<Ucontext>());
        assert_eq!(offset_of!(Fpstate, sw_reserved), 464);
        assert_eq!(size_of::<Xstate>(), 576);
    }

    #[test]
    fn a_frame_cannot_set_system_flags_or_selectors() {
        let mut regs = PtRegs { eflags: 0x202, ..PtRegs::default() };
        let saved = Sigcontext { flags: u64::MAX, cs: 0, ss: 0x18, ..Sigcontext::default() };
        restore_context(&mut regs, &saved);
        assert_eq!(regs.eflags & 0x3_7000, 0x1_0000 & 0x3_7000);
        assert_eq!((regs.cs, regs.ss), (0x33, 0x2b));
    }
}
