//! The command as `acrida bench` calls it, with `env` in acrida's place.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use acrida_bench::{BenchArgs, Report, RowResult, Subject, main};
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    bench: BenchArgs,
}

fn bench(words: &[&str]) -> anyhow::Result<ExitCode> {
    let command = Command::try_parse_from([&["bench"], words].concat())?;
    let subject = Subject { command: Path::new("/nonexistent/acrida"), function_at: |_| None };
    main(command.bench, &subject)
}

fn report(words: &[&str]) -> (ExitCode, Report) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.json");
    let json = format!("--json={}", file.display());
    let status = bench(&[&["--pairs", "2", "--time", "2", &json], words].concat()).unwrap();
    (status, serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap())
}

#[test]
fn micro_workloads_of_every_kind_are_measured() {
    let words = ["getppid", "pipe_byte", "epoll_wait_one", "fork_exit", "sequential_read", "world_start"];
    let (status, report) = report(&[&["--prefix", "env"], words.as_slice()].concat());
    assert_eq!(format!("{status:?}"), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(report.rows.len(), 7);
    for row in &report.rows {
        let RowResult::Measured(comparison) = &row.result else { panic!("{}: {:?}", row.title, row.result) };
        assert_eq!(comparison.native.runs.len(), 2);
        assert_eq!(comparison.acrida.runs.len(), 2);
        assert!(comparison.ratio.low <= comparison.ratio.median && comparison.ratio.median <= comparison.ratio.high);
        assert!(comparison.ratio.median > 0.0);
    }
}

#[test]
fn a_failure_under_acrida_is_a_row_and_a_status() {
    let (status, report) = report(&["--prefix", "false", "getppid", "world_start"]);
    assert_eq!(format!("{status:?}"), format!("{:?}", ExitCode::FAILURE));
    assert_eq!(report.rows.len(), 2);
    for row in &report.rows {
        let RowResult::Failed { reason } = &row.result else { panic!("{:?}", row.result) };
        assert!(reason.starts_with("under acrida: "), "{reason}");
    }
}

#[test]
fn a_command_that_does_not_exist_fails_every_row() {
    let (status, report) = report(&["getppid"]);
    assert_eq!(format!("{status:?}"), format!("{:?}", ExitCode::FAILURE));
    assert!(matches!(report.rows[0].result, RowResult::Failed { .. }));
}

#[test]
fn an_earlier_run_becomes_documents() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    bench(&["--prefix", "env", "--pairs", "1", "--time", "1", "getppid", &format!("--json={}", path("report.json"))]).unwrap();
    let words =
        [format!("--from={}", path("report.json")), format!("--doc={}", path("page.md")), format!("--svg={}", path("charts"))];
    bench(&words.each_ref().map(String::as_str)).unwrap();
    assert!(fs::read_to_string(path("page.md")).unwrap().contains("getppid"));
    assert!(directory.path().join("charts/ratios-calls.svg").exists());
}

#[test]
fn an_unknown_word_is_refused() {
    let error = bench(&["no-such-group"]).unwrap_err().to_string();
    assert!(error.contains("no-such-group") && error.contains("wake-ups"), "{error}");
}
