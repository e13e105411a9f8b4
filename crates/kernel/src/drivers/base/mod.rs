//! Where devices appear.

pub mod devtmpfs;
