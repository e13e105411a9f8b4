//! Calls to the host kernel, with arguments that say what they point to.
//!
//! Mirrors: nothing in Linux.
//! Differs: an argument is a value, a host fd, a kernel buffer that the borrow checker knows, or a guest address that the
//! platform checks against the guest's range; so `kernel` can make host calls without unsafe code.

use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::marker::PhantomData;

use acrida_uapi::errno::Errno;
use acrida_uapi::socket::Msghdr;
use acrida_uapi::uio::Iovec;

use crate::uaccess::UserAddr;

/// A descriptor in the world's one host fd table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostFd(pub i32);

impl HostFd {
    pub const CWD: HostFd = HostFd(-100);
}

/// One argument of a host call.
#[derive(Debug)]
pub enum Arg<'a> {
    /// A plain number.
    Val(u64),
    Fd(HostFd),
    /// A kernel string: one register.
    Str(&'a CStr),
    /// A kernel object that is read: one register.
    In(&'a [u8]),
    /// A kernel object that is written: one register.
    Out(&'a mut [u8]),
    /// A kernel buffer that is read: two registers, address and length.
    InLen(&'a [u8]),
    /// A kernel buffer that is written: two registers, address and length.
    OutLen(&'a mut [u8]),
    /// A guest address: one register, refused with `EFAULT` when it (or `len` bytes from it) leaves guest space.
    User(UserAddr, usize),
    /// What `sendmsg` and `recvmsg` take: one register.
    Message(&'a mut MessageHeader),
    /// Bytes in the physical-memory window: one register.
    Window(u64, usize),
    Null,
}

/// The bytes of a socket message.
#[derive(Debug)]
pub enum MessageBytes<'a> {
    ToSend(&'a [u8]),
    ToFill(&'a mut [u8]),
    /// Pieces of guest memory.
    User(Vec<Iovec>),
}

/// What the host is given of a message, and writes lengths and flags back to; only a [`HostMessage`] has one.
#[derive(Debug)]
#[repr(transparent)]
pub struct MessageHeader(Msghdr);

/// A socket message with its name and what goes beside the bytes.
#[derive(Debug)]
pub struct HostMessage<'a> {
    header: MessageHeader,
    pieces: Vec<Iovec>,
    _borrows: PhantomData<&'a mut [u8]>,
}

impl<'a> HostMessage<'a> {
    /// For `sendmsg`.
    ///
    /// # Errors
    /// `EFAULT` for pieces outside guest space.
    pub fn to_send(name: &'a [u8], bytes: MessageBytes<'a>, control: &'a [u8]) -> Result<HostMessage<'a>, Errno> {
        Self::new((name.as_ptr().expose_provenance(), name.len()), bytes, (control.as_ptr().expose_provenance(), control.len()))
    }

    /// For `recvmsg`: name and control data are filled in.
    ///
    /// # Errors
    /// `EFAULT` for pieces outside guest space.
    pub fn to_fill(name: &'a mut [u8], bytes: MessageBytes<'a>, control: &'a mut [u8]) -> Result<HostMessage<'a>, Errno> {
        Self::new(
            (name.as_mut_ptr().expose_provenance(), name.len()),
            bytes,
            (control.as_mut_ptr().expose_provenance(), control.len()),
        )
    }

    fn new(name: (usize, usize), bytes: MessageBytes<'a>, control: (usize, usize)) -> Result<HostMessage<'a>, Errno> {
        let piece = |(at, len): (usize, usize)| Iovec { iov_base: at as u64, iov_len: len as u64 };
        let pieces = match bytes {
            MessageBytes::ToSend(bytes) => vec![piece((bytes.as_ptr().expose_provenance(), bytes.len()))],
            MessageBytes::ToFill(bytes) => vec![piece((bytes.as_mut_ptr().expose_provenance(), bytes.len()))],
            MessageBytes::User(pieces) => {
                let ok = |piece: &Iovec| UserAddr(piece.iov_base).access_ok(piece.iov_len as usize);
                if pieces.iter().all(ok) { pieces } else { return Err(Errno::EFAULT) }
            }
        };
        let header = Msghdr {
            msg_name: if name.1 > 0 { name.0 as u64 } else { 0 },
            msg_namelen: name.1 as i32,
            msg_iov: pieces.as_ptr().expose_provenance() as u64,
            msg_iovlen: pieces.len() as u64,
            msg_control: if control.1 > 0 { control.0 as u64 } else { 0 },
            msg_controllen: control.1 as u64,
            ..Msghdr::default()
        };
        Ok(HostMessage { header: MessageHeader(header), pieces, _borrows: PhantomData })
    }

    /// For the call.
    pub fn as_arg(&mut self) -> Arg<'_> {
        debug_assert_eq!(self.header.0.msg_iovlen, self.pieces.len() as u64);
        Arg::Message(&mut self.header)
    }

    /// After `recvmsg`: lengths of name and control data, and `MSG_*`.
    pub fn filled(&self) -> (usize, usize, u32) {
        let header = &self.header.0;
        (header.msg_namelen.max(0) as usize, header.msg_controllen as usize, header.msg_flags)
    }
}

/// Protection and sharing of one guest mapping.
#[derive(Clone, Copy, Debug)]
pub struct MapRequest {
    pub addr: u64,
    pub len: usize,
    pub prot: u32,
    /// Host `MAP_*` flags; `MAP_FIXED` is implied.
    pub flags: u32,
    /// `None` for anonymous memory.
    pub fd: Option<HostFd>,
    pub offset: u64,
}

/// Windows on host files of one process.
pub const FILE_WINDOWS: usize = 16;
/// Bytes of a window, and what its place in the file is aligned to.
pub const FILE_WINDOW_SIZE: u64 = 2 << 20;

/// What becomes of the place that pages are moved away from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldPlace {
    Unmapped,
    /// Mapped still, and empty.
    #[doc(alias = "MREMAP_DONTUNMAP")]
    Kept,
}

/// The host below.
///
/// # Errors
/// Each call fails as the host's does, unless it says more; `EINTR` only where it says so, and `EFAULT` also for what does not lie
/// in guest space.
pub trait Host: Sync {
    /// A call that does not block for long; never fails with `EINTR`.
    fn call(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno>;
    /// A call that may block: a signal for the calling thread ends it with `EINTR`.
    fn call_blocking(&self, nr: u32, args: &mut [Arg<'_>]) -> Result<usize, Errno>;
    /// `nr` is `read`, `write`, `pread64` or `pwrite64` of guest memory that does not block for long: [`Host::call`] without the
    /// detour over a list of arguments (20 ns).
    fn transfer(&self, nr: u32, fd: HostFd, buf: UserAddr, len: usize, position: u64) -> Result<usize, Errno>;
    /// Guest-memory calls; every range is checked to lie in guest space.
    fn mmap(&self, request: MapRequest) -> Result<(), Errno>;
    fn munmap(&self, addr: u64, len: usize) -> Result<(), Errno>;
    fn mprotect(&self, addr: u64, len: usize, prot: u32) -> Result<(), Errno>;
    /// Moves or resizes; `new_addr` is always given (and taken).
    fn mremap(&self, addr: u64, old_len: usize, new_len: usize, new_addr: u64, old: OldPlace) -> Result<(), Errno>;
    /// The fd of the physical-memory object, for guest mappings of its pages.
    fn physmem_fd(&self) -> HostFd;
    /// Gives pages of the physical-memory window back to the host.
    fn punch_window(&self, offset: u64, len: usize);
    /// Makes window `index` of the calling process show the host's own pages of a file from `offset` on, in place of what it
    /// showed. No other process gets it, not even a forked one.
    fn map_file_window(&self, index: usize, fd: HostFd, offset: u64) -> Result<(), Errno>;
    fn unmap_file_window(&self, index: usize);
    /// Looks at byte `witness` of a window, then copies `len` bytes from byte `at` on to the guest; the witness's value. `None`
    /// when a byte is not there, on either side; then a part may have been copied.
    fn copy_file_window(&self, index: usize, at: usize, to: UserAddr, len: usize, witness: usize) -> Option<u8>;
}
