//! How commands find the worlds of their user: one small file each, in a directory that only the user can read.
//!
//! The file is locked (`flock`) by the command that made the world, so one that can be locked is stale. It goes away
//! with the world: the kernel process removes it when it ends, also after a `kill -9` of the command; what both left
//! behind is removed by the next command that looks. Questions go to an abstract socket, which leaves nothing.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

use crate::directories::{self, user};

/// A world's entry, held by the command that made it.
pub struct Registered {
    path: PathBuf,
    _lock: File,
    listener: UnixListener,
}

/// A world that another command made.
pub struct Found {
    /// Host process of the command.
    pub supervisor: u32,
    pub command_line: String,
}

fn address(supervisor: u32) -> Result<SocketAddr> {
    Ok(SocketAddr::from_abstract_name(format!("acrida-{}-{supervisor}", user()))?)
}

/// Where this process's world will be entered. The kernel process is told before it starts, and the entry is made
/// afterwards: whoever is killed in between has left nothing, or somebody who removes it.
pub fn place() -> Option<PathBuf> {
    Some(directories::worlds()?.join(std::process::id().to_string()))
}

impl Registered {
    /// Enters this process's world at its [`place`]. A world that cannot be found is no failure of the program that runs
    /// in it.
    pub fn new(path: PathBuf, program: &[OsString]) -> Option<Registered> {
        let pid = std::process::id();
        let listener = UnixListener::bind_addr(&address(pid).ok()?).ok()?;
        // Under another name until it is locked: nobody must find it unlocked.
        let hidden = path.with_file_name(format!(".new-{pid}"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&hidden).ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        let words: Vec<_> = program.iter().map(|word| word.to_string_lossy()).collect();
        file.write_all(words.join(" ").as_bytes()).ok()?;
        std::fs::rename(&hidden, &path).ok()?;
        Some(Registered { path, _lock: file, listener })
    }

    pub fn listener(&self) -> Option<UnixListener> {
        self.listener.try_clone().ok()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        // The kernel process was first, as a rule.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The user's worlds, oldest command first; entries that nobody holds any more are removed on the way.
pub fn list() -> Vec<Found> {
    let Some(dir) = directories::worlds() else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(&dir) else { return Vec::new() };
    let mut worlds: Vec<Found> = entries.flatten().filter_map(|entry| look(&entry.path())).collect();
    worlds.sort_by_key(|world| world.supervisor);
    worlds
}

fn look(path: &Path) -> Option<Found> {
    let name = path.file_name()?.to_str()?;
    if let Some(maker) = name.strip_prefix(".new-") {
        // Not locked for a moment: it is nobody's only when its maker is gone.
        if !Path::new("/proc").join(maker).exists() {
            let _ = std::fs::remove_file(path);
        }
        return None;
    }
    let supervisor = name.parse().ok()?;
    let mut file = File::open(path).ok()?;
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        let _ = std::fs::remove_file(path);
        return None;
    }
    let mut command_line = String::new();
    file.read_to_string(&mut command_line).ok()?;
    Some(Found { supervisor, command_line })
}

/// Whether the process at the other end is the user's own (or root's).
pub fn is_own_peer(stream: &UnixStream) -> bool {
    let peer = rustix::net::sockopt::socket_peercred(stream);
    peer.is_ok_and(|peer| peer.uid.as_raw() == user() || peer.uid.is_root())
}

impl Found {
    /// Asks the world's command: one line there, text back; nothing from a world that has just ended.
    ///
    /// # Errors
    /// It does not answer within 10 seconds, or somebody else does.
    pub fn ask(&self, question: &str) -> Result<Option<String>> {
        let mut stream = match UnixStream::connect_addr(&address(self.supervisor)?) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Ok(None),
            connected => connected.context("the world does not answer")?,
        };
        if !is_own_peer(&stream) {
            bail!("the world's socket belongs to another user");
        }
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
        stream.write_all(question.as_bytes())?;
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).context("the world does not answer")?;
        Ok(Some(answer))
    }
}
