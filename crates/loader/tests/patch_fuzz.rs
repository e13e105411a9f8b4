//! Whatever the bytes, the analysis ends, and applying it changes nothing but what it says.

use acrida_loader::patch::{Layout, SYSCALL, Symbol, Text, TextFile, Unwind, analyse, apply, build};
use proptest::prelude::*;

/// Pieces of code that meet the interesting paths more often than random bytes do.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(SYSCALL.to_vec()),
        (0u8..=80).prop_map(|number| vec![0xb8, number, 0, 0, 0]),
        Just(vec![0x31, 0xc0]),
        any::<i8>().prop_map(|distance| vec![0x75, distance as u8]),
        (-200i32..200).prop_map(|distance| [&[0xe9][..], &distance.to_le_bytes()].concat()),
        (-200i32..200).prop_map(|distance| [&[0x48, 0x8d, 0x3d][..], &distance.to_le_bytes()].concat()),
        Just(vec![0xc3]),
        (1usize..12).prop_map(|len| vec![0x90; len]),
        Just(vec![0xff, 0xe0]),
        proptest::collection::vec(any::<u8>(), 1..6),
    ]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn pieces_of_code(
        pieces in proptest::collection::vec(piece(), 0..60),
        cuts in proptest::collection::vec((0u64..256, 0u64..256), 0..6),
        distance in prop_oneof![0u64..1 << 33, any::<u64>()],
        vaddr in prop_oneof![Just(0x1000u64), any::<u64>()],
    ) {
        let code = pieces.concat();
        let symbols: Vec<Symbol> = cuts.iter().map(|&(at, len)| Symbol { vaddr: vaddr.wrapping_add(at), len }).collect();
        let sites = analyse(&Text { bytes: &code, vaddr, unwind: None, symbols: &symbols });
        prop_assert!(sites.windows(2).all(|pair| pair[0].at < pair[1].at));
        for site in &sites {
            prop_assert_eq!(&code[site.at as usize..][..2], SYSCALL);
        }
        let layout = Layout { text_vaddr: vaddr, stub_vaddr: vaddr.wrapping_add(distance), entry: 1 };
        let mut patched = code.clone();
        let stubs = apply(&mut patched, &sites, &layout);
        prop_assert_eq!(&stubs, &build(&code, &sites, &layout));
        let mut changed: Vec<u32> = stubs.patches.iter().flat_map(|p| p.at..p.at + p.bytes().len() as u32).collect();
        changed.sort_unstable();
        prop_assert!(changed.windows(2).all(|pair| pair[0] != pair[1]), "patches overlap");
        for (at, (old, new)) in code.iter().zip(&patched).enumerate() {
            prop_assert!(old == new || changed.binary_search(&(at as u32)).is_ok());
        }
        for rewind in &stubs.rewinds {
            prop_assert_eq!(stubs.rewind(rewind.from), Some(rewind.to));
        }
    }

    #[test]
    fn rubbish_for_unwind_tables(table in proptest::collection::vec(any::<u8>(), 0..200), header in 0u64..64, mark in any::<bool>()) {
        let mut bytes = table;
        // A header that is taken for one, with rubbish behind it.
        if let Some(start) = bytes.get_mut(header as usize..header as usize + 4).filter(|_| mark) {
            start.copy_from_slice(&[1, 0x1b, 0x03, 0x3b]);
        }
        for vaddr in [0, 0x1000, u64::MAX - 100] {
            let unwind = Unwind { bytes: &bytes, vaddr, header: vaddr.wrapping_add(header) };
            let code = [0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3];
            analyse(&Text { bytes: &code, vaddr: 0x1000, unwind: Some(unwind), symbols: &[] });
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn broken_real_files(hits in proptest::collection::vec((0usize..4096, any::<u8>()), 1..20), cut in 0usize..1 << 20) {
        static FILE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let file = FILE.get_or_init(|| {
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            let linker = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains("/ld-"));
            std::fs::read(linker.unwrap()).unwrap()
        });
        let mut bytes = file.clone();
        let len = bytes.len();
        for (at, byte) in hits {
            // Half of them where the tables are: headers in front, sections and symbols at the end.
            let at = if at % 2 == 0 { at / 8 } else { len - 1 - at };
            bytes[at] = byte;
        }
        bytes.truncate(len.saturating_sub(cut.saturating_sub(1 << 19)));
        if let Ok(Some(object)) = TextFile::read(&bytes.as_slice()) {
            let text = object.text();
            let sites = analyse(&text);
            build(text.bytes, &sites, &Layout { text_vaddr: text.vaddr, stub_vaddr: text.vaddr ^ 0x100_0000, entry: 0 });
        }
    }
}
