//! `acrida run`: exit statuses, silence, signals, lingering, and what a panic looks like.

mod acrida;

use acrida::{acrida, finish, run, start, status, text, until};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::process::Child;

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32).expect("a pid")
}

#[test]
fn the_status_is_the_programs() {
    for (args, expected) in [
        (&["--", "true"][..], 0),
        (&["--", "sh", "-c", "exit 7"], 7),
        (&["--", "sh", "-c", "kill -9 $$"], 137),
        (&["--", "sh", "-c", "kill -TERM $$"], 143),
        (&["--", "/etc/passwd"], 126),
        (&["--", "/no/such/program"], 127),
        (&["--", "no-such-program"], 127),
        (&["--trace-filter", "opn", "--", "true"], 2),
    ] {
        assert_eq!(status(&run(args)), expected, "{args:?}");
    }
}

#[test]
fn nothing_is_printed_unless_asked() {
    let output = run(&["--", "sh", "-c", "echo out; echo err >&2"]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("out\n".into(), "err\n".into()));
    let output = run(&["--", "no-such-program"]);
    assert_eq!(text(&output.stderr), "acrida: no-such-program: not found\n");
}

#[test]
fn a_signal_to_the_command_reaches_the_program() {
    for (signal, expected) in [(Signal::TERM, 41), (Signal::HUP, 41), (Signal::USR1, 41), (Signal::INT, 41)] {
        let (mut child, line) = start(&["--", "sh", "-c", "trap 'exit 41' TERM HUP USR1 INT; sleep 1000 & echo ready; wait"]);
        assert_eq!(line, "ready\n");
        kill_process(pid(&child), signal).expect("sent");
        assert_eq!(finish(&mut child).code(), Some(expected), "{signal:?}");
    }
}

#[test]
fn the_command_stops_and_continues_with_the_program() {
    let (mut child, line) = start(&["--", "sh", "-c", "echo ready; kill -STOP $$; exit 5"]);
    assert_eq!(line, "ready\n");
    let stopped = waitid(WaitId::Pid(pid(&child)), WaitIdOptions::STOPPED).expect("waited").expect("news");
    assert!(stopped.stopped());
    kill_process(pid(&child), Signal::CONT).expect("sent");
    assert_eq!(finish(&mut child).code(), Some(5));
}

#[test]
fn a_world_ends_with_its_first_process_unless_it_lingers() {
    let script = "(trap '' HUP; read x < /dev/fd/3; echo late) 3<&0 & exit 3";
    let (mut child, line) = start(&["--", "sh", "-c", "sleep 1000 & echo gone; exit 3"]);
    assert_eq!((line.as_str(), finish(&mut child).code()), ("gone\n", Some(3)));
    let output = acrida(&["run", "--linger", "--", "sh", "-c", script]).output().expect("runs");
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("late\n", Some(3)));
}

#[test]
fn a_kernel_panic_is_reported_with_function_names() {
    let panic = "import ctypes; ctypes.CDLL(None).syscall(0xac1d)";
    let output = run(&["--debug-panic", "--", "/usr/bin/python3", "-c", panic]);
    let report = text(&output.stderr);
    assert_eq!(status(&output), 125, "{report}");
    assert!(report.contains("acrida: the kernel panicked") && report.contains("acrida_kernel::"), "{report}");
}

#[test]
fn an_unknown_call_is_named_once_and_fails_a_strict_run() {
    let program = "import ctypes; f = ctypes.CDLL(None).syscall; f(500); f(500); print(f(500))";
    let output = run(&["--", "/usr/bin/python3", "-c", program]);
    let error = text(&output.stderr);
    assert_eq!((status(&output), text(&output.stdout).as_str()), (0, "-1\n"));
    assert_eq!(error.matches("system call 500").count(), 1, "{error}");
    assert_eq!(status(&run(&["--strict", "--", "/usr/bin/python3", "-c", program])), 125);
}

#[test]
fn nothing_is_left_after_kill_9() {
    let home = std::env::temp_dir().join(format!("acrida-test-{}", std::process::id()));
    std::fs::create_dir_all(home.join("run")).expect("a directory");
    let mut child = acrida(&["run", "--", "sleep", "1000"]).env("XDG_RUNTIME_DIR", home.join("run")).spawn().expect("starts");
    let entry = home.join("run/acrida").join(child.id().to_string());
    let ps = || text(&acrida(&["ps"]).env("XDG_RUNTIME_DIR", home.join("run")).output().expect("runs").stdout);
    until("the world shows its process", || ps().contains("sleep 1000"));
    let host_pid = ps().lines().last().and_then(|line| line.split_whitespace().nth(8).map(str::to_string)).expect("a pid");
    assert!(entry.exists());
    kill_process(pid(&child), Signal::KILL).expect("sent");
    child.wait().expect("waited");
    until("the entry is gone", || !entry.exists());
    let gone = |pid: &str| match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat.contains(") Z"),
        Err(_) => true,
    };
    until("the process is gone", || gone(&host_pid));
    assert_eq!(ps(), "");
    std::fs::remove_dir_all(home).expect("removed");
}
