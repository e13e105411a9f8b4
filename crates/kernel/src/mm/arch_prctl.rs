//! What x86 keeps per thread: `arch_prctl`.
//!
//! Mirrors: arch/x86/kernel/process_64.c (`do_arch_prctl_64`), Linux 6.18.
//! Differs: `%gs` belongs to the kernel (it finds the thread's record with it), so a guest cannot set it; programs for
//! x86-64 Linux use `%fs`. Extended register state beyond what the host gives by default is not granted.

use acrida_kcore::platform::platform;
use acrida_kcore::uaccess::{TASK_SIZE, UserAddr};
use acrida_uapi::errno::Errno;
use acrida_uapi::prctl::*;

use crate::abi::SysResult;
use crate::host;

#[doc(alias = "arch_prctl")]
pub fn sys_arch_prctl(operation: i32, addr: UserAddr) -> SysResult {
    match operation {
        ARCH_SET_FS if addr.0 >= TASK_SIZE => Err(Errno::EPERM.into()),
        ARCH_SET_FS => {
            platform().set_fs_base(addr.0);
            Ok(0)
        }
        ARCH_GET_FS => {
            addr.write(&platform().fs_base())?;
            Ok(0)
        }
        ARCH_SET_GS => Err(Errno::EPERM.into()),
        ARCH_GET_GS => {
            addr.write(&0u64)?;
            Ok(0)
        }
        ARCH_GET_CPUID => Ok(1),
        ARCH_SET_CPUID => Err(Errno::ENODEV.into()),
        ARCH_GET_XCOMP_SUPP | ARCH_GET_XCOMP_PERM => {
            host::mm::arch_prctl_get(operation, addr)?;
            Ok(0)
        }
        ARCH_REQ_XCOMP_PERM => Err(Errno::EOPNOTSUPP.into()),
        ARCH_GET_UNTAG_MASK => {
            addr.write(&u64::MAX)?;
            Ok(0)
        }
        ARCH_GET_MAX_TAG_BITS => {
            addr.write(&0u64)?;
            Ok(0)
        }
        ARCH_ENABLE_TAGGED_ADDR => Err(Errno::ENODEV.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}
