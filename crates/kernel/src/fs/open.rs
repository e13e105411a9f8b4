//! Opening files.
//!
//! Mirrors: fs/open.c, fs/namei.c (`path_openat`, `may_open`), Linux 6.18.
//! Differs: the descriptor is installed after the open; a host file that was replaced between look-up and open is looked
//! up again.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::fcntl::{
    __O_SYNC, __O_TMPFILE, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, FASYNC, O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT,
    O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR,
    O_TRUNC, O_WRONLY, OPEN_HOW_SIZE_VER0, OpenHow, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV,
};
use acrida_uapi::mount::MsFlags;
use acrida_uapi::stat::{S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK};

use crate::abi::{DirFd, Flags, Mode, SysResult, UserPath};
use crate::current;
use crate::fs::attr::owner_or_capable;
use crate::fs::dcache::{Dentry, Path};
use crate::fs::file::{File, FileOperations, FileRef};
use crate::fs::inode::{MAY_EXEC, MAY_READ, MAY_WRITE};
use crate::fs::iov_iter::IovIter;
use crate::fs::locks::lease::break_lease;
use crate::fs::namei::create::creates_unseen;
use crate::fs::namei::{Last, Lookup, Stepped, Walk, getname};
use crate::fs::notify::fsnotify;
use crate::fs::special::copy_struct_from_user;

const VALID_FLAGS: u32 = O_ACCMODE
    | O_CREAT
    | O_EXCL
    | O_NOCTTY
    | O_TRUNC
    | O_APPEND
    | O_NONBLOCK
    | O_DSYNC
    | __O_SYNC
    | FASYNC
    | O_DIRECT
    | O_LARGEFILE
    | O_DIRECTORY
    | O_NOFOLLOW
    | O_NOATIME
    | O_CLOEXEC
    | O_PATH
    | __O_TMPFILE;
const PATH_FLAGS: u32 = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
/// Flags of opens that need the look-up.
const CHANGES_OR_PLACES: u32 = O_CREAT | O_EXCL | O_TRUNC | O_PATH | O_DIRECTORY | O_NOATIME;
/// Opens that meet a replaced file this often give up with `ESTALE`.
const MAX_STALE: usize = 8;

/// A file that only marks a place (`O_PATH`).
pub struct PathOnly;

impl FileOperations for PathOnly {}

/// What an open was asked for, checked.
#[doc(alias = "open_flags")]
#[derive(Clone, Copy, Debug)]
pub struct OpenFlags {
    pub flags: u32,
    pub mode: u32,
    /// `MAY_*` to be checked on the file.
    acc_mode: u32,
    lookup: Lookup,
}

impl OpenFlags {
    /// Checks `how` as strictly as `openat2` does.
    #[doc(alias = "build_open_flags")]
    pub fn new(how: &OpenHow) -> Result<OpenFlags, Errno> {
        let mut flags = u32::try_from(how.flags).map_err(|_| Errno::EINVAL)?;
        let resolve = how.resolve;
        let known =
            RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT | RESOLVE_CACHED;
        if flags & !VALID_FLAGS != 0 || resolve & !known != 0 {
            return Err(Errno::EINVAL);
        }
        if resolve & RESOLVE_BENEATH != 0 && resolve & RESOLVE_IN_ROOT != 0 {
            return Err(Errno::EINVAL);
        }
        let creates = flags & (O_CREAT | __O_TMPFILE) != 0;
        let allowed = if creates { u64::from(S_IALLUGO) } else { 0 };
        if how.mode & !allowed != 0 || flags & (O_DIRECTORY | O_CREAT) == O_DIRECTORY | O_CREAT {
            return Err(Errno::EINVAL);
        }
        let mut acc_mode = match flags & O_ACCMODE {
            O_RDONLY => MAY_READ,
            O_WRONLY => MAY_WRITE,
            _ => MAY_READ | MAY_WRITE,
        };
        if flags & __O_TMPFILE != 0 && (flags & O_DIRECTORY == 0 || acc_mode & MAY_WRITE == 0) {
            return Err(Errno::EINVAL);
        }
        if flags & O_PATH != 0 {
            if flags & !PATH_FLAGS != 0 {
                return Err(Errno::EINVAL);
            }
            acc_mode = 0;
        }
        if flags & __O_SYNC != 0 {
            flags |= O_DSYNC;
        }
        if flags & O_TRUNC != 0 {
            acc_mode |= MAY_WRITE;
        }
        if flags & O_CREAT != 0 && flags & O_EXCL != 0 {
            flags |= O_NOFOLLOW;
        }
        if resolve & RESOLVE_CACHED != 0 && flags & (O_TRUNC | O_CREAT | __O_TMPFILE) != 0 {
            return Err(Errno::EAGAIN);
        }
        let mut lookup = Lookup::empty();
        lookup.set(Lookup::FOLLOW, flags & O_NOFOLLOW == 0);
        lookup.set(Lookup::DIRECTORY, flags & O_DIRECTORY != 0);
        lookup.set(Lookup::NO_XDEV, resolve & RESOLVE_NO_XDEV != 0);
        lookup.set(Lookup::NO_MAGICLINKS, resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS) != 0);
        lookup.set(Lookup::NO_SYMLINKS, resolve & RESOLVE_NO_SYMLINKS != 0);
        lookup.set(Lookup::BENEATH, resolve & RESOLVE_BENEATH != 0);
        lookup.set(Lookup::IN_ROOT, resolve & RESOLVE_IN_ROOT != 0);
        // At most 0o7777, checked above.
        Ok(OpenFlags { flags, mode: how.mode as u32, acc_mode, lookup })
    }

    /// As `open` and `openat` do: what is not known is ignored.
    #[doc(alias = "build_open_how")]
    pub fn lenient(flags: u32, mode: u32) -> Result<OpenFlags, Errno> {
        let mut flags = (flags & VALID_FLAGS) | O_LARGEFILE;
        if flags & O_PATH != 0 {
            flags &= PATH_FLAGS;
        }
        let mode = if flags & (O_CREAT | __O_TMPFILE) != 0 { mode & S_IALLUGO } else { 0 };
        OpenFlags::new(&OpenHow { flags: flags.into(), mode: mode.into(), resolve: 0 })
    }

    /// To run it.
    fn exec(at_flags: u32) -> Result<OpenFlags, Errno> {
        if at_flags & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(Errno::EINVAL);
        }
        let mut lookup = Lookup::empty();
        lookup.set(Lookup::FOLLOW, at_flags & AT_SYMLINK_NOFOLLOW == 0);
        lookup.set(Lookup::EMPTY, at_flags & AT_EMPTY_PATH != 0);
        Ok(OpenFlags { flags: O_RDONLY | O_LARGEFILE, mode: 0, acc_mode: MAY_EXEC, lookup })
    }
}

/// Opens `name`.
#[doc(alias = "do_filp_open")]
pub fn open(dfd: i32, name: &[u8], how: &OpenFlags) -> Result<FileRef, Error> {
    let mut tries = 0;
    loop {
        match path_openat(dfd, name, how) {
            Err(error) if error == Errno::ESTALE && tries < MAX_STALE => tries += 1,
            // Somebody made the name between look-up and creation: it is there now.
            Err(error) if error == Errno::EEXIST && how.flags & (O_CREAT | O_EXCL) == O_CREAT && tries < MAX_STALE => {
                tries += 1;
            }
            result => return result,
        }
    }
}

fn path_openat(dfd: i32, name: &[u8], how: &OpenFlags) -> Result<FileRef, Error> {
    let mut walk = Walk::start(dfd, name, how.lookup)?;
    if how.flags & __O_TMPFILE != 0 {
        return open_tmpfile(walk, name, how);
    }
    let creates = how.flags & O_CREAT != 0;
    let mut text: Vec<u8> = name.to_vec();
    let mut must_be_dir = how.lookup.contains(Lookup::DIRECTORY);
    loop {
        let (last, slashes) = walk.open_parent(&text)?;
        if creates && slashes && matches!(last, Last::Name(_)) {
            return Err(Errno::EISDIR.into());
        }
        must_be_dir |= slashes;
        if let Last::Name(name) = &last
            && !must_be_dir
            && how.flags & CHANGES_OR_PLACES == 0
            && let Some(file) = open_child(&walk, name, how)?
        {
            return Ok(file);
        }
        if let Last::Name(name) = &last
            && creates
            && how.flags & O_EXCL != 0
            && creates_unseen(walk.at(), name)
        {
            return create(&walk, name, how).inspect(|file| file.set_created());
        }
        let stepped = walk.step_last(&last)?;
        if matches!(stepped, Stepped::Missing) {
            return match last {
                Last::Name(name) if creates => create(&walk, &name, how).inspect(|file| file.set_created()),
                _ => Err(Errno::ENOENT.into()),
            };
        }
        if creates && how.flags & O_EXCL != 0 {
            return Err(Errno::EEXIST.into());
        }
        let follow = how.lookup.contains(Lookup::FOLLOW) || slashes;
        match stepped {
            Stepped::Down(dir) if follow && walk.at().inode().is_symlink() => text = walk.follow_last(dir)?,
            _ => break,
        }
        if text.is_empty() {
            break;
        }
    }
    walk.complete()?;
    let path = walk.at().clone();
    let is_dir = path.inode().is_dir();
    if creates && is_dir {
        return Err(Errno::EISDIR.into());
    }
    if must_be_dir && !is_dir {
        return Err(Errno::ENOTDIR.into());
    }
    open_path(path, how)
}

/// Opens a name that was not looked up, where the file system can do that.
fn open_child(walk: &Walk, name: &[u8], how: &OpenFlags) -> Result<Option<FileRef>, Error> {
    walk.complete()?;
    let dir = walk.at();
    if name.len() > acrida_uapi::limits::NAME_MAX {
        return Ok(None);
    }
    if how.acc_mode & MAY_WRITE != 0 && dir.mnt.want_write().is_err() {
        return Ok(None);
    }
    // What is cached (directories, links) is looked up for nothing.
    if dir.dentry.child(name).is_some_and(|child| !child.inode().is_regular()) {
        return Ok(None);
    }
    let removals = dir.dentry.removals();
    let Some(found) = dir.inode().open_child(&dir.dentry, name, how.flags)? else { return Ok(None) };
    let Some(dentry) = dir.dentry.add(name, found.inode, removals) else { return Ok(None) };
    if dentry.is_mountpoint() {
        return Ok(None);
    }
    break_lease(dentry.inode().common(), how.flags)?;
    let path = Path { mnt: dir.mnt.clone(), dentry };
    finish_create(path, found.ops, how.flags).map(Some)
}

/// Opens what was found.
#[doc(alias = "do_open")]
fn open_path(path: Path, how: &OpenFlags) -> Result<FileRef, Error> {
    let mut flags = how.flags;
    if flags & O_PATH != 0 {
        let ops = path.inode().open_path(&path)?;
        return Ok(File::of_path(ops, flags & PATH_FLAGS, path));
    }
    may_open(&path, how)?;
    let regular = path.inode().is_regular();
    if !regular {
        flags &= !O_TRUNC;
    }
    vfs_open(path, flags, regular && how.acc_mode & MAY_WRITE != 0)
}

#[doc(alias = "do_dentry_open")]
fn vfs_open(path: Path, flags: u32, writes: bool) -> Result<FileRef, Error> {
    let inode = path.inode().clone();
    if writes {
        path.mnt.want_write()?;
        // Also an open that truncates only; and before anything is changed.
        inode.common().get_write_access()?;
    }
    let opened = break_lease(inode.common(), flags).and_then(|()| match inode.kind() {
        S_IFIFO if !inode.reopens_itself() => crate::fs::pipe::fifo_open(inode.common(), flags),
        S_IFSOCK if !inode.reopens_itself() => Err(Errno::ENXIO.into()),
        _ => inode.open(&path, flags),
    });
    let opened = opened.and_then(|ops| match flags & O_DIRECT != 0 && !ops.can_odirect() {
        true => Err(Errno::EINVAL.into()),
        false => Ok(File::of_path(ops, flags, path)),
    });
    match &opened {
        Ok(file) if writes && file.writable() => file.keep_write_access(),
        _ if writes => inode.common().put_write_access(),
        _ => {}
    }
    let file = opened?;
    fsnotify::open(&file);
    if flags & O_TRUNC != 0 {
        if !inode.checks_itself() {
            file.ops.truncate(&file, 0)?;
        }
        fsnotify::modify(&file);
    }
    Ok(file)
}

fn may_open(path: &Path, how: &OpenFlags) -> Result<(), Error> {
    let inode = path.inode();
    let asks = |right| how.acc_mode & right != 0;
    let mount = path.mnt.flags();
    match inode.kind() {
        S_IFLNK => return Err(Errno::ELOOP.into()),
        S_IFDIR if asks(MAY_WRITE) => return Err(Errno::EISDIR.into()),
        S_IFREG if asks(MAY_EXEC) && mount.contains(MsFlags::MS_NOEXEC) => return Err(Errno::EACCES.into()),
        S_IFREG => {}
        _ if asks(MAY_EXEC) => return Err(Errno::EACCES.into()),
        S_IFBLK | S_IFCHR if mount.contains(MsFlags::MS_NODEV) => return Err(Errno::EACCES.into()),
        _ => {}
    }
    let cred = current().cred();
    // Where the open itself is checked there is nothing to ask, except for what is never opened there.
    let checked_later = inode.checks_itself() && !asks(MAY_EXEC) && !matches!(inode.kind(), S_IFIFO | S_IFSOCK);
    if !checked_later && !inode.reopens_itself() {
        inode.permission(&path.dentry, &cred, how.acc_mode)?;
    }
    if how.flags & O_NOATIME != 0 && !owner_or_capable(&cred, inode.owner()) {
        return Err(Errno::EPERM.into());
    }
    Ok(())
}

#[doc(alias = "lookup_open")]
fn create(walk: &Walk, name: &[u8], how: &OpenFlags) -> Result<FileRef, Error> {
    let dir = walk.at().clone();
    if name.len() > acrida_uapi::limits::NAME_MAX {
        return Err(Errno::ENAMETOOLONG.into());
    }
    dir.mnt.want_write()?;
    if dir.dentry.is_unhashed() {
        return Err(Errno::ENOENT.into());
    }
    let inode = dir.inode();
    if !inode.checks_itself() {
        inode.permission(&dir.dentry, walk.cred(), MAY_WRITE | MAY_EXEC)?;
    }
    let mode = how.mode & !current().fs().umask();
    let names = dir.dentry.lock_names();
    let made = inode.create(&dir.dentry, name, mode, how.flags)?;
    let dentry = dir.dentry.add_made(name, made.inode);
    fsnotify::create(&dir.dentry, name, fsnotify::NewName::Other);
    drop(names);
    finish_create(Path { mnt: dir.mnt, dentry }, made.ops, how.flags)
}

/// The open half of a creation: no permission is asked, the maker may always open.
fn finish_create(path: Path, ops: Option<Arc<dyn FileOperations>>, flags: u32) -> Result<FileRef, Error> {
    let flags = flags & !(O_TRUNC | O_CREAT | O_EXCL);
    let writes = matches!(flags & O_ACCMODE, O_WRONLY | O_RDWR);
    let Some(ops) = ops else { return vfs_open(path, flags, writes) };
    let file = File::of_path(ops, flags, path);
    if writes {
        file.claim_writing()?;
    }
    fsnotify::open(&file);
    Ok(file)
}

#[doc(alias = "do_tmpfile")]
fn open_tmpfile(walk: Walk, name: &[u8], how: &OpenFlags) -> Result<FileRef, Error> {
    let cred = walk.cred().clone();
    let dir = walk.to_end(name)?.path;
    dir.mnt.want_write()?;
    let inode = dir.inode();
    if !inode.checks_itself() {
        inode.permission(&dir.dentry, &cred, MAY_WRITE | MAY_EXEC)?;
    }
    let mode = how.mode & !current().fs().umask();
    let made = inode.tmpfile(&dir.dentry, mode, how.flags)?;
    let dentry = Dentry::unnamed(&dir.dentry, made.inode);
    let flags = how.flags & !(__O_TMPFILE | O_DIRECTORY);
    let file = finish_create(Path { mnt: dir.mnt, dentry }, made.ops, flags)?;
    file.note_flags(__O_TMPFILE | O_DIRECTORY, __O_TMPFILE | O_DIRECTORY);
    Ok(file)
}

/// Opens a program to run it; `EACCES` when it is no regular file or may not be run, `ETXTBSY` when
/// somebody writes it. Nobody may write it until the file goes.
#[doc(alias = "do_open_execat")]
pub fn open_exec(dfd: i32, name: &[u8], at_flags: u32) -> Result<FileRef, Error> {
    let how = OpenFlags::exec(at_flags)?;
    let found = crate::fs::namei::lookup(dfd, name, how.lookup)?;
    may_open(&found.path, &how)?;
    if !found.path.inode().is_regular() {
        return Err(Errno::EACCES.into());
    }
    let file = vfs_open(found.path, how.flags, false)?;
    file.deny_writers()?;
    Ok(file)
}

/// Reads into kernel memory at `pos`.
pub fn kernel_read(file: &FileRef, buf: &mut [u8], mut pos: u64) -> Result<usize, Error> {
    let done = file.ops.read(file, &mut IovIter::kernel_out(buf), &mut pos)?;
    if done > 0 {
        fsnotify::access(file);
    }
    Ok(done)
}

fn open_fd(dfd: i32, path: UserPath, how: &OpenFlags) -> SysResult {
    let name = getname(path)?;
    // A full table must not leave a new file behind.
    let number = current().files().reserve()?;
    let file = open(dfd, &name, how)?;
    Ok(number.publish(file, how.flags & O_CLOEXEC != 0) as usize)
}

pub fn sys_open(path: UserPath, flags: Flags, mode: Mode) -> SysResult {
    open_fd(AT_FDCWD, path, &OpenFlags::lenient(flags.0, mode.0)?)
}

pub fn sys_openat(dfd: DirFd, path: UserPath, flags: Flags, mode: Mode) -> SysResult {
    open_fd(dfd.0, path, &OpenFlags::lenient(flags.0, mode.0)?)
}

pub fn sys_creat(path: UserPath, mode: Mode) -> SysResult {
    open_fd(AT_FDCWD, path, &OpenFlags::lenient(O_CREAT | O_WRONLY | O_TRUNC, mode.0)?)
}

pub fn sys_openat2(dfd: DirFd, path: UserPath, how: UserAddr, size: usize) -> SysResult {
    if size < OPEN_HOW_SIZE_VER0 {
        return Err(Errno::EINVAL.into());
    }
    let mut how = copy_struct_from_user::<OpenHow>(how, size)?;
    if how.flags & u64::from(O_PATH) == 0 {
        how.flags |= u64::from(O_LARGEFILE);
    }
    open_fd(dfd.0, path, &OpenFlags::new(&how)?)
}
