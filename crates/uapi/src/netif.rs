//! Network interfaces, as `SIOCGIF*` show them.
//!
//! Mirrors `include/uapi/linux/if.h` (v6.18).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of an interface's name, with its NUL.
pub const IFNAMSIZ: usize = 16;

// Flags of an interface.
pub const IFF_UP: u32 = 0x1;
pub const IFF_BROADCAST: u32 = 0x2;
pub const IFF_DEBUG: u32 = 0x4;
pub const IFF_LOOPBACK: u32 = 0x8;
pub const IFF_POINTOPOINT: u32 = 0x10;
pub const IFF_NOTRAILERS: u32 = 0x20;
pub const IFF_RUNNING: u32 = 0x40;
pub const IFF_NOARP: u32 = 0x80;
pub const IFF_PROMISC: u32 = 0x100;
pub const IFF_ALLMULTI: u32 = 0x200;
pub const IFF_MASTER: u32 = 0x400;
pub const IFF_SLAVE: u32 = 0x800;
pub const IFF_MULTICAST: u32 = 0x1000;
pub const IFF_PORTSEL: u32 = 0x2000;
pub const IFF_AUTOMEDIA: u32 = 0x4000;
pub const IFF_DYNAMIC: u32 = 0x8000;
pub const IFF_LOWER_UP: u32 = 0x1_0000;
pub const IFF_DORMANT: u32 = 0x2_0000;
pub const IFF_ECHO: u32 = 0x4_0000;

/// The argument of the `SIOCGIF*` and `SIOCSIF*` commands: a name, and an answer that depends on the command.
#[doc(alias = "ifreq")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ifreq {
    pub ifr_name: [u8; IFNAMSIZ],
    /// An address, or a number in the first bytes.
    pub ifr_ifru: [u64; 3],
}

/// The argument of `SIOCGIFCONF`.
#[doc(alias = "ifconf")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ifconf {
    /// Bytes of the buffer (in) and written (out).
    pub ifc_len: i32,
    pub _pad0: u32,
    /// Address of an array of [`Ifreq`].
    pub ifc_buf: u64,
}
