//! `acrida run`: makes a world, waits for its first process, cleans up.
//!
//! The world's host processes are all children of this one. Those that end by themselves were already buried by the
//! kernel; those that the host killed are reported to it.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use acrida_trace_format::boot::{BootBlock, LISTS_MAX, LISTS_OFFSET, Lists, MAGIC, PANIC_OFFSET, flags};
use acrida_trace_format::control::{self, Message};
use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{WaitOptions, WaitStatus};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

static IMAGE: &[u8] = include_bytes!(env!("ACRIDA_IMAGE"));

const ARENA_SIZE: u64 = 64 << 30;
const WINDOW_SIZE: u64 = 1 << 40;

#[derive(clap::Args)]
pub struct RunArgs {
    /// Mount a file system of the world's own: TYPE:[SOURCE:]PATH[:ro]
    #[arg(long, value_name = "SPEC")]
    mount: Vec<OsString>,
    /// Leave call sites unpatched: every call comes in through a trap
    #[arg(long)]
    no_patch: bool,
    /// Fail when the program made a call that the kernel does not know
    #[arg(long)]
    strict: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// What the kernel reads and writes beside the guests.
struct World {
    arena: File,
    control: OwnedFd,
}

pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let world = start(args)?;
    supervise(&world)
}

fn object(name: &str, size: u64) -> Result<File> {
    let fd = memfd_create(name, MemfdFlags::empty()).with_context(|| format!("cannot create shared memory for the {name}"))?;
    ftruncate(&fd, size).with_context(|| format!("cannot size the {name} (is `ulimit -f` set?)"))?;
    Ok(File::from(fd))
}

fn start(args: &RunArgs) -> Result<World> {
    let arena = object("acrida-arena", ARENA_SIZE)?;
    let physmem = object("acrida-memory", WINDOW_SIZE)?;
    let mut image = File::from(memfd_create("acrida-image", MemfdFlags::CLOEXEC)?);
    image.write_all(IMAGE)?;
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )?;
    fcntl_setfd(&theirs, FdFlags::empty())?;
    let lists = lists(args)?.encode();
    ensure!((lists.len() as u64) < LISTS_MAX, "the argument list is too long");
    let mut flag_bits = 0;
    if args.no_patch {
        flag_bits |= flags::NO_PATCH;
    }
    if args.strict {
        flag_bits |= flags::STRICT;
    }
    let block = BootBlock {
        magic: MAGIC,
        flags: flag_bits,
        physmem_fd: physmem.as_raw_fd(),
        control_fd: theirs.as_raw_fd(),
        supervisor_pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        umask: umask().bits(),
        lists_len: lists.len() as u64,
        ..BootBlock::new_zeroed()
    };
    arena.write_all_at(block.as_bytes(), 0)?;
    arena.write_all_at(&lists, LISTS_OFFSET)?;
    let mut command = Command::new(format!("/proc/self/fd/{}", image.as_raw_fd()));
    command.arg0("acrida-kernel").arg(arena.as_raw_fd().to_string()).env_clear();
    command.spawn().context("cannot start the kernel image (is /proc mounted, is memory executable?)")?;
    drop(theirs);
    Ok(World { arena, control: ours })
}

/// The process's umask, which can only be read by setting it. The kernel applies the guest's own, so the host's is 0.
fn umask() -> rustix::fs::Mode {
    rustix::process::umask(rustix::fs::Mode::empty())
}

fn lists(args: &RunArgs) -> Result<Lists> {
    let bytes = |s: &OsString| s.as_bytes().to_vec();
    let cwd = std::env::current_dir().context("the current directory is gone")?;
    let mut cwd_option = b"cwd=".to_vec();
    cwd_option.extend_from_slice(cwd.as_os_str().as_bytes());
    let mut path_option = b"path=".to_vec();
    path_option.extend_from_slice(&candidates(&args.program[0]));
    let envp = std::env::vars_os().map(|(name, value)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        entry
    });
    Ok(Lists {
        argv: args.program.iter().map(bytes).collect(),
        envp: envp.collect(),
        mounts: args.mount.iter().map(bytes).collect(),
        options: vec![cwd_option, path_option],
    })
}

/// Where to look for the program, one path a line, as `execvp` would.
fn candidates(program: &OsString) -> Vec<u8> {
    let name = program.as_bytes();
    if name.contains(&b'/') {
        return name.to_vec();
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let join = |dir: &[u8]| if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
    path.as_bytes().split(|&b| b == b':').map(join).collect::<Vec<_>>().join(&b'\n')
}

/// Waits for news until the first process has ended; gives its status as a shell would.
fn supervise(world: &World) -> Result<ExitCode> {
    let (send, news) = std::sync::mpsc::channel();
    let control = world.control.try_clone()?;
    let from_control = send.clone();
    std::thread::spawn(move || {
        loop {
            let mut message = Message::new_zeroed();
            match rustix::io::read(&control, message.as_mut_bytes()) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    if from_control.send(News::Message(message)).is_err() {
                        break;
                    }
                }
            }
        }
    });
    std::thread::spawn(move || {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::empty()) {
            if send.send(News::Died(pid.as_raw_nonzero().get() as u32, status)).is_err() {
                break;
            }
        }
        let _ = send.send(News::AllGone);
    });
    let mut exit: Option<u32> = None;
    loop {
        match news.recv() {
            Ok(News::Message(m)) if m.kind == control::INIT_EXITED => {
                exit = Some(m.status);
                tell(world, control::SHUT_DOWN, 0, 0);
            }
            Ok(News::Message(_)) => {}
            Ok(News::Died(pid, status)) => {
                if let Some(report) = panic_report(world)? {
                    tell(world, control::SHUT_DOWN, 0, 0);
                    rustix::net::shutdown(&world.control, rustix::net::Shutdown::Both).ok();
                    bail!("the kernel panicked: {report}");
                }
                if status.terminating_signal().is_some() {
                    tell(world, control::PROCESS_DIED, pid, status.as_raw() as u32);
                }
            }
            Ok(News::AllGone) | Err(_) => break,
        }
    }
    match exit {
        Some(status) => Ok(ExitCode::from(shell_status(status))),
        None => bail!("the world ended without its first process"),
    }
}

enum News {
    Message(Message),
    Died(u32, WaitStatus),
    AllGone,
}

fn tell(world: &World, kind: u32, pid: u32, status: u32) {
    // A kernel process that is gone needs no news.
    let _ = rustix::io::write(&world.control, Message { kind, pid, status, _pad: 0 }.as_bytes());
}

fn panic_report(world: &World) -> Result<Option<String>> {
    let mut bytes = [0u8; size_of::<BootBlock>()];
    world.arena.read_exact_at(&mut bytes, 0)?;
    let block = BootBlock::read_from_bytes(&bytes).map_err(|_| anyhow::anyhow!("the boot block has another size"))?;
    if block.state & 2 == 0 {
        return Ok(None);
    }
    let mut text = vec![0u8; block.panic_len as usize];
    world.arena.read_exact_at(&mut text, PANIC_OFFSET)?;
    Ok(Some(String::from_utf8_lossy(&text).into_owned()))
}

fn shell_status(status: u32) -> u8 {
    match status & 0x7f {
        0 => (status >> 8) as u8,
        signal => 128 + signal as u8,
    }
}
