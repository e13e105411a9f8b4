//! Trying the operations of semaphores, and going on with those who wait.
//!
//! Mirrors: ipc/sem.c (`perform_atomic_semop`, `update_queue`, `do_smart_update`), Linux 6.18.
//! Differs: operations are carried out one after the other and taken back when one cannot be; Linux looks first where no
//! semaphore is named twice. The outcome is the same.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::IPC_NOWAIT;
use acrida_uapi::sem::{SEM_UNDO, SEMAEM, SEMVMX, Sembuf};

use super::{SemArray, undo};
use crate::ipc::util::now;
use crate::kernel::task::Pid;

/// The sleeper's operation is not done.
const WAITING: i32 = i32::MIN;

/// What a `semop` wants done, all or nothing.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub ops: &'a [Sembuf],
    pub pid: Pid,
    /// Whose undo list takes part, if an operation says `SEM_UNDO`.
    pub owner: Option<undo::Owner>,
}

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Done,
    /// The operation with this index has to wait.
    Blocked(usize),
    Failed(Errno),
}

/// A sleeper with its operations.
#[doc(alias = "sem_queue")]
pub struct SemQueue {
    ops: Box<[Sembuf]>,
    pid: Pid,
    owner: Option<undo::Owner>,
    /// Whether an operation does more than wait for zero.
    alter: bool,
    /// Which operation waits; under the set's lock.
    blocking: AtomicUsize,
    /// [`WAITING`], 0, or an errno.
    status: AtomicI32,
    pub wait: WaitQueueHead,
}

impl SemQueue {
    pub fn new(request: &Request<'_>, blocking: usize) -> Arc<SemQueue> {
        Arc::new(SemQueue {
            ops: request.ops.into(),
            pid: request.pid,
            owner: request.owner,
            alter: request.ops.iter().any(|op| op.sem_op != 0),
            blocking: AtomicUsize::new(blocking),
            status: AtomicI32::new(WAITING),
            wait: WaitQueueHead::new(),
        })
    }

    /// How the operation ended, once it has.
    pub fn result(&self) -> Option<Result<(), Errno>> {
        match self.status.load(Ordering::Acquire) {
            WAITING => None,
            0 => Some(Ok(())),
            errno => Some(Err(Errno::from_raw(errno).unwrap_or(Errno::EIDRM))),
        }
    }

    fn request(&self) -> Request<'_> {
        Request { ops: &self.ops, pid: self.pid, owner: self.owner }
    }

    fn finish(&self, result: Result<(), Errno>) {
        let status = result.map_or_else(Errno::raw, |()| 0);
        self.status.store(status, Ordering::Release);
    }

    /// Whether the sleeper waits for semaphore `num`: for zero, or for more.
    #[doc(alias = "check_qop")]
    fn waits_for(&self, num: u16, zero: bool) -> bool {
        let op = self.ops[self.blocking.load(Ordering::Relaxed)];
        op.sem_num == num && if zero { op.sem_op == 0 } else { op.sem_op < 0 }
    }
}

/// Sleepers whose operations ended, to be woken without the lock.
pub type Woken = Vec<Arc<SemQueue>>;

#[doc(alias = "wake_up_q")]
pub fn wake_all(woken: &[Arc<SemQueue>]) {
    for queue in woken {
        queue.wait.wake_all(0);
    }
}

/// One of a set's queues.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Of the set: `pending_alter`.
    Alter,
    Const,
    /// Of one semaphore.
    AlterOf(usize),
    ConstOf(usize),
}

impl SemArray {
    fn pending(&mut self, place: Place) -> &mut VecDeque<Arc<SemQueue>> {
        match place {
            Place::Alter => &mut self.pending_alter,
            Place::Const => &mut self.pending_const,
            Place::AlterOf(num) => &mut self.sems[num].pending_alter,
            Place::ConstOf(num) => &mut self.sems[num].pending_const,
        }
    }

    /// Carries all operations out, or none.
    #[doc(alias = "perform_atomic_semop")]
    pub fn perform(&mut self, request: &Request<'_>) -> Attempt {
        for (index, op) in request.ops.iter().enumerate() {
            if let Err(attempt) = self.step(request, index, *op) {
                for done in request.ops[..index].iter().rev() {
                    self.take_back(request, *done);
                }
                return attempt;
            }
        }
        for op in request.ops {
            self.sems[usize::from(op.sem_num)].pid = request.pid;
        }
        Attempt::Done
    }

    fn step(&mut self, request: &Request<'_>, index: usize, op: Sembuf) -> Result<(), Attempt> {
        let sem = &mut self.sems[usize::from(op.sem_num)];
        let val = sem.val + i32::from(op.sem_op);
        if val < 0 || op.sem_op == 0 && val != 0 {
            let patient = op.sem_flg as u32 & IPC_NOWAIT == 0;
            return Err(if patient { Attempt::Blocked(index) } else { Attempt::Failed(Errno::EAGAIN) });
        }
        if val > SEMVMX {
            return Err(Attempt::Failed(Errno::ERANGE));
        }
        if op.sem_flg & SEM_UNDO != 0
            && let Some(adjustments) = request.owner.and_then(|owner| self.undos.get_mut(&owner))
        {
            let adjustment = &mut adjustments[usize::from(op.sem_num)];
            let new = i32::from(*adjustment) - i32::from(op.sem_op);
            if !(-SEMAEM - 1..=SEMAEM).contains(&new) {
                return Err(Attempt::Failed(Errno::ERANGE));
            }
            *adjustment = new as i16;
        }
        sem.val = val;
        Ok(())
    }

    fn take_back(&mut self, request: &Request<'_>, op: Sembuf) {
        let num = usize::from(op.sem_num);
        self.sems[num].val -= i32::from(op.sem_op);
        if op.sem_flg & SEM_UNDO != 0
            && let Some(adjustments) = request.owner.and_then(|owner| self.undos.get_mut(&owner))
        {
            adjustments[num] += op.sem_op;
        }
    }

    /// Puts a sleeper where it belongs.
    pub fn enqueue(&mut self, queue: Arc<SemQueue>) {
        let place = match (&*queue.ops, queue.alter) {
            ([_], true) if self.complex_count > 0 => Place::Alter,
            ([op], true) => Place::AlterOf(usize::from(op.sem_num)),
            ([op], false) => Place::ConstOf(usize::from(op.sem_num)),
            (_, alter) => {
                if self.complex_count == 0 {
                    self.merge();
                }
                self.complex_count += 1;
                if alter { Place::Alter } else { Place::Const }
            }
        };
        self.pending(place).push_back(queue);
    }

    /// From now on all that alter wait in one queue.
    #[doc(alias = "merge_queues")]
    fn merge(&mut self) {
        for sem in &mut self.sems {
            for queue in core::mem::take(&mut sem.pending_alter).into_iter().rev() {
                self.pending_alter.push_front(queue);
            }
        }
    }

    /// Nobody waits for several semaphores any more: each semaphore has its queue again. Call before the lock is given up.
    #[doc(alias = "unmerge_queues")]
    pub fn unmerge(&mut self) {
        if self.complex_count == 0 && !self.pending_alter.is_empty() {
            for queue in core::mem::take(&mut self.pending_alter) {
                let num = usize::from(queue.ops[0].sem_num);
                self.sems[num].pending_alter.push_back(queue);
            }
        }
    }

    /// Takes a sleeper off that gives up.
    #[doc(alias = "unlink_queue")]
    pub fn dequeue(&mut self, queue: &Arc<SemQueue>) {
        let num = usize::from(queue.ops[0].sem_num);
        for place in [Place::Alter, Place::Const, Place::AlterOf(num), Place::ConstOf(num)] {
            let pending = self.pending(place);
            if let Some(at) = pending.iter().position(|other| Arc::ptr_eq(other, queue)) {
                pending.remove(at);
                self.unlinked(queue);
                return;
            }
        }
    }

    fn unlinked(&mut self, queue: &SemQueue) {
        self.complex_count -= usize::from(queue.ops.len() > 1);
    }

    /// Tries the sleeper at `at`; takes it off if that ends its wait. `None`: it waits on.
    fn try_sleeper(&mut self, place: Place, at: usize, woken: &mut Woken) -> Option<(Arc<SemQueue>, Result<(), Errno>)> {
        let queue = self.pending(place)[at].clone();
        let result = match self.perform(&queue.request()) {
            Attempt::Blocked(index) => {
                queue.blocking.store(index, Ordering::Relaxed);
                return None;
            }
            Attempt::Done => Ok(()),
            Attempt::Failed(errno) => Err(errno),
        };
        self.pending(place).remove(at);
        self.unlinked(&queue);
        queue.finish(result);
        woken.push(queue.clone());
        Some((queue, result))
    }

    /// Goes on with those who wait for zero only, in one queue; whether an operation was carried out.
    #[doc(alias = "wake_const_ops")]
    fn wake_const(&mut self, place: Place, woken: &mut Woken) -> bool {
        let (mut at, mut done) = (0, false);
        while at < self.pending(place).len() {
            match self.try_sleeper(place, at, woken) {
                None => at += 1,
                Some((_, result)) => done |= result.is_ok(),
            }
        }
        done
    }

    fn wake_if_zero(&mut self, num: usize, got_zero: &mut bool, woken: &mut Woken) -> bool {
        if self.sems[num].val != 0 {
            return false;
        }
        *got_zero = true;
        self.wake_const(Place::ConstOf(num), woken)
    }

    /// Goes on with those who wait for zero, after `ops` (or after who knows what).
    #[doc(alias = "do_smart_wakeup_zero")]
    fn smart_wakeup_zero(&mut self, ops: Option<&[Sembuf]>, woken: &mut Woken) -> bool {
        let (mut got_zero, mut done) = (false, false);
        match ops {
            Some(ops) => {
                for op in ops {
                    done |= self.wake_if_zero(usize::from(op.sem_num), &mut got_zero, woken);
                }
            }
            None => {
                for num in 0..self.sems.len() {
                    done |= self.wake_if_zero(num, &mut got_zero, woken);
                }
            }
        }
        if got_zero {
            done |= self.wake_const(Place::Const, woken);
        }
        done
    }

    /// Whether a sleeper's operation may have made another one possible that was tried before.
    #[doc(alias = "check_restart")]
    fn needs_restart(&self, queue: &SemQueue) -> bool {
        // A single operation that had to wait was a decrease: who waits in front of it needs more still.
        !self.pending_alter.is_empty() || queue.ops.len() > 1
    }

    /// Goes on with those who alter, in one queue.
    fn update_queue(&mut self, place: Place, woken: &mut Woken) -> bool {
        let (mut at, mut done) = (0, false);
        while at < self.pending(place).len() {
            if let Place::AlterOf(num) = place
                && self.sems[num].val == 0
            {
                break;
            }
            let Some((queue, result)) = self.try_sleeper(place, at, woken) else {
                at += 1;
                continue;
            };
            if result.is_ok() {
                done = true;
                self.smart_wakeup_zero(Some(&queue.ops), woken);
                if self.needs_restart(&queue) {
                    at = 0;
                }
            }
        }
        done
    }

    /// Goes on with whoever can, after `ops` (or after who knows what) changed semaphores. `operated`: by an operation.
    #[doc(alias = "do_smart_update")]
    pub fn smart_update(&mut self, ops: Option<&[Sembuf]>, operated: bool, woken: &mut Woken) {
        let mut done = operated | self.smart_wakeup_zero(ops, woken);
        match ops {
            _ if !self.pending_alter.is_empty() => done |= self.update_queue(Place::Alter, woken),
            Some(ops) => {
                for op in ops.iter().filter(|op| op.sem_op > 0) {
                    done |= self.update_queue(Place::AlterOf(usize::from(op.sem_num)), woken);
                }
            }
            None => {
                for num in 0..self.sems.len() {
                    done |= self.update_queue(Place::AlterOf(num), woken);
                }
            }
        }
        if done {
            self.otime = now();
        }
        self.unmerge();
    }

    /// Ends every wait: the set is removed.
    pub fn expel(&mut self, woken: &mut Woken) {
        let mut all: Vec<_> = self.pending_const.drain(..).chain(self.pending_alter.drain(..)).collect();
        for sem in &mut self.sems {
            all.extend(sem.pending_const.drain(..).chain(sem.pending_alter.drain(..)));
        }
        for queue in all {
            queue.finish(Err(Errno::EIDRM));
            woken.push(queue);
        }
    }

    /// How many wait for semaphore `num`: for zero, or for more.
    #[doc(alias = "count_semcnt")]
    pub fn count_waiting(&self, num: u16, zero: bool) -> usize {
        let sem = &self.sems[usize::from(num)];
        let simple = if zero { sem.pending_const.len() } else { sem.pending_alter.len() };
        let sets: &[&VecDeque<_>] = if zero { &[&self.pending_alter, &self.pending_const] } else { &[&self.pending_alter] };
        let complex = sets.iter().flat_map(|set| set.iter()).filter(|queue| queue.waits_for(num, zero));
        simple + complex.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(sem_num: u16, sem_op: i16) -> Sembuf {
        Sembuf { sem_num, sem_op, sem_flg: 0 }
    }

    fn array(values: &[i32]) -> SemArray {
        // Operations note the time.
        acrida_platform_sim::install();
        let mut array = SemArray {
            sems: values.iter().map(|_| super::super::Sem::default()).collect(),
            otime: 0,
            ctime: 0,
            pending_alter: VecDeque::new(),
            pending_const: VecDeque::new(),
            complex_count: 0,
            undos: Default::default(),
        };
        for (sem, value) in array.sems.iter_mut().zip(values) {
            sem.val = *value;
        }
        array
    }

    fn request(ops: &[Sembuf]) -> Request<'_> {
        Request { ops, pid: 1, owner: None }
    }

    fn values(array: &SemArray) -> Vec<i32> {
        array.sems.iter().map(|sem| sem.val).collect()
    }

    /// Tries; sleeps if it must.
    fn operate(array: &mut SemArray, ops: &[Sembuf]) -> Option<Arc<SemQueue>> {
        match array.perform(&request(ops)) {
            Attempt::Blocked(at) => {
                let queue = SemQueue::new(&request(ops), at);
                array.enqueue(queue.clone());
                Some(queue)
            }
            _ => None,
        }
    }

    #[test]
    fn all_or_nothing() {
        let mut array = array(&[1, 0]);
        assert_eq!(array.perform(&request(&[op(0, -1), op(1, -1)])), Attempt::Blocked(1));
        assert_eq!(values(&array), [1, 0]);
        assert_eq!(array.perform(&request(&[op(0, -1), op(0, 0), op(1, 3)])), Attempt::Done);
        assert_eq!(values(&array), [0, 3]);
        assert_eq!(array.perform(&request(&[op(1, 5), op(0, 32767), op(0, 1)])), Attempt::Failed(Errno::ERANGE));
        assert_eq!(values(&array), [0, 3]);
    }

    #[test]
    fn sleepers_merge_and_part() {
        let mut array = array(&[0, 0]);
        let first = operate(&mut array, &[op(0, -1)]).unwrap();
        let both = operate(&mut array, &[op(0, -1), op(1, -1)]).unwrap();
        let last = operate(&mut array, &[op(1, -1)]).unwrap();
        assert_eq!(array.pending_alter.len(), 3);
        assert_eq!((array.count_waiting(0, false), array.count_waiting(1, false)), (2, 1));
        array.sems[1].val = 1;
        let mut woken = Vec::new();
        // Only the last can go on, whatever waits in front.
        array.smart_update(None, false, &mut woken);
        assert!(last.result().is_some() && first.result().is_none());
        array.dequeue(&both);
        array.unmerge();
        assert_eq!((array.pending_alter.len(), array.sems[0].pending_alter.len()), (0, 1));
    }

    #[test]
    fn zero_is_announced_on_the_way() {
        let mut array = array(&[1]);
        let zero = operate(&mut array, &[op(0, 0)]).unwrap();
        let two = operate(&mut array, &[op(0, -2)]).unwrap();
        assert_eq!(array.perform(&request(&[op(0, 1)])), Attempt::Done);
        let mut woken = Vec::new();
        array.smart_update(Some(&[op(0, 1)]), true, &mut woken);
        assert_eq!((zero.result(), two.result()), (Some(Ok(())), Some(Ok(()))));
        assert_eq!(values(&array), [0]);
    }
}
