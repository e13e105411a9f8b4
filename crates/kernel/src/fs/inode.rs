//! Inodes, dentries, paths: stub of the VFS helper's work.
use alloc::sync::Arc;
use core::any::Any;
use acrida_uapi::errno::Error;
use crate::fs::file::File;
use crate::fs::fdtable::FilesStruct;

#[derive(Clone, Copy, Debug, Default)]
pub struct Kstat { pub mode: u32, pub uid: u32, pub gid: u32 }
pub struct DirContext<'a> { _p: core::marker::PhantomData<&'a mut ()> }
#[derive(Default)]
pub struct InodeCommon {}
impl InodeCommon {
    pub fn file_closed(&self, _file: &File) {}
    pub fn table_closed(&self, _files: &FilesStruct) {}
}
pub trait Inode: Any + Send + Sync {
    fn stat(&self) -> Result<Kstat, Error>;
    fn common(&self) -> &InodeCommon;
}
pub struct Dentry { pub inode: Option<Arc<dyn Inode>> }
impl Dentry { pub fn inode(&self) -> Option<Arc<dyn Inode>> { self.inode.clone() } }
pub struct Mount {}
impl Mount { pub fn nosuid(&self) -> bool { false } }
#[derive(Clone)]
pub struct Path { pub mnt: Arc<Mount>, pub dentry: Arc<Dentry> }
