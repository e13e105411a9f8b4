//! What Linux keeps in globals: one [`Kernel`] per world.
//!
//! Mirrors: the statics of Linux 6.18.
//! Locking: each field has its own lock; the order is in docs/locking.md.

use acrida_kcore::change_lock::ChangeLock;
use acrida_kcore::host::HostFd;
use acrida_kcore::sync::SpinLock;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU32, AtomicU64};

use crate::fs::inode::InodeCommon;
use crate::fs::locks::deadlock::WaitGraph;
use crate::fs::namespace::{Mount, MountNamespace};
use crate::kernel::pid::PidTable;
use crate::kernel::time::TimerQueue;

/// One world's kernel.
pub struct Kernel {
    /// Processes, groups and sessions by number.
    pub pids: PidTable,
    /// The mount tree every process starts with.
    pub mounts: Arc<MountNamespace>,
    /// Held by renames from one directory to another, which tell walks of the moment that a name moves.
    #[doc(alias = "s_vfs_rename_mutex")]
    #[doc(alias = "rename_lock")]
    pub renames: ChangeLock,
    /// Of the files that are only a mechanism; locks on one are locks on all.
    #[doc(alias = "anon_inode_inode")]
    pub anon_inode: InodeCommon,
    /// What the paths of things without a name lead to.
    #[doc(alias = "anon_inode_mnt")]
    pub anon_mount: Arc<Mount>,
    /// Files in memory without a name.
    pub shm: crate::fs::tmpfs::memfd::Unnamed,
    pub hostname: SpinLock<alloc::vec::Vec<u8>>,
    /// The command's end of the control socket.
    pub control: HostFd,
    /// Numbers of /proc/sys.
    pub sysctl: crate::kernel::sysctl::Sysctls,
    /// /proc/sys/kernel/random/boot_id, made when first asked for.
    pub boot_id: SpinLock<Option<[u8; 16]>>,
    /// Monotonic time of boot, ns.
    pub boot_time: u64,
    /// `acrida_trace_format::boot::flags`.
    pub flags: u64,
    pub next_ino: AtomicU64,
    /// Who waits for whose record lock.
    pub lock_waits: SpinLock<WaitGraph>,
    /// The world's first guest process.
    pub first_process: AtomicU32,
    pub unix: crate::net::unix::UnixTable,
    pub ipc: crate::ipc::namespace::IpcNamespace,
    pub host_watch: crate::fs::hostfs::watch::HostWatch,
    pub epoll: crate::fs::eventpoll::Epolls,
    pub dead_threads: crate::kernel::exit::DeadThreads,
    /// Armed timers; served by the timer thread.
    pub timers: Arc<TimerQueue>,
    /// Who wants to know of steps of the wall clock.
    pub clock_set: Arc<crate::kernel::time::clock_set::ClockSet>,
    /// Watches on files.
    pub inotify: crate::fs::notify::inotify::Inotify,
    /// Foreground process group of the host's terminal.
    pub host_tty_pgrp: AtomicU32,
    /// Calls in nobody's table that were made.
    pub unknown_calls: SpinLock<alloc::collections::BTreeSet<u64>>,
    /// Guest texts with their system calls patched.
    pub text_images: crate::mm::patch::TextImages,
}

impl Kernel {
    /// A fresh inode number for our own anonymous objects.
    #[doc(alias = "get_next_ino")]
    pub fn next_ino(&self) -> u64 {
        self.next_ino.fetch_add(1, core::sync::atomic::Ordering::Relaxed)
    }
}
