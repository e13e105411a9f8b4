//! The steps of a full test run, in order; each is a command anybody can type.

use anyhow::{Result, bail};
use std::process::Command;
use std::time::Instant;

/// One step.
struct Step {
    name: &'static str,
    command: &'static [&'static str],
    soak: bool,
}

const fn step(name: &'static str, command: &'static [&'static str]) -> Step {
    Step { name, command, soak: false }
}

const STEPS: &[Step] = &[
    step("build", &["cargo", "build", "--release", "--package", "acrida"]),
    // What grows here costs every user; what the counts are pinned to is in crates/bench/instructions.toml.
    step(
        "instructions",
        &["cargo", "run", "--quiet", "--release", "--package", "acrida", "--", "bench", "--instructions", "--check"],
    ),
    step(
        "unit",
        &[
            "cargo",
            "test",
            "--quiet",
            "--workspace",
            "--exclude",
            "acrida-image",
            "--exclude",
            "acrida-conformance",
            "--exclude",
            "acrida-programs",
        ],
    ),
    step("conformance", &["cargo", "test", "--quiet", "--package", "acrida-conformance"]),
    step(
        "seccomp",
        &[
            "env",
            "ACRIDA_OPTIONS=--seccomp",
            "cargo",
            "test",
            "--quiet",
            "--package",
            "acrida-conformance",
            "--test",
            "conformance",
            "--",
            "registers/",
        ],
    ),
    step(
        "robust",
        &["env", "ACRIDA_EPOLL_SECONDS=120", "cargo", "test", "--quiet", "--package", "acrida-programs", "--test", "robust"],
    ),
    step("programs", &["cargo", "test", "--quiet", "--package", "acrida-programs", "--lib", "--test", "programs"]),
    // Its table is the run's output. Times on CI's machines decide nothing, a workload that fails does.
    step(
        "bench",
        &["cargo", "run", "--quiet", "--release", "--package", "acrida", "--", "bench", "--quick", "--json=target/bench.json"],
    ),
];

pub fn run(only: Option<&str>, soak: bool) -> Result<()> {
    crate::packages::ensure()?;
    let chosen = STEPS.iter().filter(|s| only.is_none_or(|o| s.name.contains(o)) && (soak || !s.soak));
    let mut failed = Vec::new();
    let mut passed = 0;
    for step in chosen {
        println!("==> {}: {}", step.name, step.command.join(" "));
        let start = Instant::now();
        let ok = Command::new(step.command[0]).args(&step.command[1..]).status().is_ok_and(|s| s.success());
        println!("==> {}: {} after {:.0} s", step.name, if ok { "passed" } else { "FAILED" }, start.elapsed().as_secs_f64());
        if ok { passed += 1 } else { failed.push(step.name) }
    }
    println!("steps: {passed} passed, {} failed", failed.len());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
