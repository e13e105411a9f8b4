//! Compiles the guest: one dynamic C program from guest/ and every file under workloads/.
//!
//! It is linked as a program, not as a library, so `cc` only finds the compiler and its flags.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() {
    let mut sources = Vec::new();
    for folder in ["guest", "workloads"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut sources).expect("the sources of the guest can be listed");
    }
    println!("cargo::rerun-if-changed=programs");
    sources.sort();

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    // Optimised in every profile: a slow guest would hide what the kernels cost.
    let compiler = cc::Build::new().opt_level(2).debug(false).warnings(false).get_compiler();
    let status = compiler
        .to_command()
        .args(["-std=gnu17", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Iguest", "-pthread"])
        .args(&sources)
        .arg("-o")
        .arg(out.join("guest"))
        .arg("-lrt")
        .status()
        .expect("the C compiler runs");
    assert!(status.success(), "compiling the guest of the benchmark failed: {status}");

    // Counts of instructions are pinned for one compiler.
    let version = Command::new(env::var_os("RUSTC").expect("cargo sets RUSTC")).arg("-V").output().expect("rustc runs").stdout;
    println!("cargo::rustc-env=ACRIDA_RUSTC={}", String::from_utf8_lossy(&version).trim());
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "c") {
            sources.push(path);
        }
    }
    Ok(())
}
