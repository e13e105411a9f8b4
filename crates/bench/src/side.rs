//! Where a guest runs: natively, under acrida, or under a peer. A side is a way to wrap a command line.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;

use crate::guest::Guest;

/// Another way to run Linux programs on a kernel in user space, to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Peer {
    /// gVisor with its ptrace platform (Debian's package runsc)
    Runsc,
    /// User-mode Linux with the host's files (Debian's package user-mode-linux)
    Uml,
}

impl Peer {
    /// As in the table and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Runsc => "runsc",
            Self::Uml => "uml",
        }
    }
}

/// One of the parties that are measured.
#[derive(Clone, Debug)]
pub struct Side {
    pub name: &'static str,
    wrapping: Wrapping,
}

#[derive(Clone, Debug)]
enum Wrapping {
    /// The command line stands behind these words.
    Prefix(Vec<OsString>),
    /// The command line is what a machine runs as its only job after its start.
    Machine(OsString),
}

impl Side {
    /// The host's own kernel.
    pub fn native() -> Self {
        Self { name: "native", wrapping: Wrapping::Prefix(Vec::new()) }
    }

    /// The given words in front: `acrida run --`.
    pub fn acrida(prefix: Vec<OsString>) -> Self {
        Self { name: "acrida", wrapping: Wrapping::Prefix(prefix) }
    }

    /// A peer, or the reason why it cannot be compared with here.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn peer(peer: Peer) -> Result<Self, String> {
        match peer {
            Peer::Runsc => {
                installed("runsc", "runsc")?;
                let words = ["runsc", "-platform=ptrace", "-network=none", "-ignore-cgroups", "do"];
                Ok(Self { name: peer.name(), wrapping: Wrapping::Prefix(words.map(OsString::from).to_vec()) })
            }
            Peer::Uml => {
                installed("linux.uml", "user-mode-linux")?;
                Ok(Self { name: peer.name(), wrapping: Wrapping::Machine("linux.uml".into()) })
            }
        }
    }

    /// The command line that runs `words` on this side.
    ///
    /// # Errors
    /// When a file that the side needs cannot be written.
    pub fn command(&self, words: &[OsString], guest: &Guest) -> anyhow::Result<Vec<OsString>> {
        match &self.wrapping {
            Wrapping::Prefix(prefix) => Ok(prefix.iter().chain(words).cloned().collect()),
            Wrapping::Machine(program) => machine(program, words, guest.directory()),
        }
    }
}

/// User-mode Linux boots with the host's root read-only and a script of ours as its first process.
fn machine(program: &OsStr, words: &[OsString], directory: &Path) -> anyhow::Result<Vec<OsString>> {
    let init = directory.join("init");
    let job: Vec<String> = words.iter().map(|word| quoted(&word.to_string_lossy())).collect();
    let script = format!(
        "#!/bin/sh\nmount -t proc proc /proc\nmkdir -p /dev/shm\nmount -t tmpfs tmpfs /dev/shm\nmount -t tmpfs tmpfs /tmp\nmount -t tmpfs tmpfs /run\n\
         {}\necho o > /proc/sysrq-trigger\nwhile :; do sleep 1; done\n",
        job.join(" ")
    );
    fs::write(&init, script)
        .and_then(|()| fs::set_permissions(&init, Permissions::from_mode(0o755)))
        .context("writing the first process of the machine")?;
    let mut boot = vec![program.to_owned()];
    boot.extend(
        ["mem=1G", "root=/dev/root", "rootfstype=hostfs", "rw", "quiet", "con=null", "con0=fd:0,fd:1"].map(OsString::from),
    );
    for (name, path) in [("init=", init.as_path()), ("uml_dir=", directory)] {
        let mut word = OsString::from(name);
        word.push(path);
        boot.push(word);
    }
    Ok(boot)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// # Errors
/// When no such command is found; the text names the package that brings it.
pub fn installed(command: &str, package: &str) -> Result<(), String> {
    // Left to the shell for its PATH and because `command` may be a pattern.
    let found = std::process::Command::new("sh")
        .args(["-c", &format!("command -v {command} > /dev/null")])
        .status()
        .is_ok_and(|status| status.success());
    if found { Ok(()) } else { Err(format!("{command} is not installed (Debian's package {package})")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_in_front() {
        let guest = Guest::unpack().unwrap();
        let side = Side::acrida(vec!["acrida".into(), "run".into(), "--".into()]);
        let words = side.command(&["guest".into(), "getppid".into()], &guest).unwrap();
        assert_eq!(words, ["acrida", "run", "--", "guest", "getppid"]);
    }

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        assert_eq!(installed("sh", "dash"), Ok(()));
        let reason = installed("no-such-program", "no-such-package").unwrap_err();
        assert!(reason.contains("no-such-program") && reason.contains("no-such-package"));
    }

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
