//! Who keeps a file of a locust alive.
//!
//! Mirrors: nothing in Linux.
//! Locking: `Swarm::state` and `Openings` are leaves. The name is removed with neither held, by whoever made the swarm dead.
//! A swarm is made dead under `state`, so an open either counts before that or fails.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::sync::SpinLock;
use acrida_kcore::wait::WaitQueueHead;
use acrida_uapi::errno::Errno;

use crate::fs::dcache::Dentry;
use crate::fs::fdtable::FilesStruct;
use crate::fs::notify::fsnotify::{self, Names};
use crate::kernel::task::Process;

#[derive(Debug, Default)]
struct State {
    /// Processes that opened the file and live.
    openers: usize,
    /// Open files.
    files: usize,
    /// The name is gone or is about to go.
    dead: bool,
}

/// What one regular file of a locust has besides its content.
#[derive(Default)]
pub struct Swarm {
    state: SpinLock<State>,
    /// Told of every write and truncation.
    pub wait: Arc<WaitQueueHead>,
}

impl Swarm {
    /// One change of the numbers; gives whether it was the one that makes the swarm die.
    fn change(&self, change: impl FnOnce(&mut State)) -> bool {
        let mut state = self.state.lock();
        change(&mut state);
        let dies = state.openers == 0 && state.files == 0 && !state.dead;
        state.dead |= dies;
        dies
    }

    /// Counts an open file; `ESTALE` when the name is about to go: the caller looks again.
    fn add_file(&self) -> Result<(), Errno> {
        let mut state = self.state.lock();
        if state.dead {
            return Err(Errno::ESTALE);
        }
        state.files += 1;
        Ok(())
    }

    fn add_opener(&self) {
        self.state.lock().openers += 1;
    }

    /// An open file went.
    pub fn file_gone(&self, dentry: &Arc<Dentry>) {
        if self.change(|state| state.files -= 1) {
            remove_name(dentry);
        }
    }

    fn opener_gone(&self, dentry: &Arc<Dentry>) {
        if self.change(|state| state.openers -= 1) {
            remove_name(dentry);
        }
    }
}

/// Takes the file's name out of its directory, unless somebody was faster.
fn remove_name(dentry: &Arc<Dentry>) {
    let Some(dir) = dentry.parent().filter(|_| !dentry.is_unhashed()) else { return };
    let _removal = dir.begin_removal();
    let names = Names::without(dentry);
    if dir.inode().unlink(&dir, dentry).is_ok() {
        dir.removed(dentry);
        fsnotify::delete(&dir, dentry, names);
    }
}

/// A file that a process opened. The dentry knows the name wherever it is moved.
struct Opening {
    swarm: Arc<Swarm>,
    dentry: Arc<Dentry>,
}

/// The files of locusts that a process opened.
#[derive(Default)]
pub struct Openings(SpinLock<Vec<Opening>>);

/// Counts an open of `dentry` by a task of `process`.
pub fn opened(swarm: &Arc<Swarm>, dentry: &Arc<Dentry>, process: &Process) -> Result<(), Errno> {
    swarm.add_file()?;
    let mut openings = process.locust_openings.0.lock();
    if !openings.iter().any(|opening| Arc::ptr_eq(&opening.swarm, swarm)) {
        swarm.add_opener();
        openings.push(Opening { swarm: swarm.clone(), dentry: dentry.clone() });
    }
    Ok(())
}

/// The process has ended, and its files are closed.
pub fn process_ended(process: &Process) {
    let openings = core::mem::take(&mut *process.locust_openings.0.lock());
    for opening in openings {
        opening.swarm.opener_gone(&opening.dentry);
    }
}

/// Another program runs in the process: of what the old one opened it keeps what it has a descriptor of.
pub fn program_replaced(process: &Process, files: &FilesStruct) {
    if process.locust_openings.0.lock().is_empty() {
        return;
    }
    let kept: Vec<_> = files.snapshot().into_iter().filter_map(|(_, file, _)| file.inode().cloned()).collect();
    let is_kept = |opening: &mut Opening| kept.iter().any(|inode| Arc::ptr_eq(inode, opening.dentry.inode()));
    let gone: Vec<Opening> = process.locust_openings.0.lock().extract_if(.., |opening| !is_kept(opening)).collect();
    for opening in gone {
        opening.swarm.opener_gone(&opening.dentry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swarm_dies_once_and_is_not_opened_again() {
        let swarm = Swarm::default();
        assert_eq!(swarm.add_file(), Ok(()));
        swarm.add_opener();
        assert!(!swarm.change(|state| state.files -= 1), "its opener lives");
        assert_eq!(swarm.add_file(), Ok(()));
        assert!(!swarm.change(|state| state.openers -= 1), "somebody has it open");
        assert!(swarm.change(|state| state.files -= 1));
        assert_eq!(swarm.add_file(), Err(Errno::ESTALE));
        assert!(!swarm.change(|_| ()), "dead already");
    }
}
