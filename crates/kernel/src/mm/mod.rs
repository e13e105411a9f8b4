//! Guest memory: stub of the mm helper's work.
use acrida_kcore::host::HostFd;
use alloc::sync::Arc;
pub struct MmStruct {}
impl MmStruct { pub fn new() -> Arc<MmStruct> { Arc::new(MmStruct {}) } }
/// What a file is asked to map.
#[derive(Clone, Copy, Debug)]
pub struct MmapRequest { pub len: usize, pub prot: u32, pub flags: u32, pub offset: u64 }
/// What stands behind a mapping.
pub enum MapBacking { Host(HostFd, u64), Anonymous }
