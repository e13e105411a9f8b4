//! Whatever the bytes, parsing ends with a value or an errno.

use std::sync::OnceLock;

use acrida_loader::{Backing, HEAD_LEN, Role, Script, plan, probe};
use proptest::prelude::*;

const TASK_SIZE: u64 = 0x7c00_0000_0000;

/// The start of a valid file, into which the strategies write rubbish.
fn base() -> Vec<u8> {
    static BASE: OnceLock<Vec<u8>> = OnceLock::new();
    let read = || {
        let mut bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        bytes.truncate(8192);
        bytes
    };
    BASE.get_or_init(read).clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = probe(&bytes.as_slice(), TASK_SIZE);
    }

    #[test]
    fn a_broken_real_file(hits in proptest::collection::vec((0usize..1024, prop_oneof![Just(0u8), Just(0xff), any::<u8>()]), 1..12)) {
        let mut bytes = base();
        for (at, byte) in hits {
            bytes[at] = byte;
        }
        for (role, task_size) in [(Role::Program, TASK_SIZE), (Role::Interpreter, u64::MAX)] {
            if let Ok(plan) = plan(&bytes.as_slice(), role, task_size) {
                for mapping in &plan.mappings {
                    prop_assert_eq!((mapping.vaddr | mapping.len) % 4096, 0);
                    prop_assert!(mapping.len > 0 && plan.span.start <= mapping.vaddr && mapping.vaddr + mapping.len <= plan.span.end);
                    if let Backing::File { offset, zero_tail } = mapping.backing {
                        prop_assert!(offset % 4096 == 0 && zero_tail < 4096);
                    }
                }
            }
        }
    }

    #[test]
    fn script_lines(line in proptest::collection::vec(prop_oneof![Just(b' '), Just(b'\t'), Just(b'\n'), Just(0u8), Just(b'/'), any::<u8>()], 0..254)) {
        let mut head = [0u8; HEAD_LEN];
        head[..2].copy_from_slice(b"#!");
        head[2..2 + line.len()].copy_from_slice(&line);
        if let Ok(script) = Script::parse(&head) {
            prop_assert!(script.interpreter.len() + script.argument.map_or(0, |a| a.len()) < HEAD_LEN);
        }
    }
}
