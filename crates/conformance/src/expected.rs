//! The list of known divergences. It may only shrink: an entry whose check passes, or is gone, fails the run.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    difference: Vec<Difference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// `guest/check`, or `guest/place/check` where only one place differs.
    check: String,
    reason: String,
}

/// Check name to reason.
#[derive(Debug, Default)]
pub struct Expected(BTreeMap<String, String>);

impl Expected {
    pub fn load(path: &Path) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(path)?)
    }

    fn parse(text: &str) -> io::Result<Self> {
        let document: Document = toml::from_str(text).map_err(io::Error::other)?;
        let mut reasons = BTreeMap::new();
        for difference in document.difference {
            if difference.reason.trim().is_empty() {
                return Err(io::Error::other(format!("{}: no reason given", difference.check)));
            }
            if reasons.insert(difference.check.clone(), difference.reason).is_some() {
                return Err(io::Error::other(format!("{}: listed twice", difference.check)));
            }
        }
        Ok(Self(reasons))
    }

    /// Why the trial named `name` is known to differ, if it is.
    pub fn reason(&self, name: &str) -> Option<&str> {
        let without_place = name.replacen("/disk/", "/", 1).replacen("/tmpfs/", "/", 1);
        self.0.get(name).or_else(|| self.0.get(&without_place)).map(String::as_str)
    }

    /// Entries that name no trial of `names`.
    pub fn unknown<'a>(&'a self, names: &[String]) -> Vec<&'a str> {
        let mut left: BTreeMap<_, _> = self.0.iter().collect();
        for name in names {
            left.remove(name);
            left.remove(&name.replacen("/disk/", "/", 1).replacen("/tmpfs/", "/", 1));
        }
        left.keys().map(|name| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_covers_every_place_or_one() {
        let list = Expected::parse(
            "[[difference]]\ncheck = \"open/a\"\nreason = \"r\"\n[[difference]]\ncheck = \"open/disk/b\"\nreason = \"q\"\n",
        )
        .unwrap();
        assert_eq!(list.reason("open/tmpfs/a"), Some("r"));
        assert_eq!(list.reason("open/disk/b"), Some("q"));
        assert_eq!(list.reason("open/tmpfs/b"), None);
        assert_eq!(list.unknown(&["open/disk/a".into()]), ["open/disk/b"]);
    }

    #[test]
    fn a_reason_is_due() {
        assert!(Expected::parse("[[difference]]\ncheck = \"open/a\"\nreason = \" \"\n").is_err());
    }
}
