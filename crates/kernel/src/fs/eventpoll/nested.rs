//! Sets that watch sets: no circles, not too deep, not too many ways up from a file.
//!
//! A wake-up of a file climbs every way from it to a set that nobody watches. Circles would never end, and a lattice of
//! sets multiplies the ways; so what `epoll_ctl` adds is checked against both while all such changes stand still.
//!
//! Mirrors: fs/eventpoll.c (`ep_loop_check`, `reverse_path_check`), Linux 6.18.
//! Differs: none that a program sees.
//! Locking: [`Nesting::lock`] first; a walk down holds `interest` of the sets it is in, a walk up only looks at lists.

use alloc::collections::BTreeMap;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::sync::{SpinLock, SpinLockGuard};

use super::Eventpoll;
use super::file::as_set;
use super::item::Watchers;
use crate::fs::file::{File, FileRef};

/// Sets in one chain, beyond the first.
#[doc(alias = "EP_MAX_NESTS")]
const MAX_NESTS: u32 = 4;
/// Ways up of each length that one file may have; the first row, a file in sets that nobody watches, is not counted.
#[doc(alias = "path_limits")]
const PATH_LIMITS: [u32; MAX_NESTS as usize + 1] = [1000, 500, 100, 50, 10];

/// Where changes that could make a circle come one after the other.
#[derive(Default)]
pub struct Nesting {
    /// Linux's `epnested_mutex`.
    lock: SpinLock<()>,
    #[doc(alias = "loop_check_gen")]
    generation: AtomicU64,
}

/// The sets that watch `file`.
pub fn watchers(file: &File) -> &Watchers {
    match as_set(file) {
        Some(set) => &set.refs,
        None => &file.epoll,
    }
}

impl Nesting {
    /// Whether a check under way has been at `set`: what it found must not be changed behind its back.
    pub fn is_checking(&self, set: &Eventpoll) -> bool {
        set.generation.load(Ordering::SeqCst) == self.generation.load(Ordering::SeqCst)
    }

    /// Stops all other such changes until the check is dropped.
    pub fn begin(&self) -> Check<'_> {
        let guard = self.lock.lock();
        self.generation.fetch_add(1, Ordering::SeqCst);
        Check { nesting: self, files: BTreeMap::new(), _guard: guard }
    }
}

/// The right to link sets, and what the walk down has seen.
pub struct Check<'a> {
    nesting: &'a Nesting,
    /// Files below the target that are no sets, by address.
    #[doc(alias = "tfile_check_list")]
    files: BTreeMap<usize, FileRef>,
    _guard: SpinLockGuard<'a, ()>,
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.nesting.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl Check<'_> {
    /// Remembers a file whose ways up must be counted after the change.
    #[doc(alias = "list_file")]
    pub fn count_ways_of(&mut self, file: &FileRef) {
        self.files.entry(FileRef::as_ptr(file).addr()).or_insert_with(|| file.clone());
    }

    /// Whether `target` may be put into `set`: no circle, and no chain that is too long.
    #[doc(alias = "ep_loop_check")]
    pub fn may_nest(&mut self, set: &Eventpoll, target: &Eventpoll) -> bool {
        let below = self.depth_below(set, target, 0);
        below <= MAX_NESTS && below + 1 + self.depth_above(set) <= MAX_NESTS
    }

    fn known_depth(&self, set: &Eventpoll) -> Option<u32> {
        self.nesting.is_checking(set).then(|| set.loop_check_depth.load(Ordering::Relaxed))
    }

    fn note_depth(&self, set: &Eventpoll, depth: u32) {
        set.loop_check_depth.store(depth, Ordering::Relaxed);
        set.generation.store(self.nesting.generation.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// How deep the sets below `at` are nested; more than allowed when `wanted_above` is among them.
    #[doc(alias = "ep_loop_check_proc")]
    fn depth_below(&mut self, wanted_above: &Eventpoll, at: &Eventpoll, depth: u32) -> u32 {
        if let Some(known) = self.known_depth(at) {
            return known;
        }
        let interest = at.interest.lock();
        // Marked before the walk goes on: files added to it from now on wait for the check to end.
        self.note_depth(at, 0);
        let mut result = 0;
        for epi in interest.tree.iter() {
            let Some(file) = epi.file.upgrade() else {
                continue;
            };
            match as_set(&file) {
                Some(next) if core::ptr::eq(&**next, wanted_above) || depth > MAX_NESTS => result = MAX_NESTS + 1,
                Some(next) => result = result.max(self.depth_below(wanted_above, next, depth + 1) + 1),
                None => self.count_ways_of(&file),
            }
            if result > MAX_NESTS {
                break;
            }
        }
        self.note_depth(at, result);
        result
    }

    /// How many sets lie above `at`.
    #[doc(alias = "ep_get_upwards_depth_proc")]
    fn depth_above(&self, at: &Eventpoll) -> u32 {
        if let Some(known) = self.known_depth(at) {
            return known;
        }
        let result = at.refs.sets().iter().map(|above| self.depth_above(above) + 1).max().unwrap_or(0);
        self.note_depth(at, result);
        result
    }

    /// Whether every file seen has few enough ways up now.
    #[doc(alias = "reverse_path_check")]
    pub fn ways_are_few(&self) -> bool {
        self.files.values().all(|file| Ways::default().climb(&file.epoll, 0))
    }
}

/// Ways up from one file, by length.
#[derive(Default)]
#[doc(alias = "path_count")]
struct Ways([u32; PATH_LIMITS.len()]);

impl Ways {
    /// Counts the ways that begin at `watchers`; whether they are few and short enough.
    #[doc(alias = "reverse_path_check_proc")]
    fn climb(&mut self, watchers: &Watchers, depth: usize) -> bool {
        if depth >= PATH_LIMITS.len() {
            return false;
        }
        watchers.sets().iter().all(|set| if set.refs.is_empty() { self.count(depth) } else { self.climb(&set.refs, depth + 1) })
    }

    #[doc(alias = "path_count_inc")]
    fn count(&mut self, depth: usize) -> bool {
        if depth == 0 {
            return true;
        }
        self.0[depth] += 1;
        self.0[depth] <= PATH_LIMITS[depth]
    }
}
