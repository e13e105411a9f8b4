//! Sites of the C library and the dynamic linker that this test runs on.

use std::collections::BTreeMap;

use acrida_loader::patch::{Layout, Method, SYSCALL, Site, TextFile, analyse, apply};

/// Paths of the C library and the dynamic linker, as this process has mapped them.
fn libraries() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut paths: Vec<String> = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .filter(|path| ["/libc.", "/libc-", "/ld-"].iter().any(|name| path.contains(name)))
        .map(String::from)
        .collect();
    paths.dedup();
    paths
}

fn counts(sites: &[Site]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for site in sites {
        let name = match site.method {
            Method::Instruction { start, len } if start + u32::from(len) == site.at => "instruction before",
            Method::Instruction { .. } => "instruction farther up",
            Method::Padding { .. } => "padding",
            Method::Trap(_) => "trap",
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

#[test]
fn nearly_all_sites_of_the_c_library_are_patched() {
    assert!(libraries().len() >= 2, "this process has other libraries: {:?}", libraries());
    for path in libraries() {
        let bytes = std::fs::read(&path).unwrap();
        let file = TextFile::read(&bytes.as_slice()).unwrap().unwrap();
        let text = file.text();
        let sites = analyse(&text);
        let layout = Layout {
            text_vaddr: text.vaddr,
            stub_vaddr: text.vaddr + text.bytes.len().next_multiple_of(4096) as u64,
            entry: 0x7fff_0000_0000,
        };
        let mut patched = text.bytes.to_vec();
        let stubs = apply(&mut patched, &sites, &layout);
        println!("{path}: {} sites, {:?}, {} bytes of stubs", sites.len(), counts(&sites), stubs.bytes.len());
        assert!(sites.len() >= 20, "{path}");
        assert!(stubs.patched.len() * 100 >= sites.len() * 95, "{path}: {} of {}", stubs.patched.len(), sites.len());
        check_consistency(text.bytes, &patched, &sites, &layout);
    }
}

/// What must hold for any text: patches touch only what they name, and every stub ends where its site goes on.
fn check_consistency(before: &[u8], after: &[u8], sites: &[Site], layout: &Layout) {
    let stubs = acrida_loader::patch::build(before, sites, layout);
    let mut expected = before.to_vec();
    for patch in &stubs.patches {
        let range = patch.at as usize..patch.at as usize + patch.bytes().len();
        assert_eq!(&expected[range.clone()], &before[range.clone()], "two patches in one place");
        expected[range].copy_from_slice(patch.bytes());
    }
    assert_eq!(expected, after);
    let distance = (layout.stub_vaddr - layout.text_vaddr) as i64;
    for site in &stubs.patched {
        let at = site.at as usize;
        assert_eq!(before[at..at + 2], SYSCALL);
        assert_eq!(stubs.site_before(site.at + 2), Some(*site));
        let rewind = stubs.rewinds.iter().rfind(|rewind| rewind.to == site.at).unwrap();
        // The end of the stub: lea return(%rip),%rcx; jmp *entry(%rip).
        let end = &stubs.bytes[(rewind.from - distance).max(0) as usize..][..13];
        if rewind.len == 13 {
            let word = |at: usize| i64::from(i32::from_le_bytes(end[at..at + 4].try_into().unwrap()));
            assert_eq!(rewind.from + 7 + word(3), i64::from(site.at) + 2);
            assert_eq!(rewind.from + 13 + word(9), distance);
        }
        assert_eq!(stubs.rewind(rewind.from), Some(site.at));
    }
    assert_eq!(stubs.rewind(distance), None);
    assert_eq!(stubs.rewind(-1), None);
    assert_eq!(stubs.bytes[..8], layout.entry.to_le_bytes());
}

#[test]
fn stubs_out_of_reach_are_left_out() {
    let path = libraries().remove(0);
    let bytes = std::fs::read(path).unwrap();
    let file = TextFile::read(&bytes.as_slice()).unwrap().unwrap();
    let text = file.text();
    let sites = analyse(&text);
    for stub_vaddr in [text.vaddr + (1 << 31), text.vaddr.wrapping_sub(1 << 32), 1 << 63] {
        let stubs = apply(&mut text.bytes.to_vec(), &sites, &Layout { text_vaddr: text.vaddr, stub_vaddr, entry: 0 });
        assert!(stubs.patched.len() < sites.len(), "{stub_vaddr:x}");
        assert!(stubs.patches.is_empty() || stub_vaddr == text.vaddr + (1 << 31));
    }
}
