//! The first bytes on a program's stack.
//!
//! Linux 6.6: `do_execveat_common`, `copy_strings` and `bprm_stack_limits` in `fs/exec.c`, `create_elf_tables` in
//! `fs/binfmt_elf.c`. The same layout, so that programs which walk past `envp` or print `/proc/self/cmdline` agree:
//!
//! ```text
//!   top - 8   eight zero bytes
//!             execfn, NUL
//!             environment strings      arg_end = env_start .. env_end
//!             argument strings         arg_start .. arg_end
//!             (random shift, down to a multiple of 16)
//!             platform, NUL
//!             16 random bytes
//!             (so much that rsp is a multiple of 16)
//!             auxv pairs, AT_NULL
//!             envp[], NULL
//!             argv[], NULL
//!   rsp ──►   argc                     rsp % 16 == 0
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use crate::{Error, PAGE_SIZE};

pub const AT_NULL: u64 = 0;
pub const AT_PLATFORM: u64 = 15;
pub const AT_RANDOM: u64 = 25;
pub const AT_EXECFN: u64 = 31;

/// Longest single string, with its NUL.
pub const MAX_ARG_STRLEN: usize = 32 * PAGE_SIZE as usize;
/// Bytes that arguments may always take, however small the stack limit is.
const ARG_MAX: u64 = 131_072;
/// Linux's default stack limit, of which three quarters bound the arguments.
#[doc(alias = "_STK_LIM")]
const STACK_LIMIT: u64 = 8 << 20;
const WORD: u64 = 8;

/// Bytes that strings and their pointers may take under a stack limit of `rlimit_stack` bytes.
#[doc(alias = "bprm_stack_limits")]
pub fn arg_limit(rlimit_stack: u64) -> u64 {
    (STACK_LIMIT / 4 * 3).min(rlimit_stack / 4).max(ARG_MAX)
}

/// What goes onto a new stack.
#[derive(Clone, Debug)]
pub struct StackSpec<'a, S> {
    /// Arguments without NUL; an empty list becomes one empty string, as in Linux since 5.18.
    pub argv: &'a [S],
    pub envp: &'a [S],
    /// Pairs in their final order, without AT_NULL. The values of AT_RANDOM, AT_EXECFN and AT_PLATFORM are filled in here.
    pub auxv: &'a [(u64, u64)],
    /// The bytes AT_RANDOM points to.
    pub random: [u8; 16],
    /// The path as `execve` got it.
    pub execfn: &'a [u8],
    /// AT_PLATFORM, `x86_64`.
    pub platform: &'a [u8],
    /// End of the stack mapping, page aligned.
    pub stack_top: u64,
    /// Bytes by which the pointers start lower than the strings end, 0 for none; Linux takes a random number below 8192.
    pub shift: u64,
    /// From [`arg_limit`].
    pub limit: u64,
}

/// A finished stack: `bytes` belong at `rsp..stack_top`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackImage {
    pub bytes: Vec<u8>,
    pub rsp: u64,
    /// Where the argument strings lie (`mm->arg_start`, `arg_end`).
    pub args: Range<u64>,
    /// Where the environment strings lie.
    pub env: Range<u64>,
    /// Address of the auxv pairs, for `/proc/PID/auxv`.
    pub auxv: u64,
}

/// Addresses counted down from the stack top.
struct Cursor(u64);

impl Cursor {
    fn down(&mut self, len: usize) -> Result<u64, Error> {
        self.0 = self.0.checked_sub(len as u64).ok_or(Error::TooBig)?;
        Ok(self.0)
    }

    fn string(&mut self, string: &[u8]) -> Result<u64, Error> {
        if string.len() >= MAX_ARG_STRLEN {
            return Err(Error::TooBig);
        }
        self.down(string.len() + 1)
    }

    /// Places strings so that the first is lowest; returns their addresses in list order.
    #[doc(alias = "copy_strings")]
    fn strings<S: AsRef<[u8]>>(&mut self, list: &[S]) -> Result<Vec<u64>, Error> {
        let mut at = list.iter().rev().map(|s| self.string(s.as_ref())).collect::<Result<Vec<_>, _>>()?;
        at.reverse();
        Ok(at)
    }

    fn align(&mut self) {
        self.0 &= !15;
    }
}

impl<S: AsRef<[u8]>> StackSpec<'_, S> {
    /// Lays out the stack.
    ///
    /// # Errors
    /// [`Error::TooBig`] when a string or the sum exceeds its limit.
    #[doc(alias = "create_elf_tables")]
    pub fn build(&self) -> Result<StackImage, Error> {
        let mut at = Cursor(self.stack_top);
        let strings_top = at.down(WORD as usize)?;
        let execfn = at.string(self.execfn)?;
        let env_end = at.0;
        let envp = at.strings(self.envp)?;
        let arg_end = at.0;
        let argv = if self.argv.is_empty() { alloc::vec![at.string(b"")?] } else { at.strings(self.argv)? };
        let arg_start = at.0;

        let pointers = (argv.len() + envp.len()) as u64 * WORD;
        if strings_top - arg_start > self.limit.saturating_sub(pointers) || self.limit <= pointers {
            return Err(Error::TooBig);
        }

        at.0 = at.0.checked_sub(self.shift).ok_or(Error::TooBig)?;
        at.align();
        let platform = at.string(self.platform)?;
        let random = at.down(self.random.len())?;
        let words = 1 + (argv.len() + 1) + (envp.len() + 1) + (self.auxv.len() + 1) * 2;
        at.down(words * WORD as usize)?;
        at.align();

        let len = usize::try_from(self.stack_top - at.0).map_err(|_| Error::TooBig)?;
        let mut image = Writer { base: at.0, next: 0, bytes: alloc::vec![0; len] };
        image.word(argv.len() as u64);
        image.pointers(&argv);
        image.pointers(&envp);
        let auxv = image.base + image.next as u64;
        for &(tag, value) in self.auxv {
            image.word(tag);
            image.word(match tag {
                AT_RANDOM => random,
                AT_EXECFN => execfn,
                AT_PLATFORM => platform,
                _ => value,
            });
        }
        image.word(AT_NULL);
        image.word(0);

        image.put(random, &self.random);
        image.put(platform, self.platform);
        self.argv.iter().zip(&argv).for_each(|(string, &to)| image.put(to, string.as_ref()));
        self.envp.iter().zip(&envp).for_each(|(string, &to)| image.put(to, string.as_ref()));
        image.put(execfn, self.execfn);
        Ok(StackImage { bytes: image.bytes, rsp: at.0, args: arg_start..arg_end, env: arg_end..env_end, auxv })
    }
}

/// The image under construction: words from the bottom up, strings at their addresses.
struct Writer {
    base: u64,
    next: usize,
    bytes: Vec<u8>,
}

impl Writer {
    fn word(&mut self, value: u64) {
        self.bytes[self.next..self.next + WORD as usize].copy_from_slice(&value.to_le_bytes());
        self.next += WORD as usize;
    }

    /// A list of pointers and its NULL.
    fn pointers(&mut self, list: &[u64]) {
        list.iter().for_each(|&pointer| self.word(pointer));
        self.word(0);
    }

    fn put(&mut self, addr: u64, bytes: &[u8]) {
        let at = (addr - self.base) as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }
}
