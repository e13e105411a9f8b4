//! Ctrl-C: the guests are in process groups of their own, so the terminal's signal does not reach them.
//!
//! One run goes on at a time. Its group is kept here, and is killed before the benchmark itself ends; the
//! rest is done by the ordinary way out, which removes what was unpacked.
//!
//! Memory order: the starter stores the group, then reads the request; the watcher stores the request, then
//! reads the group. Sequential consistency makes sure that at least one of them sees the other.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// The running group's number; 0 when there is none.
static GROUP: AtomicI32 = AtomicI32::new(0);

/// From now on signals end the run and not the process.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn watch() -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            REQUESTED.store(true, SeqCst);
            kill_current();
        }
    });
    Ok(())
}

/// Whether somebody wants the run to end.
pub fn requested() -> bool {
    REQUESTED.load(SeqCst)
}

/// This group is running now.
pub fn enter(group: Pid) {
    GROUP.store(group.as_raw_nonzero().get(), SeqCst);
    if requested() {
        kill_current();
    }
}

/// The group's leader is about to be reaped: its number may become somebody else's.
pub fn leave() {
    GROUP.store(0, SeqCst);
}

fn kill_current() {
    if let Some(group) = Pid::from_raw(GROUP.load(SeqCst)) {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}
