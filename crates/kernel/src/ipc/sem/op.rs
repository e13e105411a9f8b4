//! `semop`, `semtimedop`.
//!
//! Mirrors: ipc/sem.c (`__do_semtimedop`), Linux 6.18.
//! Locking: the set's lock; sleepers are woken without it.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::uaccess::UserAddr;
use acrida_kcore::wait::{WaitError, WaitOptions};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::sem::{SEM_UNDO, Sembuf};
use acrida_uapi::time::Timespec;
use zerocopy::IntoBytes;

use super::queue::{Attempt, Request, SemQueue, wake_all};
use super::{SemArray, undo};
use crate::abi::SysResult;
use crate::ipc::util::{IpcObject, S_IRUGO, S_IWUGO};
use crate::{current, kernel};

/// Operations that need no memory of their own.
const FEW: usize = 4;

pub fn sys_semop(id: i32, ops: UserAddr, count: u32) -> SysResult {
    operate(id, ops, count, None)
}

pub fn sys_semtimedop(id: i32, ops: UserAddr, count: u32, timeout: UserAddr) -> SysResult {
    operate(id, ops, count, timeout.read_opt()?)
}

/// Brings the operations in.
#[doc(alias = "do_semtimedop")]
fn operate(id: i32, ops: UserAddr, count: u32, timeout: Option<Timespec>) -> SysResult {
    if u64::from(count) > kernel().sysctl.semopm.get() {
        return Err(Errno::E2BIG.into());
    }
    if count < 1 {
        return Err(Errno::EINVAL.into());
    }
    let count = count as usize;
    let mut few = [Sembuf::default(); FEW];
    let mut many: Vec<Sembuf>;
    let list = if count <= FEW {
        &mut few[..count]
    } else {
        many = vec![Sembuf::default(); count];
        &mut many[..]
    };
    ops.read_bytes(list.as_mut_bytes())?;
    let deadline = match timeout {
        None => None,
        Some(time) => {
            if !time.is_valid() {
                return Err(Errno::EINVAL.into());
            }
            Some(platform().now(ClockId::Monotonic).saturating_add_signed(time.to_nanos()))
        }
    };
    run(id, list, deadline)
}

fn run(id: i32, ops: &[Sembuf], deadline: Option<u64>) -> SysResult {
    if id < 0 {
        return Err(Errno::EINVAL.into());
    }
    let task = current();
    let has_undo = ops.iter().any(|op| op.sem_flg & SEM_UNDO != 0);
    let owner = if has_undo { Some(undo::prepare(id)?) } else { None };
    let request = Request { ops, pid: task.process.tgid, owner };
    let set = task.kernel.ipc.sem.find(id)?;
    let mut state = set.lock();
    if ops.iter().any(|op| usize::from(op.sem_num) >= state.body.sems.len()) {
        return Err(Errno::EFBIG.into());
    }
    let alter = ops.iter().any(|op| op.sem_op != 0);
    state.perm.check(if alter { S_IWUGO } else { S_IRUGO })?;
    state.perm.check_alive()?;
    match state.body.perform(&request) {
        Attempt::Done => {
            let mut woken = Vec::new();
            if alter {
                state.body.smart_update(Some(ops), true, &mut woken);
            } else {
                state.body.otime = crate::ipc::util::now();
            }
            drop(state);
            wake_all(&woken);
            Ok(0)
        }
        Attempt::Failed(errno) => Err(errno.into()),
        Attempt::Blocked(blocking) => {
            let queue = SemQueue::new(&request, blocking);
            state.body.enqueue(queue.clone());
            drop(state);
            wait(&set, &queue, deadline)
        }
    }
}

/// Sleeps until somebody has carried the operation out, or it ends in another way.
fn wait(set: &IpcObject<SemArray>, queue: &Arc<SemQueue>, deadline: Option<u64>) -> SysResult {
    let options = WaitOptions::interruptible("do_semtimedop").until(deadline);
    let woken = queue.wait.wait_event(options, || queue.result());
    let result = woken.or_else(|reason| {
        let mut state = set.lock();
        // Somebody may have been faster than the signal or the clock.
        if let Some(result) = queue.result() {
            return Ok(result);
        }
        state.body.dequeue(queue);
        state.body.unmerge();
        Err(match reason {
            WaitError::Interrupted => Errno::EINTR,
            WaitError::TimedOut => Errno::EAGAIN,
        })
    });
    match result {
        Ok(Ok(())) => Ok(0),
        Ok(Err(errno)) | Err(errno) => Err(Error::Errno(errno)),
    }
}
