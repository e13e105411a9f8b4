//! The collector of sockets that only messages hold.
//!
//! A socket's descriptor can lie in a message on a queue. When every reference to a socket's file is in flight, and those
//! messages lie on the queues of sockets of which the same is true, nobody can ever receive them: the set must be found
//! and its queues emptied, or it would live for ever. That takes a cycle, and only a message with a socket, queued on a
//! socket that is in flight itself, can close one: [`Collector::message_queued`] notes it. While a cycle may exist, the end
//! of any local socket schedules a run; [`graph`] says what a run finds.
//!
//! Mirrors: net/unix/garbage.c, net/unix/af_unix.c (`too_many_unix_fds`), Linux 6.18.
//! Differs: edges are not kept but read off the queues in each run. Runs take place on the timer thread, one for any number
//! of ends before it, and take at most half of its time.
//! Locking: the table of sockets in flight is locked throughout a run; socket states are locked inside, one at a time. Files
//! leave a queue by way of [`Collector::files_leave`], which takes the table's lock: while the collector runs, no socket in
//! flight can come within anybody's reach.

mod graph;

use alloc::collections::BTreeMap;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use acrida_kcore::platform::{ClockId, platform};
use acrida_kcore::sync::SpinLock;
use acrida_uapi::capability::{CAP_SYS_ADMIN, CAP_SYS_RESOURCE};
use acrida_uapi::errno::Errno;
use acrida_uapi::resource::RLIMIT_NOFILE;

use super::message::Files;
use super::{State, UnixSock, UnixSocket};
use crate::current;
use crate::fs::file::{File, FileRef, WeakFile};
use crate::kernel::time::{Timer, TimerFunction, TimerQueue};
use crate::net::scm::SCM_MAX_FD;
use crate::net::socket::Socket;
use graph::{Graph, Node};

/// Files a user may have in flight before his sends ask for a run too.
#[doc(alias = "UNIX_INFLIGHT_SANE_USER")]
const SANE: usize = SCM_MAX_FD * 8;

/// A socket with references in flight.
#[doc(alias = "unix_vertex")]
struct Entry {
    sock: Arc<UnixSock>,
    file: WeakFile,
    /// References in messages.
    count: usize,
}

#[derive(Default)]
struct Table {
    /// In no order; each socket knows its place ([`UnixSock::flight`]).
    sockets: Vec<Entry>,
    /// Files in flight, of any kind, by the user who sent them.
    #[doc(alias = "unix_inflight")]
    users: BTreeMap<u32, usize>,
}

impl Table {
    fn socket_travels(&mut self, sock: &Arc<UnixSock>, file: &FileRef) {
        match sock.flight.get() {
            Some(place) => self.sockets[place].count += 1,
            None => {
                sock.flight.set(Some(self.sockets.len()));
                self.sockets.push(Entry { sock: sock.clone(), file: FileRef::downgrade(file), count: 1 });
            }
        }
    }

    /// The entry, once nothing of the socket is in flight any more.
    fn socket_leaves(&mut self, sock: &UnixSock) -> Option<Entry> {
        let place = sock.flight.get()?;
        let entry = &mut self.sockets[place];
        entry.count -= 1;
        if entry.count > 0 {
            return None;
        }
        let gone = self.sockets.swap_remove(place);
        sock.flight.set(None);
        if let Some(moved) = self.sockets.get(place) {
            moved.sock.flight.set(Some(place));
        }
        Some(gone)
    }

    /// Sockets in flight, and which of them is in whose messages.
    fn graph(&self) -> Graph {
        let mut graph = Graph::with_capacity(self.sockets.len());
        for entry in &self.sockets {
            graph.node(entry.file.strong_count());
            each_child(&entry.sock, &mut |child| {
                if let Some(place) = child.flight.get() {
                    graph.edge(place as Node);
                }
            });
        }
        graph
    }
}

/// A socket's place in the table of those in flight; changed under the table's lock.
pub struct Flight(AtomicU64);

impl Flight {
    const NONE: u64 = u64::MAX;

    pub const fn none() -> Flight {
        Flight(AtomicU64::new(Self::NONE))
    }

    fn get(&self) -> Option<usize> {
        match self.0.load(Ordering::SeqCst) {
            Self::NONE => None,
            place => Some(place as usize),
        }
    }

    fn set(&self, place: Option<usize>) {
        self.0.store(place.map_or(Self::NONE, |place| place as u64), Ordering::SeqCst);
    }
}

/// Counts what is in flight, and frees what nobody can receive.
pub struct Collector {
    table: SpinLock<Table>,
    /// Some cycle may have come to be since the last run, or been left by it.
    #[doc(alias = "unix_graph_maybe_cyclic")]
    maybe_cyclic: AtomicBool,
    /// A run is to come.
    #[doc(alias = "gc_in_progress")]
    scheduled: AtomicBool,
    /// When the next run may begin, monotonic ns.
    not_before: AtomicU64,
    timer: Timer,
}

/// The local socket behind a file.
#[doc(alias = "unix_get_socket")]
pub(super) fn socket_of(file: &File) -> Option<&Arc<UnixSock>> {
    let socket = file.private::<Socket>()?;
    let proto: &dyn core::any::Any = socket.proto();
    proto.downcast_ref::<UnixSocket>().map(|unix| &unix.0)
}

/// Runs `visit` for each socket in the messages that `sock`, or a connection waiting on it, could receive.
#[doc(alias = "scan_children")]
fn each_child(sock: &UnixSock, visit: &mut dyn FnMut(&UnixSock)) {
    let mut scan = |state: &State| {
        for file in state.queue.iter().filter_map(|message| message.files.as_ref()).flat_map(Files::iter) {
            if let Some(child) = socket_of(file) {
                visit(child);
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

impl Collector {
    pub fn new(timers: &Arc<TimerQueue>) -> Arc<Collector> {
        Arc::new_cyclic(|me: &Weak<Collector>| Collector {
            table: SpinLock::default(),
            maybe_cyclic: AtomicBool::new(false),
            scheduled: AtomicBool::new(false),
            not_before: AtomicU64::new(0),
            timer: Timer::new(timers, me.clone()),
        })
    }

    /// Counts files that the caller puts into a message; the user they are counted for.
    ///
    /// # Errors
    /// `ETOOMANYREFS` when an unprivileged user has more in flight than he may have open.
    #[doc(alias = "unix_attach_fds")]
    pub fn files_travel(&self, files: &[FileRef]) -> Result<u32, Errno> {
        let task = current();
        let cred = task.cred();
        let mut table = self.table.lock();
        let inflight = table.users.entry(cred.uid).or_default();
        let over = *inflight as u64 > task.process.rlimit(RLIMIT_NOFILE as usize).rlim_cur;
        if over && !cred.capable(CAP_SYS_RESOURCE) && !cred.capable(CAP_SYS_ADMIN) {
            return Err(Errno::ETOOMANYREFS);
        }
        *inflight += files.len();
        let many = *inflight > SANE;
        for file in files {
            if let Some(sock) = socket_of(file) {
                table.socket_travels(sock, file);
            }
        }
        drop(table);
        if many {
            self.schedule();
        }
        Ok(cred.uid)
    }

    /// Ends what [`Collector::files_travel`] began.
    #[doc(alias = "unix_del_edges")]
    pub fn files_leave(&self, files: &[FileRef], user: u32) {
        let mut table = self.table.lock();
        if let Some(inflight) = table.users.get_mut(&user) {
            *inflight -= files.len();
            if *inflight == 0 {
                table.users.remove(&user);
            }
        }
        let socks = files.iter().filter_map(|file| socket_of(file));
        let gone: Vec<Entry> = socks.filter_map(|sock| table.socket_leaves(sock)).collect();
        drop(table);
        drop(gone);
    }

    /// A receiver took copies of files whose originals stay on the queue: waits for a running collector, which may not have
    /// seen the copies when it counted.
    pub fn files_peek(&self, files: &[FileRef]) {
        if files.iter().any(|file| socket_of(file).is_some()) {
            drop(self.table.lock());
        }
    }

    /// Files were put on the queue of `holder`. To be called after that: a run between the two would forget the note.
    #[doc(alias = "unix_update_graph")]
    pub fn message_queued(&self, holder: &UnixSock) {
        // What a connection holds that nobody accepted yet is held by its listener.
        if holder.flight.get().is_some() || holder.common.file().is_none() {
            self.maybe_cyclic.store(true, Ordering::SeqCst);
        }
    }

    /// Asks for a run if there may be anything to find.
    #[doc(alias = "unix_schedule_gc")]
    pub fn schedule(&self) {
        if self.maybe_cyclic.load(Ordering::SeqCst) && !self.scheduled.swap(true, Ordering::SeqCst) {
            self.timer.arm(self.not_before.load(Ordering::Relaxed));
        }
    }

    /// Finds and frees sockets that nobody can reach.
    #[doc(alias = "unix_gc")]
    fn collect(&self) {
        if !self.maybe_cyclic.swap(false, Ordering::SeqCst) {
            return;
        }
        let mut dropped = Vec::new();
        let table = self.table.lock();
        let survey = table.graph().survey();
        if survey.live_cycles {
            self.maybe_cyclic.store(true, Ordering::SeqCst);
        }
        for node in survey.garbage {
            take_files(&table.sockets[node as usize].sock, &mut dropped);
        }
        drop(table);
        // Their last references go here.
        drop(dropped);
    }
}

impl TimerFunction for Collector {
    fn expired(&self, now: u64) {
        // Who asks from now on may have come too late for this run.
        self.scheduled.store(false, Ordering::SeqCst);
        self.collect();
        let end = platform().now(ClockId::Monotonic);
        self.not_before.store(end + (end - now), Ordering::Relaxed);
    }
}
