//! The initial stack, also compared with what Linux gave this test program.

use std::os::unix::fs::FileExt;

use acrida_loader::binfmt_elf::stack::{AT_EXECFN, AT_NULL, AT_PLATFORM, AT_RANDOM, MAX_ARG_STRLEN};
use acrida_loader::{Error, StackImage, StackSpec, arg_limit};

const TOP: u64 = 0x7bff_ffff_f000;

fn spec<'a>(argv: &'a [&'a [u8]], envp: &'a [&'a [u8]], auxv: &'a [(u64, u64)]) -> StackSpec<'a, &'a [u8]> {
    StackSpec {
        argv,
        envp,
        auxv,
        random: *b"0123456789abcdef",
        execfn: b"/bin/prog",
        platform: b"x86_64",
        stack_top: TOP,
        shift: 0,
        limit: arg_limit(8 << 20),
    }
}

fn word(image: &StackImage, addr: u64) -> u64 {
    let at = (addr - image.rsp) as usize;
    u64::from_le_bytes(image.bytes[at..at + 8].try_into().unwrap())
}

fn string(image: &StackImage, addr: u64) -> &[u8] {
    image.bytes[(addr - image.rsp) as usize..].split(|&byte| byte == 0).next().unwrap()
}

type Strings<'a> = Vec<&'a [u8]>;

/// Reads a stack as a C runtime does: argv, envp, auxv.
fn walk(image: &StackImage) -> (Strings<'_>, Strings<'_>, Vec<(u64, u64)>) {
    let mut at = image.rsp;
    let mut next = || {
        at += 8;
        word(image, at - 8)
    };
    let argc = next();
    let argv = (0..argc).map(|_| string(image, next())).collect();
    assert_eq!(next(), 0);
    let mut envp = Vec::new();
    loop {
        match next() {
            0 => break,
            addr => envp.push(string(image, addr)),
        }
    }
    let mut auxv = Vec::new();
    loop {
        match (next(), next()) {
            (AT_NULL, _) => break,
            pair => auxv.push(pair),
        }
    }
    (argv, envp, auxv)
}

#[test]
fn what_a_c_runtime_reads() {
    let auxv = [(6, 4096), (AT_RANDOM, 0), (AT_EXECFN, 0), (AT_PLATFORM, 0)];
    let image = spec(&[b"prog", b"", b"-x"], &[b"A=1", b"B=2"], &auxv).build().unwrap();
    assert_eq!(image.rsp % 16, 0);
    assert_eq!(image.rsp + image.bytes.len() as u64, TOP);
    let (argv, envp, auxv) = walk(&image);
    assert_eq!(argv, [&b"prog"[..], b"", b"-x"]);
    assert_eq!(envp, [&b"A=1"[..], b"B=2"]);
    assert_eq!(auxv[0], (6, 4096));
    assert!(string(&image, auxv[1].1).starts_with(b"0123456789abcdef"));
    assert_eq!(string(&image, auxv[2].1), b"/bin/prog");
    assert_eq!(string(&image, auxv[3].1), b"x86_64");
    assert_eq!(image.env.end + 10 + 8, TOP);
    let strings = &image.bytes[(image.args.start - image.rsp) as usize..];
    assert_eq!(strings, b"prog\0\0-x\0A=1\0B=2\0/bin/prog\0\0\0\0\0\0\0\0\0");
}

#[test]
fn no_arguments_become_one_empty_argument() {
    let image = spec(&[], &[], &[]).build().unwrap();
    assert_eq!(walk(&image).0, [b""]);
}

#[test]
fn every_shape_and_shift_is_aligned() {
    let strings: Vec<&[u8]> = vec![b"a"; 9];
    for (args, envs, shift) in (0..9).flat_map(|a| (0..9).flat_map(move |e| [0, 1, 8, 4095].map(|s| (a, e, s)))) {
        let auxv = [(AT_RANDOM, 0)];
        let image = StackSpec { shift, ..spec(&strings[..args], &strings[..envs], &auxv) }.build().unwrap();
        assert_eq!(image.rsp % 16, 0);
        assert_eq!(walk(&image).1.len(), envs);
    }
}

#[test]
fn too_big() {
    let long = vec![b'x'; MAX_ARG_STRLEN];
    assert_eq!(spec(&[&long], &[], &[]).build(), Err(Error::TooBig));
    assert!(spec(&[&long[1..]], &[], &[]).build().is_ok());
    let many: Vec<&[u8]> = vec![&long[1..]; 48];
    assert_eq!(spec(&[], &many, &[]).build(), Err(Error::TooBig));
    let empty: Vec<&[u8]> = vec![b""; 20_000];
    assert_eq!(StackSpec { limit: arg_limit(0), ..spec(&empty, &[], &[]) }.build(), Err(Error::TooBig));
    assert_eq!(StackSpec { stack_top: 64, ..spec(&[], &[], &[]) }.build(), Err(Error::TooBig));
    assert_eq!((arg_limit(0), arg_limit(8 << 20), arg_limit(u64::MAX)), (131_072, 2 << 20, 6 << 20));
}

/// Memory of this process, read through the kernel because the tests use no unsafe code.
fn memory(addr: u64, len: u64) -> Vec<u8> {
    let file = std::fs::File::open("/proc/self/mem").unwrap();
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, addr).unwrap();
    bytes
}

/// The strings of a file in /proc, each ended by a NUL.
fn strings_of(path: &str) -> Vec<Vec<u8>> {
    let mut list: Vec<Vec<u8>> = std::fs::read(path).unwrap().split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
    list.pop();
    list
}

#[test]
fn the_same_words_as_linux_gave_this_process() {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = &stat[stat.rfind(')').unwrap() + 2..];
    let fields: Vec<u64> = after_name.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let (start_stack, arg_start, env_start, env_end) = (fields[25], fields[45], fields[47], fields[48]);
    let pairs = std::fs::read("/proc/self/auxv").unwrap();
    let word_of = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let auxv: Vec<(u64, u64)> = pairs
        .chunks_exact(16)
        .map(|pair| (word_of(&pair[..8]), word_of(&pair[8..])))
        .take_while(|&(tag, _)| tag != AT_NULL)
        .collect();
    let value = |wanted| auxv.iter().find(|&&(tag, _)| tag == wanted).unwrap().1;
    let execfn = memory(value(AT_EXECFN), 4096.min(0u64.wrapping_sub(value(AT_EXECFN)) % 4096));
    let execfn = execfn.split(|&byte| byte == 0).next().unwrap();
    let spec = StackSpec {
        argv: &strings_of("/proc/self/cmdline"),
        envp: &strings_of("/proc/self/environ"),
        auxv: &auxv,
        random: memory(value(AT_RANDOM), 16).try_into().unwrap(),
        execfn,
        platform: b"x86_64",
        stack_top: value(AT_EXECFN) + execfn.len() as u64 + 1 + 8,
        // Linux's random shift is what lies between the strings and the platform name.
        shift: arg_start - (value(AT_PLATFORM) + 7),
        limit: arg_limit(8 << 20),
    };
    let image = spec.build().unwrap();
    assert_eq!(image.rsp, start_stack);
    assert_eq!((image.args.start, image.env.start, image.env.end), (arg_start, env_start, env_end));
    let len = image.auxv + (auxv.len() as u64 + 1) * 16 - image.rsp;
    assert_eq!(memory(image.rsp, len), image.bytes[..len as usize]);
}
