//! The line discipline of terminals, as a machine without tasks or locks.
//!
//! Bytes typed go in by [`NTty::receive`], programs take lines or bytes out by [`NTty::take`], and what the terminal must
//! show (echo, program output) is appended to [`NTty::out`]. What else must happen (signals, wake-ups) is reported in
//! [`News`].
//!
//! Mirrors: drivers/tty/n_tty.c, Linux 6.18.
//! Differs: a byte and its mark (`read_flags`) are one cell; echoes wait only while output is stopped, never for room: what
//! finds none is lost, the youngest first.
//! Locking: none of its own.

mod echo;
mod edit;
mod receive;
#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use acrida_uapi::termios::*;

/// Bytes of input a terminal holds.
pub const N_TTY_BUF_SIZE: usize = 4096;

/// What a received byte called for, beyond the buffers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Signals for the foreground group, in order.
    pub signals: Vec<i32>,
    /// Input was thrown away.
    pub flushed: bool,
}

/// The end of a line in the input, or what stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    None,
    /// The byte ends a line.
    Line,
    /// An end of file typed here: ends a line and is no byte.
    Eof,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    byte: u8,
    mark: Mark,
}

/// One terminal's line discipline.
#[doc(alias = "n_tty_data")]
pub struct NTty {
    pub termios: Termios2,
    input: VecDeque<Cell>,
    /// Cells of `input` that belong to complete lines.
    #[doc(alias = "canon_head")]
    complete: usize,
    /// The next byte is taken literally.
    lnext: bool,
    /// An `ECHOPRT` erasure is open.
    erasing: bool,
    column: usize,
    /// Column where the line being typed began.
    canon_column: usize,
    /// Output stopped by ^S, and by `TCXONC`.
    pub stopped: bool,
    pub tco_stopped: bool,
    /// Echoes that wait for the output to go on.
    held: VecDeque<u8>,
    /// What the terminal is to show.
    pub out: VecDeque<u8>,
}

/// How a terminal starts.
#[doc(alias = "tty_std_termios")]
pub fn std_termios() -> Termios2 {
    let mut c_cc = [0; NCCS];
    let control = |letter: u8| letter & 0x1f;
    let start = [
        (VINTR, control(b'C')),
        (VQUIT, control(b'\\')),
        (VERASE, 0x7f),
        (VKILL, control(b'U')),
        (VEOF, control(b'D')),
        (VMIN, 1),
        (VSTART, control(b'Q')),
        (VSTOP, control(b'S')),
        (VSUSP, control(b'Z')),
        (VREPRINT, control(b'R')),
        (VDISCARD, control(b'O')),
        (VWERASE, control(b'W')),
        (VLNEXT, control(b'V')),
    ];
    for (place, byte) in start {
        c_cc[place] = byte;
    }
    Termios2 {
        c_iflag: ICRNL | IXON,
        c_oflag: OPOST | ONLCR,
        c_cflag: B38400 | CS8 | CREAD,
        c_lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        c_line: N_TTY,
        c_cc,
        c_ispeed: 38400,
        c_ospeed: 38400,
    }
}

impl Default for NTty {
    fn default() -> Self {
        NTty {
            termios: std_termios(),
            input: VecDeque::new(),
            complete: 0,
            lnext: false,
            erasing: false,
            column: 0,
            canon_column: 0,
            stopped: false,
            tco_stopped: false,
            held: VecDeque::new(),
            out: VecDeque::new(),
        }
    }
}

impl NTty {
    fn iflag(&self, flag: u32) -> bool {
        self.termios.c_iflag & flag != 0
    }

    fn oflag(&self, flag: u32) -> bool {
        self.termios.c_oflag & flag != 0
    }

    pub fn lflag(&self, flag: u32) -> bool {
        self.termios.c_lflag & flag != 0
    }

    /// Whether input is handed out by lines.
    pub fn by_lines(&self) -> bool {
        self.lflag(ICANON) && !self.lflag(EXTPROC)
    }

    pub fn output_is_stopped(&self) -> bool {
        self.stopped || self.tco_stopped
    }

    /// Bytes a reader must find before it is woken in raw mode, and tenths of a second between or before them.
    pub fn min_and_time(&self) -> (usize, u64) {
        (self.termios.c_cc[VMIN].into(), self.termios.c_cc[VTIME].into())
    }

    /// Whether a read would find something; `at_least` counts in raw mode.
    #[doc(alias = "input_available_p")]
    pub fn has_input(&self, at_least: usize) -> bool {
        if self.by_lines() { self.complete > 0 } else { self.input.len() >= at_least.max(1) }
    }

    /// Bytes a program can read now (`FIONREAD`).
    #[doc(alias = "inq_canon")]
    pub fn readable_bytes(&self) -> usize {
        if !self.lflag(ICANON) {
            return self.input.len();
        }
        self.input.iter().take(self.complete).filter(|cell| cell.mark != Mark::Eof).count()
    }

    /// Whether another typed byte has a place. A line that is not complete always has: its last byte is overwritten.
    #[doc(alias = "receive_room")]
    pub fn has_room(&self) -> bool {
        self.input.len() < N_TTY_BUF_SIZE - 1 || self.lflag(ICANON) && self.complete == 0
    }

    /// Takes at most `room` bytes, of one line where lines are asked for.
    #[doc(alias = "canon_copy_from_read_buf")]
    #[doc(alias = "copy_from_read_buf")]
    pub fn take(&mut self, room: usize) -> Vec<u8> {
        let by_lines = self.by_lines();
        let mut out = Vec::new();
        while !by_lines || self.complete > 0 {
            let Some(cell) = self.input.front().copied() else { break };
            if out.len() == room && !(by_lines && room > 0 && cell.mark == Mark::Eof) {
                break;
            }
            self.input.pop_front();
            self.complete = self.complete.saturating_sub(1);
            if !(by_lines && cell.mark == Mark::Eof) {
                out.push(cell.byte);
            }
            if by_lines && cell.mark != Mark::None {
                break;
            }
        }
        out
    }

    /// Forgets everything typed.
    #[doc(alias = "reset_buffer_flags")]
    pub fn flush_input(&mut self) {
        self.input.clear();
        self.complete = 0;
        self.lnext = false;
        self.erasing = false;
    }

    /// New modes.
    #[doc(alias = "n_tty_set_termios")]
    pub fn set_termios(&mut self, new: Termios2) {
        let old = core::mem::replace(&mut self.termios, new);
        if (old.c_lflag ^ new.c_lflag) & (ICANON | EXTPROC) != 0 {
            // What is there becomes one line, or loses its lines.
            for cell in &mut self.input {
                cell.mark = Mark::None;
            }
            self.complete = 0;
            if new.c_lflag & ICANON != 0
                && let Some(last) = self.input.back_mut()
            {
                last.mark = Mark::Line;
                self.complete = self.input.len();
            }
            self.lnext = false;
            self.erasing = false;
        }
        if old.c_iflag & IXON != 0 && new.c_iflag & IXON == 0 && !self.tco_stopped {
            self.start();
        }
    }

    /// ^Q or its equal; whether output was stopped and goes on.
    #[doc(alias = "__start_tty")]
    pub fn start(&mut self) -> bool {
        if !self.stopped || self.tco_stopped {
            return false;
        }
        self.stopped = false;
        self.out.append(&mut self.held);
        true
    }

    /// ^S; whether output was not stopped before.
    #[doc(alias = "__stop_tty")]
    pub fn stop(&mut self) -> bool {
        !core::mem::replace(&mut self.stopped, true)
    }
}
