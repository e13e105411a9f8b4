//! Error numbers, and the restart codes that look like them inside a kernel.
//!
//! Mirrors `include/uapi/asm-generic/errno{-base,}.h` and `include/linux/errno.h` (v6.18).
//!
//! Linux keeps restart requests (`ERESTARTSYS` and its kin) in the same integer as error numbers and
//! relies on review to keep them out of user space. Here they are two types: a guest can be given an
//! [`Errno`] only, and whoever has an [`Error`] must first decide what happens to a [`Restart`].

use core::fmt;

/// A Linux error number, 1 to 4095. Numbers without a name are kept as they are: they may come from
/// the host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Errno(u16);

/// The largest error number a system call can return (`MAX_ERRNO`).
pub const MAX_ERRNO: u16 = 4095;

macro_rules! errnos {
    ($($name:ident = $value:literal,)*) => {
        #[allow(missing_docs)]
        impl Errno {
            $(pub const $name: Errno = Errno($value);)*

            /// Every error number that has a name, in numeric order.
            pub const ALL: &[Errno] = &[$(Errno::$name),*];

            /// Linux's name, or `None` for a number Linux gives no name.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Errno::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
EPERM = 1,
ENOENT = 2,
ESRCH = 3,
EINTR = 4,
EIO = 5,
ENXIO = 6,
E2BIG = 7,
ENOEXEC = 8,
EBADF = 9,
ECHILD = 10,
EAGAIN = 11,
ENOMEM = 12,
EACCES = 13,
EFAULT = 14,
ENOTBLK = 15,
EBUSY = 16,
EEXIST = 17,
EXDEV = 18,
ENODEV = 19,
ENOTDIR = 20,
EISDIR = 21,
EINVAL = 22,
ENFILE = 23,
EMFILE = 24,
ENOTTY = 25,
ETXTBSY = 26,
EFBIG = 27,
ENOSPC = 28,
ESPIPE = 29,
EROFS = 30,
EMLINK = 31,
EPIPE = 32,
EDOM = 33,
ERANGE = 34,
EDEADLK = 35,
ENAMETOOLONG = 36,
ENOLCK = 37,
ENOSYS = 38,
ENOTEMPTY = 39,
ELOOP = 40,
ENOMSG = 42,
EIDRM = 43,
ECHRNG = 44,
EL2NSYNC = 45,
EL3HLT = 46,
EL3RST = 47,
ELNRNG = 48,
EUNATCH = 49,
ENOCSI = 50,
EL2HLT = 51,
EBADE = 52,
EBADR = 53,
EXFULL = 54,
ENOANO = 55,
EBADRQC = 56,
EBADSLT = 57,
EBFONT = 59,
ENOSTR = 60,
ENODATA = 61,
ETIME = 62,
ENOSR = 63,
ENONET = 64,
ENOPKG = 65,
EREMOTE = 66,
ENOLINK = 67,
EADV = 68,
ESRMNT = 69,
ECOMM = 70,
EPROTO = 71,
EMULTIHOP = 72,
EDOTDOT = 73,
EBADMSG = 74,
EOVERFLOW = 75,
ENOTUNIQ = 76,
EBADFD = 77,
EREMCHG = 78,
ELIBACC = 79,
ELIBBAD = 80,
ELIBSCN = 81,
ELIBMAX = 82,
ELIBEXEC = 83,
EILSEQ = 84,
ERESTART = 85,
ESTRPIPE = 86,
EUSERS = 87,
ENOTSOCK = 88,
EDESTADDRREQ = 89,
EMSGSIZE = 90,
EPROTOTYPE = 91,
ENOPROTOOPT = 92,
EPROTONOSUPPORT = 93,
ESOCKTNOSUPPORT = 94,
EOPNOTSUPP = 95,
EPFNOSUPPORT = 96,
EAFNOSUPPORT = 97,
EADDRINUSE = 98,
EADDRNOTAVAIL = 99,
ENETDOWN = 100,
ENETUNREACH = 101,
ENETRESET = 102,
ECONNABORTED = 103,
ECONNRESET = 104,
ENOBUFS = 105,
EISCONN = 106,
ENOTCONN = 107,
ESHUTDOWN = 108,
ETOOMANYREFS = 109,
ETIMEDOUT = 110,
ECONNREFUSED = 111,
EHOSTDOWN = 112,
EHOSTUNREACH = 113,
EALREADY = 114,
EINPROGRESS = 115,
ESTALE = 116,
EUCLEAN = 117,
ENOTNAM = 118,
ENAVAIL = 119,
EISNAM = 120,
EREMOTEIO = 121,
EDQUOT = 122,
ENOMEDIUM = 123,
EMEDIUMTYPE = 124,
ECANCELED = 125,
ENOKEY = 126,
EKEYEXPIRED = 127,
EKEYREVOKED = 128,
EKEYREJECTED = 129,
EOWNERDEAD = 130,
ENOTRECOVERABLE = 131,
ERFKILL = 132,
EHWPOISON = 133,}

impl Errno {
    /// Another spelling of [`Errno::EAGAIN`].
    pub const EWOULDBLOCK: Errno = Errno::EAGAIN;
    /// Another spelling of [`Errno::EDEADLK`].
    pub const EDEADLOCK: Errno = Errno::EDEADLK;
    /// User space's spelling of [`Errno::EOPNOTSUPP`].
    pub const ENOTSUP: Errno = Errno::EOPNOTSUPP;

    /// The error with number `raw` (positive), or `None` outside 1 to [`MAX_ERRNO`].
    pub const fn from_raw(raw: i32) -> Option<Errno> {
        if raw >= 1 && raw <= MAX_ERRNO as i32 { Some(Errno(raw as u16)) } else { None }
    }

    /// The positive number.
    pub const fn raw(self) -> i32 {
        self.0 as i32
    }

    /// Splits what a system call left in `rax`: values in -4095..=-1 are errors, all others results.
    pub const fn from_return(rax: usize) -> core::result::Result<usize, Errno> {
        let negated = rax.wrapping_neg();
        if negated >= 1 && negated <= MAX_ERRNO as usize { Err(Errno(negated as u16)) } else { Ok(rax) }
    }

    /// The value of `rax` that reports this error; the inverse of [`Errno::from_return`].
    pub const fn to_return(self) -> usize {
        (self.0 as usize).wrapping_neg()
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

impl core::error::Error for Errno {}

/// Why an interrupted call must be looked at again before it returns to user mode.
///
/// The signal code resolves each of them to a repeated call or to `EINTR`; none reaches a guest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(non_camel_case_types)]
pub enum Restart {
    /// Repeat if no handler runs, or if the handler has `SA_RESTART`; else `EINTR`.
    ERESTARTSYS,
    /// Repeat in any case.
    ERESTARTNOINTR,
    /// Repeat only if no handler runs; else `EINTR`.
    ERESTARTNOHAND,
    /// Continue by `restart_syscall` if no handler runs; else `EINTR`.
    ERESTART_RESTARTBLOCK,
}

impl Restart {
    /// The number Linux uses for it (and a tracer sees).
    pub const fn raw(self) -> i32 {
        match self {
            Restart::ERESTARTSYS => 512,
            Restart::ERESTARTNOINTR => 513,
            Restart::ERESTARTNOHAND => 514,
            Restart::ERESTART_RESTARTBLOCK => 516,
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How a call can fail inside the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Error {
    /// The guest gets this number.
    Errno(Errno),
    /// A signal interrupted the call; the signal code decides.
    Restart(Restart),
}

/// The result of nearly every function of the kernel.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// The error number, if it is one.
    pub const fn errno(self) -> Option<Errno> {
        match self {
            Error::Errno(errno) => Some(errno),
            Error::Restart(_) => None,
        }
    }
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Error {
        Error::Errno(errno)
    }
}

impl From<Restart> for Error {
    fn from(restart: Restart) -> Error {
        Error::Restart(restart)
    }
}

impl PartialEq<Errno> for Error {
    fn eq(&self, other: &Errno) -> bool {
        *self == Error::Errno(*other)
    }
}

impl PartialEq<Restart> for Error {
    fn eq(&self, other: &Restart) -> bool {
        *self == Error::Restart(*other)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Errno(errno) => fmt::Display::fmt(errno, f),
            Error::Restart(restart) => fmt::Display::fmt(restart, f),
        }
    }
}

impl core::error::Error for Error {}
