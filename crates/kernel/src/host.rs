//! Host calls with their types. What schedules, maps or is passed on as it is has its calls in its own files (ARCHITECTURE.md).
//!
//! Mirrors: nothing in Linux.
//! Differs: every function states the sizes of the buffers it hands over; this is what SAFETY.md relies on.

pub mod fs;
pub mod futex;
pub mod io;
pub mod mm;
pub mod net;
pub mod proc;
pub mod sched;
pub mod time;
pub mod xattr;

use acrida_kcore::host::{Arg, HostFd};
use acrida_kcore::platform::platform;
use acrida_uapi::errno::Errno;
use acrida_uapi::nr;
use acrida_uapi::resource::{Rlimit64, Rusage};
use acrida_uapi::time::{Timespec, Timeval};
use acrida_uapi::utsname::{NewUtsname, Sysinfo};
use alloc::vec::Vec;
use zerocopy::{FromZeros, IntoBytes};

/// Closes a host descriptor.
pub fn close(fd: HostFd) {
    // Linux closes the descriptor whatever it answers.
    let _ = platform().host().call(nr::close, &mut [Arg::Fd(fd)]);
}

/// Writes kernel bytes at the descriptor's position.
pub fn write(fd: HostFd, bytes: &[u8]) -> Result<usize, Errno> {
    platform().host().call(nr::write, &mut [Arg::Fd(fd), Arg::InLen(bytes)])
}

/// Reads into a kernel buffer; ends with `EINTR` when the thread has a signal.
pub fn read_blocking(fd: HostFd, buf: &mut [u8]) -> Result<usize, Errno> {
    platform().host().call_blocking(nr::read, &mut [Arg::Fd(fd), Arg::OutLen(buf)])
}

/// Sends a signal to a host process of the world.
pub fn kill(host_pid: u32, signo: i32) {
    // It may be gone already.
    let _ = platform().host().call(nr::kill, &mut [Arg::Val(host_pid.into()), Arg::Val(signo as u64)]);
}

/// Whether the descriptor is open.
pub fn is_open(fd: HostFd) -> bool {
    const F_GETFD: u64 = 1;
    platform().host().call(nr::fcntl, &mut [Arg::Fd(fd), Arg::Val(F_GETFD)]).is_ok()
}

/// The host's name, as `uname` tells it.
pub fn nodename() -> Vec<u8> {
    let name = uname().nodename;
    name.iter().copied().take_while(|&b| b != 0).collect()
}

/// The host's `uname`.
pub fn uname() -> NewUtsname {
    let mut names = NewUtsname::new_zeroed();
    // Cannot fail with a valid buffer.
    let _ = platform().host().call(nr::uname, &mut [Arg::Out(names.as_mut_bytes())]);
    names
}

/// Supplementary groups of the command.
pub fn groups() -> Vec<u32> {
    let mut groups = [0u32; 4096];
    let count = platform().host().call(nr::getgroups, &mut [Arg::Val(4096), Arg::Out(groups.as_mut_bytes())]);
    groups[..count.unwrap_or(0)].to_vec()
}

/// Permitted, effective and bounding capabilities of the command.
pub fn capabilities() -> [u64; 3] {
    let header: [u32; 2] = [0x2008_0522, 0];
    let mut data = [0u32; 6];
    let _ = platform().host().call(nr::capget, &mut [Arg::In(header.as_bytes()), Arg::Out(data.as_mut_bytes())]);
    let wide = |low: usize| u64::from(data[low]) | u64::from(data[low + 3]) << 32;
    let (permitted, effective) = (wide(1), wide(0));
    [permitted, effective, permitted]
}

/// The command's resource limits.
pub fn rlimits() -> [Rlimit64; 16] {
    let mut limits = [Rlimit64::default(); 16];
    for (which, limit) in limits.iter_mut().enumerate() {
        let mut args = [Arg::Val(0), Arg::Val(which as u64), Arg::Null, Arg::Out(limit.as_mut_bytes())];
        let _ = platform().host().call(nr::prlimit64, &mut args);
    }
    limits
}

/// What another host process used: only the sum of its CPU time is known, and counts as user time.
pub fn other_process_usage(host_pid: u32) -> Rusage {
    let mut usage = Rusage::new_zeroed();
    // A process's CPU clock: the complement of its pid, shifted, CPUCLOCK_SCHED.
    let clock = ((!u64::from(host_pid)) << 3) | 2;
    let mut time = Timespec::default();
    if platform().host().call(nr::clock_gettime, &mut [Arg::Val(clock), Arg::Out(time.as_mut_bytes())]).is_ok() {
        usage.ru_utime = Timeval { tv_sec: time.tv_sec, tv_usec: time.tv_nsec / 1000 };
    }
    usage
}

/// Sets the calling host thread's file-system ids: host files are checked as this user.
pub fn set_fs_ids(uid: u32, gid: u32) {
    let host = platform().host();
    // Both answer the old id and cannot fail otherwise.
    let _ = host.call(nr::setfsgid, &mut [Arg::Val(gid.into())]);
    let _ = host.call(nr::setfsuid, &mut [Arg::Val(uid.into())]);
}

/// Sets the calling host thread's supplementary groups, where the host lets it.
pub fn set_groups(groups: &[u32]) {
    let _ = platform().host().call(nr::setgroups, &mut [Arg::Val(groups.len() as u64), Arg::In(groups.as_bytes())]);
}

/// The host's `sysinfo`.
pub fn sysinfo() -> Sysinfo {
    let mut info = Sysinfo::new_zeroed();
    let _ = platform().host().call(nr::sysinfo, &mut [Arg::Out(info.as_mut_bytes())]);
    info
}

/// The host's account of the calling process or thread.
pub fn rusage(who: i32) -> Rusage {
    let mut usage = Rusage::new_zeroed();
    let _ = platform().host().call(nr::getrusage, &mut [Arg::Val(who as u64), Arg::Out(usage.as_mut_bytes())]);
    usage
}

/// An option of the host thread that takes numbers only.
pub fn prctl(option: i32, values: [u64; 4]) -> Result<usize, Errno> {
    let [a2, a3, a4, a5] = values.map(Arg::Val);
    platform().host().call(nr::prctl, &mut [Arg::Val(option as u64), a2, a3, a4, a5])
}

/// The processor the caller runs on.
pub fn current_cpu() -> u32 {
    let mut cpu = 0u32;
    let _ = platform().host().call(nr::getcpu, &mut [Arg::Out(cpu.as_mut_bytes()), Arg::Null, Arg::Null]);
    cpu
}

/// Names the host thread, for `ps`, `top` and `perf` on the host.
pub fn set_thread_name(name: &[u8]) {
    const PR_SET_NAME: u64 = 15;
    let mut bytes = [0u8; 16];
    bytes[..name.len().min(15)].copy_from_slice(&name[..name.len().min(15)]);
    let _ = platform().host().call(nr::prctl, &mut [Arg::Val(PR_SET_NAME), Arg::In(&bytes)]);
}

/// The processor's capability words as the host's auxiliary vector gives them: CPUID leaf 1 EDX, and HWCAP2 (ring-3
/// FSGSBASE is withheld: `%gs` is the kernel's).
pub fn hwcaps() -> (u64, u64) {
    (u64::from(core::arch::x86_64::__cpuid(1).edx), 0)
}

/// Sets a limit of a host process of the world (0: the caller's).
pub fn set_rlimit(host_pid: u32, which: u32, limit: &Rlimit64) {
    let mut args = [Arg::Val(host_pid.into()), Arg::Val(which.into()), Arg::In(limit.as_bytes()), Arg::Null];
    // What the host does not allow stays as it was; our own table has the guest's view.
    let _ = platform().host().call(nr::prlimit64, &mut args);
}

/// Raises the host's descriptor limit to the hard one and grows the world's host table at once: growing it while it is
/// shared costs 6 to 8 ms.
pub fn make_room_for_fds(limit: &Rlimit64) {
    const RLIMIT_NOFILE: u32 = 7;
    const F_DUPFD: u64 = 0;
    const ROOM: u64 = 16384;
    set_rlimit(0, RLIMIT_NOFILE, &Rlimit64 { rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max });
    let highest = ROOM.min(limit.rlim_max) - 1;
    let high = platform().host().call(nr::fcntl, &mut [Arg::Fd(HostFd(0)), Arg::Val(F_DUPFD), Arg::Val(highest)]);
    if let Ok(fd) = high {
        close(HostFd(fd as i32));
    }
}
