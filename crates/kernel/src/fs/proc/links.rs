//! /proc/PID/{cwd,root,exe}: links to the objects themselves.
//!
//! Mirrors: fs/proc/base.c (`proc_cwd_link`, `proc_root_link`, `proc_exe_link`), Linux 6.18.
//! Locking: `Process::exe`, a leaf.

use acrida_uapi::errno::{Errno, Error};

use crate::fs::anon_inodes::path_of;
use crate::fs::inode::Link;
use crate::fs::proc::subject::Target;

pub fn cwd(target: &Target) -> Result<Link, Error> {
    Ok(Link::Jump(target.fs().ok_or(Errno::ENOENT)?.pwd()))
}

pub fn root(target: &Target) -> Result<Link, Error> {
    Ok(Link::Jump(target.fs().ok_or(Errno::ENOENT)?.root()))
}

pub fn exe(target: &Target) -> Result<Link, Error> {
    target.mm().ok_or(Errno::ENOENT)?;
    let file = target.process.exe.lock().clone().ok_or(Errno::ENOENT)?;
    Ok(Link::Jump(path_of(&file)))
}
