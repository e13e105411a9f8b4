//! Guests are compiled with the host's C compiler, once per content.
//!
//! The name of a program carries a hash of everything that went into it, so a program that exists is up to date; and it
//! is renamed into place, so two harnesses may share the directory.

use crate::catalogue::Guest;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Guests pass wrong arguments on purpose; a second line of warnings about that would hide the real ones.
const FLAGS: &[&str] = &[
    "-std=gnu17",
    "-O1",
    "-g",
    "-pthread",
    "-D_GNU_SOURCE",
    "-D_FILE_OFFSET_BITS=64",
    "-Wall",
    "-Wextra",
    "-Wno-nonnull",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
    "-Wno-unused-result",
];

/// Compiles `guest` into `directory` unless that was done before; returns the program.
pub fn compile(guest: &Guest, directory: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut hasher = DefaultHasher::new();
    (FLAGS, &compiler, version(&compiler)?, fs::read(&guest.source)?).hash(&mut hasher);
    let folder = guest.source.parent().unwrap_or(Path::new("."));
    for header in headers(folder)? {
        fs::read(header)?.hash(&mut hasher);
    }
    let program = directory.join(format!("{}-{:016x}", guest.name, hasher.finish()));
    if program.exists() {
        return Ok(program);
    }
    let unfinished = directory.join(format!("{}.{}.tmp", guest.name, std::process::id()));
    let output = Command::new(&compiler).args(FLAGS).arg("-o").arg(&unfinished).arg(&guest.source).output()?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(io::Error::other(format!("{} does not compile:\n{messages}", guest.name)));
    }
    if !messages.is_empty() {
        eprintln!("{messages}");
    }
    fs::rename(&unfinished, &program)?;
    remove_older(guest, &program)?;
    Ok(program)
}

/// What the compiler says it is. An update makes other programs of the same source.
fn version(compiler: &OsStr) -> io::Result<Vec<u8>> {
    static VERSION: OnceLock<Vec<u8>> = OnceLock::new();
    match VERSION.get() {
        Some(version) => Ok(version.clone()),
        None => {
            let version = Command::new(compiler).arg("--version").output()?.stdout;
            Ok(VERSION.get_or_init(|| version).clone())
        }
    }
}

/// Removes what earlier contents of the guest were compiled to.
fn remove_older(guest: &Guest, program: &Path) -> io::Result<()> {
    for entry in fs::read_dir(program.parent().unwrap_or(Path::new(".")))? {
        let path = entry?.path();
        let hash = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_prefix(&*guest.name)?.strip_prefix('-'));
        if path != program && hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())) {
            // Another harness may have removed it.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

fn headers(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut headers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "h") {
            headers.push(path);
        }
    }
    headers.sort();
    Ok(headers)
}
