//! What a test says to its world.
//!
//! Mirrors: nothing in Linux.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use acrida_kcore::thread::Thread;
use acrida_kcore::uaccess::UserAddr;

use crate::board::Board;
use crate::machine::{Seat, ThreadExit, ended, install, named_thread, seat, sit};

/// One world, as its threads see it.
#[derive(Clone)]
pub struct Sim {
    seat: Seat,
}

/// A simulated thread that can be waited for.
#[must_use]
pub struct Join {
    index: usize,
}

/// Runs `body` as the first thread of a new world and waits for the end of all its threads; gives the log.
///
/// # Panics
/// When a thread panics, when all threads wait for each other, and when one runs without end. The message names the seed.
pub fn run(seed: u64, body: impl FnOnce(&Sim) + Send + 'static) -> Vec<String> {
    install();
    let board = Arc::new(Board::new(seed));
    enter(&board, "main", named_thread(), body);
    board.start();
    match board.outcome() {
        Ok(log) => log,
        Err(why) => panic!("seed {seed}: {why}\n{}", board.log().join("\n")),
    }
}

/// Starts a host thread that runs `body` with a seat, once it has the baton.
fn enter(board: &Arc<Board>, name: &str, thread: &'static Thread, body: impl FnOnce(&Sim) + Send + 'static) -> usize {
    let index = board.add(name, thread);
    let seat = Seat { board: board.clone(), index, thread };
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let sim = Sim { seat: seat.clone() };
        sit(seat.clone());
        seat.board.wait_turn(index);
        let panicked = catch_unwind(AssertUnwindSafe(|| body(&sim))).err().and_then(|payload| message(&*payload));
        ended(seat.thread);
        seat.board.end(index, panicked);
    });
    assert!(started.is_ok(), "the host refused a thread for {name}");
    index
}

/// As [`enter`], for a thread that the kernel itself makes.
pub fn start(board: &Arc<Board>, name: &str, thread: &'static Thread, body: impl FnOnce() + Send + 'static) {
    enter(board, name, thread, move |_| body());
}

/// What a panic said; `None` for a thread that ended itself.
fn message(payload: &(dyn Any + Send)) -> Option<String> {
    if payload.is::<ThreadExit>() {
        return None;
    }
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    Some(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked".to_owned()))
}

/// Lets other threads of the caller's world come first, if the seed says so: for conditions and wake functions, which
/// make no call of the machine themselves. Nothing happens on a thread of no world.
pub fn preempt() {
    if let Some(seat) = seat() {
        seat.board.preempt(seat.index);
    }
}

impl Sim {
    /// A thread more; it is ready to run, and the seed says when.
    pub fn spawn(&self, name: &str, body: impl FnOnce(&Sim) + Send + 'static) -> Join {
        self.spawn_as(name, named_thread(), body)
    }

    /// As [`Sim::spawn`], with a thread record that the kernel's own data may hang on.
    pub fn spawn_as(&self, name: &str, thread: &'static Thread, body: impl FnOnce(&Sim) + Send + 'static) -> Join {
        Join { index: enter(&self.seat.board, name, thread, body) }
    }

    /// Waits for the end of a thread.
    pub fn join(&self, other: Join) {
        self.seat.board.join(self.seat.index, other.index);
    }

    /// What a signal does to a thread: its interruptible sleep ends, until `work::SIGPENDING` is cleared.
    pub fn interrupt(&self, other: &Join) {
        self.seat.board.interrupt(self.seat.index, other.index);
    }

    /// Sleeps in virtual time: all others run until they sleep too.
    pub fn sleep(&self, ns: u64) {
        let deadline = self.now() + ns;
        while self.now() < deadline {
            self.seat.board.park(self.seat.index, Some(deadline));
        }
    }

    /// Virtual time, ns.
    pub fn now(&self) -> u64 {
        self.seat.board.now()
    }

    /// A line of the log, under the calling thread's name.
    pub fn note(&self, text: impl AsRef<str>) {
        self.seat.board.note(self.seat.index, text.as_ref());
    }

    /// The calling thread's record.
    pub fn thread(&self) -> &'static Thread {
        self.seat.thread
    }

    /// Guest memory with these bytes in it.
    pub fn user(&self, bytes: &[u8]) -> UserAddr {
        let mut memory = self.seat.board.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let at = memory.alloc(bytes.len());
        let left = memory.write(at, bytes);
        assert_eq!(left, 0, "memory just handed out is there");
        at
    }

    /// Bytes of guest memory.
    ///
    /// # Panics
    /// Where no memory was handed out.
    pub fn user_bytes(&self, at: UserAddr, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let left = self.seat.board.memory.lock().unwrap_or_else(PoisonError::into_inner).read(&mut bytes, at);
        assert_eq!(left, 0, "no guest memory at {at:?}");
        bytes
    }
}
