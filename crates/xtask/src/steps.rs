//! The steps of a full test run; each is a command anybody can type.
//!
//! They come in stages, one after the other. The steps of a stage run beside each other: one that has one long file to compile
//! beside one that has many, one that mostly waits beside one that computes. The first of a stage says at once what it has to
//! say, the others when they have ended.

use anyhow::{Result, bail};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The workspace's.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// One step.
struct Step {
    name: &'static str,
    /// As a shell reads it, in the workspace's root.
    command: &'static str,
    /// Whether it uses what `packages` installs.
    uses_packages: bool,
}

const fn step(name: &'static str, command: &'static str) -> Step {
    Step { name, command, uses_packages: true }
}

/// One that needs Rust and a C compiler only.
const fn plain(name: &'static str, command: &'static str) -> Step {
    Step { name, command, uses_packages: false }
}

/// A step that takes longer hangs.
const STEP_LIMIT: &str = "3600";
const SOAK_LIMIT: &str = "14400";

/// Conformance has the debug build, whose kernel checks itself, all else the one that users have.
const STAGES: &[&[Step]] = &[
    &[plain("format", "cargo fmt --all --check")],
    &[
        step(
            "unit",
            "cargo test --quiet --workspace --exclude acrida-image --exclude acrida-conformance --exclude acrida-programs",
        ),
        plain("build", "cargo build --release --package acrida"),
        // Those of sleeping, waking and epoll are among the unit tests; these need the crate built for loom.
        plain(
            "loom",
            "RUSTFLAGS='--cfg loom' cargo test --quiet --release --package acrida-klib --test loom --target-dir target/loom",
        ),
    ],
    // What grows here costs every user; what the counts are pinned to is in crates/bench/instructions.toml.
    &[step("instructions", "cargo run --quiet --release --package acrida -- bench --instructions --check")],
    &[step("conformance", "cargo test --quiet --package acrida-conformance")],
    &[step(
        "seccomp",
        "ACRIDA_OPTIONS=--seccomp cargo test --quiet --package acrida-conformance --test conformance -- registers/",
    )],
    &[
        step("programs", "ACRIDA_PROFILE=release cargo test --quiet --package acrida-programs --lib --test programs"),
        step(
            "robust",
            "ACRIDA_PROFILE=release ACRIDA_EPOLL_SECONDS=120 cargo test --quiet --package acrida-programs --test robust",
        ),
    ],
    // Its table is the run's output. Times on CI's machines decide nothing, a workload that fails does.
    &[step("bench", "cargo run --quiet --release --package acrida -- bench --quick --pairs 2 --json=target/bench.json")],
];

/// Half an hour, for a machine that has nothing else to do.
const SOAKS: &[&[Step]] = &[
    &[step("soak", "ACRIDA_PROFILE=release ACRIDA_SOAK=1 cargo test --quiet --package acrida-programs --test robust")],
    &[step("soak-programs", "ACRIDA_PROFILE=release cargo test --quiet --package acrida-programs --test programs -- --ignored")],
];

pub fn run(only: Option<&str>, soak: bool) -> Result<()> {
    let is_chosen = |step: &&Step| only.is_none_or(|only| step.name.contains(only));
    let stages: Vec<Vec<&Step>> =
        STAGES.iter().chain(if soak { SOAKS } else { &[] }).map(|stage| stage.iter().filter(is_chosen).collect()).collect();
    if stages.iter().all(Vec::is_empty) {
        bail!("no step is called so; the steps are {}", names(STAGES.iter().chain(SOAKS)));
    }
    if stages.iter().flatten().any(|step| step.uses_packages) {
        ensure_visible()?;
        crate::packages::ensure()?;
    }
    let begun = Instant::now();
    let mut failed = Vec::new();
    let mut passed = 0;
    for stage in &stages {
        for (step, ok) in side_by_side(stage) {
            if ok { passed += 1 } else { failed.push(step.name) }
        }
    }
    println!("steps: {passed} passed, {} failed, after {:.0} s", failed.len(), begun.elapsed().as_secs_f64());
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Where cargo was told to build.
fn target_dir() -> Option<PathBuf> {
    std::path::absolute(std::env::var_os("CARGO_TARGET_DIR")?).ok()
}

/// Guests' programs and directories lie in the workspace, so worlds must see it.
fn ensure_visible() -> Result<()> {
    for place in [Some(PathBuf::from(ROOT)), target_dir()].into_iter().flatten() {
        let Ok(place) = place.canonicalize() else { continue };
        if let Some(own) = ["/tmp", "/run", "/dev/shm"].iter().find(|own| place.starts_with(own)) {
            bail!(
                "{} cannot be seen by the worlds that are tested, whose {own} is their own; move it elsewhere",
                place.display()
            );
        }
    }
    Ok(())
}

fn names<'a>(stages: impl Iterator<Item = &'a &'a [Step]>) -> String {
    stages.flat_map(|stage| stage.iter()).map(|step| step.name).collect::<Vec<_>>().join(", ")
}

/// Runs the steps of a stage; which of them passed.
fn side_by_side<'a>(steps: &[&'a Step]) -> Vec<(&'a Step, bool)> {
    let Some((&first, others)) = steps.split_first() else { return Vec::new() };
    thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|&step| (step, scope.spawn(|| step.run_quietly()))).collect();
        let mut results = vec![(first, first.run())];
        for (step, quiet) in others {
            let (output, took) = quiet.join().expect("a step's thread does not panic");
            results.push((step, step.show(output, took)));
        }
        results
    })
}

impl Step {
    fn run(&self) -> bool {
        println!("==> {}: {}", self.name, self.command);
        let start = Instant::now();
        self.verdict(self.shell("").status().ok(), start.elapsed())
    }

    /// The shell that runs it, after `first`. Tests give others (PostgreSQL's user) what they make; a caller's umask may not.
    fn shell(&self, first: &str) -> Command {
        let mut command = Command::new("timeout");
        let limit = if self.name.starts_with("soak") { SOAK_LIMIT } else { STEP_LIMIT };
        // In the foreground: a Ctrl-C at the terminal reaches it.
        command.args(["--foreground", "-k", "10", limit, "sh", "-c"]);
        command.arg(format!("{first}umask 022\n{}", self.command)).current_dir(ROOT);
        // Relative to where the command was typed, for cargo as for us.
        if let Some(target) = target_dir() {
            command.env("CARGO_TARGET_DIR", target);
        }
        command
    }

    fn run_quietly(&self) -> (Option<Output>, Duration) {
        let start = Instant::now();
        // One stream: what was said stays in order.
        let output = self.shell("exec 2>&1\n").stdin(Stdio::null()).output();
        (output.ok(), start.elapsed())
    }

    /// What it said, then what became of it.
    fn show(&self, output: Option<Output>, took: Duration) -> bool {
        println!("==> {}: {}", self.name, self.command);
        if let Some(output) = &output {
            // Who has closed our output wants none of it.
            let _ = std::io::stdout().write_all(&output.stdout);
        }
        self.verdict(output.map(|output| output.status), took)
    }

    fn verdict(&self, ended: Option<ExitStatus>, took: Duration) -> bool {
        let ok = ended.is_some_and(|status| status.success());
        println!("==> {}: {} after {:.0} s", self.name, if ok { "passed" } else { "FAILED" }, took.as_secs_f64());
        ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_a_stage_has_its_verdict() {
        let steps = [step("first", "true"), step("second", "echo said by the second; false"), step("third", "true")];
        let results = side_by_side(&steps.each_ref());
        let verdicts: Vec<_> = results.iter().map(|(step, ok)| (step.name, *ok)).collect();
        assert_eq!(verdicts, [("first", true), ("second", false), ("third", true)]);
        assert!(side_by_side(&[]).is_empty());
    }

    #[test]
    fn a_step_that_does_not_exist_is_no_success() {
        let error = run(Some("nonsense"), false).unwrap_err().to_string();
        assert!(error.contains("conformance") && error.contains("soak"), "{error}");
    }

    #[test]
    fn steps_of_a_stage_run_beside_each_other() {
        // Each waits for the other; `timeout` is the bound if nobody comes.
        let directory = std::env::temp_dir().join(format!("acrida-xtask-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let fifo = directory.join("fifo");
        let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let command = |text: String| -> &'static str { text.leak() };
        let steps = [
            step("reader", command(format!("timeout 60 cat {}", fifo.display()))),
            step("writer", command(format!("timeout 60 sh -c 'echo met > {}'", fifo.display()))),
        ];
        let met = side_by_side(&steps.each_ref()).iter().all(|(_, ok)| *ok);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(met);
    }
}
