//! The command under test, built from what is in the working tree now.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `ACRIDA_BIN`, or else the workspace's `acrida`, in the test's own profile or in `ACRIDA_PROFILE`.
///
/// No test depends on the command as a crate, so cargo is asked here: a test never runs with yesterday's kernel.
///
/// # Errors
/// When it does not build.
pub fn acrida() -> io::Result<PathBuf> {
    if let Some(path) = env::var_os("ACRIDA_BIN") {
        return Ok(path.into());
    }
    let test = env::current_exe()?;
    let (target, own) = target_and_profile(&test).ok_or_else(|| io::Error::other("this test lies in no target directory"))?;
    let profile = env::var("ACRIDA_PROFILE").unwrap_or_else(|_| own.to_owned());
    // Cargo's name of a profile is that of its directory, but for one.
    let (name, directory) = if ["dev", "debug"].contains(&profile.as_str()) { ("dev", "debug") } else { (&*profile, &*profile) };
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .args(["build", "--quiet", "--package", "acrida", "--profile", name, "--target-dir"])
        .arg(target)
        .status()?;
    if !status.success() {
        return Err(io::Error::other("acrida does not build"));
    }
    Ok(target.join(directory).join("acrida"))
}

/// From TARGET/PROFILE/deps/TEST-HASH.
fn target_and_profile(test: &Path) -> Option<(&Path, &str)> {
    let profile = test.parent()?.parent()?;
    Some((profile.parent()?, profile.file_name()?.to_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_the_tests_own() {
        let test = Path::new("/t/release/deps/programs-0123");
        assert_eq!(target_and_profile(test), Some((Path::new("/t"), "release")));
        assert_eq!(target_and_profile(Path::new("/programs")), None);
    }
}
