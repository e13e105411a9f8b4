//! `--trace-filter`: which records become lines.
//!
//! Terms, separated by commas. Names and classes add up (none: every call), `!` takes away; conditions must all hold.
//!
//! ```text
//!   openat,read*,%file,!close       calls by name, by prefix, by class
//!   failed  pid=N  fd=N  slow=MS    conditions
//! ```

use acrida_trace_format::ring::{CallSet, Record, kind};
use anyhow::{Result, bail};

use crate::calls::{self, ArgType, Call, Service, TABLE};

#[derive(Clone, Debug)]
pub struct Filter {
    pub calls: CallSet,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Failed,
    Pid(u32),
    Fd(i32),
    SlowerThanNs(u64),
}

impl Filter {
    pub fn all() -> Filter {
        Filter { calls: CallSet::ALL, conditions: Vec::new() }
    }

    /// # Errors
    /// A sentence that names the term that is not understood.
    pub fn parse(text: &str) -> Result<Filter> {
        let mut conditions = Vec::new();
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for term in text.split([',', ' ']).filter(|term| !term.is_empty()) {
            if let Some(condition) = condition(term)? {
                conditions.push(condition);
            } else if let Some(rest) = term.strip_prefix('!') {
                unwanted.extend(matching(rest)?);
            } else {
                wanted.extend(matching(term)?);
            }
        }
        let mut calls = if wanted.is_empty() { CallSet::ALL } else { CallSet::NONE };
        for number in wanted {
            calls.insert(number);
        }
        for number in unwanted {
            calls.0[number / 64] &= !(1 << (number % 64));
        }
        Ok(Filter { calls, conditions })
    }

    /// Whether `record` is shown. Signals and ends are, unless a condition speaks of other processes or of calls only.
    pub fn matches(&self, record: &Record) -> bool {
        let is_call = matches!(record.kind, kind::CALL | kind::CALL_NO_RETURN);
        let known = !is_call || record.number >= 512 || self.calls.has(record.number as usize);
        known && self.conditions.iter().all(|condition| condition.holds(record, is_call))
    }
}

impl Condition {
    fn holds(&self, record: &Record, is_call: bool) -> bool {
        match self {
            Condition::Failed => is_call && (-4095..0).contains(&record.result),
            Condition::Pid(pid) => record.pid == *pid || record.tid == *pid,
            Condition::Fd(fd) => is_call && uses_fd(record, *fd),
            Condition::SlowerThanNs(ns) => is_call && record.duration_ns > *ns,
        }
    }
}

fn uses_fd(record: &Record, fd: i32) -> bool {
    let Some(call) = calls::by_number(record.number as usize) else { return false };
    call.args.iter().zip(record.args).any(|(&(_, ty), value)| matches!(ty, ArgType::Fd | ArgType::DirFd) && value as i32 == fd)
}

fn condition(term: &str) -> Result<Option<Condition>> {
    if term == "failed" {
        return Ok(Some(Condition::Failed));
    }
    let Some((name, value)) = term.split_once('=') else { return Ok(None) };
    let Ok(number) = value.parse::<u32>() else { bail!("trace filter: `{term}` wants a number after the `=`") };
    Ok(Some(match name {
        "pid" => Condition::Pid(number),
        "fd" => Condition::Fd(number as i32),
        "slow" => Condition::SlowerThanNs(u64::from(number) * 1_000_000),
        _ => bail!("trace filter: no condition `{name}=`; there are failed, pid=N, fd=N and slow=MILLISECONDS"),
    }))
}

/// The numbers that a name, `prefix*` or `%class` stands for.
fn matching(term: &str) -> Result<Vec<usize>> {
    let test: Box<dyn Fn(&Call) -> bool> = match (term.strip_prefix('%'), term.strip_suffix('*')) {
        (Some(class), _) => class_test(class)?,
        (None, Some(prefix)) => {
            let prefix = prefix.to_string();
            Box::new(move |call| call.name.starts_with(&prefix))
        }
        (None, None) => {
            let name = term.to_string();
            Box::new(move |call| call.name == name)
        }
    };
    let numbers: Vec<usize> = TABLE.iter().filter(|call| test(call)).map(|call| call.number).collect();
    if numbers.is_empty() {
        bail!("trace filter: no system call `{term}`; `acrida syscalls` lists them, `%file` and others are classes");
    }
    Ok(numbers)
}

fn class_test(class: &str) -> Result<Box<dyn Fn(&Call) -> bool>> {
    let has = |types: &'static [ArgType]| move |call: &Call| call.args.iter().any(|(_, ty)| types.contains(ty));
    let named = |parts: &'static [&'static str]| move |call: &Call| parts.iter().any(|part| call.name.contains(part));
    Ok(match class {
        "file" => Box::new(has(&[ArgType::Path])),
        "desc" => Box::new(has(&[ArgType::Fd, ArgType::DirFd])),
        "process" => Box::new(named(&["fork", "clone", "exec", "exit", "wait4", "waitid"])),
        "signal" => Box::new(named(&["sig", "kill", "pause"])),
        "memory" => Box::new(named(&["mmap", "munmap", "mprotect", "mremap", "brk", "madvise", "mlock", "msync", "mincore"])),
        "ours" => Box::new(|call| call.service == Service::Ours),
        "host" => Box::new(|call| call.service == Service::Host),
        "refused" => Box::new(|call| matches!(call.service, Service::Refused(_))),
        _ => bail!(
            "trace filter: no class `%{class}`; there are %file, %desc, %process, %signal, %memory, %ours, %host and %refused"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u32, result: i64) -> Record {
        let mut record = Record::new(kind::CALL);
        record.number = number;
        record.result = result;
        record.args[0] = 3;
        record
    }

    #[test]
    fn names_classes_and_conditions() {
        let filter = Filter::parse("%file,read*,!readlink,failed").expect("understood");
        assert!(filter.matches(&call(2, -2)) && filter.matches(&call(0, -9)));
        assert!(!filter.matches(&call(2, 3)) && !filter.matches(&call(1, -9)) && !filter.matches(&call(89, -9)));
        assert!(Filter::parse("fd=3").expect("understood").matches(&call(0, 1)));
        assert!(!Filter::parse("fd=4").expect("understood").matches(&call(0, 1)));
        assert!(Filter::parse("!read").expect("understood").matches(&call(1, 1)));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (text, part) in [("opn", "`opn`"), ("%flie", "%file"), ("pid=x", "number"), ("tty=1", "tty")] {
            let error = Filter::parse(text).expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
