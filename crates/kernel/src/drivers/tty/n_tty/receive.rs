//! A byte typed at the terminal.
//!
//! Mirrors: drivers/tty/n_tty.c (`n_tty_receive_buf_standard`, `n_tty_receive_char_special`), Linux 6.18.

use acrida_uapi::signal::{SIGINT, SIGQUIT, SIGTSTP};
use acrida_uapi::termios::*;

use super::edit::Erase;
use super::{Cell, Mark, N_TTY_BUF_SIZE, NTty, News};

impl NTty {
    /// Whether `byte` is the control character at `place`; a disabled one is none.
    fn is_cc(&self, byte: u8, place: usize) -> bool {
        byte != _POSIX_VDISABLE && self.termios.c_cc[place] == byte
    }

    fn is_extended_cc(&self, byte: u8, place: usize) -> bool {
        self.lflag(IEXTEN) && self.is_cc(byte, place)
    }

    /// Takes one typed byte in. There must be room ([`NTty::has_room`]).
    pub fn receive(&mut self, byte: u8, news: &mut News) {
        let mut byte = byte;
        if self.lnext {
            self.lnext = false;
            self.receive_literally(byte);
            return;
        }
        if self.iflag(ISTRIP) {
            byte &= 0x7f;
        }
        if self.iflag(IUCLC) && self.lflag(IEXTEN) {
            byte = byte.to_ascii_lowercase();
        }
        if self.lflag(EXTPROC) {
            self.put(byte, Mark::None);
            return;
        }
        if self.receive_flow_control(byte) || self.receive_signal(byte, news) {
            return;
        }
        if self.iflag(IXON) && self.iflag(IXANY) {
            self.start();
        }
        match byte {
            b'\r' if self.iflag(IGNCR) => return,
            b'\r' if self.iflag(ICRNL) => byte = b'\n',
            b'\n' if self.iflag(INLCR) => byte = b'\r',
            _ => {}
        }
        if !(self.lflag(ICANON) && self.receive_editing(byte)) {
            self.receive_ordinary(byte);
        }
    }

    fn receive_ordinary(&mut self, byte: u8) {
        if self.lflag(ECHO) {
            self.finish_erasing();
            if byte == b'\n' {
                self.echo_char_raw(byte);
            } else {
                self.echo_typed(byte);
            }
        }
        self.put(byte, Mark::None);
    }

    /// Behind `VLNEXT`.
    fn receive_literally(&mut self, byte: u8) {
        if self.lflag(ECHO) {
            self.finish_erasing();
            self.echo_typed(byte);
        }
        self.put(byte, Mark::None);
    }

    fn echo_typed(&mut self, byte: u8) {
        if self.complete == self.input.len() {
            self.echo_set_canon_col();
        }
        self.echo_char(byte);
    }

    #[doc(alias = "n_tty_receive_char_flow_ctrl")]
    fn receive_flow_control(&mut self, byte: u8) -> bool {
        if !self.iflag(IXON) {
            return false;
        }
        if self.is_cc(byte, VSTART) {
            self.start();
            true
        } else if self.is_cc(byte, VSTOP) {
            self.stop();
            true
        } else {
            false
        }
    }

    #[doc(alias = "n_tty_receive_signal_char")]
    fn receive_signal(&mut self, byte: u8, news: &mut News) -> bool {
        if !self.lflag(ISIG) {
            return false;
        }
        let signals = [(VINTR, SIGINT), (VQUIT, SIGQUIT), (VSUSP, SIGTSTP)];
        let Some(&(_, signo)) = signals.iter().find(|&&(place, _)| self.is_cc(byte, place)) else { return false };
        news.signals.push(signo);
        if !self.lflag(NOFLSH) {
            self.held.clear();
            self.flush_input();
            news.flushed = true;
        }
        if self.iflag(IXON) {
            self.start();
        }
        if self.lflag(ECHO) {
            self.echo_char(byte);
        }
        true
    }

    /// Editing and line ends; whether the byte was one of them.
    fn receive_editing(&mut self, byte: u8) -> bool {
        if self.is_cc(byte, VERASE) {
            self.erase(Erase::Character, byte);
        } else if self.is_cc(byte, VKILL) {
            self.erase(Erase::Line, byte);
        } else if self.is_extended_cc(byte, VWERASE) {
            self.erase(Erase::Word, byte);
        } else if self.is_extended_cc(byte, VLNEXT) {
            self.lnext = true;
            if self.lflag(ECHO) && self.lflag(ECHOCTL) {
                self.finish_erasing();
                self.echo_char_raw(b'^');
                self.echo_char_raw(0x08);
            }
        } else if self.is_extended_cc(byte, VREPRINT) && self.lflag(ECHO) {
            self.reprint(byte);
        } else if byte == b'\n' {
            if self.lflag(ECHO) || self.lflag(ECHONL) {
                self.echo_char_raw(byte);
            }
            self.end_line(byte, Mark::Line);
        } else if self.is_cc(byte, VEOF) {
            self.end_line(_POSIX_VDISABLE, Mark::Eof);
        } else if self.is_cc(byte, VEOL) || self.is_extended_cc(byte, VEOL2) {
            if self.lflag(ECHO) {
                self.echo_typed(byte);
            }
            self.end_line(byte, Mark::Line);
        } else {
            return false;
        }
        true
    }

    fn reprint(&mut self, byte: u8) {
        self.finish_erasing();
        self.echo_char(byte);
        self.echo_char_raw(b'\n');
        for at in self.complete..self.input.len() {
            self.echo_char(self.input[at].byte);
        }
    }

    fn end_line(&mut self, byte: u8, mark: Mark) {
        self.put(byte, mark);
        self.complete = self.input.len();
    }

    #[doc(alias = "put_tty_queue")]
    fn put(&mut self, byte: u8, mark: Mark) {
        // A byte of all ones starts a mark for errors, and is doubled to be told from one.
        if byte == 0xff && mark == Mark::None && self.iflag(PARMRK) {
            self.input.push_back(Cell { byte, mark });
        }
        if self.lflag(ICANON) && self.complete == 0 {
            self.input.truncate(N_TTY_BUF_SIZE - 1);
        }
        self.input.push_back(Cell { byte, mark });
    }
}
