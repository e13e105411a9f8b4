//! Boot: stub.
use acrida_trace_format::boot::{BootBlock, Lists};
pub fn kernel_process(_block: &BootBlock, _lists: Lists) {}
