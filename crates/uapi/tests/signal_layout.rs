//! Signal structures: actions, stacks, the arms of `siginfo`, and the frame.

use acrida_uapi::sigframe::{Fpstate, FpxSwBytes, RtSigframe, Sigcontext, Ucontext, Xstate, XstateHeader};
use acrida_uapi::siginfo::{SigInfo, Sigevent, SiginfoLayout};
use acrida_uapi::signal::{KernelSigaction, SIGCHLD, SIGIO, SIGSEGV, SIGUSR1, SigSet, StackT};
use acrida_uapi::{siginfo, signal};
use linux_raw_sys::general;
use std::mem::{offset_of, size_of};
use zerocopy::{FromBytes, IntoBytes};

/// The number of type `T` at `offset` of the details, which start at byte 16.
fn detail<T: FromBytes>(info: &SigInfo, offset: usize) -> T {
    T::read_from_prefix(&info.as_bytes()[16 + offset..]).unwrap().0
}

#[test]
fn siginfo_is_laid_out_like_the_union() {
    type Kill = general::__sifields__bindgen_ty_1;
    type Timer = general::__sifields__bindgen_ty_2;
    type Rt = general::__sifields__bindgen_ty_3;
    type Chld = general::__sifields__bindgen_ty_4;
    type Fault = general::__sifields__bindgen_ty_5;
    type Poll = general::__sifields__bindgen_ty_6;
    type Sys = general::__sifields__bindgen_ty_7;

    assert_eq!(size_of::<SigInfo>(), size_of::<general::siginfo>());
    assert_eq!(offset_of!(general::siginfo__bindgen_ty_1__bindgen_ty_1, _sifields), 16);
    assert_eq!(offset_of!(general::siginfo__bindgen_ty_1__bindgen_ty_1, si_code), offset_of!(SigInfo, si_code));

    let info = SigInfo::kill(SIGUSR1, siginfo::SI_USER, 7, 1000);
    assert_eq!(detail::<i32>(&info, offset_of!(Kill, _pid)), 7);
    assert_eq!(detail::<u32>(&info, offset_of!(Kill, _uid)), 1000);
    assert_eq!((info.si_pid(), info.si_uid(), info.layout()), (7, 1000, SiginfoLayout::Kill));

    let mut info = SigInfo::timer(SIGUSR1, 3, 0, 0xdead_beef_0000_0001);
    info.set_si_overrun(5);
    assert_eq!(detail::<i32>(&info, offset_of!(Timer, _tid)), 3);
    assert_eq!(detail::<i32>(&info, offset_of!(Timer, _overrun)), 5);
    assert_eq!(detail::<u64>(&info, offset_of!(Timer, _sigval)), 0xdead_beef_0000_0001);
    assert_eq!((info.si_overrun(), info.layout()), (5, SiginfoLayout::Timer));

    let info = SigInfo::rt(SIGUSR1, siginfo::SI_QUEUE, -1, 2, 9);
    assert_eq!(detail::<i32>(&info, offset_of!(Rt, _pid)), -1);
    assert_eq!(detail::<u64>(&info, offset_of!(Rt, _sigval)), 9);
    assert_eq!((info.si_value(), info.is_from_user(), info.layout()), (9, true, SiginfoLayout::Rt));

    let info = SigInfo::chld(siginfo::CLD_KILLED, 12, 0, -9, 100, 200);
    assert_eq!(detail::<i32>(&info, offset_of!(Chld, _status)), -9);
    assert_eq!(detail::<i64>(&info, offset_of!(Chld, _utime)), 100);
    assert_eq!(detail::<i64>(&info, offset_of!(Chld, _stime)), 200);
    assert_eq!((info.si_signo, info.si_status(), info.layout()), (SIGCHLD, -9, SiginfoLayout::Chld));

    let info = SigInfo::fault_pkuerr(0x1234, 3);
    assert_eq!(detail::<u64>(&info, offset_of!(Fault, _addr)), 0x1234);
    assert_eq!(detail::<u32>(&info, 16), 3);
    assert_eq!((info.si_addr(), info.si_pkey(), info.layout()), (0x1234, 3, SiginfoLayout::FaultPkuerr));
    assert_eq!(SigInfo::fault(SIGSEGV, siginfo::SEGV_MAPERR, 1).layout(), SiginfoLayout::Fault);

    let info = SigInfo::poll(SIGIO, siginfo::POLL_IN, 0x41, 4);
    assert_eq!(detail::<i64>(&info, offset_of!(Poll, _band)), 0x41);
    assert_eq!(detail::<i32>(&info, offset_of!(Poll, _fd)), 4);
    assert_eq!((info.si_fd(), info.layout()), (4, SiginfoLayout::Poll));
    assert_eq!(SigInfo::poll(SIGUSR1, siginfo::POLL_IN, 1, 4).layout(), SiginfoLayout::Poll);

    let info = SigInfo::sys(siginfo::SYS_USER_DISPATCH, 0x40_0000, 39, 0xc000_003e);
    assert_eq!(detail::<u64>(&info, offset_of!(Sys, _call_addr)), 0x40_0000);
    assert_eq!(detail::<i32>(&info, offset_of!(Sys, _syscall)), 39);
    assert_eq!(detail::<u32>(&info, offset_of!(Sys, _arch)), 0xc000_003e);
    assert_eq!((info.si_syscall(), info.si_arch(), info.layout()), (39, 0xc000_003e, SiginfoLayout::Sys));
}

#[test]
fn actions_stacks_and_events() {
    assert_eq!(size_of::<KernelSigaction>(), size_of::<general::sigaction>());
    assert_eq!(offset_of!(KernelSigaction, sa_handler), offset_of!(general::sigaction, sa_handler));
    assert_eq!(offset_of!(KernelSigaction, sa_flags), offset_of!(general::sigaction, sa_flags));
    assert_eq!(offset_of!(KernelSigaction, sa_restorer), offset_of!(general::sigaction, sa_restorer));
    assert_eq!(offset_of!(KernelSigaction, sa_mask), offset_of!(general::sigaction, sa_mask));
    assert_eq!(size_of::<StackT>(), size_of::<general::sigaltstack>());
    assert_eq!(offset_of!(StackT, ss_flags), offset_of!(general::sigaltstack, ss_flags));
    assert_eq!(offset_of!(StackT, ss_size), offset_of!(general::sigaltstack, ss_size));
    assert_eq!(size_of::<Sigevent>(), size_of::<general::sigevent>());
    assert_eq!(offset_of!(Sigevent, sigev_notify), offset_of!(general::sigevent, sigev_notify));
    assert_eq!(offset_of!(Sigevent, tid), offset_of!(general::sigevent, _sigev_un));
}

/// libc's `ucontext_t` starts like the kernel's and counts the registers in an array.
#[test]
fn the_frame_is_what_libc_reads() {
    let gregs = offset_of!(libc::ucontext_t, uc_mcontext) + offset_of!(libc::mcontext_t, gregs);
    let register = |field: usize| (offset_of!(Ucontext, uc_mcontext) + field - gregs) / 8;
    assert_eq!(register(offset_of!(Sigcontext, r8)), libc::REG_R8 as usize);
    assert_eq!(register(offset_of!(Sigcontext, r15)), libc::REG_R15 as usize);
    assert_eq!(register(offset_of!(Sigcontext, di)), libc::REG_RDI as usize);
    assert_eq!(register(offset_of!(Sigcontext, si)), libc::REG_RSI as usize);
    assert_eq!(register(offset_of!(Sigcontext, bp)), libc::REG_RBP as usize);
    assert_eq!(register(offset_of!(Sigcontext, bx)), libc::REG_RBX as usize);
    assert_eq!(register(offset_of!(Sigcontext, dx)), libc::REG_RDX as usize);
    assert_eq!(register(offset_of!(Sigcontext, ax)), libc::REG_RAX as usize);
    assert_eq!(register(offset_of!(Sigcontext, cx)), libc::REG_RCX as usize);
    assert_eq!(register(offset_of!(Sigcontext, sp)), libc::REG_RSP as usize);
    assert_eq!(register(offset_of!(Sigcontext, ip)), libc::REG_RIP as usize);
    assert_eq!(register(offset_of!(Sigcontext, flags)), libc::REG_EFL as usize);
    assert_eq!(register(offset_of!(Sigcontext, cs)), libc::REG_CSGSFS as usize);
    assert_eq!(register(offset_of!(Sigcontext, err)), libc::REG_ERR as usize);
    assert_eq!(register(offset_of!(Sigcontext, trapno)), libc::REG_TRAPNO as usize);
    assert_eq!(register(offset_of!(Sigcontext, oldmask)), libc::REG_OLDMASK as usize);
    assert_eq!(register(offset_of!(Sigcontext, cr2)), libc::REG_CR2 as usize);
    assert_eq!(offset_of!(Sigcontext, fpstate), offset_of!(libc::mcontext_t, fpregs));
    assert_eq!(offset_of!(Ucontext, uc_stack), offset_of!(libc::ucontext_t, uc_stack));
    assert_eq!(offset_of!(Ucontext, uc_sigmask), offset_of!(libc::ucontext_t, uc_sigmask));

    assert_eq!((size_of::<Sigcontext>(), size_of::<Ucontext>(), size_of::<RtSigframe>()), (256, 304, 440));
    assert_eq!((size_of::<Fpstate>(), size_of::<XstateHeader>(), size_of::<Xstate>()), (512, 64, 576));
    assert_eq!(size_of::<Fpstate>(), size_of::<libc::user_fpregs_struct>());
    assert_eq!(offset_of!(Fpstate, mxcsr), offset_of!(libc::user_fpregs_struct, mxcsr));
    assert_eq!(offset_of!(Fpstate, st_space), offset_of!(libc::user_fpregs_struct, st_space));
    assert_eq!(offset_of!(Fpstate, xmm_space), offset_of!(libc::user_fpregs_struct, xmm_space));
    assert_eq!((offset_of!(Fpstate, sw_reserved), size_of::<FpxSwBytes>()), (464, 48));
}

#[test]
fn sets_hold_what_was_put_in() {
    let mut set = SigSet::EMPTY;
    set.add(1);
    set.add(64);
    assert_eq!((set.bits(), set.has(64), set.has(0), set.has(65)), (1 | 1 << 63, true, false, false));
    assert_eq!(set.iter().collect::<Vec<_>>(), [1, 64]);
    set.del(1);
    assert_eq!(set.first(), Some(64));
    assert!(!(SigSet::FULL & !set).has(64));
    assert_eq!(SigSet::UNBLOCKABLE.bits(), 1 << 8 | 1 << 18);
    assert_eq!(signal::signal_name(signal::SIGSYS), Some("SIGSYS"));
    assert_eq!(signal::signal_name(signal::SIGCHLD), Some("SIGCHLD"));
}
