//! `acrida bench`: its options, and what is done with what was found.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::catalogue::{self, Case};
use crate::compare::compare;
use crate::figure::Effort;
use crate::guest::Guest;
use crate::instructions::{self, FunctionAt, Pins};
use crate::interrupt;
use crate::report::{FORMAT, Report, Settings};
use crate::run::{Pairs, Plan, progress_bar, run};
use crate::side::{Peer, Side};
use crate::{chart, doc, table};

/// How many times more pairs than others an unsteady row gets at the most.
const UNSTEADY_ROWS: u32 = 5;

/// When a run is given up.
const LIMIT: Duration = Duration::from_secs(60);

/// As shells name an end by SIGINT.
const INTERRUPTED: u8 = 130;

/// Measure workloads natively and under acrida, side by side
#[derive(Clone, Debug, clap::Args)]
pub struct BenchArgs {
    /// Groups, workloads or single rows to measure; all when none is named
    #[arg(value_name = "GROUP")]
    pub groups: Vec<String>,

    /// List what there is to measure, and end
    #[arg(long)]
    pub list: bool,

    /// Less of everything: done within a minute
    #[arg(long)]
    pub quick: bool,

    /// How often each side is measured, in turns; without this option unsteady rows up to five times as often, while time lasts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub pairs: Option<u32>,

    /// How long a loop is measured for in each run, in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub time: Option<u64>,

    /// Measure a peer as well, where it is installed
    #[arg(long, value_name = "PEER", value_enum)]
    pub vs: Vec<Peer>,

    /// Write the figures as JSON to FILE, or instead of the table to standard output
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    pub json: Option<PathBuf>,

    /// Write charts into a directory
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "acrida-bench")]
    pub svg: Option<PathBuf>,

    /// Write the page about performance, and its charts into a directory of its name
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "docs/performance.md")]
    pub doc: Option<PathBuf>,

    /// Show the figures of an earlier run (--json=FILE) instead of measuring
    #[arg(long, value_name = "FILE", conflicts_with_all = ["groups", "list", "quick", "pairs", "time", "vs"])]
    pub from: Option<PathBuf>,

    /// Show how two earlier runs (--json=FILE) differ instead of measuring; status 1 when ratios of a micro group do
    #[arg(long, value_names = ["FILE", "FILE"], num_args = 2, conflicts_with_all = ["groups", "list", "quick", "pairs", "time", "vs", "from", "json", "svg", "doc", "check"])]
    pub compare: Vec<PathBuf>,

    /// The largest difference that --compare takes for none, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000), requires = "compare")]
    pub within: u32,

    /// End with status 1 also when a target is missed, or an instruction count has grown
    #[arg(long)]
    pub check: bool,

    /// Count the kernel's instructions in the hottest calls instead of measuring times; by function for workloads that
    /// are named
    #[arg(long, conflicts_with_all = ["list", "quick", "pairs", "time", "vs", "from", "compare", "json", "svg", "doc"])]
    pub instructions: bool,

    /// Write the counts to where they are pinned
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "crates/bench/instructions.toml", requires = "instructions")]
    pub pin: Option<PathBuf>,

    /// The words before each guest, in place of `acrida run --`; for development
    #[arg(long, hide = true, value_name = "WORDS", allow_hyphen_values = true)]
    pub prefix: Option<String>,
}

/// The command to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its program.
    pub command: &'a Path,
    /// Names functions of the kernel that it carries.
    pub function_at: FunctionAt,
}

/// Runs `acrida bench`. Ends with 1 when a workload failed, and
/// with 130 when it was interrupted.
///
/// # Errors
/// When nothing could be measured at all, or the results could not be written.
pub fn main(args: BenchArgs, subject: &Subject<'_>) -> anyhow::Result<ExitCode> {
    if let [before, after] = args.compare.as_slice() {
        let within = f64::from(args.within) / 100.0;
        let agreement = compare(&read(before)?, &read(after)?, within);
        say(&agreement.text)?;
        return Ok(status(agreement.holds));
    }
    if args.instructions {
        return count_instructions(&args, subject);
    }
    let report = match &args.from {
        Some(file) => read(file)?,
        None => {
            let guest = Guest::unpack()?;
            let cases = catalogue::select(catalogue::all(&guest)?, &args.groups, args.quick)?;
            if args.list {
                say(&list(&cases))?;
                return Ok(ExitCode::SUCCESS);
            }
            interrupt::watch()?;
            match run(&plan(&args, subject.command, &guest), &cases) {
                Some(report) => report,
                None => return Ok(ExitCode::from(INTERRUPTED)),
            }
        }
    };
    show(&args, &report)?;
    let (kept, promised) = report.promises();
    let failed = report.failures().next().is_some() || (args.check && kept < promised);
    Ok(status(!failed))
}

fn status(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan<'a>(args: &BenchArgs, acrida: &Path, guest: &'a Guest) -> Plan<'a> {
    let (pairs, milliseconds, samples, seconds) = if args.quick { (4, 20, 2, 45) } else { (6, 50, 5, 240) };
    // Who names a number of pairs gets that number.
    let most = if args.pairs.is_some() { 1 } else { UNSTEADY_ROWS };
    let pairs = args.pairs.unwrap_or(pairs);
    let milliseconds = args.time.unwrap_or(milliseconds);
    let prefix = prefix(args, acrida);
    Plan {
        guest,
        native: Side::native(),
        settings: Settings {
            prefix: prefix.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
            pairs,
            milliseconds,
            quick: args.quick,
        },
        acrida: Side::acrida(prefix),
        peers: args.vs.iter().map(|peer| (peer.name(), Side::peer(*peer))).collect(),
        pairs: Pairs { least: pairs, most: pairs * most },
        time: Duration::from_secs(seconds),
        effort: Effort { time: Duration::from_millis(milliseconds), samples, limit: LIMIT },
    }
}

fn prefix(args: &BenchArgs, acrida: &Path) -> Vec<OsString> {
    match &args.prefix {
        Some(words) => words.split_whitespace().map(OsString::from).collect(),
        None => vec![acrida.into(), "run".into(), "--".into()],
    }
}

fn count_instructions(args: &BenchArgs, subject: &Subject<'_>) -> anyhow::Result<ExitCode> {
    let pins = Pins::read()?;
    let guest = Guest::unpack()?;
    let side = Side::acrida(prefix(args, subject.command));
    let effort = Effort { time: Duration::ZERO, samples: 1, limit: LIMIT };
    let named: Vec<&str> = args.groups.iter().map(String::as_str).collect();
    let workloads = if named.is_empty() { pins.workloads() } else { named.clone() };
    interrupt::watch()?;
    let mut counts = Vec::new();
    let mut failed = false;
    let progress = progress_bar(workloads.len());
    for workload in workloads {
        progress.set_message(workload.to_owned());
        progress.tick();
        match instructions::count(workload, &side, &guest, effort, subject.function_at) {
            Ok(counted) => counts.extend(counted),
            Err(_) if interrupt::requested() => return Ok(ExitCode::from(INTERRUPTED)),
            Err(error) => {
                failed = true;
                progress.suspend(|| eprintln!("acrida bench: {error:#}"));
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    if !named.is_empty() {
        say(&instructions::by_function(&counts))?;
        return Ok(status(!failed));
    }
    let (table, regressions) = pins.judge(&counts);
    say(&table)?;
    if cfg!(debug_assertions) && (args.check || args.pin.is_some()) {
        bail!("the counts are pinned for the release build, and this is another");
    }
    if let Some(file) = &args.pin {
        write(file, &pins.renewed(&counts))?;
    }
    let incomparable = pins.incomparable();
    if let Some(reason) = &incomparable {
        eprintln!("acrida bench: {reason}");
    }
    Ok(status(!failed && !(args.check && incomparable.is_none() && regressions > 0)))
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let report: Report = serde_json::from_str(&text).with_context(|| format!("{} is no report", file.display()))?;
    if report.format != FORMAT {
        bail!("{} has format {}, this is a reader of format {FORMAT}", file.display(), report.format);
    }
    Ok(report)
}

fn list(cases: &[Case]) -> String {
    let line = |case: &Case| format!("{:<14} {:<44} {}\n", case.workload.group, case.title(), case.workload.operation);
    cases.iter().map(line).collect()
}

/// To standard output; who has closed it wants no more of it.
fn say(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("writing to standard output"),
        _ => Ok(()),
    }
}

fn show(args: &BenchArgs, report: &Report) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    match args.json.as_deref() {
        Some(file) if file == Path::new("-") => say(&json)?,
        file => {
            say(&table::render(report))?;
            if let Some(file) = file {
                write(file, &json)?;
            }
        }
    }
    if let Some(directory) = &args.svg {
        chart::write(report, directory).with_context(|| format!("writing charts into {}", directory.display()))?;
    }
    if let Some(file) = &args.doc {
        // The charts lie in a directory of the page's name, next to it.
        let directory = file.with_extension("");
        let charts = chart::write(report, &directory).with_context(|| format!("writing charts into {}", directory.display()))?;
        let folder = directory.file_name().unwrap_or_default().to_string_lossy();
        let links: Vec<String> = charts.iter().map(|name| format!("{folder}/{name}")).collect();
        write(file, &doc::render(report, &links)?)?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    }
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}
