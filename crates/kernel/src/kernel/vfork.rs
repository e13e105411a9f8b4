//! The memory that a `vfork` child shares with its parent.
//!
//! Mirrors: kernel/fork.c (`wait_for_vfork_done`, `complete_vfork_done`), Linux 6.1.
//! Differs: the child is a host process with a copy of the memory, so what it stored is brought home when it lets the
//! parent go, at exec or at its end: the private pages that the host copied for it, which its page map tells apart. The
//! parent sleeps meanwhile, so every difference is the child's store. Other threads of the parent do not sleep: with them
//! only the pages of the calling thread's stack and thread pointer come home.
//! What the child mapped, unmapped or protected stays its own.
//! Locking: `left` alone; nothing else is taken under it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use acrida_kcore::platform::platform;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitOptions, WaitQueueHead};
use acrida_uapi::errno::Errno;
use acrida_uapi::fcntl::O_RDONLY;

use crate::current;
use crate::host::proc;
use crate::mm::MmStruct;
use crate::mm::vma::{PAGE_SIZE, VmFlags};

/// Pages that one child may bring home.
const MAX_PAGES: usize = 4096;
/// A larger area is a reservation; it is not searched unless the stack or the thread pointer lies in it.
const MAX_AREA: u64 = 256 << 20;
/// Page map entries read at once.
const ENTRIES: usize = 512;
/// Bits of a page map entry: present, of a file or shared, mapped by nobody else.
const PM_PRESENT: u64 = 1 << 63;
const PM_FILE: u64 = 1 << 61;
const PM_MMAP_EXCLUSIVE: u64 = 1 << 56;

/// One page as the child left it.
struct Page {
    at: u64,
    bytes: Vec<u8>,
}

/// What a vfork parent waits for.
#[doc(alias = "vfork_done")]
pub struct VforkDone {
    done: AtomicBool,
    queue: WaitQueueHead,
    scope: Scope,
    /// The parent's stack pointer and thread pointer.
    hot: [u64; 2],
    left: SpinLock<Vec<Page>>,
}

/// Where stores of the child are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Everywhere,
    /// In the areas of the parent's stack and thread pointer.
    CallingThread,
}

impl VforkDone {
    pub fn new(stack_pointer: u64) -> Arc<VforkDone> {
        let alone = current().process.threads.lock().len() == 1;
        Arc::new(VforkDone {
            done: AtomicBool::new(false),
            queue: WaitQueueHead::new(),
            scope: if alone { Scope::Everywhere } else { Scope::CallingThread },
            hot: [stack_pointer, platform().fs_base()],
            left: SpinLock::default(),
        })
    }

    /// Collects what the calling child changed; before its memory goes away.
    pub fn bring_home(&self, mm: &MmStruct) {
        // Without a page map the parent keeps what it had, as after a fork.
        if let Ok(pages) = self.changed_pages(mm) {
            *self.left.lock() = pages;
        }
    }

    /// Lets the parent go on.
    #[doc(alias = "complete_vfork_done")]
    pub fn complete(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.queue.wake_all(0);
    }

    #[doc(alias = "wait_for_vfork_done")]
    pub fn wait(&self) {
        // Killable only; ordinary signals wait for the child.
        let options = WaitOptions::uninterruptible("do_vfork");
        let me = current();
        let killed = || me.thread.has_work(acrida_kcore::thread::work::EXIT);
        let _ = self.queue.wait_event(options, || (self.done.load(Ordering::SeqCst) || killed()).then_some(()));
        let pages = core::mem::take(&mut *self.left.lock());
        for page in &pages {
            store(page);
        }
    }

    fn areas(&self, mm: &MmStruct) -> Vec<Range<u64>> {
        let state = mm.lock();
        let writable = state.areas.iter().filter(|(_, vma)| vma.flags & (VmFlags::WRITE | VmFlags::SHARED) == VmFlags::WRITE);
        let wanted = writable.map(|(start, vma)| start..vma.end).filter(|area| {
            let hot = self.hot.iter().any(|at| area.contains(at));
            hot || (self.scope == Scope::Everywhere && area.end - area.start <= MAX_AREA)
        });
        wanted.collect()
    }

    fn changed_pages(&self, mm: &MmStruct) -> Result<Vec<Page>, Errno> {
        let map = proc::as_world(|| proc::open(b"/proc/self/pagemap", O_RDONLY))?;
        let mut pages = Vec::new();
        let mut raw = vec![0u8; ENTRIES * 8];
        for area in self.areas(mm) {
            let mut at = area.start;
            while at < area.end {
                let count = ((area.end - at) / PAGE_SIZE).min(ENTRIES as u64);
                let read = proc::pread(map.fd(), &mut raw[..count as usize * 8], at / PAGE_SIZE * 8)?;
                if read < 8 {
                    break;
                }
                for (index, entry) in raw[..read].chunks_exact(8).enumerate() {
                    let entry = u64::from_le_bytes(entry.try_into().unwrap_or([0; 8]));
                    if entry & (PM_PRESENT | PM_FILE | PM_MMAP_EXCLUSIVE) == PM_PRESENT | PM_MMAP_EXCLUSIVE {
                        pages.extend(copy_page(at + index as u64 * PAGE_SIZE));
                    }
                }
                if pages.len() >= MAX_PAGES {
                    return Ok(pages);
                }
                at += read as u64 / 8 * PAGE_SIZE;
            }
        }
        Ok(pages)
    }
}

fn copy_page(at: u64) -> Option<Page> {
    let mut bytes = vec![0u8; PAGE_SIZE as usize];
    (platform().copy_from_user(&mut bytes, UserAddr(at)) == 0).then_some(Page { at, bytes })
}

/// Writes the words of `page` that differ into the caller's memory.
fn store(page: &Page) {
    const WORD: usize = 8;
    let Some(ours) = copy_page(page.at) else { return };
    let differs = |index: usize| {
        let range = index * WORD..(index + 1) * WORD;
        ours.bytes[range.clone()] != page.bytes[range]
    };
    let words = page.bytes.len() / WORD;
    let mut index = 0;
    while index < words {
        let run = (index..words).take_while(|&word| differs(word)).count();
        if run > 0 {
            // A page that the parent may not write stays as it is.
            let _ = UserAddr(page.at + (index * WORD) as u64).write_bytes(&page.bytes[index * WORD..(index + run) * WORD]);
        }
        index += run + 1;
    }
}
