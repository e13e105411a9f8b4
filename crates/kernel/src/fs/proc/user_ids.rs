//! /proc/PID/{uid_map,gid_map,projid_map,setgroups,loginuid,sessionid}: one user namespace, nobody audited.
//!
//! Mirrors: kernel/user_namespace.c, fs/proc/base.c, Linux 6.18.

use acrida_uapi::errno::{Errno, Error};

use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;

/// No login, no session.
const UNSET: u32 = u32::MAX;

pub fn id_map(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{:>10} {:>10} {:>10}\n", 0, 0, u32::MAX);
    Ok(())
}

pub fn setgroups(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"allow\n");
    Ok(())
}

pub fn loginuid(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{UNSET}");
    Ok(())
}

pub fn sessionid(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{UNSET}");
    Ok(())
}

pub fn set_loginuid(_target: &Target, _bytes: &[u8]) -> Result<(), Error> {
    Err(Errno::EPERM.into())
}

/// Once forbidden it would stay so; in the first namespace it cannot be forbidden.
#[doc(alias = "proc_setgroups_write")]
pub fn set_setgroups(_target: &Target, bytes: &[u8]) -> Result<(), Error> {
    match bytes.trim_ascii_end() {
        b"allow" => Ok(()),
        b"deny" => Err(Errno::EPERM.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// The first namespace's maps are fixed.
pub fn refuse(_target: &Target, _bytes: &[u8]) -> Result<(), Error> {
    Err(Errno::EPERM.into())
}
