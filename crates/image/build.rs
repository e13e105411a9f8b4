//! Links the image without libc at its fixed address.
#[allow(dead_code)]
#[path = "../trace-format/src/layout.rs"]
mod layout;

fn main() {
    let dir = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rerun-if-changed=link.ld");
    for arg in ["-nostdlib", "-nostartfiles", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-z,noexecstack"] {
        println!("cargo:rustc-link-arg-bins={arg}");
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{dir}/link.ld");
    println!("cargo:rerun-if-changed=../trace-format/src/layout.rs");
    let places = [
        ("image_base", layout::IMAGE_BASE),
        ("data_base", layout::ARENA_BASE + layout::DATA_OFFSET),
        ("data_size", layout::DATA_SIZE),
    ];
    for (name, place) in places {
        println!("cargo:rustc-link-arg-bins=-Wl,--defsym={name}={place:#x}");
    }
}
