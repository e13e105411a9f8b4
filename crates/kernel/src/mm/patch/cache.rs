//! The world's patched texts, by file.
//!
//! Mirrors: nothing in Linux.
//! Locking: one leaf lock over the map; images are made without it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::stat::{S_IFMT, S_IFREG};
use acrida_uapi::time::Timespec;

use super::TextImage;
use crate::fs::exec::FileSource;
use crate::fs::file::File;

/// Images kept although nobody maps them.
const KEPT: usize = 512;

/// A version of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    dev: u32,
    ino: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

/// Images by file version; `None` for files that need none.
#[derive(Default)]
pub struct TextImages {
    images: SpinLock<BTreeMap<Key, Option<Arc<TextImage>>>>,
}

impl TextImages {
    /// The image of a file, made now if it is new.
    pub fn get(&self, file: &Arc<File>) -> Option<Arc<TextImage>> {
        let stat = file.ops.stat(file).ok()?;
        if stat.mode & S_IFMT != S_IFREG {
            return None;
        }
        let time = |time: Timespec| (time.tv_sec, time.tv_nsec);
        let key = Key { dev: stat.dev, ino: stat.ino, size: stat.size, mtime: time(stat.mtime), ctime: time(stat.ctime) };
        if let Some(known) = self.images.lock().get(&key) {
            return known.clone();
        }
        let made = TextImage::make(&FileSource(file.clone())).map(Arc::new);
        let mut images = self.images.lock();
        let kept = images.entry(key).or_insert(made).clone();
        if images.len() > KEPT {
            let unused = |image: &Option<Arc<TextImage>>| image.as_ref().is_none_or(|image| Arc::strong_count(image) == 1);
            images.retain(|_, image| !unused(image));
        }
        kept
    }
}
