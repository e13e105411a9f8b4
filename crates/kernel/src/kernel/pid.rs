//! pids: stub.
pub struct PidTable {}
