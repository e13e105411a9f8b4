//! On which memory nodes pages lie: `mbind`, `migrate_pages`, `move_pages`.
//!
//! Mirrors: mm/mempolicy.c, mm/migrate.c, Linux 6.18.
//! Differs: pages and nodes are the host's, so the host answers for the caller's own memory (as it does for
//! `set_mempolicy` and `get_mempolicy`, passed on by the table). Other processes' pages are not moved.

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;

use crate::abi::{Flags, SysResult};
use crate::{current, host};

#[doc(alias = "mbind")]
pub fn sys_mbind(start: UserAddr, len: u64, mode: Flags, mask: UserAddr, maxnode: u64, flags: Flags) -> SysResult {
    let len = usize::try_from(len).map_err(|_| Errno::EINVAL)?;
    host::mm::mbind(start.0, len, mode.0, mask, maxnode, flags.0)?;
    Ok(0)
}

/// `ESRCH` for anybody but the caller.
fn check_self(pid: i32) -> Result<(), Errno> {
    let own = pid == 0 || pid.cast_unsigned() == current().process.tgid;
    if own { Ok(()) } else { Err(Errno::ESRCH) }
}

#[doc(alias = "migrate_pages")]
pub fn sys_migrate_pages(pid: i32, maxnode: u64, from: UserAddr, to: UserAddr) -> SysResult {
    check_self(pid)?;
    let len = usize::try_from(maxnode / 8).unwrap_or(usize::MAX);
    let mut args = [Arg::Val(0), Arg::Val(maxnode), Arg::User(from, len), Arg::User(to, len)];
    Ok(platform().host().call(nr::migrate_pages, &mut args)?)
}

#[doc(alias = "move_pages")]
pub fn sys_move_pages(pid: i32, count: u64, pages: UserAddr, nodes: UserAddr, status: UserAddr, flags: Flags) -> SysResult {
    check_self(pid)?;
    let words = usize::try_from(count).ok().and_then(|count| count.checked_mul(8)).ok_or(Errno::E2BIG)?;
    let nodes = if nodes.is_null() { Arg::Null } else { Arg::User(nodes, words / 2) };
    let (pages, status) = (Arg::User(pages, words), Arg::User(status, words / 2));
    let mut args = [Arg::Val(0), Arg::Val(count), pages, nodes, status, Arg::Val(flags.0.into())];
    Ok(platform().host().call(nr::move_pages, &mut args)?)
}
