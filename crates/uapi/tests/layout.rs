//! Every structure has the size, alignment and field offsets that other crates give it.
//!
//! The oracle is linux-raw-sys (headers of Linux 6.17), or libc where linux-raw-sys has no such structure and libc's
//! is the kernel's own.

use acrida_uapi::*;
use linux_raw_sys::{general, net, prctl as raw_prctl, system};
use std::mem::{align_of, offset_of, size_of};

/// `name` of ours and of the oracle, then fields that are spelled the same, then pairs that are not.
macro_rules! layout {
    ($ours:ty, $theirs:ty; $($field:ident)*; $($our:ident = $their:ident)*) => {
        #[allow(deprecated)]
        {
            let name = stringify!($ours);
            assert_eq!(size_of::<$ours>(), size_of::<$theirs>(), "size of {name}");
            $(assert_eq!(offset_of!($ours, $field), offset_of!($theirs, $field), "{name}::{}", stringify!($field));)*
            $(assert_eq!(offset_of!($ours, $our), offset_of!($theirs, $their), "{name}::{}", stringify!($our));)*
            assert_eq!(align_of::<$ours>(), align_of::<$theirs>(), "alignment of {name}");
        }
    };
}

#[test]
fn files() {
    layout!(fcntl::Flock, general::flock; l_type l_whence l_start l_len l_pid;);
    layout!(fcntl::FOwnerEx, general::f_owner_ex; pid; type_ = type_);
    layout!(fcntl::OpenHow, general::open_how; flags mode resolve;);
    layout!(stat::Stat, general::stat; st_dev st_ino st_nlink st_mode st_uid st_gid st_rdev st_size st_blksize st_blocks
        st_atime st_atime_nsec st_mtime st_mtime_nsec st_ctime st_ctime_nsec;);
    layout!(stat::StatxTimestamp, general::statx_timestamp; tv_sec tv_nsec;);
    layout!(stat::Statx, general::statx; stx_mask stx_blksize stx_attributes stx_nlink stx_uid stx_gid stx_mode stx_ino
        stx_size stx_blocks stx_attributes_mask stx_atime stx_btime stx_ctime stx_mtime stx_rdev_major stx_rdev_minor
        stx_dev_major stx_dev_minor stx_mnt_id stx_dio_mem_align stx_dio_offset_align stx_subvol
        stx_atomic_write_unit_min stx_atomic_write_unit_max stx_atomic_write_segments_max stx_dio_read_offset_align;);
    layout!(statfs::Statfs, general::statfs64; f_type f_bsize f_blocks f_bfree f_bavail f_files f_ffree f_fsid f_namelen
        f_frsize f_flags;);
    layout!(uio::Iovec, general::iovec; iov_base iov_len;);
    layout!(xattr::XattrArgs, general::xattr_args; value size flags;);
    layout!(mount::MountAttr, general::mount_attr; attr_set attr_clr propagation userns_fd;);
    layout!(time::Utimbuf, libc::utimbuf; actime modtime;);
}

/// The directory records are packed here and padded in C: only the offsets can agree.
#[test]
fn directory_entries() {
    assert_eq!(size_of::<dirent::LinuxDirent64>(), offset_of!(general::linux_dirent64, d_name));
    assert_eq!(offset_of!(dirent::LinuxDirent64, d_off), offset_of!(general::linux_dirent64, d_off));
    assert_eq!(offset_of!(dirent::LinuxDirent64, d_reclen), offset_of!(general::linux_dirent64, d_reclen));
    assert_eq!(offset_of!(dirent::LinuxDirent64, d_type), offset_of!(general::linux_dirent64, d_type));
    assert_eq!(dirent::dirent64_reclen(1), 24);
    assert_eq!(dirent::dirent64_reclen(4), 24);
    assert_eq!(dirent::dirent64_reclen(5), 32);
    assert_eq!(dirent::mode_to_dt(stat::S_IFLNK | 0o777), dirent::DT_LNK);
}

#[test]
fn readiness() {
    layout!(poll::Pollfd, general::pollfd; fd events revents;);
    layout!(epoll::EpollEvent, general::epoll_event; events data;);
    layout!(inotify::InotifyEvent, general::inotify_event; wd mask cookie len;);
    layout!(signalfd::SignalfdSiginfo, libc::signalfd_siginfo; ssi_signo ssi_errno ssi_code ssi_pid ssi_uid ssi_fd ssi_tid
        ssi_band ssi_overrun ssi_trapno ssi_status ssi_int ssi_ptr ssi_utime ssi_stime ssi_addr ssi_addr_lsb ssi_syscall
        ssi_call_addr ssi_arch;);
}

#[test]
fn time_and_resources() {
    layout!(time::Timespec, general::__kernel_timespec; tv_sec tv_nsec;);
    layout!(time::Timeval, general::__kernel_old_timeval; tv_sec tv_usec;);
    layout!(time::Itimerspec, general::__kernel_itimerspec; it_interval it_value;);
    layout!(time::Itimerval, general::itimerval; it_interval it_value;);
    layout!(time::Timezone, general::timezone; tz_minuteswest tz_dsttime;);
    layout!(time::Timex, libc::timex; modes offset freq maxerror esterror status constant precision tolerance time tick
        ppsfreq jitter shift stabil jitcnt calcnt errcnt stbcnt tai;);
    layout!(time::Tms, libc::tms; tms_utime tms_stime tms_cutime tms_cstime;);
    layout!(resource::Rlimit64, general::rlimit64; rlim_cur rlim_max;);
    layout!(resource::Rusage, general::rusage; ru_utime ru_stime ru_maxrss ru_minflt ru_majflt ru_inblock ru_oublock
        ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw;);
    layout!(utsname::NewUtsname, system::new_utsname; sysname nodename release version machine domainname;);
    layout!(utsname::Sysinfo, system::sysinfo; uptime loads totalram freeram sharedram bufferram totalswap freeswap procs
        totalhigh freehigh mem_unit;);
}

#[test]
fn processes() {
    layout!(sched::CloneArgs, general::clone_args; flags pidfd child_tid parent_tid exit_signal stack stack_size tls set_tid
        set_tid_size cgroup;);
    layout!(sched::SchedParam, libc::sched_param; sched_priority;);
    // libc has the first published form.
    assert_eq!(offset_of!(sched::SchedAttr, sched_util_min), size_of::<libc::sched_attr>());
    assert_eq!(offset_of!(sched::SchedAttr, sched_nice), offset_of!(libc::sched_attr, sched_nice));
    assert_eq!(offset_of!(sched::SchedAttr, sched_runtime), offset_of!(libc::sched_attr, sched_runtime));
    layout!(futex::RobustListHead, general::robust_list_head; list futex_offset list_op_pending;);
    layout!(futex::RobustList, general::robust_list; next;);
    layout!(futex::FutexWaitv, general::futex_waitv; val uaddr flags;);
    layout!(capability::UserCapHeaderStruct, general::__user_cap_header_struct; version pid;);
    layout!(capability::UserCapDataStruct, general::__user_cap_data_struct; effective permitted inheritable;);
    layout!(prctl::PrctlMmMap, raw_prctl::prctl_mm_map; start_code end_code start_data end_data start_brk brk start_stack
        arg_start arg_end env_start env_end auxv auxv_size exe_fd;);
}

#[test]
fn terminals() {
    layout!(termios::Termios, general::termios; c_iflag c_oflag c_cflag c_lflag c_line c_cc;);
    layout!(termios::Termios2, general::termios2; c_iflag c_oflag c_cflag c_lflag c_line c_cc c_ispeed c_ospeed;);
    layout!(termios::Termio, general::termio; c_iflag c_oflag c_cflag c_lflag c_line c_cc;);
    layout!(termios::Winsize, general::winsize; ws_row ws_col ws_xpixel ws_ypixel;);
}

#[test]
fn sockets() {
    layout!(socket::SockaddrStorage, net::__kernel_sockaddr_storage; ;);
    layout!(socket::SockaddrUn, net::sockaddr_un; sun_family sun_path;);
    layout!(socket::Sockaddr, libc::sockaddr; sa_family sa_data;);
    layout!(socket::Msghdr, libc::msghdr; msg_name msg_namelen msg_iov msg_iovlen msg_control msg_controllen msg_flags;);
    layout!(socket::Mmsghdr, libc::mmsghdr; msg_hdr msg_len;);
    layout!(socket::Cmsghdr, net::cmsghdr; cmsg_len cmsg_level cmsg_type;);
    layout!(socket::Ucred, net::ucred; pid uid gid;);
    layout!(socket::Linger, net::linger; l_onoff l_linger;);
    layout!(filter::SockFilter, libc::sock_filter; code jt jf k;);
    layout!(filter::SockFprog, libc::sock_fprog; len filter;);
    // The big-endian numbers are unaligned bytes: these two may be less aligned than in C.
    assert_eq!(size_of::<inet::SockaddrIn>(), size_of::<net::sockaddr_in>());
    assert_eq!(offset_of!(inet::SockaddrIn, sin_addr), offset_of!(net::sockaddr_in, sin_addr));
    layout!(inet::SockaddrIn6, net::sockaddr_in6; sin6_family sin6_port sin6_flowinfo sin6_addr sin6_scope_id;);
    layout!(inet::IpMreqn, net::ip_mreqn; imr_multiaddr imr_address imr_ifindex;);
    layout!(tcp::TcpInfo, net::tcp_info; tcpi_state tcpi_options tcpi_rto tcpi_last_data_sent tcpi_rtt tcpi_rcv_space
        tcpi_pacing_rate tcpi_min_rtt tcpi_delivery_rate tcpi_delivered tcpi_rehash tcpi_total_rto_time;);
    layout!(netif::Ifreq, libc::ifreq; ifr_name ifr_ifru;);
    layout!(netif::Ifconf, libc::ifconf; ifc_len; ifc_buf = ifc_ifcu);
    layout!(inet::InPktinfo, net::in_pktinfo; ipi_ifindex ipi_spec_dst ipi_addr;);
}

#[test]
fn ipc_objects() {
    layout!(ipc::Ipc64Perm, libc::ipc_perm; uid gid cuid cgid mode; key = __key seq = __seq);
    layout!(shm::Shmid64Ds, libc::shmid_ds; shm_perm shm_segsz shm_atime shm_dtime shm_ctime shm_cpid shm_lpid shm_nattch;);
    layout!(sem::Semid64Ds, libc::semid_ds; sem_perm sem_otime sem_ctime sem_nsems;);
    layout!(sem::Sembuf, libc::sembuf; sem_num sem_op sem_flg;);
    layout!(sem::Seminfo, libc::seminfo; semmap semmni semmns semmnu semmsl semopm semume semusz semvmx semaem;);
    layout!(msg::Msqid64Ds, libc::msqid_ds; msg_perm msg_stime msg_rtime msg_ctime msg_qnum msg_qbytes msg_lspid msg_lrpid;
        msg_cbytes = __msg_cbytes);
    layout!(msg::Msginfo, libc::msginfo; msgpool msgmap msgmax msgmnb msgmni msgssz msgtql msgseg;);
    layout!(mqueue::MqAttr, libc::mq_attr; mq_flags mq_maxmsg mq_msgsize mq_curmsgs;);
    // No crate has these two: sizes as a C compiler gives them.
    assert_eq!((size_of::<shm::Shminfo64>(), size_of::<shm::ShmInfo>()), (72, 48));
}
