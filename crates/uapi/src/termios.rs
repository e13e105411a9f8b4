//! Terminal modes.
//!
//! Mirrors `include/uapi/asm-generic/{termbits.h,termbits-common.h,termios.h}` (v6.18).
//!
//! [`Termios`] is what the kernel's `TCGETS` copies; libc's structure of this name is longer.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Control characters in [`Termios`].
pub const NCCS: usize = 19;

// Places of the control characters.
pub const VINTR: usize = 0;
pub const VQUIT: usize = 1;
pub const VERASE: usize = 2;
pub const VKILL: usize = 3;
pub const VEOF: usize = 4;
pub const VTIME: usize = 5;
pub const VMIN: usize = 6;
pub const VSWTC: usize = 7;
pub const VSTART: usize = 8;
pub const VSTOP: usize = 9;
pub const VSUSP: usize = 10;
pub const VEOL: usize = 11;
pub const VREPRINT: usize = 12;
pub const VDISCARD: usize = 13;
pub const VWERASE: usize = 14;
pub const VLNEXT: usize = 15;
pub const VEOL2: usize = 16;

// c_iflag.
pub const IGNBRK: u32 = 0x0001;
pub const BRKINT: u32 = 0x0002;
pub const IGNPAR: u32 = 0x0004;
pub const PARMRK: u32 = 0x0008;
pub const INPCK: u32 = 0x0010;
pub const ISTRIP: u32 = 0x0020;
pub const INLCR: u32 = 0x0040;
pub const IGNCR: u32 = 0x0080;
pub const ICRNL: u32 = 0x0100;
pub const IUCLC: u32 = 0x0200;
pub const IXON: u32 = 0x0400;
pub const IXANY: u32 = 0x0800;
pub const IXOFF: u32 = 0x1000;
pub const IMAXBEL: u32 = 0x2000;
pub const IUTF8: u32 = 0x4000;

// c_oflag.
pub const OPOST: u32 = 0x0001;
pub const OLCUC: u32 = 0x0002;
pub const ONLCR: u32 = 0x0004;
pub const OCRNL: u32 = 0x0008;
pub const ONOCR: u32 = 0x0010;
pub const ONLRET: u32 = 0x0020;
pub const OFILL: u32 = 0x0040;
pub const OFDEL: u32 = 0x0080;
pub const NLDLY: u32 = 0x0100;
pub const NL0: u32 = 0x0000;
pub const NL1: u32 = 0x0100;
pub const CRDLY: u32 = 0x0600;
pub const CR0: u32 = 0x0000;
pub const CR1: u32 = 0x0200;
pub const CR2: u32 = 0x0400;
pub const CR3: u32 = 0x0600;
pub const TABDLY: u32 = 0x1800;
pub const TAB0: u32 = 0x0000;
pub const TAB1: u32 = 0x0800;
pub const TAB2: u32 = 0x1000;
pub const TAB3: u32 = 0x1800;
pub const XTABS: u32 = 0x1800;
pub const BSDLY: u32 = 0x2000;
pub const BS0: u32 = 0x0000;
pub const BS1: u32 = 0x2000;
pub const VTDLY: u32 = 0x4000;
pub const VT0: u32 = 0x0000;
pub const VT1: u32 = 0x4000;
pub const FFDLY: u32 = 0x8000;
pub const FF0: u32 = 0x0000;
pub const FF1: u32 = 0x8000;

// c_cflag.
pub const CBAUD: u32 = 0x0000_100f;
pub const CBAUDEX: u32 = 0x0000_1000;
pub const CSIZE: u32 = 0x0000_0030;
pub const CS5: u32 = 0x0000_0000;
pub const CS6: u32 = 0x0000_0010;
pub const CS7: u32 = 0x0000_0020;
pub const CS8: u32 = 0x0000_0030;
pub const CSTOPB: u32 = 0x0000_0040;
pub const CREAD: u32 = 0x0000_0080;
pub const PARENB: u32 = 0x0000_0100;
pub const PARODD: u32 = 0x0000_0200;
pub const HUPCL: u32 = 0x0000_0400;
pub const CLOCAL: u32 = 0x0000_0800;
pub const BOTHER: u32 = 0x0000_1000;
pub const CIBAUD: u32 = 0x100f_0000;
pub const ADDRB: u32 = 0x2000_0000;
pub const CMSPAR: u32 = 0x4000_0000;
pub const CRTSCTS: u32 = 0x8000_0000;
pub const IBSHIFT: u32 = 16;
pub const B0: u32 = 0x0000;
pub const B50: u32 = 0x0001;
pub const B75: u32 = 0x0002;
pub const B110: u32 = 0x0003;
pub const B134: u32 = 0x0004;
pub const B150: u32 = 0x0005;
pub const B200: u32 = 0x0006;
pub const B300: u32 = 0x0007;
pub const B600: u32 = 0x0008;
pub const B1200: u32 = 0x0009;
pub const B1800: u32 = 0x000a;
pub const B2400: u32 = 0x000b;
pub const B4800: u32 = 0x000c;
pub const B9600: u32 = 0x000d;
pub const B19200: u32 = 0x000e;
pub const B38400: u32 = 0x000f;
pub const EXTA: u32 = 0x000e;
pub const EXTB: u32 = 0x000f;
pub const B57600: u32 = 0x1001;
pub const B115200: u32 = 0x1002;
pub const B230400: u32 = 0x1003;
pub const B460800: u32 = 0x1004;
pub const B500000: u32 = 0x1005;
pub const B576000: u32 = 0x1006;
pub const B921600: u32 = 0x1007;
pub const B1000000: u32 = 0x1008;
pub const B1152000: u32 = 0x1009;
pub const B1500000: u32 = 0x100a;
pub const B2000000: u32 = 0x100b;
pub const B2500000: u32 = 0x100c;
pub const B3000000: u32 = 0x100d;
pub const B3500000: u32 = 0x100e;
pub const B4000000: u32 = 0x100f;

// c_lflag.
pub const ISIG: u32 = 0x0_0001;
pub const ICANON: u32 = 0x0_0002;
pub const XCASE: u32 = 0x0_0004;
pub const ECHO: u32 = 0x0_0008;
pub const ECHOE: u32 = 0x0_0010;
pub const ECHOK: u32 = 0x0_0020;
pub const ECHONL: u32 = 0x0_0040;
pub const NOFLSH: u32 = 0x0_0080;
pub const TOSTOP: u32 = 0x0_0100;
pub const ECHOCTL: u32 = 0x0_0200;
pub const ECHOPRT: u32 = 0x0_0400;
pub const ECHOKE: u32 = 0x0_0800;
pub const FLUSHO: u32 = 0x0_1000;
pub const PENDIN: u32 = 0x0_4000;
pub const IEXTEN: u32 = 0x0_8000;
pub const EXTPROC: u32 = 0x1_0000;

// Argument of TCXONC.
pub const TCOOFF: u32 = 0;
pub const TCOON: u32 = 1;
pub const TCIOFF: u32 = 2;
pub const TCION: u32 = 3;
// Argument of TCFLSH.
pub const TCIFLUSH: u32 = 0;
pub const TCOFLUSH: u32 = 1;
pub const TCIOFLUSH: u32 = 2;
// When tcsetattr takes effect.
pub const TCSANOW: u32 = 0;
pub const TCSADRAIN: u32 = 1;
pub const TCSAFLUSH: u32 = 2;

// Modem lines.
pub const TIOCM_LE: u32 = 0x1;
pub const TIOCM_DTR: u32 = 0x2;
pub const TIOCM_RTS: u32 = 0x4;
pub const TIOCM_ST: u32 = 0x8;
pub const TIOCM_SR: u32 = 0x10;
pub const TIOCM_CTS: u32 = 0x20;
pub const TIOCM_CAR: u32 = 0x40;
pub const TIOCM_RNG: u32 = 0x80;
pub const TIOCM_DSR: u32 = 0x100;
pub const TIOCM_CD: u32 = 0x40;
pub const TIOCM_RI: u32 = 0x80;
pub const TIOCM_OUT1: u32 = 0x2000;
pub const TIOCM_OUT2: u32 = 0x4000;
pub const TIOCM_LOOP: u32 = 0x8000;

/// The line discipline of ordinary terminals.
pub const N_TTY: u8 = 0;
/// Number that switches a control character off.
pub const _POSIX_VDISABLE: u8 = 0;

/// The kernel's `struct termios`.
#[doc(alias = "termios")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termios {
    pub c_iflag: u32,
    pub c_oflag: u32,
    pub c_cflag: u32,
    pub c_lflag: u32,
    /// Line discipline.
    pub c_line: u8,
    /// Control characters, by `V*`.
    pub c_cc: [u8; NCCS],
}

/// The same with speeds as numbers; also the kernel's own `ktermios`.
#[doc(alias = "termios2")]
#[doc(alias = "ktermios")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termios2 {
    pub c_iflag: u32,
    pub c_oflag: u32,
    pub c_cflag: u32,
    pub c_lflag: u32,
    pub c_line: u8,
    pub c_cc: [u8; NCCS],
    /// Bits a second.
    pub c_ispeed: u32,
    pub c_ospeed: u32,
}

/// Control characters in [`Termio`].
pub const NCC: usize = 8;

/// The System V structure of `TCGETA`.
#[doc(alias = "termio")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Termio {
    pub c_iflag: u16,
    pub c_oflag: u16,
    pub c_cflag: u16,
    pub c_lflag: u16,
    pub c_line: u8,
    pub c_cc: [u8; NCC],
    pub _pad0: u8,
}

/// Size of a terminal.
#[doc(alias = "winsize")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Winsize {
    pub ws_row: u16,
    pub ws_col: u16,
    pub ws_xpixel: u16,
    pub ws_ypixel: u16,
}
