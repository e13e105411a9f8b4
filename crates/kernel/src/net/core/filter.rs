//! Classic socket filters: a small program that says how much of a message a socket takes.
//!
//! A program has an accumulator, an index register and sixteen words of memory. It only jumps forward, so it ends; what it
//! returns is the number of bytes to keep, none of which means that the message is dropped. A load from beyond the message
//! and a division by zero drop it too.
//!
//! Mirrors: net/core/filter.c (`bpf_check_classic`, `sk_attach_filter`, `sk_filter_trim_cap`), Linux 6.18.
//! Differs: a program is read into [`Instruction`]s once and run as such; Linux translates it into its newer machine's. No
//! netlink attributes are looked for (`SKF_AD_NLATTR`): a local socket's messages have none.
//! Locking: a slot's `filter` is a leaf.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use acrida_kcore::platform::platform;
use acrida_kcore::sync::SpinLock;
use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::errno::Errno;
use acrida_uapi::filter::*;
use zerocopy::IntoBytes;

use super::skbuff::SkBuff;
use crate::host;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Register {
    A,
    X,
}

#[derive(Clone, Copy, Debug)]
enum Operand {
    Constant(u32),
    X,
}

/// Where a load finds its value.
#[derive(Clone, Copy, Debug)]
enum Source {
    Constant(u32),
    Memory(u32),
    /// The message's length.
    Length,
    /// So many bytes of the message, most significant first, at an offset that X may add to.
    Packet {
        width: usize,
        at: u32,
        indexed: bool,
    },
    /// The length of an IP header that begins with this byte.
    #[doc(alias = "BPF_MSH")]
    HeaderLength(u32),
    /// What Linux knows of the message besides (`SKF_AD_*`).
    Beside(i32),
}

#[derive(Clone, Copy, Debug)]
enum Instruction {
    Load(Register, Source),
    Store(Register, u32),
    /// One of `BPF_ADD`...
    Compute(u16, Operand),
    /// One of `BPF_JEQ`..., and what is skipped if it holds and if it does not.
    Branch(u16, Operand, [u32; 2]),
    Jump(u32),
    Transfer {
        to: Register,
    },
    Return(Operand),
    ReturnA,
}

impl Instruction {
    /// # Errors
    /// `EINVAL` for what is none, and for constants that can be seen to be wrong.
    #[doc(alias = "chk_code_allowed")]
    fn decode(given: SockFilter) -> Result<Instruction, Errno> {
        let SockFilter { code, jt, jf, k } = given;
        let operand = if code & BPF_X != 0 { Operand::X } else { Operand::Constant(k) };
        Ok(match code & 7 {
            BPF_LD => Instruction::Load(Register::A, Source::of_ld(code, k)?),
            BPF_LDX => Instruction::Load(Register::X, Source::of_ldx(code, k)?),
            BPF_ST | BPF_STX if code > BPF_STX || k >= BPF_MEMWORDS => return Err(Errno::EINVAL),
            BPF_ST => Instruction::Store(Register::A, k),
            BPF_STX => Instruction::Store(Register::X, k),
            BPF_ALU => match code & !(BPF_ALU | BPF_X) {
                BPF_DIV | BPF_MOD if matches!(operand, Operand::Constant(0)) => return Err(Errno::EINVAL),
                BPF_LSH | BPF_RSH if matches!(operand, Operand::Constant(32..)) => return Err(Errno::EINVAL),
                BPF_NEG if code & BPF_X != 0 => return Err(Errno::EINVAL),
                op @ (BPF_ADD | BPF_SUB | BPF_MUL | BPF_DIV | BPF_MOD | BPF_OR | BPF_AND | BPF_XOR | BPF_LSH | BPF_RSH
                | BPF_NEG) => Instruction::Compute(op, operand),
                _ => return Err(Errno::EINVAL),
            },
            BPF_JMP => match code & !(BPF_JMP | BPF_X) {
                BPF_JA if code & BPF_X == 0 => Instruction::Jump(k),
                op @ (BPF_JEQ | BPF_JGT | BPF_JGE | BPF_JSET) => Instruction::Branch(op, operand, [jt.into(), jf.into()]),
                _ => return Err(Errno::EINVAL),
            },
            BPF_RET => match code & !BPF_RET {
                BPF_K => Instruction::Return(Operand::Constant(k)),
                BPF_A => Instruction::ReturnA,
                _ => return Err(Errno::EINVAL),
            },
            _ => match code & !BPF_MISC {
                BPF_TAX => Instruction::Transfer { to: Register::X },
                BPF_TXA => Instruction::Transfer { to: Register::A },
                _ => return Err(Errno::EINVAL),
            },
        })
    }
}

impl Source {
    fn memory(k: u32) -> Result<Source, Errno> {
        if k < BPF_MEMWORDS { Ok(Source::Memory(k)) } else { Err(Errno::EINVAL) }
    }

    fn of_ld(code: u16, k: u32) -> Result<Source, Errno> {
        let width = match code & (BPF_H | BPF_B) {
            BPF_W => 4,
            BPF_H => 2,
            BPF_B => 1,
            _ => return Err(Errno::EINVAL),
        };
        match code & !(BPF_H | BPF_B) {
            BPF_IMM if width == 4 => Ok(Source::Constant(k)),
            BPF_MEM if width == 4 => Source::memory(k),
            BPF_LEN if width == 4 => Ok(Source::Length),
            BPF_IND => Ok(Source::Packet { width, at: k, indexed: true }),
            BPF_ABS => match k.cast_signed() {
                // Every fourth of them has a meaning; those that have none are refused.
                SKF_AD_OFF..0 => match k.cast_signed() - SKF_AD_OFF {
                    beside @ 0..SKF_AD_MAX if beside % 4 == 0 => Ok(Source::Beside(beside)),
                    _ => Err(Errno::EINVAL),
                },
                _ => Ok(Source::Packet { width, at: k, indexed: false }),
            },
            _ => Err(Errno::EINVAL),
        }
    }

    fn of_ldx(code: u16, k: u32) -> Result<Source, Errno> {
        match code & !BPF_LDX {
            BPF_IMM => Ok(Source::Constant(k)),
            BPF_MEM => Source::memory(k),
            BPF_LEN => Ok(Source::Length),
            other if other == BPF_MSH | BPF_B => Ok(Source::HeaderLength(k)),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// A checked program.
#[doc(alias = "bpf_prog")]
pub struct Filter {
    given: Vec<SockFilter>,
    program: Vec<Instruction>,
}

impl Filter {
    /// The program that `fprog` describes.
    ///
    /// # Errors
    /// `EINVAL` for one that is none, `EFAULT`.
    #[doc(alias = "__get_filter")]
    pub fn from_user(fprog: &SockFprog) -> Result<Filter, Errno> {
        if fprog.filter == 0 || !(1..=BPF_MAXINSNS).contains(&fprog.len) {
            return Err(Errno::EINVAL);
        }
        let mut given = vec![SockFilter::default(); fprog.len.into()];
        UserAddr(fprog.filter).read_bytes(given.as_mut_bytes())?;
        let program = given.iter().copied().map(Instruction::decode).collect::<Result<Vec<_>, _>>()?;
        check(&program)?;
        Ok(Filter { given, program })
    }

    /// The program as it was given.
    pub fn given(&self) -> &[SockFilter] {
        &self.given
    }

    /// Runs the program on `skb`, and cuts it to what is taken; `false`: nothing is.
    #[doc(alias = "sk_filter_trim_cap")]
    pub fn admit(&self, skb: &mut SkBuff) -> bool {
        let taken = Machine { skb, a: 0, x: 0, memory: [0; BPF_MEMWORDS as usize] }.run(&self.program).unwrap_or(0);
        if taken > 0 {
            skb.trim(taken as usize);
        }
        taken > 0
    }
}

/// Jumps stay inside, memory is written before it is read whichever way was taken, and the last instruction returns.
#[doc(alias = "bpf_check_classic")]
#[doc(alias = "check_load_and_stores")]
fn check(program: &[Instruction]) -> Result<(), Errno> {
    // The words that every way to an instruction has written.
    let mut written = vec![u16::MAX; program.len()];
    let mut here = 0;
    for (at, instruction) in program.iter().enumerate() {
        here &= written[at];
        let mut reach = |skipped: u32, here: u16| -> Result<(), Errno> {
            let target =
                (at + 1).checked_add(skipped as usize).and_then(|target| written.get_mut(target)).ok_or(Errno::EINVAL)?;
            *target &= here;
            Ok(())
        };
        match *instruction {
            Instruction::Load(_, Source::Memory(word)) if here & 1 << word == 0 => return Err(Errno::EINVAL),
            Instruction::Store(_, word) => here |= 1 << word,
            Instruction::Jump(skipped) => {
                reach(skipped, here)?;
                here = u16::MAX;
            }
            Instruction::Branch(_, _, ways) => {
                reach(ways[0], here)?;
                reach(ways[1], here)?;
                here = u16::MAX;
            }
            _ => {}
        }
    }
    match program.last() {
        Some(Instruction::Return(_) | Instruction::ReturnA) => Ok(()),
        _ => Err(Errno::EINVAL),
    }
}

/// A program under way.
struct Machine<'a> {
    skb: &'a SkBuff,
    a: u32,
    x: u32,
    memory: [u32; BPF_MEMWORDS as usize],
}

impl Machine<'_> {
    /// What the program returns; `None`: it was broken off.
    fn run(&mut self, program: &[Instruction]) -> Option<u32> {
        let mut at = 0;
        loop {
            let instruction = *program.get(at)?;
            at += 1;
            match instruction {
                Instruction::Load(Register::A, from) => self.a = self.load(from)?,
                Instruction::Load(Register::X, from) => self.x = self.load(from)?,
                Instruction::Store(register, word) => {
                    self.memory[word as usize] = if register == Register::A { self.a } else { self.x };
                }
                Instruction::Compute(op, by) => self.a = compute(op, self.a, self.value(by))?,
                Instruction::Branch(op, with, ways) => {
                    let way = if holds(op, self.a, self.value(with)) { 0 } else { 1 };
                    at += ways[way] as usize;
                }
                Instruction::Jump(skipped) => at += skipped as usize,
                Instruction::Transfer { to: Register::A } => self.a = self.x,
                Instruction::Transfer { to: Register::X } => self.x = self.a,
                Instruction::Return(value) => return Some(self.value(value)),
                Instruction::ReturnA => return Some(self.a),
            }
        }
    }

    fn value(&self, operand: Operand) -> u32 {
        match operand {
            Operand::Constant(k) => k,
            Operand::X => self.x,
        }
    }

    fn load(&self, from: Source) -> Option<u32> {
        match from {
            Source::Constant(k) => Some(k),
            Source::Memory(word) => Some(self.memory[word as usize]),
            Source::Length => u32::try_from(self.skb.len()).ok(),
            Source::Packet { width, at, indexed } => {
                self.packet(if indexed { self.x.wrapping_add(at) } else { at }.cast_signed(), width)
            }
            Source::HeaderLength(at) => Some((self.packet(at.cast_signed(), 1)? & 15) * 4),
            Source::Beside(what) => self.beside(what),
        }
    }

    /// `width` bytes of the message.
    #[doc(alias = "bpf_internal_load_pointer_neg_helper")]
    fn packet(&self, offset: i32, width: usize) -> Option<u32> {
        let offset = match offset {
            0.. => offset,
            // A local message's network header begins where it begins; it has none of a link.
            SKF_NET_OFF..0 => offset - SKF_NET_OFF,
            _ => return None,
        };
        let mut bytes = [0; 4];
        self.skb.copy_bits(offset.cast_unsigned() as usize, &mut bytes[4 - width..])?;
        Some(u32::from_be_bytes(bytes))
    }

    #[doc(alias = "convert_bpf_extensions")]
    fn beside(&self, what: i32) -> Option<u32> {
        match what {
            // No interface brought it.
            SKF_AD_IFINDEX | SKF_AD_HATYPE => None,
            SKF_AD_CPU => Some(host::current_cpu()),
            SKF_AD_ALU_XOR_X => Some(self.a ^ self.x),
            SKF_AD_RANDOM => {
                let mut bytes = [0; 4];
                platform().random(&mut bytes);
                Some(u32::from_ne_bytes(bytes))
            }
            _ => Some(0),
        }
    }
}

/// `None`: a division by zero.
fn compute(op: u16, a: u32, by: u32) -> Option<u32> {
    Some(match op {
        BPF_ADD => a.wrapping_add(by),
        BPF_SUB => a.wrapping_sub(by),
        BPF_MUL => a.wrapping_mul(by),
        BPF_DIV => a.checked_div(by)?,
        BPF_MOD => a.checked_rem(by)?,
        BPF_OR => a | by,
        BPF_AND => a & by,
        BPF_XOR => a ^ by,
        BPF_LSH => a.wrapping_shl(by),
        BPF_RSH => a.wrapping_shr(by),
        _ => a.wrapping_neg(),
    })
}

fn holds(op: u16, a: u32, with: u32) -> bool {
    match op {
        BPF_JEQ => a == with,
        BPF_JGT => a > with,
        BPF_JGE => a >= with,
        _ => a & with != 0,
    }
}

/// A socket's filter, if it has one.
#[doc(alias = "sk_filter")]
#[derive(Default)]
pub struct FilterSlot {
    /// Spares sockets without a filter the lock.
    attached: AtomicBool,
    filter: SpinLock<Option<Arc<Filter>>>,
}

impl FilterSlot {
    pub fn get(&self) -> Option<Arc<Filter>> {
        if self.attached.load(Ordering::Relaxed) { self.filter.lock().clone() } else { None }
    }

    #[doc(alias = "sk_attach_filter")]
    pub fn attach(&self, filter: Filter) {
        let old = self.filter.lock().replace(Arc::new(filter));
        self.attached.store(true, Ordering::Relaxed);
        drop(old);
    }

    /// # Errors
    /// `ENOENT` when there is none.
    #[doc(alias = "sk_detach_filter")]
    pub fn detach(&self) -> Result<(), Errno> {
        let mut filter = self.filter.lock();
        self.attached.store(false, Ordering::Relaxed);
        let old = filter.take();
        drop(filter);
        old.map(drop).ok_or(Errno::ENOENT)
    }
}
