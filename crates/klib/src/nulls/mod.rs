//! Hash table that is read without a lock, and whose chains end in a marker that says which chain it is.
//!
//! Linux: include/linux/list_nulls.h, include/linux/rculist_nulls.h,
//! Documentation/RCU/rculist_nulls.rst (6.12).
//! Differs: the right to change chains is a value, [`NullsWriter`], one per lock that the caller
//! has; what RCU is comes in through [`Reclaim`]; a node stays with its table for life.
//! Locking: readers none. Chain `hash & mask` is changed through writer `hash & (writers - 1)`;
//! the caller keeps each writer under a lock of its own (Linux: the bucket locks of `ehash`).
//! Memory order: every pointer to a node is stored with Release and loaded with Acquire, so a
//! reader that got to a node sees it initialised. A marker has nothing behind it to order.
//!
//! # In Linux
//! A reader walks a chain under RCU. While it stands on a node, a writer may take that node out
//! and put it into another chain (re-hash, or a socket freed and used again at once). The node is
//! alive, but its `next` now leads through the other chain, and the reader would miss the rest of
//! its own. Copying the node would avoid that and cost an allocation. Instead the end of every
//! chain is an odd word (a nulls marker) that carries the chain's number: a reader that arrives
//! at another chain's end has been carried away, and starts again. New nodes enter at the head, so
//! that whoever is carried away and then back has seen the whole chain from its head.
//!
//! # Here
//! ```text
//!   chain 0 ─► X ─► Z ─► (0)          reader looks for Z, stands on X
//!   chain 1 ─► Y ─► (1)
//!                        ── X moves ──
//!   chain 0 ─► Z ─► (0)
//!   chain 1 ─► X ─► Y ─► (1)          reader: X, Y, (1) is not (0): again: Z
//! ```
//! A node found is lent out for as long as the read-side section; [`NullsReader::lookup`] touches
//! no reference count, which is what makes listeners cheap under a SYN flood, and
//! [`NullsReader::lookup_arc`] takes a reference, for sockets that are kept.

mod reader;
#[cfg(all(test, not(loom)))]
mod tests;
mod writer;

pub use reader::NullsReader;
pub use writer::NullsWriter;

use crate::link::{Adapter, AdapterExt, Identity, Linkable, Owner};
use crate::primitive::{AtomicPtr, AtomicU64, Ordering::Acquire};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Read-copy-update, as far as a container needs it: sections that delay the end of nodes.
///
/// # Safety
/// A node given to `retire` is not dropped before every guard that `enter` of the same `self` gave
/// before that call is gone.
#[doc(alias = "rcu")]
pub unsafe trait Reclaim {
    /// A read-side section; over when dropped.
    type Guard<'a>
    where
        Self: 'a;

    /// Begins a read-side section.
    #[doc(alias = "rcu_read_lock")]
    fn enter(&self) -> Self::Guard<'_>;

    /// Drops a node after a grace period.
    #[doc(alias = "kfree_rcu")]
    #[doc(alias = "call_rcu")]
    fn retire<T: Send + Sync + 'static>(&self, node: Arc<T>);
}

/// The field that makes a structure linkable in a [`NullsTable`].
#[doc(alias = "hlist_nulls_node")]
pub struct NullsLink {
    /// The next node, or the marker at the end. Left alone by a removal: readers may stand here.
    next: AtomicPtr<NullsLink>,
    /// While linked: what points to this link. Only the writer's.
    #[doc(alias = "pprev")]
    slot: Cell<*const AtomicPtr<NullsLink>>,
    /// The table that the link has been in, 0 for none yet.
    home: AtomicU64,
    owner: Owner,
}

// SAFETY: `slot` is touched only by the writer that owns the link, or by who has claimed the owner
// word; everything else is atomic.
unsafe impl Send for NullsLink {}
// SAFETY: as above; `&NullsLink` alone gives no access to `slot`.
unsafe impl Sync for NullsLink {}

impl NullsLink {
    /// A link that is in no table.
    pub fn new() -> Self {
        Self {
            next: AtomicPtr::new(core::ptr::null_mut()),
            slot: Cell::new(core::ptr::null()),
            home: AtomicU64::new(0),
            owner: Owner::new(),
        }
    }

    /// Whether the link is in a table now. Firm only under the lock of its chain.
    #[doc(alias = "hlist_nulls_unhashed")]
    pub fn is_linked(&self) -> bool {
        self.owner.is_linked()
    }
}

impl Default for NullsLink {
    fn default() -> Self {
        Self::new()
    }
}

impl Linkable for NullsLink {
    fn owner(&self) -> &Owner {
        &self.owner
    }
}

/// What a `next` pointer leads to.
enum Next {
    Node(NonNull<NullsLink>),
    /// The end of the chain of this number.
    End(usize),
}

const _: () = assert!(align_of::<NullsLink>() > 1, "a marker is told by an odd address");

impl Next {
    #[doc(alias = "is_a_nulls")]
    #[doc(alias = "get_nulls_value")]
    fn decode(pointer: *mut NullsLink) -> Self {
        match NonNull::new(pointer) {
            Some(node) if pointer.addr().is_multiple_of(2) => Self::Node(node),
            _ => Self::End(pointer.addr() >> 1),
        }
    }
}

#[doc(alias = "NULLS_MARKER")]
fn marker(chain: usize) -> *mut NullsLink {
    core::ptr::without_provenance_mut(chain << 1 | 1)
}

/// The chains, as readers see them.
///
/// # Invariants
/// What a head or a linked node leads to is a marker, or a node that holds one reference of the
/// table's. `home` of all those nodes is this table. A node that left is retired.
#[doc(alias = "hlist_nulls_head")]
pub struct NullsTable<A: Adapter<Link = NullsLink>, R: Reclaim> {
    heads: Box<[AtomicPtr<NullsLink>]>,
    home: u64,
    reclaim: R,
    owns: PhantomData<Arc<A::Value>>,
}

// SAFETY: a table is a set of `Arc`s; readers get `&Value` and clones of the `Arc`s, writers are
// one per chain, and `retire` may drop a value on any thread.
unsafe impl<A: Adapter<Link = NullsLink>, R: Reclaim + Send> Send for NullsTable<A, R> where A::Value: Send + Sync {}
// SAFETY: as above.
unsafe impl<A: Adapter<Link = NullsLink>, R: Reclaim + Sync> Sync for NullsTable<A, R> where A::Value: Send + Sync {}

impl<A: Adapter<Link = NullsLink>, R: Reclaim> NullsTable<A, R> {
    /// A table of `chains` chains that are changed through `writers` writers; both are rounded up
    /// to powers of two. The table is there as long as a writer or the caller keeps it.
    ///
    /// # Panics
    /// If there are more writers than chains.
    #[doc(alias = "INIT_HLIST_NULLS_HEAD")]
    pub fn new(chains: usize, writers: usize, reclaim: R) -> (Arc<Self>, Vec<NullsWriter<A, R>>) {
        let (chains, writers) = (chains.next_power_of_two(), writers.next_power_of_two());
        assert!(writers <= chains, "{writers} writers for {chains} chains");
        let table = Arc::new(Self {
            heads: (0..chains).map(|chain| AtomicPtr::new(marker(chain))).collect(),
            home: Identity::new().get_or_assign(),
            reclaim,
            owns: PhantomData,
        });
        let writers = (0..writers).map(|first| NullsWriter::new(&table, first, writers)).collect();
        (table, writers)
    }

    /// How many chains there are.
    pub fn chains(&self) -> usize {
        self.heads.len()
    }

    /// Begins a read-side section on this table.
    pub fn read(&self) -> NullsReader<'_, A, R> {
        NullsReader::new(self)
    }

    fn chain_of(&self, hash: usize) -> usize {
        hash & (self.chains() - 1)
    }
}

impl<A: Adapter<Link = NullsLink>, R: Reclaim> Drop for NullsTable<A, R> {
    /// Readers borrow the table, so there is none, and no grace period to wait for: a reader of
    /// another table is never led here, as no node has been in both.
    fn drop(&mut self) {
        for head in &self.heads {
            let mut next = head.load(Acquire);
            while let Next::Node(link) = Next::decode(next) {
                // SAFETY: reached from a head, so the table still has the reference.
                let node = unsafe { A::from_link(link) };
                let link = A::link(&node);
                next = link.next.load(Acquire);
                link.owner.release();
            }
        }
    }
}
