//! One trial per program and per module of CPython's tests.

use std::cmp::Reverse;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use acrida_programs::cpython;
use acrida_programs::list::{Module, Program, modules, patience, programs};
use acrida_programs::run::{Outcome, Side, run, shield};
use anyhow::{Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Two processors are what CI has, and most of the long ones mostly wait; more at once only makes every time-out closer.
    arguments.test_threads.get_or_insert(3);
    let binary = acrida_harness::acrida()?;
    let mut trials = Vec::new();
    for program in programs()? {
        let binary = binary.clone();
        let name = format!("program::{}", program.name);
        let (timeout, soak) = (program.timeout, program.soak);
        let trial = Trial::test(name, move || report(check_program(&program, binary)));
        trials.push((timeout, trial.with_ignored_flag(soak)));
    }
    for module in modules()? {
        let binary = binary.clone();
        let name = format!("cpython::{}", module.name);
        let (timeout, soak) = (module.timeout, module.soak);
        let trial = Trial::test(name, move || report(check_module(&module, binary)));
        trials.push((timeout, trial.with_ignored_flag(soak)));
    }
    // What may take long begins early: otherwise it runs alone at the end.
    trials.sort_by_key(|(timeout, _)| Reverse(*timeout));
    Ok(libtest_mimic::run(&arguments, trials.into_iter().map(|(_, trial)| trial).collect()).exit_code())
}

fn report(result: Result<()>) -> Result<(), Failed> {
    result.map_err(|error| Failed::from(format!("{error:#}")))
}

fn scratch() -> Result<tempfile::TempDir> {
    // Not below /tmp: a world has a /tmp of its own.
    Ok(tempfile::Builder::new().prefix("acrida-programs-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

/// Runs `$0` on a new pseudo-terminal and copies what it says.
const ON_A_PTY: &str = r#"exec /usr/bin/python3.11 -c 'import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", sys.argv[1]])))' "$0""#;

fn script(side: &Side, program: &Program) -> Command {
    if program.outside {
        let mut command = Side::Native.command("sh");
        command.args(["-c", &program.script]).env("RUN", side.prefix());
        return command;
    }
    let mut command = side.command("sh");
    match program.pty {
        true => command.args(["-c", ON_A_PTY, &program.script]),
        false => command.args(["-c", &program.script]),
    };
    command
}

fn check_program(program: &Program, binary: PathBuf) -> Result<()> {
    let dir = scratch()?;
    let one_side = |side: Side, label: &str| -> Result<Outcome> {
        // The same path on both sides: outputs may name it.
        let work = dir.path().join("work");
        std::fs::create_dir(&work)?;
        if !program.prepare.is_empty() {
            let mut prepare = Command::new("sh");
            prepare.args(["-ec", &program.prepare]).current_dir(&work);
            shield(&mut prepare);
            ensure!(prepare.status()?.success(), "the preparation failed");
        }
        let outcome = run(script(&side, program), &work, label, patience(program.timeout));
        std::fs::remove_dir_all(&work)?;
        outcome
    };
    let native = one_side(Side::Native, "native")?;
    let ours = one_side(Side::Acrida(binary), "acrida")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(native.status == 0, "fails natively with {}: {}", native.status, text(&native.stderr));
    for words in &program.says {
        let said = text(&native.stdout);
        ensure!(said.contains(words), "does not say {words:?} natively:\n{said}{}", text(&native.stderr));
    }
    ensure!(
        native.status == ours.status && native.stdout == ours.stdout,
        "status {} natively, {} under acrida\n--- native\n{}--- acrida\n{}--- acrida's stderr\n{}",
        native.status,
        ours.status,
        text(&native.stdout),
        text(&ours.stdout),
        text(&ours.stderr)
    );
    Ok(())
}

/// How often a case that failed, and is one of the `timed`, is run again.
const TIMED_AGAIN: usize = 3;

fn check_module(module: &Module, binary: PathBuf) -> Result<()> {
    let dir = scratch()?;
    let native = cpython::cases(module, &Side::Native, dir.path(), "native")?;
    let side = Side::Acrida(binary);
    let mut ours = cpython::cases(module, &side, dir.path(), "acrida")?;
    for (name, _) in native.iter().filter(|(name, ok)| **ok && module.timed.iter().any(|part| name.contains(part))) {
        for round in 1..=TIMED_AGAIN {
            if ours.get(name).copied().unwrap_or(false) {
                break;
            }
            eprintln!("cpython::{}: {name} failed, and holds a watch against the machine: once more", module.name);
            let alone = Module { matching: vec![name.clone()], ignoring: Vec::new(), ..module.clone() };
            ours.extend(cpython::cases(&alone, &side, dir.path(), &format!("{name}-{round}"))?);
        }
    }
    let passed = native.iter().filter(|(_, ok)| **ok).map(|(name, _)| name);
    let mut lost = Vec::new();
    let mut won = Vec::new();
    let mut count = 0;
    for name in passed {
        count += 1;
        let ok = ours.get(name).copied().unwrap_or(false);
        match (ok, module.known.contains_key(name)) {
            (false, false) => lost.push(name.as_str()),
            (true, true) => won.push(name.as_str()),
            _ => {}
        }
    }
    ensure!(count > 0, "no case passes natively: is libpython3.11-testsuite installed?");
    ensure!(lost.is_empty(), "{} of {count} cases pass natively but not under acrida:\n{}", lost.len(), lost.join("\n"));
    ensure!(won.is_empty(), "listed as known failures but passing; take them off cases/cpython.toml:\n{}", won.join("\n"));
    Ok(())
}
