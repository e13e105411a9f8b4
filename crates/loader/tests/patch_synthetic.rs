//! Small texts, one rule of the analysis each.

use acrida_loader::patch::{Layout, Method, Site, Symbol, Text, Why, analyse, apply, build};

const VADDR: u64 = 0x40_1000;
const LAYOUT: Layout = Layout { text_vaddr: VADDR, stub_vaddr: VADDR + 0x1000, entry: 0x1122_3344_5566_7788 };

/// Sites of code that is one function.
fn sites_of(code: &[u8]) -> Vec<Site> {
    sites_with(code, &[(0, code.len() as u64)])
}

/// Sites of code with functions given as (offset, length).
fn sites_with(code: &[u8], functions: &[(u64, u64)]) -> Vec<Site> {
    let symbols: Vec<Symbol> = functions.iter().map(|&(at, len)| Symbol { vaddr: VADDR + at, len }).collect();
    analyse(&Text { bytes: code, vaddr: VADDR, unwind: None, symbols: &symbols })
}

fn methods(code: &[u8]) -> Vec<Method> {
    sites_of(code).iter().map(|site| site.method).collect()
}

const TRAP: Method = Method::Trap(Why::NoRoom);

#[test]
fn the_classic_form() {
    // mov $39,%eax; syscall; ret
    let code = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    assert_eq!(sites_of(&code), [Site { at: 5, method: Method::Instruction { start: 0, len: 5 } }]);
    let mut text = code;
    let stubs = apply(&mut text, &sites_of(&code), &LAYOUT);
    // The stub is at 0x1010: jmp there, the rest untouched.
    assert_eq!(text, [0xe9, 0x0b, 0x10, 0, 0, 0x0f, 0x05, 0xc3]);
    let mut want = vec![0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11];
    want.extend([0xcc; 8]);
    want.extend([0xb8, 39, 0, 0, 0]);
    // lea to offset 7 from 0x101c; jmp to the slot at 0x1000 from 0x1022.
    want.extend([0x48, 0x8d, 0x0d, 0xeb, 0xef, 0xff, 0xff]);
    want.extend([0xff, 0x25, 0xde, 0xff, 0xff, 0xff]);
    assert_eq!(stubs.bytes, want);
    assert_eq!(stubs.rewind(0x1010), Some(0));
    assert_eq!(stubs.rewind(0x1015), Some(5));
    assert_eq!(stubs.rewind(0x101c), Some(5));
    assert_eq!(stubs.rewind(0x1022), None);
}

#[test]
fn instructions_in_between_move_with_their_operands() {
    // mov $1,%eax; lea 0x100(%rip),%rsi; xor %edi,%edi; syscall; ret: the lea is nearest.
    let code = [0xb8, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0, 1, 0, 0, 0x31, 0xff, 0x0f, 0x05, 0xc3];
    assert_eq!(methods(&code), [Method::Instruction { start: 5, len: 7 }]);
    let mut text = code;
    let stubs = apply(&mut text, &sites_of(&code), &LAYOUT);
    assert_eq!(text[5..12], [0xe9, 0x06, 0x10, 0, 0, 0x90, 0x90]);
    // Moved from 0x5 to 0x1010: the distance shrinks by 0x100b.
    assert_eq!(stubs.bytes[0x10..0x19], [0x48, 0x8d, 0x35, 0xf5, 0xf0, 0xff, 0xff, 0x31, 0xff]);
    assert_eq!(stubs.rewind(0x1017), Some(12));
}

#[test]
fn a_jump_between_instruction_and_site_forbids_the_first_form() {
    // xor %edi,%edi; mov $1,%eax; [L:] nop; syscall; jne L; ret
    let code = [0x31, 0xff, 0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0x75, 0xfb, 0xc3];
    assert_eq!(methods(&code), [TRAP]);
    // A jump to the site itself is fine: it still traps.
    let code = [0x31, 0xff, 0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0x75, 0xfc, 0xc3];
    assert_eq!(methods(&code), [Method::Instruction { start: 2, len: 5 }]);
    // One to the replaced instruction, too.
    let code = [0x31, 0xff, 0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0x75, 0xf6, 0xc3];
    assert_eq!(methods(&code), [Method::Instruction { start: 2, len: 5 }]);
}

#[test]
fn a_long_or_short_branch_from_elsewhere_forbids_it_too() {
    let site = [0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0xc3];
    // A second function: jne rel8 / jmp rel32 to offset 5, the nop.
    let short = [&site[..], &[0x75, 0xfa, 0xc3]].concat();
    let long = [&site[..], &[0xe9, 0xf7, 0xff, 0xff, 0xff]].concat();
    for code in [short, long] {
        let functions = [(0, 9), (9, code.len() as u64 - 9)];
        assert_eq!(sites_with(&code, &functions)[0].method, TRAP, "{code:x?}");
        assert_eq!(sites_with(&code[..9], &[(0, 9)])[0].method, Method::Instruction { start: 0, len: 5 });
    }
    // Between the functions and known to nobody: believed to be a branch.
    let unknown = [&site[..], &[0x75, 0xfa, 0xc3]].concat();
    assert_eq!(sites_with(&unknown, &[(0, 9)])[0].method, TRAP);
}

#[test]
fn a_name_in_between_forbids_it() {
    let code = [0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0xc3];
    assert_eq!(sites_with(&code, &[(0, 9), (5, 0)])[0].method, TRAP);
    assert_ne!(sites_with(&code, &[(0, 9), (6, 0)])[0].method, TRAP);
}

#[test]
fn hidden_entries_allow_only_the_instruction_right_before() {
    // jmp *%rdx; mov $1,%eax; nop; syscall; mov $1,%eax; syscall; ret
    let code = [0xff, 0xe2, 0xb8, 1, 0, 0, 0, 0x90, 0x0f, 0x05, 0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0xc3];
    assert_eq!(methods(&code), [TRAP, Method::Instruction { start: 10, len: 5 }]);
}

#[test]
fn calls_end_the_block() {
    // mov $1,%eax; call *%rbx; syscall; ret
    let code = [0xb8, 1, 0, 0, 0, 0xff, 0xd3, 0x0f, 0x05, 0xc3];
    assert_eq!(methods(&code), [TRAP]);
}

#[test]
fn padding_behind_a_return_and_between_functions() {
    // xor %eax,%eax; syscall; ret; nopl 0(%rax,%rax,1) (8 bytes); ret
    let inside = [0x31, 0xc0, 0x0f, 0x05, 0xc3, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0, 0xc3];
    assert_eq!(methods(&inside), [Method::Padding { slot: 5 }]);
    // The same with the padding between two functions, and int3 instead.
    let between = [0x31, 0xc0, 0x0f, 0x05, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xc3];
    let sites = sites_with(&between, &[(0, 5), (10, 1)]);
    assert_eq!(sites, [Site { at: 2, method: Method::Padding { slot: 5 } }]);
    let mut text = between;
    let stubs = apply(&mut text, &sites, &LAYOUT);
    assert_eq!(text, [0x31, 0xc0, 0xeb, 0x01, 0xc3, 0xe9, 0x06, 0x10, 0, 0, 0xc3]);
    assert_eq!(stubs.patches[0].at, 5, "the padding must be whole before the site jumps there");
    assert_eq!(stubs.rewind(5), Some(2));
    assert_eq!(stubs.rewind(10), None);
}

#[test]
fn padding_that_is_executed_is_none() {
    // The function falls through into the filler.
    let falls = [0x31, 0xc0, 0x0f, 0x05, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3];
    assert_eq!(methods(&falls), [TRAP]);
    assert_eq!(sites_with(&falls, &[(0, 4), (9, 1)])[0].method, TRAP);
    // Somebody jumps to it: jmp to the second nop.
    let jumped = [0x31, 0xc0, 0x0f, 0x05, 0xeb, 0x01, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3];
    assert_eq!(methods(&jumped), [TRAP]);
    // Four bytes are too few.
    assert_eq!(methods(&[0x31, 0xc0, 0x0f, 0x05, 0xc3, 0x90, 0x90, 0x90, 0x90, 0xc3]), [TRAP]);
}

#[test]
fn one_slot_serves_one_site() {
    let mut code = vec![0x31, 0xc0, 0x0f, 0x05, 0x31, 0xc0, 0x0f, 0x05, 0x31, 0xc0, 0x0f, 0x05, 0xc3];
    code.extend([0x90; 11]);
    code.push(0xc3);
    assert_eq!(methods(&code), [Method::Padding { slot: 13 }, Method::Padding { slot: 18 }, TRAP]);
}

#[test]
fn what_is_not_understood_is_left_alone() {
    let classic = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    assert_eq!(sites_with(&classic, &[])[0].method, Method::Trap(Why::UnknownFunction));
    // push %es does not exist in 64-bit mode.
    let undefined = [&classic[..], &[0x06]].concat();
    assert_eq!(methods(&undefined), [Method::Trap(Why::UnsoundFunction)]);
    // A branch into the middle of an instruction.
    let overlapping = [&classic[..], &[0x75, 0xf7, 0xc3]].concat();
    assert_eq!(methods(&overlapping), [Method::Trap(Why::UnsoundFunction)]);
    // The pair is part of another instruction: mov $0x050f,%eax.
    assert_eq!(sites_of(&[0xb8, 0x0f, 0x05, 0, 0, 0xc3]), []);
    assert_eq!(sites_of(&[]), []);
}

#[test]
fn a_branch_behind_a_lock_prefix_is_understood() {
    // je over the prefix; lock cmpxchg %ecx,(%rdx); mov $39,%eax; syscall; ret
    let code = [0x74, 1, 0xf0, 0x0f, 0xb1, 0x0a, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    assert_eq!(methods(&code), [Method::Instruction { start: 6, len: 5 }]);
}

#[test]
fn signal_trampolines_without_unwind_entry_keep_their_bytes() {
    let code = [0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05];
    assert_eq!(methods(&code), [Method::Trap(Why::SignalReturn)]);
    let other = [0x48, 0xc7, 0xc0, 16, 0, 0, 0, 0x0f, 0x05];
    assert_eq!(methods(&other), [Method::Instruction { start: 0, len: 7 }]);
}

#[test]
fn gaps_between_known_functions_are_code() {
    // f: xor %eax,%eax; ret | filler, then an unnamed getpid | g: ret
    let code = [0x31, 0xc0, 0xc3, 0x90, 0x90, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3, 0xc3];
    let sites = sites_with(&code, &[(0, 3), (13, 1)]);
    assert_eq!(sites, [Site { at: 10, method: Method::Instruction { start: 5, len: 5 } }]);
    // As glibc's clone: the known part ends right before the syscall.
    let clone = [0xb8, 56, 0, 0, 0, 0x0f, 0x05, 0xc3, 0xc3];
    let sites = sites_with(&clone, &[(0, 5), (8, 1)]);
    assert_eq!(sites, [Site { at: 5, method: Method::Instruction { start: 0, len: 5 } }]);
}

#[test]
fn a_stale_list_changes_nothing() {
    let code = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
    let sites = sites_of(&code);
    for other in [&[0x90; 8][..], &code[..6], &[]] {
        assert!(build(other, &sites, &LAYOUT).patches.is_empty());
    }
    let method = Method::Instruction { start: u32::MAX, len: 200 };
    assert!(build(&code, &[Site { at: 5, method }], &LAYOUT).patches.is_empty());
    let method = Method::Padding { slot: u32::MAX };
    assert!(build(&code, &[Site { at: 5, method }], &LAYOUT).patches.is_empty());
}
