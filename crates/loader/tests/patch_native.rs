//! Patched code, really run.
//!
//! In the first tests the "kernel" is a routine that notes what it was entered with. The last one patches the C library
//! under a whole process, with a routine that passes every call on to Linux.

use std::arch::naked_asm;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::time::Duration;

use acrida_loader::patch::{Layout, Method, Site, Stubs, Symbol, Text, TextFile, analyse, apply, build};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

const PAGE: usize = 4096;

static SEEN_RAX: AtomicU64 = AtomicU64::new(0);
static SEEN_RCX: AtomicU64 = AtomicU64::new(0);
/// The noting kernel is one for all tests.
static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Notes rax and rcx, returns rax + 1000; keeps flags, stack and red zone.
#[unsafe(naked)]
extern "C" fn noting_kernel() {
    naked_asm!(
        "mov [rip + {rax}], rax",
        "mov [rip + {rcx}], rcx",
        "lea rax, [rax + 1000]",
        "jmp rcx",
        rax = sym SEEN_RAX,
        rcx = sym SEEN_RCX,
    )
}

/// One function of machine code, patched, with its stubs in the page behind it.
struct Patched {
    address: u64,
    sites: Vec<Site>,
    stubs: Stubs,
}

impl Patched {
    fn new(code: &[u8], functions: &[(u64, u64)]) -> Self {
        // SAFETY: a new mapping at an address of the kernel's choice.
        let map =
            unsafe { mmap_anonymous(std::ptr::null_mut(), 2 * PAGE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
        let map = map.unwrap().cast::<u8>();
        let address = map as u64;
        let symbols: Vec<Symbol> = functions.iter().map(|&(at, len)| Symbol { vaddr: address + at, len }).collect();
        let sites = analyse(&Text { bytes: code, vaddr: address, unwind: None, symbols: &symbols });
        let entry = noting_kernel as extern "C" fn() as usize as u64;
        let layout = Layout { text_vaddr: address, stub_vaddr: address + PAGE as u64, entry };
        let mut text = code.to_vec();
        let stubs = apply(&mut text, &sites, &layout);
        assert!(text.len() <= PAGE && stubs.bytes.len() <= PAGE);
        // SAFETY: both pages are ours and writable, both slices fit into one, nobody else knows them.
        unsafe { map.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        // SAFETY: as above.
        unsafe { map.add(PAGE).copy_from_nonoverlapping(stubs.bytes.as_ptr(), stubs.bytes.len()) };
        // SAFETY: the same two pages; they are leaked, so code that runs in them stays.
        unsafe { mprotect(map.cast(), 2 * PAGE, MprotectFlags::READ | MprotectFlags::EXEC) }.unwrap();
        Patched { address, sites, stubs }
    }

    /// Runs the code as a function of one argument; returns its result and what the kernel saw in rax and rcx.
    fn run(&self, argument: u64) -> (u64, u64, u64) {
        let _turn = TURN.lock().unwrap();
        // SAFETY: the tests' code follows the C calling convention and was made executable above.
        let function = unsafe { std::mem::transmute::<u64, extern "C" fn(u64) -> u64>(self.address) };
        let result = function(argument);
        (result, SEEN_RAX.load(Ordering::Relaxed), SEEN_RCX.load(Ordering::Relaxed))
    }
}

#[test]
fn the_instruction_before() {
    // mov $39,%eax; syscall; ret
    let patched = Patched::new(&[0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3], &[(0, 8)]);
    assert_eq!(patched.run(0), (1039, 39, patched.address + 7));
}

#[test]
fn instructions_in_between_and_a_relative_operand() {
    let mut code = vec![0xb8, 5, 0, 0, 0]; // mov $5,%eax
    code.extend([0x48, 0x8d, 0x77, 0x10]); // lea 16(%rdi),%rsi
    code.extend([0x48, 0x03, 0x05, 5, 0, 0, 0]); // add number(%rip),%rax
    code.extend([0x01, 0xf0]); // add %esi,%eax
    code.extend([0x0f, 0x05, 0xc3]); // syscall; ret
    let len = code.len() as u64;
    code.extend(100u64.to_le_bytes()); // number
    let patched = Patched::new(&code, &[(0, len)]);
    assert_eq!(patched.sites[0].method, Method::Instruction { start: 9, len: 7 });
    let seen = 5 + 100 + 7 + 16;
    assert_eq!(patched.run(7), (seen + 1000, seen, patched.address + len - 1));
}

#[test]
fn padding_between_functions() {
    // mov %rdi,%rax; syscall; ret; six bytes of filler; ret
    let code = [0x48, 0x89, 0xf8, 0x0f, 0x05, 0xc3, 0x66, 0x0f, 0x1f, 0x44, 0, 0, 0xc3];
    let patched = Patched::new(&code, &[(0, 6), (12, 1)]);
    assert_eq!(patched.sites[0].method, Method::Padding { slot: 6 });
    assert_eq!(patched.run(42), (1042, 42, patched.address + 5));
}

#[test]
fn flags_and_red_zone_survive() {
    let mut code = vec![0x48, 0x89, 0x7c, 0x24, 0xf8]; // mov %rdi,-8(%rsp)
    code.push(0xf9); // stc
    code.extend([0xb8, 1, 0, 0, 0, 0x0f, 0x05]); // mov $1,%eax; syscall
    code.extend([0x48, 0x8b, 0x44, 0x24, 0xf8]); // mov -8(%rsp),%rax
    code.extend([0x48, 0x83, 0xd0, 0x00, 0xc3]); // adc $0,%rax; ret
    let patched = Patched::new(&code, &[(0, code.len() as u64)]);
    assert_eq!(patched.stubs.patched.len(), 1);
    assert_eq!(patched.run(0x1234_5678_9abc), (0x1234_5678_9abd, 1, patched.address + 13));
}

#[test]
fn two_sites_in_one_function() {
    // mov $1,%eax; syscall; mov %rax,%rdi; mov %edi,%eax; syscall; ret: the second has only its neighbours' filler.
    let mut code = vec![0xb8, 1, 0, 0, 0, 0x0f, 0x05, 0x48, 0x89, 0xc7, 0x89, 0xf8, 0x0f, 0x05, 0xc3];
    code.extend([0xcc; 5]);
    code.push(0xc3);
    let patched = Patched::new(&code, &[(0, 15), (20, 1)]);
    assert_eq!(patched.sites.len(), 2);
    assert_eq!(patched.sites[1].method, Method::Padding { slot: 15 });
    assert_eq!(patched.run(0), (2001, 1001, patched.address + 14));
}

/// Calls passed on, and where the last ones came from.
static PASSED: AtomicU64 = AtomicU64::new(0);
static RETURNS: AtomicPtr<u64> = AtomicPtr::new(std::ptr::null_mut());
const RETURNS_LEN: usize = 1 << 16;

/// Notes the return address and makes the call; uses the stack only below the red zone.
#[unsafe(naked)]
extern "C" fn passing_kernel() {
    naked_asm!(
        "mov r11d, 1",
        "lock xadd [rip + {passed}], r11",
        "and r11d, {mask}",
        "shl r11, 3",
        "add r11, [rip + {returns}]",
        "mov [r11], rcx",
        "lea rsp, [rsp - 128]",
        "push rcx",
        "syscall",
        "pop rcx",
        "lea rsp, [rsp + 128]",
        "jmp rcx",
        passed = sym PASSED,
        mask = const RETURNS_LEN - 1,
        returns = sym RETURNS,
    )
}

/// Calls that return on another stack, or mean their own: the passing kernel keeps its return address there.
fn changes_stack(site: &Site, text: &[u8]) -> bool {
    let before = &text[(site.at as usize).saturating_sub(24)..site.at as usize];
    [15u8, 56, 57, 58].iter().any(|&number| before.windows(5).any(|w| w[1..] == [number, 0, 0, 0]))
        || before.windows(5).any(|w| w == [0xb8, 0xb3, 1, 0, 0])
}

/// Path, base address and bytes of the C library of this process.
fn c_library() -> (String, u64) {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.contains("/libc.")).unwrap();
    let start = line.split('-').next().unwrap();
    (line.split_whitespace().nth(5).unwrap().into(), u64::from_str_radix(start, 16).unwrap())
}

/// Patches the C library this process runs on; returns the addresses that its stubs return to.
fn patch_c_library() -> BTreeSet<u64> {
    let returns = vec![0u64; RETURNS_LEN].leak();
    RETURNS.store(returns.as_mut_ptr(), Ordering::Release);
    let (path, base) = c_library();
    let bytes = std::fs::read(path).unwrap();
    let file = TextFile::read(&bytes.as_slice()).unwrap().unwrap();
    let text = file.text();
    let sites: Vec<Site> = analyse(&text).into_iter().filter(|site| !changes_stack(site, text.bytes)).collect();

    let len = (sites.len() * 64).next_multiple_of(PAGE);
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
    let stub_vaddr = (1..1000)
        .map(|step| base as usize - step * (1 << 20))
        // SAFETY: FIXED_NOREPLACE takes nothing that is in use.
        .find(|&at| unsafe { mmap_anonymous(at as *mut _, len, prot, flags) }.is_ok())
        .unwrap();
    let entry = passing_kernel as extern "C" fn() as usize as u64;
    let layout = Layout { text_vaddr: base + text.vaddr, stub_vaddr: stub_vaddr as u64, entry };
    let stubs = build(text.bytes, &sites, &layout);
    assert!(stubs.bytes.len() <= len && stubs.patched.len() * 100 >= sites.len() * 95);
    // SAFETY: the new mapping is writable, ours, and large enough.
    unsafe { (stub_vaddr as *mut u8).copy_from_nonoverlapping(stubs.bytes.as_ptr(), stubs.bytes.len()) };
    // SAFETY: our own mapping.
    unsafe { mprotect(stub_vaddr as *mut _, len, MprotectFlags::READ | MprotectFlags::EXEC) }.unwrap();

    let start = layout.text_vaddr as *mut u8;
    let text_len = text.bytes.len().next_multiple_of(PAGE);
    let writable = MprotectFlags::READ | MprotectFlags::WRITE | MprotectFlags::EXEC;
    // SAFETY: the whole text segment of the library, which stays executable meanwhile.
    unsafe { mprotect(start.cast(), text_len, writable) }.unwrap();
    for patch in &stubs.patches {
        let to = start.wrapping_add(patch.at as usize);
        // SAFETY: inside the text; the only other thread sleeps in the kernel, and this one runs none of these bytes.
        unsafe { to.copy_from_nonoverlapping(patch.bytes().as_ptr(), patch.bytes().len()) };
    }
    // SAFETY: as before.
    unsafe { mprotect(start.cast(), text_len, MprotectFlags::READ | MprotectFlags::EXEC) }.unwrap();
    stubs.patched.iter().map(|site| layout.text_vaddr + u64::from(site.at) + 2).collect()
}

#[test]
#[ignore = "started by the_c_library_works_patched in a process of its own"]
fn patched_child() {
    let expected = patch_c_library();
    work_with_the_system();
    let calls = PASSED.load(Ordering::Relaxed) as usize;
    let returns = RETURNS.load(Ordering::Acquire);
    // SAFETY: RETURNS_LEN words, leaked above; words still being written are read as either value.
    let seen = unsafe { std::slice::from_raw_parts(returns, calls.min(RETURNS_LEN)) };
    let distinct: BTreeSet<u64> = seen.iter().copied().collect();
    assert!(distinct.is_subset(&expected));
    println!("{calls} calls through {} of {} stubs", distinct.len(), expected.len());
    assert!(calls > 500 && distinct.len() > 20);
}

/// Files, threads, locks, sockets, processes.
fn work_with_the_system() {
    let directory = std::env::temp_dir().join(format!("acrida-loader-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    for index in 0..50 {
        let path = directory.join(index.to_string());
        std::fs::write(&path, vec![index; 10_000]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), vec![index; 10_000]);
    }
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 50);
    std::fs::rename(directory.join("1"), directory.join("x")).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(std::fs::metadata(&directory).is_err());

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        text
    });
    let mut client = std::net::TcpStream::connect(address).unwrap();
    client.write_all(&[7; 100_000]).unwrap();
    drop(client);
    assert_eq!(server.join().unwrap(), [7; 100_000]);

    let (sender, receiver) = std::sync::mpsc::channel();
    let threads: Vec<_> = (0..8u64)
        .map(|id| {
            let sender = sender.clone();
            std::thread::spawn(move || (0..500).for_each(|n| sender.send(id * n).unwrap()))
        })
        .collect();
    drop(sender);
    assert_eq!(receiver.iter().sum::<u64>(), (0..8).sum::<u64>() * (0..500).sum::<u64>());
    threads.into_iter().for_each(|thread| thread.join().unwrap());

    let output = std::process::Command::new("sh").args(["-c", "echo $((6 * 7))"]).output().unwrap();
    assert_eq!(output.stdout, b"42\n");
}

#[test]
fn the_c_library_works_patched() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "patched_child", "--ignored", "--nocapture"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let text = receiver.recv_timeout(Duration::from_secs(30));
    if text.is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let text = text.expect("the patched process hangs");
    println!("{text}");
    assert!(status.success(), "{status}: {text}");
}
