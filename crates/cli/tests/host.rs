//! Hosts that refuse something: what acrida falls back to, and what it says.
//!
//! `host/deny.c` runs a command under a filter of its own that makes the host look older or stricter than it is.

mod acrida;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use acrida::{status, text};

/// Signals, threads of a shell's making, pipes and files: enough to see that calls come in.
const SCRIPT: &str = "trap 'echo got it' USR1; kill -USR1 $$; seq 1000 | sort -rn | head -n 1; : > /tmp/x && ls /tmp/x";
const SAYS: &str = "got it\n1000\n/tmp/x\n";

fn deny() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| compiled("deny"))
}

/// `host/NAME.c`, at one place for all runs: it is renamed to there, so that two may have it at a time.
fn compiled(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let unfinished = program.with_extension(std::process::id().to_string());
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/host/{name}.c"));
    assert!(Command::new("cc").arg("-o").args([&unfinished, &source]).status().expect("a C compiler").success());
    std::fs::rename(&unfinished, &program).expect("renamed");
    program
}

/// `acrida run ARGS` with what `wrap` says in front of it.
fn run_under(wrap: &[&str], args: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    // Without the cache of earlier runs, which holds the kernel as a file.
    command.env("XDG_CACHE_HOME", "/dev/null");
    command.args(["-k", "5", "300"]).args(wrap).args([env!("CARGO_BIN_EXE_acrida"), "run"]).args(args);
    command.output().expect("timeout is there")
}

fn run_without(what: &[&str], args: &[&str]) -> Output {
    let deny = deny().to_str().expect("a path in UTF-8");
    run_under(&[&[deny], what, &["--"]].concat(), args)
}

fn said(output: &Output) -> (i32, String, String) {
    (status(output), text(&output.stdout), text(&output.stderr))
}

#[test]
fn seccomp_serves_where_dispatch_is_refused() {
    let (code, out, error) = said(&run_without(&["dispatch"], &["--", "sh", "-c", SCRIPT]));
    assert_eq!((code, out.as_str()), (0, SAYS), "{error}");
    assert!(error.starts_with("acrida: ") && error.contains("seccomp") && error.lines().count() == 1, "{error}");
}

#[test]
fn seccomp_serves_silently_when_asked_for() {
    for args in [&["--seccomp", "--", "sh", "-c", SCRIPT][..], &["--quiet", "--", "sh", "-c", SCRIPT]] {
        assert_eq!(said(&run_without(&["dispatch"], args)), (0, SAYS.into(), String::new()));
    }
    assert_eq!(said(&run_without(&[], &["--seccomp", "--", "sh", "-c", SCRIPT])), (0, SAYS.into(), String::new()));
}

#[test]
fn without_a_way_in_it_says_so() {
    let (code, out, error) = said(&run_without(&["dispatch", "filters"], &["--", "true"]));
    assert_eq!((code, out.as_str()), (125, ""), "{error}");
    assert!(error.contains("Syscall User Dispatch (EINVAL) and seccomp filters (EPERM)"), "{error}");
    let (code, _, error) = said(&run_without(&["filters"], &["--seccomp", "--", "true"]));
    assert_eq!(code, 125, "{error}");
    assert!(error.contains("try without --seccomp"), "{error}");
}

#[test]
fn files_stand_in_for_memory_objects() {
    let (code, out, error) = said(&run_without(&["memory-objects"], &["--", "sh", "-c", SCRIPT]));
    assert_eq!((code, out.as_str()), (0, SAYS), "{error}");
    assert!(error.contains("does not execute memory objects") && error.contains("is a file in /"), "{error}");
    let (code, out, error) = said(&run_without(&["memory-objects"], &["-q", "--", "sh", "-c", SCRIPT]));
    assert_eq!((code, out.as_str(), error.as_str()), (0, SAYS, ""));
}

/// Edges of the host's descriptors, each told once: at first, of what comes, and again after a reader found nothing more.
const EDGES: &str = r#"
import select, socket
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
far.setblocking(False)
edges = select.epoll()
edges.register(far, select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)
def show(what, wait): print(what, [mask for _, mask in edges.poll(wait)])
show("first", 5)
show("no news", 0.1)
near.send(b"one")
show("came", 5)
show("no news", 0.1)
print(far.recv(2))
show("still there", 0.1)
print(far.recv(2))
near.send(b"two")
show("came", 5)
print(far.recv(3))
try: far.recv(3)
except BlockingIOError: print("nothing")
near.send(b"three")
show("came", 5)
near.close()
show("end", 5)
show("no news", 0.1)
# What is watched is closed at once all the same.
for _ in range(20):
    other = socket.create_server(("127.0.0.1", 0))
    edges.register(other, select.EPOLLIN)
    edges.poll(0.01)
    place = other.getsockname()
    other.close()
    try: socket.create_connection(place)
    except ConnectionRefusedError: pass
    else: print("still there")
"#;

#[test]
fn edges_are_exact_without_the_hosts_epoll() {
    let python = ["-q", "--", "/usr/bin/python3", "-c", EDGES];
    let native = Command::new(python[2]).args(&python[3..]).output().expect("python3 is there");
    assert_eq!(status(&native), 0, "{}", text(&native.stderr));
    assert_eq!(said(&run_without(&["waits"], &python)), (0, text(&native.stdout), String::new()));
}

#[test]
fn an_old_kernel_is_named() {
    let (code, _, error) = said(&run_under(&["setarch", "x86_64", "--uname-2.6"], &["--", "true"]));
    assert_eq!(code, 125, "{error}");
    assert!(error.contains("this is Linux 2.6.") && error.contains("needs 5.8"), "{error}");
}

#[test]
fn it_starts_without_proc() {
    let hide = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""];
    let possible = Command::new(hide[0]).args(&hide[1..]).arg("true").output().is_ok_and(|o| o.status.success());
    if !possible {
        eprintln!("hiding /proc needs the right to mount: left out");
        return;
    }
    let (code, out, error) = said(&run_under(&hide, &["--", "sh", "-c", SCRIPT]));
    assert_eq!((code, out.as_str()), (0, SAYS), "{error}");
    assert!(error.starts_with("acrida: /proc is not mounted here"), "{error}");
}

#[test]
fn calls_of_the_32_bit_table_answer_enosys() {
    let program = compiled("int80");
    for options in [&["-q", "--"][..], &["--seccomp", "--"]] {
        let (code, _, error) = said(&run_under(&[], &[options, &[program.to_str().expect("a path in UTF-8")]].concat()));
        assert_eq!(code, 38, "{error}");
    }
}
