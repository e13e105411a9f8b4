//! What the intrusive containers share: the adapter, the owner word, the handle of a node.
//!
//! Linux: `container_of()` in include/linux/container_of.h (6.12).
//! Differs: a link knows which container it is in (`Owner`). Linux trusts its callers never to
//! unlink a node from a list it is not on; a safe function has to be able to tell.
//! Locking: the pointers in a link belong to the container that owns it, so they are touched only
//! through a borrow of that container. The owner word is atomic and may be read by anybody.
//! Memory order: an insertion claims the owner word with Acquire, a removal gives it back with
//! Release; so whoever links a node next finds the last container's stores to the link finished.
//!
//! # In Linux
//! `container_of(ptr, struct epitem, rdllink)` subtracts the offset of the field `rdllink`. The
//! caller says type and field on every use, and nothing checks that the pointer is such a field.
//!
//! # Here
//! An [`Adapter`] is that pair of type and field, said once. A container stores pointers to
//! links, made from `Arc::into_raw` by adding the offset and led back by subtracting it; they are
//! never made from a reference to the link alone, which would not reach the rest of the node.

use alloc::sync::Arc;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroU64;
use core::ops::Deref;
use core::ptr::NonNull;
use core::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Says that `Value` holds a field of type `Link`, and where.
///
/// Implement it with [`adapter!`](crate::adapter).
///
/// # Safety
/// Every `Value` has, `OFFSET` bytes from its start, a field of exactly the type `Link`.
pub unsafe trait Adapter {
    /// The structure that is linked.
    type Value;
    /// The link field's type: says for which kind of container the field is.
    type Link;
    /// Bytes from the start of `Value` to the link.
    const OFFSET: usize;
}

/// Names a link field: `adapter!(pub ReadyLink = Epitem { rdllink: ListLink });`
///
/// Declares the type `ReadyLink` and implements [`Adapter`] for it. A field that is missing, or
/// is not of exactly that type, does not compile:
///
/// ```compile_fail
/// use acrida_klib::{adapter, list::ListLink};
/// struct Node { link: Box<ListLink> }
/// adapter!(NodeLink = Node { link: ListLink });
/// ```
#[macro_export]
#[doc(alias = "container_of")]
macro_rules! adapter {
    ($(#[$meta:meta])* $vis:vis $name:ident = $value:ident { $field:ident : $link:ty }) => {
        $(#[$meta])*
        $vis enum $name {}

        // SAFETY: `offset_of!` names a field of `$value` itself (it follows no Deref), and
        // `exact_type` compiles only if that field is a `$link`: raw borrows do not coerce.
        unsafe impl $crate::link::Adapter for $name {
            type Value = $value;
            type Link = $link;
            const OFFSET: usize = {
                #[allow(dead_code)]
                fn exact_type(value: &$value) -> *const $link {
                    let $value { $field: link, .. } = value;
                    &raw const *link
                }
                ::core::mem::offset_of!($value, $field)
            };
        }
    };
}

/// The node was refused because its link is in a container already. Gives the reference back.
pub struct AlreadyLinked<T>(pub Arc<T>);

impl<T> fmt::Debug for AlreadyLinked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlreadyLinked")
    }
}

/// The names of containers: no two are alike, and a container keeps its own when it is moved.
static NEXT_IDENTITY: AtomicU64 = AtomicU64::new(1);

/// A container's name, given at its first insertion so that `new` can be `const`.
#[derive(Default)]
pub(crate) struct Identity(Option<NonZeroU64>);

impl Identity {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.map_or(0, NonZeroU64::get)
    }

    pub(crate) fn get_or_assign(&mut self) -> u64 {
        let id = self.0.or_else(|| NonZeroU64::new(NEXT_IDENTITY.fetch_add(1, Relaxed)));
        self.0 = id;
        self.get()
    }

    /// Takes a node into the container of this name: claims its link and keeps the reference.
    ///
    /// # Safety
    /// The caller links the node at once, and uses the handle only while it holds the container.
    pub(crate) unsafe fn own<'t, A>(&mut self, node: Arc<A::Value>) -> Result<Node<'t, A::Link>, AlreadyLinked<A::Value>>
    where
        A: Adapter<Link: Linkable>,
    {
        if !A::link(&node).owner().claim(self) {
            return Err(AlreadyLinked(node));
        }
        // SAFETY: the reference that keeps the link alive is the container's from here on, and
        // the caller keeps to the container's borrow.
        Ok(unsafe { Node::new(A::into_link(node)) })
    }
}

/// A link of any kind of container.
pub(crate) trait Linkable {
    fn owner(&self) -> &Owner;
}

/// Which container a link is in: the container's identity, or 0 for none.
pub(crate) struct Owner(AtomicU64);

impl Owner {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Takes the link for a container. False if it is in one.
    #[must_use]
    pub(crate) fn claim(&self, id: &mut Identity) -> bool {
        self.0.compare_exchange(0, id.get_or_assign(), Acquire, Relaxed).is_ok()
    }

    pub(crate) fn release(&self) {
        self.0.store(0, Release);
    }

    /// Hands the link from the container that the caller holds to another that it holds.
    pub(crate) fn transfer(&self, to: &mut Identity) {
        self.0.store(to.get_or_assign(), Relaxed);
    }

    /// Whether the link is in the container of this name. The answer stays true while the
    /// caller's borrow of that container lasts.
    pub(crate) fn is(&self, id: &Identity) -> bool {
        let owner = self.0.load(Relaxed);
        owner != 0 && owner == id.get()
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.0.load(Relaxed) != 0
    }
}

/// A node's link, borrowed for `'t` from the container that owns the node.
///
/// # Invariants
/// The link is alive for `'t`, and its pointers are only touched by the holder of `'t`.
pub(crate) struct Node<'t, L> {
    link: NonNull<L>,
    borrow: PhantomData<&'t L>,
}

impl<L> Node<'_, L> {
    /// # Safety
    /// The link lives for the lifetime asked, and so does the borrow of the container that owns it.
    pub(crate) const unsafe fn new(link: NonNull<L>) -> Self {
        // INVARIANT: by the caller's word.
        Self { link, borrow: PhantomData }
    }

    pub(crate) const fn as_ptr(self) -> NonNull<L> {
        self.link
    }
}

impl<'t, L> Node<'t, L> {
    /// The link, for as long as the borrow of the container.
    pub(crate) fn link(self) -> &'t L {
        // SAFETY: alive for 't by the invariant; nobody makes a `&mut` of a link.
        unsafe { self.link.as_ref() }
    }
}

impl<L> Clone for Node<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Node<'_, L> {}

impl<L> PartialEq for Node<'_, L> {
    fn eq(&self, other: &Self) -> bool {
        self.link == other.link
    }
}

impl<L> Deref for Node<'_, L> {
    type Target = L;

    fn deref(&self) -> &L {
        self.link()
    }
}

/// A pointer field of a link or of a container's head.
///
/// # Invariants
/// In a linked node or a head it is empty or points to a node linked in the same container.
pub(crate) struct Slot<L>(Cell<Option<NonNull<L>>>);

impl<L> Slot<L> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(None))
    }

    pub(crate) fn set(&self, node: Option<Node<'_, L>>) {
        self.0.set(node.map(Node::as_ptr));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.get().is_none()
    }

    /// # Safety
    /// The slot is part of a container (its head or a linked node) that is borrowed for `'t`.
    pub(crate) unsafe fn get<'t>(&self) -> Option<Node<'t, L>> {
        // SAFETY: by the invariant of Slot the pointee is owned by the container the caller borrows.
        self.0.get().map(|link| unsafe { Node::new(link) })
    }
}

/// The ways between a node and its link.
pub(crate) trait AdapterExt: Adapter {
    /// The link inside a node.
    fn link(value: &Self::Value) -> &Self::Link {
        let start = core::ptr::from_ref(value);
        // SAFETY: by the promise of Adapter the offset lies inside the value.
        let link = unsafe { start.byte_add(Self::OFFSET) }.cast::<Self::Link>();
        // SAFETY: by the same promise a Link is there, borrowed as long as the value is.
        unsafe { &*link }
    }

    /// Turns a reference into a link pointer; the reference counted is now the pointer's.
    fn into_link(node: Arc<Self::Value>) -> NonNull<Self::Link> {
        let start = Arc::into_raw(node).cast_mut();
        // SAFETY: Arc::into_raw is never null.
        let start = unsafe { NonNull::new_unchecked(start) };
        // SAFETY: by the promise of Adapter the offset lies inside the value.
        unsafe { start.byte_add(Self::OFFSET) }.cast()
    }

    /// Undoes [`into_link`](Self::into_link).
    ///
    /// # Safety
    /// The pointer came from `into_link` and its reference has not been taken back since.
    unsafe fn from_link(link: NonNull<Self::Link>) -> Arc<Self::Value> {
        // SAFETY: the pointer was made by adding the same offset, inside the same allocation.
        let start = unsafe { link.byte_sub(Self::OFFSET) }.cast::<Self::Value>();
        // SAFETY: `start` is what Arc::into_raw gave, and the caller owns that one reference.
        unsafe { Arc::from_raw(start.as_ptr()) }
    }

    /// A reference of its own to a node that stays linked.
    ///
    /// # Safety
    /// The pointer came from `into_link` and its reference has not been taken back since.
    unsafe fn clone_link(link: NonNull<Self::Link>) -> Arc<Self::Value> {
        // SAFETY: by the caller's word.
        let owned = unsafe { Self::from_link(link) };
        let clone = owned.clone();
        // The pointer keeps the reference it had.
        core::mem::forget(owned);
        clone
    }

    /// The node around a link.
    ///
    /// # Safety
    /// The handle's pointer came from `into_link`, directly or through a `Slot`.
    unsafe fn value<'t>(node: Node<'t, Self::Link>) -> &'t Self::Value
    where
        Self::Value: 't,
    {
        // SAFETY: the pointer was made by adding the same offset, inside the same allocation.
        let start = unsafe { node.as_ptr().byte_sub(Self::OFFSET) }.cast::<Self::Value>();
        // SAFETY: the container's reference keeps the value alive while the container is borrowed.
        unsafe { start.as_ref() }
    }
}

impl<A: Adapter> AdapterExt for A {}
