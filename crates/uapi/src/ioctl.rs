//! `ioctl` commands: terminals, files, sockets, block devices.
//!
//! Mirrors `include/uapi/{asm-generic/ioctl.h,asm-generic/ioctls.h,linux/sockios.h,linux/fs.h}` (v6.18).

/// Direction bits of a command: no argument is copied.
pub const _IOC_NONE: u32 = 0;
pub const _IOC_WRITE: u32 = 1;
pub const _IOC_READ: u32 = 2;

/// Builds a command from direction, group letter, number and size of the argument in bytes.
#[doc(alias = "_IOC")]
pub const fn ioc(dir: u32, group: u8, nr: u8, size: usize) -> u32 {
    assert!(size < 1 << 14, "the size field has 14 bits");
    dir << 30 | (size as u32) << 16 | (group as u32) << 8 | nr as u32
}

/// Direction of a command, from the caller's point of view.
#[doc(alias = "_IOC_DIR")]
pub const fn ioc_dir(cmd: u32) -> u32 {
    cmd >> 30
}

/// Group letter of a command.
#[doc(alias = "_IOC_TYPE")]
pub const fn ioc_type(cmd: u32) -> u8 {
    (cmd >> 8) as u8
}

/// Number of a command in its group.
#[doc(alias = "_IOC_NR")]
pub const fn ioc_nr(cmd: u32) -> u8 {
    cmd as u8
}

/// Bytes of a command's argument.
#[doc(alias = "_IOC_SIZE")]
pub const fn ioc_size(cmd: u32) -> usize {
    (cmd >> 16 & 0x3fff) as usize
}

// Terminals.
pub const TCGETS: u32 = 0x5401;
pub const TCSETS: u32 = 0x5402;
pub const TCSETSW: u32 = 0x5403;
pub const TCSETSF: u32 = 0x5404;
pub const TCGETA: u32 = 0x5405;
pub const TCSETA: u32 = 0x5406;
pub const TCSETAW: u32 = 0x5407;
pub const TCSETAF: u32 = 0x5408;
pub const TCSBRK: u32 = 0x5409;
pub const TCXONC: u32 = 0x540a;
pub const TCFLSH: u32 = 0x540b;
pub const TIOCEXCL: u32 = 0x540c;
pub const TIOCNXCL: u32 = 0x540d;
pub const TIOCSCTTY: u32 = 0x540e;
pub const TIOCGPGRP: u32 = 0x540f;
pub const TIOCSPGRP: u32 = 0x5410;
pub const TIOCOUTQ: u32 = 0x5411;
pub const TIOCSTI: u32 = 0x5412;
pub const TIOCGWINSZ: u32 = 0x5413;
pub const TIOCSWINSZ: u32 = 0x5414;
pub const TIOCMGET: u32 = 0x5415;
pub const TIOCMBIS: u32 = 0x5416;
pub const TIOCMBIC: u32 = 0x5417;
pub const TIOCMSET: u32 = 0x5418;
pub const TIOCGSOFTCAR: u32 = 0x5419;
pub const TIOCSSOFTCAR: u32 = 0x541a;
pub const TIOCINQ: u32 = 0x541b;
pub const TIOCLINUX: u32 = 0x541c;
pub const TIOCCONS: u32 = 0x541d;
pub const TIOCGSERIAL: u32 = 0x541e;
pub const TIOCSSERIAL: u32 = 0x541f;
pub const TIOCPKT: u32 = 0x5420;
pub const TIOCNOTTY: u32 = 0x5422;
pub const TIOCSETD: u32 = 0x5423;
pub const TIOCGETD: u32 = 0x5424;
pub const TCSBRKP: u32 = 0x5425;
pub const TIOCSBRK: u32 = 0x5427;
pub const TIOCCBRK: u32 = 0x5428;
pub const TIOCGSID: u32 = 0x5429;
pub const TCGETS2: u32 = 0x802c_542a;
pub const TCSETS2: u32 = 0x402c_542b;
pub const TCSETSW2: u32 = 0x402c_542c;
pub const TCSETSF2: u32 = 0x402c_542d;
pub const TIOCGPTN: u32 = 0x8004_5430;
pub const TIOCSPTLCK: u32 = 0x4004_5431;
pub const TIOCGDEV: u32 = 0x8004_5432;
pub const TCGETX: u32 = 0x5432;
pub const TCSETX: u32 = 0x5433;
pub const TCSETXF: u32 = 0x5434;
pub const TCSETXW: u32 = 0x5435;
pub const TIOCSIG: u32 = 0x4004_5436;
pub const TIOCVHANGUP: u32 = 0x5437;
pub const TIOCGPKT: u32 = 0x8004_5438;
pub const TIOCGPTLCK: u32 = 0x8004_5439;
pub const TIOCGEXCL: u32 = 0x8004_5440;
pub const TIOCGPTPEER: u32 = 0x5441;
pub const TIOCGLCKTRMIOS: u32 = 0x5456;
pub const TIOCSLCKTRMIOS: u32 = 0x5457;
pub const TIOCMIWAIT: u32 = 0x545c;
pub const TIOCGICOUNT: u32 = 0x545d;

// Status bytes of a pty master in packet mode.
pub const TIOCPKT_DATA: u8 = 0x00;
pub const TIOCPKT_FLUSHREAD: u8 = 0x01;
pub const TIOCPKT_FLUSHWRITE: u8 = 0x02;
pub const TIOCPKT_STOP: u8 = 0x04;
pub const TIOCPKT_START: u8 = 0x08;
pub const TIOCPKT_NOSTOP: u8 = 0x10;
pub const TIOCPKT_DOSTOP: u8 = 0x20;
pub const TIOCPKT_IOCTL: u8 = 0x40;

// Every file.
pub const FIONREAD: u32 = 0x541b;
pub const FIONBIO: u32 = 0x5421;
pub const FIONCLEX: u32 = 0x5450;
pub const FIOCLEX: u32 = 0x5451;
pub const FIOASYNC: u32 = 0x5452;
pub const FIOQSIZE: u32 = 0x5460;
// Regular files and file systems.
pub const FIBMAP: u32 = 0x0001;
pub const FIGETBSZ: u32 = 0x0002;
pub const FIFREEZE: u32 = 0xc004_5877;
pub const FITHAW: u32 = 0xc004_5878;
pub const FITRIM: u32 = 0xc018_5879;
pub const FICLONE: u32 = 0x4004_9409;
pub const FICLONERANGE: u32 = 0x4020_940d;
pub const FIDEDUPERANGE: u32 = 0xc018_9436;
pub const FS_IOC_GETFLAGS: u32 = 0x8008_6601;
pub const FS_IOC_SETFLAGS: u32 = 0x4008_6602;
pub const FS_IOC_GETVERSION: u32 = 0x8008_7601;
pub const FS_IOC_SETVERSION: u32 = 0x4008_7602;
pub const FS_IOC_FSGETXATTR: u32 = 0x801c_581f;
pub const FS_IOC_FSSETXATTR: u32 = 0x401c_5820;
pub const FS_IOC_FIEMAP: u32 = 0xc020_660b;
pub const FS_IOC_GETFSLABEL: u32 = 0x8100_9431;
pub const FS_IOC_SETFSLABEL: u32 = 0x4100_9432;
// Inode flags (FS_IOC_GETFLAGS).
pub const FS_SECRM_FL: u32 = 0x0000_0001;
pub const FS_UNRM_FL: u32 = 0x0000_0002;
pub const FS_COMPR_FL: u32 = 0x0000_0004;
pub const FS_SYNC_FL: u32 = 0x0000_0008;
pub const FS_IMMUTABLE_FL: u32 = 0x0000_0010;
pub const FS_APPEND_FL: u32 = 0x0000_0020;
pub const FS_NODUMP_FL: u32 = 0x0000_0040;
pub const FS_NOATIME_FL: u32 = 0x0000_0080;
pub const FS_DIRSYNC_FL: u32 = 0x0001_0000;
pub const FS_ENCRYPT_FL: u32 = 0x0000_0800;
pub const FS_JOURNAL_DATA_FL: u32 = 0x0000_4000;
pub const FS_NOTAIL_FL: u32 = 0x0000_8000;
pub const FS_TOPDIR_FL: u32 = 0x0002_0000;
pub const FS_EXTENT_FL: u32 = 0x0008_0000;
pub const FS_VERITY_FL: u32 = 0x0010_0000;
pub const FS_NOCOW_FL: u32 = 0x0080_0000;
pub const FS_DAX_FL: u32 = 0x0200_0000;
pub const FS_INLINE_DATA_FL: u32 = 0x1000_0000;
pub const FS_PROJINHERIT_FL: u32 = 0x2000_0000;
pub const FS_CASEFOLD_FL: u32 = 0x4000_0000;

// Sockets.
pub const FIOSETOWN: u32 = 0x8901;
pub const SIOCSPGRP: u32 = 0x8902;
pub const FIOGETOWN: u32 = 0x8903;
pub const SIOCGPGRP: u32 = 0x8904;
pub const SIOCATMARK: u32 = 0x8905;
pub const SIOCGSTAMP_NEW: u32 = 0x8010_8906;
pub const SIOCGSTAMPNS_NEW: u32 = 0x8010_8907;
pub const SIOCGSTAMP_OLD: u32 = 0x8906;
pub const SIOCGSTAMPNS_OLD: u32 = 0x8907;
pub const SIOCINQ: u32 = 0x541b;
pub const SIOCOUTQ: u32 = 0x5411;
pub const SIOCOUTQNSD: u32 = 0x894b;
/// Opens the file a path-bound `AF_UNIX` socket sits on.
pub const SIOCUNIXFILE: u32 = SIOCPROTOPRIVATE;

// Network interfaces.
pub const SIOCGIFNAME: u32 = 0x8910;
pub const SIOCSIFNAME: u32 = 0x8923;
pub const SIOCGIFCONF: u32 = 0x8912;
pub const SIOCGIFFLAGS: u32 = 0x8913;
pub const SIOCSIFFLAGS: u32 = 0x8914;
pub const SIOCGIFADDR: u32 = 0x8915;
pub const SIOCSIFADDR: u32 = 0x8916;
pub const SIOCGIFDSTADDR: u32 = 0x8917;
pub const SIOCSIFDSTADDR: u32 = 0x8918;
pub const SIOCGIFBRDADDR: u32 = 0x8919;
pub const SIOCSIFBRDADDR: u32 = 0x891a;
pub const SIOCGIFNETMASK: u32 = 0x891b;
pub const SIOCSIFNETMASK: u32 = 0x891c;
pub const SIOCGIFMETRIC: u32 = 0x891d;
pub const SIOCGIFMTU: u32 = 0x8921;
pub const SIOCSIFMTU: u32 = 0x8922;
pub const SIOCGIFHWADDR: u32 = 0x8927;
pub const SIOCGIFINDEX: u32 = 0x8933;
pub const SIOCGIFTXQLEN: u32 = 0x8942;
pub const SIOCSIFTXQLEN: u32 = 0x8943;
pub const SIOCGIFMAP: u32 = 0x8970;
pub const SIOCADDRT: u32 = 0x890b;
pub const SIOCDELRT: u32 = 0x890c;
pub const SIOCGARP: u32 = 0x8954;
pub const SIOCETHTOOL: u32 = 0x8946;
pub const SIOCPROTOPRIVATE: u32 = 0x89e0;
pub const SIOCDEVPRIVATE: u32 = 0x89f0;

// Block devices.
pub const BLKROSET: u32 = 0x125d;
pub const BLKROGET: u32 = 0x125e;
pub const BLKRRPART: u32 = 0x125f;
pub const BLKGETSIZE: u32 = 0x1260;
pub const BLKFLSBUF: u32 = 0x1261;
pub const BLKRASET: u32 = 0x1262;
pub const BLKRAGET: u32 = 0x1263;
pub const BLKSSZGET: u32 = 0x1268;
pub const BLKBSZGET: u32 = 0x8008_1270;
pub const BLKGETSIZE64: u32 = 0x8008_1272;
pub const BLKDISCARD: u32 = 0x1277;
pub const BLKIOMIN: u32 = 0x1278;
pub const BLKIOOPT: u32 = 0x1279;
pub const BLKALIGNOFF: u32 = 0x127a;
pub const BLKPBSZGET: u32 = 0x127b;
pub const BLKZEROOUT: u32 = 0x127f;
pub const BLKROTATIONAL: u32 = 0x127e;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_apart_again() {
        let cmd = ioc(_IOC_READ, b'T', 0x30, 4);
        assert_eq!(cmd, TIOCGPTN);
        assert_eq!((ioc_dir(cmd), ioc_type(cmd), ioc_nr(cmd), ioc_size(cmd)), (_IOC_READ, b'T', 0x30, 4));
    }
}
