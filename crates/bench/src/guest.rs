//! The guest program: carried inside this library, unpacked for the time of a run.
//!
//! It lies under /var/tmp, not /tmp: in a world /tmp is a file system of the world's own, and empty.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest"));

const NAME: &str = "guest";
/// How long the program may be busy because of other threads' children.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// The unpacked guest and the directory around it, which goes when this is dropped.
pub struct Guest {
    directory: TempDir,
    list: String,
}

impl Guest {
    /// Writes the guest into a directory of its own.
    ///
    /// # Errors
    /// When nothing can be written under /var/tmp, or the guest does not run natively.
    pub fn unpack() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("acrida-bench-")
            .tempdir_in("/var/tmp")
            .context("making a directory under /var/tmp")?;
        let program = directory.path().join(NAME);
        fs::write(&program, PROGRAM).context("writing the guest program")?;
        // Whatever the caller's umask: a database server that is not the caller's user must get through.
        for path in [directory.path(), &program] {
            fs::set_permissions(path, Permissions::from_mode(0o755))
                .with_context(|| format!("the mode of {}", path.display()))?;
        }
        let list = first_run(&program)?;
        Ok(Self { directory, list })
    }

    /// Where the program lies.
    pub fn program(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    /// Where workloads may put files of the host.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What names of files begin with that guests make outside of the directory, in /dev/shm.
    pub fn label(&self) -> Option<&OsStr> {
        self.directory.path().file_name()
    }

    /// What `guest --list` prints.
    pub fn list(&self) -> &str {
        &self.list
    }
}

/// Runs the program that has just been written. Another thread may have forked in between and its child holds
/// the file open for writing until it executes: the file is busy for that moment.
fn first_run(program: &Path) -> anyhow::Result<String> {
    let end = Instant::now() + BUSY_LIMIT;
    let output = loop {
        match Command::new(program).arg("--list").output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && Instant::now() < end => thread::yield_now(),
            result => break result.context("running the guest natively")?,
        }
    };
    if !output.status.success() {
        bail!("the guest ended with {}", output.status);
    }
    String::from_utf8(output.stdout).context("the guest's list is not text")
}

impl Drop for Guest {
    /// A native guest that was killed has left its directory in /dev/shm; best effort, as all cleaning up.
    fn drop(&mut self) {
        let (Some(label), Ok(entries)) = (self.label(), fs::read_dir("/dev/shm")) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().as_bytes().starts_with(label.as_bytes()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_guest_left_goes_with_the_run() {
        let guest = Guest::unpack().unwrap();
        let left = Path::new("/dev/shm").join(format!("{}-1", guest.label().unwrap().display()));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("file"), "").unwrap();
        let program = guest.program();
        drop(guest);
        assert!(!left.exists() && !program.exists());
    }
}
