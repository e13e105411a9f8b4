//! The world's patched texts, by file.
//!
//! Mirrors: nothing in Linux.
//! Differs: what this world does not know yet may be known from an earlier one (`store`).
//! Locking: one leaf lock over the map; images are made without it.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use acrida_kcore::sync::SpinLock;
use acrida_uapi::stat::{S_IFMT, S_IFREG};
use acrida_uapi::time::Timespec;

use super::TextImage;
use super::store::{Known, Store};
use crate::fs::exec::FileSource;
use crate::fs::file::FileRef;

/// Images kept although nobody maps them.
const KEPT: usize = 512;

/// A version of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    dev: u32,
    ino: u64,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
}

impl Key {
    /// The parts as words: a name for the version.
    pub fn words(&self) -> [u64; 7] {
        let Key { dev, ino, size, mtime, ctime } = *self;
        let signed = i64::cast_unsigned;
        [dev.into(), ino, size, signed(mtime.0), signed(mtime.1), signed(ctime.0), signed(ctime.1)]
    }
}

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Host,
    /// A file system of this world: it is gone with it.
    World,
}

/// Images by file version; `None` for files that need none.
#[derive(Default)]
pub struct TextImages {
    images: SpinLock<BTreeMap<Key, Option<Arc<TextImage>>>>,
    store: Option<Store>,
}

impl TextImages {
    /// `store`: the directory for images that outlive the world.
    pub fn new(store: Option<&[u8]>) -> TextImages {
        TextImages { images: SpinLock::default(), store: store.and_then(Store::open) }
    }

    /// The image of a file, made now if it is new.
    pub fn get(&self, file: &FileRef, origin: Origin) -> Option<Arc<TextImage>> {
        let stat = file.ops.stat(file).ok()?;
        if stat.mode & S_IFMT != S_IFREG {
            return None;
        }
        let time = |time: Timespec| (time.tv_sec, time.tv_nsec);
        let key = Key { dev: stat.dev, ino: stat.ino, size: stat.size, mtime: time(stat.mtime), ctime: time(stat.ctime) };
        if let Some(known) = self.images.lock().get(&key) {
            return known.clone();
        }
        let made = self.find_or_make(&key, file, origin).map(Arc::new);
        let mut images = self.images.lock();
        let kept = images.entry(key).or_insert(made).clone();
        if images.len() > KEPT {
            let unused = |image: &Option<Arc<TextImage>>| image.as_ref().is_none_or(|image| Arc::strong_count(image) == 1);
            images.retain(|_, image| !unused(image));
        }
        kept
    }
    fn find_or_make(&self, key: &Key, file: &FileRef, origin: Origin) -> Option<TextImage> {
        let store = self.store.as_ref().filter(|_| origin == Origin::Host);
        match store.and_then(|store| store.load(key)) {
            Some(Known::Plain) => return None,
            Some(Known::Image(image)) => return Some(image),
            None => {}
        }
        let made = TextImage::make(&FileSource(file.clone()));
        let Some(store) = store else { return made };
        if store.save(key, made.as_ref(), key.size).is_err() {
            return made;
        }
        // The file's pages are the host's to drop and other worlds' to share; those of this world go.
        match store.load(key) {
            Some(Known::Image(image)) => Some(image),
            _ => made,
        }
    }
}
