//! /proc/PID/{cgroup,cpuset}: everything is in the root group.
//!
//! Mirrors: kernel/cgroup/cgroup.c (`proc_cgroup_show`), Linux 6.18.

use acrida_uapi::errno::Error;

use crate::fs::proc::seq_file::SeqFile;
use crate::fs::proc::subject::Target;

pub fn cgroup(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"0::/\n");
    Ok(())
}

pub fn cpuset(_target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    out.put(b"/\n");
    Ok(())
}
