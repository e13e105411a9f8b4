//! Extended attributes.
//!
//! Mirrors `include/uapi/linux/xattr.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const XATTR_CREATE: u32 = 0x1;
pub const XATTR_REPLACE: u32 = 0x2;

pub const XATTR_SECURITY_PREFIX: &str = "security.";
pub const XATTR_SYSTEM_PREFIX: &str = "system.";
pub const XATTR_TRUSTED_PREFIX: &str = "trusted.";
pub const XATTR_USER_PREFIX: &str = "user.";

/// The argument of `setxattrat` and `getxattrat`.
#[doc(alias = "xattr_args")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct XattrArgs {
    /// Address of the value.
    pub value: u64,
    pub size: u32,
    pub flags: u32,
}
