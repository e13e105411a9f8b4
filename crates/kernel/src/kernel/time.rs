//! Timers: stub of the signal helper's work.
#[derive(Default)]
pub struct ProcessTimers {}
