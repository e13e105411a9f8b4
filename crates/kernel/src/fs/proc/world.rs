//! Files of /proc about the world as a whole: filesystems, loadavg, locks, stat.
//!
//! Mirrors: fs/filesystems.c, fs/proc/loadavg.c, fs/proc/stat.c, Linux 6.18.
//! Differs: load and processor time are the host's, numbers of tasks ours.

use alloc::collections::BTreeSet;
use core::sync::atomic::Ordering;

use acrida_kcore::sched::state;
use acrida_uapi::errno::Error;

use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::super_block::FILE_SYSTEMS;
use crate::{host, kernel};

#[doc(alias = "filesystems_proc_show")]
pub fn filesystems(out: &mut SeqFile) -> Result<(), Error> {
    for kind in FILE_SYSTEMS {
        seq_printf!(out, "{}\t{}\n", if kind.needs_device { "" } else { "nodev" }, kind.name);
    }
    Ok(())
}

/// Tasks of the world.
struct Tasks {
    total: usize,
    running: usize,
    uninterruptible: usize,
    last_pid: u32,
}

impl Tasks {
    fn count() -> Tasks {
        let tables = kernel().pids.lock();
        let in_state = |wanted| tables.tasks.values().filter(|t| t.thread.state.load(Ordering::Relaxed) == wanted).count();
        Tasks {
            total: tables.tasks.len(),
            running: in_state(state::RUNNING),
            uninterruptible: in_state(state::UNINTERRUPTIBLE),
            last_pid: tables.last_pid(),
        }
    }
}

#[doc(alias = "loadavg_proc_show")]
pub fn loadavg(out: &mut SeqFile) -> Result<(), Error> {
    let text = host::proc::read_file(b"/proc/loadavg")?;
    edit_loadavg(&text, &Tasks::count(), out);
    Ok(())
}

/// The host's three averages, our numbers.
fn edit_loadavg(text: &[u8], tasks: &Tasks, out: &mut SeqFile) {
    for average in text.split(|&byte| byte == b' ').take(3) {
        out.put(average);
        out.put(b" ");
    }
    seq_printf!(out, "{}/{} {}\n", tasks.running, tasks.total, tasks.last_pid);
}

#[doc(alias = "show_stat")]
pub fn stat(out: &mut SeqFile) -> Result<(), Error> {
    let text = host::proc::read_file(b"/proc/stat")?;
    edit_stat(&text, &Tasks::count(), out);
    Ok(())
}

fn edit_stat(text: &[u8], tasks: &Tasks, out: &mut SeqFile) {
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"processes ") {
            seq_printf!(out, "processes {}\n", tasks.last_pid);
        } else if line.starts_with(b"procs_running ") {
            seq_printf!(out, "procs_running {}\n", tasks.running.max(1));
        } else if line.starts_with(b"procs_blocked ") {
            seq_printf!(out, "procs_blocked {}\n", tasks.uninterruptible);
        } else {
            out.put(line);
        }
    }
}

/// Locks are found through the files that are open.
#[doc(alias = "locks_show")]
pub fn locks(out: &mut SeqFile) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut number = 0;
    for process in kernel().pids.processes() {
        let Some(task) = process.threads.lock().first().cloned() else { continue };
        for (_, file, _) in task.files().snapshot() {
            let common = file.inode_common();
            let Some(locks) = common.locks.get().filter(|locks| seen.insert(core::ptr::from_ref(&***locks).addr())) else {
                continue;
            };
            for lock in locks.held() {
                number += 1;
                out.put(lock.line(number, process.tgid, (common.dev, common.ino)).as_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_tasks_are_ours() {
        let tasks = Tasks { total: 4, running: 2, uninterruptible: 1, last_pid: 99 };
        let mut out = SeqFile::new();
        edit_loadavg(b"0.10 0.20 0.30 1/77 1234\n", &tasks, &mut out);
        assert_eq!(out.into_bytes(), b"0.10 0.20 0.30 2/4 99\n");
        let mut out = SeqFile::new();
        edit_stat(b"cpu 1\nprocesses 5\nprocs_running 7\nprocs_blocked 0\nsoftirq 1\n", &tasks, &mut out);
        assert_eq!(out.into_bytes(), b"cpu 1\nprocesses 99\nprocs_running 2\nprocs_blocked 1\nsoftirq 1\n");
    }
}
