//! /proc/PID/{mounts,mountinfo,mountstats}.
//!
//! Mirrors: fs/proc_namespace.c, Linux 6.18.
//! Locking: the tree of mounts, over all that is told of it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::mount::MsFlags;
use acrida_uapi::stat::new_decode_dev;

use crate::fs::d_path::{cwd_path, d_path_from};
use crate::fs::inode::{Mount, Path};
use crate::fs::proc::seq_file::{SeqFile, seq_printf};
use crate::fs::proc::subject::Target;
use crate::kernel;

/// Bytes that would break a line into the wrong words.
const ESCAPES: &[u8] = b" \t\n\\#";

/// What one line tells.
struct MountLine {
    id: u64,
    parent: u64,
    dev: u32,
    source: Vec<u8>,
    /// The part of the file system that is seen.
    root: Vec<u8>,
    place: Vec<u8>,
    kind: &'static str,
    flags: MsFlags,
    options: String,
}

impl MountLine {
    /// `None` when the mount is not below `root`.
    fn of(mount: &Arc<Mount>, root: &Path) -> Option<MountLine> {
        let at = mount.root_path();
        // A place outside the root is marked by its text.
        if cwd_path(&at, root).is_some_and(|text| text.starts_with(b"(unreachable)")) {
            return None;
        }
        let mut options = String::new();
        mount.sb.show_options(&mut options);
        Some(MountLine {
            id: mount.id,
            parent: mount.place().map_or(mount.id, |place| place.mnt.id),
            dev: mount.root.inode().common().dev,
            source: if mount.source.is_empty() { b"none".to_vec() } else { mount.source.clone() },
            root: path_inside(mount),
            place: d_path_from(&at, root),
            kind: mount.sb.type_name(),
            flags: mount.flags(),
            options,
        })
    }

    fn access(&self) -> &'static str {
        if self.flags.contains(MsFlags::MS_RDONLY) { "ro" } else { "rw" }
    }

    /// As `mount` prints it and fstab takes it.
    #[doc(alias = "show_vfsmnt")]
    fn show_mounts(&self, out: &mut SeqFile) {
        out.put_escaped(&self.source, ESCAPES);
        out.put(b" ");
        out.put_escaped(&self.place, ESCAPES);
        seq_printf!(out, " {} {}", self.kind, self.access());
        show_mnt_flags(self.flags, out);
        seq_printf!(out, "{} 0 0\n", self.options);
    }

    fn show_mountinfo(&self, out: &mut SeqFile) {
        let (major, minor) = new_decode_dev(self.dev);
        seq_printf!(out, "{} {} {major}:{minor} ", self.id, self.parent);
        out.put_escaped(&self.root, ESCAPES);
        out.put(b" ");
        out.put_escaped(&self.place, ESCAPES);
        seq_printf!(out, " {}", self.access());
        show_mnt_flags(self.flags, out);
        seq_printf!(out, " - {} ", self.kind);
        out.put_escaped(&self.source, ESCAPES);
        seq_printf!(out, " {}{}\n", self.access(), self.options);
    }

    #[doc(alias = "show_vfsstat")]
    fn show_mountstats(&self, out: &mut SeqFile) {
        out.put(b"device ");
        out.put_escaped(&self.source, ESCAPES);
        out.put(b" mounted on ");
        out.put_escaped(&self.place, ESCAPES);
        seq_printf!(out, " with fstype {} \n", self.kind);
    }
}

/// The way from the file system's own root to what is seen at the mount.
fn path_inside(mount: &Arc<Mount>) -> Vec<u8> {
    let mut names = Vec::new();
    let mut at = mount.root.clone();
    while let (name, Some(parent)) = at.place() {
        names.push(name);
        at = parent;
    }
    if names.is_empty() {
        return b"/".to_vec();
    }
    names.iter().rev().flat_map(|name| [b"/", &name[..]].concat()).collect()
}

fn show_mnt_flags(flags: MsFlags, out: &mut SeqFile) {
    let names = [
        (MsFlags::MS_NOSUID, ",nosuid"),
        (MsFlags::MS_NODEV, ",nodev"),
        (MsFlags::MS_NOEXEC, ",noexec"),
        (MsFlags::MS_NOATIME, ",noatime"),
        (MsFlags::MS_NODIRATIME, ",nodiratime"),
        (MsFlags::MS_NOSYMFOLLOW, ",nosymfollow"),
    ];
    for (_, name) in names.iter().filter(|(flag, _)| flags.contains(*flag)) {
        out.put(name.as_bytes());
    }
    if !flags.intersects(MsFlags::MS_NOATIME | MsFlags::MS_STRICTATIME) {
        out.put(b",relatime");
    }
}

fn each(target: &Target, mut show: impl FnMut(&MountLine)) -> Result<(), Error> {
    // Linux refuses for a task that has left its place in the tree.
    let root = target.fs().ok_or(Errno::EINVAL)?.root();
    kernel().mounts.for_each(|mount| {
        if let Some(line) = MountLine::of(mount, &root) {
            show(&line);
        }
    });
    Ok(())
}

pub fn mounts(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    each(target, |line| line.show_mounts(out))
}

pub fn mountinfo(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    each(target, |line| line.show_mountinfo(out))
}

pub fn mountstats(target: &Target, out: &mut SeqFile) -> Result<(), Error> {
    each(target, |line| line.show_mountstats(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fill: impl FnOnce(&mut SeqFile)) -> String {
        let mut out = SeqFile::new();
        fill(&mut out);
        String::from_utf8(out.into_bytes()).unwrap()
    }

    #[test]
    fn the_three_forms_of_a_mount() {
        let line = MountLine {
            id: 36,
            parent: 27,
            dev: 0x1_0015,
            source: b"my fs".to_vec(),
            root: b"/".to_vec(),
            place: b"/mnt/a b".to_vec(),
            kind: "tmpfs",
            flags: MsFlags::MS_RDONLY | MsFlags::MS_NODEV,
            options: ",size=4k".into(),
        };
        assert_eq!(text(|out| line.show_mounts(out)), "my\\040fs /mnt/a\\040b tmpfs ro,nodev,relatime,size=4k 0 0\n");
        assert_eq!(
            text(|out| line.show_mountinfo(out)),
            "36 27 256:21 / /mnt/a\\040b ro,nodev,relatime - tmpfs my\\040fs ro,size=4k\n"
        );
        assert_eq!(text(|out| line.show_mountstats(out)), "device my\\040fs mounted on /mnt/a\\040b with fstype tmpfs \n");
    }
}
