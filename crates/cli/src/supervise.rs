//! The life of a world as its command sees it.
//!
//! The world's host processes are all children of this one. Those that end by themselves were already buried by the
//! kernel; those that the host killed are reported to it. Threads wait for one kind of news each and put it into one
//! channel; everything is decided in one place.
//!
//! Signals: what the terminal sends (Ctrl-C, Ctrl-Z) reaches the guests by itself, since they are in the same process
//! group, and is only kept from killing the command. What somebody sends to the command is passed on to the world's
//! first process. When that one stops, the command stops too, so that a shell's job control sees it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use acrida_trace_format::boot::{BootBlock, PANIC_MAX, PANIC_OFFSET};
use acrida_trace_format::control::{self, Message, PACKET_MAX, view};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process};
use signal_hook::consts::{
    SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGXFSZ,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::raw::WithRawSiginfo;
use zerocopy::{FromBytes, IntoBytes};

use crate::run::World;
use crate::trace::Tracer;
use crate::{calls, image, trace, worlds};

/// How often the trace ring is read while the world runs.
const TRACE_EVERY: Duration = Duration::from_millis(10);

pub type Signals = SignalsInfo<WithRawSiginfo>;

/// What the command was started with: signals that are ignored, and that are blocked; bit 0 is signal 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    pub ignored: u64,
    pub blocked: u64,
}

impl Inherited {
    /// To be asked before [`catch_signals`]. Without /proc nothing is known to be ignored or blocked.
    pub fn now() -> Inherited {
        Inherited::parse(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
    }

    fn parse(status: &str) -> Inherited {
        const SIGPIPE_BIT: u64 = 1 << 12;
        let mask = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
        };
        // Rust's runtime ignores SIGPIPE before `main`: what it was before is not to be known.
        Inherited { ignored: mask("SigIgn:") & !SIGPIPE_BIT, blocked: mask("SigBlk:") }
    }
}

/// From now on the command is told of signals instead of being killed or stopped by them.
pub fn catch_signals() -> Result<Signals> {
    let all = [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ];
    Signals::new(all).context("cannot catch signals")
}

enum News {
    Control(Message, Vec<u8>),
    Died(u32, WaitStatus),
    AllGone,
    Signal { number: i32, from_kernel: bool },
    Question(UnixStream),
}

pub fn supervise(world: &World, signals: Signals, tracer: Option<Tracer>) -> Result<ExitCode> {
    let (send, news) = channel();
    watch_control(world.control.try_clone()?, send.clone());
    watch_signals(signals, send.clone());
    if let Some(registered) = &world.registered
        && let Some(listener) = registered.listener()
    {
        let send = send.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten().filter(worlds::is_own_peer) {
                if send.send(News::Question(stream)).is_err() {
                    break;
                }
            }
        });
    }
    watch_children(send, world.kernel_pid);
    let mut supervisor =
        Supervisor { world, tracer, exit: None, first: None, early: Vec::new(), unknown: Vec::new(), questions: VecDeque::new() };
    let ended = supervisor.serve(&news);
    if let Some(tracer) = supervisor.tracer.take() {
        tracer.finish()?;
    }
    ended?;
    match supervisor.exit {
        Some(_) if world.strict && !supervisor.unknown.is_empty() => {
            bail!("--strict: the kernel does not know what the program called: {}", supervisor.unknown.join(", "))
        }
        Some(status) => Ok(ExitCode::from(shell_status(status))),
        // The kernel process has said why.
        None => Ok(ExitCode::from(125)),
    }
}

fn watch_control(control: OwnedFd, send: Sender<News>) {
    std::thread::spawn(move || {
        let mut packet = [0; PACKET_MAX];
        while let Ok(len @ 1..) = rustix::io::read(&control, &mut packet) {
            let Ok((message, text)) = Message::read_from_prefix(&packet[..len]) else { break };
            if send.send(News::Control(message, text.to_vec())).is_err() {
                break;
            }
        }
    });
}

fn watch_signals(mut signals: Signals, send: Sender<News>) {
    /// `si_code` of what the host kernel itself sends, such as the terminal's signals.
    const SI_KERNEL: i32 = 0x80;
    std::thread::spawn(move || {
        for info in signals.forever() {
            let news = News::Signal { number: info.si_signo, from_kernel: info.si_code == SI_KERNEL };
            if send.send(news).is_err() {
                break;
            }
        }
    });
}

fn watch_children(send: Sender<News>, kernel_pid: u32) {
    std::thread::spawn(move || {
        loop {
            match rustix::process::wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) => {
                    let pid = pid.as_raw_nonzero().get() as u32;
                    // A process that the kernel has buried ends with 0, whatever its guest said: no news, and nobody
                    // is woken for it. A panic ends with another status.
                    if pid != kernel_pid && status.exit_status() == Some(0) {
                        continue;
                    }
                    if send.send(News::Died(pid, status)).is_err() {
                        return;
                    }
                }
                Err(rustix::io::Errno::INTR) | Ok(None) => {}
                Err(_) => break,
            }
        }
        let _ = send.send(News::AllGone);
    });
}

struct Supervisor<'a> {
    world: &'a World,
    tracer: Option<Tracer>,
    /// Wait status of the first process.
    exit: Option<u32>,
    /// Host process of the first process.
    first: Option<Pid>,
    /// Signals that came before there was one.
    early: Vec<i32>,
    /// A call in nobody's table was made.
    /// Calls in nobody's table.
    unknown: Vec<String>,
    /// Who waits for an answer of the kernel, in the order of the questions.
    questions: VecDeque<UnixStream>,
}

impl Supervisor<'_> {
    /// Until no process of the world is left.
    fn serve(&mut self, news: &Receiver<News>) -> Result<()> {
        loop {
            let next = match &mut self.tracer {
                Some(tracer) => {
                    tracer.drain(false)?;
                    match news.recv_timeout(TRACE_EVERY) {
                        Err(RecvTimeoutError::Timeout) => continue,
                        other => other.unwrap_or(News::AllGone),
                    }
                }
                None => news.recv().unwrap_or(News::AllGone),
            };
            match next {
                News::Control(message, text) => self.control(message, &text),
                News::Died(pid, status) => self.died(pid, status)?,
                News::Signal { number, from_kernel } => self.signal(number, from_kernel),
                News::Question(stream) => self.question(stream),
                News::AllGone => return Ok(()),
            }
        }
    }

    fn control(&mut self, message: Message, text: &[u8]) {
        match message.kind {
            control::BOOTED => {
                self.first = Pid::from_raw(message.pid as i32);
                for signal in std::mem::take(&mut self.early) {
                    self.pass_on(signal);
                }
            }
            control::INIT_EXITED => {
                self.exit = Some(message.status);
                self.first = None;
                if !self.world.linger {
                    self.tell(control::SHUT_DOWN, 0, 0);
                }
            }
            control::UNKNOWN_CALL => {
                let call = format!("{} ({})", message.status, calls::name(message.status as usize));
                if !self.world.quiet {
                    crate::say(format_args!("system call {call} is in nobody's table; it answered ENOSYS"));
                }
                self.unknown.push(call);
            }
            control::ALL_EXITED => self.tell(control::SHUT_DOWN, 0, 0),
            // The shell that waits for this process must see it stop; its continuing continues the guests.
            control::INIT_STOPPED => {
                let _ = kill_process(rustix::process::getpid(), Signal::STOP);
            }
            control::VIEW_PART if message.status == 0 => {
                if let Some(stream) = self.questions.pop_front() {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
            control::VIEW_PART => {
                if let Some(stream) = self.questions.front_mut() {
                    // Whoever asked may be gone.
                    let _ = stream.write_all(text);
                }
            }
            _ => {}
        }
    }

    fn died(&mut self, pid: u32, status: WaitStatus) -> Result<()> {
        if let Some(report) = panic_report(self.world)? {
            kill_children();
            bail!("the kernel panicked: {report}");
        }
        let kernel = pid == self.world.kernel_pid;
        match (status.terminating_signal(), status.exit_status()) {
            (None, Some(0)) => {}
            (Some(_), _) if !kernel => self.tell(control::PROCESS_DIED, pid, status.as_raw() as u32),
            (Some(signal), _) => {
                kill_children();
                bail!("the world's kernel process was killed by {}", trace::signal_name(signal.into()));
            }
            // It panicked, but could not say why.
            (None, code) => {
                kill_children();
                bail!("a host process of the world ended with status {}", code.unwrap_or(-1));
            }
        }
        Ok(())
    }

    fn signal(&mut self, number: i32, from_kernel: bool) {
        // A file that may not grow is refused in words, too.
        if from_kernel || number == SIGXFSZ {
            return;
        }
        match self.first {
            Some(_) => self.pass_on(number),
            None if self.exit.is_none() => self.early.push(number),
            // The first process is gone and the world lingers: the user wants an end.
            None if matches!(number, SIGHUP | SIGINT | SIGQUIT | SIGTERM) => self.tell(control::SHUT_DOWN, 0, 0),
            None => {}
        }
    }

    fn pass_on(&self, number: i32) {
        if let (Some(first), Some(signal)) = (self.first, Signal::from_named_raw(number)) {
            let _ = kill_process(first, signal);
        }
    }

    /// `ps`, or `ls-fd PID` (0: every process).
    fn question(&mut self, stream: UnixStream) {
        // Whoever is slow must not hold the world's command up.
        let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
        let _ = stream.set_write_timeout(Some(Duration::from_secs(1)));
        let mut text = String::new();
        if (&stream).take(64).read_to_string(&mut text).is_err() {
            return;
        }
        let mut words = text.split_whitespace();
        let what = match words.next() {
            Some("ps") => view::PROCESSES,
            Some("ls-fd") => view::FILES,
            _ => return,
        };
        let pid = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        self.questions.push_back(stream);
        self.tell(control::VIEW, pid, what);
    }

    fn tell(&self, kind: u32, pid: u32, status: u32) {
        // A kernel process that is gone needs no news.
        let _ = rustix::io::write(&self.world.control, Message { kind, pid, status, _pad: 0 }.as_bytes());
    }
}

/// Kills what is left of the world when its kernel cannot: every host process is a child of this one.
fn kill_children() {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return };
    for thread in threads.flatten() {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn panic_report(world: &World) -> Result<Option<String>> {
    let mut bytes = [0u8; size_of::<BootBlock>()];
    world.arena.read_exact_at(&mut bytes, 0)?;
    let block = BootBlock::read_from_bytes(&bytes).map_err(|_| anyhow::anyhow!("the boot block has another size"))?;
    if block.panic_len == 0 {
        return Ok(None);
    }
    let mut text = vec![0u8; block.panic_len.min(PANIC_MAX) as usize];
    world.arena.read_exact_at(&mut text, PANIC_OFFSET)?;
    Ok(Some(with_names(&String::from_utf8_lossy(&text))))
}

/// The report with a line for each address of its back trace.
fn with_names(report: &str) -> String {
    let Some((head, addresses)) = report.split_once("backtrace:") else { return report.to_string() };
    let mut out = String::new();
    for word in head.split_inclusive(' ') {
        out.push_str(word);
        // Where the kernel faulted, not where it came from.
        if let Some(name) = name_of(word.trim_end_matches([' ', ',', ':', '\n'])) {
            out.push_str(&format!("({name}) "));
        }
    }
    out.push_str("back trace:");
    for word in addresses.split_whitespace() {
        out.push_str(&format!("\n  {word} {}", name_of(word).unwrap_or_else(|| "?".to_string())));
    }
    out
}

/// The kernel function that this address, written in hexadecimal, lies in.
fn name_of(word: &str) -> Option<String> {
    let address = u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?;
    // A return address may be the first byte after a call that never comes back.
    let (name, distance) = image::function_at(address.checked_sub(1)?)?;
    Some(format!("{name}+{:#x}", distance + 1))
}

fn shell_status(status: u32) -> u8 {
    match status & 0x7f {
        0 => (status >> 8) as u8,
        signal => 128 + signal as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_a_shells() {
        assert_eq!((shell_status(3 << 8), shell_status(9), shell_status(0x8b)), (3, 137, 139));
    }

    #[test]
    fn inherited_signals_are_read_but_for_sigpipe() {
        let status = "Name:\tx\nSigBlk:\t0000000000000200\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(Inherited::parse(status), Inherited { ignored: 1, blocked: 0x200 });
        assert_eq!(Inherited::parse(""), Inherited::default());
    }

    #[test]
    fn addresses_outside_the_image_have_no_name() {
        assert_eq!(with_names("oops\nbacktrace: 0x10"), "oops\nback trace:\n  0x10 ?");
    }
}
