//! Commands that both ends of a pseudo-terminal know: modes, size, flow, queues.
//!
//! Mirrors: drivers/tty/tty_ioctl.c, drivers/tty/tty_io.c (`tty_ioctl`), drivers/tty/tty_baudrate.c, Linux 6.18.
//! Differs: modes asked for through the master are the slave's; the master's own never change.
//! Locking: as in `pty`.

use alloc::sync::Arc;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::CAP_SYS_ADMIN;
use acrida_uapi::errno::Errno;
use acrida_uapi::ioctl::*;
use acrida_uapi::signal::{SIGTTOU, SIGWINCH};
use acrida_uapi::termios::*;

use crate::abi::SysResult;
use crate::current;
use crate::drivers::tty::n_tty::News;
use crate::drivers::tty::pty::{Pty, slave_rdev};
use crate::drivers::tty::tty_jobctrl::{self, End, check_change};
use crate::fs::file::File;

/// Speeds by their codes, the low ones and those behind `CBAUDEX`.
const LOW_SPEEDS: [u32; 16] = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const HIGH_SPEEDS: [u32; 16] = [
    0, 57600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000,
    3_000_000, 3_500_000, 4_000_000,
];

#[doc(alias = "tty_termios_baud_rate")]
fn speed(code: u32, asked: u32) -> u32 {
    let place = (code & CBAUD & !CBAUDEX) as usize;
    match code & CBAUD {
        BOTHER => asked,
        code if code & CBAUDEX != 0 => HIGH_SPEEDS[place],
        _ => LOW_SPEEDS[place],
    }
}

/// When new modes take hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Now,
    /// Output is never late here: the same as now.
    Drained,
    /// And what was typed is thrown away.
    Flushed,
}

fn set_termios(pty: &Arc<Pty>, when: When, mut new: Termios2) -> SysResult {
    check_change(&pty.as_tty(), SIGTTOU)?;
    new.c_ospeed = speed(new.c_cflag, new.c_ospeed);
    new.c_ispeed = match new.c_cflag >> IBSHIFT & CBAUD {
        B0 => new.c_ospeed,
        code => speed(code, new.c_ispeed),
    };
    new.c_cflag = new.c_cflag & !(CSIZE | PARENB) | CS8 | CREAD;
    let mut state = pty.lock();
    if when == When::Flushed {
        state.flush_input();
    }
    let old = state.ntty.termios;
    state.ntty.set_termios(new);
    // A master that shows flow control wants to know whether ^S and ^Q still mean it.
    let usual_flow = |modes: &Termios2| modes.c_iflag & IXON != 0 && modes.c_cc[VSTOP] == 0x13 && modes.c_cc[VSTART] == 0x11;
    match (usual_flow(&old), usual_flow(&new)) {
        (true, false) => state.note_packet(TIOCPKT_NOSTOP, TIOCPKT_DOSTOP),
        (false, true) => state.note_packet(TIOCPKT_DOSTOP, TIOCPKT_NOSTOP),
        _ => {}
    }
    if (old.c_lflag | new.c_lflag) & EXTPROC != 0 && old != new {
        state.note_packet(TIOCPKT_IOCTL, 0);
    }
    let mut news = News::default();
    state.move_input(&mut news);
    drop(state);
    pty.announce(&news);
    Ok(0)
}

fn set_from_termios(pty: &Arc<Pty>, when: When, user: UserAddr) -> SysResult {
    let new: Termios = user.read()?;
    let old = pty.lock().ntty.termios;
    let Termios { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc } = new;
    set_termios(pty, when, Termios2 { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc, ..old })
}

fn get_termios(pty: &Pty) -> Termios {
    let Termios2 { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc, .. } = pty.lock().ntty.termios;
    Termios { c_iflag, c_oflag, c_cflag, c_lflag, c_line, c_cc }
}

#[doc(alias = "pty_resize")]
fn set_size(pty: &Pty, user: UserAddr) -> SysResult {
    let new: Winsize = user.read()?;
    let old = core::mem::replace(&mut pty.lock().winsize, new);
    if old != new {
        pty.signal_foreground(SIGWINCH);
    }
    Ok(0)
}

#[doc(alias = "tty_perform_flush")]
fn flush(pty: &Arc<Pty>, end: End, queue: u32) -> SysResult {
    check_change(&pty.as_tty(), SIGTTOU)?;
    let (input, output) = match queue {
        TCIFLUSH => (true, false),
        TCOFLUSH => (false, true),
        TCIOFLUSH => (true, true),
        _ => return Err(Errno::EINVAL.into()),
    };
    // One end's input is the other's output.
    let (typed, shown) = if end == End::Master { (output, input) } else { (input, output) };
    let mut state = pty.lock();
    if typed {
        state.flush_input();
        state.note_packet(TIOCPKT_FLUSHREAD, 0);
    }
    if shown {
        state.ntty.out.clear();
        state.note_packet(TIOCPKT_FLUSHWRITE, 0);
    }
    drop(state);
    pty.announce(&News::default());
    Ok(0)
}

#[doc(alias = "n_tty_ioctl_helper")]
fn control_flow(pty: &Arc<Pty>, action: u32) -> SysResult {
    check_change(&pty.as_tty(), SIGTTOU)?;
    let mut state = pty.lock();
    match action {
        TCOOFF if !state.ntty.tco_stopped => {
            state.ntty.tco_stopped = true;
            state.ntty.stop();
            state.note_packet(TIOCPKT_STOP, TIOCPKT_START);
        }
        TCOON if state.ntty.tco_stopped => {
            state.ntty.tco_stopped = false;
            state.ntty.start();
            state.note_packet(TIOCPKT_START, TIOCPKT_STOP);
        }
        TCOOFF | TCOON => {}
        TCIOFF | TCION => {
            let place = if action == TCIOFF { VSTOP } else { VSTART };
            let byte = state.ntty.termios.c_cc[place];
            if byte != _POSIX_VDISABLE {
                state.ntty.out.push_back(byte);
            }
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    drop(state);
    pty.announce(&News::default());
    Ok(0)
}

/// Puts a byte in front of an end as if the other had sent it. Nobody may without the right: what `dev.tty.legacy_tiocsti`
/// off means.
#[doc(alias = "tiocsti")]
fn insert(pty: &Arc<Pty>, end: End, user: UserAddr) -> SysResult {
    if !current().cred().capable(CAP_SYS_ADMIN) {
        return Err(Errno::EIO.into());
    }
    let byte: u8 = user.read()?;
    let mut news = News::default();
    let mut state = pty.lock();
    match end {
        End::Master => state.ntty.out.push_back(byte),
        End::Terminal => {
            // A full queue drops it, as a line would.
            state.feed(&[byte], &mut news);
        }
    }
    drop(state);
    pty.announce(&news);
    Ok(0)
}

/// Bytes an end could read now.
fn queued(pty: &Pty, end: End) -> i32 {
    let state = pty.lock();
    // At most some thousand.
    (if end == End::Master { state.ntty.out.len() } else { state.ntty.readable_bytes() }) as i32
}

/// An ioctl of either end.
pub fn ioctl(pty: &Arc<Pty>, end: End, file: &File, cmd: u32, arg: u64) -> SysResult {
    let user = UserAddr(arg);
    if let Some(answer) = tty_jobctrl::ioctl(&pty.as_tty(), end, file, cmd, arg) {
        return answer;
    }
    match cmd {
        TCGETS => user.write(&get_termios(pty))?,
        TCGETS2 => {
            let modes = pty.lock().ntty.termios;
            user.write(&modes)?;
        }
        TCSETS => return set_from_termios(pty, When::Now, user),
        TCSETSW => return set_from_termios(pty, When::Drained, user),
        TCSETSF => return set_from_termios(pty, When::Flushed, user),
        TCSETS2 => return set_termios(pty, When::Now, user.read()?),
        TCSETSW2 => return set_termios(pty, When::Drained, user.read()?),
        TCSETSF2 => return set_termios(pty, When::Flushed, user.read()?),
        TIOCGWINSZ => {
            let size = pty.lock().winsize;
            user.write(&size)?;
        }
        TIOCSWINSZ => return set_size(pty, user),
        TCSBRK | TCSBRKP | TIOCSBRK | TIOCCBRK => check_change(&pty.as_tty(), SIGTTOU)?,
        TCXONC => return control_flow(pty, arg as u32),
        TCFLSH => return flush(pty, end, arg as u32),
        FIONREAD => user.write(&queued(pty, end))?,
        TIOCOUTQ => user.write(&0i32)?,
        TIOCEXCL => pty.lock().exclusive = true,
        TIOCNXCL => pty.lock().exclusive = false,
        TIOCGEXCL => {
            let exclusive = pty.lock().exclusive;
            user.write(&i32::from(exclusive))?;
        }
        TIOCSTI => return insert(pty, end, user),
        TIOCGETD => user.write(&i32::from(N_TTY))?,
        TIOCSETD => {
            let discipline: i32 = user.read()?;
            if discipline != i32::from(N_TTY) {
                return Err(Errno::EINVAL.into());
            }
        }
        TIOCGDEV if end == End::Terminal => user.write(&slave_rdev(pty.index))?,
        TIOCVHANGUP if !current().cred().capable(CAP_SYS_ADMIN) => return Err(Errno::EPERM.into()),
        TIOCVHANGUP => pty.hang_up(),
        _ => return Err(Errno::ENOTTY.into()),
    }
    Ok(0)
}
