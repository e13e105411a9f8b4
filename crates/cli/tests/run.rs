//! `acrida run`: exit statuses, silence, signals, lingering, and what a panic looks like.

mod acrida;

use acrida::{World, acrida, finish, run, start, status, text, timed, until};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::path::Path;
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
        (&["--trace-filter", "opn", "--", "true"], 125),
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
fn options_are_acridas_before_the_program_and_the_programs_after_it() {
    let output = run(&["echo", "--stats", "-x", "--", "--trace"]);
    assert_eq!((text(&output.stdout), text(&output.stderr)), ("--stats -x -- --trace\n".into(), String::new()));
    let output = run(&["--stat", "--", "true"]);
    assert_eq!(status(&output), 125);
    assert!(text(&output.stderr).contains("'--stats'"), "{}", text(&output.stderr));
    let output = run(&["--", "--stats"]);
    assert_eq!((status(&output), text(&output.stderr)), (127, "acrida: --stats: not found\n".into()));
}

#[test]
fn what_cannot_be_done_is_named_with_its_cure() {
    for (args, expected, words) in [
        (&["--mount", "foo:/mnt", "--", "true"][..], 125, "foo:/mnt: no such type of file system"),
        (&["--mount", "tmpfs:/no/such", "--", "true"], 125, "tmpfs:/no/such: no such file or directory; make it first"),
        (&["--mount", "tmpfs", "--", "true"], 125, "TYPE:[SOURCE:]PATH[:ro]"),
        (&["--mount", "tmpfs:mnt", "--", "true"], 125, "TYPE:[SOURCE:]PATH[:ro]"),
        (&["--mount", "host:/no/such:/mnt", "--", "true"], 125, "host:/no/such:/mnt: no such file or directory"),
        (&["--", "/etc/passwd"], 126, "/etc/passwd: permission denied; is it an executable file?"),
        (&["--", ""], 127, "not found"),
        (&["--trace=/no/such/file", "--", "true"], 125, "cannot write the trace to /no/such/file"),
        (&["--trace=/dev/full", "--", "true"], 125, "cannot write the trace: No space left"),
    ] {
        let output = run(args);
        assert_eq!(status(&output), expected, "{args:?}");
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
}

/// A directory of the host's below /tmp, which every world has of its own.
#[test]
fn what_the_world_hides_is_shown_when_asked() {
    let dir = Path::new("/tmp").join(format!("acrida-hidden-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("made");
    std::fs::write(dir.join("file"), "of the host").expect("written");
    let within = |args: &[&str]| timed(args).current_dir(&dir).output().expect("started");
    let dir_name = dir.to_str().expect("plain");
    let at = format!("host:{dir_name}");
    let read_only = format!("host:{dir_name}:/mnt:ro");
    let program = dir.join("file").display().to_string();
    let outputs = [
        within(&["--", "ls"]),
        run(&["--", &program]),
        within(&["--mount", &at, "--", "sh", "-c", "pwd; cat file; echo x > made; ls"]),
        run(&["--mount", &read_only, "--", "sh", "-c", "cat /mnt/file; echo x 2>&1 > /mnt/other"]),
    ];
    std::fs::remove_dir_all(&dir).expect("removed");
    let said = outputs.map(|output| (status(&output), text(&output.stdout), text(&output.stderr)));
    let hidden = |what: &str| {
        format!(
            "acrida: {what}: not in the world, whose /tmp is its own; `--mount host:DIRECTORY` shows one of the host's there\n"
        )
    };
    assert_eq!(said[0], (125, String::new(), hidden(dir_name)));
    assert_eq!(said[1], (127, String::new(), hidden(&program)));
    assert_eq!(said[2], (0, format!("{dir_name}\nof the hostfile\nmade\n"), String::new()));
    assert_eq!(said[3].0, 2, "{said:?}");
    assert!(said[3].1.starts_with("of the host") && said[3].1.contains("Read-only"), "{said:?}");
}

#[test]
fn a_standard_error_that_is_full_costs_no_status() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("there");
    let program = ["run", "--stats", "--", "sh", "-c", "exit 7"];
    let mut world = World::new(acrida(&program).stderr(full()).spawn().expect("started"));
    assert_eq!(finish(&mut world).code(), Some(7));
}

/// As `nohup` and shells without job control start programs.
#[test]
fn ignored_and_blocked_signals_are_inherited() {
    let show = "grep -E '^Sig(Blk|Ign)' /proc/self/status; kill -HUP $$; echo survived";
    let wrap = "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); \
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.execv(sys.argv[1], sys.argv[1:])";
    let mut outputs = Vec::new();
    for side in [&["/bin/sh"][..], &[env!("CARGO_BIN_EXE_acrida"), "run", "--", "/bin/sh"]] {
        let mut command = std::process::Command::new("timeout");
        // Python ignores SIGPIPE and SIGXFSZ itself.
        let restore = "import signal; [signal.signal(s, signal.SIG_DFL) for s in (signal.SIGPIPE, signal.SIGXFSZ)]; ";
        command.args(["-k", "5", "300", "/usr/bin/python3", "-c", &[restore, wrap].concat()]).args(side).args(["-c", show]);
        let output = command.output().expect("timeout is there");
        assert!(text(&output.stdout).ends_with("survived\n"), "{side:?}: {output:?}");
        outputs.push(text(&output.stdout));
    }
    assert_eq!(outputs[0], outputs[1]);
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
    let output = run(&["--linger", "--", "sh", "-c", script]);
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
    let strict = run(&["--strict", "--quiet", "--", "/usr/bin/python3", "-c", program]);
    assert_eq!((status(&strict), text(&strict.stderr).matches("500").count()), (125, 1), "{}", text(&strict.stderr));
}

#[test]
fn nothing_is_left_after_kill_9() {
    let home = std::env::temp_dir().join(format!("acrida-test-{}", std::process::id()));
    std::fs::create_dir_all(home.join("run")).expect("a directory");
    let mut child =
        World::new(acrida(&["run", "--", "sleep", "1000"]).env("XDG_RUNTIME_DIR", home.join("run")).spawn().expect("starts"));
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
