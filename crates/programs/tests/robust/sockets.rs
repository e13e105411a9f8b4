//! Local sockets: ends that are killed from outside, descriptors in flight, sockets of the host.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use acrida_programs::run::{Side, run};
use anyhow::{Context, Result, ensure};

use crate::{compile, find_child, says_ok, scratch};

/// The conformance guest whose victims die by its own hand there. Here the host kills them: the kernel in such a process
/// learns nothing, and what the others see must be the same as when Linux buries a process.
pub fn killed_ends(binary: &Path, _soak: bool) -> Result<()> {
    let dir = scratch()?;
    let program = compile(Path::new("unix_killed.c"), dir.path())?;
    let told = |side: Side, label: &str| -> Result<Vec<String>> {
        let mut command = side.command(program.to_str().context("a path of this test")?);
        // Socket names in it are relative, so that they are short enough.
        command.arg(dir.path().join(label)).env("KILL_FROM_OUTSIDE", "1").stdout(Stdio::piped());
        lines_of(command.spawn()?)
    };
    let native = told(Side::Native, "native")?;
    let ours = told(Side::Acrida(binary.to_owned()), "acrida")?;
    let kills = native.iter().filter(|line| is_request(line)).count();
    ensure!(kills > 35, "only {kills} victims");
    ensure!(native == ours, "natively\n{}\nunder acrida\n{}", native.join("\n"), ours.join("\n"));
    ensure!(!ours.iter().any(|line| line.contains("something is left")), "{}", ours.join("\n"));
    Ok(())
}

fn is_request(line: &str) -> bool {
    line.ends_with(": kill")
}

/// What a guest says until its end; whoever it wants killed is killed.
fn lines_of(mut guest: Child) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for line in BufReader::new(guest.stdout.take().context("piped")?).lines() {
        lines.push(line?);
        if lines.last().is_some_and(|line| is_request(line)) {
            let victim = loop {
                // It is there, but it may be about to change its name.
                match find_child(guest.id(), "victim")? {
                    Some(victim) => break victim,
                    None => std::thread::yield_now(),
                }
                ensure!(guest.try_wait()?.is_none(), "the guest ended early:\n{}", lines.join("\n"));
            };
            rustix::process::kill_process(victim, rustix::process::Signal::KILL)?;
        }
    }
    let status = guest.wait()?;
    ensure!(status.success(), "{status}:\n{}", lines.join("\n"));
    Ok(lines)
}

/// 50,000 sockets in each other's queues, and threads that pass descriptors in cycles: the count of open files returns.
pub fn descriptors_in_flight(binary: &Path, soak: bool) -> Result<()> {
    says_ok(binary, "descriptors_in_flight", &[if soak { "60" } else { "5" }, "8"], 200)
}

/// On the host: answers commands on a stream, and keeps what comes as datagrams.
const SERVER: &str = r#"
import os, socket, sys, threading
datagrams = []
def listen(name, kind):
    s = socket.socket(socket.AF_UNIX, kind); s.bind(name); s.listen(); return s
def serve(listener):
    while True:
        c, _ = listener.accept()
        try: talk(c)
        except OSError: pass
        c.close()
def talk(c):
    while (said := c.recv(1 << 16)):
        if said == b"fd":
            socket.send_fds(c, [b"here"], [0])
        elif said == b"datagrams":
            c.send(b" ".join(datagrams))
        elif said == b"count":
            n = 0; c.send(b"go")
            while n < 3000000: n += len(c.recv(1 << 16))
            c.send(b"%d" % n)
        elif said == b"end":
            break
        else:
            c.send(said.upper())
listeners = [listen(name, socket.SOCK_STREAM) for name in ("stream", sys.argv[1])] + [listen("packets", socket.SOCK_SEQPACKET)]
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind("datagrams")
for l in listeners: threading.Thread(target=serve, args=(l,), daemon=True).start()
print("ready", flush=True)
while True: datagrams.append(d.recv(100))
"#;

/// In the world: says what came of it.
const CLIENT: &str = r#"
import errno, os, select, socket, struct, sys
def attempt(what, f):
    try: print(what, f())
    except OSError as e: print(what, errno.errorcode[e.errno])
def connected(name, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_UNIX, kind); s.connect(name); return s
for name in sys.argv[2:]: attempt(os.path.basename(name), lambda: connected(name).send(b"x"))
attempt("datagram", lambda: connected("datagrams", socket.SOCK_DGRAM).send(b"one"))
attempt("by name", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"two", "datagrams"))
attempt("kind", lambda: connected("stream", socket.SOCK_DGRAM))
def talk():
    s = socket.socket(socket.AF_UNIX); s.setblocking(False); s.settimeout(100)
    ep = select.epoll(); ep.register(s, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
    s.connect("stream")
    s.send(b"hello")
    while not any(mask & select.EPOLLIN for _, mask in ep.poll(20)): pass
    print("epoll", s.recv(100))
    s.send(b"again"); print("poll", [m for _, m in poller(s)], s.recv(2, socket.MSG_PEEK), s.recv(100))
    s.sendmsg([b"gath", b"ered"]); print("gathered", s.recv_into(b := bytearray(8), 8, socket.MSG_WAITALL), bytes(b))
    s.send(b"fd"); data, control, flags, _ = s.recvmsg(100, 100); print("descriptor", data, control, flags & socket.MSG_CTRUNC != 0)
    attempt("sending one", lambda: socket.send_fds(s, [b"x"], [0]))
    pid, uid, gid = struct.unpack("3i", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)); print("peer", pid, uid == os.getuid())
    print("name", os.path.basename(s.getpeername()), repr(s.getsockname()))
    attempt("connect again", lambda: s.connect("stream"))
    s.setblocking(False); attempt("nothing there", lambda: s.recv(1)); s.settimeout(100)
    s.send(b"count"); s.recv(2); s.sendall(bytes(3000000)); print("large", s.recv(100))
    if os.fork() == 0: s.send(b"child"); os._exit(0)
    os.wait(); print("inherited", s.recv(100))
    s.send(b"end"); print("end", s.recv(100), [m & select.POLLHUP for _, m in poller(s)]); attempt("after", lambda: s.send(b"x"))
def poller(s):
    p = select.poll(); p.register(s, select.POLLIN); return p.poll(20000)
if sys.argv[1] == "talk":
    talk()
    p = connected("packets", socket.SOCK_SEQPACKET); p.send(b"first"); print("packet", p.recv(3)); p.send(b"datagrams"); print("kept", p.recv(100))
"#;

const ALL: &str = "stream 1
link 1
datagram 3
by name 3
kind EPROTOTYPE
epoll b'HELLO'
poll [1] b'AG' b'AGAIN'
gathered 8 b'GATHERED'
descriptor b'here' [] True
sending one EPERM
peer 0 True
name stream ''
connect again EISCONN
nothing there EAGAIN
large b'3000000'
inherited b'CHILD'
end b'' [16]
after EPIPE
packet b'FIR'
kept b'one two'
";

/// Ended with the trial.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn server(dir: &Path, covered: &str) -> Result<Server> {
    let mut child =
        Command::new("/usr/bin/python3.11").args(["-c", SERVER, covered]).current_dir(dir).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
    let server = Server(child);
    ensure!(line == "ready\n", "the server says {line:?}");
    Ok(server)
}

/// Path sockets of the host are there for a world that was given them, and for no other.
pub fn host_sockets(binary: &Path, _soak: bool) -> Result<()> {
    // Names of sockets must be short. The outputs lie beside the sockets.
    let make = |place: &str| tempfile::Builder::new().prefix("acrida-").tempdir_in(place);
    let (open, hidden) = (make("/var/tmp")?, make("/tmp")?);
    let dir = open.path().canonicalize()?.join("sockets");
    std::fs::create_dir(&dir)?;
    let place = |name: &str| dir.join(name).display().to_string();
    // The world has a /tmp of its own.
    let covered = hidden.path().join("below").display().to_string();
    std::os::unix::fs::symlink(dir.join("stream"), dir.join("link"))?;
    let _server = server(&dir, &covered)?;
    let says = |options: &[&str], args: &[&str]| -> Result<String> {
        let mut command = Command::new(binary);
        command.arg("run").args(options).args(["--", "/usr/bin/python3.11", "-c", CLIENT]).args(args);
        let outcome = run(command, &dir, "client", Duration::from_secs(60))?;
        ensure!(outcome.status == 0, "status {}: {}", outcome.status, String::from_utf8_lossy(&outcome.stderr));
        Ok(String::from_utf8(outcome.stdout)?)
    };
    let (stream, link, below) = (place("stream"), place("link"), hidden.path().display().to_string());
    let refused = "datagram ECONNREFUSED\nby name ECONNREFUSED\nkind ECONNREFUSED\n";
    let cases: [(&str, &[&str], &[&str], String); 6] = [
        ("without the option", &[], &["-", &covered], format!("below ENOENT\n{refused}")),
        ("with the directory", &["--host-socket", &place("")], &["talk", &stream, &link], ALL.into()),
        ("with another path", &["--host-socket", &place("strea")], &["-"], refused.into()),
        (
            "with one socket",
            &["--host-socket", &link, "--host-socket", &place("none")],
            &["-"],
            "datagram ECONNREFUSED\nby name ECONNREFUSED\nkind EPROTOTYPE\n".into(),
        ),
        ("below a mount", &["--host-socket", &covered], &["-", &covered], format!("below 1\n{refused}")),
        ("a directory below a mount", &["--host-socket", &below], &["-", &covered], format!("below 1\n{refused}")),
    ];
    for (what, options, args, expected) in cases {
        let said = says(options, args).with_context(|| what.to_owned())?;
        ensure!(said == expected, "{what}:\n{said}");
    }
    Ok(())
}
