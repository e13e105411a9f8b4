//! The tree a world starts with.
//!
//! Mirrors: init/do_mounts.c, Linux 6.1.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::Error;

use crate::fs::hostfs::HostFs;
use crate::fs::namespace::MountNamespace;

/// See [`MountNamespace::new_world`].
pub fn build(mounts: &[Vec<u8>]) -> Result<Arc<MountNamespace>, Error> {
    let _ = mounts;
    let tree = MountNamespace::with_root(HostFs::new()?, b"host");
    Ok(tree)
}
