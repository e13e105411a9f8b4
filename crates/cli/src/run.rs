//! `acrida run`: makes a world around a program. What happens then is in `supervise`.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};

use acrida_trace_format::boot::{BootBlock, LISTS_MAX, LISTS_OFFSET, Lists, MAGIC, flags};
use acrida_trace_format::layout::{ARENA_SIZE, WINDOW_SIZE};
use anyhow::{Context, Result, ensure};
use rustix::io::{FdFlags, fcntl_setfd};
use zerocopy::{FromZeros, IntoBytes};

use crate::cache::Cache;
use crate::supervise::Inherited;
use crate::trace::{Filter, Tracer};
use crate::worlds::Registered;
use crate::{objects, stats, supervise, worlds};

/// Run a program in a world of its own
///
/// The program's exit status is acrida's: 128 plus the signal's number when a signal ended it, 126 when the program
/// cannot be executed, 127 when it was not found, 125 when acrida itself failed. Standard input and output, environment
/// and current directory are the program's. A run that goes well prints nothing else.
#[derive(clap::Args)]
pub struct RunArgs {
    /// Mount a file system: tmpfs, locust, demofs, devtmpfs, proc, devpts; `bind` shows a part of the world's tree at a second
    /// place, `host` a part of the host's, also one that the world's own /tmp, /run and /dev/shm hide: `host:/tmp/work`
    #[arg(long, value_name = "TYPE:[SOURCE:]PATH[:ro]")]
    mount: Vec<OsString>,
    /// Let the world connect to sockets of the host: the one at PATH, or those below it if it is a directory. They are seen at
    /// their places also where the world has a file system of its own, such as /run. Without this option a connection to
    /// a socket that was made outside the world is refused. May be given more than once
    #[arg(long, value_name = "PATH")]
    host_socket: Vec<PathBuf>,
    /// Write a line for every system call, signal and end of a process, to FILE or to standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<PathBuf>>,
    /// Trace only some calls: names, prefix*, %file %desc %process %signal %memory %ours %host %refused, !NAME, and
    /// conditions failed, pid=N, fd=N, slow=MILLISECONDS, separated by commas
    #[arg(long, value_name = "EXPR", value_parser = Filter::parse)]
    trace_filter: Option<Filter>,
    /// At the end, show per call how often it was made, who served it, what it cost the host, and its time
    #[arg(long)]
    stats: bool,
    /// Fail when the program made a call that the kernel does not know
    #[arg(long)]
    strict: bool,
    /// Stay until the last process of the world ends, not only the first
    #[arg(long)]
    linger: bool,
    /// Leave call sites unpatched: every call comes in through a trap
    #[arg(long)]
    no_patch: bool,
    /// Let calls come in through a seccomp filter, also where Syscall User Dispatch works
    #[arg(long)]
    seccomp: bool,
    /// Keep to yourself what is no failure: calls that the kernel does not know, a fall-back that was taken
    #[arg(long, short)]
    quiet: bool,
    /// Let the call number 0xac1d stop the world with a kernel panic, to see how that looks
    #[arg(long, hide = true)]
    debug_panic: bool,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

impl RunArgs {
    fn tracing(&self) -> bool {
        self.trace.is_some() || self.trace_filter.is_some()
    }

    fn filter(&self) -> Filter {
        self.trace_filter.clone().unwrap_or_else(Filter::all)
    }

    fn flag_bits(&self) -> u64 {
        let switches = [
            (self.tracing(), flags::TRACE),
            (self.stats, flags::STATS),
            (self.debug_panic, flags::DEBUG_PANIC),
            (self.no_patch, flags::NO_PATCH),
            (self.linger, flags::LINGER),
            (self.seccomp, flags::SECCOMP),
            (self.quiet, flags::QUIET),
        ];
        switches.iter().filter(|(on, _)| *on).fold(0, |bits, (_, bit)| bits | bit)
    }

    fn trace_output(&self) -> Result<Option<Box<dyn Write>>> {
        if !self.tracing() {
            return Ok(None);
        }
        let out: Box<dyn Write> = match self.trace.as_ref().and_then(Option::as_ref) {
            Some(path) => Box::new(File::create(path).with_context(|| format!("cannot write the trace to {}", path.display()))?),
            None => Box::new(std::io::stderr()),
        };
        Ok(Some(out))
    }
}

/// What the kernel reads and writes beside the guests.
pub struct World {
    pub arena: File,
    pub control: OwnedFd,
    /// Host process of the kernel.
    pub kernel_pid: u32,
    /// How other commands find the world; `None` where there is no directory for it.
    pub registered: Option<Registered>,
    pub linger: bool,
    pub strict: bool,
    pub quiet: bool,
}

pub fn run(args: &RunArgs) -> Result<ExitCode> {
    let inherited = Inherited::now();
    let signals = supervise::catch_signals()?;
    let trace = args.trace_output()?;
    let world = start(args, inherited)?;
    let tracer = match trace {
        Some(out) => Some(Tracer::new(world.arena.try_clone()?, out, args.filter())),
        None => None,
    };
    let result = supervise::supervise(&world, signals, tracer);
    if args.stats {
        // The program's own status counts more than a table that nobody can read.
        let _ = std::io::stderr().write_all(stats::table(&world.arena)?.as_bytes());
    }
    result
}

fn start(args: &RunArgs, inherited: Inherited) -> Result<World> {
    objects::check_host()?;
    let mut notes = Vec::new();
    let arena = objects::shared("acrida-arena", ARENA_SIZE, &mut notes)?;
    let physmem = objects::shared("acrida-memory", WINDOW_SIZE, &mut notes)?;
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::SEQPACKET,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .context("cannot make the control channel")?;
    fcntl_setfd(&theirs, FdFlags::empty()).context("cannot keep the control channel open for the kernel")?;
    let place = worlds::place();
    let cache = Cache::open();
    let lists = lists(args, place.as_deref(), cache.as_ref())?.encode();
    ensure!((lists.len() as u64) < LISTS_MAX, "the argument list is too long");
    let block = BootBlock {
        magic: MAGIC,
        flags: args.flag_bits(),
        physmem_fd: physmem.as_raw_fd(),
        control_fd: theirs.as_raw_fd(),
        supervisor_pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        umask: umask().bits(),
        ignored: inherited.ignored,
        blocked: inherited.blocked,
        lists_len: lists.len() as u64,
        ..BootBlock::new_zeroed()
    };
    arena.write_all_at(block.as_bytes(), 0).context("cannot write to the kernel's memory")?;
    arena.write_all_at(&lists, LISTS_OFFSET).context("cannot write to the kernel's memory")?;
    let child = start_kernel(&arena, cache.as_ref(), &mut notes)?;
    let registered = place.and_then(|place| Registered::new(place, &args.program));
    for note in notes.iter().filter(|_| !args.quiet) {
        crate::say(note);
    }
    drop(theirs);
    if let Some(cache) = &cache {
        cache.tidy();
    }
    Ok(World {
        arena,
        control: ours,
        kernel_pid: child.id(),
        registered,
        linger: args.linger,
        strict: args.strict,
        quiet: args.quiet,
    })
}

fn start_kernel(arena: &File, cache: Option<&Cache>, notes: &mut Vec<String>) -> Result<Child> {
    let arena = arena.as_raw_fd().to_string();
    // A directory whose files must not be executed is as good as none.
    match cache.and_then(Cache::kernel).and_then(|image| objects::kernel(&image, &arena).spawn().ok()) {
        Some(child) => Ok(child),
        None => objects::start_image(&arena, notes),
    }
}

/// The process's umask, which can only be read by setting it. The kernel applies the guest's own, so the host's is 0.
fn umask() -> rustix::fs::Mode {
    rustix::process::umask(rustix::fs::Mode::empty())
}

/// Where `path` leads to; its last part need not be there yet.
fn real_path(path: &Path) -> Result<PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    let (parent, name) = path.parent().zip(path.file_name()).with_context(|| format!("{} names no socket", path.display()))?;
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    Ok(parent.canonicalize().with_context(|| format!("cannot find {}", parent.display()))?.join(name))
}

fn lists(args: &RunArgs, place: Option<&Path>, cache: Option<&Cache>) -> Result<Lists> {
    let bytes = |s: &OsString| s.as_bytes().to_vec();
    let cwd = std::env::current_dir().context("the current directory is gone")?;
    let mut cwd_option = b"cwd=".to_vec();
    cwd_option.extend_from_slice(cwd.as_os_str().as_bytes());
    let mut path_option = b"path=".to_vec();
    path_option.extend_from_slice(&candidates(&args.program[0]));
    let mut options = vec![cwd_option, path_option];
    for path in &args.host_socket {
        options.push([&b"host-socket="[..], real_path(path)?.as_os_str().as_bytes()].concat());
    }
    if args.tracing() {
        options.push([&b"trace-calls="[..], &args.filter().calls.encode()].concat());
    }
    if let Some(place) = place {
        options.push([&b"world-file="[..], place.as_os_str().as_bytes()].concat());
    }
    if let Some(cache) = cache {
        options.push([&b"texts="[..], cache.path().as_os_str().as_bytes()].concat());
    }
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
        options,
    })
}

/// Where to look for the program, one path a line, as `execvp` would.
fn candidates(program: &OsString) -> Vec<u8> {
    let name = program.as_bytes();
    // No name is in no directory.
    if name.contains(&b'/') || name.is_empty() {
        return name.to_vec();
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let join = |dir: &[u8]| if dir.is_empty() { name.to_vec() } else { [dir, b"/", name].concat() };
    path.as_bytes().split(|&b| b == b':').map(join).collect::<Vec<_>>().join(&b'\n')
}
