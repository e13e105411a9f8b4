//! Directories of procfs whose files do not depend on a task: a table of names and what they show.
//!
//! Mirrors: fs/proc/generic.c (`proc_create_single`), Linux 6.18.
//! Differs: the tables are static; a subsystem adds a row.

use alloc::boxed::Box;
use alloc::sync::Arc;

use acrida_uapi::errno::Error;
use acrida_uapi::stat::{S_IFDIR, S_IFREG};

use crate::fs::file::FileOperations;
use crate::fs::proc::inode::{Emit, Entry, Node, ProcRef};
use crate::fs::proc::seq_file::{SeqFile, TextFile};

/// Writes a file's text.
pub type Show = fn(&mut SeqFile) -> Result<(), Error>;

/// One file of a [`TableDir`].
pub struct TableRow {
    pub name: &'static str,
    /// Permission bits.
    pub mode: u32,
    pub show: Show,
}

impl TableRow {
    pub const fn new(name: &'static str, show: Show) -> TableRow {
        TableRow { name, mode: 0o444, show }
    }
}

/// A directory with the files of a table. `ino` is its own number, its files have the following ones.
pub struct TableDir {
    pub rows: &'static [TableRow],
    pub ino: u64,
}

impl TableDir {
    pub fn make(self, dev: u32) -> ProcRef {
        let ino = self.ino;
        self.inode(dev, ino)
    }
}

impl Node for TableDir {
    fn mode(&self) -> u32 {
        S_IFDIR | 0o555
    }

    fn lookup(&self, dev: u32, name: &[u8]) -> Result<Option<ProcRef>, Error> {
        let Some(index) = self.rows.iter().position(|row| row.name.as_bytes() == name) else { return Ok(None) };
        Ok(Some(TextNode { mode: self.rows[index].mode, show: self.rows[index].show }.inode(dev, self.ino + 1 + index as u64)))
    }

    fn list(&self, from: u64, emit: &mut Emit<'_>) -> Result<(), Error> {
        for (index, row) in self.rows.iter().enumerate().skip(from as usize) {
            let next = index as u64 + 1;
            if !emit(Entry { name: row.name.as_bytes(), ino: self.ino + next, mode: S_IFREG, next }) {
                break;
            }
        }
        Ok(())
    }
}

/// A file of made text that anybody may read as far as its mode goes.
pub struct TextNode {
    /// Permission bits.
    pub mode: u32,
    pub show: Show,
}

impl Node for TextNode {
    fn mode(&self) -> u32 {
        S_IFREG | self.mode
    }

    fn open(&self, _flags: u32) -> Result<Arc<dyn FileOperations>, Error> {
        let show = self.show;
        Ok(Arc::new(TextFile::new(Box::new(show)).global()))
    }
}
