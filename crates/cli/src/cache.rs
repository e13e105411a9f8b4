//! What worlds of one user leave to the next: the kernel image as a file, and the texts the kernel has patched.
//!
//! Everything lies in one directory for this build of the kernel and this boot of the host, below the user's cache
//! directory, and can be removed at any time. Without it a world starts some milliseconds later.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::directories::{self, prepare};
use crate::image::{self, IMAGE};

/// Directories of other builds and boots go when nobody has written to them for so long.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);
/// And all but so many: who changes the kernel makes a build every few minutes.
const OTHERS: usize = 4;
/// Bytes of one directory: above this the oldest files go.
const ROOM: u64 = 512 << 20;
/// Looking at every file costs time: one run of so many does it.
const TIDY_EVERY: u32 = 16;

pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// `None`: there is no place for one that is the user's alone.
    pub fn open() -> Option<Cache> {
        let own = directories::cache()?;
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let all = own.join("kernels");
        let dir = all.join(format!("{}-{}", image::ID, boot.trim()));
        // What is there was made below a directory of the user's alone.
        if !dir.is_dir() {
            if !prepare(&all) || DirBuilder::new().mode(0o700).create(&dir).is_err() {
                return None;
            }
            remove_stale(&all, &dir);
        }
        prepare(&dir).then(|| Cache { dir })
    }

    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The kernel image as a program that can be started.
    pub fn kernel(&self) -> Option<PathBuf> {
        let path = self.dir.join("kernel");
        if path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() == IMAGE.len() as u64) {
            return Some(path);
        }
        let hidden = self.dir.join(format!(".kernel-{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o700).open(&hidden).ok()?;
        let written = file.write_all(IMAGE);
        drop(file);
        if written.is_ok() && std::fs::rename(&hidden, &path).is_ok() {
            return Some(path);
        }
        let _ = std::fs::remove_file(&hidden);
        None
    }

    /// Keeps the directory small; now and then.
    pub fn tidy(&self) {
        if std::process::id() % TIDY_EVERY == 0 {
            let dir = self.dir.clone();
            // Nobody waits for it: what is left undone is the next one's.
            std::thread::spawn(move || shrink(&dir));
        }
    }
}

fn remove_stale(all: &Path, except: &Path) {
    let age = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok()?.elapsed().ok();
    let others = std::fs::read_dir(all).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| path != except);
    let mut others: Vec<(Duration, PathBuf)> = others.map(|path| (age(&path).unwrap_or_default(), path)).collect();
    others.sort();
    for (index, (age, path)) in others.iter().enumerate() {
        if index >= OTHERS || *age > STALE {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

fn shrink(dir: &Path) {
    let mut files: Vec<(SystemTime, u64, PathBuf)> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            Some((meta.modified().ok()?, meta.len(), entry.path()))
        })
        .collect();
    files.sort();
    let mut total: u64 = files.iter().map(|(_, len, _)| len).sum();
    for (_, len, path) in files.iter().filter(|(_, _, path)| !path.ends_with("kernel")) {
        if total <= ROOM {
            break;
        }
        let _ = std::fs::remove_file(path);
        total -= len;
    }
}
