//! /proc/PID/{oom_score,oom_adj,oom_score_adj,coredump_filter}: what is to happen when the machine or the task is in trouble.
//!
//! Mirrors: fs/proc/base.c, mm/oom_kill.c (`oom_badness`), Linux 6.18.
//! Differs: nobody kills by these scores; they are kept, inherited and shown.

use core::sync::atomic::Ordering;

use acrida_uapi::capability::CAP_SYS_RESOURCE;
use acrida_uapi::errno::{Errno, Error};

use crate::current;
use crate::fs::proc::base::{parse_int, parse_stripped};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;

const OOM_SCORE_ADJ_MAX: i64 = 1000;
/// The older scale.
const OOM_DISABLE: i64 = -17;
const OOM_ADJUST_MAX: i64 = 15;

fn score_adj_of(target: &Target) -> i64 {
    target.process.oom_score_adj.load(Ordering::Relaxed).into()
}

/// Two thirds of 1000 for a task that uses next to nothing, moved by the adjustment.
fn badness(adj: i64) -> i64 {
    (OOM_SCORE_ADJ_MAX + adj) * 2 / 3
}

pub fn score(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\n", badness(score_adj_of(target)));
    Ok(())
}

pub fn score_adj(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\n", score_adj_of(target));
    Ok(())
}

/// Everybody may offer himself as a victim; less than before only the privileged.
#[doc(alias = "__set_oom_adj")]
fn set(target: &Target, adj: i64) -> Result<(), Error> {
    if adj < score_adj_of(target).min(0) && !current().cred().capable(CAP_SYS_RESOURCE) {
        return Err(Errno::EACCES.into());
    }
    // Checked to lie within ±1000.
    target.process.oom_score_adj.store(adj as i32, Ordering::Relaxed);
    Ok(())
}

pub fn set_score_adj(target: &Target, bytes: &[u8]) -> Result<(), Error> {
    let adj = parse_stripped(bytes)?;
    if !(-OOM_SCORE_ADJ_MAX..=OOM_SCORE_ADJ_MAX).contains(&adj) {
        return Err(Errno::EINVAL.into());
    }
    set(target, adj)
}

fn to_old(adj: i64) -> i64 {
    if adj == OOM_SCORE_ADJ_MAX { OOM_ADJUST_MAX } else { adj * -OOM_DISABLE / OOM_SCORE_ADJ_MAX }
}

fn from_old(adj: i64) -> i64 {
    if adj == OOM_ADJUST_MAX { OOM_SCORE_ADJ_MAX } else { adj * OOM_SCORE_ADJ_MAX / -OOM_DISABLE }
}

pub fn adj(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{}\n", to_old(score_adj_of(target)));
    Ok(())
}

pub fn set_adj(target: &Target, bytes: &[u8]) -> Result<(), Error> {
    let adj = parse_stripped(bytes)?;
    if !(OOM_DISABLE..=OOM_ADJUST_MAX).contains(&adj) {
        return Err(Errno::EINVAL.into());
    }
    set(target, from_old(adj))
}

/// Which kinds of areas a core dump would hold.
pub fn coredump_filter(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    seq_printf!(out, "{:08x}\n", target.process.coredump_filter.load(Ordering::Relaxed));
    Ok(())
}

pub fn set_coredump_filter(target: &Target, bytes: &[u8]) -> Result<(), Error> {
    const ALL: i64 = 0x1ff;
    let value = parse_int(bytes)? & ALL;
    target.process.coredump_filter.store(value as u32, Ordering::Relaxed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scales_agree_at_their_ends() {
        assert_eq!((badness(0), badness(-1000), badness(1000)), (666, 0, 1333));
        assert_eq!((from_old(15), from_old(-17), from_old(0)), (1000, -1000, 0));
        assert_eq!((to_old(1000), to_old(-1000), to_old(0)), (15, -17, 0));
    }
}
