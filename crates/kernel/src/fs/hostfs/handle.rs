//! Host descriptors with an owner.
//!
//! Mirrors: nothing in Linux.

use acrida_kcore::host::HostFd;

use crate::host;

/// A host descriptor, closed when nobody uses it any more.
#[derive(Debug)]
pub struct HostHandle(HostFd);

impl HostHandle {
    /// Takes the descriptor over.
    pub fn new(fd: HostFd) -> HostHandle {
        HostHandle(fd)
    }

    pub fn fd(&self) -> HostFd {
        self.0
    }
}

impl Drop for HostHandle {
    fn drop(&mut self) {
        super::watch::forget(self.0);
        host::close(self.0);
    }
}
