//! fork: stub.
pub struct VforkDone {}
