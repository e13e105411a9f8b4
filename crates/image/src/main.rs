//! The acrida kernel as one static image: entry point, heap and panic handler.
//!
//! The `acrida` command carries this file inside itself and runs it from a memory object; see
//! `acrida_platform_linux::boot`.
#![no_std]
#![no_main]

use core::arch::global_asm;
use core::panic::PanicInfo;

use acrida_kcore::arena::Arena;

#[global_allocator]
static ARENA: Arena = Arena::new();

/// The table of system calls, for the command to read from the image's file; the running kernel does not load it.
#[used]
#[unsafe(link_section = ".acrida.syscalls")]
static SYSCALLS: [u8; acrida_kernel::syscalls::TEXT.len()] = {
    let mut bytes = [0; acrida_kernel::syscalls::TEXT.len()];
    bytes.copy_from_slice(acrida_kernel::syscalls::TEXT.as_bytes());
    bytes
};

global_asm!(
    ".pushsection .text._start,\"ax\",@progbits",
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    ".popsection",
    start = sym start,
);

unsafe extern "C" fn start(stack: *const u64) -> ! {
    // SAFETY: called once, by `_start`, with the host's initial stack.
    unsafe { acrida_platform_linux::boot::main(stack) }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    acrida_platform_linux::boot::stop_world(format_args!("{info}"))
}

/// Referenced by core's compiled code; panics abort, so it is never called.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    panic!("unwinding in the kernel image")
}
