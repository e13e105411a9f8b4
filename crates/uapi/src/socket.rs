//! Sockets: families, types, options, messages and ancillary data.
//!
//! Mirrors `include/linux/{socket.h,net.h}` and `include/uapi/{asm-generic/socket.h,linux/un.h}` (v6.18).
//!
//! Address structures are here for [`AF_UNIX`], for the internet families in [`crate::inet`].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

// Address families. PF_* have the same values.
pub const AF_UNSPEC: u16 = 0;
pub const AF_UNIX: u16 = 1;
pub const AF_LOCAL: u16 = 1;
pub const AF_INET: u16 = 2;
pub const AF_AX25: u16 = 3;
pub const AF_IPX: u16 = 4;
pub const AF_APPLETALK: u16 = 5;
pub const AF_NETROM: u16 = 6;
pub const AF_BRIDGE: u16 = 7;
pub const AF_ATMPVC: u16 = 8;
pub const AF_X25: u16 = 9;
pub const AF_INET6: u16 = 10;
pub const AF_ROSE: u16 = 11;
pub const AF_DECnet: u16 = 12;
pub const AF_NETBEUI: u16 = 13;
pub const AF_SECURITY: u16 = 14;
pub const AF_KEY: u16 = 15;
pub const AF_NETLINK: u16 = 16;
pub const AF_ROUTE: u16 = 16;
pub const AF_PACKET: u16 = 17;
pub const AF_ASH: u16 = 18;
pub const AF_ECONET: u16 = 19;
pub const AF_ATMSVC: u16 = 20;
pub const AF_RDS: u16 = 21;
pub const AF_SNA: u16 = 22;
pub const AF_IRDA: u16 = 23;
pub const AF_PPPOX: u16 = 24;
pub const AF_WANPIPE: u16 = 25;
pub const AF_LLC: u16 = 26;
pub const AF_CAN: u16 = 29;
pub const AF_TIPC: u16 = 30;
pub const AF_BLUETOOTH: u16 = 31;
pub const AF_IUCV: u16 = 32;
pub const AF_RXRPC: u16 = 33;
pub const AF_ISDN: u16 = 34;
pub const AF_PHONET: u16 = 35;
pub const AF_IEEE802154: u16 = 36;
pub const AF_CAIF: u16 = 37;
pub const AF_ALG: u16 = 38;
pub const AF_NFC: u16 = 39;
pub const AF_VSOCK: u16 = 40;
pub const AF_KCM: u16 = 41;
pub const AF_QIPCRTR: u16 = 42;
pub const AF_SMC: u16 = 43;
pub const AF_XDP: u16 = 44;
pub const AF_MCTP: u16 = 45;
pub const AF_MAX: u16 = 46;

// Types, and flags or-ed into them.
pub const SOCK_STREAM: u32 = 1;
pub const SOCK_DGRAM: u32 = 2;
pub const SOCK_RAW: u32 = 3;
pub const SOCK_RDM: u32 = 4;
pub const SOCK_SEQPACKET: u32 = 5;
pub const SOCK_DCCP: u32 = 6;
pub const SOCK_PACKET: u32 = 10;
pub const SOCK_TYPE_MASK: u32 = 0xf;
pub const SOCK_NONBLOCK: u32 = 0x800;
pub const SOCK_CLOEXEC: u32 = 0x8_0000;

// Message flags.
pub const MSG_OOB: u32 = 0x1;
pub const MSG_PEEK: u32 = 0x2;
pub const MSG_DONTROUTE: u32 = 0x4;
pub const MSG_TRYHARD: u32 = 0x4;
pub const MSG_CTRUNC: u32 = 0x8;
pub const MSG_PROBE: u32 = 0x10;
pub const MSG_TRUNC: u32 = 0x20;
pub const MSG_DONTWAIT: u32 = 0x40;
pub const MSG_EOR: u32 = 0x80;
pub const MSG_WAITALL: u32 = 0x100;
pub const MSG_FIN: u32 = 0x200;
pub const MSG_SYN: u32 = 0x400;
pub const MSG_CONFIRM: u32 = 0x800;
pub const MSG_RST: u32 = 0x1000;
pub const MSG_ERRQUEUE: u32 = 0x2000;
pub const MSG_NOSIGNAL: u32 = 0x4000;
pub const MSG_MORE: u32 = 0x8000;
pub const MSG_WAITFORONE: u32 = 0x1_0000;
pub const MSG_BATCH: u32 = 0x4_0000;
pub const MSG_NO_SHARED_FRAGS: u32 = 0x8_0000;
pub const MSG_SENDPAGE_DECRYPTED: u32 = 0x10_0000;
pub const MSG_SOCK_DEVMEM: u32 = 0x200_0000;
pub const MSG_ZEROCOPY: u32 = 0x400_0000;
pub const MSG_SPLICE_PAGES: u32 = 0x800_0000;
pub const MSG_FASTOPEN: u32 = 0x2000_0000;
pub const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;
pub const MSG_CMSG_COMPAT: u32 = 0x8000_0000;

// Halves that shutdown closes.
pub const SHUT_RD: i32 = 0;
pub const SHUT_WR: i32 = 1;
pub const SHUT_RDWR: i32 = 2;
/// Longest queue of connections to begin with (`net.core.somaxconn`).
pub const SOMAXCONN: i32 = 4096;

// Levels of options and ancillary data.
pub const SOL_SOCKET: i32 = 1;
pub const SOL_IP: i32 = 0;
pub const SOL_TCP: i32 = 6;
pub const SOL_UDP: i32 = 17;
pub const SOL_IPV6: i32 = 41;
pub const SOL_ICMPV6: i32 = 58;
pub const SOL_RAW: i32 = 255;
pub const SOL_PACKET: i32 = 263;
pub const SOL_NETLINK: i32 = 270;
pub const SOL_TLS: i32 = 282;
pub const SOL_ALG: i32 = 279;
pub const SOL_XDP: i32 = 283;
pub const SOL_MPTCP: i32 = 284;
pub const SOL_UDPLITE: i32 = 136;
pub const SOL_SCTP: i32 = 132;

// Options of level SOL_SOCKET.
pub const SO_DEBUG: i32 = 1;
pub const SO_REUSEADDR: i32 = 2;
pub const SO_TYPE: i32 = 3;
pub const SO_ERROR: i32 = 4;
pub const SO_DONTROUTE: i32 = 5;
pub const SO_BROADCAST: i32 = 6;
pub const SO_SNDBUF: i32 = 7;
pub const SO_RCVBUF: i32 = 8;
pub const SO_SNDBUFFORCE: i32 = 32;
pub const SO_RCVBUFFORCE: i32 = 33;
pub const SO_KEEPALIVE: i32 = 9;
pub const SO_OOBINLINE: i32 = 10;
pub const SO_NO_CHECK: i32 = 11;
pub const SO_PRIORITY: i32 = 12;
pub const SO_LINGER: i32 = 13;
pub const SO_BSDCOMPAT: i32 = 14;
pub const SO_REUSEPORT: i32 = 15;
pub const SO_PASSCRED: i32 = 16;
pub const SO_PEERCRED: i32 = 17;
pub const SO_RCVLOWAT: i32 = 18;
pub const SO_SNDLOWAT: i32 = 19;
pub const SO_RCVTIMEO: i32 = 20;
pub const SO_SNDTIMEO: i32 = 21;
pub const SO_RCVTIMEO_OLD: i32 = 20;
pub const SO_SNDTIMEO_OLD: i32 = 21;
pub const SO_SECURITY_AUTHENTICATION: i32 = 22;
pub const SO_SECURITY_ENCRYPTION_TRANSPORT: i32 = 23;
pub const SO_SECURITY_ENCRYPTION_NETWORK: i32 = 24;
pub const SO_BINDTODEVICE: i32 = 25;
pub const SO_ATTACH_FILTER: i32 = 26;
pub const SO_DETACH_FILTER: i32 = 27;
pub const SO_GET_FILTER: i32 = 26;
pub const SO_PEERNAME: i32 = 28;
pub const SO_TIMESTAMP: i32 = 29;
pub const SO_TIMESTAMP_OLD: i32 = 29;
pub const SO_ACCEPTCONN: i32 = 30;
pub const SO_PEERSEC: i32 = 31;
pub const SO_PASSSEC: i32 = 34;
pub const SO_TIMESTAMPNS: i32 = 35;
pub const SO_TIMESTAMPNS_OLD: i32 = 35;
pub const SO_MARK: i32 = 36;
pub const SO_TIMESTAMPING: i32 = 37;
pub const SO_TIMESTAMPING_OLD: i32 = 37;
pub const SO_PROTOCOL: i32 = 38;
pub const SO_DOMAIN: i32 = 39;
pub const SO_RXQ_OVFL: i32 = 40;
pub const SO_WIFI_STATUS: i32 = 41;
pub const SO_PEEK_OFF: i32 = 42;
pub const SO_NOFCS: i32 = 43;
pub const SO_LOCK_FILTER: i32 = 44;
pub const SO_SELECT_ERR_QUEUE: i32 = 45;
pub const SO_BUSY_POLL: i32 = 46;
pub const SO_MAX_PACING_RATE: i32 = 47;
pub const SO_BPF_EXTENSIONS: i32 = 48;
pub const SO_INCOMING_CPU: i32 = 49;
pub const SO_ATTACH_BPF: i32 = 50;
pub const SO_DETACH_BPF: i32 = 27;
pub const SO_ATTACH_REUSEPORT_CBPF: i32 = 51;
pub const SO_ATTACH_REUSEPORT_EBPF: i32 = 52;
pub const SO_CNX_ADVICE: i32 = 53;
pub const SO_MEMINFO: i32 = 55;
pub const SO_INCOMING_NAPI_ID: i32 = 56;
pub const SO_COOKIE: i32 = 57;
pub const SO_PEERGROUPS: i32 = 59;
pub const SO_ZEROCOPY: i32 = 60;
pub const SO_TXTIME: i32 = 61;
pub const SO_BINDTOIFINDEX: i32 = 62;
pub const SO_TIMESTAMP_NEW: i32 = 63;
pub const SO_TIMESTAMPNS_NEW: i32 = 64;
pub const SO_TIMESTAMPING_NEW: i32 = 65;
pub const SO_RCVTIMEO_NEW: i32 = 66;
pub const SO_SNDTIMEO_NEW: i32 = 67;
pub const SO_DETACH_REUSEPORT_BPF: i32 = 68;
pub const SO_PREFER_BUSY_POLL: i32 = 69;
pub const SO_BUSY_POLL_BUDGET: i32 = 70;
pub const SO_NETNS_COOKIE: i32 = 71;
pub const SO_BUF_LOCK: i32 = 72;
pub const SO_RESERVE_MEM: i32 = 73;
pub const SO_TXREHASH: i32 = 74;
pub const SO_RCVMARK: i32 = 75;
pub const SO_PASSPIDFD: i32 = 76;
pub const SO_PEERPIDFD: i32 = 77;
pub const SO_DEVMEM_LINEAR: i32 = 78;
pub const SO_DEVMEM_DMABUF: i32 = 79;
pub const SO_DEVMEM_DONTNEED: i32 = 80;
pub const SO_RCVPRIORITY: i32 = 82;
pub const SO_PASSRIGHTS: i32 = 83;
pub const SO_INQ: i32 = 84;

// Bits of SO_BUF_LOCK.
pub const SOCK_SNDBUF_LOCK: i32 = 1;
pub const SOCK_RCVBUF_LOCK: i32 = 2;

// Kinds of ancillary data at level SOL_SOCKET.
pub const SCM_RIGHTS: i32 = 0x1;
pub const SCM_CREDENTIALS: i32 = 0x2;
pub const SCM_SECURITY: i32 = 0x3;
pub const SCM_PIDFD: i32 = 0x4;
pub const SCM_TIMESTAMP: i32 = SO_TIMESTAMP;
pub const SCM_TIMESTAMPNS: i32 = SO_TIMESTAMPNS;
pub const SCM_TIMESTAMPING: i32 = SO_TIMESTAMPING;
pub const SCM_WIFI_STATUS: i32 = SO_WIFI_STATUS;
pub const SCM_TIMESTAMPING_OPT_STATS: i32 = 54;
pub const SCM_TIMESTAMPING_PKTINFO: i32 = 58;
pub const SCM_TXTIME: i32 = SO_TXTIME;
pub const SCM_TS_OPT_ID: i32 = 81;
pub const SCM_INQ: i32 = SO_INQ;
/// Most descriptors in one message.
pub const SCM_MAX_FD: usize = 253;

/// Longest address of any family, in bytes.
pub const _K_SS_MAXSIZE: usize = 128;
/// Longest path of an [`AF_UNIX`] address, in bytes.
pub const UNIX_PATH_MAX: usize = 108;

/// An address of any family, as long as the longest.
#[doc(alias = "sockaddr_storage")]
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockaddrStorage {
    pub ss_family: u16,
    pub __data: [u8; _K_SS_MAXSIZE - 2],
}

impl Default for SockaddrStorage {
    fn default() -> SockaddrStorage {
        SockaddrStorage { ss_family: AF_UNSPEC, __data: [0; _K_SS_MAXSIZE - 2] }
    }
}

/// The shortest common form of an address.
#[doc(alias = "sockaddr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Sockaddr {
    pub sa_family: u16,
    pub sa_data: [u8; 14],
}

/// A local address: a path (with or without NUL), an abstract name (first byte 0), or, of length 2, none.
#[doc(alias = "sockaddr_un")]
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SockaddrUn {
    pub sun_family: u16,
    pub sun_path: [u8; UNIX_PATH_MAX],
}

impl Default for SockaddrUn {
    fn default() -> SockaddrUn {
        SockaddrUn { sun_family: AF_UNIX, sun_path: [0; UNIX_PATH_MAX] }
    }
}

/// The argument of `sendmsg` and `recvmsg`.
#[doc(alias = "user_msghdr")]
#[doc(alias = "msghdr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Msghdr {
    /// Address.
    pub msg_name: u64,
    pub msg_namelen: i32,
    pub _pad0: u32,
    /// Address of the vector.
    pub msg_iov: u64,
    /// Its elements.
    pub msg_iovlen: u64,
    /// Address of the ancillary data.
    pub msg_control: u64,
    pub msg_controllen: u64,
    /// `MSG_*`; filled in by `recvmsg`, ignored by `sendmsg`.
    pub msg_flags: u32,
    pub _pad1: u32,
}

/// The element of `sendmmsg` and `recvmmsg`.
#[doc(alias = "mmsghdr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Mmsghdr {
    pub msg_hdr: Msghdr,
    /// Bytes moved.
    pub msg_len: u32,
    pub _pad0: u32,
}

/// Head of one piece of ancillary data.
#[doc(alias = "cmsghdr")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Cmsghdr {
    /// Bytes of head and data, without padding behind.
    pub cmsg_len: u64,
    pub cmsg_level: i32,
    pub cmsg_type: i32,
}

/// Rounds up to where the next piece of ancillary data starts.
#[doc(alias = "CMSG_ALIGN")]
pub const fn cmsg_align(len: usize) -> usize {
    len.next_multiple_of(8)
}

/// Bytes that a piece with `len` bytes of data takes, with its padding.
#[doc(alias = "CMSG_SPACE")]
pub const fn cmsg_space(len: usize) -> usize {
    size_of::<Cmsghdr>() + cmsg_align(len)
}

/// The `cmsg_len` of a piece with `len` bytes of data.
#[doc(alias = "CMSG_LEN")]
pub const fn cmsg_len(len: usize) -> usize {
    size_of::<Cmsghdr>() + len
}

/// Who sent a message, or sits at the other end.
#[doc(alias = "ucred")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ucred {
    pub pid: i32,
    pub uid: u32,
    pub gid: u32,
}

/// The argument of `SO_LINGER`.
#[doc(alias = "linger")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Linger {
    pub l_onoff: i32,
    /// Seconds.
    pub l_linger: i32,
}
