//! Real programs: each a file under programs/ with the scripts that prepare, run and end it.
//!
//! The scripts run in the world that is measured; only `provision` runs natively, once, and its files lie
//! on the host's disk. Times are taken inside the world, so that its own start is not counted.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::catalogue::{Case, Kind, Workload};
use crate::figure::Outcome;
use crate::guest::Guest;
use crate::process::{Running, quote};
use crate::side;
use crate::unit::Unit;

const FILES: [&str; 8] = [
    include_str!("../programs/gcc.toml"),
    include_str!("../programs/git.toml"),
    include_str!("../programs/make.toml"),
    include_str!("../programs/pgbench.toml"),
    include_str!("../programs/python.toml"),
    include_str!("../programs/redis.toml"),
    include_str!("../programs/sqlite.toml"),
    include_str!("../programs/tar.toml"),
];

const PROVISION_LIMIT: Duration = Duration::from_secs(120);

/// What a file under programs/ says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    name: String,
    operation: String,
    bound: String,
    target: Option<String>,
    needs: Vec<Need>,
    /// Whether `--quick` runs it.
    #[serde(default)]
    quick: bool,
    /// Runs natively, once, in an empty directory.
    provision: Option<String>,
    /// Runs in the world before everything.
    before: Option<String>,
    /// Runs in the world before each timed run.
    ready: Option<String>,
    /// What is timed.
    run: String,
    /// Runs in the world at its end.
    after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Need {
    command: String,
    package: String,
}

/// A program that can be measured.
#[derive(Debug)]
pub struct Program {
    described: Described,
    provisioned: OnceCell<Result<PathBuf, Outcome>>,
}

/// All programs, as cases.
///
/// # Errors
/// When a file under programs/ is wrong.
pub fn cases() -> anyhow::Result<Vec<Case>> {
    FILES.iter().map(|text| case(text)).collect()
}

fn case(text: &str) -> anyhow::Result<Case> {
    let described: Described = toml::from_str(text).context("a file under programs/")?;
    let target = described.target.as_deref().map(str::parse).transpose()?;
    let thorough = !described.quick;
    let workload = Workload {
        name: described.name.clone(),
        group: "programs".to_owned(),
        operation: described.operation.clone(),
        bound: described.bound.clone(),
        axis: None,
        unit: Unit::Nanoseconds,
        kind: Kind::Program(Box::new(Program { described, provisioned: OnceCell::new() })),
    };
    Ok(Case { workload: Rc::new(workload), arguments: String::new(), target, two_cpus: true, thorough })
}

impl Program {
    /// The guest's arguments for a run. What is missing on this machine, or goes wrong here, is an outcome.
    ///
    /// # Errors
    /// The outcome, when there is nothing to run.
    pub fn prepare(&self, guest: &Guest) -> Result<Vec<OsString>, Outcome> {
        let directory = self.provisioned.get_or_init(|| self.provision(guest)).clone()?;
        let mut words = vec![OsString::from("script"), format!("directory={}", directory.display()).into()];
        words.extend(self.scripts().iter().map(|(name, _)| format!("{name}={name}.sh").into()));
        Ok(words)
    }

    /// The scripts that run in the world, by the guest's name for them.
    fn scripts(&self) -> Vec<(&'static str, &str)> {
        let described = &self.described;
        let optional = [("before", &described.before), ("ready", &described.ready), ("after", &described.after)];
        let given = optional.into_iter().filter_map(|(name, script)| Some((name, script.as_deref()?)));
        given.chain([("run", described.run.as_str())]).collect()
    }

    fn provision(&self, guest: &Guest) -> Result<PathBuf, Outcome> {
        for need in &self.described.needs {
            side::installed(&need.command, &need.package).map_err(Outcome::Skipped)?;
        }
        let directory = guest.directory().join(&self.described.name);
        self.write(&directory).map_err(|error| Outcome::Failed(format!("{error:#}")))?;
        Ok(directory)
    }

    fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::create_dir(directory).context("making the program's directory")?;
        if let Some(script) = &self.described.provision {
            // As the guest does it: in the directory, and ended by the first error.
            let script = format!("set -e\ncd '{}'\n{script}", directory.display());
            let finished = Running::run(&["sh".into(), "-c".into(), script.into()], PROVISION_LIMIT)?;
            if !finished.status.success() {
                bail!("its preparation ended with {}{}", finished.status, quote(&finished.errors));
            }
        }
        for (name, script) in self.scripts() {
            fs::write(directory.join(format!("{name}.sh")), script).context("writing a script")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_is_in_the_list() {
        assert_eq!(cases().unwrap().len(), FILES.len());
        let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("programs")).unwrap();
        assert_eq!(files.count(), FILES.len(), "a file under programs/ is not in FILES, or the reverse");
    }

    #[test]
    fn what_is_missing_is_skipped_and_what_goes_wrong_fails() {
        let guest = Guest::unpack().unwrap();
        let prepare = |text: &str| match &case(text).unwrap().workload.kind {
            Kind::Program(program) => program.prepare(&guest),
            _ => unreachable!(),
        };
        let missing = "name = 'a'\noperation = ''\nbound = ''\nneeds = [{ command = 'no-such', package = 'p' }]\nrun = ':'";
        assert!(matches!(prepare(missing), Err(Outcome::Skipped(_))));
        let wrong = "name = 'b'\noperation = ''\nbound = ''\nneeds = []\nprovision = 'false'\nrun = ':'";
        assert!(matches!(prepare(wrong), Err(Outcome::Failed(_))));
        let right = "name = 'c'\noperation = ''\nbound = ''\nneeds = []\nprovision = 'touch file'\nrun = ':'";
        assert_eq!(prepare(right).unwrap().len(), 3);
        assert!(guest.directory().join("c/file").exists());
    }
}
