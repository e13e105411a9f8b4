//! Into the kernel and out of it.
//!
//! Mirrors: arch/x86/entry/entry_64.S, Linux 6.18.
//! Differs: nothing changes privilege. `%gs` always points at the [`Thread`]; entry switches to the kernel stack and saves
//! the frame, exit restores it. `rcx` brings the return address, as the `syscall` instruction would leave it.
//!
//! ```text
//!   guest text ──syscall──► SIGSYS handler ─┐ (sets rip, rcx)
//!   patched site ──jmp──► stub ─────────────┴► acrida_entry ─► acrida_do_syscall ─► exit ─► guest
//!   guest text ──host signal──► handler (copies registers, sets rip) ─► acrida_interrupt ─► exit_work ─► exit
//! ```
//!
//! The exit window: from the look at `Thread::work` to the last jump, a signal handler that finds work sends `rip` back to
//! `acrida_exit_restart`; the frame is still whole in memory, nothing of it is consumed before the jump.

use acrida_kcore::regs::{PtRegs, UserFrame};
use acrida_kcore::thread::{KERNEL_STACK, Thread};
use core::arch::global_asm;
use core::mem::offset_of;

/// Direction, nested task, alignment check: what a guest may set and the kernel must not run with. With NT an interrupt
/// return faults, with AC every unaligned access does.
const DF: u64 = 1 << 10;
const NT: u64 = 1 << 14;
const AC: u64 = 1 << 18;
/// Single step, and these: clear where a signal handler sends a thread into the kernel.
pub const CLEARED_FLAGS: u64 = 1 << 8 | DF | NT | AC;

const REGS: usize = offset_of!(UserFrame, regs);

const _: () = assert!(KERNEL_STACK % 4096 == 0 && size_of::<UserFrame>() % 16 == 0);

macro_rules! reg {
    ($name:ident) => {
        REGS + offset_of!(PtRegs, $name)
    };
}

global_asm!(
    // The vector registers, and the general ones that a call keeps, between the frame at rsp and the processor.
    ".macro store_vectors",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movaps [rsp + 16 * \\n], xmm\\n",
    ".endr",
    ".endm",
    ".macro load_vectors",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movaps xmm\\n, [rsp + 16 * \\n]",
    ".endr",
    ".endm",
    ".macro store_kept",
    "mov [rsp + {RBX}], rbx",
    "mov [rsp + {RDX}], rdx",
    "mov [rsp + {RSI}], rsi",
    "mov [rsp + {RDI}], rdi",
    "mov [rsp + {RBP}], rbp",
    "mov [rsp + {R8}], r8",
    "mov [rsp + {R9}], r9",
    "mov [rsp + {R10}], r10",
    "mov [rsp + {R12}], r12",
    "mov [rsp + {R13}], r13",
    "mov [rsp + {R14}], r14",
    "mov [rsp + {R15}], r15",
    ".endm",
    ".macro load_kept",
    "mov rbx, [rsp + {RBX}]",
    "mov rdx, [rsp + {RDX}]",
    "mov rsi, [rsp + {RSI}]",
    "mov rdi, [rsp + {RDI}]",
    "mov rbp, [rsp + {RBP}]",
    "mov r8, [rsp + {R8}]",
    "mov r9, [rsp + {R9}]",
    "mov r10, [rsp + {R10}]",
    "mov r12, [rsp + {R12}]",
    "mov r13, [rsp + {R13}]",
    "mov r14, [rsp + {R14}]",
    "mov r15, [rsp + {R15}]",
    ".endm",

    ".pushsection .text.acrida_entry,\"ax\",@progbits",
    ".globl acrida_entry",
    ".type acrida_entry,@function",
    "acrida_entry:",
    "mov gs:[{USER_RSP}], rsp",
    "mov rsp, gs:[{FRAME}]",
    "mov [rsp + {RIP}], rcx",
    "mov [rsp + {RCX}], rcx",
    "pushfq",
    "pop r11",
    "mov [rsp + {EFLAGS}], r11",
    "mov [rsp + {R11}], r11",
    "test r11d, {NT_AC}",
    "jnz 5f",
    "6:",
    "mov [rsp + {ORIG_RAX}], rax",
    "mov [rsp + {RAX}], rax",
    "store_kept",
    "mov r11, gs:[{USER_RSP}]",
    "mov [rsp + {RSP}], r11",
    "store_vectors",
    "cld",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "call {do_syscall}",
    ".globl acrida_exit_restart",
    "acrida_exit_restart:",
    ".globl acrida_exit_window",
    "acrida_exit_window:",
    "cmp dword ptr gs:[{WORK}], 0",
    "jne 2f",
    "cmp qword ptr [rsp + {FULL}], 0",
    "jne 3f",
    "load_vectors",
    "load_kept",
    "mov rcx, [rsp + {RIP}]",
    "mov r11, [rsp + {EFLAGS}]",
    // Whole where one of the rare flags is set, else the arithmetic ones: OF by an addition that overflows, the others by
    // sahf.
    "test r11d, {RARE_FLAGS}",
    "jnz 4f",
    "bt r11d, 11",
    "setc al",
    "add al, 0x7f",
    "mov eax, r11d",
    "xchg al, ah",
    "sahf",
    "mov rax, [rsp + {RAX}]",
    "mov rsp, [rsp + {RSP}]",
    "jmp rcx",
    "4: push r11",
    "popfq",
    "mov rax, [rsp + {RAX}]",
    "mov rsp, [rsp + {RSP}]",
    "jmp rcx",
    // Every register, through an interrupt return (which works without a change of privilege).
    "3:",
    "load_vectors",
    "load_kept",
    "mov r11, [rsp + {R11}]",
    "mov rax, [rsp + {RAX}]",
    "mov rcx, [rsp + {RCX}]",
    "lea rsp, [rsp + {RIP}]",
    "iretq",
    ".globl acrida_exit_window_end",
    "acrida_exit_window_end:",
    "2: mov rdi, rsp",
    "call {exit_work}",
    "jmp acrida_exit_restart",
    "5: push 0x202",
    "popfq",
    "jmp 6b",
    ".size acrida_entry, . - acrida_entry",

    // A guest instruction was interrupted: the handler has filled the frame, live vector registers are the guest's.
    ".globl acrida_interrupt",
    "acrida_interrupt:",
    "store_vectors",
    "xor ebp, ebp",
    "jmp 2b",

    // A new host thread: rdi = Thread, signals blocked, on its own kernel stack.
    ".globl acrida_thread_start",
    "acrida_thread_start:",
    "mov rbx, rdi",
    "mov rsp, [rdi + {FRAME}]",
    // A look brings the stack's pages in together (see `spawn`), a push only one.
    "mov rax, [rsp]",
    "xor ebp, ebp",
    "call {child_start}",
    "mov rsp, [rbx + {FRAME}]",
    "jmp acrida_exit_restart",

    // clone(rdi = flags, rsi = parent_tid, rdx = child Thread): the raw result in the parent; the child starts above.
    ".globl acrida_clone",
    "acrida_clone:",
    "push r12",
    "mov r12, rdx",
    "mov rsi, [rdx + {FRAME}]",
    "lea rdx, [rdx + {HOST_PID}]",
    "xor r10d, r10d",
    "xor r8d, r8d",
    "mov eax, 56",
    "syscall",
    "test rax, rax",
    "jz 5f",
    "pop r12",
    "ret",
    "5: mov rdi, r12",
    "jmp acrida_thread_start",

    // The last steps of a host thread: rdi = address of the life word. No stack is used after the store.
    ".globl acrida_exit_thread",
    "acrida_exit_thread:",
    "mov dword ptr [rdi], 0",
    "mov eax, 60",
    "xor edi, edi",
    "syscall",
    "ud2",
    // rdi = address of the life word, esi = exit code: the whole process.
    ".globl acrida_exit_process",
    "acrida_exit_process:",
    "mov dword ptr [rdi], 0",
    "mov eax, 231",
    "mov edi, esi",
    "syscall",
    "ud2",

    // syscall_abortable(rdi = nr, rsi = args)
    ".globl acrida_syscall_abortable",
    "acrida_syscall_abortable:",
    "mov rax, rdi",
    "mov r11, rsi",
    "mov rdi, [r11]",
    "mov rsi, [r11 + 8]",
    "mov rdx, [r11 + 16]",
    "mov r10, [r11 + 24]",
    "mov r8, [r11 + 32]",
    "mov r9, [r11 + 40]",
    ".globl acrida_abort_window",
    "acrida_abort_window:",
    "test dword ptr gs:[{WORK}], {WAKES}",
    "jnz acrida_abort",
    ".globl acrida_abort_syscall",
    "acrida_abort_syscall:",
    "syscall",
    "ret",
    ".globl acrida_abort",
    "acrida_abort:",
    "mov rax, -4",
    "ret",

    // copy(rdi = dst, rsi = src, rdx = n): the bytes not copied; a fault ends it.
    ".globl acrida_user_copy",
    "acrida_user_copy:",
    "mov rcx, rdx",
    ".globl acrida_user_window",
    "acrida_user_window:",
    // Starting `rep movsb` costs as much as 16 rounds of this loop. The vector registers are the guest's saved ones; nothing is
    // moved on before both halves are stored, so a fault in between repeats bytes at worst.
    "cmp rcx, 512",
    "jae 7f",
    "22: cmp rcx, 32",
    "jb 23f",
    "movups xmm0, [rsi]",
    "movups xmm1, [rsi + 16]",
    "movups [rdi], xmm0",
    "movups [rdi + 16], xmm1",
    "add rsi, 32",
    "add rdi, 32",
    "sub rcx, 32",
    "jmp 22b",
    // The odd half word first: an epoll event (4 and 8 bytes) is loaded as it was stored, which its 8 bytes at the start are not
    // (4 ns of epoll_wait's 49).
    "23: test cl, 4",
    "jz 6f",
    "mov eax, [rsi]",
    "mov [rdi], eax",
    "add rsi, 4",
    "add rdi, 4",
    "sub rcx, 4",
    "6: cmp rcx, 8",
    "jb 8f",
    "mov rax, [rsi]",
    "mov [rdi], rax",
    "add rsi, 8",
    "add rdi, 8",
    "sub rcx, 8",
    "jmp 6b",
    "7: rep movsb",
    // Also where a fault above goes on: it may have left bytes before the bad one.
    ".globl acrida_user_tail",
    "acrida_user_tail:",
    "8: test rcx, rcx",
    "jz 9f",
    "mov al, [rsi]",
    "mov [rdi], al",
    "inc rsi",
    "inc rdi",
    "dec rcx",
    "jmp 8b",
    "9:",
    ".globl acrida_user_fixup",
    "acrida_user_fixup:",
    "mov rax, rcx",
    "ret",
    // cmpxchg(rdi = word, esi = old, edx = new, rcx = where the old value goes): 0, or 1 after a fault
    ".globl acrida_user_cmpxchg",
    "acrida_user_cmpxchg:",
    "mov eax, esi",
    ".globl acrida_cmpxchg_window",
    "acrida_cmpxchg_window:",
    "lock cmpxchg [rdi], edx",
    ".globl acrida_cmpxchg_window_end",
    "acrida_cmpxchg_window_end:",
    "mov [rcx], eax",
    "xor eax, eax",
    "ret",
    ".globl acrida_cmpxchg_fixup",
    "acrida_cmpxchg_fixup:",
    "mov eax, 1",
    "ret",

    // The host's signal handler: the interrupted code's flags come with it.
    ".globl acrida_signal",
    "acrida_signal:",
    "pushfq",
    "and dword ptr [rsp], ~{NT_AC}",
    "popfq",
    "jmp {signal}",

    // The host's signal restorer.
    ".globl acrida_restorer",
    "acrida_restorer:",
    "mov eax, 15",
    "syscall",
    "ud2",
    ".popsection",
    USER_RSP = const offset_of!(Thread, user_rsp),
    FRAME = const offset_of!(Thread, frame),
    WORK = const offset_of!(Thread, work),
    HOST_PID = const offset_of!(Thread, host_pid),
    WAKES = const acrida_kcore::thread::work::ENDS_SLEEP,
    FULL = const offset_of!(UserFrame, full_restore),
    RIP = const reg!(rip), RSP = const reg!(rsp), EFLAGS = const reg!(eflags), ORIG_RAX = const reg!(orig_rax),
    RAX = const reg!(rax), RBX = const reg!(rbx), RCX = const reg!(rcx), RDX = const reg!(rdx), RSI = const reg!(rsi),
    RDI = const reg!(rdi), RBP = const reg!(rbp), R8 = const reg!(r8), R9 = const reg!(r9), R10 = const reg!(r10),
    R11 = const reg!(r11), R12 = const reg!(r12), R13 = const reg!(r13), R14 = const reg!(r14), R15 = const reg!(r15),
    NT_AC = const NT | AC, RARE_FLAGS = const DF | NT | AC,
    do_syscall = sym acrida_do_syscall,
    signal = sym crate::signal::acrida_signal_handler,
    exit_work = sym acrida_exit_work,
    child_start = sym crate::spawn::acrida_child_start,
);

macro_rules! label {
    ($($function:ident = $name:ident;)*) => {
        unsafe extern "C" { $(fn $name();)* }
        $(
            #[inline]
            pub fn $function() -> u64 {
                $name as *const () as u64
            }
        )*
    };
}

label! {
    kernel_entry = acrida_entry;
    exit_restart = acrida_exit_restart;
    exit_window = acrida_exit_window;
    exit_window_end = acrida_exit_window_end;
    interrupt = acrida_interrupt;
    abort_window = acrida_abort_window;
    abort_syscall = acrida_abort_syscall;
    abort = acrida_abort;
    user_window = acrida_user_window;
    user_tail = acrida_user_tail;
    user_fixup = acrida_user_fixup;
    cmpxchg_window = acrida_cmpxchg_window;
    cmpxchg_window_end = acrida_cmpxchg_window_end;
    cmpxchg_fixup = acrida_cmpxchg_fixup;
    signal = acrida_signal;
    restorer = acrida_restorer;
}

/// A system call, with the caller's registers saved in `frame`.
extern "C" fn acrida_do_syscall(frame: &mut UserFrame) {
    acrida_kernel::entry::syscall(frame);
}

/// Work before the guest goes on; called until there is none.
extern "C" fn acrida_exit_work(frame: &mut UserFrame) {
    acrida_kernel::entry::exit_to_user(frame);
}
