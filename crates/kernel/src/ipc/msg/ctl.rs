//! `msgctl`: looking at queues, changing and removing them.
//!
//! Mirrors: ipc/msg.c (`ksys_msgctl`), Linux 6.18.
//! Locking: as in the parent module.

use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_RESOURCE;
use acrida_uapi::errno::Errno;
use acrida_uapi::ipc::{IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT};
use acrida_uapi::msg::{MSG_INFO, MSG_STAT, MSG_STAT_ANY, MSGMAP, MSGPOOL, MSGSEG, MSGSSZ, MSGTQL, Msginfo, Msqid64Ds};

use crate::abi::SysResult;
use crate::ipc::util::{S_IRUGO, now};
use crate::{current, kernel};

#[doc(alias = "ksys_msgctl")]
pub fn sys_msgctl(id: i32, command: i32, buf: UserAddr) -> SysResult {
    if command < 0 || id < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command {
        IPC_INFO | MSG_INFO => info(command, buf),
        IPC_STAT | MSG_STAT | MSG_STAT_ANY => stat(id, command, buf),
        IPC_SET => set(id, &buf.read()?),
        IPC_RMID => {
            super::remove(kernel(), id)?;
            Ok(0)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

#[doc(alias = "msgctl_info")]
fn info(command: i32, buf: UserAddr) -> SysResult {
    let (sysctl, ipc) = (&kernel().sysctl, &kernel().ipc);
    let (in_use, max_index) = ipc.msg.in_use();
    let used = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let (msgpool, msgmap, msgtql) = match command {
        MSG_INFO => {
            (used(in_use as u64), used(ipc.msg_hdrs.load(Ordering::Relaxed)), used(ipc.msg_bytes.load(Ordering::Relaxed)))
        }
        _ => (MSGPOOL, MSGMAP, MSGTQL),
    };
    buf.write(&Msginfo {
        msgpool,
        msgmap,
        msgmax: sysctl.msgmax.get() as i32,
        msgmnb: sysctl.msgmnb.get() as i32,
        msgmni: sysctl.msgmni.get() as i32,
        msgssz: MSGSSZ,
        msgtql,
        msgseg: MSGSEG as u16,
        ..Msginfo::default()
    })?;
    Ok(max_index)
}

#[doc(alias = "msgctl_stat")]
fn stat(id: i32, command: i32, buf: UserAddr) -> SysResult {
    let by_id = command == IPC_STAT;
    let queues = &kernel().ipc.msg;
    let object = if by_id { queues.find(id)? } else { queues.find_index(id)? };
    let found = {
        let state = object.lock();
        if command != MSG_STAT_ANY {
            state.perm.check(S_IRUGO)?;
        }
        state.perm.check_alive()?;
        let queue = &state.body;
        Msqid64Ds {
            msg_perm: state.perm.to_user(),
            msg_stime: queue.stime,
            msg_rtime: queue.rtime,
            msg_ctime: queue.ctime,
            msg_cbytes: queue.cbytes,
            msg_qnum: queue.messages.len() as u64,
            msg_qbytes: queue.qbytes,
            msg_lspid: queue.lspid.cast_signed(),
            msg_lrpid: queue.lrpid.cast_signed(),
            ..Msqid64Ds::default()
        }
    };
    buf.write(&found)?;
    Ok(if by_id { 0 } else { object.id as usize })
}

/// Owner, mode and size. Everybody who waits looks again: rights and room may be others now.
#[doc(alias = "msgctl_down")]
fn set(id: i32, new: &Msqid64Ds) -> SysResult {
    let (receivers, senders) = kernel().ipc.msg.change(id, |mut queue| {
        if new.msg_qbytes > kernel().sysctl.msgmnb.get() && !current().cred().capable(CAP_SYS_RESOURCE) {
            return Err(Errno::EPERM);
        }
        queue.state.perm.update(&new.msg_perm)?;
        let body = &mut queue.state.body;
        body.qbytes = new.msg_qbytes;
        body.ctime = now();
        let receivers = core::mem::take(&mut body.receivers);
        for receiver in &receivers {
            receiver.finish(Err(Errno::EAGAIN));
        }
        Ok((receivers, body.senders_with_room()))
    })?;
    receivers.iter().for_each(|receiver| receiver.wake());
    senders.iter().for_each(|sender| sender.wake());
    Ok(0)
}
