//! Erasing in the line being typed.
//!
//! Mirrors: drivers/tty/n_tty.c (`eraser`), Linux 6.18.

use alloc::vec::Vec;

use acrida_uapi::termios::*;

use super::NTty;
use super::echo::{is_caret, is_continuation};

/// What is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erase {
    Character,
    Word,
    Line,
}

impl NTty {
    /// Takes back what `how` says.
    #[doc(alias = "eraser")]
    pub(super) fn erase(&mut self, how: Erase, typed: u8) {
        if self.input.len() == self.complete {
            return;
        }
        if how == Erase::Line && !self.lflag(ECHO) {
            self.input.truncate(self.complete);
            return;
        }
        if how == Erase::Line && !(self.lflag(ECHOK) && self.lflag(ECHOKE) && self.lflag(ECHOE)) {
            self.input.truncate(self.complete);
            self.finish_erasing();
            self.echo_char(typed);
            if self.lflag(ECHOK) {
                self.echo_char_raw(b'\n');
            }
            return;
        }
        let mut in_word = false;
        while let Some(bytes) = self.last_character() {
            let first = bytes[0];
            if how == Erase::Word {
                if first.is_ascii_alphanumeric() || first == b'_' {
                    in_word = true;
                } else if in_word {
                    break;
                }
            }
            self.input.truncate(self.input.len() - bytes.len());
            if self.lflag(ECHO) {
                self.echo_erased(&bytes, how, typed);
            }
            if how == Erase::Character {
                break;
            }
        }
        if self.input.len() == self.complete && self.lflag(ECHO) {
            self.finish_erasing();
        }
    }

    /// The bytes of the last character typed in this line.
    fn last_character(&self) -> Option<Vec<u8>> {
        let mut start = self.input.len();
        while start > self.complete {
            start -= 1;
            if !is_continuation(self, self.input[start].byte) {
                return Some(self.input.range(start..).map(|cell| cell.byte).collect());
            }
        }
        None
    }

    fn echo_erased(&mut self, bytes: &[u8], how: Erase, typed: u8) {
        let first = bytes[0];
        if self.lflag(ECHOPRT) {
            if !core::mem::replace(&mut self.erasing, true) {
                self.echo_char_raw(b'\\');
            }
            self.echo_char(first);
            for &byte in &bytes[1..] {
                self.echo_char_raw(byte);
            }
        } else if how == Erase::Character && !self.lflag(ECHOE) {
            self.echo_char(typed);
        } else if first == b'\t' {
            self.erase_tab();
        } else {
            if is_caret(first) && self.lflag(ECHOCTL) {
                self.echo_erase_column();
            }
            if !is_caret(first) || self.lflag(ECHOCTL) {
                self.echo_erase_column();
            }
        }
    }

    /// A tab's width follows from what stands before it in the line.
    fn erase_tab(&mut self) {
        let mut width = 0;
        let mut after_tab = false;
        for cell in self.input.range(self.complete..).rev() {
            match cell.byte {
                b'\t' => {
                    after_tab = true;
                    break;
                }
                byte if is_caret(byte) => width += if self.lflag(ECHOCTL) { 2 } else { 0 },
                byte if is_continuation(self, byte) => {}
                _ => width += 1,
            }
        }
        self.echo_erase_tab(width, after_tab);
    }
}
