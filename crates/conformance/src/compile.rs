//! Guests are compiled with the host's C compiler, once per content.
//!
//! The name of a program carries a hash of everything that went into it, so a program that exists is up to date; and it
//! is renamed into place, so two harnesses may share the directory.

use crate::catalogue::Guest;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    (FLAGS, &compiler, fs::read(&guest.source)?).hash(&mut hasher);
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
    Ok(program)
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
