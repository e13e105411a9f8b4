//! The lists of cases.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A command line whose output is compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    /// Run by `sh -c`, in an empty directory of its own.
    pub script: String,
    /// Run natively first, in the same directory, for both sides alike.
    #[serde(default)]
    pub prepare: String,
    /// What its output must contain natively: a script that goes on after a failure would otherwise only be shown to fail alike.
    #[serde(default)]
    pub says: Vec<String>,
    /// Seconds.
    #[serde(default = "default_timeout")]
    pub timeout: u64,
    /// Whether the shell itself runs on a new pseudo-terminal (through Python's `pty`).
    #[serde(default)]
    pub pty: bool,
    /// Takes so long that only `--ignored` runs it.
    #[serde(default)]
    pub soak: bool,
    /// The script itself always runs natively and drives the program from outside, as `${RUN}PROGRAM`.
    #[serde(default)]
    pub outside: bool,
}

/// A module of CPython's test suite.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    pub name: String,
    #[serde(default = "default_timeout")]
    pub timeout: u64,
    /// Patterns of the cases to run; none: all.
    #[serde(default)]
    pub matching: Vec<String>,
    /// Takes so long that only `--ignored` runs it.
    #[serde(default)]
    pub soak: bool,
    /// Patterns of cases to leave out.
    #[serde(default)]
    pub ignoring: Vec<String>,
    /// Parts of the names of cases that hold a watch against the machine: one that fails is run again, by itself.
    #[serde(default)]
    pub timed: Vec<String>,
    /// What the module asks for (`-u`).
    pub resources: Option<String>,
    /// Case that fails under acrida, and why.
    #[serde(default)]
    pub known: BTreeMap<String, String>,
}

/// How long a run is waited for whose list says `timeout`: what is ample on a machine to itself, and this often on one that others use too.
#[must_use]
pub fn patience(timeout: u64) -> Duration {
    Duration::from_secs(4 * timeout)
}

fn default_timeout() -> u64 {
    120
}

#[derive(Deserialize)]
struct Programs {
    program: Vec<Program>,
}

#[derive(Deserialize)]
struct Modules {
    module: Vec<Module>,
}

pub fn programs() -> Result<Vec<Program>> {
    let mut list: Programs = toml::from_str(include_str!("../cases/programs.toml")).context("cases/programs.toml")?;
    let servers: Programs = toml::from_str(include_str!("../cases/servers.toml")).context("cases/servers.toml")?;
    list.program.extend(servers.program);
    Ok(list.program)
}

pub fn modules() -> Result<Vec<Module>> {
    let list: Modules = toml::from_str(include_str!("../cases/cpython.toml")).context("cases/cpython.toml")?;
    Ok(list.module)
}
