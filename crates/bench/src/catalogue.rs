//! Everything that can be measured: one list, from three sources.
//!
//! - the guest's own list: one C file per workload under workloads/ (`guest --list`),
//! - real programs: one file of shell scripts each under programs/,
//! - whole worlds, which no guest can measure from inside (`world`).

use std::rc::Rc;

use anyhow::Context;
use serde::Deserialize;

use crate::guest::Guest;
use crate::program::{self, Program};
use crate::target::Target;
use crate::unit::Unit;
use crate::world::{self, World};

/// Something that can be measured, at one or more points.
#[derive(Debug)]
pub struct Workload {
    pub name: String,
    pub group: String,
    /// One operation, in a few words.
    pub operation: String,
    /// What bounds it, and why acrida's figure differs from native's.
    pub bound: String,
    /// The argument that the cost is drawn against.
    pub axis: Option<String>,
    pub unit: Unit,
    pub kind: Kind,
}

/// Who measures a workload.
#[derive(Debug)]
pub enum Kind {
    /// The guest, in a loop.
    Guest,
    /// The guest, around a script.
    Program(Box<Program>),
    /// The runner, from outside.
    World(World),
}

/// A workload at one of its points: one row of the table.
#[derive(Clone, Debug)]
pub struct Case {
    pub workload: Rc<Workload>,
    /// `name=value name=value`, or nothing.
    pub arguments: String,
    pub target: Option<Target>,
    /// Its parties may run on two CPUs at once.
    pub two_cpus: bool,
    /// Left out by `--quick`.
    pub thorough: bool,
}

impl Case {
    /// Workload and arguments, as they are shown and selected.
    pub fn title(&self) -> String {
        format!("{} {}", self.workload.name, self.arguments).trim_end().to_owned()
    }

    /// Whether the user's word means this case: its group, its workload or its title.
    fn answers_to(&self, word: &str) -> bool {
        word == self.workload.group || word == self.workload.name || word == self.title()
    }
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    group: String,
    operation: String,
    bound: String,
    axis: Option<String>,
    unit: Unit,
    points: Vec<ListedPoint>,
}

#[derive(Deserialize)]
struct ListedPoint {
    arguments: String,
    target: Option<String>,
    two_cpus: bool,
    thorough: bool,
}

/// The groups in the order in which they are measured and shown.
const GROUPS: [&str; 9] = ["calls", "pipes", "events", "wake-ups", "processes", "sockets", "shared-memory", "files", "programs"];

/// Every case there is.
///
/// # Errors
/// When an entry cannot be read.
pub fn all(guest: &Guest) -> anyhow::Result<Vec<Case>> {
    let listed: Vec<Listed> = serde_json::from_str(guest.list()).context("reading the guest's list of workloads")?;
    let mut cases = Vec::new();
    for listed in listed {
        let points = listed.points;
        let workload = Rc::new(Workload {
            name: listed.name,
            group: listed.group,
            operation: listed.operation,
            bound: listed.bound,
            axis: listed.axis,
            unit: listed.unit,
            kind: Kind::Guest,
        });
        for point in points {
            cases.push(Case {
                workload: Rc::clone(&workload),
                arguments: point.arguments,
                target: point.target.as_deref().map(str::parse).transpose()?,
                two_cpus: point.two_cpus,
                thorough: point.thorough,
            });
        }
    }
    cases.extend(world::cases());
    cases.extend(program::cases()?);
    // Stable: within a workload the points keep the order they were written in.
    cases.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(cases)
}

fn order(case: &Case) -> (usize, &str) {
    let group = GROUPS.iter().position(|group| *group == case.workload.group).unwrap_or(GROUPS.len());
    (group, &case.workload.name)
}

/// The cases that the user asked for: all when no word is given.
///
/// # Errors
/// When a word names neither a group nor a workload.
pub fn select(cases: Vec<Case>, words: &[String], quick: bool) -> anyhow::Result<Vec<Case>> {
    for word in words {
        if !cases.iter().any(|case| case.answers_to(word)) {
            anyhow::bail!("no group or workload is called {word:?}; the groups are {}", GROUPS.join(", "));
        }
    }
    let wanted = |case: &Case| words.is_empty() || words.iter().any(|word| case.answers_to(word));
    // Naming a case asks for it, whether or not it is quick.
    let named = |case: &Case| words.iter().any(|word| *word == case.title());
    Ok(cases.into_iter().filter(|case| wanted(case) && (!quick || !case.thorough || named(case))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_case_has_its_own_title_and_a_known_group() {
        let guest = Guest::unpack().unwrap();
        let mut titles = HashSet::new();
        for case in all(&guest).unwrap() {
            assert!(GROUPS.contains(&case.workload.group.as_str()), "{}", case.workload.group);
            assert!(!case.workload.bound.is_empty(), "{} says nothing about its bound", case.title());
            if let Some(axis) = &case.workload.axis {
                assert!(case.arguments.contains(&format!("{axis}=")), "{}", case.title());
            }
            assert!(titles.insert(case.title()), "twice: {}", case.title());
        }
    }

    #[test]
    fn words_select_groups_workloads_and_points() {
        let guest = Guest::unpack().unwrap();
        let titles = |words: &[&str], quick| -> Vec<String> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            select(all(&guest).unwrap(), &words, quick).unwrap().iter().map(Case::title).collect()
        };
        assert_eq!(titles(&["getppid"], false), ["getppid"]);
        assert_eq!(titles(&["pipe_ping_pong cpus=same"], true), ["pipe_ping_pong cpus=same"]);
        assert!(titles(&["pipes"], false).len() > 3);
        assert!(titles(&[], true).len() < titles(&[], false).len());
        assert!(select(all(&guest).unwrap(), &["nonsense".to_owned()], false).is_err());
    }
}
