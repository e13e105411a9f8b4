//! Classic socket filters.
//!
//! Mirrors `include/uapi/linux/{filter.h,bpf_common.h}` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Classes of instructions.
pub const BPF_LD: u16 = 0x00;
pub const BPF_LDX: u16 = 0x01;
pub const BPF_ST: u16 = 0x02;
pub const BPF_STX: u16 = 0x03;
pub const BPF_ALU: u16 = 0x04;
pub const BPF_JMP: u16 = 0x05;
pub const BPF_RET: u16 = 0x06;
pub const BPF_MISC: u16 = 0x07;

// Widths and places of loads.
pub const BPF_W: u16 = 0x00;
pub const BPF_H: u16 = 0x08;
pub const BPF_B: u16 = 0x10;
pub const BPF_IMM: u16 = 0x00;
pub const BPF_ABS: u16 = 0x20;
pub const BPF_IND: u16 = 0x40;
pub const BPF_MEM: u16 = 0x60;
pub const BPF_LEN: u16 = 0x80;
pub const BPF_MSH: u16 = 0xa0;

// Arithmetic and jumps.
pub const BPF_ADD: u16 = 0x00;
pub const BPF_SUB: u16 = 0x10;
pub const BPF_MUL: u16 = 0x20;
pub const BPF_DIV: u16 = 0x30;
pub const BPF_OR: u16 = 0x40;
pub const BPF_AND: u16 = 0x50;
pub const BPF_LSH: u16 = 0x60;
pub const BPF_RSH: u16 = 0x70;
pub const BPF_NEG: u16 = 0x80;
pub const BPF_MOD: u16 = 0x90;
pub const BPF_XOR: u16 = 0xa0;
pub const BPF_JA: u16 = 0x00;
pub const BPF_JEQ: u16 = 0x10;
pub const BPF_JGT: u16 = 0x20;
pub const BPF_JGE: u16 = 0x30;
pub const BPF_JSET: u16 = 0x40;

// Operands, results and transfers.
pub const BPF_K: u16 = 0x00;
pub const BPF_X: u16 = 0x08;
pub const BPF_A: u16 = 0x10;
pub const BPF_TAX: u16 = 0x00;
pub const BPF_TXA: u16 = 0x80;

/// Words of memory a program has.
pub const BPF_MEMWORDS: u32 = 16;
/// Most instructions of a program.
pub const BPF_MAXINSNS: u16 = 4096;

// Offsets of what is not the packet's own bytes.
pub const SKF_AD_OFF: i32 = -0x1000;
pub const SKF_AD_PROTOCOL: i32 = 0;
pub const SKF_AD_PKTTYPE: i32 = 4;
pub const SKF_AD_IFINDEX: i32 = 8;
pub const SKF_AD_NLATTR: i32 = 12;
pub const SKF_AD_NLATTR_NEST: i32 = 16;
pub const SKF_AD_MARK: i32 = 20;
pub const SKF_AD_QUEUE: i32 = 24;
pub const SKF_AD_HATYPE: i32 = 28;
pub const SKF_AD_RXHASH: i32 = 32;
pub const SKF_AD_CPU: i32 = 36;
pub const SKF_AD_ALU_XOR_X: i32 = 40;
pub const SKF_AD_VLAN_TAG: i32 = 44;
pub const SKF_AD_VLAN_TAG_PRESENT: i32 = 48;
pub const SKF_AD_PAY_OFFSET: i32 = 52;
pub const SKF_AD_RANDOM: i32 = 56;
pub const SKF_AD_VLAN_TPID: i32 = 60;
/// One beyond the last of them, which are all known: `SO_BPF_EXTENSIONS` tells it.
pub const SKF_AD_MAX: i32 = 64;
pub const SKF_NET_OFF: i32 = -0x10_0000;
pub const SKF_LL_OFF: i32 = -0x20_0000;

/// One instruction.
#[doc(alias = "sock_filter")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockFilter {
    pub code: u16,
    /// Instructions skipped if a test holds, and if it does not.
    pub jt: u8,
    pub jf: u8,
    pub k: u32,
}

/// The argument of `SO_ATTACH_FILTER`.
#[doc(alias = "sock_fprog")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockFprog {
    pub len: u16,
    pub __pad: [u16; 3],
    /// Where the instructions lie.
    pub filter: u64,
}
