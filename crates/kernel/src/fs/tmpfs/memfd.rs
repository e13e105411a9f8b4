//! Files without a name, for mappings and for passing on: `memfd_create`, and the seals that fix them.
//!
//! Mirrors: mm/memfd.c, mm/shmem.c (`__shmem_file_setup`), Linux 6.18.
//! Differs: "mapped writable" is answered by "somebody holds its pages", which also counts mappings that only read.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{
    F_ADD_SEALS, F_GET_SEALS, F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE,
    O_LARGEFILE, O_RDWR,
};
use acrida_uapi::mman::{MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, MFD_HUGETLB, MFD_NOEXEC_SEAL};
use acrida_uapi::stat::S_IFREG;

use crate::abi::{Flags, SysResult};
use crate::fs::attr::Owner;
use crate::fs::dcache::{Dentry, Path};
use crate::fs::file::{File, FileRef};
use crate::fs::namespace::Mount;
use crate::fs::tmpfs::file::{Opened, RegularFile, ShmemFile};
use crate::fs::tmpfs::inode::{Body, TmpInode};
use crate::fs::tmpfs::options::Options;
use crate::fs::tmpfs::{Kind, TmpFs, new_instance};
use crate::{current, kernel};

/// Longest name: `NAME_MAX` less the prefix.
const NAME_MAX: usize = 255 - b"memfd:".len();
const ALL_SEALS: u32 = F_SEAL_SEAL | F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

/// The tmpfs of files without a name: no limits, mounted nowhere.
#[doc(alias = "shm_mnt")]
pub struct Unnamed {
    fs: Arc<TmpFs>,
    mnt: Arc<Mount>,
}

impl Unnamed {
    pub fn new() -> Result<Unnamed, Error> {
        let options = Options { max_blocks: 0, max_inodes: 0, mode: 0o1777, uid: 0, gid: 0 };
        let instance = new_instance(Kind::Tmpfs, options, None)?;
        Ok(Unnamed { fs: TmpInode::of(&instance.root)?.fs.clone(), mnt: Mount::internal(instance, b"tmpfs") })
    }
}

/// What a file without a name begins with.
pub struct UnnamedFile<'a> {
    /// As /proc shows it.
    pub name: &'a [u8],
    pub size: u64,
    pub mode: u32,
    /// `F_SEAL_*`.
    pub seals: u32,
    /// Its inode's number, where somebody wants to recognise it.
    pub ino: Option<u64>,
}

/// A file in memory that no directory names.
#[doc(alias = "shmem_file_setup")]
pub fn unnamed_file(new: &UnnamedFile<'_>) -> Result<FileRef, Error> {
    let shm = &kernel().shm;
    let cred = current().cred();
    let owner = Owner { mode: S_IFREG | new.mode, uid: cred.fsuid, gid: cred.fsgid };
    let content = RegularFile::sealed(new.seals);
    content.truncate(&shm.fs, new.size)?;
    let inode = TmpInode::numbered(&shm.fs, new.ino, owner, 0, Body::Regular(content))?;
    let shown = [b"/", new.name, b" (deleted)"].concat();
    let path = Path { mnt: shm.mnt.clone(), dentry: Dentry::anonymous(&shown, inode.clone()) };
    let file = File::of_path(Arc::new(ShmemFile { opened: Opened::ByMaking }), O_RDWR | O_LARGEFILE, path);
    Ok(file)
}

pub fn sys_memfd_create(name: UserAddr, flags: Flags) -> SysResult {
    let flags = flags.0;
    let plain = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
    // With huge pages the upper bits say how huge.
    let known = if flags & MFD_HUGETLB != 0 { plain | MFD_HUGETLB | 0x3f << 26 } else { plain };
    if flags & !known != 0 || flags & MFD_EXEC != 0 && flags & MFD_NOEXEC_SEAL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = name.read_cstr(NAME_MAX + 1, Errno::EINVAL)?;
    let (mode, seals) = match flags & (MFD_NOEXEC_SEAL | MFD_ALLOW_SEALING) {
        MFD_ALLOW_SEALING => (0o777, 0),
        0 => (0o777, F_SEAL_SEAL),
        _ => (0o666, F_SEAL_EXEC),
    };
    let name = [b"memfd:", &name[..]].concat();
    let file = unnamed_file(&UnnamedFile { name: &name, size: 0, mode, seals, ino: None })?;
    Ok(current().files().install(file, flags & MFD_CLOEXEC != 0)? as usize)
}

/// `F_ADD_SEALS`, `F_GET_SEALS`.
#[doc(alias = "memfd_fcntl")]
pub(super) fn fcntl(file: &FileRef, content: &RegularFile, cmd: u32, arg: u64) -> Option<SysResult> {
    match cmd {
        F_GET_SEALS => Some(Ok(content.seals.load(Ordering::Acquire) as usize)),
        F_ADD_SEALS => {
            Some(u32::try_from(arg).map_err(|_| Errno::EINVAL.into()).and_then(|seals| add_seals(file, content, seals)))
        }
        _ => None,
    }
}

fn add_seals(file: &File, content: &RegularFile, mut seals: u32) -> SysResult {
    if !file.writable() {
        return Err(Errno::EPERM.into());
    }
    if seals & !ALL_SEALS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let old = content.seals.load(Ordering::Acquire);
    if old & F_SEAL_SEAL != 0 {
        return Err(Errno::EPERM.into());
    }
    if seals & F_SEAL_WRITE != 0 && old & F_SEAL_WRITE == 0 && content.is_mapped() {
        return Err(Errno::EBUSY.into());
    }
    let mode = file.inode().map_or(0, |inode| inode.owner().mode);
    if seals & F_SEAL_EXEC != 0 && mode & 0o111 != 0 {
        // A program that can be run and never made unrunnable is fixed altogether.
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    }
    content.seals.fetch_or(seals, Ordering::AcqRel);
    Ok(0)
}
