//! The files that a world is made of, and where they come from on systems that restrict memory objects.
//!
//! Each has a first choice and a fall-back; what was fallen back to is put into `notes`, in words for the user.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use rustix::fs::{CWD, MemfdFlags, Mode, OFlags, ftruncate, memfd_create, openat};
use rustix::io::Errno;

use crate::image::IMAGE;

/// Linux before this lacks calls that the kernel makes (`faccessat2` is the youngest).
const OLDEST: (u32, u32) = (5, 8);

/// Fails when the host is too old, in words.
pub fn check_host() -> Result<()> {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    if too_old(&release) {
        bail!("this is Linux {release}; acrida needs {}.{} or newer", OLDEST.0, OLDEST.1);
    }
    Ok(())
}

fn too_old(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST
}

/// Shared memory of `size` bytes that survives an exec.
pub fn shared(name: &str, size: u64, notes: &mut Vec<String>) -> Result<File> {
    // A system that forbids executable memory objects (vm.memfd_noexec) wants to hear that this is none.
    let created = memfd_create(name, MemfdFlags::empty()).or_else(|error| match error {
        Errno::ACCESS => memfd_create(name, MemfdFlags::NOEXEC_SEAL),
        error => Err(error),
    });
    let fd = match created {
        Ok(fd) => fd,
        Err(error) => {
            let (fd, directory) =
                nameless_file().with_context(|| format!("cannot create shared memory for the {name} ({error})"))?;
            notes.push(format!("this system refuses memory objects ({error}); the {name} is a file in {}", directory.display()));
            fd
        }
    };
    ftruncate(&fd, size).with_context(|| format!("cannot size the {name} (is `ulimit -f` set?)"))?;
    Ok(File::from(fd))
}

/// A file without a name, best in memory.
fn nameless_file() -> Result<(OwnedFd, PathBuf)> {
    let mut refusal = Errno::NOENT;
    for directory in [&[PathBuf::from("/dev/shm")][..], &directories()].concat() {
        match openat(CWD, &directory, OFlags::TMPFILE | OFlags::RDWR, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => return Ok((fd, directory)),
            Err(error) => refusal = error,
        }
    }
    Err(refusal.into())
}

/// Where temporary files may be made.
fn directories() -> Vec<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let fixed = ["/tmp", "/var/tmp", "/dev/shm", "."].map(PathBuf::from);
    [named("XDG_RUNTIME_DIR"), named("TMPDIR")].into_iter().flatten().chain(fixed).collect()
}

/// Starts the kernel image with `arg`: from a memory object, else from a file that is gone afterwards.
pub fn start_image(arg: &str, notes: &mut Vec<String>) -> Result<Child> {
    let without_memory = match from_memory(arg) {
        Ok(child) => return Ok(child),
        Err(error) => error,
    };
    for directory in directories() {
        if let Ok(child) = from_file(&directory, arg) {
            let why = match Path::new("/proc/self/fd").exists() {
                true => format!("this system does not execute memory objects ({without_memory})"),
                false => "/proc is not mounted here".to_string(),
            };
            notes.push(format!("{why}; the kernel was started from a file in {}", directory.display()));
            return Ok(child);
        }
    }
    Err(without_memory).context(
        "cannot start the kernel image: the system does not execute memory objects, and no directory for temporary files \
         allows to execute one (set TMPDIR)",
    )
}

fn from_memory(arg: &str) -> Result<Child> {
    let executable = MemfdFlags::CLOEXEC | MemfdFlags::EXEC;
    // Before Linux 6.3 every memory object is executable and the flag unknown.
    let fd = memfd_create("acrida-image", executable).or_else(|error| match error {
        Errno::INVAL => memfd_create("acrida-image", MemfdFlags::CLOEXEC),
        error => Err(error),
    })?;
    let mut image = File::from(fd);
    image.write_all(IMAGE)?;
    Ok(kernel(Path::new(&format!("/proc/self/fd/{}", image.as_raw_fd())), arg).spawn()?)
}

fn from_file(directory: &Path, arg: &str) -> Result<Child> {
    let path = directory.join(format!(".acrida-kernel-{}", std::process::id()));
    let mut file = File::options().write(true).create_new(true).mode(0o700).open(&path)?;
    let started = file
        .write_all(IMAGE)
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o700)))
        // A file that is open for writing is not executed.
        .map(|()| drop(file))
        .and_then(|()| kernel(&path, arg).spawn());
    fs::remove_file(&path)?;
    Ok(started?)
}

/// The command that runs an image with `arg`.
pub fn kernel(image: &Path, arg: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(image);
    command.arg0("acrida-kernel").arg(arg).env_clear();
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        for old in ["2.6.60", "4.19.0-27-amd64", "5.4.0", "5.7", "4", "strange"] {
            assert!(too_old(old), "{old}");
        }
        for new in ["5.8.0", "5.10.0-rc1", "6.1.0-13-amd64", "10.0"] {
            assert!(!too_old(new), "{new}");
        }
    }
}
