//! /proc itself: processes, the two links to oneself, and files about the whole.
//!
//! Mirrors: fs/proc/root.c, fs/proc/self.c, fs/proc/thread_self.c, Linux 6.18.
//! Differs: files about the machine are the host's; those about processes and mounts are ours.
//! Locking: the pid table for a copy of the numbers.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::Error;
use acrida_uapi::stat::{S_IFDIR, S_IFLNK, S_IFREG};

use crate::fs::file::FileOperations;
use crate::fs::inode::Link;
use crate::fs::proc::base::{PidDir, number};
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::proc_sysctl::SysDir;
use crate::fs::proc::seq_file::TextFile;
use crate::fs::proc::subject::Subject;
use crate::fs::proc::{host_files, sysvipc, table_dir, world};
use crate::{current, kernel};

/// `PROC_ROOT_INO`.
pub const ROOT_INO: u64 = 1;
/// Numbers of what stands in the table below.
const FIRST_INO: u64 = 0x1000;
/// Listing goes on with processes from this position.
#[doc(alias = "FIRST_PROCESS_ENTRY")]
const FIRST_PROCESS: u64 = 256;

/// What stands behind a name of the root directory.
enum What {
    /// The host's file or directory of this name, if it has one.
    Host,
    Text(table_dir::Show),
    Link(&'static str),
    /// The caller's own directory.
    MySelf,
    MyThread,
    Dir(fn(u32) -> ProcRef),
}

static ROWS: &[(&str, What)] = &[
    ("self", What::MySelf),
    ("thread-self", What::MyThread),
    ("mounts", What::Link("self/mounts")),
    ("net", What::Link("self/net")),
    ("sys", What::Dir(SysDir::root)),
    ("sysvipc", What::Dir(sysvipc::make)),
    ("filesystems", What::Text(world::filesystems)),
    ("loadavg", What::Text(world::loadavg)),
    ("locks", What::Text(world::locks)),
    ("stat", What::Text(world::stat)),
    ("buddyinfo", What::Host),
    ("bus", What::Host),
    ("cgroups", What::Host),
    ("cmdline", What::Host),
    ("config.gz", What::Host),
    ("consoles", What::Host),
    ("cpuinfo", What::Host),
    ("crypto", What::Host),
    ("devices", What::Host),
    ("diskstats", What::Host),
    ("dma", What::Host),
    ("driver", What::Host),
    ("execdomains", What::Host),
    ("fb", What::Host),
    ("fs", What::Host),
    ("interrupts", What::Host),
    ("iomem", What::Host),
    ("ioports", What::Host),
    ("irq", What::Host),
    ("kallsyms", What::Host),
    ("key-users", What::Host),
    ("keys", What::Host),
    ("mdstat", What::Host),
    ("meminfo", What::Host),
    ("misc", What::Host),
    ("modules", What::Host),
    ("mtrr", What::Host),
    ("pagetypeinfo", What::Host),
    ("partitions", What::Host),
    ("pressure", What::Host),
    ("schedstat", What::Host),
    ("slabinfo", What::Host),
    ("softirqs", What::Host),
    ("swaps", What::Host),
    ("timer_list", What::Host),
    ("tty", What::Host),
    ("uptime", What::Host),
    ("version", What::Host),
    ("vmallocinfo", What::Host),
    ("vmstat", What::Host),
    ("zoneinfo", What::Host),
];

fn host_path(name: &str) -> Vec<u8> {
    format!("/proc/{name}").into_bytes()
}

/// The root directory.
pub struct Root;

impl Node for Root {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    #[doc(alias = "proc_root_getattr")]
    fn nlink(&self) -> u32 {
        kernel().pids.lock().processes.len() as u32 + 9
    }

    #[doc(alias = "proc_root_lookup")]
    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        if let Some(pid) = number(name) {
            return Ok(Subject::find(pid).map(|subject| PidDir::make(subject, dev)));
        }
        let Some(index) = ROWS.iter().position(|(row, _)| row.as_bytes() == name) else { return Ok(None) };
        let ino = FIRST_INO + index as u64;
        let (name, what) = &ROWS[index];
        Ok(match what {
            What::Host => host_files::make(host_path(name), dev),
            What::Dir(make) => Some(make(dev)),
            _ => Some(RootEntry(what).inode(dev, ino)),
        })
    }

    #[doc(alias = "proc_root_readdir")]
    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        for (index, (name, what)) in ROWS.iter().enumerate().skip(from as usize) {
            let mode = match what {
                What::Host => match host_files::find(host_path(name)) {
                    Some((entry, _)) => entry.mode(),
                    None => continue,
                },
                What::Dir(_) => S_IFDIR,
                other => RootEntry(other).mode(),
            };
            let (ino, next) = (FIRST_INO + index as u64, index as u64 + 1);
            if !emit(Entry { name: name.as_bytes(), ino, mode, next }) {
                return Ok(());
            }
        }
        let first = from.saturating_sub(FIRST_PROCESS);
        let pids: Vec<u32> = kernel().pids.lock().processes.keys().copied().collect();
        for pid in pids.into_iter().filter(|&pid| u64::from(pid) >= first) {
            // Gone since: left out.
            let Some(subject) = Subject::find(pid) else { continue };
            let (name, next) = (format!("{pid}"), FIRST_PROCESS + u64::from(pid) + 1);
            if !emit(Entry { name: name.as_bytes(), ino: PidDir::ino(&subject), mode: S_IFDIR, next }) {
                break;
            }
        }
        Ok(())
    }
}

/// A file or link of the root directory.
struct RootEntry(&'static What);

impl Node for RootEntry {
    fn mode(&self) -> u32 {
        match self.0 {
            What::MySelf | What::MyThread | What::Link(_) => S_IFLNK | 0o777,
            _ => S_IFREG | 0o444,
        }
    }

    fn size(&self) -> u64 {
        if let What::Link(text) = self.0 { text.len() as u64 } else { 0 }
    }

    #[doc(alias = "proc_self_get_link")]
    #[doc(alias = "proc_thread_self_get_link")]
    fn link(&self) -> Result<Link, Error> {
        let me = current();
        let text = match self.0 {
            What::Link(text) => (*text).into(),
            What::MyThread => format!("{}/task/{}", me.process.tgid, me.tid()),
            _ => format!("{}", me.process.tgid),
        };
        Ok(Link::Text(text.into_bytes()))
    }

    fn open(&self, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        match self.0 {
            What::Text(show) => Ok(Arc::new(TextFile::new(Box::new(*show)).global())),
            _ => Err(acrida_uapi::errno::Errno::ELOOP.into()),
        }
    }
}
