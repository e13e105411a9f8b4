//! An entry that lies in its owner: what an epoll item hangs on a file's queue with.
//!
//! Mirrors: `struct eppoll_entry` of fs/eventpoll.c (a `wait_queue_entry_t` with its head), Linux 6.18.
//! Differs: the queue owns one `Arc` of the structure that the entry lies in, so what it wakes is alive; the entry knows
//! its queue and keeps it, so that it can be taken off whatever became of the file.
//! Locking: the queue's lock; `head` decides between threads that put the entry on and take it off.
//! Memory order: `head` is claimed with Acquire and given back with Release.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::mem::{ManuallyDrop, offset_of};
use core::ptr;

use acrida_klib::{Adapter, AlreadyLinked};

use super::{EntryKind, Node, WaitQueueHead, Wake, Woken};
use crate::primitive::{AtomicPtr, Ordering};

/// A structure that carries a [`WaitHook`] and is told when its queue is woken.
pub trait Hooked: Send + Sync + 'static {
    /// Called under the queue's lock.
    fn wake(this: &Arc<Self>, wake: Wake) -> Woken;
}

/// An entry for one queue at a time.
///
/// # Invariants
/// `head` is null (on no queue), [`BUSY`] (a thread is putting it on or taking it off), or what `Arc::into_raw` gave for
/// the queue that `node` is linked in. While it is linked the queue owns one reference to the structure around it.
#[doc(alias = "eppoll_entry")]
pub struct WaitHook {
    node: UnsafeCell<Node>,
    head: AtomicPtr<WaitQueueHead>,
}

/// Stands for a queue while the entry changes hands; never dereferenced.
const BUSY: *mut WaitQueueHead = ptr::without_provenance_mut(1);

// SAFETY: the node is touched by the thread that made `head` BUSY, or under the queue's lock.
unsafe impl Send for WaitHook {}
// SAFETY: as above.
unsafe impl Sync for WaitHook {}

impl Default for WaitHook {
    fn default() -> Self {
        WaitHook::new()
    }
}

impl WaitHook {
    pub fn new() -> Self {
        WaitHook { node: UnsafeCell::new(Node::new(EntryKind::Shared, wake_nobody)), head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Whether it is on a queue, or on its way to one or off it.
    pub fn is_hooked(&self) -> bool {
        !self.head.load(Ordering::Relaxed).is_null()
    }

    fn claim(&self, from: *mut WaitQueueHead) -> bool {
        self.head.compare_exchange(from, BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// In the place of a wake function until there is one.
fn wake_nobody(_node: *mut Node, _wake: Wake) -> Woken {
    Woken::No
}

/// Wakes the structure around the hook that `A` names.
///
/// # Safety
/// The entry was linked by [`WaitQueueHead::hook`] with `A`.
unsafe fn wake_owner<A>(node: *mut Node, wake: Wake) -> Woken
where
    A: Adapter<Link = WaitHook>,
    A::Value: Hooked,
{
    // SAFETY: as the caller says; the queue still has its reference.
    let owner = ManuallyDrop::new(unsafe { owner_of::<A>(node) });
    A::Value::wake(&owner, wake)
}

/// Bytes from the start of the structure to its entry.
const fn offset<A: Adapter<Link = WaitHook>>() -> usize {
    A::OFFSET + offset_of!(WaitHook, node)
}

/// The structure around an entry, with the reference that the queue owns.
///
/// # Safety
/// The pointer came from [`node_of`], and its reference is not taken twice.
unsafe fn owner_of<A: Adapter<Link = WaitHook>>(node: *mut Node) -> Arc<A::Value> {
    // SAFETY: the entry lies that far into the value, by the promise of Adapter.
    let start = unsafe { node.byte_sub(offset::<A>()) }.cast::<A::Value>();
    // SAFETY: what `Arc::into_raw` gave in `node_of`.
    unsafe { Arc::from_raw(start) }
}

/// The entry inside a structure; the reference counted is now the pointer's.
fn node_of<A: Adapter<Link = WaitHook>>(owner: Arc<A::Value>) -> *mut Node {
    let start = Arc::into_raw(owner).cast_mut();
    // SAFETY: inside the value, by the promise of Adapter.
    unsafe { start.byte_add(offset::<A>()) }.cast()
}

/// The hook inside a structure that is only looked at.
fn hook_in<A: Adapter<Link = WaitHook>>(owner: &A::Value) -> &WaitHook {
    // SAFETY: inside the value, by the promise of Adapter.
    let hook = unsafe { ptr::from_ref(owner).byte_add(A::OFFSET) }.cast::<WaitHook>();
    // SAFETY: a WaitHook is there, by the same promise, borrowed as long as the value is.
    unsafe { &*hook }
}

impl WaitQueueHead {
    /// Puts the entry that `A` names in `owner` on the queue, which keeps `owner` until [`unhook`].
    ///
    /// # Errors
    /// [`AlreadyLinked`] if it is on a queue.
    #[doc(alias = "ep_ptable_queue_proc")]
    pub fn hook<A>(self: &Arc<Self>, kind: EntryKind, owner: Arc<A::Value>) -> Result<(), AlreadyLinked<A::Value>>
    where
        A: Adapter<Link = WaitHook> + 'static,
        A::Value: Hooked,
    {
        let hook = hook_in::<A>(&owner);
        if !hook.claim(ptr::null_mut()) {
            return Err(AlreadyLinked(owner));
        }
        let hook = ptr::from_ref(hook);
        let node = node_of::<A>(owner);
        // SAFETY: claimed, so this thread alone reaches the entry.
        unsafe { node.write(Node::new(kind, wake_owner::<A>)) };
        // SAFETY: alive by the reference that is now the queue's, valid until `unhook` takes it off; on no queue.
        unsafe { self.link(node) };
        // INVARIANT: linked in the queue whose reference this is.
        // SAFETY: `unhook` may take it off and end it only after this store.
        let hook = unsafe { &*hook };
        hook.head.store(Arc::into_raw(self.clone()).cast_mut(), Ordering::Release);
        Ok(())
    }
}

/// Takes the entry that `A` names in `owner` off its queue and gives the queue's reference to `owner` back; `None` if it
/// is on none. After that no wake-up of that queue reaches it or is still running in it.
#[doc(alias = "ep_remove_wait_queue")]
pub fn unhook<A>(owner: &A::Value) -> Option<Arc<A::Value>>
where
    A: Adapter<Link = WaitHook> + 'static,
    A::Value: Hooked,
{
    let entry = hook_in::<A>(owner);
    let head = entry.head.load(Ordering::Relaxed);
    if head.is_null() || head == BUSY || !entry.claim(head) {
        return None;
    }
    // SAFETY: the reference that `hook` stored, taken once since the claim.
    let head = unsafe { Arc::from_raw(head.cast_const()) };
    // SAFETY: linked in that queue, by the invariant.
    let node = unsafe { head.unlink(entry.node.get()) };
    entry.head.store(ptr::null_mut(), Ordering::Release);
    // SAFETY: the queue's reference, which it gives up here, once.
    Some(unsafe { owner_of::<A>(node) })
}
