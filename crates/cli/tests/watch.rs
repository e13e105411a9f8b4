//! Looking on: `--trace`, `--trace-filter`, `--stats`, `ps` and `ls-fd` on real runs.

mod acrida;

use acrida::{acrida, run, start, status, text};

/// A trace's lines of process `pid` without number and time.
fn lines(trace: &str) -> Vec<&str> {
    trace
        .lines()
        .filter_map(|line| line.trim_start().splitn(3, ' ').last().map(str::trim_start))
        .map(|l| l.split_once(' ').map_or(l, |(_, rest)| rest))
        .collect()
}

#[test]
fn calls_have_their_arguments_results_and_errors() {
    let output = run(&["--trace", "--", "sh", "-c", "exec 3</no/such/file"]);
    let trace = text(&output.stderr);
    assert!(
        trace.contains("openat(AT_FDCWD, \"/no/such/file\", O_RDONLY, 0000) = -1 ENOENT (No such file or directory) <"),
        "{trace}"
    );
    let output = run(&["--trace", "--", "sh", "-c", "echo hello; /bin/true; exit 3"]);
    let trace = text(&output.stderr);
    for part in [
        "write(1, \"hello\\n\", 6) = 6 <",
        "execve(\"/bin/true\", [\"/bin/true\"], 0x",
        "exit_group(3) = ?",
        "+++ exited with 3 +++",
        "--- SIGCHLD {",
        "wait4(-1, [exited with 0], 0, NULL) = ",
    ] {
        assert!(trace.contains(part), "no {part} in {trace}");
    }
    assert_eq!((status(&output), text(&output.stdout).as_str()), (3, "hello\n"));
}

#[test]
fn the_trace_goes_to_a_file_and_the_filter_chooses() {
    let file = std::env::temp_dir().join(format!("acrida-trace-{}", std::process::id()));
    let option = format!("--trace={}", file.display());
    let output = run(&[&option, "--trace-filter", "write,exit*", "--", "sh", "-c", "echo a; echo b"]);
    let trace = std::fs::read_to_string(&file).expect("written");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).expect("there"));
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(text(&output.stderr), "");
    let umask = std::process::Command::new("sh").args(["-c", "umask"]).output().expect("a shell").stdout;
    let umask = u32::from_str_radix(text(&umask).trim(), 8).expect("a mask");
    assert_eq!(mode & 0o777, 0o666 & !umask);
    let calls: Vec<&str> = lines(&trace).iter().map(|line| line.split('(').next().unwrap_or("").trim()).collect();
    assert_eq!(calls, ["write", "write", "exit_group", "+++ exited with 0 +++"], "{trace}");
}

#[test]
fn no_record_of_a_busy_world_is_missing() {
    let program = "import os\nfor _ in range(20000): os.getppid()\nos._exit(0)";
    let output = run(&["--trace", "--trace-filter", "getppid", "--", "/usr/bin/python3", "-c", program]);
    let trace = text(&output.stderr);
    assert!(!trace.contains("lost"), "{}", trace.lines().last().unwrap_or(""));
    assert_eq!(trace.matches("getppid()").count(), 20000);
}

#[test]
fn statistics_show_that_our_calls_cost_the_host_nothing() {
    let program = "import os\nr, w = os.pipe()\nfor _ in range(1000): os.write(w, b'x'); os.read(r, 1); os.getppid()";
    let output = run(&["--stats", "--", "/usr/bin/python3", "-c", program]);
    let table = text(&output.stderr);
    let row = |name: &str| -> Vec<String> {
        let row = table
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name))
            .unwrap_or_else(|| panic!("no {name} in {table}"));
        row.split_whitespace().map(str::to_string).collect()
    };
    let getppid = row("getppid");
    assert_eq!(getppid[1..5], ["ours", "1000", "0", "0"], "{table}");
    // Of a thousand writes to a pipe none reached the host.
    let write = row("write");
    assert_eq!((write[1].as_str(), write[4].as_str()), ("ours", "0"), "{table}");
    assert!(write[2].parse::<u32>().expect("a number") >= 1000);
}

#[test]
fn processes_and_descriptors_of_a_running_world() {
    let (mut child, line) = start(&["--", "sh", "-c", "exec 5</etc/passwd; sleep 1000 | cat & echo $$; wait"]);
    let shell = line.trim();
    let world = child.id().to_string();
    let look = |args: &[&str]| {
        let output = acrida(args).args(["--world", &world]).output().expect("runs");
        (output.status.code(), text(&output.stdout))
    };
    acrida::until("sleep and cat are there", || {
        let (_, table) = look(&["ps"]);
        table.contains(" sleep 1000") && table.contains("pipe_read") && table.contains("hrtimer_nanosleep")
    });
    let (code, fds) = look(&["ls-fd"]);
    assert_eq!(code, Some(0));
    assert!(fds.contains("/etc/passwd") && fds.contains("pipe:["), "{fds}");
    let (_, first) = look(&["ls-fd", shell]);
    assert!(
        first.contains("/etc/passwd") && !first.contains("pipe_read") && first.lines().skip(2).all(|line| line.contains(" sh ")),
        "{first}"
    );
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(child.id() as i32).expect("a pid"),
        rustix::process::Signal::TERM,
    )
    .expect("sent");
    acrida::finish(&mut child);
    let (code, _) = look(&["ps"]);
    assert_eq!(code, Some(125));
}
