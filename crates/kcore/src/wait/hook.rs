//! An entry that lies in its owner: what an epoll item hangs on a file's queue with.
//!
//! Mirrors: `struct eppoll_entry` of fs/eventpoll.c (a `wait_queue_entry_t` with its head), Linux 6.18.
//! Differs: the queue owns one `Arc` of the structure that the entry lies in, so what it wakes is alive; the entry knows
//! its queue and keeps it, so that it can be taken off whatever became of the file.
//! Locking: the queue's lock; `head` decides between threads that put the entry on and take it off.
//! Memory order: `head` is claimed with Acquire and given back with Release.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use acrida_klib::{Adapter, AlreadyLinked};

use super::{EntryKind, Node, WaitQueueHead, Wake, WakeFunction, Woken};

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
    pub const fn new() -> Self {
        let func: *const dyn WakeFunction = ptr::null::<Nobody>();
        WaitHook {
            node: UnsafeCell::new(Node { prev: ptr::null_mut(), next: ptr::null_mut(), kind: EntryKind::Shared, func }),
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Whether it is on a queue, or on its way to one or off it.
    pub fn is_hooked(&self) -> bool {
        !self.head.load(Ordering::Relaxed).is_null()
    }

    fn claim(&self, from: *mut WaitQueueHead) -> bool {
        self.head.compare_exchange(from, BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// Wakes nobody: in the place of a wake function until there is one.
struct Nobody;

impl WakeFunction for Nobody {
    fn wake(&self, _wake: Wake) -> Woken {
        Woken::No
    }
}

/// The hook that `A` names, as a wake function.
#[repr(transparent)]
struct Thunk<A>(WaitHook, PhantomData<fn(A)>);

impl<A> WakeFunction for Thunk<A>
where
    A: Adapter<Link = WaitHook> + 'static,
    A::Value: Hooked,
{
    fn wake(&self, wake: Wake) -> Woken {
        let hook = NonNull::from(&self.0);
        // SAFETY: made by `WaitQueueHead::hook` from the owner's `Arc`, whose reference the queue still has.
        let owner = ManuallyDrop::new(unsafe { owner_of::<A>(hook) });
        A::Value::wake(&owner, wake)
    }
}

/// The structure around a hook, with the reference that the queue owns.
///
/// # Safety
/// The pointer came from [`hook_of`], and its reference is not taken twice.
unsafe fn owner_of<A: Adapter<Link = WaitHook>>(hook: NonNull<WaitHook>) -> Arc<A::Value> {
    // SAFETY: the hook lies `OFFSET` bytes into the value, by the promise of Adapter.
    let start = unsafe { hook.as_ptr().byte_sub(A::OFFSET) }.cast::<A::Value>();
    // SAFETY: what `Arc::into_raw` gave in `hook_of`.
    unsafe { Arc::from_raw(start) }
}

/// The hook inside a structure; the reference counted is now the pointer's.
fn hook_of<A: Adapter<Link = WaitHook>>(owner: Arc<A::Value>) -> NonNull<WaitHook> {
    let start = Arc::into_raw(owner).cast_mut();
    // SAFETY: inside the value, by the promise of Adapter.
    let hook = unsafe { start.byte_add(A::OFFSET) }.cast::<WaitHook>();
    // SAFETY: `Arc::into_raw` is never null.
    unsafe { NonNull::new_unchecked(hook) }
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
        if !hook_in::<A>(&owner).claim(ptr::null_mut()) {
            return Err(AlreadyLinked(owner));
        }
        let hook = hook_of::<A>(owner);
        let thunk: *const Thunk<A> = hook.as_ptr().cast();
        // SAFETY: alive by the reference that is now the queue's.
        let entry = unsafe { hook.as_ref() };
        let node = entry.node.get();
        let fresh = Node { prev: ptr::null_mut(), next: ptr::null_mut(), kind, func: thunk };
        // SAFETY: BUSY, so this thread alone reaches the node.
        unsafe { node.write(fresh) };
        // SAFETY: valid until `unhook` takes it off; on no queue.
        unsafe { self.link(node) };
        // INVARIANT: linked in the queue whose reference this is.
        entry.head.store(Arc::into_raw(self.clone()).cast_mut(), Ordering::Release);
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
    let func = unsafe { (*entry.node.get()).func };
    // SAFETY: as above.
    unsafe { head.unlink(entry.node.get()) };
    entry.head.store(ptr::null_mut(), Ordering::Release);
    // The wake function's pointer is the one that reaches the whole owner.
    let hook = func.cast::<WaitHook>().cast_mut();
    // SAFETY: set by `hook` from `hook_of`, never null.
    let hook = unsafe { NonNull::new_unchecked(hook) };
    // SAFETY: the queue's reference, which it gives up here, once.
    Some(unsafe { owner_of::<A>(hook) })
}
