//! The line discipline as a dialogue: typed, shown, read.

use alloc::vec::Vec;

use acrida_uapi::signal::SIGINT;
use acrida_uapi::termios::*;

use super::{NTty, News};

fn typed(ntty: &mut NTty, bytes: &[u8]) -> News {
    let mut news = News::default();
    for &byte in bytes {
        ntty.receive(byte, &mut news);
    }
    news
}

fn shown(ntty: &mut NTty) -> Vec<u8> {
    ntty.out.drain(..).collect()
}

#[test]
fn a_line_is_edited_before_it_is_read() {
    let mut ntty = NTty::default();
    typed(&mut ntty, b"one twx\x7fo\x17three");
    assert!(!ntty.has_input(1));
    typed(&mut ntty, b"\r");
    assert_eq!(ntty.take(100), b"one three\n");
    assert_eq!(shown(&mut ntty), b"one twx\x08 \x08o\x08 \x08\x08 \x08\x08 \x08three\r\n");
}

#[test]
fn end_of_file_is_no_byte() {
    let mut ntty = NTty::default();
    typed(&mut ntty, b"abc\x04\x04");
    assert_eq!(ntty.readable_bytes(), 3);
    // The end of file behind an exactly filled buffer goes with it.
    assert_eq!(ntty.take(3), b"abc");
    assert!(ntty.has_input(1));
    assert_eq!(ntty.take(3), b"");
    assert!(!ntty.has_input(1));
}

#[test]
fn an_interrupt_throws_the_line_away() {
    let mut ntty = NTty::default();
    let news = typed(&mut ntty, b"abc\x03");
    assert_eq!((news.signals, news.flushed), (alloc::vec![SIGINT], true));
    assert_eq!(shown(&mut ntty), b"abc^C");
    typed(&mut ntty, b"\n");
    assert_eq!(ntty.take(9), b"\n");
}

#[test]
fn a_quoted_control_character_is_data() {
    let mut ntty = NTty::default();
    let news = typed(&mut ntty, b"\x16\x03\n");
    assert!(news.signals.is_empty());
    assert_eq!(ntty.take(9), b"\x03\n");
    assert_eq!(shown(&mut ntty), b"^\x08^C\r\n");
}

#[test]
fn stopped_output_holds_echoes_back() {
    let mut ntty = NTty::default();
    typed(&mut ntty, b"\x13ab");
    assert_eq!(shown(&mut ntty), b"");
    typed(&mut ntty, b"\x11");
    assert_eq!(shown(&mut ntty), b"ab");
}

#[test]
fn raw_input_becomes_a_line_when_lines_are_wanted() {
    let mut ntty = NTty::default();
    let mut modes = ntty.termios;
    modes.c_lflag &= !ICANON;
    ntty.set_termios(modes);
    typed(&mut ntty, b"ab");
    assert!(ntty.has_input(2) && !ntty.has_input(3));
    modes.c_lflag |= ICANON;
    ntty.set_termios(modes);
    assert_eq!(ntty.take(9), b"ab");
}

#[test]
fn a_line_too_long_keeps_its_end() {
    let mut ntty = NTty::default();
    typed(&mut ntty, &[b'x'; 5000]);
    typed(&mut ntty, b"\n");
    let line = ntty.take(9000);
    assert_eq!((line.len(), line.last()), (4096, Some(&b'\n')));
}

#[test]
fn a_tab_is_erased_to_where_it_began() {
    let mut ntty = NTty::default();
    for byte in *b"> " {
        ntty.output(byte);
    }
    typed(&mut ntty, b"a\t");
    shown(&mut ntty);
    typed(&mut ntty, b"\x7f");
    assert_eq!(shown(&mut ntty), b"\x08\x08\x08\x08\x08");
}
