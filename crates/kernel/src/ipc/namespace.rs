//! Everything System V and POSIX IPC of one world.
//!
//! Mirrors: ipc/namespace.c, include/linux/ipc_namespace.h, Linux 6.18.
//! Differs: one namespace a world; the limits are in `kernel().sysctl`.

use core::sync::atomic::AtomicU64;

use super::msg::MsgQueue;
use super::sem::SemArray;
use super::shm::Shmid;
use super::util::IpcIds;

/// The objects of a world. Gone with it.
#[doc(alias = "ipc_namespace")]
#[derive(Default)]
pub struct IpcNamespace {
    pub shm: IpcIds<Shmid>,
    pub sem: IpcIds<SemArray>,
    /// Semaphores of all sets.
    pub used_sems: AtomicU64,
    pub msg: IpcIds<MsgQueue>,
    /// Messages in all queues, and their bytes.
    pub msg_hdrs: AtomicU64,
    pub msg_bytes: AtomicU64,
    /// Pages of all segments.
    pub shm_tot: AtomicU64,
}
