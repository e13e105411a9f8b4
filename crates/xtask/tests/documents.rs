//! What documents say about every file or every crate is looked at here, as tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The workspace's crates, by directory.
fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).expect("crates/");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in ASCII")).collect()
}

fn sources(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn has_unsafe_code(source: &str) -> bool {
    let code = source.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let words =
        |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| ["unsafe", "global_asm"].contains(&word));
    code.into_iter().any(words)
}

#[test]
fn every_unsafe_file_has_its_argument() {
    let text = read("SAFETY.md");
    let mut missing = Vec::new();
    for name in crates() {
        let src = root().join("crates").join(&name).join("src");
        let mut files = Vec::new();
        sources(&src, &mut files);
        // Of klib the modules are argued, in a document of its own.
        files.retain(|file| name != "klib" && has_unsafe_code(&fs::read_to_string(file).expect("a source")));
        let section = text.split("\n## ").find(|section| section.split_whitespace().next() == Some(&*name)).unwrap_or_default();
        for file in files {
            let file = file.strip_prefix(&src).expect("below src").display().to_string();
            if !section.contains(&format!("`{file}`")) {
                missing.push(format!("{name}: {file}"));
            }
        }
    }
    assert!(missing.is_empty(), "SAFETY.md says nothing of {missing:#?}");
}

#[test]
fn kernel_memory_goes_to_the_host_through_typed_calls_only() {
    let src = root().join("crates/kernel/src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.retain(|file| {
        let inside = file.strip_prefix(&src).expect("below src");
        !inside.starts_with("host") && inside != Path::new("host.rs")
    });
    assert!(files.len() > 100, "the kernel's sources have moved");
    let passes_memory = |text: &str| ["Arg::In(", "Arg::Out(", "Arg::Str("].iter().any(|argument| text.contains(argument));
    files.retain(|file| passes_memory(&fs::read_to_string(file).expect("a source")));
    assert!(files.is_empty(), "a typed function of host/ is due for {files:?}");
}

/// What a manifest asks the registry for.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (inside, line.split_once([' ', '.', '=']))
            && !line.starts_with('#')
            && !name.starts_with("acrida-")
        {
            found.insert(name.to_owned());
        }
    }
    found
}

/// The names in a cell, without what stands in brackets.
fn names(cell: &str) -> Vec<String> {
    let mut depth = 0;
    let plain = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (depth == 0 && c != ')').then_some(c)
    };
    let plain: String = cell.chars().filter_map(plain).collect();
    plain.split(',').map(|name| name.trim().to_owned()).collect()
}

#[test]
fn every_dependency_has_its_line() {
    let mut used = BTreeSet::new();
    for name in crates() {
        let user = if name == "cli" { "acrida" } else { &name };
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        used.extend(dependencies(&manifest).into_iter().map(|dependency| (dependency, user.to_owned())));
    }
    let text = read("docs/dependencies.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| crate "));
    let mut listed = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        for dependency in names(cells[1]) {
            listed.extend(names(cells[2]).into_iter().map(|user| (dependency.clone(), user)));
        }
    }
    let unlisted: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(unlisted.is_empty() && unused.is_empty(), "docs/dependencies.md lacks {unlisted:?}, and has too many: {unused:?}");
}

/// The locks that a source declares: `Structure::field`, or the name of a static, an alias or a structure that wraps one.
fn declared_locks(source: &str) -> Vec<String> {
    const KINDS: [&str; 5] = ["SpinLock<", "SoloLock<", "SeqLock<", "SeqCell<", "ChangeLock"];
    let is_lock = |of: &str| {
        let words = of.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '<');
        // A reference to somebody's lock is none.
        !of.trim_start().starts_with('&') && words.flat_map(|word| word.split_inclusive('<')).any(|word| KINDS.contains(&word))
    };
    let name_of = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let mut structure = None;
    let mut found = Vec::new();
    for line in source.lines().take_while(|line| !line.starts_with("mod tests {")) {
        let line = line.trim_start();
        let item = match line.strip_prefix("pub") {
            Some(rest) => {
                rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest).trim_start()
            }
            None => line,
        };
        if let Some(rest) = item.strip_prefix("struct ") {
            let name = name_of(rest);
            match rest.split_once('(') {
                Some((_, content)) if content.contains(';') => found.extend(is_lock(content).then_some(name)),
                _ => structure = (!rest.ends_with(';')).then_some(name),
            }
        } else if let Some(rest) = item.strip_prefix("static ") {
            found.extend(rest.split_once(':').filter(|(_, of)| is_lock(of)).map(|(name, _)| name.to_owned()));
        } else if let Some(rest) = item.strip_prefix("type ") {
            found.extend(rest.split_once('=').filter(|(_, of)| is_lock(of)).map(|_| name_of(rest)));
        } else if line.starts_with('}') {
            structure = None;
        } else if let (Some(structure), Some((field, of))) = (&structure, item.split_once(": "))
            && !line.starts_with("//")
            && is_lock(of)
        {
            found.push(format!("{structure}::{field}"));
        }
    }
    found
}

#[test]
fn every_lock_has_its_place_in_the_order() {
    let text = read("docs/locking.md");
    let named: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).collect();
    let mut missing = Vec::new();
    let mut count = 0;
    for name in ["kernel", "kcore"] {
        let mut files = Vec::new();
        sources(&root().join("crates").join(name).join("src"), &mut files);
        files.retain(|file| file.file_name().is_none_or(|name| name != "tests.rs"));
        for file in files {
            let locks = declared_locks(&fs::read_to_string(&file).expect("a source"));
            count += locks.len();
            let unnamed = locks.into_iter().filter(|lock| !named.contains(&**lock));
            missing.extend(unnamed.map(|lock| format!("`{lock}` ({})", file.display())));
        }
    }
    assert!(count > 100, "only {count} locks found: the way they are declared has changed");
    assert!(missing.is_empty(), "docs/locking.md must say where in the order these are taken: {missing:#?}");
}

#[test]
fn locks_are_found_as_they_are_declared() {
    let source = "
pub struct Plain {
    pub table: SpinLock<Vec<u8>>,
    places: [SpinLock<u8>; 4],
    shared: Arc<SoloLock<u8>>,
    borrowed: &'a SpinLock<u8>,
    // old: SpinLock<u8>,
    moves: ChangeLock,
    locks: SpinLockGuard<u8>,
}
pub(super) struct Wrapped(SpinLock<u8>);
static POOL: SpinLock<u8> = SpinLock::new(0);
pub type Alias = SeqCell<u8, 1>;
fn make(table: SpinLock<u8>) -> Plain {
    Plain { table }
}
";
    let expected = ["Plain::table", "Plain::places", "Plain::shared", "Plain::moves", "Wrapped", "POOL", "Alias"];
    assert_eq!(declared_locks(source), expected);
}
