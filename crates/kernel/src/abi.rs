//! Types of system-call arguments: how a register becomes one, and how traces show it.
//!
//! Mirrors: include/linux/syscalls.h, Linux 6.18.
//! Differs: a handler is an ordinary function of these types; the table makes the adapter.

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Error;

/// What every handler gives.
pub type SysResult = Result<usize, Error>;

/// How a trace shows an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    Fd,
    /// A guest address, hexadecimal.
    Addr,
    /// A NUL-terminated path in guest memory.
    Path,
    /// Signed decimal.
    Int,
    /// Unsigned decimal.
    Uint,
    /// Hexadecimal flags.
    Flags,
    /// Octal mode.
    Mode,
    Signal,
    /// A buffer that is read; its length is the next argument.
    BufIn,
    /// A buffer that is written; its length is the result.
    BufOut,
}

/// A type that an argument register can become.
pub trait Arg: Sized {
    const KIND: ArgKind;
    fn from_reg(reg: u64) -> Self;
}

macro_rules! plain {
    ($($ty:ty => $kind:ident;)*) => {
        $(impl Arg for $ty {
            const KIND: ArgKind = ArgKind::$kind;
            #[inline]
            fn from_reg(reg: u64) -> Self {
                reg as $ty
            }
        })*
    };
}

plain! {
    i32 => Int;
    i64 => Int;
    u32 => Uint;
    u64 => Uint;
    usize => Uint;
}

macro_rules! newtype {
    ($($(#[$doc:meta])* $name:ident($ty:ty) => $kind:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $ty);
        impl Arg for $name {
            const KIND: ArgKind = ArgKind::$kind;
            #[inline]
            fn from_reg(reg: u64) -> Self {
                $name(reg as $ty)
            }
        })*
    };
}

newtype! {
    /// A guest file descriptor, as given.
    Fd(i32) => Fd;
    /// A directory descriptor or `AT_FDCWD`.
    DirFd(i32) => Fd;
    /// Flags without names in the trace.
    Flags(u32) => Flags;
    /// A file mode.
    Mode(u32) => Mode;
    /// A signal number.
    Signo(i32) => Signal;
}

macro_rules! address {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub UserAddr);
        impl Arg for $name {
            const KIND: ArgKind = ArgKind::$kind;
            #[inline]
            fn from_reg(reg: u64) -> Self {
                $name(UserAddr(reg))
            }
        })*
    };
}

address! {
    /// A path in guest memory.
    UserPath => Path;
    /// A buffer the call reads.
    BufIn => BufIn;
    /// A buffer the call fills.
    BufOut => BufOut;
}

impl Arg for UserAddr {
    const KIND: ArgKind = ArgKind::Addr;
    #[inline]
    fn from_reg(reg: u64) -> Self {
        UserAddr(reg)
    }
}
