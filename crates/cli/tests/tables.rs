//! What is generated is what the command says now.

mod acrida;

use acrida::{acrida, text};

/// Set `ACRIDA_BLESS=1` to write the file instead.
#[test]
fn docs_syscalls_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/syscalls.md");
    let output = acrida(&["syscalls", "--markdown"]).output().expect("the command runs");
    let now = text(&output.stdout);
    if std::env::var_os("ACRIDA_BLESS").is_some() {
        std::fs::write(path, &now).expect("docs/syscalls.md can be written");
    }
    let file = std::fs::read_to_string(path).expect("docs/syscalls.md exists");
    assert!(file == now, "docs/syscalls.md is old: run `cargo run -- syscalls --markdown > docs/syscalls.md`");
}

#[test]
fn help_manual_and_completions_come_from_the_same_options() {
    let help = text(&acrida(&["run", "--help"]).output().expect("runs").stdout);
    let manual = text(&acrida(&["man"]).output().expect("runs").stdout).replace('\\', "");
    let bash = text(&acrida(&["completions", "bash"]).output().expect("runs").stdout);
    for option in ["--trace", "--trace-filter", "--stats", "--strict", "--linger", "--mount"] {
        for (name, page) in [("help", &help), ("manual", &manual), ("completions", &bash)] {
            assert!(page.contains(option), "{name} lacks {option}");
        }
    }
    assert!(manual.contains("EXIT STATUS") && help.contains("127"));
}
