//! What the three kinds of System V objects share: identifiers, keys, rights, and the look-ups of `*get` and `*ctl`.
//!
//! Mirrors: ipc/util.c, ipc/util.h, Linux 6.18.
//! Differs: an object and its permissions are under one lock; the table gives references, so an object that was looked up
//! stays until its last user has seen that it is removed.
//! Locking: `IpcIds::table` (Linux's `rwsem` and `idr`) before `IpcObject::state` (`kern_ipc_perm.lock`).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::{SpinLock, SpinLockGuard};
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::{IPC_CREAT, IPC_EXCL, IPC_PRIVATE, IPCMNI};

mod perm;

pub use perm::{IpcPerm, S_IRUGO, S_IWUGO};

/// Bits of an identifier that are the object's index; the rest counts how often indices have come round.
#[doc(alias = "IPCMNI_SHIFT")]
const INDEX_BITS: u32 = 15;
#[doc(alias = "ipcid_seq_max")]
const SEQ_MAX: i32 = i32::MAX >> INDEX_BITS;
/// Indices come round after at least so many objects.
#[doc(alias = "ipc_min_cycle")]
const MIN_CYCLE: usize = 64;

fn index_of(id: i32) -> usize {
    (id & ((1 << INDEX_BITS) - 1)) as usize
}

/// Seconds since 1970, as the objects' times are kept.
#[doc(alias = "ktime_get_real_seconds")]
pub fn now() -> i64 {
    (platform().now(ClockId::RealtimeCoarse) / 1_000_000_000).cast_signed()
}

/// What is under an object's lock.
pub struct IpcState<T> {
    pub perm: IpcPerm,
    pub body: T,
}

/// One segment, set of semaphores or queue.
pub struct IpcObject<T> {
    pub id: i32,
    state: SpinLock<IpcState<T>>,
}

impl<T> IpcObject<T> {
    /// The object, which may be removed by now: see [`IpcPerm::check_alive`].
    pub fn lock(&self) -> SpinLockGuard<'_, IpcState<T>> {
        self.state.lock()
    }
}

/// Where a new object will stand.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    seq: i32,
}

impl Place {
    fn id(self) -> i32 {
        self.seq << INDEX_BITS | self.index as i32
    }
}

struct Table<T> {
    slots: Vec<Option<Arc<IpcObject<T>>>>,
    keys: BTreeMap<i32, Arc<IpcObject<T>>>,
    in_use: usize,
    /// Where the next search for a free index starts.
    cursor: usize,
    seq: i32,
    last_index: Option<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { slots: Vec::new(), keys: BTreeMap::new(), in_use: 0, cursor: 0, seq: 0, last_index: None }
    }
}

impl<T> Table<T> {
    fn get(&self, id: i32) -> Option<&Arc<IpcObject<T>>> {
        self.slots.get(index_of(id))?.as_ref()
    }

    fn free_index(&self, from: usize, to: usize) -> Option<usize> {
        (from..to).find(|&index| self.slots.get(index).is_none_or(Option::is_none))
    }

    /// A free place: indices are used in a circle, so that an identifier comes back as late as possible. `wish` is an
    /// identifier that somebody asked for, -1 for none.
    #[doc(alias = "ipc_idr_alloc")]
    fn choose(&mut self, limit: u64, wish: i32) -> Result<Place, Errno> {
        if self.in_use as u64 >= limit.min(IPCMNI as u64) {
            return Err(Errno::ENOSPC);
        }
        if wish >= 0 {
            let index = self.free_index(index_of(wish), IPCMNI).ok_or(Errno::ENOSPC)?;
            return Ok(Place { index, seq: wish >> INDEX_BITS });
        }
        let end = (self.in_use * 3 / 2).max(MIN_CYCLE).min(IPCMNI);
        let index = self.free_index(self.cursor, end).or_else(|| self.free_index(0, end)).ok_or(Errno::ENOSPC)?;
        self.cursor = index + 1;
        if self.last_index.is_some_and(|last| index <= last) {
            self.seq = if self.seq + 1 >= SEQ_MAX { 0 } else { self.seq + 1 };
        }
        self.last_index = Some(index);
        Ok(Place { index, seq: self.seq })
    }

    /// Makes the object known.
    #[doc(alias = "ipc_addid")]
    fn add(&mut self, place: Place, perm: IpcPerm, body: T) {
        let object = Arc::new(IpcObject { id: place.id(), state: SpinLock::new(IpcState { perm, body }) });
        if place.index >= self.slots.len() {
            self.slots.resize_with(place.index + 1, || None);
        }
        if perm.key != IPC_PRIVATE {
            self.keys.insert(perm.key, object.clone());
        }
        self.slots[place.index] = Some(object);
        self.in_use += 1;
    }

    /// The largest index in use.
    #[doc(alias = "ipc_get_maxidx")]
    fn max_index(&self) -> Option<usize> {
        self.slots.iter().rposition(Option::is_some)
    }
}

/// The objects of one kind.
#[doc(alias = "ipc_ids")]
pub struct IpcIds<T> {
    table: SpinLock<Table<T>>,
    /// The identifier that the next object gets (`kernel.*_next_id`), or -1.
    pub next_id: AtomicI32,
}

impl<T> Default for IpcIds<T> {
    fn default() -> Self {
        IpcIds { table: SpinLock::default(), next_id: AtomicI32::new(-1) }
    }
}

/// What `shmget`, `semget` or `msgget` was asked for.
#[doc(alias = "ipc_params")]
#[derive(Clone, Copy, Debug)]
pub struct IpcParams {
    pub key: i32,
    /// `IPC_CREAT`, `IPC_EXCL` and the mode.
    pub flags: u32,
    /// How many objects there may be.
    pub limit: u64,
}

impl<T> IpcIds<T> {
    /// Finds the object of a key, or makes one: `create` gives its body for the identifier it will have, and `charge` counts
    /// it once it has its place; `suits` says whether one that exists is large enough.
    #[doc(alias = "ipcget")]
    pub fn get_or_create(
        &self,
        params: IpcParams,
        suits: impl FnOnce(&T) -> Result<(), Errno>,
        create: impl FnOnce(i32) -> Result<T, Errno>,
        charge: impl FnOnce(&T),
    ) -> Result<i32, Errno> {
        let mut table = self.table.lock();
        if params.key != IPC_PRIVATE {
            match table.keys.get(&params.key) {
                Some(_) if params.flags & (IPC_CREAT | IPC_EXCL) == IPC_CREAT | IPC_EXCL => {
                    return Err(Errno::EEXIST);
                }
                Some(object) => {
                    let state = object.lock();
                    suits(&state.body)?;
                    state.perm.check(params.flags)?;
                    return Ok(state.perm.id);
                }
                None if params.flags & IPC_CREAT == 0 => return Err(Errno::ENOENT),
                None => {}
            }
        }
        let wish = self.next_id.load(Ordering::Relaxed);
        let place = table.choose(params.limit, wish);
        let body = create(place.map_or(0, Place::id))?;
        let place = place?;
        self.next_id.store(-1, Ordering::Relaxed);
        charge(&body);
        table.add(place, IpcPerm::new(place.id(), params.key, params.flags), body);
        Ok(place.id())
    }

    /// The object called `id`, or `EINVAL`.
    #[doc(alias = "ipc_obtain_object_check")]
    #[inline]
    pub fn find(&self, id: i32) -> Result<Arc<IpcObject<T>>, Errno> {
        if id < 0 {
            return Err(Errno::EINVAL);
        }
        self.table.lock().get(id).filter(|object| object.id == id).cloned().ok_or(Errno::EINVAL)
    }

    /// The object at the index in `id` (`*_STAT` of `ipcs`), or `EINVAL`.
    #[doc(alias = "ipc_obtain_object_idr")]
    pub fn find_index(&self, id: i32) -> Result<Arc<IpcObject<T>>, Errno> {
        self.table.lock().get(id).cloned().ok_or(Errno::EINVAL)
    }

    /// Runs `change` on an object that the caller may change, with the table locked: it may remove the object through
    /// [`Changing`].
    #[doc(alias = "ipcctl_obtain_check")]
    pub fn change<R>(&self, id: i32, change: impl FnOnce(Changing<'_, T>) -> Result<R, Errno>) -> Result<R, Errno> {
        let mut table = self.table.lock();
        let object = table.get(id).filter(|object| object.id == id).cloned().ok_or(Errno::EINVAL)?;
        let state = object.lock();
        state.perm.check_owner()?;
        change(Changing { table: &mut table, state })
    }

    /// As [`IpcIds::change`] without a look at rights; `None` when the object is gone.
    pub fn change_any<R>(&self, id: i32, change: impl FnOnce(Changing<'_, T>) -> R) -> Option<R> {
        let mut table = self.table.lock();
        let object = table.get(id).filter(|object| object.id == id).cloned()?;
        let state = object.lock();
        Some(change(Changing { table: &mut table, state }))
    }

    /// Every object, by index.
    pub fn all(&self) -> Vec<Arc<IpcObject<T>>> {
        self.table.lock().slots.iter().flatten().cloned().collect()
    }

    /// How many objects there are, and the largest index as `IPC_INFO` gives it: 0 also for none.
    pub fn in_use(&self) -> (usize, usize) {
        let table = self.table.lock();
        (table.in_use, table.max_index().unwrap_or(0))
    }
}

/// An object under its lock and its table's.
pub struct Changing<'a, T> {
    table: &'a mut Table<T>,
    pub state: SpinLockGuard<'a, IpcState<T>>,
}

impl<T> Changing<'_, T> {
    /// From now on only the identifier finds the object.
    #[doc(alias = "ipc_set_key_private")]
    pub fn make_private(&mut self) {
        self.table.keys.remove(&self.state.perm.key);
        self.state.perm.key = IPC_PRIVATE;
    }

    /// Takes the object out of the table and marks it for those who have it in hand.
    #[doc(alias = "ipc_rmid")]
    pub fn remove(&mut self) {
        let perm = &mut self.state.perm;
        perm.deleted = true;
        if perm.key != IPC_PRIVATE {
            self.table.keys.remove(&perm.key);
        }
        self.table.slots[index_of(perm.id)] = None;
        self.table.in_use -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::cred::Cred;

    #[test]
    fn identifiers_come_round_late() {
        let mut table: Table<()> = Table::default();
        let ids: Vec<i32> = (0..130).map(|_| table.choose(4096, -1).unwrap().id()).collect();
        assert_eq!(ids[..3], [0, 1, 2]);
        assert_eq!(ids[63..66], [63, 1 << 15, 1 << 15 | 1]);
        assert_eq!(ids[128], 2 << 15);
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table: Table<()> = Table::default();
        for _ in 0..3 {
            let place = table.choose(3, -1).unwrap();
            table.add(place, IpcPerm::owned_by(&Cred::of_root(), place.id(), 1, 0), ());
        }
        assert!(matches!(table.choose(3, -1), Err(Errno::ENOSPC)));
        assert_eq!(table.max_index(), Some(2));
    }

    #[test]
    fn nothing_is_charged_for_a_refused_object() {
        let ids: IpcIds<()> = IpcIds::default();
        let full = IpcParams { key: IPC_PRIVATE, flags: 0, limit: 0 };
        let made = ids.get_or_create(full, |_| Ok(()), |_| Ok(()), |_| unreachable!("charged without a place"));
        assert_eq!(made, Err(Errno::ENOSPC));
    }

    #[test]
    fn a_wish_is_taken_or_the_next() {
        let mut table: Table<()> = Table::default();
        let wish = 5 << 15 | 7;
        let place = table.choose(10, wish).unwrap();
        assert_eq!(place.id(), wish);
        table.add(place, IpcPerm::owned_by(&Cred::of_root(), place.id(), 1, 0), ());
        assert_eq!(table.choose(10, wish).unwrap().id(), wish + 1);
    }
}
