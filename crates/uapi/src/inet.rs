//! Internet addresses, protocols and the options of IP and UDP; those of TCP are in [`crate::tcp`].
//!
//! Mirrors `include/uapi/linux/{in.h,in6.h,udp.h}` (v6.18).
//!
//! Ports and IPv4 addresses are in network byte order: they are [`zerocopy`] big-endian numbers, so that
//! they cannot be mistaken for host order.

use crate::socket::{AF_INET, AF_INET6};
use zerocopy::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Protocols.
pub const IPPROTO_IP: i32 = 0;
pub const IPPROTO_ICMP: i32 = 1;
pub const IPPROTO_IGMP: i32 = 2;
pub const IPPROTO_IPIP: i32 = 4;
pub const IPPROTO_TCP: i32 = 6;
pub const IPPROTO_EGP: i32 = 8;
pub const IPPROTO_PUP: i32 = 12;
pub const IPPROTO_UDP: i32 = 17;
pub const IPPROTO_IDP: i32 = 22;
pub const IPPROTO_TP: i32 = 29;
pub const IPPROTO_DCCP: i32 = 33;
pub const IPPROTO_IPV6: i32 = 41;
pub const IPPROTO_RSVP: i32 = 46;
pub const IPPROTO_GRE: i32 = 47;
pub const IPPROTO_ESP: i32 = 50;
pub const IPPROTO_AH: i32 = 51;
pub const IPPROTO_PIM: i32 = 103;
pub const IPPROTO_COMP: i32 = 108;
pub const IPPROTO_L2TP: i32 = 115;
pub const IPPROTO_MPLS: i32 = 137;
pub const IPPROTO_HOPOPTS: i32 = 0;
pub const IPPROTO_MH: i32 = 135;
pub const IPPROTO_ROUTING: i32 = 43;
pub const IPPROTO_FRAGMENT: i32 = 44;
pub const IPPROTO_ICMPV6: i32 = 58;
pub const IPPROTO_NONE: i32 = 59;
pub const IPPROTO_DSTOPTS: i32 = 60;
pub const IPPROTO_SCTP: i32 = 132;
pub const IPPROTO_UDPLITE: i32 = 136;
pub const IPPROTO_RAW: i32 = 255;
pub const IPPROTO_MPTCP: i32 = 262;
pub const IPPROTO_MAX: i32 = 263;

// IPv4 addresses, in host byte order.
pub const INADDR_ANY: u32 = 0x0000_0000;
pub const INADDR_BROADCAST: u32 = 0xffff_ffff;
pub const INADDR_NONE: u32 = 0xffff_ffff;
pub const INADDR_LOOPBACK: u32 = 0x7f00_0001;

// Options of level SOL_IP.
pub const IP_TOS: i32 = 1;
pub const IP_TTL: i32 = 2;
pub const IP_HDRINCL: i32 = 3;
pub const IP_OPTIONS: i32 = 4;
pub const IP_ROUTER_ALERT: i32 = 5;
pub const IP_RECVOPTS: i32 = 6;
pub const IP_RETOPTS: i32 = 7;
pub const IP_PKTINFO: i32 = 8;
pub const IP_PKTOPTIONS: i32 = 9;
pub const IP_MTU_DISCOVER: i32 = 10;
pub const IP_RECVERR: i32 = 11;
pub const IP_RECVTTL: i32 = 12;
pub const IP_RECVTOS: i32 = 13;
pub const IP_MTU: i32 = 14;
pub const IP_FREEBIND: i32 = 15;
pub const IP_TRANSPARENT: i32 = 19;
pub const IP_RECVORIGDSTADDR: i32 = 20;
pub const IP_MINTTL: i32 = 21;
pub const IP_NODEFRAG: i32 = 22;
pub const IP_CHECKSUM: i32 = 23;
pub const IP_BIND_ADDRESS_NO_PORT: i32 = 24;
pub const IP_RECVFRAGSIZE: i32 = 25;
pub const IP_RECVERR_RFC4884: i32 = 26;
pub const IP_MULTICAST_IF: i32 = 32;
pub const IP_MULTICAST_TTL: i32 = 33;
pub const IP_MULTICAST_LOOP: i32 = 34;
pub const IP_ADD_MEMBERSHIP: i32 = 35;
pub const IP_DROP_MEMBERSHIP: i32 = 36;
pub const IP_MULTICAST_ALL: i32 = 49;
pub const IP_UNICAST_IF: i32 = 50;
pub const IP_PASSSEC: i32 = 18;
pub const IP_RECVRETOPTS: i32 = 7;
pub const IP_ORIGDSTADDR: i32 = 20;
pub const IP_UNBLOCK_SOURCE: i32 = 37;
pub const IP_BLOCK_SOURCE: i32 = 38;
pub const IP_ADD_SOURCE_MEMBERSHIP: i32 = 39;
pub const IP_DROP_SOURCE_MEMBERSHIP: i32 = 40;
pub const IP_MSFILTER: i32 = 41;
pub const IP_LOCAL_PORT_RANGE: i32 = 51;
pub const IP_PROTOCOL: i32 = 52;

// Values of IP_MTU_DISCOVER; IPV6_MTU_DISCOVER has the same.
pub const IP_PMTUDISC_DONT: i32 = 0;
pub const IP_PMTUDISC_WANT: i32 = 1;
pub const IP_PMTUDISC_DO: i32 = 2;
pub const IP_PMTUDISC_PROBE: i32 = 3;
pub const IP_PMTUDISC_INTERFACE: i32 = 4;
pub const IP_PMTUDISC_OMIT: i32 = 5;

// Options of level SOL_IPV6.
pub const IPV6_ADDRFORM: i32 = 1;
pub const IPV6_2292PKTINFO: i32 = 2;
pub const IPV6_CHECKSUM: i32 = 7;
pub const IPV6_UNICAST_HOPS: i32 = 16;
pub const IPV6_MULTICAST_IF: i32 = 17;
pub const IPV6_MULTICAST_HOPS: i32 = 18;
pub const IPV6_MULTICAST_LOOP: i32 = 19;
pub const IPV6_ADD_MEMBERSHIP: i32 = 20;
pub const IPV6_DROP_MEMBERSHIP: i32 = 21;
pub const IPV6_MTU_DISCOVER: i32 = 23;
pub const IPV6_MTU: i32 = 24;
pub const IPV6_RECVERR: i32 = 25;
pub const IPV6_V6ONLY: i32 = 26;
pub const IPV6_RECVPKTINFO: i32 = 49;
pub const IPV6_PKTINFO: i32 = 50;
pub const IPV6_RECVHOPLIMIT: i32 = 51;
pub const IPV6_HOPLIMIT: i32 = 52;
pub const IPV6_RECVTCLASS: i32 = 66;
pub const IPV6_TCLASS: i32 = 67;
pub const IPV6_AUTOFLOWLABEL: i32 = 70;
pub const IPV6_TRANSPARENT: i32 = 75;
pub const IPV6_FREEBIND: i32 = 78;
pub const IPV6_2292HOPLIMIT: i32 = 8;
pub const IPV6_FLOWINFO: i32 = 11;
pub const IPV6_ROUTER_ALERT: i32 = 22;
pub const IPV6_MULTICAST_ALL: i32 = 29;
pub const IPV6_FLOWLABEL_MGR: i32 = 32;
pub const IPV6_FLOWINFO_SEND: i32 = 33;
pub const IPV6_HDRINCL: i32 = 36;
pub const IPV6_RECVHOPOPTS: i32 = 53;
pub const IPV6_HOPOPTS: i32 = 54;
pub const IPV6_RTHDRDSTOPTS: i32 = 55;
pub const IPV6_RECVRTHDR: i32 = 56;
pub const IPV6_RTHDR: i32 = 57;
pub const IPV6_RECVDSTOPTS: i32 = 58;
pub const IPV6_DSTOPTS: i32 = 59;
pub const IPV6_RECVPATHMTU: i32 = 60;
pub const IPV6_PATHMTU: i32 = 61;
pub const IPV6_DONTFRAG: i32 = 62;
pub const IPV6_ADDR_PREFERENCES: i32 = 72;
pub const IPV6_MINHOPCOUNT: i32 = 73;
pub const IPV6_ORIGDSTADDR: i32 = 74;
pub const IPV6_RECVORIGDSTADDR: i32 = 74;
pub const IPV6_UNICAST_IF: i32 = 76;
pub const IPV6_RECVFRAGSIZE: i32 = 77;

// Options of level SOL_UDP.
pub const UDP_CORK: i32 = 1;
pub const UDP_ENCAP: i32 = 100;
pub const UDP_NO_CHECK6_TX: i32 = 101;
pub const UDP_NO_CHECK6_RX: i32 = 102;
pub const UDP_SEGMENT: i32 = 103;
pub const UDP_GRO: i32 = 104;

/// An IPv4 address with port.
#[doc(alias = "sockaddr_in")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockaddrIn {
    pub sin_family: u16,
    pub sin_port: U16,
    pub sin_addr: U32,
    pub __pad: [u8; 8],
}

impl SockaddrIn {
    /// The address `addr` (host byte order) and `port`.
    pub fn new(addr: u32, port: u16) -> SockaddrIn {
        SockaddrIn { sin_family: AF_INET, sin_port: port.into(), sin_addr: addr.into(), __pad: [0; 8] }
    }
}

/// An IPv6 address with port.
#[doc(alias = "sockaddr_in6")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockaddrIn6 {
    pub sin6_family: u16,
    pub sin6_port: U16,
    pub sin6_flowinfo: U32,
    pub sin6_addr: [u8; 16],
    /// Interface, in host byte order.
    pub sin6_scope_id: u32,
}

impl SockaddrIn6 {
    /// The address `addr` and `port`, without flow and scope.
    pub fn new(addr: [u8; 16], port: u16) -> SockaddrIn6 {
        let flow = U32::new(0);
        SockaddrIn6 { sin6_family: AF_INET6, sin6_port: port.into(), sin6_flowinfo: flow, sin6_addr: addr, sin6_scope_id: 0 }
    }
}

/// Shortest IPv6 address that is accepted: without the scope.
pub const SIN6_LEN_RFC2133: usize = 24;

/// The argument of `IP_ADD_MEMBERSHIP`.
#[doc(alias = "ip_mreqn")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct IpMreqn {
    pub imr_multiaddr: U32,
    pub imr_address: U32,
    pub imr_ifindex: i32,
}

/// Ancillary data of `IP_PKTINFO`.
#[doc(alias = "in_pktinfo")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct InPktinfo {
    pub ipi_ifindex: i32,
    pub ipi_spec_dst: U32,
    pub ipi_addr: U32,
}
