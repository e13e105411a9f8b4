//! /proc/net/unix.
//!
//! Mirrors: net/unix/af_unix.c (`unix_seq_show`), Linux 6.18.
//! Differs: the sockets are found behind the descriptors of the world's processes, so those that lie only in messages or on
//! a listener's queue are not shown, and no list of all sockets has to be kept.
//! Locking: one process, one table, one socket at a time.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;

use super::{Phase, UnixSock, garbage};
use crate::kernel;

/// A listening socket, in the column of flags.
#[doc(alias = "__SO_ACCEPTCON")]
const ACCEPTCON: u32 = 1 << 16;

/// The lines below the heading, in order of inode numbers.
pub fn show() -> String {
    let mut found: BTreeMap<u64, Arc<UnixSock>> = BTreeMap::new();
    for process in kernel().pids.processes() {
        let Some(task) = process.threads.lock().first().cloned() else {
            continue;
        };
        for (_, file, _) in task.files().snapshot() {
            let ino = file.inode_common().ino;
            if let Some(sock) = garbage::socket_of(&file) {
                found.insert(ino, sock.clone());
            }
        }
    }
    found.iter().map(|(&ino, sock)| line(sock, ino)).collect()
}

fn line(sock: &Arc<UnixSock>, ino: u64) -> String {
    let state = sock.lock();
    let kind = sock.kind.number();
    let flags = if state.phase == Phase::Listen { ACCEPTCON } else { 0 };
    // Linux's SS_CONNECTED and SS_UNCONNECTED.
    let connected = if state.phase == Phase::Established { 3 } else { 1 };
    let name = state.name.as_ref().map(|name| {
        let bytes = &name[2..];
        let text: String = bytes
            .strip_suffix(&[0])
            .filter(|path| path.first() != Some(&0))
            .unwrap_or(bytes)
            .iter()
            .map(|&b| if b == 0 { '@' } else { char::from(b) })
            .collect();
        format!(" {text}")
    });
    drop(state);
    let users = Arc::strong_count(sock) - 1;
    format!("{:016x}: {users:08X} 00000000 {flags:08X} {kind:04X} {connected:02X} {ino:5}{}\n", 0, name.unwrap_or_default())
}
