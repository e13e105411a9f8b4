//! Signals: stub of the signal helper's work.
use acrida_kcore::regs::UserFrame;
use acrida_kcore::thread::Thread;
use crate::Task;
#[derive(Default)]
pub struct Sighand {}
#[derive(Default)]
pub struct TaskSignals {}
pub fn translate_host_signals(_task: &Task, _thread: &Thread) {}
pub fn fault(_task: &Task, _thread: &Thread, _frame: &mut UserFrame) {}
pub fn exit_work(_task: &Task, _frame: &mut UserFrame) {}
