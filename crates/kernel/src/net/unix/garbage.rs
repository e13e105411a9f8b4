//! The collector of sockets that only messages hold.
//!
//! A socket's descriptor can lie in a message on a queue. When every reference to a socket's file is in flight, and those
//! messages lie on the queues of sockets of which the same is true, nobody can ever receive them: the set must be found
//! and its queues emptied, or it would live for ever.
//!
//! Like Linux up to 6.9: sockets in flight are counted. *Candidates* are those whose file has no reference but the counted
//! ones. References from queues of candidates are subtracted; what keeps some is reachable from outside, and so is what its
//! queue holds. The rest is garbage.
//!
//! Mirrors: net/unix/garbage.c, Linux 6.1.
//! Differs: runs in the task that released a socket, not in a worker.
//! Locking: the table of sockets in flight is locked throughout; socket states are locked inside, one at a time. Files
//! leave a queue by way of [`files_leave`], which takes the table's lock: while the collector runs, no candidate can come
//! within anybody's reach.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use acrida_kcore::sync::SpinLock;

use super::message::Files;
use super::{State, UnixSock, UnixSocket};
use crate::fs::file::File;
use crate::kernel;
use crate::net::socket::Socket;

/// A socket with references in flight.
struct Entry {
    sock: Arc<UnixSock>,
    file: Weak<File>,
    /// References in messages.
    count: usize,
}

/// Sockets in flight, by address.
#[derive(Default)]
pub struct Inflight {
    table: SpinLock<BTreeMap<usize, Entry>>,
    /// Sockets in the table; lets a world that sends none pay one load.
    #[doc(alias = "unix_tot_inflight")]
    len: AtomicUsize,
}

/// The local socket behind a file.
#[doc(alias = "unix_get_socket")]
pub(super) fn socket_of(file: &File) -> Option<&Arc<UnixSock>> {
    let socket = file.private::<Socket>()?;
    let proto: &dyn core::any::Any = &*socket.proto;
    proto.downcast_ref::<UnixSocket>().map(|unix| &unix.0)
}

fn inflight() -> &'static Inflight {
    &kernel().unix.inflight
}

/// Counts the sockets among files that are put into a message.
#[doc(alias = "unix_inflight")]
pub fn files_travel(files: &[Arc<File>]) {
    if files.iter().all(|file| socket_of(file).is_none()) {
        return;
    }
    let mut table = inflight().table.lock();
    for file in files {
        let Some(sock) = socket_of(file) else {
            continue;
        };
        let entry = table.entry(sock.address());
        entry.or_insert_with(|| Entry { sock: sock.clone(), file: Arc::downgrade(file), count: 0 }).count += 1;
    }
    inflight().len.store(table.len(), Ordering::SeqCst);
}

/// Ends what [`files_travel`] began.
#[doc(alias = "unix_notinflight")]
pub fn files_leave(files: &[Arc<File>]) {
    if files.iter().all(|file| socket_of(file).is_none()) {
        return;
    }
    let mut gone = Vec::new();
    let mut table = inflight().table.lock();
    for file in files {
        let Some(sock) = socket_of(file) else {
            continue;
        };
        let Some(entry) = table.get_mut(&sock.address()) else {
            continue;
        };
        entry.count -= 1;
        if entry.count == 0 {
            gone.extend(table.remove(&sock.address()));
        }
    }
    inflight().len.store(table.len(), Ordering::SeqCst);
    drop(table);
    drop(gone);
}

/// A receiver took copies of files whose originals stay on the queue: waits for a running collector, which may not have
/// seen the copies when it counted.
pub fn files_peek(files: &[Arc<File>]) {
    if files.iter().any(|file| socket_of(file).is_some()) {
        drop(inflight().table.lock());
    }
}

/// Runs `visit` for each socket in the messages that `sock`, or a connection waiting on it, could receive.
#[doc(alias = "scan_children")]
fn each_child(sock: &UnixSock, visit: &mut dyn FnMut(usize)) {
    let mut scan = |state: &State| {
        for file in state.queue.iter().filter_map(|message| message.files.as_ref()).flat_map(Files::iter) {
            if let Some(child) = socket_of(file) {
                visit(child.address());
            }
        }
    };
    let pending: Vec<Arc<UnixSock>> = {
        let state = sock.lock();
        scan(&state);
        state.pending.iter().cloned().collect()
    };
    for embryo in pending {
        scan(&embryo.lock());
    }
}

/// Takes the files out of everything `sock`, or a connection waiting on it, could receive.
fn take_files(sock: &UnixSock, into: &mut Vec<Files>) {
    let mut take = |state: &mut State| into.extend(state.queue.iter_mut().filter_map(|message| message.files.take()));
    let pending: Vec<Arc<UnixSock>> = {
        let mut state = sock.lock();
        take(&mut state);
        state.pending.iter().cloned().collect()
    };
    for embryo in pending {
        take(&mut embryo.lock());
    }
}

/// Finds and frees sockets that nobody can reach.
#[doc(alias = "unix_gc")]
pub fn collect() {
    let inflight = inflight();
    if inflight.len.load(Ordering::SeqCst) == 0 {
        return;
    }
    let mut dropped = Vec::new();
    let table = inflight.table.lock();
    // References of each candidate that are not yet known to lie on a candidate's queue.
    let mut outside: BTreeMap<usize, usize> = table
        .iter()
        .filter(|(_, entry)| entry.file.strong_count() == entry.count)
        .map(|(&address, entry)| (address, entry.count))
        .collect();
    let candidates: Vec<usize> = outside.keys().copied().collect();
    for address in &candidates {
        each_child(&table[address].sock, &mut |child| {
            if let Some(count) = outside.get_mut(&child) {
                *count = count.saturating_sub(1);
            }
        });
    }
    let mut reachable: Vec<usize> = candidates.iter().copied().filter(|address| outside[address] > 0).collect();
    let mut garbage: BTreeSet<usize> = candidates.iter().copied().filter(|address| outside[address] == 0).collect();
    while let Some(address) = reachable.pop() {
        each_child(&table[&address].sock, &mut |child| {
            if garbage.remove(&child) {
                reachable.push(child);
            }
        });
    }
    for address in &garbage {
        take_files(&table[address].sock, &mut dropped);
    }
    drop(table);
    // Their last references go here; their releases may call the collector again.
    drop(dropped);
}
