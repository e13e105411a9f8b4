//! POSIX message queues: a file system whose files are queues.
//!
//! A queue is an inode of the one mqueue file system of the world, which `mq_open` finds whether it is mounted or not. A
//! descriptor from `mq_open` is an ordinary open file: it can be polled, inherited and passed on, and its text, where it
//! is mounted, tells the queue's state.
//!
//! ```text
//!   mq_timedsend ──► a waiting receiver ──────────────► its hands
//!      │ none              (one that must be told by mq_notify hears only of messages that nobody waits for)
//!      └─ room? ─ yes ─► by priority, then by age ────► mq_timedreceive ──► lets the first waiting sender's message in
//!            └─ no ──► senders
//! ```
//!
//! - [`queue`]: messages and who waits for them
//! - [`inode`]: the directory and its queues as inodes
//! - [`file`]: open queues
//! - [`calls`]: `mq_open`, `mq_unlink`, `mq_timedsend`, `mq_timedreceive`, `mq_getsetattr`
//! - [`notify`]: `mq_notify`
//!
//! Mirrors: ipc/mqueue.c, Linux 6.18.
//! Locking: `MqFs::queues` and `MqFs::bytes` are leaves. Under a queue's state: a waiter's progress, and the threads of who is
//! to be notified. Sleepers are woken and signals sent without it.

pub mod calls;
pub mod file;
pub mod inode;
pub mod notify;
pub mod queue;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use acrida_kcore::sync::{SetOnce, SpinLock};
use acrida_uapi::capability::CAP_SYS_RESOURCE;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mount::MsFlags;
use acrida_uapi::mqueue::{HARD_MSGMAX, HARD_MSGSIZEMAX, MQ_PRIO_MAX, MqAttr};
use acrida_uapi::resource::RLIMIT_MSGQUEUE;
use acrida_uapi::statfs::{MQUEUE_MAGIC, Statfs};
use zerocopy::FromZeros;

use self::inode::{MqInode, MqRoot};
use crate::fs::dcache::Dentry;
use crate::fs::namespace::Mount;
use crate::fs::super_block::{FileSystemType, Instance, SuperBlock, anon_dev};
use crate::{current, kernel};

/// `mount -t mqueue`: always the same instance.
pub const MQUEUE: FileSystemType = FileSystemType { name: "mqueue", needs_device: false, mount: |_, _| instance() };

/// What Linux's `struct msg_msg` and a node of its tree of priorities take, as `RLIMIT_MSGQUEUE` counts them.
const MESSAGE_BYTES: u64 = 48;
const TREE_NODE_BYTES: u64 = 48;

/// The file system.
pub struct MqFs {
    dev: u32,
    next_ino: AtomicU64,
    queues: SpinLock<BTreeMap<Arc<[u8]>, Arc<MqInode>>>,
    /// Queues that exist, named or not.
    #[doc(alias = "mq_queues_count")]
    count: AtomicU64,
    /// What the queues of each user may take.
    bytes: SpinLock<BTreeMap<u32, u64>>,
}

struct Internal {
    instance: Instance,
    /// Where `mq_open` works.
    #[doc(alias = "mq_mnt")]
    mnt: Arc<Mount>,
}

static INTERNAL: SetOnce<Internal> = SetOnce::new();

fn internal() -> Result<&'static Internal, Error> {
    if INTERNAL.get().is_none() {
        let dev = anon_dev();
        let fs = Arc::new(MqFs {
            dev,
            next_ino: AtomicU64::new(inode::ROOT_INO + 1),
            queues: SpinLock::default(),
            count: AtomicU64::new(0),
            bytes: SpinLock::default(),
        });
        let root = Dentry::root(Arc::new(MqRoot::new(fs.clone())));
        let mnt = Mount::new(fs.clone(), root.clone(), b"mqueue", MsFlags::empty());
        // Somebody else's may have come first: any of them serves.
        let _ = INTERNAL.set(Internal { instance: Instance { sb: fs, root }, mnt });
    }
    INTERNAL.get().ok_or(Error::Errno(Errno::ENOMEM))
}

/// The world's mqueue file system, to be mounted.
pub fn instance() -> Result<Instance, Error> {
    let Instance { sb, root } = &internal()?.instance;
    Ok(Instance { sb: sb.clone(), root: root.clone() })
}

/// What a new queue may hold, checked against the limits; `None` for the usual.
#[doc(alias = "mqueue_get_inode")]
fn limits(wanted: Option<MqAttr>) -> Result<(u64, u64), Errno> {
    let sysctl = &kernel().sysctl;
    let (msg_max, size_max) = (sysctl.mqueue_msg_max.get(), sysctl.mqueue_msgsize_max.get());
    let Some(attr) = wanted else {
        let default = |value: u64, most: u64| value.min(most);
        return Ok((default(sysctl.mqueue_msg_default.get(), msg_max), default(sysctl.mqueue_msgsize_default.get(), size_max)));
    };
    if attr.mq_maxmsg <= 0 || attr.mq_msgsize <= 0 {
        return Err(Errno::EINVAL);
    }
    let (maxmsg, msgsize) = (attr.mq_maxmsg as u64, attr.mq_msgsize as u64);
    let (most, largest) = match current().cred().capable(CAP_SYS_RESOURCE) {
        true => (u64::from(HARD_MSGMAX), u64::from(HARD_MSGSIZEMAX)),
        false => (msg_max, size_max),
    };
    if maxmsg > most || msgsize > largest { Err(Errno::EINVAL) } else { Ok((maxmsg, msgsize)) }
}

impl MqFs {
    /// Counts a queue of the caller's; gives the bytes it is charged with.
    fn charge(&self, (maxmsg, msgsize): (u64, u64)) -> Result<(u32, u64), Errno> {
        let tree = maxmsg * MESSAGE_BYTES + maxmsg.min(u64::from(MQ_PRIO_MAX)) * TREE_NODE_BYTES;
        let bytes = maxmsg.checked_mul(msgsize).and_then(|bytes| bytes.checked_add(tree)).ok_or(Errno::EOVERFLOW)?;
        let uid = current().cred().uid;
        let limit = current().process.rlimit(RLIMIT_MSGQUEUE as usize).rlim_cur;
        let mut charged = self.bytes.lock();
        let sum = charged.entry(uid).or_default();
        if sum.saturating_add(bytes) > limit {
            return Err(Errno::EMFILE);
        }
        *sum += bytes;
        Ok((uid, bytes))
    }

    /// One queue more, if there may be.
    fn count_queue(&self) -> Result<(), Errno> {
        let most = kernel().sysctl.mqueue_queues_max.get();
        if self.count.load(Ordering::Relaxed) >= most && !current().cred().capable(CAP_SYS_RESOURCE) {
            return Err(Errno::ENOSPC);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn uncharge(&self, (uid, bytes): (u32, u64)) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        let mut charged = self.bytes.lock();
        if let Some(sum) = charged.get_mut(&uid) {
            *sum -= bytes;
            if *sum == 0 {
                charged.remove(&uid);
            }
        }
    }
}

impl SuperBlock for MqFs {
    fn type_name(&self) -> &'static str {
        "mqueue"
    }

    #[doc(alias = "simple_statfs")]
    fn statfs(&self, _dentry: &Dentry) -> Result<Statfs, Error> {
        let fsid = [self.dev.cast_signed(), 0];
        Ok(Statfs { f_type: MQUEUE_MAGIC, f_bsize: 4096, f_namelen: 255, f_fsid: fsid, ..Statfs::new_zeroed() })
    }
}
