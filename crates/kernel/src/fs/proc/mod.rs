//! procfs: the world's processes and numbers as files.
//!
//! Mirrors: fs/proc/, Linux 6.18.
//!
//! In Linux procfs is a file system whose inodes are made on the spot: a name in /proc/PID is a row of a table, the row
//! says which function writes the text. So it is here. Every object is a small value that implements `inode::Node`; one
//! inode type and one directory type serve them all. Text is made by the first read (`seq_file`).
//!
//! ```text
//!  /proc (root)
//!    ├ PID, self ─► PidDir (base: one table) ─► text: array, task_mmu, task_args, limits, account, oom, ...
//!    │                 ├ fd, fdinfo (fd)     ├ links: cwd, root, exe; file_link: fd/N, map_files ─► jump to the object itself
//!    │                 ├ task/TID ─► PidDir  └ mem
//!    │                 └ net (proc_net), ns (namespaces)
//!    ├ sys (proc_sysctl) ─► kernel::sysctl's numbers, sysctl_text, then the host's
//!    ├ sysvipc, stat, loadavg, filesystems, locks (world)
//!    └ cpuinfo, meminfo, ... (host_files): the host's
//! ```
//!
//! A directory of a process does not keep the process (`subject`): once it is waited for, names vanish (`ENOENT`) and open
//! files answer `ESRCH`. What needs a look into a process asks `Target::may_access` first, Linux's ptrace rule.
//!
//! Adding: a file of a process is a row in `base`; a number an administrator sets is a line in `kernel::sysctl`; a
//! socket table is a function in `proc_net`.

mod account;
pub(crate) mod array;
mod base;
mod cgroup;
mod fd;
mod file_link;
mod host_files;
mod inode;
mod limits;
mod links;
mod map_files;
mod mem;
mod namespaces;
mod oom;
mod proc_namespace;
mod proc_net;
mod proc_sysctl;
mod root;
pub mod seq_file;
pub mod subject;
mod sysctl_text;
mod sysvipc;
mod table_dir;
pub(crate) mod task_args;
mod task_mmu;
mod user_ids;
mod world;

pub use base::tgid_pidfd_to_process;

use alloc::sync::Arc;

use acrida_uapi::errno::Error;
use acrida_uapi::statfs::{PROC_SUPER_MAGIC, Statfs};
use zerocopy::FromZeros;

use crate::fs::dcache::Dentry;
use crate::fs::proc::inode::Node;
use crate::fs::super_block::{FileSystemType, Instance, SuperBlock, anon_dev};

/// The file system.
struct ProcFs;

impl SuperBlock for ProcFs {
    fn type_name(&self) -> &'static str {
        "proc"
    }

    fn statfs(&self, _dentry: &Dentry) -> Result<Statfs, Error> {
        let mut out = Statfs::new_zeroed();
        (out.f_type, out.f_bsize, out.f_namelen, out.f_frsize) = (PROC_SUPER_MAGIC, 4096, 255, 4096);
        Ok(out)
    }
}

/// The type, for the table of file systems.
#[doc(alias = "proc_fs_type")]
pub const PROC: FileSystemType = FileSystemType { name: "proc", needs_device: false, mount };

/// A new instance; all show the same.
fn mount(_source: &[u8], _data: &[u8]) -> Result<Instance, Error> {
    let root = root::Root.inode(anon_dev(), root::ROOT_INO);
    Ok(Instance { sb: Arc::new(ProcFs), root: Dentry::root(root) })
}
