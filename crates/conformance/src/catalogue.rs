//! The guests and their checks, read from the C sources themselves.
//!
//! The header comment of a guest declares what the harness must know, as `// Key: words`:
//!
//! - `Calls:` the system calls under test (documentation);
//! - `Passes:` where the guest must pass: `host`, `acrida`;
//! - `Places:` the kinds of file system it runs on: `disk`, `tmpfs` (none: it runs once, on disk);
//! - `Needs:` `root` if its checks mean nothing without it;
//! - `Options:` options of `acrida run`, such as `--quiet` for a guest that makes unknown calls on purpose.
//!
//! A check is a line that starts with `CHECK(name)`, in the guest or in a header of ours that it includes. Reading the source
//! instead of asking the program keeps `--list` free of a compiler.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const KEYS: &[&str] = &["Calls", "Passes", "Places", "Needs", "Options"];

/// Where the files of a check live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A disk file system of the host, which acrida passes through.
    Disk,
    /// `/dev/shm`: a tmpfs on the host, our own tmpfs under acrida.
    Tmpfs,
}

impl Place {
    pub fn name(self) -> &'static str {
        match self {
            Place::Disk => "disk",
            Place::Tmpfs => "tmpfs",
        }
    }

    /// The directory below which runs make their own directories.
    pub fn root(self) -> PathBuf {
        match self {
            Place::Disk => std::env::var_os("ACRIDA_CONFORMANCE_DISK").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from),
            Place::Tmpfs => PathBuf::from("/dev/shm"),
        }
    }
}

/// One guest program.
#[derive(Clone, Debug)]
pub struct Guest {
    pub name: String,
    pub source: PathBuf,
    pub checks: Vec<String>,
    /// Empty: the guest does not care where its files live.
    pub places: Vec<Place>,
    pub needs_root: bool,
    pub passes_on_acrida: bool,
    /// For `acrida run`.
    pub options: Vec<String>,
}

/// All guests of `directory`, by name.
pub fn load(directory: &Path) -> io::Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "c") {
            let text = with_headers(&fs::read_to_string(&path)?, directory)?;
            guests.push(parse(path.clone(), &text).map_err(|why| io::Error::other(format!("{}: {why}", path.display())))?);
        }
    }
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(guests)
}

/// The text with the headers that lie beside it behind their `#include` lines, but not the headers of those.
fn with_headers(text: &str, directory: &Path) -> io::Result<String> {
    let mut whole = String::new();
    for line in text.lines() {
        whole += line;
        whole.push('\n');
        if let Some(header) = line.strip_prefix("#include \"").and_then(|rest| rest.strip_suffix('"')) {
            whole += &fs::read_to_string(directory.join(header))?;
        }
    }
    Ok(whole)
}

fn parse(source: PathBuf, text: &str) -> Result<Guest, String> {
    let stem = source.file_stem().ok_or("no file name")?;
    let name = stem.to_str().ok_or("name is not UTF-8")?.to_owned();
    if header(text, "Calls").is_empty() {
        return Err("the header has no `// Calls:` line".into());
    }
    let passes = header(text, "Passes");
    if !passes.contains(&"host") {
        return Err("the header must say `// Passes: host` (and `acrida`, if it must)".into());
    }
    let places = header(text, "Places")
        .into_iter()
        .map(|word| match word {
            "disk" => Ok(Place::Disk),
            "tmpfs" => Ok(Place::Tmpfs),
            other => Err(format!("unknown place `{other}`")),
        })
        .collect::<Result<_, _>>()?;
    let checks = checks(text)?;
    Ok(Guest {
        name,
        checks,
        places,
        needs_root: header(text, "Needs").contains(&"root"),
        passes_on_acrida: passes.contains(&"acrida"),
        options: header(text, "Options").into_iter().map(str::to_owned).collect(),
        source,
    })
}

/// The words after `key:` up to the next key. Line breaks do not count: formatters move them.
fn header<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let words = text.lines().map_while(|line| line.strip_prefix("//")).flat_map(str::split_whitespace);
    words
        .skip_while(|word| word.strip_suffix(':') != Some(key))
        .skip(1)
        .take_while(|word| !word.strip_suffix(':').is_some_and(|key| KEYS.contains(&key)))
        .collect()
}

fn checks(text: &str) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some((name, _)) = line.strip_prefix("CHECK(").and_then(|rest| rest.split_once(')')) else {
            continue;
        };
        if names.iter().any(|known| known == name) {
            return Err(format!("check `{name}` twice"));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err("no checks".into());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "// x: y\n//\n// Calls: pipe read\n// Passes: host acrida\n// Places: disk tmpfs\n// Options: --quiet\n\
                          #include \"check.h\"\n// Needs: root\nCHECK(one)\n{\n}\nCHECK(two)\n{\n}\n";

    #[test]
    fn header_ends_with_the_comment() {
        let guest = parse("guests/pipe.c".into(), SOURCE).unwrap();
        assert_eq!(guest.name, "pipe");
        assert_eq!(guest.checks, ["one", "two"]);
        assert_eq!(guest.places, [Place::Disk, Place::Tmpfs]);
        assert_eq!(guest.options, ["--quiet"]);
        assert!(!guest.needs_root);
        assert!(guest.passes_on_acrida);
    }

    #[test]
    fn header_survives_a_formatter() {
        let text = "// Calls: a b\n// c Passes: host Needs: root\nCHECK(one)\n";
        let guest = parse("x.c".into(), text).unwrap();
        assert!(guest.needs_root && !guest.passes_on_acrida);
        assert_eq!(header(text, "Calls"), ["a", "b", "c"]);
    }

    #[test]
    fn checks_of_a_header_are_the_guests() {
        let guests = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")).unwrap();
        let has = |guest: &str, check: &str| {
            let guest = guests.iter().find(|it| it.name == guest).unwrap();
            guest.checks.iter().any(|name| name == check)
        };
        assert!(has("poll_states", "eventfd_states") && has("epoll_masks", "eventfd_states"));
        assert!(has("poll_states", "sets_of_sets") && !has("epoll_masks", "sets_of_sets"));
    }

    #[test]
    fn a_name_may_not_be_used_twice() {
        let twice = format!("{SOURCE}CHECK(one)\n");
        assert!(parse("x.c".into(), &twice).unwrap_err().contains("twice"));
    }
}
