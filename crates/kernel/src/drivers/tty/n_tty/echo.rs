//! What the terminal shows: program output and echoes.
//!
//! Mirrors: drivers/tty/n_tty.c (`do_output_char`, `echo_char`, `__process_echoes`), Linux 6.18.

use acrida_uapi::termios::*;

use super::NTty;

/// Echoes are lost once so many bytes wait to be shown: somebody types who does not look.
const ECHO_LIMIT: usize = 16 << 10;

/// Whether `byte` continues a character of several bytes.
pub(super) fn is_continuation(ntty: &NTty, byte: u8) -> bool {
    ntty.iflag(IUTF8) && byte & 0xc0 == 0x80
}

/// What shows a control character as two bytes.
pub(super) fn is_caret(byte: u8) -> bool {
    byte.is_ascii_control()
}

impl NTty {
    /// Appends the bytes that show one byte of a program's output.
    #[doc(alias = "do_output_char")]
    pub fn output(&mut self, byte: u8) {
        let mut shown = byte;
        if !self.oflag(OPOST) {
            self.out.push_back(byte);
            return;
        }
        match byte {
            b'\n' => {
                if self.oflag(ONLRET) {
                    self.column = 0;
                }
                if self.oflag(ONLCR) {
                    self.column = 0;
                    self.out.push_back(b'\r');
                }
                self.canon_column = self.column;
            }
            b'\r' => {
                if self.oflag(ONOCR) && self.column == 0 {
                    return;
                }
                if self.oflag(OCRNL) {
                    shown = b'\n';
                }
                if !self.oflag(OCRNL) || self.oflag(ONLRET) {
                    self.column = 0;
                    self.canon_column = 0;
                }
            }
            b'\t' => {
                let spaces = 8 - self.column % 8;
                self.column += spaces;
                if self.termios.c_oflag & TABDLY == XTABS {
                    self.out.extend(core::iter::repeat_n(b' ', spaces));
                    return;
                }
            }
            0x08 => self.column = self.column.saturating_sub(1),
            _ if !byte.is_ascii_control() => {
                if self.oflag(OLCUC) {
                    shown = byte.to_ascii_uppercase();
                }
                if !is_continuation(self, byte) {
                    self.column += 1;
                }
            }
            _ => {}
        }
        self.out.push_back(shown);
    }

    /// Shows what `echo` appends, now or when output goes on.
    fn echoing(&mut self, echo: impl FnOnce(&mut NTty)) {
        let shown = self.out.len();
        if shown + self.held.len() >= ECHO_LIMIT {
            return;
        }
        echo(self);
        if self.output_is_stopped() {
            let late = self.out.split_off(shown);
            self.held.extend(late);
        }
    }

    /// Echoes as it is, but for output processing.
    pub(super) fn echo_char_raw(&mut self, byte: u8) {
        self.echoing(|ntty| ntty.output(byte));
    }

    /// Echoes a typed byte; control characters as `^X` if `ECHOCTL` says so.
    pub(super) fn echo_char(&mut self, byte: u8) {
        if self.lflag(ECHOCTL) && is_caret(byte) && byte != b'\t' {
            self.echoing(|ntty| {
                ntty.out.extend([b'^', byte ^ 0x40]);
                ntty.column += 2;
            });
        } else {
            self.echo_char_raw(byte);
        }
    }

    /// The line being typed begins where the cursor is.
    pub(super) fn echo_set_canon_col(&mut self) {
        self.canon_column = self.column;
    }

    /// Takes one column back on the screen.
    pub(super) fn echo_erase_column(&mut self) {
        for byte in [0x08, b' ', 0x08] {
            self.echo_char_raw(byte);
        }
    }

    /// Takes a tab back that stands behind `width` columns; those are of the whole line unless an older tab is before.
    pub(super) fn echo_erase_tab(&mut self, width: usize, after_tab: bool) {
        let columns = if after_tab { width } else { width + self.canon_column };
        self.echoing(|ntty| {
            for _ in 0..8 - columns % 8 {
                ntty.out.push_back(0x08);
                ntty.column = ntty.column.saturating_sub(1);
            }
        });
    }

    /// Ends an `ECHOPRT` erasure.
    pub(super) fn finish_erasing(&mut self) {
        if core::mem::take(&mut self.erasing) {
            self.echo_char_raw(b'/');
        }
    }
}
