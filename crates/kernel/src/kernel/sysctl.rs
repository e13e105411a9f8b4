//! Numbers that an administrator may look at and change through /proc/sys.
//!
//! Mirrors: kernel/sysctl.c and the `ctl_table`s of the subsystems, Linux 6.18.
//! Differs: the numbers are one structure of the kernel; a subsystem reads `kernel().sysctl.NAME` where Linux reads a
//! variable. Numbers that nothing in the world reads yet are read-only: a change would be a lie.

use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_uapi::errno::Errno;

/// One of the numbers, in a structure whose `Default` is Linux's.
#[derive(Debug)]
pub struct Value(AtomicU64);

impl Value {
    const fn new(value: u64) -> Value {
        Value(AtomicU64::new(value))
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// A file of /proc/sys that shows one or several numbers.
#[doc(alias = "ctl_table")]
pub struct Sysctl {
    /// Below /proc/sys.
    pub path: &'static str,
    /// Permission bits.
    pub mode: u32,
    slot: fn(&Sysctls) -> &Value,
    allowed: RangeInclusive<u64>,
}

impl Sysctl {
    pub fn get(&self, values: &Sysctls) -> u64 {
        (self.slot)(values).get()
    }

    /// Sets the value, or `EINVAL` when it is not allowed.
    #[doc(alias = "proc_doulongvec_minmax")]
    pub fn set(&self, values: &Sysctls, value: u64) -> Result<(), Errno> {
        if !self.allowed.contains(&value) {
            return Err(Errno::EINVAL);
        }
        (self.slot)(values).set(value);
        Ok(())
    }
}

macro_rules! sysctls {
    ($($name:ident: $path:literal, $mode:literal = $default:expr, $allowed:expr;)*) => {
        /// Every number; paths are in [`SYSCTLS`].
        #[derive(Debug)]
        pub struct Sysctls {
            $(pub $name: Value,)*
        }

        impl Default for Sysctls {
            fn default() -> Self {
                Sysctls { $($name: Value::new($default),)* }
            }
        }

        /// What is where.
        pub static SYSCTLS: &[Sysctl] = &[
            $(Sysctl { path: $path, mode: $mode, slot: |values| &values.$name, allowed: $allowed },)*
        ];
    };
}

const INT_MAX: u64 = i32::MAX as u64;
/// Linux's bound for System V identifiers.
const IPCMNI: u64 = 32768;
/// `ULONG_MAX - (1 << 24)`: practically no limit.
const SHM_UNLIMITED: u64 = u64::MAX - (1 << 24);

sysctls! {
    // System V shared memory, messages, semaphores.
    shmmax: "kernel/shmmax", 0o644 = SHM_UNLIMITED, 0..=u64::MAX;
    shmall: "kernel/shmall", 0o644 = SHM_UNLIMITED, 0..=u64::MAX;
    shmmni: "kernel/shmmni", 0o644 = 4096, 0..=IPCMNI;
    // Its file does more than store.
    shm_rmid_forced: "", 0o644 = 0, 0..=1;
    msgmax: "kernel/msgmax", 0o644 = 8192, 0..=INT_MAX;
    msgmnb: "kernel/msgmnb", 0o644 = 16384, 0..=INT_MAX;
    msgmni: "kernel/msgmni", 0o644 = 32000, 0..=IPCMNI;
    // Shown together in kernel/sem.
    semmsl: "", 0o644 = 32000, 0..=65536;
    semmns: "", 0o644 = 1_024_000_000, 0..=INT_MAX;
    semopm: "", 0o644 = 500, 0..=INT_MAX;
    semmni: "", 0o644 = 32000, 0..=IPCMNI;
    // Files.
    file_max: "fs/file-max", 0o644 = i64::MAX as u64, 0..=i64::MAX as u64;
    nr_open: "fs/nr_open", 0o444 = crate::fs::fdtable::NR_OPEN as u64, 0..=INT_MAX;
    pipe_max_size: "fs/pipe-max-size", 0o644 = 1 << 20, 4096..=1 << 31;
    pipe_user_pages_hard: "fs/pipe-user-pages-hard", 0o444 = 0, 0..=u64::MAX;
    pipe_user_pages_soft: "fs/pipe-user-pages-soft", 0o444 = 16384, 0..=u64::MAX;
    dir_notify_enable: "fs/dir-notify-enable", 0o644 = 1, 0..=INT_MAX;
    inotify_max_queued_events: "fs/inotify/max_queued_events", 0o644 = 16384, 0..=INT_MAX;
    inotify_max_user_instances: "fs/inotify/max_user_instances", 0o644 = 128, 0..=INT_MAX;
    inotify_max_user_watches: "fs/inotify/max_user_watches", 0o644 = 65536, 0..=INT_MAX;
    epoll_max_user_watches: "fs/epoll/max_user_watches", 0o644 = 1 << 20, 0..=i64::MAX as u64;
    mqueue_queues_max: "fs/mqueue/queues_max", 0o644 = 256, 0..=INT_MAX;
    mqueue_msg_max: "fs/mqueue/msg_max", 0o644 = 10, 1..=65536;
    mqueue_msgsize_max: "fs/mqueue/msgsize_max", 0o644 = 8192, 128..=16 << 20;
    mqueue_msg_default: "fs/mqueue/msg_default", 0o644 = 10, 1..=65536;
    mqueue_msgsize_default: "fs/mqueue/msgsize_default", 0o644 = 8192, 128..=16 << 20;
    aio_max_nr: "fs/aio-max-nr", 0o444 = 65536, 0..=u64::MAX;
    aio_nr: "fs/aio-nr", 0o444 = 0, 0..=u64::MAX;
    overflowuid_fs: "fs/overflowuid", 0o444 = 65534, 0..=65535;
    overflowgid_fs: "fs/overflowgid", 0o444 = 65534, 0..=65535;
    suid_dumpable: "fs/suid_dumpable", 0o444 = 0, 0..=2;
    // Tasks.
    pid_max: "kernel/pid_max", 0o444 = crate::kernel::pid::PID_MAX as u64, 301..=1 << 22;
    threads_max: "kernel/threads-max", 0o444 = 32768, 1..=INT_MAX;
    cap_last_cap: "kernel/cap_last_cap", 0o444 = acrida_uapi::capability::CAP_LAST_CAP as u64, 0..=63;
    ngroups_max: "kernel/ngroups_max", 0o444 = 65536, 0..=65536;
    overflowuid: "kernel/overflowuid", 0o444 = 65534, 0..=65535;
    overflowgid: "kernel/overflowgid", 0o444 = 65534, 0..=65535;
    core_uses_pid: "kernel/core_uses_pid", 0o444 = 0, 0..=1;
    core_pipe_limit: "kernel/core_pipe_limit", 0o444 = 0, 0..=INT_MAX;
    sched_child_runs_first: "kernel/sched_child_runs_first", 0o444 = 0, 0..=1;
    randomize_va_space: "kernel/randomize_va_space", 0o444 = 2, 0..=2;
    tainted: "kernel/tainted", 0o444 = 0, 0..=u64::MAX;
    io_uring_disabled: "kernel/io_uring_disabled", 0o444 = 2, 0..=2;
    unprivileged_userns: "user/max_user_namespaces", 0o444 = 0, 0..=INT_MAX;
    // Memory.
    max_map_count: "vm/max_map_count", 0o444 = crate::mm::mmap::MAX_MAP_COUNT as u64, 0..=INT_MAX;
    mmap_min_addr: "vm/mmap_min_addr", 0o444 = crate::mm::layout::MMAP_MIN_ADDR, 0..=u64::MAX;
    overcommit_memory: "vm/overcommit_memory", 0o444 = 0, 0..=2;
    // Sockets.
    somaxconn: "net/core/somaxconn", 0o444 = 4096, 0..=INT_MAX;
    max_dgram_qlen: "net/unix/max_dgram_qlen", 0o444 = 10, 0..=INT_MAX;
    rmem_default: "net/core/rmem_default", 0o444 = 212_992, 2304..=INT_MAX;
    rmem_max: "net/core/rmem_max", 0o444 = 4 << 20, 2304..=INT_MAX;
    wmem_default: "net/core/wmem_default", 0o444 = 212_992, 4608..=INT_MAX;
    wmem_max: "net/core/wmem_max", 0o444 = 4 << 20, 4608..=INT_MAX;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed() {
        let values = Sysctls::default();
        for sysctl in SYSCTLS {
            assert!(sysctl.allowed.contains(&sysctl.get(&values)), "{}", sysctl.path);
        }
    }

    #[test]
    fn a_value_out_of_bounds_is_refused() {
        let values = Sysctls::default();
        let sysctl = SYSCTLS.iter().find(|sysctl| sysctl.path == "kernel/shmmni").unwrap();
        assert_eq!(sysctl.set(&values, IPCMNI + 1), Err(Errno::EINVAL));
        assert_eq!(sysctl.set(&values, 7), Ok(()));
        assert_eq!(values.shmmni.get(), 7);
    }
}
