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
use alloc::sync::Arc;
use acrida_uapi::siginfo::SigInfo;
use crate::Process;
impl Sighand { pub fn copy_for_fork(&self) -> Sighand { Sighand {} } pub fn flush_handlers(&mut self, _all: bool) {} }
impl TaskSignals { pub fn for_child(&self, _vm: bool) -> TaskSignals { TaskSignals {} } }
pub fn notify_parent(p: &Arc<Process>) -> bool { if let Some(parent) = p.relations.lock().parent.upgrade() { parent.wait_chldexit.wake_all(0); } false }
pub fn send_to_process(_info: SigInfo, _p: &Arc<Process>) {}
pub fn flush_signal_handlers(_p: &Arc<Process>, _force: bool) {}
