//! demofs: a kfifo to look at.
//!
//! Two files: `kfifo` is a queue of 64 bytes that all openers share; `debug` shows its free-running indices and sets them,
//! so that the place where they wrap at 2^32 can be brought near.
//!
//! Mirrors: samples/kfifo/bytestream-example.c, Linux 6.18, in purpose only.
//! Differs: an empty queue reads as the end of a file and a full one gives `ENOSPC`; both can be waited for.
//! Locking: `Queue::kfifo` is a leaf; wake-ups come after it.

use alloc::boxed::Box;
use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_klib::kfifo::Kfifo;
use acrida_uapi::dirent::{DT_DIR, DT_REG};
use acrida_uapi::epoll::{EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::stat::{S_IALLUGO, S_IFDIR, S_IFMT, S_IFREG};
use acrida_uapi::statfs::Statfs;
use zerocopy::FromZeros;

use crate::abi::SysResult;
use crate::fs::attr::{Iattr, Kstat, Owner, current_time};
use crate::fs::dcache::{Dentry, Path, Revalidated};
use crate::fs::file::{FileOperations, FileRef, Whence};
use crate::fs::inode::{Inode, InodeCommon, Looked};
use crate::fs::iov_iter::IovIter;
use crate::fs::libfs::dir_llseek;
use crate::fs::poll::PollTable;
use crate::fs::proc::seq_file::{TextFile, seq_printf};
use crate::fs::readdir::DirContext;
use crate::fs::super_block::{FileSystemType, Instance, SuperBlock, anon_dev};

/// `mount -t demofs`.
pub const DEMOFS: FileSystemType = FileSystemType { name: "demofs", needs_device: false, mount: |_, _| Ok(mount()) };

/// Bytes of the queue.
const SIZE: u32 = 64;
const MAGIC: i64 = 0x6465_6d6f;
const READABLE: u32 = EPOLLIN | EPOLLRDNORM;
const WRITABLE: u32 = EPOLLOUT | EPOLLWRNORM;

struct DemoFs;

impl SuperBlock for DemoFs {
    fn type_name(&self) -> &'static str {
        "demofs"
    }

    fn statfs(&self, _dentry: &Dentry) -> Result<Statfs, Error> {
        Ok(Statfs { f_type: MAGIC, f_bsize: 4096, f_namelen: 255, ..Statfs::new_zeroed() })
    }
}

/// What the files of one demofs share.
struct Queue {
    /// Held by a reader, from its look at the bytes until they are gone.
    readers: SpinLock<()>,
    kfifo: SpinLock<Kfifo<u8>>,
    wait: Arc<WaitQueueHead>,
}

/// What an inode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Root,
    Kfifo,
    Debug,
}

impl Node {
    const FILES: [Node; 2] = [Node::Kfifo, Node::Debug];

    fn name(self) -> &'static [u8] {
        match self {
            Node::Root => b"/",
            Node::Kfifo => b"kfifo",
            Node::Debug => b"debug",
        }
    }

    fn ino(self) -> u64 {
        match self {
            Node::Root => 1,
            Node::Kfifo => 2,
            Node::Debug => 3,
        }
    }
}

struct DemoInode {
    common: InodeCommon,
    node: Node,
    attr: SpinLock<Kstat>,
    queue: Arc<Queue>,
    /// The root's files, which live as long as it.
    files: Box<[Arc<DemoInode>]>,
}

impl DemoInode {
    fn new(dev: u32, node: Node, queue: &Arc<Queue>, files: Box<[Arc<DemoInode>]>) -> Arc<DemoInode> {
        let (mode, nlink) = if node == Node::Root { (S_IFDIR | 0o755, 2) } else { (S_IFREG | 0o666, 1) };
        let now = current_time();
        let attr =
            Kstat { dev, ino: node.ino(), mode, nlink, blksize: 4096, atime: now, mtime: now, ctime: now, ..Kstat::default() };
        let common = InodeCommon::new(dev, node.ino());
        Arc::new(DemoInode { common, node, attr: SpinLock::new(attr), queue: queue.clone(), files })
    }
}

fn mount() -> Instance {
    let dev = anon_dev();
    let queue = Arc::new(Queue { readers: SpinLock::new(()), kfifo: SpinLock::new(Kfifo::new(SIZE)), wait: Arc::default() });
    let files = Node::FILES.iter().map(|node| DemoInode::new(dev, *node, &queue, Box::default())).collect();
    let root = DemoInode::new(dev, Node::Root, &queue, files);
    Instance { sb: Arc::new(DemoFs), root: Dentry::root(root) }
}

impl Inode for DemoInode {
    fn common(&self) -> &InodeCommon {
        &self.common
    }

    fn owner(&self) -> Owner {
        let attr = self.attr.lock();
        Owner { mode: attr.mode, uid: attr.uid, gid: attr.gid }
    }

    fn stat(&self, _dentry: &Dentry) -> Result<Kstat, Error> {
        Ok(*self.attr.lock())
    }

    fn lookup(&self, _dir: &Arc<Dentry>, name: &[u8]) -> Result<Option<Looked>, Error> {
        if self.node != Node::Root {
            return Err(Errno::ENOTDIR.into());
        }
        let found = self.files.iter().find(|file| file.node.name() == name);
        Ok(found.map(|file| Looked::from(file.clone() as Arc<dyn Inode>)))
    }

    fn revalidate(&self, _child: &Dentry, _name: &[u8], _now: u64) -> Revalidated {
        Revalidated::Valid(None)
    }

    /// A size is accepted and means nothing, so that a shell's `>` works.
    fn setattr(&self, _dentry: &Dentry, change: &Iattr) -> Result<(), Error> {
        let mut attr = self.attr.lock();
        if let Some(mode) = change.mode {
            attr.mode = attr.mode & S_IFMT | mode & S_IALLUGO;
        }
        attr.uid = change.uid.unwrap_or(attr.uid);
        attr.gid = change.gid.unwrap_or(attr.gid);
        attr.atime = change.atime.map_or(attr.atime, |time| time.resolve());
        attr.mtime = change.mtime.map_or(attr.mtime, |time| time.resolve());
        attr.ctime = current_time();
        Ok(())
    }

    fn open(&self, _path: &Path, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let queue = self.queue.clone();
        Ok(match self.node {
            Node::Root => Arc::new(RootFile),
            Node::Kfifo => Arc::new(KfifoFile(queue)),
            Node::Debug => Arc::new(debug_file(queue)),
        })
    }
}

struct RootFile;

impl FileOperations for RootFile {
    fn read(&self, _file: &FileRef, _to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        Err(Errno::EISDIR.into())
    }

    fn llseek(&self, file: &FileRef, offset: i64, whence: Whence) -> Result<u64, Error> {
        dir_llseek(file, offset, whence)
    }

    fn seekable(&self) -> bool {
        true
    }

    #[doc(alias = "dcache_readdir")]
    fn iterate(&self, file: &FileRef, ctx: &mut DirContext<'_>) -> Result<(), Error> {
        let parent = file.path.as_ref().and_then(|path| path.dentry.parent());
        let above = parent.map_or(Node::Root.ino(), |parent| parent.inode().common().ino);
        let dots = [(&b"."[..], Node::Root.ino(), DT_DIR), (b"..", above, DT_DIR)];
        let files = Node::FILES.map(|node| (node.name(), node.ino(), DT_REG));
        for (index, (name, ino, kind)) in (0u64..).zip(dots.into_iter().chain(files)).skip(ctx.pos as usize) {
            if !ctx.emit(name, ino, kind, index + 1) {
                break;
            }
        }
        Ok(())
    }
}

/// The queue as a file.
struct KfifoFile(Arc<Queue>);

impl FileOperations for KfifoFile {
    /// What there is, at most what was asked for; nothing is the end of the file.
    fn read(&self, _file: &FileRef, to: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        let mut bytes = [0; SIZE as usize];
        let want = to.count().min(bytes.len());
        let _reader = self.0.readers.lock();
        let len = self.0.kfifo.lock().split().1.peek(&mut bytes[..want]);
        if len == 0 {
            return Ok(0);
        }
        let copied = to.copy_to(&bytes[..len]);
        if copied == 0 {
            return Err(Errno::EFAULT.into());
        }
        self.0.kfifo.lock().split().1.skip(copied);
        self.0.wait.wake_all(WRITABLE);
        Ok(copied)
    }

    /// As much as fits; nothing is no space.
    fn write(&self, _file: &FileRef, from: &mut IovIter<'_>, _pos: &mut u64) -> SysResult {
        if from.count() == 0 {
            return Ok(0);
        }
        // The guest is read before the lock: it may take long.
        let mut bytes = [0; SIZE as usize];
        let room = self.0.kfifo.lock().available().min(bytes.len());
        if room == 0 {
            return Err(Errno::ENOSPC.into());
        }
        let len = from.copy_from(&mut bytes[..room]);
        if len == 0 {
            return Err(Errno::EFAULT.into());
        }
        let put = self.0.kfifo.lock().put(&bytes[..len]);
        if put == 0 {
            // Another writer was faster.
            return Err(Errno::ENOSPC.into());
        }
        self.0.wait.wake_all(READABLE);
        Ok(put)
    }

    fn truncate(&self, _file: &FileRef, _len: u64) -> Result<(), Error> {
        Ok(())
    }

    fn poll(&self, table: &mut PollTable<'_>) -> Option<u32> {
        table.poll_wait(&self.0.wait);
        let kfifo = self.0.kfifo.lock();
        let readable = if kfifo.is_empty() { 0 } else { READABLE };
        let writable = if kfifo.is_full() { 0 } else { WRITABLE };
        Some(readable | writable)
    }

    fn can_poll(&self) -> bool {
        true
    }
}

/// `in=.. out=..`; two numbers set them.
fn debug_file(queue: Arc<Queue>) -> TextFile {
    let shown = queue.clone();
    let show = move |out: &mut crate::fs::proc::seq_file::SeqFile| {
        let (enter, leave) = shown.kfifo.lock().indices();
        seq_printf!(out, "in={enter} out={leave}\n");
        Ok(())
    };
    let store = move |bytes: &[u8]| {
        if bytes.is_empty() {
            return Ok(());
        }
        let (enter, leave) = two_numbers(bytes).ok_or(Errno::EINVAL)?;
        queue.kfifo.lock().set_indices(enter, leave).map_err(|_| Errno::EINVAL)?;
        queue.wait.wake_all(READABLE | WRITABLE);
        Ok(())
    };
    TextFile::with(Some(Box::new(show)), Some(Box::new(store)))
}

/// The two numbers in `text`, whatever stands around them: what `debug` shows can be written back.
fn two_numbers(text: &[u8]) -> Option<(u32, u32)> {
    let text = core::str::from_utf8(text).ok()?;
    let words = text.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    let mut numbers = words.map(|word| word.parse::<u32>().ok());
    let pair = (numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(pair)
}

#[cfg(test)]
mod tests {
    use super::two_numbers;

    #[test]
    fn two_numbers_and_no_more() {
        assert_eq!(two_numbers(b"4294967290 4294967280\n"), Some((4_294_967_290, 4_294_967_280)));
        assert_eq!(two_numbers(b"in=7 out=3\n"), Some((7, 3)));
        assert_eq!(two_numbers(b"7"), None);
        assert_eq!(two_numbers(b"1 2 3"), None);
        assert_eq!(two_numbers(b"4294967296 0"), None);
    }
}
