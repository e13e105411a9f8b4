//! The tree of areas against a map from page to area, which knows no ranges, no merging and no shortcuts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

// The tree takes no lock, but the code around it asks for the calling thread.
use acrida_platform_sim as _;

use acrida_kernel::mm::vma::{Backing, PAGE_SIZE, SharedAnon, VmFlags, Vma};
use acrida_kernel::mm::vma_tree::{STACK_GUARD_GAP, VmaTree};
use proptest::prelude::*;

/// Pages of the model's address space.
const PAGES: u64 = 64;

/// What one page shows: rights, and the page of the one shared object behind it (or private memory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Page {
    flags: VmFlags,
    object_page: Option<u64>,
}

#[derive(Clone, Debug)]
enum Step {
    Map {
        pages: Range<u64>,
        flags: VmFlags,
        object_page: Option<u64>,
    },
    Unmap(Range<u64>),
    Protect(Range<u64>, VmFlags),
    /// Finds a hole from above and maps it.
    Place {
        len: u64,
    },
}

fn pages() -> impl Strategy<Value = Range<u64>> {
    (0..PAGES, 1..12u64).prop_map(|(start, len)| start..(start + len).min(PAGES))
}

fn flags() -> impl Strategy<Value = VmFlags> {
    prop_oneof![
        Just(VmFlags::READ),
        Just(VmFlags::READ | VmFlags::WRITE),
        Just(VmFlags::READ | VmFlags::EXEC),
        Just(VmFlags::READ | VmFlags::WRITE | VmFlags::LOCKED),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (pages(), flags(), proptest::option::of(0..4u64)).prop_map(|(pages, flags, object_page)| Step::Map {
            pages,
            flags,
            object_page
        }),
        pages().prop_map(Step::Unmap),
        (pages(), flags()).prop_map(|(pages, flags)| Step::Protect(pages, flags)),
        (1..8u64).prop_map(|len| Step::Place { len }),
    ]
}

fn bytes(pages: &Range<u64>) -> Range<u64> {
    pages.start * PAGE_SIZE..pages.end * PAGE_SIZE
}

#[derive(Default)]
struct Both {
    tree: VmaTree,
    model: BTreeMap<u64, Page>,
    object: Option<Arc<SharedAnon>>,
}

impl Both {
    fn object(&mut self) -> Arc<SharedAnon> {
        self.object.get_or_insert_with(|| Arc::new(SharedAnon { ino: 1 })).clone()
    }

    fn map(&mut self, pages: &Range<u64>, flags: VmFlags, object_page: Option<u64>) {
        let backing = match object_page {
            Some(page) => Backing::Shared(self.object(), page * PAGE_SIZE),
            None => Backing::Anonymous,
        };
        let at = bytes(pages);
        self.tree.remove(at.clone());
        self.tree.insert(at.start, Vma { end: at.end, flags, backing });
        for page in pages.clone() {
            let object_page = object_page.map(|first| first + page - pages.start);
            self.model.insert(page, Page { flags, object_page });
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Map { pages, flags, object_page } => self.map(&pages, flags, object_page),
            Step::Unmap(pages) => {
                let removed = self.tree.remove(bytes(&pages));
                let gone: u64 = removed.iter().map(|(start, vma)| vma.end - start).sum();
                let before = self.model.len() as u64;
                self.model.retain(|page, _| !pages.contains(page));
                assert_eq!(gone, (before - self.model.len() as u64) * PAGE_SIZE);
            }
            Step::Protect(pages, flags) => {
                self.tree.update(bytes(&pages), |_, vma| vma.flags = flags);
                for (_, page) in self.model.range_mut(pages) {
                    page.flags = flags;
                }
            }
            Step::Place { len } => {
                let found = self.tree.find_hole_down(len * PAGE_SIZE, 0..PAGES * PAGE_SIZE, PAGE_SIZE);
                let free = |start: &u64| (*start..start + len).all(|page| !self.model.contains_key(&page));
                let expected = (0..=PAGES - len).rev().find(free).map(|page| page * PAGE_SIZE);
                assert_eq!(found, expected, "hole for {len} pages");
                if let Some(at) = found {
                    let first = at / PAGE_SIZE;
                    self.map(&(first..first + len), VmFlags::READ, None);
                }
            }
        }
        self.compare();
    }

    fn compare(&self) {
        let mut seen = BTreeMap::new();
        let mut last: Option<(u64, Vma)> = None;
        for (start, vma) in self.tree.iter() {
            if let Some((last_start, last)) = &last {
                assert!(last.end <= start, "areas overlap");
                assert!(last.end < start || !last.can_merge(*last_start, vma), "neighbours that are one were not joined");
            }
            for page in start / PAGE_SIZE..vma.end / PAGE_SIZE {
                let into = page * PAGE_SIZE - start;
                let object_page = match &vma.backing {
                    Backing::Shared(_, offset) => Some((offset + into) / PAGE_SIZE),
                    _ => None,
                };
                seen.insert(page, Page { flags: vma.flags, object_page });
            }
            last = Some((start, vma.clone()));
        }
        assert_eq!(seen, self.model);
        let totals = self.tree.totals();
        let count = |test: fn(&Page) -> bool| self.model.values().filter(|page| test(page)).count() as u64 * PAGE_SIZE;
        assert_eq!(totals.total, count(|_| true));
        assert_eq!(totals.locked, count(|page| page.flags.contains(VmFlags::LOCKED)));
        assert_eq!(totals.data, count(|page| page.flags.contains(VmFlags::WRITE)));
        for page in 0..PAGES {
            let hit = self.tree.get(page * PAGE_SIZE + 1).is_some();
            assert_eq!(hit, self.model.contains_key(&page));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_is_the_page_map(steps in proptest::collection::vec(step(), 1..60)) {
        let mut both = Both::default();
        for step in steps {
            both.run(step);
        }
    }

    #[test]
    fn ranges_are_covered_as_pages_say(maps in proptest::collection::vec(pages(), 0..8), asked in pages()) {
        let mut both = Both::default();
        for pages in &maps {
            both.map(pages, VmFlags::READ, None);
        }
        let has = |page: u64| both.model.contains_key(&page);
        let range = bytes(&asked);
        prop_assert_eq!(both.tree.covers(range.clone()), asked.clone().all(has));
        prop_assert_eq!(both.tree.is_free(range.clone()), !asked.clone().any(has));
        prop_assert_eq!(both.tree.covered_bytes(range), asked.filter(|&page| has(page)).count() as u64 * PAGE_SIZE);
    }
}

/// A stack at page 1024 with room below, and an ordinary area.
#[test]
fn a_stack_keeps_its_distance() {
    let mut tree = VmaTree::new();
    let top = 1024 * PAGE_SIZE;
    let flags = VmFlags::READ | VmFlags::WRITE | VmFlags::GROWSDOWN;
    tree.insert(top - PAGE_SIZE, Vma { end: top, flags, ..Vma::default() });
    let guard = top - PAGE_SIZE - STACK_GUARD_GAP;
    assert_eq!(tree.find_hole_down(PAGE_SIZE, 0..top, PAGE_SIZE), Some(guard - PAGE_SIZE));
    assert!(!tree.is_placeable(guard..guard + PAGE_SIZE));
    assert!(tree.is_placeable(guard - PAGE_SIZE..guard));
    assert_eq!(tree.totals().stack, PAGE_SIZE);
}

#[test]
fn holes_are_aligned_and_found_from_both_ends() {
    let mut tree = VmaTree::new();
    let all = 0..100 * PAGE_SIZE;
    let area = |end| Vma { end, flags: VmFlags::READ, ..Vma::default() };
    tree.insert(90 * PAGE_SIZE, area(95 * PAGE_SIZE));
    assert_eq!(tree.find_hole_down(PAGE_SIZE, all.clone(), 16 * PAGE_SIZE), Some(96 * PAGE_SIZE));
    assert_eq!(tree.find_hole_down(8 * PAGE_SIZE, all.clone(), 16 * PAGE_SIZE), Some(80 * PAGE_SIZE));
    assert_eq!(tree.find_hole_up(PAGE_SIZE, 91 * PAGE_SIZE..all.end, PAGE_SIZE), Some(95 * PAGE_SIZE));
    assert_eq!(tree.find_hole_up(8 * PAGE_SIZE, 91 * PAGE_SIZE..all.end, PAGE_SIZE), None);
}
