//! `#!` lines.
//!
//! Linux 6.6: `fs/binfmt_script.c`. The line is judged inside the first 256 bytes only; everything after the
//! interpreter's name is one argument. The same odd corners hold: without a newline trailing blanks are not trimmed
//! (so `#!/bin/sh ` at the end of a file passes an empty argument), and `#!` followed by a NUL names the empty path,
//! which opening answers with ENOENT.

use alloc::vec::Vec;

use crate::{Error, HEAD_LEN};

/// The interpreter a script asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Path as written, without NUL.
    pub interpreter: Vec<u8>,
    /// The rest of the line, blanks inside it kept.
    pub argument: Option<Vec<u8>>,
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// First position in `from..=last` that is no blank.
#[doc(alias = "skip_spacetab")]
fn skip_blanks(head: &[u8; HEAD_LEN], from: usize, last: usize) -> Option<usize> {
    (from..=last).find(|&at| !is_blank(head[at]))
}

/// First position in `from..=last` that ends a word.
#[doc(alias = "next_terminator")]
fn word_end(head: &[u8; HEAD_LEN], from: usize, last: usize) -> Option<usize> {
    (from..=last).find(|&at| is_blank(head[at]) || head[at] == 0)
}

/// The bytes from `from` up to `end` or an earlier NUL.
fn c_string(head: &[u8; HEAD_LEN], from: usize, end: usize) -> Vec<u8> {
    head[from..end].iter().copied().take_while(|&byte| byte != 0).collect()
}

impl Script {
    /// Parses the head of a file, padded with NULs when the file is shorter.
    ///
    /// # Errors
    /// [`Error::NoExec`] if there is no `#!`, no name, or a name that may go on past the buffer.
    #[doc(alias = "load_script")]
    pub fn parse(head: &[u8; HEAD_LEN]) -> Result<Self, Error> {
        if !head.starts_with(b"#!") {
            return Err(Error::NoExec);
        }
        let mut end = line_end(head)?;
        while is_blank(head[end - 1]) {
            end -= 1;
        }
        let name = skip_blanks(head, 2, end).filter(|&name| name != end).ok_or(Error::NoExec)?;
        let separator = word_end(head, name, end);
        let argument =
            separator.filter(|&at| head[at] != 0).and_then(|at| skip_blanks(head, at, end)).map(|at| c_string(head, at, end));
        let interpreter = c_string(head, name, separator.unwrap_or(end));
        Ok(Script { interpreter, argument })
    }

    /// The argument list the interpreter gets: its own name, its argument, the script's path instead of the old
    /// `argv[0]`, and the rest.
    pub fn rewrite_argv(&self, script_path: &[u8], argv: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut list = Vec::with_capacity(argv.len() + 2);
        list.push(self.interpreter.clone());
        list.extend(self.argument.clone());
        list.push(script_path.to_vec());
        list.extend(argv.iter().skip(1).cloned());
        list
    }
}

/// Index of the newline, or of the last byte of the buffer when there is none but the name is known to be whole.
fn line_end(head: &[u8; HEAD_LEN]) -> Result<usize, Error> {
    let stop = head.iter().position(|&byte| byte == b'\n' || byte == 0);
    if let Some(at) = stop.filter(|&at| head[at] == b'\n') {
        return Ok(at);
    }
    let last = HEAD_LEN - 1;
    let name = skip_blanks(head, 2, last).ok_or(Error::NoExec)?;
    word_end(head, name, last).ok_or(Error::NoExec)?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn parse(text: &[u8]) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let mut head = [0u8; HEAD_LEN];
        let len = text.len().min(HEAD_LEN);
        head[..len].copy_from_slice(&text[..len]);
        Script::parse(&head).map(|script| (script.interpreter, script.argument))
    }

    fn name_of(len: usize) -> Vec<u8> {
        let mut text = b"#!/".to_vec();
        text.resize(2 + len, b'a');
        text
    }

    #[test]
    fn plain_lines() {
        assert_eq!(parse(b"#!/bin/sh\necho"), Ok((b"/bin/sh".to_vec(), None)));
        assert_eq!(parse(b"#! \t /bin/sh  -e -x \t\n"), Ok((b"/bin/sh".to_vec(), Some(b"-e -x".to_vec()))));
        assert_eq!(parse(b"#!/bin/sh   \n"), Ok((b"/bin/sh".to_vec(), None)));
        assert_eq!(parse(b"#!sh"), Ok((b"sh".to_vec(), None)));
    }

    #[test]
    fn refused_lines() {
        for text in [&b""[..], b"#", b"!#", b"#!\n", b"#!  \t \n", &[b"#!".as_slice(), &[b' '; 254]].concat()] {
            assert_eq!(parse(text), Err(Error::NoExec), "{text:?}");
        }
    }

    #[test]
    fn corners_of_a_line_without_newline() {
        assert_eq!(parse(b"#!/bin/sh "), Ok((b"/bin/sh".to_vec(), Some(vec![]))));
        assert_eq!(parse(b"#!"), Ok((vec![], None)));
        assert_eq!(parse(b"#!/bin/sh\0 -x\n"), Ok((b"/bin/sh".to_vec(), None)));
    }

    #[test]
    fn a_name_that_may_be_cut_is_refused_and_a_cut_argument_is_not() {
        assert_eq!(parse(&name_of(254)), Err(Error::NoExec));
        assert_eq!(parse(&name_of(253)).unwrap().0.len(), 253);
        let mut newline_last = name_of(253);
        newline_last.push(b'\n');
        assert_eq!(parse(&newline_last).unwrap().0.len(), 253);
        let mut long_argument = b"#!/bin/sh ".to_vec();
        long_argument.resize(400, b'x');
        assert_eq!(parse(&long_argument).unwrap().1.unwrap().len(), 255 - 10);
    }

    #[test]
    fn the_script_path_takes_the_place_of_argv0() {
        let script = Script { interpreter: b"/bin/sh".to_vec(), argument: Some(b"-e".to_vec()) };
        let argv = [b"zero".to_vec(), b"one".to_vec()];
        let want = [b"/bin/sh".to_vec(), b"-e".to_vec(), b"./s".to_vec(), b"one".to_vec()];
        assert_eq!(script.rewrite_argv(b"./s", &argv), want);
        assert_eq!(script.rewrite_argv(b"./s", &[]).len(), 3);
    }
}
