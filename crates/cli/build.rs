//! Builds the kernel image with a cargo of its own and hands its path to `include_bytes!`.
//!
//! The image has other link options than the command, so it cannot be an ordinary dependency. Its target directory lies
//! under OUT_DIR: the two cargos never wait for each other's lock.

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let manifest = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = manifest.join("../..");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    for name in ["image", "platform-linux", "kernel", "kcore", "klib", "uapi", "loader", "trace-format"] {
        println!("cargo:rerun-if-changed={}", root.join("crates").join(name).display());
    }
    // Profiles and features of dependencies stand in the workspace's manifest.
    for name in ["Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", root.join(name).display());
    }
    let profile = env::var("PROFILE").expect("cargo sets it");
    let image = build_image(&root, &out.join("image"), &profile);
    println!("cargo:rustc-env=ACRIDA_IMAGE={}", image.display());
    println!("cargo:rustc-env=ACRIDA_IMAGE_ID={:016x}", fingerprint(&image));
}

/// Tells one build of the image from another.
fn fingerprint(image: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::fs::read(image).expect("the image was built").hash(&mut hasher);
    hasher.finish()
}

fn build_image(root: &Path, target: &Path, profile: &str) -> PathBuf {
    let mut cargo = Command::new(env::var("CARGO").expect("cargo sets it"));
    for (name, _) in env::vars() {
        // What is meant for the command's own compilation must not reach the image's.
        let foreign = name.starts_with("CARGO_CFG_") || name.starts_with("CARGO_FEATURE_") || name.starts_with("CARGO_PKG_");
        let wrapper = name.starts_with("RUSTC") || name.starts_with("RUSTFLAGS") || name == "RUSTDOC";
        let cargo_own = [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
            "CARGO_MAKEFLAGS",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
        ]
        .contains(&name.as_str());
        if foreign || wrapper || cargo_own || name == "TARGET" || name == "HOST" || name == "PROFILE" {
            cargo.env_remove(&name);
        }
    }
    cargo
        .current_dir(root)
        .arg("build")
        .args(["--package", "acrida-image", "--bin", "acrida-image"])
        .args(["--target-dir".as_ref(), target.as_os_str()])
        // Frame pointers: a kernel back trace walks them. No AVX in the image: guests' upper halves stay untouched.
        .env("RUSTFLAGS", "-Crelocation-model=pic -Cforce-frame-pointers=yes -Ctarget-cpu=x86-64 -Cforce-unwind-tables=no");
    if profile == "release" {
        cargo.arg("--release").env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
        // Symbols stay for back traces; line tables would quadruple what every world writes at its start.
        cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    }
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "the kernel image does not build");
    target.join(profile).join("acrida-image")
}
