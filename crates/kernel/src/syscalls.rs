//! The one table of system calls: number, name, arguments, who serves it, and why not when nobody does.
//!
//! Mirrors: arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.18.
//! Differs: a row also gives the service: `ours PATH` (a handler taking the arguments), `frame PATH` (a handler that needs
//! the caller's registers), `host` (passed on as it is), `refused ERRNO`. The table makes the dispatch, the names in traces
//! and docs/syscalls.md.

use acrida_kcore::regs::UserFrame;
use acrida_uapi::errno::Errno;

use crate::abi::{Arg, ArgKind, SysResult};
#[allow(unused_imports)]
use crate::abi::{BufIn, BufOut, DirFd, Fd, Flags, Mode, Signo, UserPath};
use crate::entry::finish;
#[allow(unused_imports)]
use acrida_kcore::uaccess::UserAddr;

/// Who serves a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ours,
    Host,
    Refused(Errno),
    /// In nobody's table: `ENOSYS`, named once at the end of the run.
    Unknown,
}

/// One row.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub args: &'static [(&'static str, ArgKind)],
    pub service: Service,
    pub why: &'static str,
    handler: fn(&mut UserFrame) -> SysResult,
    /// The same, with the result put into the frame.
    serve: fn(&mut UserFrame),
}

/// Rows by number.
pub const NR_SYSCALLS: usize = 512;

const UNKNOWN: Entry = Entry { name: "", args: &[], service: Service::Unknown, why: "", handler: unknown, serve: serve_unknown };

fn unknown(frame: &mut UserFrame) -> SysResult {
    crate::kernel::sys::unknown_call(frame.regs.orig_rax)
}

fn serve_unknown(frame: &mut UserFrame) {
    let result = unknown(frame);
    finish(frame, result);
}

macro_rules! handler {
    (ours $path:path, $($ty:ty),*) => {
        |frame: &mut UserFrame| {
            let mut regs = frame.regs.args().into_iter();
            let mut next = move || regs.next().unwrap_or(0);
            let _ = &mut next;
            $path($(<$ty as Arg>::from_reg(next())),*)
        }
    };
    (frame $path:path, $($ty:ty),*) => {
        |frame: &mut UserFrame| $path(frame)
    };
    (host, $($ty:ty),*) => {
        |frame: &mut UserFrame| crate::kernel::sys::pass_to_host(frame, &[$(<$ty as Arg>::KIND),*])
    };
    (refused $errno:ident, $($ty:ty),*) => {
        |_: &mut UserFrame| Err(Errno::$errno.into())
    };
}

macro_rules! service {
    (ours $path:path) => {
        Service::Ours
    };
    (frame $path:path) => {
        Service::Ours
    };
    (host) => {
        Service::Host
    };
    (refused $errno:ident) => {
        Service::Refused(Errno::$errno)
    };
}

macro_rules! syscalls {
    ($($nr:literal $name:ident($($arg:ident: $ty:ty),*) = [$($service:tt)*] $why:literal;)*) => {
        const fn build() -> [Entry; NR_SYSCALLS] {
            let mut table = [UNKNOWN; NR_SYSCALLS];
            $(table[$nr] = Entry {
                name: stringify!($name),
                args: &[$((stringify!($arg), <$ty as Arg>::KIND)),*],
                service: service!($($service)*),
                why: $why,
                handler: handler!($($service)*, $($ty),*),
                serve: |frame: &mut UserFrame| {
                    let handler = handler!($($service)*, $($ty),*);
                    let result = handler(frame);
                    finish(frame, result);
                },
            };)*
            table
        }

        /// The table as text, a line a call: number, name, service, arguments with their types, why. The image carries
        /// it for the command, which names calls in traces and writes docs/syscalls.md from it.
        pub const TEXT: &str = concat!($(
            stringify!($nr), "\t", stringify!($name), "\t", stringify!($($service)*), "\t",
            $(stringify!($arg), ":", stringify!($ty), " ",)* "\t", $why, "\n",
        )*);
    };
}

/// Every call by number.
pub static TABLE: [Entry; NR_SYSCALLS] = build();

/// Serves the call in `frame.regs.orig_rax` and leaves its result in the frame. The row's function is the last thing called, so
/// that it returns straight to the entry code: after a host call a return costs 8 ns more than usual.
#[inline]
pub fn serve(frame: &mut UserFrame) {
    match TABLE.get(frame.regs.orig_rax as u32 as usize) {
        Some(entry) => (entry.serve)(frame),
        None => serve_unknown(frame),
    }
}

/// Serves the call in `frame.regs.orig_rax`.
pub fn dispatch(frame: &mut UserFrame) -> SysResult {
    // Only the low half is the number, as on Linux.
    match TABLE.get(frame.regs.orig_rax as u32 as usize) {
        Some(entry) => (entry.handler)(frame),
        None => unknown(frame),
    }
}

syscalls! {
    0 read(fd: Fd, buf: BufOut, count: usize) = [ours crate::fs::read_write::sys_read] "";
    1 write(fd: Fd, buf: BufIn, count: usize) = [ours crate::fs::read_write::sys_write] "";
    2 open(path: UserPath, flags: Flags, mode: Mode) = [ours crate::fs::open::sys_open] "";
    3 close(fd: Fd) = [ours crate::fs::dup::sys_close] "";
    4 stat(path: UserPath, statbuf: UserAddr) = [ours crate::fs::stat::sys_stat] "";
    5 fstat(fd: Fd, statbuf: UserAddr) = [ours crate::fs::stat::sys_fstat] "";
    6 lstat(path: UserPath, statbuf: UserAddr) = [ours crate::fs::stat::sys_lstat] "";
    7 poll(fds: UserAddr, nfds: u32, timeout: i32) = [ours crate::fs::select::poll::sys_poll] "";
    8 lseek(fd: Fd, offset: i64, whence: u32) = [ours crate::fs::read_write::sys_lseek] "";
    9 mmap(addr: UserAddr, len: u64, prot: Flags, flags: Flags, fd: Fd, offset: u64) = [ours crate::mm::mmap::sys_mmap] "";
    10 mprotect(start: UserAddr, len: u64, prot: Flags) = [ours crate::mm::mprotect::sys_mprotect] "";
    11 munmap(addr: UserAddr, len: u64) = [ours crate::mm::munmap::sys_munmap] "";
    12 brk(brk: UserAddr) = [ours crate::mm::brk::sys_brk] "";
    13 rt_sigaction(signo: Signo, act: UserAddr, oact: UserAddr, sigsetsize: usize) = [ours crate::kernel::signal::sys_rt_sigaction] "";
    14 rt_sigprocmask(how: i32, nset: UserAddr, oset: UserAddr, sigsetsize: usize) = [ours crate::kernel::signal::sys_rt_sigprocmask] "";
    15 rt_sigreturn() = [frame crate::kernel::signal::sys_rt_sigreturn] "";
    16 ioctl(fd: Fd, cmd: u32, arg: u64) = [ours crate::fs::ioctl::sys_ioctl] "";
    17 pread64(fd: Fd, buf: BufOut, count: usize, pos: i64) = [ours crate::fs::read_write::sys_pread64] "";
    18 pwrite64(fd: Fd, buf: BufIn, count: usize, pos: i64) = [ours crate::fs::read_write::sys_pwrite64] "";
    19 readv(fd: Fd, iov: UserAddr, iovcnt: usize) = [ours crate::fs::read_write::sys_readv] "";
    20 writev(fd: Fd, iov: UserAddr, iovcnt: usize) = [ours crate::fs::read_write::sys_writev] "";
    21 access(path: UserPath, mode: Mode) = [ours crate::fs::access::sys_access] "";
    22 pipe(fds: UserAddr) = [ours crate::fs::pipe::sys_pipe] "";
    23 select(n: i32, readfds: UserAddr, writefds: UserAddr, exceptfds: UserAddr, timeout: UserAddr) = [ours crate::fs::select::fd_set::sys_select] "";
    24 sched_yield() = [ours crate::kernel::sched::sys_sched_yield] "";
    25 mremap(old: UserAddr, old_len: u64, new_len: u64, flags: Flags, new: UserAddr) = [ours crate::mm::mremap::sys_mremap] "";
    26 msync(start: UserAddr, len: u64, flags: Flags) = [ours crate::mm::msync::sys_msync] "";
    27 mincore(start: UserAddr, len: u64, vec: BufOut) = [ours crate::mm::msync::sys_mincore] "";
    28 madvise(start: UserAddr, len: u64, advice: i32) = [ours crate::mm::madvise::sys_madvise] "";
    29 shmget(key: i32, size: u64, flags: Flags) = [ours crate::ipc::shm::sys_shmget] "";
    30 shmat(id: i32, addr: UserAddr, flags: Flags) = [ours crate::ipc::shm::sys_shmat] "";
    31 shmctl(id: i32, command: i32, buf: UserAddr) = [ours crate::ipc::shm::sys_shmctl] "";
    32 dup(fd: Fd) = [ours crate::fs::dup::sys_dup] "";
    33 dup2(oldfd: Fd, newfd: Fd) = [ours crate::fs::dup::sys_dup2] "";
    34 pause() = [ours crate::kernel::signal::sys_pause] "";
    35 nanosleep(rqtp: UserAddr, rmtp: UserAddr) = [ours crate::kernel::time::nanosleep::sys_nanosleep] "";
    36 getitimer(which: i32, value: UserAddr) = [ours crate::kernel::time::itimer::sys_getitimer] "";
    37 alarm(seconds: u32) = [ours crate::kernel::time::itimer::sys_alarm] "";
    38 setitimer(which: i32, value: UserAddr, ovalue: UserAddr) = [ours crate::kernel::time::itimer::sys_setitimer] "";
    39 getpid() = [ours crate::kernel::ids::sys_getpid] "";
    40 sendfile(out_fd: Fd, in_fd: Fd, offset: UserAddr, count: usize) = [ours crate::fs::splice::sendfile::sys_sendfile] "";
    41 socket(family: i32, kind: u32, protocol: i32) = [ours crate::net::socket::sys_socket] "";
    42 connect(fd: Fd, addr: UserAddr, len: i32) = [ours crate::net::socket::sys_connect] "";
    43 accept(fd: Fd, addr: UserAddr, len: UserAddr) = [ours crate::net::socket::sys_accept] "";
    44 sendto(fd: Fd, buf: BufIn, len: usize, flags: Flags, addr: UserAddr, addr_len: i32) = [ours crate::net::socket::sys_sendto] "";
    45 recvfrom(fd: Fd, buf: BufOut, len: usize, flags: Flags, addr: UserAddr, addr_len: UserAddr) = [ours crate::net::socket::sys_recvfrom] "";
    46 sendmsg(fd: Fd, msg: UserAddr, flags: Flags) = [ours crate::net::socket::sys_sendmsg] "";
    47 recvmsg(fd: Fd, msg: UserAddr, flags: Flags) = [ours crate::net::socket::sys_recvmsg] "";
    48 shutdown(fd: Fd, how: i32) = [ours crate::net::socket::sys_shutdown] "";
    49 bind(fd: Fd, addr: UserAddr, len: i32) = [ours crate::net::socket::sys_bind] "";
    50 listen(fd: Fd, backlog: i32) = [ours crate::net::socket::sys_listen] "";
    51 getsockname(fd: Fd, addr: UserAddr, len: UserAddr) = [ours crate::net::socket::sys_getsockname] "";
    52 getpeername(fd: Fd, addr: UserAddr, len: UserAddr) = [ours crate::net::socket::sys_getpeername] "";
    53 socketpair(family: i32, kind: u32, protocol: i32, fds: UserAddr) = [ours crate::net::socket::sys_socketpair] "";
    54 setsockopt(fd: Fd, level: i32, name: i32, value: UserAddr, len: i32) = [ours crate::net::socket::sys_setsockopt] "";
    55 getsockopt(fd: Fd, level: i32, name: i32, value: UserAddr, len: UserAddr) = [ours crate::net::socket::sys_getsockopt] "";
    56 clone(flags: u64, stack: UserAddr, parent_tid: UserAddr, child_tid: UserAddr, tls: UserAddr) = [frame crate::kernel::fork::sys_clone] "";
    57 fork() = [frame crate::kernel::fork::sys_fork] "";
    58 vfork() = [frame crate::kernel::fork::sys_vfork] "";
    59 execve(path: UserPath, argv: UserAddr, envp: UserAddr) = [frame crate::fs::exec::sys_execve] "";
    60 exit(code: i32) = [ours crate::kernel::exit::sys_exit] "";
    61 wait4(pid: i32, status: UserAddr, options: u32, rusage: UserAddr) = [ours crate::kernel::wait::sys_wait4] "";
    62 kill(pid: i32, sig: Signo) = [ours crate::kernel::signal::sys_kill] "";
    63 uname(buf: UserAddr) = [ours crate::kernel::sys::sys_uname] "";
    64 semget(key: i32, count: i32, flags: Flags) = [ours crate::ipc::sem::sys_semget] "";
    65 semop(id: i32, ops: UserAddr, count: u32) = [ours crate::ipc::sem::op::sys_semop] "";
    66 semctl(id: i32, num: i32, command: i32, arg: u64) = [ours crate::ipc::sem::ctl::sys_semctl] "";
    67 shmdt(addr: UserAddr) = [ours crate::ipc::shm::sys_shmdt] "";
    68 msgget(key: i32, flags: Flags) = [ours crate::ipc::msg::sys_msgget] "";
    69 msgsnd(id: i32, msgp: UserAddr, size: usize, flags: Flags) = [ours crate::ipc::msg::send::sys_msgsnd] "";
    70 msgrcv(id: i32, msgp: UserAddr, size: usize, kind: i64, flags: Flags) = [ours crate::ipc::msg::receive::sys_msgrcv] "";
    71 msgctl(id: i32, command: i32, buf: UserAddr) = [ours crate::ipc::msg::ctl::sys_msgctl] "";
    72 fcntl(fd: Fd, cmd: u32, arg: u64) = [ours crate::fs::fcntl::sys_fcntl] "";
    73 flock(fd: Fd, operation: Flags) = [ours crate::fs::locks::flock::sys_flock] "";
    74 fsync(fd: Fd) = [ours crate::fs::sync::sys_fsync] "";
    75 fdatasync(fd: Fd) = [ours crate::fs::sync::sys_fdatasync] "";
    76 truncate(path: UserPath, length: i64) = [ours crate::fs::truncate::sys_truncate] "";
    77 ftruncate(fd: Fd, length: i64) = [ours crate::fs::truncate::sys_ftruncate] "";
    78 getdents(fd: Fd, dirent: BufOut, count: u32) = [ours crate::fs::readdir::sys_getdents] "";
    79 getcwd(buf: BufOut, size: usize) = [ours crate::fs::access::sys_getcwd] "";
    80 chdir(path: UserPath) = [ours crate::fs::access::sys_chdir] "";
    81 fchdir(fd: Fd) = [ours crate::fs::access::sys_fchdir] "";
    82 rename(oldname: UserPath, newname: UserPath) = [ours crate::fs::namei::rename::sys_rename] "";
    83 mkdir(path: UserPath, mode: Mode) = [ours crate::fs::namei::create::sys_mkdir] "";
    84 rmdir(path: UserPath) = [ours crate::fs::namei::remove::sys_rmdir] "";
    85 creat(path: UserPath, mode: Mode) = [ours crate::fs::open::sys_creat] "";
    86 link(oldname: UserPath, newname: UserPath) = [ours crate::fs::namei::create::sys_link] "";
    87 unlink(path: UserPath) = [ours crate::fs::namei::remove::sys_unlink] "";
    88 symlink(old: UserPath, new: UserPath) = [ours crate::fs::namei::create::sys_symlink] "";
    89 readlink(path: UserPath, buf: BufOut, bufsiz: i32) = [ours crate::fs::stat::sys_readlink] "";
    90 chmod(path: UserPath, mode: Mode) = [ours crate::fs::chmod::sys_chmod] "";
    91 fchmod(fd: Fd, mode: Mode) = [ours crate::fs::chmod::sys_fchmod] "";
    92 chown(path: UserPath, user: u32, group: u32) = [ours crate::fs::chmod::sys_chown] "";
    93 fchown(fd: Fd, user: u32, group: u32) = [ours crate::fs::chmod::sys_fchown] "";
    94 lchown(path: UserPath, user: u32, group: u32) = [ours crate::fs::chmod::sys_lchown] "";
    95 umask(mask: Mode) = [ours crate::fs::access::sys_umask] "";
    96 gettimeofday(tv: UserAddr, tz: UserAddr) = [ours crate::kernel::time::clock::sys_gettimeofday] "";
    97 getrlimit(resource: u32, limit: UserAddr) = [ours crate::kernel::resource::sys_getrlimit] "";
    98 getrusage(who: i32, usage: UserAddr) = [ours crate::kernel::resource::sys_getrusage] "";
    99 sysinfo(info: UserAddr) = [ours crate::kernel::sys::sys_sysinfo] "";
    100 times(tbuf: UserAddr) = [ours crate::kernel::time::clock::sys_times] "";
    101 ptrace(request: i32, pid: i32, addr: UserAddr, data: UserAddr) = [refused EPERM] "debuggers attach to the host processes from outside the world";
    102 getuid() = [ours crate::kernel::setid::sys_getuid] "";
    103 syslog() = [refused ENOSYS] "not yet";
    104 getgid() = [ours crate::kernel::setid::sys_getgid] "";
    105 setuid(uid: u32) = [ours crate::kernel::setid::sys_setuid] "";
    106 setgid(gid: u32) = [ours crate::kernel::setid::sys_setgid] "";
    107 geteuid() = [ours crate::kernel::setid::sys_geteuid] "";
    108 getegid() = [ours crate::kernel::setid::sys_getegid] "";
    109 setpgid(pid: i32, pgid: i32) = [ours crate::kernel::ids::sys_setpgid] "";
    110 getppid() = [ours crate::kernel::ids::sys_getppid] "";
    111 getpgrp() = [ours crate::kernel::ids::sys_getpgrp] "";
    112 setsid() = [ours crate::kernel::ids::sys_setsid] "";
    113 setreuid(ruid: u32, euid: u32) = [ours crate::kernel::setid::sys_setreuid] "";
    114 setregid(rgid: u32, egid: u32) = [ours crate::kernel::setid::sys_setregid] "";
    115 getgroups(size: i32, list: UserAddr) = [ours crate::kernel::setid::sys_getgroups] "";
    116 setgroups(size: i32, list: UserAddr) = [ours crate::kernel::setid::sys_setgroups] "";
    117 setresuid(ruid: u32, euid: u32, suid: u32) = [ours crate::kernel::setid::sys_setresuid] "";
    118 getresuid(ruid: UserAddr, euid: UserAddr, suid: UserAddr) = [ours crate::kernel::setid::sys_getresuid] "";
    119 setresgid(rgid: u32, egid: u32, sgid: u32) = [ours crate::kernel::setid::sys_setresgid] "";
    120 getresgid(rgid: UserAddr, egid: UserAddr, sgid: UserAddr) = [ours crate::kernel::setid::sys_getresgid] "";
    121 getpgid(pid: i32) = [ours crate::kernel::ids::sys_getpgid] "";
    122 setfsuid(uid: u32) = [ours crate::kernel::setid::sys_setfsuid] "";
    123 setfsgid(gid: u32) = [ours crate::kernel::setid::sys_setfsgid] "";
    124 getsid(pid: i32) = [ours crate::kernel::ids::sys_getsid] "";
    125 capget(header: UserAddr, data: UserAddr) = [ours crate::kernel::setid::sys_capget] "";
    126 capset(header: UserAddr, data: UserAddr) = [ours crate::kernel::setid::sys_capset] "";
    127 rt_sigpending(uset: UserAddr, sigsetsize: usize) = [ours crate::kernel::signal::sys_rt_sigpending] "";
    128 rt_sigtimedwait(uthese: UserAddr, uinfo: UserAddr, uts: UserAddr, sigsetsize: usize) = [ours crate::kernel::signal::sys_rt_sigtimedwait] "";
    129 rt_sigqueueinfo(pid: i32, sig: Signo, uinfo: UserAddr) = [ours crate::kernel::signal::sys_rt_sigqueueinfo] "";
    130 rt_sigsuspend(unewset: UserAddr, sigsetsize: usize) = [ours crate::kernel::signal::sys_rt_sigsuspend] "";
    131 sigaltstack(uss: UserAddr, uoss: UserAddr) = [frame crate::kernel::signal::sys_sigaltstack] "";
    132 utime(path: UserPath, times: UserAddr) = [ours crate::fs::utimes::sys_utime] "";
    133 mknod(path: UserPath, mode: Mode, dev: u32) = [ours crate::fs::namei::create::sys_mknod] "";
    134 uselib() = [refused ENOSYS] "not yet";
    135 personality(persona: u32) = [ours crate::kernel::sys::sys_personality] "";
    136 ustat() = [refused ENOSYS] "not yet";
    137 statfs(path: UserPath, buf: UserAddr) = [ours crate::fs::statfs::sys_statfs] "";
    138 fstatfs(fd: Fd, buf: UserAddr) = [ours crate::fs::statfs::sys_fstatfs] "";
    139 sysfs() = [refused ENOSYS] "not yet";
    140 getpriority(which: i32, who: i32) = [ours crate::kernel::sched::sys_getpriority] "";
    141 setpriority(which: i32, who: i32, nice: i32) = [ours crate::kernel::sched::sys_setpriority] "";
    142 sched_setparam(pid: i32, param: UserAddr) = [ours crate::kernel::sched::sys_sched_setparam] "";
    143 sched_getparam(pid: i32, param: UserAddr) = [ours crate::kernel::sched::sys_sched_getparam] "";
    144 sched_setscheduler(pid: i32, policy: i32, param: UserAddr) = [ours crate::kernel::sched::sys_sched_setscheduler] "";
    145 sched_getscheduler(pid: i32) = [ours crate::kernel::sched::sys_sched_getscheduler] "";
    146 sched_get_priority_max(policy: i32) = [host] "";
    147 sched_get_priority_min(policy: i32) = [host] "";
    148 sched_rr_get_interval(pid: i32, interval: UserAddr) = [ours crate::kernel::sched::sys_sched_rr_get_interval] "";
    149 mlock(start: UserAddr, len: u64) = [ours crate::mm::mlock::sys_mlock] "";
    150 munlock(start: UserAddr, len: u64) = [ours crate::mm::mlock::sys_munlock] "";
    151 mlockall(flags: Flags) = [ours crate::mm::mlock::sys_mlockall] "";
    152 munlockall() = [ours crate::mm::mlock::sys_munlockall] "";
    153 vhangup() = [refused EPERM] "no virtual consoles";
    154 modify_ldt(func: i32, ptr: UserAddr, count: u64) = [refused ENOSYS] "64-bit programs only";
    155 pivot_root() = [refused ENOSYS] "not yet";
    156 _sysctl() = [refused ENOSYS] "not yet";
    157 prctl(option: i32, a2: u64, a3: u64, a4: u64, a5: u64) = [ours crate::kernel::prctl::sys_prctl] "";
    158 arch_prctl(operation: i32, addr: UserAddr) = [ours crate::mm::arch_prctl::sys_arch_prctl] "";
    159 adjtimex(txc: UserAddr) = [ours crate::kernel::time::clock::sys_adjtimex] "";
    160 setrlimit(resource: u32, limit: UserAddr) = [ours crate::kernel::resource::sys_setrlimit] "";
    161 chroot(path: UserPath) = [ours crate::fs::access::sys_chroot] "";
    162 sync() = [ours crate::fs::sync::sys_sync] "";
    163 acct() = [refused EPERM] "no accounting";
    164 settimeofday(tv: UserAddr, tz: UserAddr) = [ours crate::kernel::time::clock::sys_settimeofday] "";
    165 mount(dev_name: UserAddr, dir_name: UserPath, kind: UserAddr, flags: u64, data: UserAddr) = [ours crate::fs::mount::sys_mount] "";
    166 umount2(name: UserPath, flags: Flags) = [ours crate::fs::mount::sys_umount2] "";
    167 swapon() = [refused EPERM] "the host is not ours";
    168 swapoff() = [refused EPERM] "the host is not ours";
    169 reboot() = [refused EPERM] "the world ends with its first process";
    170 sethostname(name: UserAddr, len: i32) = [ours crate::kernel::sys::sys_sethostname] "";
    171 setdomainname() = [refused ENOSYS] "not yet";
    172 iopl(level: u32) = [refused EPERM] "no hardware";
    173 ioperm(from: u64, num: u64, on: i32) = [refused EPERM] "no hardware";
    174 create_module() = [refused ENOSYS] "not yet";
    175 init_module() = [refused EPERM] "no modules";
    176 delete_module() = [refused EPERM] "no modules";
    177 get_kernel_syms() = [refused ENOSYS] "not yet";
    178 query_module() = [refused ENOSYS] "not yet";
    179 quotactl() = [refused EPERM] "the host is not ours";
    180 nfsservctl() = [refused ENOSYS] "not yet";
    181 getpmsg() = [refused ENOSYS] "not yet";
    182 putpmsg() = [refused ENOSYS] "not yet";
    183 afs_syscall() = [refused ENOSYS] "not yet";
    184 tuxcall() = [refused ENOSYS] "not yet";
    185 security() = [refused ENOSYS] "not yet";
    186 gettid() = [ours crate::kernel::ids::sys_gettid] "";
    187 readahead(fd: Fd, offset: i64, count: usize) = [ours crate::mm::fadvise::sys_readahead] "";
    188 setxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize, flags: Flags) = [ours crate::fs::xattr::sys_setxattr] "";
    189 lsetxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize, flags: Flags) = [ours crate::fs::xattr::sys_lsetxattr] "";
    190 fsetxattr(fd: Fd, name: UserAddr, value: UserAddr, size: usize, flags: Flags) = [ours crate::fs::xattr::sys_fsetxattr] "";
    191 getxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize) = [ours crate::fs::xattr::sys_getxattr] "";
    192 lgetxattr(path: UserPath, name: UserAddr, value: UserAddr, size: usize) = [ours crate::fs::xattr::sys_lgetxattr] "";
    193 fgetxattr(fd: Fd, name: UserAddr, value: UserAddr, size: usize) = [ours crate::fs::xattr::sys_fgetxattr] "";
    194 listxattr(path: UserPath, list: UserAddr, size: usize) = [ours crate::fs::xattr::sys_listxattr] "";
    195 llistxattr(path: UserPath, list: UserAddr, size: usize) = [ours crate::fs::xattr::sys_llistxattr] "";
    196 flistxattr(fd: Fd, list: UserAddr, size: usize) = [ours crate::fs::xattr::sys_flistxattr] "";
    197 removexattr(path: UserPath, name: UserAddr) = [ours crate::fs::xattr::sys_removexattr] "";
    198 lremovexattr(path: UserPath, name: UserAddr) = [ours crate::fs::xattr::sys_lremovexattr] "";
    199 fremovexattr(fd: Fd, name: UserAddr) = [ours crate::fs::xattr::sys_fremovexattr] "";
    200 tkill(pid: i32, sig: Signo) = [ours crate::kernel::signal::sys_tkill] "";
    201 time(tloc: UserAddr) = [ours crate::kernel::time::clock::sys_time] "";
    202 futex(uaddr: UserAddr, op: Flags, val: u32, utime: u64, uaddr2: UserAddr, val3: u32) = [ours crate::kernel::futex::sys_futex] "";
    203 sched_setaffinity(pid: i32, len: usize, mask: UserAddr) = [ours crate::kernel::sched::sys_sched_setaffinity] "";
    204 sched_getaffinity(pid: i32, len: usize, mask: UserAddr) = [ours crate::kernel::sched::sys_sched_getaffinity] "";
    205 set_thread_area() = [refused ENOSYS] "not yet";
    206 io_setup() = [refused ENOSYS] "not yet";
    207 io_destroy() = [refused ENOSYS] "not yet";
    208 io_getevents() = [refused ENOSYS] "not yet";
    209 io_submit() = [refused ENOSYS] "not yet";
    210 io_cancel() = [refused ENOSYS] "not yet";
    211 get_thread_area() = [refused ENOSYS] "not yet";
    212 lookup_dcookie() = [refused ENOSYS] "gone from Linux";
    213 epoll_create(size: i32) = [ours crate::fs::eventpoll::file::sys_epoll_create] "";
    214 epoll_ctl_old() = [refused ENOSYS] "Linux has none either";
    215 epoll_wait_old() = [refused ENOSYS] "Linux has none either";
    216 remap_file_pages(start: UserAddr, size: u64, prot: Flags, page: u64, flags: Flags) = [ours crate::mm::remap_file_pages::sys_remap_file_pages] "";
    217 getdents64(fd: Fd, dirent: BufOut, count: u32) = [ours crate::fs::readdir::sys_getdents64] "";
    218 set_tid_address(tidptr: UserAddr) = [ours crate::kernel::futex::sys_set_tid_address] "";
    219 restart_syscall() = [ours crate::kernel::signal::sys_restart_syscall] "";
    220 semtimedop(id: i32, ops: UserAddr, count: u32, timeout: UserAddr) = [ours crate::ipc::sem::op::sys_semtimedop] "";
    221 fadvise64(fd: Fd, offset: i64, len: i64, advice: i32) = [ours crate::mm::fadvise::sys_fadvise64] "";
    222 timer_create(clock: i32, event: UserAddr, id: UserAddr) = [ours crate::kernel::time::posix_timers::sys_timer_create] "";
    223 timer_settime(id: i32, flags: Flags, new: UserAddr, old: UserAddr) = [ours crate::kernel::time::posix_timers::sys_timer_settime] "";
    224 timer_gettime(id: i32, setting: UserAddr) = [ours crate::kernel::time::posix_timers::sys_timer_gettime] "";
    225 timer_getoverrun(id: i32) = [ours crate::kernel::time::posix_timers::sys_timer_getoverrun] "";
    226 timer_delete(id: i32) = [ours crate::kernel::time::posix_timers::sys_timer_delete] "";
    227 clock_settime(clock: i32, tp: UserAddr) = [ours crate::kernel::time::clock::sys_clock_settime] "";
    228 clock_gettime(clock: i32, tp: UserAddr) = [ours crate::kernel::time::clock::sys_clock_gettime] "";
    229 clock_getres(clock: i32, tp: UserAddr) = [ours crate::kernel::time::clock::sys_clock_getres] "";
    230 clock_nanosleep(clock: i32, flags: Flags, rqtp: UserAddr, rmtp: UserAddr) = [ours crate::kernel::time::nanosleep::sys_clock_nanosleep] "";
    231 exit_group(code: i32) = [ours crate::kernel::exit::sys_exit_group] "";
    232 epoll_wait(epfd: Fd, events: UserAddr, maxevents: i32, timeout: i32) = [ours crate::fs::eventpoll::wait::sys_epoll_wait] "";
    233 epoll_ctl(epfd: Fd, op: i32, fd: Fd, event: UserAddr) = [ours crate::fs::eventpoll::ctl::sys_epoll_ctl] "";
    234 tgkill(tgid: i32, pid: i32, sig: Signo) = [ours crate::kernel::signal::sys_tgkill] "";
    235 utimes(path: UserPath, times: UserAddr) = [ours crate::fs::utimes::sys_utimes] "";
    236 vserver() = [refused ENOSYS] "not yet";
    237 mbind(start: UserAddr, len: u64, mode: Flags, mask: UserAddr, maxnode: u64, flags: Flags) = [ours crate::mm::mempolicy::sys_mbind] "";
    238 set_mempolicy(mode: i32, mask: UserAddr, maxnode: u64) = [host] "nodes are the host's";
    239 get_mempolicy(mode: UserAddr, mask: UserAddr, maxnode: u64, addr: UserAddr, flags: u64) = [host] "nodes are the host's";
    240 mq_open(name: UserPath, flags: Flags, mode: Mode, attr: UserAddr) = [ours crate::ipc::mqueue::calls::sys_mq_open] "";
    241 mq_unlink(name: UserPath) = [ours crate::ipc::mqueue::calls::sys_mq_unlink] "";
    242 mq_timedsend(fd: Fd, msg: UserAddr, len: usize, priority: u32, timeout: UserAddr) = [ours crate::ipc::mqueue::calls::sys_mq_timedsend] "";
    243 mq_timedreceive(fd: Fd, msg: UserAddr, len: usize, priority: UserAddr, timeout: UserAddr) = [ours crate::ipc::mqueue::calls::sys_mq_timedreceive] "";
    244 mq_notify(fd: Fd, event: UserAddr) = [ours crate::ipc::mqueue::notify::sys_mq_notify] "";
    245 mq_getsetattr(fd: Fd, new: UserAddr, old: UserAddr) = [ours crate::ipc::mqueue::calls::sys_mq_getsetattr] "";
    246 kexec_load() = [refused EPERM] "the host is not ours";
    247 waitid(which: i32, id: i32, info: UserAddr, options: u32, rusage: UserAddr) = [ours crate::kernel::wait::sys_waitid] "";
    248 add_key() = [refused ENOSYS] "not yet";
    249 request_key() = [refused ENOSYS] "not yet";
    250 keyctl() = [refused ENOSYS] "not yet";
    251 ioprio_set() = [refused ENOSYS] "not yet";
    252 ioprio_get() = [refused ENOSYS] "not yet";
    253 inotify_init() = [ours crate::fs::notify::inotify::user::sys_inotify_init] "";
    254 inotify_add_watch(fd: Fd, pathname: UserPath, mask: Flags) = [ours crate::fs::notify::inotify::user::sys_inotify_add_watch] "";
    255 inotify_rm_watch(fd: Fd, wd: i32) = [ours crate::fs::notify::inotify::user::sys_inotify_rm_watch] "";
    256 migrate_pages(pid: i32, maxnode: u64, from: UserAddr, to: UserAddr) = [ours crate::mm::mempolicy::sys_migrate_pages] "";
    257 openat(dfd: DirFd, path: UserPath, flags: Flags, mode: Mode) = [ours crate::fs::open::sys_openat] "";
    258 mkdirat(dfd: DirFd, path: UserPath, mode: Mode) = [ours crate::fs::namei::create::sys_mkdirat] "";
    259 mknodat(dfd: DirFd, path: UserPath, mode: Mode, dev: u32) = [ours crate::fs::namei::create::sys_mknodat] "";
    260 fchownat(dfd: DirFd, path: UserPath, user: u32, group: u32, flags: Flags) = [ours crate::fs::chmod::sys_fchownat] "";
    261 futimesat(dfd: DirFd, path: UserPath, times: UserAddr) = [ours crate::fs::utimes::sys_futimesat] "";
    262 newfstatat(dfd: DirFd, path: UserPath, statbuf: UserAddr, flags: Flags) = [ours crate::fs::stat::sys_newfstatat] "";
    263 unlinkat(dfd: DirFd, path: UserPath, flags: Flags) = [ours crate::fs::namei::remove::sys_unlinkat] "";
    264 renameat(olddfd: DirFd, oldname: UserPath, newdfd: DirFd, newname: UserPath) = [ours crate::fs::namei::rename::sys_renameat] "";
    265 linkat(olddfd: DirFd, oldname: UserPath, newdfd: DirFd, newname: UserPath, flags: Flags) = [ours crate::fs::namei::create::sys_linkat] "";
    266 symlinkat(oldname: UserPath, newdfd: DirFd, newname: UserPath) = [ours crate::fs::namei::create::sys_symlinkat] "";
    267 readlinkat(dfd: DirFd, path: UserPath, buf: BufOut, bufsiz: i32) = [ours crate::fs::stat::sys_readlinkat] "";
    268 fchmodat(dfd: DirFd, path: UserPath, mode: Mode) = [ours crate::fs::chmod::sys_fchmodat] "";
    269 faccessat(dfd: DirFd, path: UserPath, mode: Mode) = [ours crate::fs::access::sys_faccessat] "";
    270 pselect6(n: i32, readfds: UserAddr, writefds: UserAddr, exceptfds: UserAddr, timeout: UserAddr, sigmask: UserAddr) = [ours crate::fs::select::fd_set::sys_pselect6] "";
    271 ppoll(fds: UserAddr, nfds: u32, timeout: UserAddr, sigmask: UserAddr, sigsetsize: usize) = [ours crate::fs::select::poll::sys_ppoll] "";
    272 unshare(flags: u64) = [ours crate::kernel::fork::sys_unshare] "";
    273 set_robust_list(head: UserAddr, len: usize) = [ours crate::kernel::futex::sys_set_robust_list] "";
    274 get_robust_list(pid: i32, head: UserAddr, len: UserAddr) = [ours crate::kernel::futex::sys_get_robust_list] "";
    275 splice(fd_in: Fd, off_in: UserAddr, fd_out: Fd, off_out: UserAddr, len: usize, flags: Flags) = [ours crate::fs::splice::sys_splice] "";
    276 tee(fd_in: Fd, fd_out: Fd, len: usize, flags: Flags) = [ours crate::fs::splice::sys_tee] "";
    277 sync_file_range(fd: Fd, offset: i64, nbytes: i64, flags: Flags) = [ours crate::fs::sync::sys_sync_file_range] "";
    278 vmsplice(fd: Fd, iov: UserAddr, nr_segs: usize, flags: Flags) = [ours crate::fs::splice::vmsplice::sys_vmsplice] "";
    279 move_pages(pid: i32, count: u64, pages: UserAddr, nodes: UserAddr, status: UserAddr, flags: Flags) = [ours crate::mm::mempolicy::sys_move_pages] "";
    280 utimensat(dfd: DirFd, path: UserPath, times: UserAddr, flags: Flags) = [ours crate::fs::utimes::sys_utimensat] "";
    281 epoll_pwait(epfd: Fd, events: UserAddr, maxevents: i32, timeout: i32, sigmask: UserAddr, sigsetsize: usize) = [ours crate::fs::eventpoll::wait::sys_epoll_pwait] "";
    282 signalfd(ufd: Fd, user_mask: UserAddr, sizemask: usize) = [ours crate::fs::signalfd::sys_signalfd] "";
    283 timerfd_create(clockid: i32, flags: Flags) = [ours crate::fs::timerfd::sys_timerfd_create] "";
    284 eventfd(count: u32) = [ours crate::fs::eventfd::sys_eventfd] "";
    285 fallocate(fd: Fd, mode: Flags, offset: i64, len: i64) = [ours crate::fs::truncate::sys_fallocate] "";
    286 timerfd_settime(ufd: Fd, flags: Flags, utmr: UserAddr, otmr: UserAddr) = [ours crate::fs::timerfd::sys_timerfd_settime] "";
    287 timerfd_gettime(ufd: Fd, otmr: UserAddr) = [ours crate::fs::timerfd::sys_timerfd_gettime] "";
    288 accept4(fd: Fd, addr: UserAddr, len: UserAddr, flags: Flags) = [ours crate::net::socket::sys_accept4] "";
    289 signalfd4(ufd: Fd, user_mask: UserAddr, sizemask: usize, flags: Flags) = [ours crate::fs::signalfd::sys_signalfd4] "";
    290 eventfd2(count: u32, flags: Flags) = [ours crate::fs::eventfd::sys_eventfd2] "";
    291 epoll_create1(flags: Flags) = [ours crate::fs::eventpoll::file::sys_epoll_create1] "";
    292 dup3(oldfd: Fd, newfd: Fd, flags: Flags) = [ours crate::fs::dup::sys_dup3] "";
    293 pipe2(fds: UserAddr, flags: Flags) = [ours crate::fs::pipe::sys_pipe2] "";
    294 inotify_init1(flags: Flags) = [ours crate::fs::notify::inotify::user::sys_inotify_init1] "";
    295 preadv(fd: Fd, iov: UserAddr, iovcnt: usize, pos: i64) = [ours crate::fs::read_write::sys_preadv] "";
    296 pwritev(fd: Fd, iov: UserAddr, iovcnt: usize, pos: i64) = [ours crate::fs::read_write::sys_pwritev] "";
    297 rt_tgsigqueueinfo(tgid: i32, pid: i32, sig: Signo, uinfo: UserAddr) = [ours crate::kernel::signal::sys_rt_tgsigqueueinfo] "";
    298 perf_event_open(attr: UserAddr, pid: i32, cpu: i32, group: Fd, flags: u64) = [refused EACCES] "measure the host processes from outside the world";
    299 recvmmsg(fd: Fd, vector: UserAddr, count: u32, flags: Flags, timeout: UserAddr) = [ours crate::net::socket::sys_recvmmsg] "";
    300 fanotify_init() = [refused ENOSYS] "not yet";
    301 fanotify_mark() = [refused ENOSYS] "not yet";
    302 prlimit64(pid: i32, resource: u32, new: UserAddr, old: UserAddr) = [ours crate::kernel::resource::sys_prlimit64] "";
    303 name_to_handle_at() = [refused EOPNOTSUPP] "no file handles";
    304 open_by_handle_at(fd: Fd, handle: UserAddr, flags: i32) = [refused EPERM] "handles of host files are the host's";
    305 clock_adjtime(clock: i32, utx: UserAddr) = [ours crate::kernel::time::clock::sys_clock_adjtime] "";
    306 syncfs(fd: Fd) = [ours crate::fs::sync::sys_syncfs] "";
    307 sendmmsg(fd: Fd, vector: UserAddr, count: u32, flags: Flags) = [ours crate::net::socket::sys_sendmmsg] "";
    308 setns(fd: Fd, flags: i32) = [refused EPERM] "one set of namespaces a world";
    309 getcpu(cpu: UserAddr, node: UserAddr) = [ours crate::kernel::sys::sys_getcpu] "";
    310 process_vm_readv(pid: i32, local: UserAddr, count: usize, remote: UserAddr, remote_count: usize, flags: u64) = [ours crate::mm::process_vm::sys_process_vm_readv] "";
    311 process_vm_writev(pid: i32, local: UserAddr, count: usize, remote: UserAddr, remote_count: usize, flags: u64) = [ours crate::mm::process_vm::sys_process_vm_writev] "";
    312 kcmp() = [refused ENOSYS] "not yet";
    313 finit_module() = [refused EPERM] "no modules";
    314 sched_setattr(pid: i32, attr: UserAddr, flags: u32) = [ours crate::kernel::sched::sys_sched_setattr] "";
    315 sched_getattr(pid: i32, attr: UserAddr, size: u32, flags: u32) = [ours crate::kernel::sched::sys_sched_getattr] "";
    316 renameat2(olddfd: DirFd, oldname: UserPath, newdfd: DirFd, newname: UserPath, flags: Flags) = [ours crate::fs::namei::rename::sys_renameat2] "";
    317 seccomp(op: u32, flags: u32, args: UserAddr) = [refused EINVAL] "filters would judge the kernel's own host calls";
    318 getrandom(buf: UserAddr, len: usize, flags: u32) = [ours crate::kernel::sys::sys_getrandom] "";
    319 memfd_create(name: UserAddr, flags: Flags) = [ours crate::fs::tmpfs::memfd::sys_memfd_create] "";
    320 kexec_file_load() = [refused EPERM] "the host is not ours";
    321 bpf(cmd: i32, attr: UserAddr, size: u32) = [refused EPERM] "programs would run in the host kernel";
    322 execveat(dirfd: DirFd, path: UserPath, argv: UserAddr, envp: UserAddr, flags: Flags) = [frame crate::fs::exec::sys_execveat] "";
    323 userfaultfd(flags: i32) = [refused ENOSYS] "page faults are the host's";
    324 membarrier(command: i32, flags: Flags, cpu: i32) = [host] "threads are host threads";
    325 mlock2(start: UserAddr, len: u64, flags: Flags) = [ours crate::mm::mlock::sys_mlock2] "";
    326 copy_file_range(fd_in: Fd, off_in: UserAddr, fd_out: Fd, off_out: UserAddr, len: usize, flags: Flags) = [ours crate::fs::copy_file_range::sys_copy_file_range] "";
    327 preadv2(fd: Fd, iov: UserAddr, iovcnt: usize, pos: i64, pos_high: u64, flags: Flags) = [ours crate::fs::read_write::sys_preadv2] "";
    328 pwritev2(fd: Fd, iov: UserAddr, iovcnt: usize, pos: i64, pos_high: u64, flags: Flags) = [ours crate::fs::read_write::sys_pwritev2] "";
    329 pkey_mprotect(start: UserAddr, len: u64, prot: Flags, pkey: i32) = [ours crate::mm::mprotect::sys_pkey_mprotect] "";
    330 pkey_alloc(flags: u64, access: u64) = [ours crate::mm::mprotect::sys_pkey_alloc] "";
    331 pkey_free(pkey: i32) = [refused EINVAL] "no key is ever given out";
    332 statx(dfd: DirFd, path: UserPath, flags: Flags, mask: Flags, buffer: UserAddr) = [ours crate::fs::stat::sys_statx] "";
    333 io_pgetevents() = [refused ENOSYS] "not yet";
    334 rseq(rseq: UserAddr, len: u32, flags: i32, sig: u32) = [refused ENOSYS] "a registration left behind by exec would kill the process";
    335 uretprobe() = [refused ENOSYS] "not yet";
    336 uprobe() = [refused ENOSYS] "not yet";
    424 pidfd_send_signal(pidfd: Fd, sig: Signo, info: UserAddr, flags: Flags) = [ours crate::kernel::signal::sys_pidfd_send_signal] "";
    425 io_uring_setup(entries: u32, params: UserAddr) = [refused ENOSYS] "it would bypass this kernel";
    426 io_uring_enter(fd: Fd, to_submit: u32, min_complete: u32, flags: u32) = [refused ENOSYS] "see io_uring_setup";
    427 io_uring_register(fd: Fd, op: u32, arg: UserAddr, n: u32) = [refused ENOSYS] "see io_uring_setup";
    428 open_tree() = [refused ENOSYS] "not yet";
    429 move_mount() = [refused ENOSYS] "not yet";
    430 fsopen() = [refused ENOSYS] "not yet";
    431 fsconfig() = [refused ENOSYS] "not yet";
    432 fsmount() = [refused ENOSYS] "not yet";
    433 fspick() = [refused ENOSYS] "not yet";
    434 pidfd_open(pid: i32, flags: Flags) = [ours crate::kernel::pidfd::sys_pidfd_open] "";
    435 clone3(args: UserAddr, size: usize) = [frame crate::kernel::fork::sys_clone3] "";
    436 close_range(first: u32, last: u32, flags: Flags) = [ours crate::fs::dup::sys_close_range] "";
    437 openat2(dfd: DirFd, path: UserPath, how: UserAddr, size: usize) = [ours crate::fs::open::sys_openat2] "";
    438 pidfd_getfd(pidfd: Fd, fd: i32, flags: Flags) = [ours crate::kernel::pidfd::sys_pidfd_getfd] "";
    439 faccessat2(dfd: DirFd, path: UserPath, mode: Mode, flags: Flags) = [ours crate::fs::access::sys_faccessat2] "";
    440 process_madvise(pidfd: Fd, vector: UserAddr, count: usize, advice: i32, flags: Flags) = [ours crate::mm::process_vm::sys_process_madvise] "";
    441 epoll_pwait2(epfd: Fd, events: UserAddr, maxevents: i32, timeout: UserAddr, sigmask: UserAddr, sigsetsize: usize) = [ours crate::fs::eventpoll::wait::sys_epoll_pwait2] "";
    442 mount_setattr() = [refused ENOSYS] "not yet";
    443 quotactl_fd() = [refused ENOSYS] "not yet";
    444 landlock_create_ruleset() = [refused ENOSYS] "not yet";
    445 landlock_add_rule() = [refused ENOSYS] "not yet";
    446 landlock_restrict_self() = [refused ENOSYS] "not yet";
    447 memfd_secret() = [refused ENOSYS] "not yet";
    448 process_mrelease() = [refused ENOSYS] "not yet";
    449 futex_waitv() = [refused ENOSYS] "as a host older than it; C libraries fall back to futex";
    450 set_mempolicy_home_node(start: UserAddr, len: u64, node: u64, flags: u64) = [refused ENOSYS] "a hint that nothing here uses";
    451 cachestat() = [refused ENOSYS] "not yet";
    452 fchmodat2(dfd: DirFd, path: UserPath, mode: Mode, flags: Flags) = [ours crate::fs::chmod::sys_fchmodat2] "";
    453 map_shadow_stack(addr: UserAddr, size: u64, flags: Flags) = [refused EOPNOTSUPP] "no shadow stacks";
    454 futex_wake() = [refused ENOSYS] "as a host older than it; C libraries fall back to futex";
    455 futex_wait() = [refused ENOSYS] "as a host older than it; C libraries fall back to futex";
    456 futex_requeue() = [refused ENOSYS] "as a host older than it; C libraries fall back to futex";
    457 statmount() = [refused ENOSYS] "not yet";
    458 listmount() = [refused ENOSYS] "not yet";
    459 lsm_get_self_attr() = [refused ENOSYS] "not yet";
    460 lsm_set_self_attr() = [refused ENOSYS] "not yet";
    461 lsm_list_modules() = [refused ENOSYS] "not yet";
    462 mseal(start: UserAddr, len: u64, flags: u64) = [ours crate::mm::mseal::sys_mseal] "";
    463 setxattrat() = [refused ENOSYS] "not yet";
    464 getxattrat() = [refused ENOSYS] "not yet";
    465 listxattrat() = [refused ENOSYS] "not yet";
    466 removexattrat() = [refused ENOSYS] "not yet";
    467 open_tree_attr() = [refused ENOSYS] "not yet";
    468 file_getattr() = [refused ENOSYS] "not yet";
    469 file_setattr() = [refused ENOSYS] "not yet";
    470 listns() = [refused ENOSYS] "not yet";
}
