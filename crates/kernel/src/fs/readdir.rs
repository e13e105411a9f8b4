//! Reading directories.
//!
//! Mirrors: fs/readdir.c, Linux 6.18.
//! Differs: a file system whose records already have the guest's form may fill the guest's buffer itself.
//! Locking: `File::pos` over the listing.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::dirent::{LinuxDirent, LinuxDirent64, dirent_reclen, dirent64_reclen};
use acrida_uapi::errno::Errno;
use zerocopy::IntoBytes;

use crate::abi::{BufOut, Fd, SysResult};
use crate::current;
use crate::fs::notify::fsnotify;

/// The records a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Dirent,
    Dirent64,
}

/// Who takes the entries of a directory.
enum Sink<'a> {
    /// Records for guest memory.
    Records { form: Form, user: UserAddr, room: usize, filled: usize, fault: bool },
    /// A closure, for the kernel itself; `false` ends the reading.
    Call(&'a mut dyn FnMut(&[u8], u64, u8) -> bool),
}

/// The taker of directory entries, and the position of the reading.
#[doc(alias = "dir_context")]
pub struct DirContext<'a> {
    /// Where to start; moved by `emit`. File systems that keep the position elsewhere leave it alone.
    pub pos: u64,
    sink: Sink<'a>,
    /// An entry did not fit.
    full: bool,
}

impl<'a> DirContext<'a> {
    /// Hands name, inode number and `DT_*` of every entry to `call`.
    pub fn calling(call: &'a mut dyn FnMut(&[u8], u64, u8) -> bool) -> Self {
        DirContext { pos: 0, sink: Sink::Call(call), full: false }
    }

    fn records(form: Form, user: UserAddr, room: usize, pos: u64) -> Self {
        DirContext { pos, sink: Sink::Records { form, user, room, filled: 0, fault: false }, full: false }
    }

    /// Takes an entry; `next` is the position behind it. `false`: it was not taken, stop.
    #[doc(alias = "dir_emit")]
    pub fn emit(&mut self, name: &[u8], ino: u64, kind: u8, next: u64) -> bool {
        let taken = match &mut self.sink {
            Sink::Call(call) => call(name, ino, kind),
            Sink::Records { form, user, room, filled, fault } => {
                let (record, len) = record(*form, name, ino, kind, next);
                let fits = *filled + len <= *room;
                *fault |= fits && user.add(*filled as u64).write_bytes(&record[..len]).is_err();
                let taken = fits && !*fault;
                *filled += if taken { len } else { 0 };
                taken
            }
        };
        if taken {
            self.pos = next;
        } else {
            self.full = true;
        }
        taken
    }

    /// The guest buffer, when nothing was put into it yet and it wants `linux_dirent64` records.
    pub fn raw_user(&self) -> Option<(UserAddr, usize)> {
        match &self.sink {
            Sink::Records { form: Form::Dirent64, room, user, filled: 0, .. } => Some((*user, *room)),
            _ => None,
        }
    }

    /// Says how much of [`DirContext::raw_user`] was filled.
    pub fn filled(&mut self, len: usize) {
        if let Sink::Records { filled, .. } = &mut self.sink {
            *filled = len;
        }
    }

    fn finish(self) -> SysResult {
        match self.sink {
            Sink::Records { filled: 0, fault: true, .. } => Err(Errno::EFAULT.into()),
            Sink::Records { filled: 0, .. } if self.full => Err(Errno::EINVAL.into()),
            Sink::Records { filled, .. } => Ok(filled),
            Sink::Call(_) => Ok(0),
        }
    }
}

/// Bytes of the longest record: head, a name of 255 bytes and its NUL, rounded up.
const LONGEST: usize = 280;

/// The record of a name of at most 255 bytes, and its length.
fn record(form: Form, name: &[u8], ino: u64, kind: u8, next: u64) -> ([u8; LONGEST], usize) {
    let mut out = [0; LONGEST];
    let mut put = |head: &[u8]| {
        out[..head.len()].copy_from_slice(head);
        out[head.len()..][..name.len()].copy_from_slice(name);
    };
    // The lengths fit.
    let len = match form {
        Form::Dirent64 => {
            let len = dirent64_reclen(name.len());
            put(LinuxDirent64 { d_ino: ino, d_off: next.cast_signed(), d_reclen: len as u16, d_type: kind }.as_bytes());
            len
        }
        Form::Dirent => {
            let len = dirent_reclen(name.len());
            put(LinuxDirent { d_ino: ino, d_off: next, d_reclen: len as u16 }.as_bytes());
            out[len - 1] = kind;
            len
        }
    };
    (out, len)
}

fn getdents(fd: Fd, buf: BufOut, count: u32, form: Form) -> SysResult {
    let file = current().files().get(fd.0)?;
    let mut pos = file.pos.lock();
    let room = (count as usize).min(i32::MAX as usize);
    let mut ctx = DirContext::records(form, buf.0, room, *pos);
    file.ops.iterate(&file, &mut ctx)?;
    *pos = ctx.pos;
    drop(pos);
    fsnotify::access(&file);
    ctx.finish()
}

pub fn sys_getdents(fd: Fd, buf: BufOut, count: u32) -> SysResult {
    getdents(fd, buf, count, Form::Dirent)
}

pub fn sys_getdents64(fd: Fd, buf: BufOut, count: u32) -> SysResult {
    getdents(fd, buf, count, Form::Dirent64)
}
