//! Prints how the system-call sites of files can be patched: `cargo run --release -p acrida-loader --example sites -- FILE...`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use acrida_loader::patch::{Method, SYSCALL, Site, TextFile, analyse};

/// The row of a site in the table.
fn row(site: &Site, bytes: &[u8]) -> String {
    match site.method {
        Method::Instruction { start, len } if start + u32::from(len) == site.at => {
            let moves_immediate = matches!(bytes[start as usize], 0xb8 | 0x48);
            String::from(if moves_immediate { "instruction before: mov" } else { "instruction before: other" })
        }
        Method::Instruction { .. } => "instruction farther up".into(),
        Method::Padding { .. } => "padding".into(),
        Method::Trap(why) => format!("trap: {why:?}"),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let file = std::fs::read(&path)?;
        let Some(object) = TextFile::read(&file.as_slice())? else {
            println!("{path}: no single text that stays as it is");
            continue;
        };
        let text = object.text();
        let mut sites = Vec::new();
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let start = Instant::now();
            sites = analyse(&text);
            best = best.min(start.elapsed());
        }
        let pairs = text.bytes.windows(2).filter(|pair| **pair == SYSCALL).count();
        println!("{path}: {} sites ({pairs} byte pairs) in {} KiB, {best:?}", sites.len(), text.bytes.len() / 1024);
        let mut rows: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for site in &sites {
            rows.entry(row(site, text.bytes)).or_default().push(text.vaddr + u64::from(site.at));
        }
        for (row, at) in rows {
            let first: Vec<String> = at.iter().take(8).map(|at| format!("{at:x}")).collect();
            println!("  {:5}  {row}  {}", at.len(), first.join(" "));
        }
    }
    Ok(())
}
