//! The table of system calls, as the kernel image carries it.
//!
//! The image's section `.acrida.syscalls` is written from the kernel's one table, so names in traces, the table of
//! `--stats` and docs/syscalls.md can never say anything else than what the kernel does.

use std::fmt::Write;
use std::process::ExitCode;
use std::sync::LazyLock;

use crate::image;

/// Who serves a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    Ours,
    Host,
    /// The name of the errno that is always answered.
    Refused(String),
}

/// The Rust type of an argument in the kernel's table says how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgType {
    Fd,
    DirFd,
    Path,
    BufIn,
    BufOut,
    Addr,
    Flags,
    Mode,
    Signo,
    Int32,
    Int64,
    Uint32,
    Uint64,
}

impl ArgType {
    fn parse(text: &str) -> ArgType {
        match text {
            "Fd" => ArgType::Fd,
            "DirFd" => ArgType::DirFd,
            "UserPath" => ArgType::Path,
            "BufIn" => ArgType::BufIn,
            "BufOut" => ArgType::BufOut,
            "UserAddr" => ArgType::Addr,
            "Flags" => ArgType::Flags,
            "Mode" => ArgType::Mode,
            "Signo" => ArgType::Signo,
            "i32" => ArgType::Int32,
            "i64" | "isize" => ArgType::Int64,
            "u32" => ArgType::Uint32,
            _ => ArgType::Uint64,
        }
    }
}

/// One row.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: usize,
    pub name: &'static str,
    pub service: Service,
    pub args: Vec<(&'static str, ArgType)>,
    pub why: &'static str,
}

/// Every call in the kernel's table, in rising order of numbers.
pub static TABLE: LazyLock<Vec<Call>> = LazyLock::new(|| {
    let text = std::str::from_utf8(image::section(".acrida.syscalls")).unwrap_or("");
    let mut rows: Vec<Call> = text.lines().filter_map(parse).collect();
    rows.sort_by_key(|call| call.number);
    rows
});

fn parse(line: &'static str) -> Option<Call> {
    let mut fields = line.split('\t');
    let (number, name, service, args, why) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let mut words = service.split_whitespace();
    let service = match words.next()? {
        "host" => Service::Host,
        "refused" => Service::Refused(words.next()?.to_string()),
        _ => Service::Ours,
    };
    let args = args.split_whitespace().filter_map(|arg| arg.split_once(':'));
    let args = args.map(|(name, ty)| (name, ArgType::parse(ty))).collect();
    Some(Call { number: number.parse().ok()?, name, service, args, why })
}

pub fn by_number(number: usize) -> Option<&'static Call> {
    TABLE.binary_search_by_key(&number, |call| call.number).ok().map(|at| &TABLE[at])
}

/// The call's name; those in nobody's table by their number, as strace shows them.
pub fn name(number: usize) -> String {
    match by_number(number) {
        Some(call) => call.name.to_string(),
        None => match u32::try_from(number).ok().and_then(acrida_uapi::nr::name) {
            Some(name) => name.to_string(),
            None => format!("syscall_{number:#x}"),
        },
    }
}

#[derive(clap::Args)]
pub struct SyscallsArgs {
    /// Print the table as docs/syscalls.md has it
    #[arg(long)]
    markdown: bool,
}

/// `acrida syscalls`: who serves which call.
pub fn syscalls(args: &SyscallsArgs) -> ExitCode {
    let text = if args.markdown { markdown() } else { plain() };
    crate::print(&text)
}

fn plain() -> String {
    let mut out = String::new();
    for call in TABLE.iter() {
        let _ = writeln!(out, "{:>3} {:<24} {:<18} {}", call.number, call.name, service(call), call.why);
    }
    out
}

fn service(call: &Call) -> String {
    match &call.service {
        Service::Ours => "ours".to_string(),
        Service::Host => "host".to_string(),
        Service::Refused(errno) => format!("refused {errno}"),
    }
}

/// The text of docs/syscalls.md.
fn markdown() -> String {
    let count = |wanted: fn(&Service) -> bool| TABLE.iter().filter(|call| wanted(&call.service)).count();
    let (ours, host) = (count(|s| *s == Service::Ours), count(|s| *s == Service::Host));
    let mut out = String::from(
        "# System calls\n\nWritten from the kernel's table (crates/kernel/src/syscalls.rs) by `acrida syscalls --markdown`; a test compares.\n\n",
    );
    let _ = writeln!(
        out,
        "{} calls: {ours} served by this kernel, {host} handed to the host, {} refused. A number that is not listed answers ENOSYS and is\nnamed on standard error at the end of the run.\n",
        TABLE.len(),
        TABLE.len() - ours - host
    );
    out.push_str("| nr | call | service | why |\n|---:|---|---|---|\n");
    for call in TABLE.iter() {
        let args: Vec<&str> = call.args.iter().map(|(name, _)| *name).collect();
        let _ = writeln!(out, "| {} | `{}({})` | {} | {} |", call.number, call.name, args.join(", "), service(call), call.why);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_carries_the_table() {
        let read = by_number(0).expect("read is known");
        assert_eq!((read.name, &read.service), ("read", &Service::Ours));
        assert_eq!(read.args, [("fd", ArgType::Fd), ("buf", ArgType::BufOut), ("count", ArgType::Uint64)]);
        assert_eq!(name(0xac1d), "syscall_0xac1d");
    }
}
