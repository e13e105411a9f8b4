//! What a message carries beside its bytes: descriptors and credentials.
//!
//! Mirrors: net/core/scm.c, Linux 6.18.
//! Locking: none of its own.

use alloc::sync::Arc;
use alloc::vec::Vec;

use acrida_kcore::uaccess::UserAddr;
use acrida_uapi::capability::{CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN};
use acrida_uapi::errno::{Errno, Error};
use acrida_uapi::socket::{
    Cmsghdr, MSG_CTRUNC, SCM_CREDENTIALS, SCM_PIDFD, SCM_RIGHTS, SO_TIMESTAMPNS, SO_TIMESTAMPNS_NEW, SOL_SOCKET, Ucred,
    cmsg_align, cmsg_len,
};
use acrida_uapi::time::{Timespec, Timeval};
use zerocopy::{FromBytes, IntoBytes};

use crate::current;
use crate::fs::file::FileRef;
use crate::kernel::cred::Cred;
use crate::kernel::pidfd;
use crate::kernel::task::Process;

/// Most descriptors of one message.
pub const SCM_MAX_FD: usize = 253;
/// Longest ancillary data taken in.
const MAX_CONTROL: usize = 20480;
const HEADER: usize = size_of::<Cmsghdr>();

/// Descriptors and credentials of one message.
#[derive(Default)]
#[doc(alias = "scm_cookie")]
pub struct Scm {
    pub files: Vec<FileRef>,
    pub creds: Option<Sender>,
    /// When the message was sent, ns of the wall clock, and the option that asks.
    pub stamp: Option<(u64, i32)>,
    /// What is for the protocol itself, as the guest wrote it.
    pub other: Vec<u8>,
    /// The receiver asked for the credentials themselves, and for a pidfd of the sender.
    pub wants_ucred: bool,
    pub wants_pidfd: bool,
}

/// Who says that he sent a message.
#[derive(Clone)]
#[doc(alias = "scm_creds")]
pub struct Sender {
    pub ucred: Ucred,
    /// `None`: nobody in this world.
    pub process: Option<Arc<Process>>,
}

impl Sender {
    /// The calling process, under its real name.
    pub fn current() -> Sender {
        let me = current();
        let cred = me.cred();
        let ucred = Ucred { pid: me.process.tgid.cast_signed(), uid: cred.uid, gid: cred.gid };
        Sender { ucred, process: Some(me.process.clone()) }
    }

    /// Told when nobody said it.
    pub fn nobody() -> Sender {
        const OVERFLOW_ID: u32 = 65534;
        Sender { ucred: Ucred { pid: 0, uid: OVERFLOW_ID, gid: OVERFLOW_ID }, process: None }
    }
}

impl PartialEq for Sender {
    fn eq(&self, other: &Sender) -> bool {
        let process = |sender: &Sender| sender.process.as_ref().map(Arc::as_ptr);
        self.ucred == other.ucred && process(self) == process(other)
    }
}

/// Who sits at the other end, as of the moment of connecting.
#[derive(Clone)]
#[doc(alias = "sk_peer_cred")]
pub struct PeerCred {
    pub process: Arc<Process>,
    pub cred: Arc<Cred>,
}

impl PeerCred {
    #[doc(alias = "init_peercred")]
    pub fn of_current() -> PeerCred {
        let me = current();
        PeerCred { process: me.process.clone(), cred: me.cred() }
    }

    /// As `SO_PEERCRED` tells it.
    #[doc(alias = "cred_to_ucred")]
    pub fn ucred(&self) -> Ucred {
        Ucred { pid: self.process.tgid.cast_signed(), uid: self.cred.euid, gid: self.cred.egid }
    }
}

impl Scm {
    /// Parses the ancillary data of `sendmsg`.
    #[doc(alias = "__scm_send")]
    pub fn from_user(at: UserAddr, len: usize) -> Result<Scm, Error> {
        let mut scm = Scm::default();
        if len == 0 {
            return Ok(scm);
        }
        if len > MAX_CONTROL {
            return Err(Errno::ENOBUFS.into());
        }
        let mut bytes = alloc::vec![0u8; len];
        at.read_bytes(&mut bytes)?;
        let mut pos = 0;
        while bytes.len() - pos >= HEADER {
            let header = Cmsghdr::read_from_bytes(&bytes[pos..pos + HEADER]).map_err(|_| Errno::EINVAL)?;
            let end = usize::try_from(header.cmsg_len).ok().and_then(|len| pos.checked_add(len));
            let end = end.filter(|&end| end <= bytes.len() && end >= pos + HEADER).ok_or(Errno::EINVAL)?;
            if header.cmsg_level == SOL_SOCKET {
                scm.add(header.cmsg_type, &bytes[pos + HEADER..end])?;
            } else {
                scm.other.resize(cmsg_align(scm.other.len()), 0);
                scm.other.extend_from_slice(&bytes[pos..end]);
            }
            pos = cmsg_align(end).min(bytes.len());
        }
        Ok(scm)
    }

    fn add(&mut self, kind: i32, data: &[u8]) -> Result<(), Error> {
        match kind {
            SCM_RIGHTS => {
                let files = current().files();
                for fd in data.chunks_exact(4) {
                    if self.files.len() == SCM_MAX_FD {
                        return Err(Errno::EINVAL.into());
                    }
                    let fd = i32::from_ne_bytes([fd[0], fd[1], fd[2], fd[3]]);
                    self.files.push(files.get_any(fd)?);
                }
            }
            SCM_CREDENTIALS => {
                let ucred = Ucred::read_from_bytes(data).map_err(|_| Errno::EINVAL)?;
                self.creds = Some(Sender { ucred, process: Some(check_creds(&ucred)?) });
            }
            _ => return Err(Errno::EINVAL.into()),
        }
        Ok(())
    }
}

/// The process that `ucred` names, if the caller may say that it is `ucred`.
#[doc(alias = "scm_check_creds")]
fn check_creds(ucred: &Ucred) -> Result<Arc<Process>, Errno> {
    if ucred.uid == u32::MAX || ucred.gid == u32::MAX {
        return Err(Errno::EINVAL);
    }
    let me = current();
    let cred = me.cred();
    let pid_ok = ucred.pid as u32 == me.process.tgid || cred.capable(CAP_SYS_ADMIN);
    let uid_ok = [cred.uid, cred.euid, cred.suid].contains(&ucred.uid) || cred.capable(CAP_SETUID);
    let gid_ok = [cred.gid, cred.egid, cred.sgid].contains(&ucred.gid) || cred.capable(CAP_SETGID);
    if !(pid_ok && uid_ok && gid_ok) {
        return Err(Errno::EPERM);
    }
    if ucred.pid.cast_unsigned() == me.process.tgid {
        return Ok(me.process.clone());
    }
    crate::kernel().pids.process(ucred.pid.cast_unsigned()).ok_or(Errno::ESRCH)
}

/// Writes ancillary data for `recvmsg`.
pub struct ControlWriter {
    at: UserAddr,
    room: usize,
    used: usize,
    /// `MSG_CTRUNC` once something did not fit.
    pub flags: u32,
}

impl ControlWriter {
    pub fn new(at: UserAddr, room: usize) -> Self {
        ControlWriter { at, room: if at.is_null() { 0 } else { room }, used: 0, flags: 0 }
    }

    /// Bytes written, with padding.
    pub fn used(&self) -> usize {
        self.used
    }

    fn left(&self) -> usize {
        self.room - self.used
    }

    /// Where the next message begins.
    fn end(&self) -> UserAddr {
        self.at.add(self.used as u64)
    }

    /// One message, cut to what fits; it is lost where nothing can be written.
    pub fn put(&mut self, level: i32, kind: i32, data: &[u8]) {
        // Linux tells nobody either: the message itself has come.
        let _ = self.try_put(level, kind, data);
    }

    #[doc(alias = "put_cmsg")]
    fn try_put(&mut self, level: i32, kind: i32, data: &[u8]) -> Result<(), Errno> {
        if self.left() < HEADER {
            self.flags |= MSG_CTRUNC;
            return Ok(());
        }
        let len = cmsg_len(data.len()).min(self.left());
        if len < cmsg_len(data.len()) {
            self.flags |= MSG_CTRUNC;
        }
        self.end().add(HEADER as u64).write_bytes(&data[..len - HEADER])?;
        self.finish(level, kind, len)
    }

    /// Writes the header of a message of `len` bytes whose data is in its place.
    fn finish(&mut self, level: i32, kind: i32, len: usize) -> Result<(), Errno> {
        self.end().write(&Cmsghdr { cmsg_len: len as u64, cmsg_level: level, cmsg_type: kind })?;
        self.used += cmsg_align(len).min(self.left());
        Ok(())
    }

    /// The time of a message, in the form that `option` asks for.
    #[doc(alias = "__sock_recv_timestamp")]
    pub fn put_stamp(&mut self, ns: u64, option: i32) {
        match option {
            SO_TIMESTAMPNS | SO_TIMESTAMPNS_NEW => {
                self.put(SOL_SOCKET, option, Timespec::from_nanos(ns.cast_signed()).as_bytes());
            }
            _ => self.put(SOL_SOCKET, option, Timeval::from_nanos(ns.cast_signed()).as_bytes()),
        }
    }

    /// What is laid out already, and fits.
    pub fn put_raw(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(self.left());
        if self.end().write_bytes(&bytes[..len]).is_ok() {
            self.used += len;
        }
    }

    /// A descriptor of the sender's process, dead or alive; its errno, negative, when there is none.
    #[doc(alias = "scm_pidfd_recv")]
    pub fn put_pidfd(&mut self, sender: &Sender) {
        if self.left() < cmsg_len(size_of::<i32>()) {
            self.flags |= MSG_CTRUNC;
            return;
        }
        match sender.process.as_ref().ok_or(Errno::ESRCH).and_then(pidfd::prepare) {
            Ok((number, file)) => {
                if self.try_put(SOL_SOCKET, SCM_PIDFD, number.fd().as_bytes()).is_ok() {
                    number.publish(file, true);
                }
            }
            Err(errno) => self.put(SOL_SOCKET, SCM_PIDFD, (-errno.raw()).as_bytes()),
        }
    }

    /// Gives the caller descriptors of as many files as there is room for.
    #[doc(alias = "scm_detach_fds")]
    pub fn put_files(&mut self, files: Vec<FileRef>, cloexec: bool) {
        if files.is_empty() {
            return;
        }
        let (count, fits) = (files.len(), self.left().saturating_sub(HEADER) / size_of::<i32>());
        let table = current().files();
        let mut at = self.end().add(HEADER as u64);
        let mut told = 0;
        for file in files.into_iter().take(fits) {
            let Ok(number) = table.reserve() else { break };
            // No descriptor without its number.
            if at.write(&number.fd()).is_err() {
                break;
            }
            number.publish(file, cloexec);
            at = at.add(size_of::<i32>() as u64);
            told += 1;
        }
        if told < count {
            self.flags |= MSG_CTRUNC;
        }
        if told > 0 {
            // Nobody is told here either.
            let _ = self.finish(SOL_SOCKET, SCM_RIGHTS, cmsg_len(told * size_of::<i32>()));
        }
    }
}
