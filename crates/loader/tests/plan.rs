//! Plans of made-up and of real files.

use acrida_loader::binfmt_elf::header::{
    EM_X86_64, ET_DYN, ET_EXEC, Ehdr, PF_R, PF_W, PF_X, PT_GNU_STACK, PT_INTERP, PT_LOAD, Phdr,
};
use acrida_loader::{Backing, Error, Image, Kind, Mapping, Plan, Prot, Role, Source, plan, probe};
use zerocopy::IntoBytes;

const TASK_SIZE: u64 = 0x7c00_0000_0000;

fn phdr(p_type: u32, p_flags: u32, p_offset: u64, p_vaddr: u64, p_filesz: u64, p_memsz: u64) -> Phdr {
    Phdr { p_type, p_flags, p_offset, p_vaddr, p_paddr: 0, p_filesz, p_memsz, p_align: 4096 }
}

fn header(e_type: u16, phnum: usize) -> Ehdr {
    let mut e_ident = [0u8; 16];
    e_ident[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    Ehdr {
        e_ident,
        e_type,
        e_machine: EM_X86_64,
        e_version: 1,
        e_entry: 0x40_1000,
        e_phoff: 64,
        e_shoff: 0,
        e_flags: 0,
        e_ehsize: 64,
        e_phentsize: 56,
        e_phnum: phnum as u16,
        e_shentsize: 0,
        e_shnum: 0,
        e_shstrndx: 0,
    }
}

fn file(e_type: u16, phdrs: &[Phdr]) -> Vec<u8> {
    let mut bytes = header(e_type, phdrs.len()).as_bytes().to_vec();
    bytes.extend_from_slice(phdrs.as_bytes());
    bytes.resize(0x3000, 0);
    bytes
}

fn plan_of(phdrs: &[Phdr]) -> Result<Plan, Error> {
    plan(&file(ET_EXEC, phdrs).as_slice(), Role::Program, TASK_SIZE)
}

fn text() -> Phdr {
    phdr(PT_LOAD, PF_R | PF_X, 0, 0x40_0000, 0x1234, 0x1234)
}

#[test]
fn file_pages_zero_tail_and_anonymous_rest() {
    let data = phdr(PT_LOAD, PF_R | PF_W, 0x2e10, 0x40_3e10, 0x100, 0x3000);
    let plan = plan_of(&[text(), data]).unwrap();
    assert_eq!(plan.kind, Kind::Fixed);
    assert_eq!(plan.phdr_vaddr, 0x40_0040);
    assert_eq!((plan.span.start, plan.span.end), (0x40_0000, 0x40_7000));
    assert_eq!(plan.brk, 0x40_6e10);
    assert_eq!((plan.code.start, plan.code.end), (0x40_0000, 0x40_1234));
    assert_eq!((plan.data.start, plan.data.end), (0x40_3e10, 0x40_3f10));
    let rw = Prot::READ | Prot::WRITE;
    assert_eq!(
        plan.mappings,
        [
            Mapping {
                vaddr: 0x40_0000,
                len: 0x2000,
                prot: Prot::READ | Prot::EXEC,
                backing: Backing::File { offset: 0, zero_tail: 0 }
            },
            Mapping { vaddr: 0x40_3000, len: 0x1000, prot: rw, backing: Backing::File { offset: 0x2000, zero_tail: 0xf0 } },
            Mapping { vaddr: 0x40_4000, len: 0x3000, prot: rw, backing: Backing::Anonymous },
        ]
    );
}

#[test]
fn a_segment_of_bss_only_and_a_read_only_one_with_bss() {
    let bss = phdr(PT_LOAD, PF_R | PF_W, 0x17, 0x40_3e10, 0, 0x200);
    let odd = phdr(PT_LOAD, PF_R, 0, 0x50_0000, 0x10, 0x20);
    let plan = plan_of(&[text(), bss, odd]).unwrap();
    assert_eq!(plan.mappings[1].backing, Backing::Anonymous);
    assert_eq!((plan.mappings[1].vaddr, plan.mappings[1].len), (0x40_3000, 0x2000));
    assert_eq!(plan.mappings[2].backing, Backing::File { offset: 0, zero_tail: 0 });
    assert_eq!(plan.mappings.len(), 3);
}

#[test]
fn unmappable_segments_are_einval() {
    let bad = [
        phdr(PT_LOAD, PF_R, 0, 0x40_0000, 0x20, 0x10),
        phdr(PT_LOAD, PF_R, 1, 0x40_0000, 0x10, 0x10),
        phdr(PT_LOAD, PF_R, 0, u64::MAX - 0xfff, 0x10, 0x2000),
        phdr(PT_LOAD, PF_R, 0, 0, 0x10, u64::MAX),
        phdr(PT_LOAD, PF_R, 0, TASK_SIZE - 0x1000, 0x10, 0x1001),
        phdr(PT_LOAD, PF_R, u64::MAX - 0xfff, 0x40_0000, 0x1000, 0x1000),
        phdr(PT_LOAD, PF_R, i64::MAX as u64 & !0xfff, 0x40_0000, 0x1000, 0x1000),
    ];
    for phdr in bad {
        assert_eq!(plan_of(&[phdr]), Err(Error::Inval), "{phdr:x?}");
    }
    assert_eq!(plan_of(&[phdr(PT_GNU_STACK, PF_R, 0, 0, 0, 0)]), Err(Error::Inval));
}

#[test]
fn malformed_headers_are_enoexec_and_elibbad_for_the_interpreter() {
    let good = file(ET_DYN, &[text()]);
    let breaks: [(usize, &[u8]); 7] =
        [(0, b"X"), (4, &[1]), (16, &[1, 0]), (18, &[3, 0]), (54, &[32, 0]), (56, &[0, 0]), (32, &[0xff; 8])];
    for (at, bytes) in breaks {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(plan(&bad.as_slice(), Role::Program, TASK_SIZE), Err(Error::NoExec), "at {at}");
        assert_eq!(plan(&bad.as_slice(), Role::Interpreter, TASK_SIZE), Err(Error::LibBad), "at {at}");
    }
    for len in 0..120 {
        assert_eq!(probe(&&good[..len], TASK_SIZE), Err(Error::NoExec));
    }
    assert_eq!(Error::NoExec.errno(), 8);
}

#[test]
fn interpreter_paths() {
    let with_path = |path: &[u8]| {
        let interp = phdr(PT_INTERP, PF_R, 0x2000, 0, path.len() as u64, 0);
        let mut bytes = file(ET_DYN, &[interp, text()]);
        bytes[0x2000..0x2000 + path.len()].copy_from_slice(path);
        plan(&bytes.as_slice(), Role::Program, TASK_SIZE).map(|plan| plan.interp)
    };
    assert_eq!(with_path(b"/lib/ld.so\0"), Ok(Some(b"/lib/ld.so".to_vec())));
    assert_eq!(with_path(b"/lib\0ld.so\0"), Ok(Some(b"/lib".to_vec())));
    assert_eq!(with_path(b"/lib/ld.so"), Err(Error::NoExec));
    assert_eq!(with_path(b"\0"), Err(Error::NoExec));
    let outside = phdr(PT_INTERP, PF_R, 0x2ff8, 0, 16, 0);
    assert_eq!(plan_of(&[outside, text()]), Err(Error::Io));
}

#[test]
fn stack_header_decides_about_an_executable_stack() {
    let with = |flags| plan_of(&[text(), phdr(PT_GNU_STACK, flags, 0, 0, 0, 0)]).unwrap().stack_exec;
    assert!(with(PF_R | PF_W | PF_X));
    assert!(!with(PF_R | PF_W));
    assert!(!plan_of(&[text()]).unwrap().stack_exec);
}

#[test]
fn a_failing_source_keeps_its_errno() {
    struct Broken;
    impl Source for Broken {
        fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, Error> {
            Err(Error::Source(21))
        }
    }
    assert_eq!(probe(&Broken, TASK_SIZE).map_err(Error::errno), Err(21));
}

#[test]
fn this_very_test_program() {
    let path = std::env::current_exe().unwrap();
    let bytes = std::fs::read(path).unwrap();
    let Image::Elf(plan) = probe(&bytes.as_slice(), TASK_SIZE).unwrap() else { panic!("not ELF") };
    assert_eq!(plan.kind, Kind::Relocatable);
    assert!(plan.interp.as_ref().is_some_and(|path| path.starts_with(b"/lib")));
    assert!(plan.code.contains(&plan.entry));
    for pair in plan.mappings.windows(2) {
        assert!(pair[0].vaddr + pair[0].len <= pair[1].vaddr);
    }
    let interp = std::fs::read(String::from_utf8(plan.interp.unwrap()).unwrap()).unwrap();
    assert_eq!(plan_interp(&interp).interp, None);
}

fn plan_interp(bytes: &[u8]) -> Plan {
    plan(&bytes, Role::Interpreter, TASK_SIZE).unwrap()
}
