//! Reading directories.
//!
//! Mirrors: fs/readdir.c, Linux 6.1.
//! Differs: records are collected in kernel memory and copied out once; a file system whose records already have the
//! guest's form may fill the guest's buffer itself.

use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::dirent::{LinuxDirent, LinuxDirent64, dirent_reclen, dirent64_reclen};
use acrida_uapi::errno::Errno;
use zerocopy::IntoBytes;

use crate::abi::{BufOut, Fd, SysResult};
use crate::current;

/// The records a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Dirent,
    Dirent64,
}

/// Who takes the entries of a directory.
enum Sink<'a> {
    /// Records for guest memory.
    Records { form: Form, out: Vec<u8>, room: usize, user: UserAddr, filled: usize },
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
        DirContext { pos, sink: Sink::Records { form, out: Vec::new(), room, user, filled: 0 }, full: false }
    }

    /// Takes an entry; `next` is the position behind it. `false`: it was not taken, stop.
    #[doc(alias = "dir_emit")]
    pub fn emit(&mut self, name: &[u8], ino: u64, kind: u8, next: u64) -> bool {
        let taken = match &mut self.sink {
            Sink::Call(call) => call(name, ino, kind),
            Sink::Records { form, out, room, .. } => {
                let len = match form {
                    Form::Dirent => dirent_reclen(name.len()),
                    Form::Dirent64 => dirent64_reclen(name.len()),
                };
                let fits = out.len() + len <= *room;
                if fits {
                    push_record(out, *form, len, name, ino, kind, next);
                }
                fits
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
            Sink::Records { form: Form::Dirent64, out, room, user, filled: 0 } if out.is_empty() => Some((*user, *room)),
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
        let Sink::Records { out, user, filled, .. } = self.sink else { return Ok(0) };
        if filled > 0 {
            return Ok(filled);
        }
        if out.is_empty() && self.full {
            return Err(Errno::EINVAL.into());
        }
        user.write_bytes(&out)?;
        Ok(out.len())
    }
}

fn push_record(out: &mut Vec<u8>, form: Form, len: usize, name: &[u8], ino: u64, kind: u8, next: u64) {
    let end = out.len() + len;
    // At most 19 + 255 + 1 bytes, rounded up.
    let d_reclen = len as u16;
    match form {
        Form::Dirent64 => {
            let head = LinuxDirent64 { d_ino: ino, d_off: next.cast_signed(), d_reclen, d_type: kind };
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(name);
            out.resize(end, 0);
        }
        Form::Dirent => {
            out.extend_from_slice(LinuxDirent { d_ino: ino, d_off: next, d_reclen }.as_bytes());
            out.extend_from_slice(name);
            out.resize(end - 1, 0);
            out.push(kind);
        }
    }
}

fn getdents(fd: Fd, buf: BufOut, count: u32, form: Form) -> SysResult {
    let file = current().files().get(fd.0)?;
    let mut pos = file.pos.lock();
    let room = (count as usize).min(i32::MAX as usize);
    let mut ctx = DirContext::records(form, buf.0, room, *pos);
    file.ops.iterate(&file, &mut ctx)?;
    *pos = ctx.pos;
    drop(pos);
    ctx.finish()
}

pub fn sys_getdents(fd: Fd, buf: BufOut, count: u32) -> SysResult {
    getdents(fd, buf, count, Form::Dirent)
}

pub fn sys_getdents64(fd: Fd, buf: BufOut, count: u32) -> SysResult {
    getdents(fd, buf, count, Form::Dirent64)
}
