//! CPython's regression tests, case by case.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::list::{Module, patience};
use crate::run::{Side, run};

/// Debian's interpreter: the one its testsuite package belongs to.
pub const PYTHON: &str = "/usr/bin/python3.11";

/// Whether each case of `module` passed.
pub fn cases(module: &Module, side: &Side, dir: &Path, label: &str) -> Result<BTreeMap<String, bool>> {
    let work = dir.join(label);
    std::fs::create_dir(&work)?;
    let report = dir.join(format!("{label}.xml"));
    let mut command = side.command(PYTHON);
    let patience = patience(module.timeout);
    // It ends first, with a report.
    let own = patience - Duration::from_secs(30);
    command.args(["-m", "test", "--timeout", &own.as_secs().to_string(), "--junit-xml"]).arg(&report);
    command.args(module.matching.iter().flat_map(|pattern| ["-m", pattern]));
    command.args(module.ignoring.iter().flat_map(|pattern| ["-i", pattern]));
    command.args(module.resources.iter().flat_map(|resources| ["-u", resources]));
    command.arg(&module.name);
    let outcome = run(command, &work, label, patience)?;
    let text = std::fs::read_to_string(&report).with_context(|| {
        let tail = |bytes: &[u8]| String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(1500)..]).into_owned();
        format!("no report (exit status {}):\n{}\n{}", outcome.status, tail(&outcome.stdout), tail(&outcome.stderr))
    })?;
    parse(&text)
}

/// Reads a JUnit report. A skipped case counts as not passed.
pub fn parse(text: &str) -> Result<BTreeMap<String, bool>> {
    let document = roxmltree::Document::parse(text).context("the report is no XML")?;
    let mut cases = BTreeMap::new();
    for case in document.descendants().filter(|n| n.has_tag_name("testcase")) {
        let name = case.attribute("name").unwrap_or("?").to_owned();
        let bad = |n: roxmltree::Node<'_, '_>| ["failure", "error", "skipped"].iter().any(|tag| n.has_tag_name(*tag));
        let ok = !case.children().any(bad) && case.attribute("status") != Some("notrun");
        // A case may come twice (a retry): it passed if it ever did.
        let slot = cases.entry(name).or_insert(false);
        *slot |= ok;
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_errors_and_skips_are_told_from_passes() {
        let text = r#"<testsuites><testsuite><testcase name="a" status="run" result="completed"/>
            <testcase name="b"><failure>x</failure></testcase><testcase name="c"><skipped/></testcase>
            <testcase name="d"><error>x</error></testcase></testsuite></testsuites>"#;
        let cases = parse(text).expect("well-formed");
        assert_eq!(cases.iter().filter(|(_, ok)| **ok).map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(cases.len(), 4);
        assert!(parse("<testsuites>").is_err());
    }
}
