//! Host calls about extended attributes.
//!
//! Mirrors: nothing in Linux.
//! Differs: paths of the form /proc/self/fd/N are followed, all others are not: the first are how an object that is known
//! only by a descriptor is named.

use alloc::vec::Vec;

use acrida_kcore::host::Arg;
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::limits::{XATTR_LIST_MAX, XATTR_SIZE_MAX};
use acrida_uapi::nr;

use crate::host::fs::CName;

/// `/proc/self/fd/N` must be followed, `/proc/self/fd/N/name` must not.
fn follows(path: &[u8]) -> bool {
    path.iter().filter(|&&b| b == b'/').count() == 4
}

pub fn get(path: &[u8], name: &[u8]) -> Result<Vec<u8>, Errno> {
    let nr = if follows(path) { nr::getxattr } else { nr::lgetxattr };
    let (path, name) = (CName::new(path), CName::new(name));
    let mut value = alloc::vec![0; XATTR_SIZE_MAX];
    let mut args = [Arg::Str(path.as_cstr()), Arg::Str(name.as_cstr()), Arg::OutLen(&mut value)];
    let len = platform().host().call(nr, &mut args)?;
    value.truncate(len);
    Ok(value)
}

pub fn set(path: &[u8], name: &[u8], value: &[u8], flags: u32) -> Result<(), Errno> {
    let nr = if follows(path) { nr::setxattr } else { nr::lsetxattr };
    let (path, name) = (CName::new(path), CName::new(name));
    let mut args = [Arg::Str(path.as_cstr()), Arg::Str(name.as_cstr()), Arg::InLen(value), Arg::Val(flags.into())];
    platform().host().call(nr, &mut args).map(drop)
}

pub fn list(path: &[u8]) -> Result<Vec<u8>, Errno> {
    let nr = if follows(path) { nr::listxattr } else { nr::llistxattr };
    let path = CName::new(path);
    let mut names = alloc::vec![0; XATTR_LIST_MAX];
    let len = platform().host().call(nr, &mut [Arg::Str(path.as_cstr()), Arg::OutLen(&mut names)])?;
    names.truncate(len);
    Ok(names)
}

pub fn remove(path: &[u8], name: &[u8]) -> Result<(), Errno> {
    let nr = if follows(path) { nr::removexattr } else { nr::lremovexattr };
    let (path, name) = (CName::new(path), CName::new(name));
    platform().host().call(nr, &mut [Arg::Str(path.as_cstr()), Arg::Str(name.as_cstr())]).map(drop)
}
