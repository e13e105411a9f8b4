//! Sizes that programs count on.
//!
//! Mirrors `include/uapi/linux/{limits.h,binfmts.h}` (v6.18).

pub const NGROUPS_MAX: usize = 65536;
pub const ARG_MAX: usize = 131072;
pub const NAME_MAX: usize = 255;
pub const PATH_MAX: usize = 4096;
pub const PIPE_BUF: usize = 4096;
pub const XATTR_NAME_MAX: usize = 255;
pub const XATTR_SIZE_MAX: usize = 65536;
pub const XATTR_LIST_MAX: usize = 65536;
/// Symbolic links followed in one path.
pub const MAXSYMLINKS: usize = 40;
/// Longest single argument or environment string of `execve`, in bytes with its NUL.
pub const MAX_ARG_STRLEN: usize = 131072;
/// Bytes of a file that decide how it is executed.
pub const BINPRM_BUF_SIZE: usize = 256;
/// Bytes of a thread's name, with its NUL.
pub const TASK_COMM_LEN: usize = 16;
/// Descriptors a process may have unless its limit is raised.
pub const INR_OPEN_CUR: u64 = 1024;
/// The hard limit to begin with.
pub const INR_OPEN_MAX: u64 = 4096;
/// Bytes in a pipe to begin with.
pub const PIPE_DEF_SIZE: usize = 65536;
