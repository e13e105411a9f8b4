//! From a place in the tree back to its text.
//!
//! Mirrors: fs/d_path.c, Linux 6.18.
//! Differs: a path in which something moved meanwhile is built again, as often as that happens; renames are never locked out.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::current;
use crate::fs::dcache::Path;
use crate::fs::namei::moves::Moves;

/// What became of the way to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// `root` was met.
    Root,
    /// The tree's own root was met first: `path` is not below `root`.
    Unreachable,
    /// A name outside every tree.
    Anonymous,
}

/// The names from `path` up to `root`, of one moment.
#[doc(alias = "prepend_path")]
fn climb(path: &Path, root: &Path) -> (Vec<Arc<[u8]>>, End) {
    loop {
        let begun = Moves::look();
        let way = climb_once(path, root);
        if !begun.happened() {
            return way;
        }
    }
}

fn climb_once(path: &Path, root: &Path) -> (Vec<Arc<[u8]>>, End) {
    let mut names = Vec::new();
    let mut at = path.clone();
    loop {
        if at == *root {
            return (names, End::Root);
        }
        if at.is_mount_root() {
            match at.mnt.place() {
                Some(place) => at = place,
                None => return (names, End::Unreachable),
            }
            continue;
        }
        let (name, parent) = at.dentry.place();
        names.push(name);
        match parent {
            Some(parent) => at.dentry = parent,
            None => return (names, End::Anonymous),
        }
    }
}

fn join(names: &[Arc<[u8]>]) -> Vec<u8> {
    let mut text = Vec::new();
    for name in names.iter().rev() {
        text.push(b'/');
        text.extend_from_slice(name);
    }
    if text.is_empty() {
        text.push(b'/');
    }
    text
}

/// The path as the calling task sees it, with ` (deleted)` when the name is gone.
pub fn d_path(path: &Path) -> Vec<u8> {
    d_path_from(path, &current().fs().root())
}

/// The path as seen from `root`.
pub fn d_path_from(path: &Path, root: &Path) -> Vec<u8> {
    let (names, end) = climb(path, root);
    let mut text = match end {
        End::Anonymous if names.len() == 1 => names[0].to_vec(),
        _ => join(&names),
    };
    if path.dentry.is_unhashed() && end != End::Anonymous {
        text.extend_from_slice(b" (deleted)");
    }
    text
}

/// As `getcwd` shows it: marked when not below `root`, `None` when the directory was removed.
pub fn cwd_path(path: &Path, root: &Path) -> Option<Vec<u8>> {
    if path.dentry.is_unhashed() {
        return None;
    }
    let (names, end) = climb(path, root);
    let text = join(&names);
    Some(match end {
        End::Root => text,
        End::Unreachable | End::Anonymous => [b"(unreachable)", &text[..]].concat(),
    })
}
