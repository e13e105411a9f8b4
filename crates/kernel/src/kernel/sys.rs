//! Calls about the system as a whole, and what happens to calls that nobody serves.
//!
//! Mirrors: kernel/sys.c, kernel/sys_ni.c, Linux 6.1.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::regs::UserFrame;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;

use crate::abi::{ArgKind, SysResult};

/// A call in nobody's table.
#[doc(alias = "sys_ni_syscall")]
pub fn unknown_call(nr: u64) -> SysResult {
    crate::kernel().unknown_calls.lock().insert(nr);
    Err(Errno::ENOSYS.into())
}

/// Hands a call to the host as it is; addresses must be the guest's, descriptors are never passed on.
pub fn pass_to_host(frame: &UserFrame, kinds: &[ArgKind]) -> SysResult {
    let regs = frame.regs.args();
    let mut args = [const { Arg::Null }; 6];
    for ((arg, kind), reg) in args.iter_mut().zip(kinds).zip(regs) {
        *arg = match kind {
            ArgKind::Addr | ArgKind::Path | ArgKind::BufIn | ArgKind::BufOut => Arg::User(UserAddr(reg), 0),
            _ => Arg::Val(reg),
        };
    }
    let host = platform().host();
    Ok(host.call(frame.regs.orig_rax as u32, &mut args[..kinds.len()])?)
}
