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
}

/// Rows by number.
pub const NR_SYSCALLS: usize = 512;

const UNKNOWN: Entry = Entry { name: "", args: &[], service: Service::Unknown, why: "", handler: unknown };

fn unknown(frame: &mut UserFrame) -> SysResult {
    crate::kernel::sys::unknown_call(frame.regs.orig_rax)
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
    (ours $path:path) => { Service::Ours };
    (frame $path:path) => { Service::Ours };
    (host) => { Service::Host };
    (refused $errno:ident) => { Service::Refused(Errno::$errno) };
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
            };)*
            table
        }
    };
}

/// Every call by number.
pub static TABLE: [Entry; NR_SYSCALLS] = build();

/// Serves the call in `frame.regs.orig_rax`.
#[inline]
pub fn dispatch(frame: &mut UserFrame) -> SysResult {
    match TABLE.get(frame.regs.orig_rax as usize) {
        Some(entry) => (entry.handler)(frame),
        None => unknown(frame),
    }
}

syscalls! {
    0 read() = [refused ENOSYS] "not yet";
    1 write() = [refused ENOSYS] "not yet";
    2 open() = [refused ENOSYS] "not yet";
    3 close() = [refused ENOSYS] "not yet";
    4 stat() = [refused ENOSYS] "not yet";
    5 fstat() = [refused ENOSYS] "not yet";
    6 lstat() = [refused ENOSYS] "not yet";
    7 poll() = [refused ENOSYS] "not yet";
    8 lseek() = [refused ENOSYS] "not yet";
    9 mmap(addr: UserAddr, len: u64, prot: Flags, flags: Flags, fd: Fd, offset: u64) = [ours crate::mm::mmap::sys_mmap] "";
    10 mprotect(start: UserAddr, len: u64, prot: Flags) = [ours crate::mm::mprotect::sys_mprotect] "";
    11 munmap(addr: UserAddr, len: u64) = [ours crate::mm::munmap::sys_munmap] "";
    12 brk(brk: UserAddr) = [ours crate::mm::brk::sys_brk] "";
    13 rt_sigaction() = [refused ENOSYS] "not yet";
    14 rt_sigprocmask() = [refused ENOSYS] "not yet";
    15 rt_sigreturn() = [refused ENOSYS] "not yet";
    16 ioctl() = [refused ENOSYS] "not yet";
    17 pread64() = [refused ENOSYS] "not yet";
    18 pwrite64() = [refused ENOSYS] "not yet";
    19 readv() = [refused ENOSYS] "not yet";
    20 writev() = [refused ENOSYS] "not yet";
    21 access() = [refused ENOSYS] "not yet";
    22 pipe() = [refused ENOSYS] "not yet";
    23 select() = [refused ENOSYS] "not yet";
    24 sched_yield() = [refused ENOSYS] "not yet";
    25 mremap(old: UserAddr, old_len: u64, new_len: u64, flags: Flags, new: UserAddr) = [ours crate::mm::mremap::sys_mremap] "";
    26 msync() = [refused ENOSYS] "not yet";
    27 mincore() = [refused ENOSYS] "not yet";
    28 madvise(start: UserAddr, len: u64, advice: i32) = [ours crate::mm::madvise::sys_madvise] "";
    29 shmget() = [refused ENOSYS] "not yet";
    30 shmat() = [refused ENOSYS] "not yet";
    31 shmctl() = [refused ENOSYS] "not yet";
    32 dup() = [refused ENOSYS] "not yet";
    33 dup2() = [refused ENOSYS] "not yet";
    34 pause() = [refused ENOSYS] "not yet";
    35 nanosleep() = [refused ENOSYS] "not yet";
    36 getitimer() = [refused ENOSYS] "not yet";
    37 alarm() = [refused ENOSYS] "not yet";
    38 setitimer() = [refused ENOSYS] "not yet";
    39 getpid() = [refused ENOSYS] "not yet";
    40 sendfile() = [refused ENOSYS] "not yet";
    41 socket() = [refused ENOSYS] "not yet";
    42 connect() = [refused ENOSYS] "not yet";
    43 accept() = [refused ENOSYS] "not yet";
    44 sendto() = [refused ENOSYS] "not yet";
    45 recvfrom() = [refused ENOSYS] "not yet";
    46 sendmsg() = [refused ENOSYS] "not yet";
    47 recvmsg() = [refused ENOSYS] "not yet";
    48 shutdown() = [refused ENOSYS] "not yet";
    49 bind() = [refused ENOSYS] "not yet";
    50 listen() = [refused ENOSYS] "not yet";
    51 getsockname() = [refused ENOSYS] "not yet";
    52 getpeername() = [refused ENOSYS] "not yet";
    53 socketpair() = [refused ENOSYS] "not yet";
    54 setsockopt() = [refused ENOSYS] "not yet";
    55 getsockopt() = [refused ENOSYS] "not yet";
    56 clone() = [refused ENOSYS] "not yet";
    57 fork() = [refused ENOSYS] "not yet";
    58 vfork() = [refused ENOSYS] "not yet";
    59 execve() = [refused ENOSYS] "not yet";
    60 exit() = [refused ENOSYS] "not yet";
    61 wait4() = [refused ENOSYS] "not yet";
    62 kill() = [refused ENOSYS] "not yet";
    63 uname() = [refused ENOSYS] "not yet";
    64 semget() = [refused ENOSYS] "not yet";
    65 semop() = [refused ENOSYS] "not yet";
    66 semctl() = [refused ENOSYS] "not yet";
    67 shmdt() = [refused ENOSYS] "not yet";
    68 msgget() = [refused ENOSYS] "not yet";
    69 msgsnd() = [refused ENOSYS] "not yet";
    70 msgrcv() = [refused ENOSYS] "not yet";
    71 msgctl() = [refused ENOSYS] "not yet";
    72 fcntl() = [refused ENOSYS] "not yet";
    73 flock() = [refused ENOSYS] "not yet";
    74 fsync() = [refused ENOSYS] "not yet";
    75 fdatasync() = [refused ENOSYS] "not yet";
    76 truncate() = [refused ENOSYS] "not yet";
    77 ftruncate() = [refused ENOSYS] "not yet";
    78 getdents() = [refused ENOSYS] "not yet";
    79 getcwd() = [refused ENOSYS] "not yet";
    80 chdir() = [refused ENOSYS] "not yet";
    81 fchdir() = [refused ENOSYS] "not yet";
    82 rename() = [refused ENOSYS] "not yet";
    83 mkdir() = [refused ENOSYS] "not yet";
    84 rmdir() = [refused ENOSYS] "not yet";
    85 creat() = [refused ENOSYS] "not yet";
    86 link() = [refused ENOSYS] "not yet";
    87 unlink() = [refused ENOSYS] "not yet";
    88 symlink() = [refused ENOSYS] "not yet";
    89 readlink() = [refused ENOSYS] "not yet";
    90 chmod() = [refused ENOSYS] "not yet";
    91 fchmod() = [refused ENOSYS] "not yet";
    92 chown() = [refused ENOSYS] "not yet";
    93 fchown() = [refused ENOSYS] "not yet";
    94 lchown() = [refused ENOSYS] "not yet";
    95 umask() = [refused ENOSYS] "not yet";
    96 gettimeofday() = [refused ENOSYS] "not yet";
    97 getrlimit() = [refused ENOSYS] "not yet";
    98 getrusage() = [refused ENOSYS] "not yet";
    99 sysinfo() = [refused ENOSYS] "not yet";
    100 times() = [refused ENOSYS] "not yet";
    101 ptrace() = [refused ENOSYS] "not yet";
    102 getuid() = [refused ENOSYS] "not yet";
    103 syslog() = [refused ENOSYS] "not yet";
    104 getgid() = [refused ENOSYS] "not yet";
    105 setuid() = [refused ENOSYS] "not yet";
    106 setgid() = [refused ENOSYS] "not yet";
    107 geteuid() = [refused ENOSYS] "not yet";
    108 getegid() = [refused ENOSYS] "not yet";
    109 setpgid() = [refused ENOSYS] "not yet";
    110 getppid() = [refused ENOSYS] "not yet";
    111 getpgrp() = [refused ENOSYS] "not yet";
    112 setsid() = [refused ENOSYS] "not yet";
    113 setreuid() = [refused ENOSYS] "not yet";
    114 setregid() = [refused ENOSYS] "not yet";
    115 getgroups() = [refused ENOSYS] "not yet";
    116 setgroups() = [refused ENOSYS] "not yet";
    117 setresuid() = [refused ENOSYS] "not yet";
    118 getresuid() = [refused ENOSYS] "not yet";
    119 setresgid() = [refused ENOSYS] "not yet";
    120 getresgid() = [refused ENOSYS] "not yet";
    121 getpgid() = [refused ENOSYS] "not yet";
    122 setfsuid() = [refused ENOSYS] "not yet";
    123 setfsgid() = [refused ENOSYS] "not yet";
    124 getsid() = [refused ENOSYS] "not yet";
    125 capget() = [refused ENOSYS] "not yet";
    126 capset() = [refused ENOSYS] "not yet";
    127 rt_sigpending() = [refused ENOSYS] "not yet";
    128 rt_sigtimedwait() = [refused ENOSYS] "not yet";
    129 rt_sigqueueinfo() = [refused ENOSYS] "not yet";
    130 rt_sigsuspend() = [refused ENOSYS] "not yet";
    131 sigaltstack() = [refused ENOSYS] "not yet";
    132 utime() = [refused ENOSYS] "not yet";
    133 mknod() = [refused ENOSYS] "not yet";
    134 uselib() = [refused ENOSYS] "not yet";
    135 personality() = [refused ENOSYS] "not yet";
    136 ustat() = [refused ENOSYS] "not yet";
    137 statfs() = [refused ENOSYS] "not yet";
    138 fstatfs() = [refused ENOSYS] "not yet";
    139 sysfs() = [refused ENOSYS] "not yet";
    140 getpriority() = [refused ENOSYS] "not yet";
    141 setpriority() = [refused ENOSYS] "not yet";
    142 sched_setparam() = [refused ENOSYS] "not yet";
    143 sched_getparam() = [refused ENOSYS] "not yet";
    144 sched_setscheduler() = [refused ENOSYS] "not yet";
    145 sched_getscheduler() = [refused ENOSYS] "not yet";
    146 sched_get_priority_max() = [refused ENOSYS] "not yet";
    147 sched_get_priority_min() = [refused ENOSYS] "not yet";
    148 sched_rr_get_interval() = [refused ENOSYS] "not yet";
    149 mlock() = [refused ENOSYS] "not yet";
    150 munlock() = [refused ENOSYS] "not yet";
    151 mlockall() = [refused ENOSYS] "not yet";
    152 munlockall() = [refused ENOSYS] "not yet";
    153 vhangup() = [refused ENOSYS] "not yet";
    154 modify_ldt() = [refused ENOSYS] "not yet";
    155 pivot_root() = [refused ENOSYS] "not yet";
    156 _sysctl() = [refused ENOSYS] "not yet";
    157 prctl() = [refused ENOSYS] "not yet";
    158 arch_prctl() = [refused ENOSYS] "not yet";
    159 adjtimex() = [refused ENOSYS] "not yet";
    160 setrlimit() = [refused ENOSYS] "not yet";
    161 chroot() = [refused ENOSYS] "not yet";
    162 sync() = [refused ENOSYS] "not yet";
    163 acct() = [refused ENOSYS] "not yet";
    164 settimeofday() = [refused ENOSYS] "not yet";
    165 mount() = [refused ENOSYS] "not yet";
    166 umount2() = [refused ENOSYS] "not yet";
    167 swapon() = [refused ENOSYS] "not yet";
    168 swapoff() = [refused ENOSYS] "not yet";
    169 reboot() = [refused ENOSYS] "not yet";
    170 sethostname() = [refused ENOSYS] "not yet";
    171 setdomainname() = [refused ENOSYS] "not yet";
    172 iopl() = [refused ENOSYS] "not yet";
    173 ioperm() = [refused ENOSYS] "not yet";
    174 create_module() = [refused ENOSYS] "not yet";
    175 init_module() = [refused ENOSYS] "not yet";
    176 delete_module() = [refused ENOSYS] "not yet";
    177 get_kernel_syms() = [refused ENOSYS] "not yet";
    178 query_module() = [refused ENOSYS] "not yet";
    179 quotactl() = [refused ENOSYS] "not yet";
    180 nfsservctl() = [refused ENOSYS] "not yet";
    181 getpmsg() = [refused ENOSYS] "not yet";
    182 putpmsg() = [refused ENOSYS] "not yet";
    183 afs_syscall() = [refused ENOSYS] "not yet";
    184 tuxcall() = [refused ENOSYS] "not yet";
    185 security() = [refused ENOSYS] "not yet";
    186 gettid() = [refused ENOSYS] "not yet";
    187 readahead() = [refused ENOSYS] "not yet";
    188 setxattr() = [refused ENOSYS] "not yet";
    189 lsetxattr() = [refused ENOSYS] "not yet";
    190 fsetxattr() = [refused ENOSYS] "not yet";
    191 getxattr() = [refused ENOSYS] "not yet";
    192 lgetxattr() = [refused ENOSYS] "not yet";
    193 fgetxattr() = [refused ENOSYS] "not yet";
    194 listxattr() = [refused ENOSYS] "not yet";
    195 llistxattr() = [refused ENOSYS] "not yet";
    196 flistxattr() = [refused ENOSYS] "not yet";
    197 removexattr() = [refused ENOSYS] "not yet";
    198 lremovexattr() = [refused ENOSYS] "not yet";
    199 fremovexattr() = [refused ENOSYS] "not yet";
    200 tkill() = [refused ENOSYS] "not yet";
    201 time() = [refused ENOSYS] "not yet";
    202 futex() = [refused ENOSYS] "not yet";
    203 sched_setaffinity() = [refused ENOSYS] "not yet";
    204 sched_getaffinity() = [refused ENOSYS] "not yet";
    205 set_thread_area() = [refused ENOSYS] "not yet";
    206 io_setup() = [refused ENOSYS] "not yet";
    207 io_destroy() = [refused ENOSYS] "not yet";
    208 io_getevents() = [refused ENOSYS] "not yet";
    209 io_submit() = [refused ENOSYS] "not yet";
    210 io_cancel() = [refused ENOSYS] "not yet";
    211 get_thread_area() = [refused ENOSYS] "not yet";
    212 lookup_dcookie() = [refused ENOSYS] "not yet";
    213 epoll_create() = [refused ENOSYS] "not yet";
    214 epoll_ctl_old() = [refused ENOSYS] "not yet";
    215 epoll_wait_old() = [refused ENOSYS] "not yet";
    216 remap_file_pages() = [refused ENOSYS] "not yet";
    217 getdents64() = [refused ENOSYS] "not yet";
    218 set_tid_address() = [refused ENOSYS] "not yet";
    219 restart_syscall() = [refused ENOSYS] "not yet";
    220 semtimedop() = [refused ENOSYS] "not yet";
    221 fadvise64() = [refused ENOSYS] "not yet";
    222 timer_create() = [refused ENOSYS] "not yet";
    223 timer_settime() = [refused ENOSYS] "not yet";
    224 timer_gettime() = [refused ENOSYS] "not yet";
    225 timer_getoverrun() = [refused ENOSYS] "not yet";
    226 timer_delete() = [refused ENOSYS] "not yet";
    227 clock_settime() = [refused ENOSYS] "not yet";
    228 clock_gettime() = [refused ENOSYS] "not yet";
    229 clock_getres() = [refused ENOSYS] "not yet";
    230 clock_nanosleep() = [refused ENOSYS] "not yet";
    231 exit_group() = [refused ENOSYS] "not yet";
    232 epoll_wait() = [refused ENOSYS] "not yet";
    233 epoll_ctl() = [refused ENOSYS] "not yet";
    234 tgkill() = [refused ENOSYS] "not yet";
    235 utimes() = [refused ENOSYS] "not yet";
    236 vserver() = [refused ENOSYS] "not yet";
    237 mbind() = [refused ENOSYS] "not yet";
    238 set_mempolicy() = [refused ENOSYS] "not yet";
    239 get_mempolicy() = [refused ENOSYS] "not yet";
    240 mq_open() = [refused ENOSYS] "not yet";
    241 mq_unlink() = [refused ENOSYS] "not yet";
    242 mq_timedsend() = [refused ENOSYS] "not yet";
    243 mq_timedreceive() = [refused ENOSYS] "not yet";
    244 mq_notify() = [refused ENOSYS] "not yet";
    245 mq_getsetattr() = [refused ENOSYS] "not yet";
    246 kexec_load() = [refused ENOSYS] "not yet";
    247 waitid() = [refused ENOSYS] "not yet";
    248 add_key() = [refused ENOSYS] "not yet";
    249 request_key() = [refused ENOSYS] "not yet";
    250 keyctl() = [refused ENOSYS] "not yet";
    251 ioprio_set() = [refused ENOSYS] "not yet";
    252 ioprio_get() = [refused ENOSYS] "not yet";
    253 inotify_init() = [refused ENOSYS] "not yet";
    254 inotify_add_watch() = [refused ENOSYS] "not yet";
    255 inotify_rm_watch() = [refused ENOSYS] "not yet";
    256 migrate_pages() = [refused ENOSYS] "not yet";
    257 openat() = [refused ENOSYS] "not yet";
    258 mkdirat() = [refused ENOSYS] "not yet";
    259 mknodat() = [refused ENOSYS] "not yet";
    260 fchownat() = [refused ENOSYS] "not yet";
    261 futimesat() = [refused ENOSYS] "not yet";
    262 newfstatat() = [refused ENOSYS] "not yet";
    263 unlinkat() = [refused ENOSYS] "not yet";
    264 renameat() = [refused ENOSYS] "not yet";
    265 linkat() = [refused ENOSYS] "not yet";
    266 symlinkat() = [refused ENOSYS] "not yet";
    267 readlinkat() = [refused ENOSYS] "not yet";
    268 fchmodat() = [refused ENOSYS] "not yet";
    269 faccessat() = [refused ENOSYS] "not yet";
    270 pselect6() = [refused ENOSYS] "not yet";
    271 ppoll() = [refused ENOSYS] "not yet";
    272 unshare() = [refused ENOSYS] "not yet";
    273 set_robust_list() = [refused ENOSYS] "not yet";
    274 get_robust_list() = [refused ENOSYS] "not yet";
    275 splice() = [refused ENOSYS] "not yet";
    276 tee() = [refused ENOSYS] "not yet";
    277 sync_file_range() = [refused ENOSYS] "not yet";
    278 vmsplice() = [refused ENOSYS] "not yet";
    279 move_pages() = [refused ENOSYS] "not yet";
    280 utimensat() = [refused ENOSYS] "not yet";
    281 epoll_pwait() = [refused ENOSYS] "not yet";
    282 signalfd() = [refused ENOSYS] "not yet";
    283 timerfd_create() = [refused ENOSYS] "not yet";
    284 eventfd() = [refused ENOSYS] "not yet";
    285 fallocate() = [refused ENOSYS] "not yet";
    286 timerfd_settime() = [refused ENOSYS] "not yet";
    287 timerfd_gettime() = [refused ENOSYS] "not yet";
    288 accept4() = [refused ENOSYS] "not yet";
    289 signalfd4() = [refused ENOSYS] "not yet";
    290 eventfd2() = [refused ENOSYS] "not yet";
    291 epoll_create1() = [refused ENOSYS] "not yet";
    292 dup3() = [refused ENOSYS] "not yet";
    293 pipe2() = [refused ENOSYS] "not yet";
    294 inotify_init1() = [refused ENOSYS] "not yet";
    295 preadv() = [refused ENOSYS] "not yet";
    296 pwritev() = [refused ENOSYS] "not yet";
    297 rt_tgsigqueueinfo() = [refused ENOSYS] "not yet";
    298 perf_event_open() = [refused ENOSYS] "not yet";
    299 recvmmsg() = [refused ENOSYS] "not yet";
    300 fanotify_init() = [refused ENOSYS] "not yet";
    301 fanotify_mark() = [refused ENOSYS] "not yet";
    302 prlimit64() = [refused ENOSYS] "not yet";
    303 name_to_handle_at() = [refused ENOSYS] "not yet";
    304 open_by_handle_at() = [refused ENOSYS] "not yet";
    305 clock_adjtime() = [refused ENOSYS] "not yet";
    306 syncfs() = [refused ENOSYS] "not yet";
    307 sendmmsg() = [refused ENOSYS] "not yet";
    308 setns() = [refused ENOSYS] "not yet";
    309 getcpu() = [refused ENOSYS] "not yet";
    310 process_vm_readv() = [refused ENOSYS] "not yet";
    311 process_vm_writev() = [refused ENOSYS] "not yet";
    312 kcmp() = [refused ENOSYS] "not yet";
    313 finit_module() = [refused ENOSYS] "not yet";
    314 sched_setattr() = [refused ENOSYS] "not yet";
    315 sched_getattr() = [refused ENOSYS] "not yet";
    316 renameat2() = [refused ENOSYS] "not yet";
    317 seccomp() = [refused ENOSYS] "not yet";
    318 getrandom() = [refused ENOSYS] "not yet";
    319 memfd_create() = [refused ENOSYS] "not yet";
    320 kexec_file_load() = [refused ENOSYS] "not yet";
    321 bpf() = [refused ENOSYS] "not yet";
    322 execveat() = [refused ENOSYS] "not yet";
    323 userfaultfd() = [refused ENOSYS] "not yet";
    324 membarrier() = [refused ENOSYS] "not yet";
    325 mlock2() = [refused ENOSYS] "not yet";
    326 copy_file_range() = [refused ENOSYS] "not yet";
    327 preadv2() = [refused ENOSYS] "not yet";
    328 pwritev2() = [refused ENOSYS] "not yet";
    329 pkey_mprotect() = [refused ENOSYS] "not yet";
    330 pkey_alloc() = [refused ENOSYS] "not yet";
    331 pkey_free() = [refused ENOSYS] "not yet";
    332 statx() = [refused ENOSYS] "not yet";
    333 io_pgetevents() = [refused ENOSYS] "not yet";
    334 rseq() = [refused ENOSYS] "not yet";
    335 uretprobe() = [refused ENOSYS] "not yet";
    336 uprobe() = [refused ENOSYS] "not yet";
    424 pidfd_send_signal() = [refused ENOSYS] "not yet";
    425 io_uring_setup() = [refused ENOSYS] "not yet";
    426 io_uring_enter() = [refused ENOSYS] "not yet";
    427 io_uring_register() = [refused ENOSYS] "not yet";
    428 open_tree() = [refused ENOSYS] "not yet";
    429 move_mount() = [refused ENOSYS] "not yet";
    430 fsopen() = [refused ENOSYS] "not yet";
    431 fsconfig() = [refused ENOSYS] "not yet";
    432 fsmount() = [refused ENOSYS] "not yet";
    433 fspick() = [refused ENOSYS] "not yet";
    434 pidfd_open() = [refused ENOSYS] "not yet";
    435 clone3() = [refused ENOSYS] "not yet";
    436 close_range() = [refused ENOSYS] "not yet";
    437 openat2() = [refused ENOSYS] "not yet";
    438 pidfd_getfd() = [refused ENOSYS] "not yet";
    439 faccessat2() = [refused ENOSYS] "not yet";
    440 process_madvise() = [refused ENOSYS] "not yet";
    441 epoll_pwait2() = [refused ENOSYS] "not yet";
    442 mount_setattr() = [refused ENOSYS] "not yet";
    443 quotactl_fd() = [refused ENOSYS] "not yet";
    444 landlock_create_ruleset() = [refused ENOSYS] "not yet";
    445 landlock_add_rule() = [refused ENOSYS] "not yet";
    446 landlock_restrict_self() = [refused ENOSYS] "not yet";
    447 memfd_secret() = [refused ENOSYS] "not yet";
    448 process_mrelease() = [refused ENOSYS] "not yet";
    449 futex_waitv() = [refused ENOSYS] "not yet";
    450 set_mempolicy_home_node() = [refused ENOSYS] "not yet";
    451 cachestat() = [refused ENOSYS] "not yet";
    452 fchmodat2() = [refused ENOSYS] "not yet";
    453 map_shadow_stack() = [refused ENOSYS] "not yet";
    454 futex_wake() = [refused ENOSYS] "not yet";
    455 futex_wait() = [refused ENOSYS] "not yet";
    456 futex_requeue() = [refused ENOSYS] "not yet";
    457 statmount() = [refused ENOSYS] "not yet";
    458 listmount() = [refused ENOSYS] "not yet";
    459 lsm_get_self_attr() = [refused ENOSYS] "not yet";
    460 lsm_set_self_attr() = [refused ENOSYS] "not yet";
    461 lsm_list_modules() = [refused ENOSYS] "not yet";
    462 mseal() = [refused ENOSYS] "not yet";
    463 setxattrat() = [refused ENOSYS] "not yet";
    464 getxattrat() = [refused ENOSYS] "not yet";
    465 listxattrat() = [refused ENOSYS] "not yet";
    466 removexattrat() = [refused ENOSYS] "not yet";
    467 open_tree_attr() = [refused ENOSYS] "not yet";
    468 file_getattr() = [refused ENOSYS] "not yet";
    469 file_setattr() = [refused ENOSYS] "not yet";
    470 listns() = [refused ENOSYS] "not yet";
}
