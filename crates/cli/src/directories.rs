//! Directories that belong to the user alone: for what worlds leave to each other, and for the worlds that run.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// What may be removed at any time; made if need be. `None`: there is no place for it, or it is not the user's alone.
pub fn cache() -> Option<PathBuf> {
    let base = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?;
    Some(base.join("acrida")).filter(|dir| prepare(dir))
}

/// Where running worlds are entered: gone with the user's session where there is such a place. As [`cache`].
pub fn worlds() -> Option<PathBuf> {
    let session = [named("XDG_RUNTIME_DIR"), Some(PathBuf::from(format!("/run/user/{}", user())))];
    let mut own = session.into_iter().flatten().map(|base| base.join("acrida"));
    own.find(|dir| prepare(dir)).or_else(|| Some(cache()?.join("worlds")).filter(|dir| prepare(dir)))
}

/// Makes the directory if need be; whether it is the user's alone.
pub fn prepare(dir: &Path) -> bool {
    if let Some(parent) = dir.parent().filter(|parent| !parent.exists()) {
        // Only below a home; a runtime directory is the system's to make.
        let wanted = parent.ends_with(".cache") && DirBuilder::new().mode(0o700).create(parent).is_ok();
        if !wanted {
            return false;
        }
    }
    let _ = DirBuilder::new().mode(0o700).create(dir);
    let Ok(meta) = dir.symlink_metadata() else { return false };
    if !meta.is_dir() || meta.uid() != user() {
        return false;
    }
    meta.mode() & 0o077 == 0 || std::fs::set_permissions(dir, Permissions::from_mode(0o700)).is_ok()
}
