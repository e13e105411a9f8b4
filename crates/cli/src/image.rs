//! The kernel image that this command carries: the program it starts, and the tables it reads from it.

use std::sync::LazyLock;

use object::{Object, ObjectSection, ObjectSymbol};

/// The kernel as a static ELF program.
pub static IMAGE: &[u8] = include_bytes!(env!("ACRIDA_IMAGE"));

/// Names this build of the image.
pub const ID: &str = env!("ACRIDA_IMAGE_ID");

/// A section's bytes; empty when the image has none of that name.
pub fn section(name: &str) -> &'static [u8] {
    let Ok(file) = object::File::parse(IMAGE) else { return &[] };
    file.section_by_name(name).and_then(|section| section.data().ok()).unwrap_or(&[])
}

/// Functions by address: start, end, name.
static FUNCTIONS: LazyLock<Vec<(u64, u64, String)>> = LazyLock::new(|| {
    let Ok(file) = object::File::parse(IMAGE) else { return Vec::new() };
    let texts = file.symbols().filter(|symbol| symbol.kind() == object::SymbolKind::Text);
    let mut functions: Vec<_> = texts
        .map(|s| (s.address(), s.address() + s.size(), format!("{:#}", rustc_demangle::demangle(s.name().unwrap_or("?")))))
        .collect();
    functions.sort();
    functions
});

/// The kernel function that holds `address`, with the distance from its start.
pub fn function_at(address: u64) -> Option<(&'static str, u64)> {
    let after = FUNCTIONS.partition_point(|&(start, _, _)| start <= address);
    let (start, end, name) = FUNCTIONS[..after].last()?;
    (address < *end).then_some((name.as_str(), address - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_point_has_a_name() {
        let file = object::File::parse(IMAGE).expect("the image is an ELF file");
        let symbol = file.symbols().find(|s| s.name() == Ok("acrida_entry")).expect("a known label");
        assert_eq!(function_at(symbol.address()), Some(("acrida_entry", 0)));
        assert_eq!(function_at(1), None);
    }
}
