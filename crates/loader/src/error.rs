//! Why a file cannot be executed, as the errno `execve` returns.
//!
//! Linux: the return values of `load_elf_binary` and `load_script`. The crate depends on nothing of the kernel, so the
//! errnos are variants here and become numbers in one place.

/// The refusal of a file, a string list or a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Not a format this kernel runs, or one whose header contradicts itself.
    NoExec,
    /// The ELF interpreter is not a usable ELF file.
    LibBad,
    /// A segment that cannot be mapped.
    Inval,
    /// The file ends inside a part that its header promises.
    Io,
    /// Arguments and environment exceed the limit.
    TooBig,
    /// What the [`Source`](crate::Source) itself answered, an errno.
    Source(u16),
}

impl Error {
    /// Linux's number, positive.
    pub const fn errno(self) -> u16 {
        match self {
            Error::NoExec => 8,
            Error::LibBad => 80,
            Error::Inval => 22,
            Error::Io => 5,
            Error::TooBig => 7,
            Error::Source(errno) => errno,
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let text = match self {
            Error::NoExec => "exec format error",
            Error::LibBad => "accessing a corrupted interpreter",
            Error::Inval => "a segment cannot be mapped",
            Error::Io => "the file ends too early",
            Error::TooBig => "argument list too long",
            Error::Source(errno) => return write!(f, "read failed with errno {errno}"),
        };
        f.write_str(text)
    }
}

impl core::error::Error for Error {}
